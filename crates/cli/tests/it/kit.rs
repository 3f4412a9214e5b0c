//! A directory with media, and runs of the binary in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory of a test's own.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A test picture with a tone, 320x180.
    pub(crate) fn video(&self, name: &str, seconds: u32) {
        let picture = format!("testsrc2=size=320x180:rate=30:duration={seconds}");
        let tone = format!("sine=frequency=1000:sample_rate=48000:duration={seconds}");
        let status = Command::new("ffmpeg")
            .args([
                "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone,
            ])
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"])
            .arg(self.path(name))
            .status()
            .expect("the tests need the ffmpeg command");
        assert!(status.success());
    }

    /// The binary, in this directory, knowing nothing of whoever runs the tests.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyreel"));
        command.current_dir(self.root()).env_clear().env("HOME", self.root());
        // Where there is no metadata service, looking for it takes long.
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run(self.command().args(arguments).output().unwrap())
    }

    /// Names in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.root())
    }
}

/// Names in a directory, sorted; none where there is no such directory.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a run came to.
pub(crate) struct Run(Output);

impl Run {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code(), 0, "{}", self.err());
        serde_json::from_slice(&self.0.stdout).unwrap()
    }

    /// Checks the exit code and that standard error says all of this.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code(), code, "{}{}", self.out(), self.err());
        for word in words {
            assert!(self.err().contains(word), "{word:?} is not in {}", self.err());
        }
    }
}

/// A small storyboard with one scene for each background, each of so many seconds.
pub(crate) fn storyboard(backgrounds: &[&str], seconds: f64) -> Value {
    let scenes: Vec<Value> = backgrounds
        .iter()
        .map(|uri| {
            json!({
                "text": "Hello world!",
                "backgroundUri": uri,
                "backgroundType": "video",
                "loopBackgroundVideo": true,
                "muteBackgroundVideo": true,
                "minimumDuration": seconds,
            })
        })
        .collect();
    json!({"videoName": "film", "videoWidth": 320, "videoHeight": 180, "scenes": scenes})
}

/// A storyboard that needs no media.
pub(crate) fn plain() -> Value {
    let scene = json!({"text": "Hi", "backgroundColor": "#224466", "minimumDuration": 1});
    json!({"videoName": "film", "videoWidth": 320, "videoHeight": 180, "scenes": [scene]})
}

/// What ffprobe says about the streams and the format of a file.
pub(crate) fn probe(film: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json"])
        .arg(film)
        .output()
        .expect("the tests need the ffprobe command");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Decoded pictures of a film, by ffprobe.
pub(crate) fn frames(film: &Path) -> u64 {
    probe(film)["streams"][0]["nb_read_frames"].as_str().unwrap().parse().unwrap()
}
