//! The film as a file: streams, tags, frame count, duration, order of boxes, and the same bytes for the same input.

use serde_json::json;

use crate::kit::{Bench, probe};

#[test]
fn the_film_is_h264_high_bt709_and_one_aac_track_of_the_exact_length() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=640x360:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p clip.mp4",
    );
    let film = bench.film(&json!([
        { "text": "Hello world! Good morning!", "backgroundUri": "clip.mp4", "minimumDuration": 3.5 },
        { "text": "Welcome", "backgroundUri": "clip.mp4", "minimumDuration": 2 },
    ]));
    assert_eq!(film.frames(), 165);
    let facts = probe(&film.path);
    let video = &facts["streams"][0];
    assert_eq!(video["codec_name"], "h264");
    assert_eq!(video["profile"], "High");
    assert_eq!(video["pix_fmt"], "yuv420p");
    for tag in ["color_space", "color_transfer", "color_primaries"] {
        assert_eq!(video[tag], "bt709", "{tag}");
    }
    assert_eq!(video["color_range"], "tv");
    assert_eq!(video["r_frame_rate"], "30/1");
    assert_eq!(video["avg_frame_rate"], "30/1");
    assert_eq!(video["nb_frames"], "165");
    assert_eq!(video["nb_read_packets"], "165");
    assert_eq!(video["duration"], "5.500000");
    assert_eq!(video["start_time"], "0.000000");
    let audio = &facts["streams"][1];
    assert_eq!((audio["codec_name"].as_str(), audio["profile"].as_str()), (Some("aac"), Some("LC")));
    assert_eq!((audio["sample_rate"].as_str(), audio["channels"].as_u64()), (Some("48000"), Some(2)));
    assert_eq!(audio["duration"], "5.500000");
    assert_eq!(audio["start_time"], "0.000000");
    assert_eq!(film.samples().len(), 165 * 1600 * 2);
    assert_eq!(film.pictures().len(), 165);
    // The index stands before the media.
    let bytes = std::fs::read(&film.path).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
    for ending in ["srt", "vtt", "txt", "jpg", "m4a"] {
        assert!(film.path.with_extension(ending).exists(), "{ending}");
    }
    let sound = probe(&film.path.with_extension("m4a"));
    assert_eq!(sound["format"]["duration"], "5.500000");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=640x360:rate=30:duration=1 -c:v libx264 -pix_fmt yuv420p clip.mp4",
    );
    let mut storyboard = Bench::storyboard(&json!([
        { "text": "One", "backgroundUri": "clip.mp4", "minimumDuration": 2 },
        { "text": "Two", "minimumDuration": 2 },
    ]));
    storyboard["audio"] = json!({ "autoBackgroundMusic": true });
    let first = std::fs::read(bench.film_of(&storyboard).path).unwrap();
    let second = std::fs::read(bench.film_of(&storyboard).path).unwrap();
    assert!(first == second, "{} and {} bytes", first.len(), second.len());
}

#[test]
fn timestamps_are_even_and_joints_never_put_two_idr_pictures_side_by_side() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=320x180:rate=30:duration=3 -c:v libx264 -pix_fmt yuv420p clip.mp4",
    );
    let scenes: Vec<_> = (0..6)
        .map(|scene| json!({ "backgroundUri": "clip.mp4", "minimumDuration": 0.1 + 0.4 * f64::from(scene) }))
        .collect();
    let film = bench.film(&json!(scenes));
    let output = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,dts,flags,duration"])
        .args(["-of", "csv=p=0"])
        .arg(&film.path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let packets: Vec<(i64, i64, bool)> = text
        .lines()
        .map(|line| {
            let mut words = line.split(',');
            let mut number = || words.next().unwrap().parse::<i64>().unwrap();
            let (pts, dts, _duration) = (number(), number(), number());
            (pts, dts, words.next().unwrap().starts_with('K'))
        })
        .collect();
    assert_eq!(packets.len() as u64, film.frames());
    let tick = packets[1].1 - packets[0].1;
    assert!(packets.windows(2).all(|pair| pair[1].1 - pair[0].1 == tick), "dts are evenly spaced");
    let mut shown: Vec<i64> = packets.iter().map(|packet| packet.0).collect();
    shown.sort_unstable();
    assert!(
        shown.iter().enumerate().all(|(index, pts)| *pts == index as i64 * tick),
        "pts are evenly spaced"
    );
    assert!(packets.windows(2).all(|pair| !(pair[0].2 && pair[1].2)), "no two key pictures in a row");
    let keys = packets.iter().filter(|packet| packet.2).count();
    assert!(keys >= 6, "each of six scenes begins with a key picture: {keys}");
}

#[test]
fn a_film_of_many_scenes_has_every_one_of_them() {
    let bench = Bench::new();
    let scenes: Vec<_> = (0..90)
        .map(|scene| json!({ "backgroundColor": format!("#{scene:02}{scene:02}00"), "minimumDuration": 0.1 }))
        .collect();
    let film = bench.film(&json!(scenes));
    assert_eq!(film.frames(), 270);
    assert_eq!(film.pictures().len(), 270);
}
