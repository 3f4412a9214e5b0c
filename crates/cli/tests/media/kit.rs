//! A folder of media, the `render` command over it, and measurements of what comes out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Size of the test films.
pub(crate) const WIDTH: usize = 320;
pub(crate) const HEIGHT: usize = 180;

/// A folder of media and of films.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a file with the ffmpeg command; the last argument is its name.
    pub(crate) fn ffmpeg(&self, arguments: &str) {
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .status()
            .expect("the ffmpeg command is installed");
        assert!(status.success(), "ffmpeg {arguments}");
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// A storyboard of 320 x 180 with these scenes.
    pub(crate) fn storyboard(scenes: &Value) -> Value {
        json!({ "videoName": "film", "videoWidth": WIDTH, "videoHeight": HEIGHT, "scenes": scenes })
    }

    /// Runs `storyreel render` on a storyboard.
    pub(crate) fn run(&self, storyboard: &Value) -> Output {
        self.write("storyboard.json", storyboard.to_string().as_bytes());
        Command::new(env!("CARGO_BIN_EXE_storyreel"))
            .args(["render", "storyboard.json", "-o", "film.mp4", "--media", ".", "--report", "report.json"])
            .args(["--data", "data"])
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// Renders scenes; fails the test with the command's words where that fails.
    pub(crate) fn film(&self, scenes: &Value) -> Film {
        self.film_of(&Self::storyboard(scenes))
    }

    /// Renders a storyboard; fails the test with the command's words where that fails.
    pub(crate) fn film_of(&self, storyboard: &Value) -> Film {
        let output = self.run(storyboard);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words}");
        let report = serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap();
        Film { path: self.path("film.mp4"), report }
    }

    /// Renders a storyboard that must fail: exit code and problems.
    pub(crate) fn failure(&self, scenes: &Value) -> (i32, Vec<Value>) {
        let output = self.run(&Self::storyboard(scenes));
        assert!(!self.path("film.mp4").exists(), "no half film is left behind");
        let left: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.starts_with(".storyreel-"))
            .collect();
        assert!(left.is_empty(), "nothing half-done is left: {left:?}");
        let report: Value =
            serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap();
        (output.status.code().unwrap(), report["problems"].as_array().unwrap().clone())
    }
}

/// A rendered film.
pub(crate) struct Film {
    pub(crate) path: PathBuf,
    pub(crate) report: Value,
}

impl Film {
    /// Codes of the warnings.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.report["warnings"].as_array().unwrap();
        warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn frames(&self) -> u64 {
        self.report["film"]["frames"].as_u64().unwrap()
    }

    /// Every picture as RGB.
    pub(crate) fn pictures(&self) -> Vec<Picture> {
        pictures_of(&self.path)
    }

    /// The sound as interleaved stereo at 48 kHz.
    pub(crate) fn samples(&self) -> Vec<f32> {
        let raw = decode(&self.path, &["-map", "0:a", "-f", "f32le", "-ar", "48000", "-ac", "2"]);
        let values = raw.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        // The container says where the sound ends; the ffmpeg command decodes the last AAC frame whole.
        let ends = self.frames() as usize * 1600 * 2;
        let values: Vec<f32> = values.collect();
        assert!((ends..ends + 2048).contains(&values.len()), "{} values for {ends}", values.len());
        values[..ends].to_vec()
    }
}

/// Every picture of a file of the test films' size as RGB.
pub(crate) fn pictures_of(path: &Path) -> Vec<Picture> {
    let size = WIDTH * HEIGHT * 3;
    let raw = decode(path, &["-map", "0:v", "-f", "rawvideo", "-pix_fmt", "rgb24"]);
    assert_eq!(raw.len() % size, 0);
    raw.chunks(size).map(|rgb| Picture(rgb.to_vec())).collect()
}

/// Decodes a file strictly.
fn decode(path: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-err_detect", "explode", "-i"])
        .arg(path)
        .args(arguments)
        .arg("-")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && words.is_empty(), "{words}");
    output.stdout
}

/// What ffprobe says.
pub(crate) fn probe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_streams", "-show_format", "-count_packets"])
        .arg(path)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One picture, RGB.
#[derive(Clone)]
pub(crate) struct Picture(Vec<u8>);

impl Picture {
    /// Mean colour of a box around a place, both in hundredths of the picture.
    pub(crate) fn at(&self, x: usize, y: usize) -> [i32; 3] {
        let (cx, cy) = (x * WIDTH / 100, y * HEIGHT / 100);
        let mut sum = [0i64; 3];
        let mut count = 0;
        for row in cy.saturating_sub(3)..(cy + 3).min(HEIGHT) {
            for column in cx.saturating_sub(3)..(cx + 3).min(WIDTH) {
                let pixel = &self.0[(row * WIDTH + column) * 3..][..3];
                for (total, value) in sum.iter_mut().zip(pixel) {
                    *total += i64::from(*value);
                }
                count += 1;
            }
        }
        sum.map(|total| (total / count) as i32)
    }

    /// Mean absolute difference a channel.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        let sum: u64 = self.0.iter().zip(&other.0).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / self.0.len() as f64
    }
}

/// Whether a colour is this one, within what H.264 and chroma subsampling do to flat areas.
pub(crate) fn is(colour: [i32; 3], expected: [i32; 3]) -> bool {
    colour.iter().zip(expected).all(|(have, want)| (have - want).abs() <= 12)
}

/// Root mean square of a stretch of interleaved stereo, in seconds.
pub(crate) fn rms(samples: &[f32], from: f64, to: f64) -> f64 {
    let index = |seconds: f64| (seconds * 48_000.0) as usize * 2;
    let part = &samples[index(from)..index(to).min(samples.len())];
    (part.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / part.len() as f64).sqrt()
}
