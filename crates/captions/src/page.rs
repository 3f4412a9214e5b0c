//! A caption page: what is on screen at one time.

use serde::{Deserialize, Serialize};
use storyboard::{Run, TextStyle};

/// One page of a caption, broken into lines; enough, with the same fonts, to draw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The lines from top to bottom, each in runs.
    pub lines: Vec<Vec<Run>>,
    /// How it looks.
    pub style: TextStyle,
    /// Language, which chooses among faces that share characters.
    pub language: String,
}

impl Page {
    /// The page's text, lines joined by line feeds.
    pub fn text(&self) -> String {
        let lines =
            self.lines.iter().map(|line| line.iter().map(|run| run.text.as_str()).collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// A picture with premultiplied alpha, placed on the canvas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// Left edge in canvas pixels; even.
    pub x: u32,
    /// Top edge in canvas pixels; even.
    pub y: u32,
    /// Width in pixels; even.
    pub width: u32,
    /// Height in pixels; even.
    pub height: u32,
    /// RGBA, 8 bits a channel, premultiplied, rows from top to bottom without padding.
    pub pixels: Vec<u8>,
}
