//! GStreamer's openh264dec behind its own MP4 reader.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::browser;

#[test]
#[ignore = "long: make check-long"]
fn gstreamer_decodes_every_picture_of_a_minute_and_a_browser_finds_any() {
    let minute = browser::film(60);
    let mut child = Command::new("gst-launch-1.0")
        .args(["--quiet", "filesrc"])
        .arg(format!("location={}", minute.film.path.display()))
        .args(["!", "qtdemux", "!", "h264parse", "!", "openh264dec", "!", "fdsink", "fd=1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("`scripts/install-deps.sh long` installs gst-launch-1.0");
    let mut output = child.stdout.take().unwrap();
    let (mut bytes, mut buffer) = (0, vec![0; 1 << 20]);
    loop {
        match output.read(&mut buffer).unwrap() {
            0 => break,
            count => bytes += count,
        }
    }
    assert!(child.wait().unwrap().success());
    let picture = 320 * 180 * 3 / 2;
    assert_eq!((bytes / picture, bytes % picture), (minute.expected.len(), 0), "pictures out of openh264dec");
    browser::plays_and_seeks(&minute);
}
