//! `storyreel demo`, end to end.

use std::process::Command;

use crate::kit::{Place, names, probe};

#[test]
fn the_demo_makes_its_film() {
    let place = Place::new();
    let run = place.run(&["demo", "--out", "out"]);
    run.says(0, &[]);
    for words in [
        "POST /v1/awsconnections",
        "PictoryCloudIntegrationRole",
        "out/test_video.mp4",
        "300 frames",
        "in all",
    ] {
        assert!(run.out().contains(words), "{words:?}: {}", run.out());
    }
    assert_eq!(run.err(), "");
    let film = place.path("out/test_video.mp4");
    let probed = probe(&film);
    let (video, audio) = (&probed["streams"][0], &probed["streams"][1]);
    for (member, expected) in [("codec_name", "h264"), ("nb_read_frames", "300"), ("r_frame_rate", "30/1")] {
        assert_eq!(video[member], expected, "{video:#}");
    }
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(1920), Some(1080)));
    for (member, expected) in [("codec_name", "aac"), ("sample_rate", "48000")] {
        assert_eq!(audio[member], expected, "{audio:#}");
    }
    let expected = [
        "test_video.jpg",
        "test_video.m4a",
        "test_video.mp4",
        "test_video.srt",
        "test_video.txt",
        "test_video.vtt",
    ];
    assert_eq!(names(&place.path("out")), expected);
    // Nothing else is left: the demo's own data lay in a temporary directory.
    assert_eq!(place.names(), ["out"]);
    // Music at half the volume of -20 LUFS: heard, and not loud.
    let measured = Command::new("ffmpeg")
        .args(["-nostdin", "-i"])
        .arg(&film)
        .args(["-af", "ebur128", "-vn", "-f", "null", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&measured.stderr).into_owned();
    let summary = text.rsplit("Integrated loudness:").next().unwrap();
    let loudness: f64 =
        summary.split("I:").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!((-30.0..=-23.0).contains(&loudness), "{loudness} LUFS");
}
