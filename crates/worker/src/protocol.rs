//! What a child can be asked to do, and what it answers. Plain data, carried as JSON.
//!
//! Files are numbered in the order in which [`crate::Run::files`] lists them; sources keep their plan's numbers.

use plan::{AudioPlan, LogoPlan, MediaInfo, ScenePlan, Takes};
use serde::{Deserialize, Serialize};
use storyboard::Canvas;

/// One piece of work for one child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum Task {
    /// Try to break out and say what held.
    Cage,
    /// Say what source 0 is.
    Probe,
    /// Say what the libraries are.
    Versions,
    /// Encode one scene. Files: 0 the overlays to read, 1 the clip to write.
    Clip(ClipTask),
    /// Draw one frame. Files: 0 the overlays to read, 1 the picture to write.
    Frame(FrameTask),
    /// Mix and encode the sound. Files: 0 the sound clip to write.
    Sound(SoundTask),
    /// Join clips and sound. Files: the distinct clips, the sound clip, the film to write, the audio file to write.
    Assemble(AssembleTask),
    /// Draw and encode a moving picture of the program's own, for the demo. Files: 0 the clip to write.
    Sample(SampleTask),
}

/// What is needed to draw and encode the frames of one scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipTask {
    /// Size of the picture.
    pub canvas: Canvas,
    /// Frames per second.
    pub fps: u32,
    /// The scene.
    pub scene: ScenePlan,
    /// What of it is encoded, and how that is played; empty where one frame is drawn.
    pub takes: Takes,
    /// The logo.
    pub logo: Option<LogoPlan>,
    /// One for each caption page of the scene, in order; `None` where a page draws nothing.
    pub overlays: Vec<Option<OverlayRef>>,
    /// How to encode.
    pub encoder: EncoderSettings,
    /// Whether to answer with the digest of every picture as it is handed to the encoder.
    pub digests: bool,
}

/// One frame of a scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameTask {
    /// The scene; its encoder settings do not matter.
    pub clip: ClipTask,
    /// Which frame, from the scene's start.
    pub frame: u64,
    /// How it is written.
    pub format: PictureFormat,
    /// What the child may keep this scene under for the next frame: equal names have the same sources under the same
    /// numbers, on the same canvas. `None` where nothing may be kept.
    #[serde(default)]
    pub keep_as: Option<String>,
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// JPEG of high quality.
    Jpeg,
    /// PNG, without loss beyond the conversion to RGB.
    Png,
    /// WebP of high quality.
    Webp,
}

/// Where an overlay's pixels lie in the overlay file: `width * height * 4` bytes of premultiplied RGBA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayRef {
    /// Byte offset in the file.
    pub offset: u64,
    /// Left edge on the canvas; even.
    pub x: u32,
    /// Top edge on the canvas; even.
    pub y: u32,
    /// Width in pixels; even.
    pub width: u32,
    /// Height in pixels; even.
    pub height: u32,
}

/// How pictures are encoded. Part of every clip's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderSettings {
    /// x264 preset.
    pub preset: String,
    /// x264 constant rate factor.
    pub crf: u8,
    /// Most frames between two IDR pictures.
    pub gop: u32,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        Self { preset: "veryfast".to_owned(), crf: 20, gop: 60 }
    }
}

/// The film's sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoundTask {
    /// What is heard.
    pub audio: AudioPlan,
    /// Frames per second of the grid that cuts are counted in.
    pub fps: u32,
    /// AAC bit rate in bits per second.
    pub bit_rate: u32,
}

/// Joining clips and sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssembleTask {
    /// Size of the picture.
    pub canvas: Canvas,
    /// Frames per second.
    pub fps: u32,
    /// Length of the film; the clips' frames must add up to it.
    pub frames: u64,
    /// How many distinct clips there are.
    pub clips: usize,
    /// The clip of each scene, in order, by its number among the files.
    pub order: Vec<usize>,
    /// Title written into the file.
    pub title: String,
}

/// A moving picture of the program's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleTask {
    /// Size of the picture.
    pub canvas: Canvas,
    /// Frames per second.
    pub fps: u32,
    /// Length; the picture ends where it began.
    pub frames: u64,
    /// Chooses colours and shapes.
    pub seed: u64,
    /// How to encode.
    pub encoder: EncoderSettings,
}

/// What a child answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
pub enum Reply {
    /// What held.
    Cage(CageReport),
    /// What the source is.
    Probe(MediaInfo),
    /// What the libraries are.
    Versions(Versions),
    /// The files are written.
    Written(Written),
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Pictures written, where there are any.
    pub frames: u64,
    /// What the client should know, such as a source that ended early.
    pub notes: Vec<Note>,
    /// Pictures that came out of the source as they were, without being encoded.
    #[serde(default)]
    pub copied: u64,
    /// Why none did, where that was considered.
    #[serde(default)]
    pub not_copied: Option<String>,
    /// Digests of the pictures in the order in which they were drawn, where they were asked for.
    #[serde(default)]
    pub digests: Vec<Digest>,
}

/// XXH3 of a picture's planes without padding, as it is handed to the encoder: equal pictures, equal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "hexadecimal")] pub u64);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Numbers of 64 bits as text: JSON readers may keep only 53 of them.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{number:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(de::Error::custom)
    }
}

/// A reply with what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The reply.
    pub reply: Reply,
    /// What it took.
    pub cost: Cost,
}

/// What a task took of its child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Processor time of this task in microseconds.
    pub cpu_us: u64,
    /// The most memory that the child has had so far, in bytes.
    pub peak_bytes: u64,
}

/// Versions of what encodes: other versions may make other bytes of the same pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// This program.
    pub storyreel: String,
    /// FFmpeg, as its libraries name it.
    pub ffmpeg: String,
    /// libavcodec, libavformat, libavfilter and libswscale.
    pub libraries: String,
    /// x264, as its streams name it.
    pub x264: String,
}

/// Something about a source that did not stop the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Index of the source in the plan.
    pub source: Option<usize>,
    /// Machine-readable name.
    pub code: String,
    /// What was seen and what was done.
    pub message: String,
}

/// How strong the cage is; `true` means tried and refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CageReport {
    /// Landlock's own word: `full`, `partial` or `none`.
    pub landlock: String,
    /// Opening a file by its path was refused.
    pub files_refused: bool,
    /// Opening a socket was refused.
    pub network_refused: bool,
    /// Starting a program was refused.
    pub exec_refused: bool,
    /// Number of environment variables that the child sees.
    pub environment: usize,
}

impl CageReport {
    /// `full` where every wall holds, `system calls only` without Landlock, else `broken`.
    pub fn strength(&self) -> &'static str {
        let refused =
            self.files_refused && self.network_refused && self.exec_refused && self.environment == 0;
        match (refused, self.landlock.as_str()) {
            (true, "full") => "full",
            (true, _) => "system calls only",
            (false, _) => "broken",
        }
    }
}

/// Why a child could not do its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// Index of the source that is to blame, where one is.
    pub source: Option<usize>,
    /// Machine-readable name, such as `MEDIA_UNREADABLE`.
    pub code: String,
    /// What is wrong, with what libav said.
    pub message: String,
}

impl TaskError {
    /// A source that cannot be used.
    pub fn source(source: usize, code: &str, message: impl Into<String>) -> Self {
        Self { source: Some(source), code: code.to_owned(), message: message.into() }
    }

    /// Our own failure.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { source: None, code: "INTERNAL".to_owned(), message: message.into() }
    }
}

impl std::fmt::Display for TaskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TaskError {}
