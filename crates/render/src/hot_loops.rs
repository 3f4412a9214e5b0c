//! The loops that run once a pixel of every drawn frame, each by itself, so that their instructions can be counted.
//!
//! For `examples/hot_loops.rs` alone; nothing else may call it.

use ffmpeg_next as ffmpeg;
use storyboard::{Canvas, Fit, Rgba};

use crate::backdrop;
use crate::filter::ToCanvas;
use crate::frames::{digest, make_own, share};
use crate::overlay::{Overlay, flatten};
use crate::track::{Decoded, Shape};

/// Names that [`run`] knows.
pub const NAMES: [&str; 7] = ["picture", "overlay", "blend", "recaption", "hand-over", "digest", "flatten"];

const CANVAS: Canvas = Canvas { width: 1280, height: 720 };
/// Frames of each loop: a second.
const FRAMES: usize = 30;

/// Runs a loop; answers with a number that depends on all that was computed, or `None` for a name that is unknown.
pub fn run(name: &str) -> Option<u64> {
    let mut picture = backdrop::colour(CANVAS, Rgba::new(40, 90, 160, 255));
    match name {
        // What the others begin with, to be taken off their counts.
        "picture" => {}
        "overlay" => {
            let rgba = caption();
            (0..FRAMES).for_each(|_| drop(overlay(&rgba)));
        }
        "blend" => {
            let overlay = overlay(&caption());
            (0..FRAMES).for_each(|_| overlay.blend(&mut picture));
        }
        "recaption" => {
            let overlay = overlay(&caption());
            for _ in 0..FRAMES {
                let covered = overlay.covered(&picture);
                overlay.blend(&mut picture);
                overlay.uncover(&mut picture, &covered);
            }
        }
        "hand-over" => {
            // Already of the canvas' size and colours: what is left is ours, and the copy that drawing needs.
            let shape = Shape { turns: 0, mirrored: false, aspect: (1, 1) };
            picture.set_color_space(ffmpeg::util::color::Space::BT709);
            picture.set_color_range(ffmpeg::util::color::Range::MPEG);
            let decoded = Decoded { frame: picture, shape, serial: 0 };
            let mut to_canvas = ToCanvas::new(CANVAS, Fit::Cover);
            for _ in 0..FRAMES {
                let mut canvas = to_canvas.convert(&decoded).expect("a plain picture is taken");
                make_own(&mut canvas).expect("there is memory for a picture");
                share(&canvas).expect("a reference is always given");
            }
            picture = decoded.frame;
        }
        "digest" => return (0..FRAMES).map(|_| digest(&picture).0).reduce(u64::wrapping_add),
        "flatten" => {
            let mut clear =
                ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUVA420P, CANVAS.width, CANVAS.height);
            (0..4).for_each(|plane| clear.data_mut(plane).fill(100));
            for _ in 0..FRAMES {
                picture = flatten(&clear, CANVAS);
            }
        }
        _ => return None,
    }
    Some(picture.data(0).iter().step_by(997).map(|value| u64::from(*value)).sum())
}

/// Pixels of a caption of two lines: premultiplied RGBA, of all degrees of cover.
fn caption() -> Vec<u8> {
    (0..WIDTH * HEIGHT)
        .flat_map(|pixel| {
            let alpha = (pixel * 7 % 256) as u8;
            [alpha, alpha / 2, alpha / 3, alpha]
        })
        .collect()
}

const WIDTH: u32 = 800;
const HEIGHT: u32 = 120;

fn overlay(rgba: &[u8]) -> Overlay {
    Overlay::from_rgba(CANVAS, 240, 520, WIDTH, HEIGHT, rgba).expect("it lies inside the canvas")
}
