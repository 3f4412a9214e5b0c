//! The storyboard: one model for every wire format, with every default filled in.
//!
//! Invariants, upheld by the parsers of this crate: at least one scene; canvas sides even and within limits;
//! all numbers finite and in range; every media address of an accepted form; text split into scenes already.

use serde::{Deserialize, Serialize};

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Storyboard {
    /// The film's name, usable as a file name.
    pub name: String,
    /// Free text; may be empty.
    pub description: String,
    /// Language of the texts: a lower-case BCP 47 primary tag such as `en`.
    pub language: String,
    /// Size of the picture.
    pub canvas: Canvas,
    /// Frames per second of the one frame grid.
    pub fps: u32,
    /// Music under the whole film.
    pub music: Option<Music>,
    /// A logo over the whole film.
    pub logo: Option<Logo>,
    /// The scenes in order; a split text has made several of one item.
    pub scenes: Vec<Scene>,
    /// Where to report completion.
    pub webhook: Option<String>,
}

/// Size of the picture in pixels; both sides are even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Canvas {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Music under the film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Music {
    /// Where it comes from.
    pub source: MusicSource,
    /// Linear amplitude applied to music levelled to -20 LUFS, 0 to 1.
    pub volume: f64,
}

/// Where the music comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MusicSource {
    /// The operator's folder, else a bed made by the program.
    Auto,
    /// The client's track.
    Media(MediaRef),
}

/// A logo over the whole film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logo {
    /// The picture.
    pub media: MediaRef,
    /// Where it stands.
    pub vertical: Vertical,
    /// Where it stands.
    pub horizontal: Horizontal,
}

/// A media object as the client named it. Two references with equal `address` and `connection` are one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MediaRef {
    /// The parsed address.
    pub address: Address,
    /// The connection to read it with; only for S3.
    pub connection: Option<String>,
    /// JSON pointer of the member that named it, for messages.
    pub pointer: String,
}

/// The forms of address that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Address {
    /// An object in S3, read through a connection.
    S3(S3Address),
    /// Public media over https (http only where the operator allows it), absolute URL, read behind the URL guard.
    Url(String),
    /// A relative path under `--media`; only `storyreel render` accepts it.
    File(String),
}

/// An object in S3 as the client named it; the endpoint is always derived from bucket and region, never from a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct S3Address {
    /// Bucket name.
    pub bucket: String,
    /// Object key, decoded exactly once.
    pub key: String,
    /// Version id, only where the address named one.
    pub version: Option<String>,
    /// Region that the host named, a hint only.
    pub region: Option<String>,
}

impl std::fmt::Display for Address {
    /// The address for messages: without version, query or fragment.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::S3(s3) => write!(f, "s3://{}/{}", s3.bucket, s3.key),
            Self::Url(url) => f.write_str(url.split(['?', '#']).next().unwrap_or_default()),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// One scene: what is seen and heard for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Index of the client's item in `scenes`, from 0.
    pub item: usize,
    /// Which part of a split text this is, from 0.
    pub part: usize,
    /// How many parts the item's text was split into, 1 where it was not.
    pub parts: usize,
    /// The text without markup, for narration and reading time; empty where there is none.
    pub text: String,
    /// What is shown; `None` without text or where subtitles are off.
    pub caption: Option<Caption>,
    /// Whether a voice reads `text`.
    pub voice_over: bool,
    /// What is behind the caption.
    pub background: Background,
    /// Least length in seconds, of the whole item: its parts share it.
    pub minimum_duration: Option<f64>,
    /// Exact length in seconds of this part, where an edited `renderParams` fixes it; overrides the contract.
    pub exact_duration: Option<f64>,
    /// How the caption looks.
    pub style: TextStyle,
}

/// The text that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// The text in runs; line feeds in it are forced line breaks.
    pub runs: Vec<Run>,
    /// Language of the caption, like [`Storyboard::language`].
    pub language: String,
}

/// A stretch of caption text of one look.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The text.
    pub text: String,
    /// Shown in the keyword colour.
    pub keyword: bool,
}

/// What is behind the caption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Background {
    /// A client's video or image.
    Media(MediaBackground),
    /// A plain colour.
    Colour(Rgba),
    /// A calm picture made by the program.
    Generated,
}

/// A client's video or image behind the caption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaBackground {
    /// The object.
    pub media: MediaRef,
    /// What the client says it is; `None` lets the probe decide.
    pub kind: Option<BackgroundKind>,
    /// Repeat from the first frame where the scene is longer; else the last frame holds.
    pub looped: bool,
    /// Leave the video's own sound out.
    pub mute: bool,
    /// How it fills the canvas.
    pub fit: Fit,
    /// Parts of the video, joined; empty means all of it. Seconds.
    pub segments: Vec<Segment>,
}

/// What the client says a background is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BackgroundKind {
    /// A moving picture.
    Video,
    /// A still picture.
    Image,
}

/// How a picture of another shape fills the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fit {
    /// Scaled to cover, centred, the rest cropped.
    Cover,
    /// Scaled to fit inside, centred on black.
    Contain,
}

/// A part of a video, in seconds from its start; `start < end`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// First moment shown.
    pub start: f64,
    /// First moment no longer shown.
    pub end: f64,
}

/// How a caption looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextStyle {
    /// Font family as asked; captions map it to a face they have.
    pub family: String,
    /// Size in pixels of a 1080-line canvas.
    pub size: f64,
    /// Slanted.
    pub italic: bool,
    /// 100 to 900, 400 is regular.
    pub weight: u16,
    /// Underlined.
    pub underline: bool,
    /// Colour of the text.
    pub colour: Rgba,
    /// Colour of the box behind it; alpha 0 means no box.
    pub background: Rgba,
    /// Colour of keywords.
    pub keyword: Rgba,
    /// Where the box stands.
    pub vertical: Vertical,
    /// Where the box stands.
    pub horizontal: Horizontal,
}

impl Default for TextStyle {
    /// A lower-third box: white 48-pixel text of weight 600 on dark at 60 %, centred.
    fn default() -> Self {
        Self {
            family: "Inter".to_owned(),
            size: 48.0,
            italic: false,
            weight: 600,
            underline: false,
            colour: Rgba::new(255, 255, 255, 255),
            background: Rgba::new(17, 17, 17, 153),
            keyword: Rgba::new(226, 226, 170, 255),
            vertical: Vertical::Bottom,
            horizontal: Horizontal::Center,
        }
    }
}

/// A colour with straight alpha, sRGB, 8 bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rgba {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// 0 is transparent, 255 opaque.
    pub a: u8,
}

impl Rgba {
    /// A colour from its channels.
    pub const fn new(r: u8, g: u8, b: u8, a: u8) -> Self {
        Self { r, g, b, a }
    }
}

/// Vertical place on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vertical {
    /// Upper third.
    Top,
    /// Middle.
    Center,
    /// Lower third.
    Bottom,
}

/// Horizontal place on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Horizontal {
    /// At the left margin.
    Left,
    /// In the middle.
    Center,
    /// At the right margin.
    Right,
}
