//! A folder of media, the `render` command over it, and what every film must hold.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bitstream::Stream;
use crate::numbers;

/// Frames a second of every film.
pub(crate) const FPS: u64 = 30;

/// A folder of media and of films.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
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

    /// The command that renders a storyboard to `name.mp4` with a report; `words` are further arguments.
    pub(crate) fn command(&self, name: &str, storyboard: &Value, words: &[&str]) -> Vec<String> {
        std::fs::write(self.path(&format!("{name}.json")), storyboard.to_string()).unwrap();
        let film = format!("{name}.mp4");
        let (board, report) = (format!("{name}.json"), format!("{name}.report.json"));
        let words = [
            &[env!("CARGO_BIN_EXE_storyreel"), "render", &board, "-o", &film, "--media", "."][..],
            &["--report", &report],
            words,
        ];
        words.concat().into_iter().map(str::to_owned).collect()
    }

    /// Renders a storyboard to `name.mp4`; fails the test with the command's words where that fails.
    pub(crate) fn film(&self, name: &str, storyboard: &Value, words: &[&str]) -> Film {
        let command = self.command(name, storyboard, words);
        self.run(&command);
        let report = std::fs::read(self.path(&format!("{name}.report.json"))).unwrap();
        Film { path: self.path(&format!("{name}.mp4")), report: serde_json::from_slice(&report).unwrap() }
    }

    /// Runs a command in the folder; it must succeed.
    pub(crate) fn run(&self, command: &[String]) {
        let output = Command::new(&command[0])
            .args(&command[1..])
            .env("STORYREEL_DATA", self.path("data"))
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", command[0]));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {words}");
    }
}

/// A storyboard of 320 x 180 with these scenes.
pub(crate) fn storyboard(scenes: &[Value]) -> Value {
    json!({ "videoName": "film", "videoWidth": 320, "videoHeight": 180, "scenes": scenes })
}

/// `minimumDuration` of so many frames, in the way in which an author would write it.
pub(crate) fn seconds(frames: u64) -> f64 {
    (frames as f64 / FPS as f64 * 10_000.0).round() / 10_000.0
}

/// A rendered film.
pub(crate) struct Film {
    pub(crate) path: PathBuf,
    pub(crate) report: Value,
}

impl Film {
    /// The film is a strictly conformant, evenly timed stream that shows these numbers, whoever decodes it.
    pub(crate) fn shows(&self, expected: &[u16]) {
        assert_eq!(self.report["film"]["frames"], expected.len(), "frames by the report");
        let stream = Stream::of(&self.path);
        stream.is_even(&self.path, expected.len());
        stream.joints().unwrap();
        let shown = numbers::shown(&self.path);
        assert_eq!(shown.len(), expected.len(), "pictures out of ffmpeg");
        for (frame, (shown, expected)) in shown.iter().zip(expected).enumerate() {
            assert_eq!(shown, expected, "number of frame {frame}, out of ffmpeg");
        }
        stream.is_whole_in_openh264(expected);
    }
}

/// Decodes a file with the ffmpeg command, strictly: any complaint fails the test.
pub(crate) fn decode(path: &Path, arguments: &[&str]) -> Vec<u8> {
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

/// Lines of ffprobe about the picture track, each a list of `name=value`.
pub(crate) fn probe(path: &Path, arguments: &[&str]) -> Vec<Vec<(String, String)>> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v", "-of", "compact=p=0"])
        .args(arguments)
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split('|').filter_map(pair).collect())
        .collect()
}
