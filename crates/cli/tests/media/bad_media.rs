//! Files that are not what they say: each names scene, file, cause and cure; the exit code is 4; no film is left.

use serde_json::{Value, json};

use crate::kit::Bench;

/// The one problem of a second scene with this background.
fn problem(bench: &Bench, name: &str) -> Value {
    let (code, problems) = bench.failure(&json!([
        { "text": "Fine", "backgroundColor": "black" },
        { "text": "Not fine", "backgroundUri": name },
    ]));
    assert_eq!((code, problems.len()), (4, 1), "{problems:?}");
    let problem = problems[0].clone();
    assert_eq!(problem["scene"], 2);
    assert_eq!(problem["file"], name);
    assert_eq!(problem["pointer"], "/scenes/1/backgroundUri");
    assert_eq!(problem["class"], "source");
    assert!(problem["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{problem}");
    problem
}

#[test]
fn an_empty_file() {
    let bench = Bench::new();
    bench.write("empty.mp4", b"");
    assert_eq!(problem(&bench, "empty.mp4")["code"], "MEDIA_EMPTY");
}

#[test]
fn a_text_file_named_mp4() {
    let bench = Bench::new();
    bench.write("text.mp4", "This is not a film.\n".repeat(500).as_bytes());
    assert_eq!(problem(&bench, "text.mp4")["code"], "MEDIA_UNREADABLE");
}

#[test]
fn a_playlist_that_points_elsewhere() {
    let bench = Bench::new();
    bench.write(
        "list.mp4",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    );
    assert_eq!(problem(&bench, "list.mp4")["code"], "MEDIA_UNREADABLE");
}

#[test]
fn a_film_cut_off_before_and_after_its_index() {
    let bench = Bench::new();
    let source = "-f lavfi -i testsrc2=size=320x180:rate=30:duration=4 -c:v libx264 -pix_fmt yuv420p";
    bench.ffmpeg(&format!("{source} late.mp4"));
    bench.ffmpeg(&format!("{source} -movflags +faststart early.mp4"));
    for (name, code) in [("late", "MEDIA_UNREADABLE"), ("early", "MEDIA_TRUNCATED")] {
        let whole = std::fs::read(bench.path(&format!("{name}.mp4"))).unwrap();
        bench.write("cut.mp4", &whole[..whole.len() / 2]);
        assert_eq!(problem(&bench, "cut.mp4")["code"], code, "{name}");
    }
}

#[test]
fn sound_only_and_an_enormous_picture() {
    let bench = Bench::new();
    bench.ffmpeg("-f lavfi -i sine=duration=1 -c:a aac sound.mp4");
    assert!(problem(&bench, "sound.mp4")["message"].as_str().unwrap().contains("picture"));
    let mut encoder =
        png::Encoder::new(std::fs::File::create(bench.path("huge.png")).unwrap(), 20_000, 20_000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header().unwrap().write_image_data(&vec![0; 2500 * 20_000]).unwrap();
    let huge = problem(&bench, "huge.png");
    assert!(huge["message"].as_str().unwrap().contains("million pixels"), "{huge}");
}

#[test]
fn all_bad_files_of_a_storyboard_are_named_at_once() {
    let bench = Bench::new();
    bench.ffmpeg("-f lavfi -i sine=duration=1 -c:a aac sound.mp4");
    bench.write("empty.mp4", b"");
    bench.write("text.mp4", &b"hello ".repeat(100));
    let (code, problems) = bench.failure(&json!([
        { "text": "One", "backgroundUri": "empty.mp4" },
        { "text": "Two", "backgroundUri": "text.mp4" },
        { "text": "Three", "backgroundUri": "missing.mp4" },
        { "text": "Four", "backgroundUri": "sound.mp4" },
    ]));
    assert_eq!(code, 4);
    let scenes: Vec<_> = problems.iter().map(|problem| problem["scene"].as_u64().unwrap()).collect();
    assert_eq!(scenes, [1, 2, 3, 4]);
}

#[test]
fn damaged_packets_do_not_end_the_film() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=320x180:rate=30:duration=2 -c:v libx264 -g 15 -pix_fmt yuv420p clip.mp4",
    );
    let mut bytes = std::fs::read(bench.path("clip.mp4")).unwrap();
    let media = bytes.windows(4).position(|window| window == b"mdat").unwrap();
    let middle = media + (bytes.len() - media) / 2;
    for byte in &mut bytes[middle..middle + 400] {
        *byte ^= 0x5a;
    }
    bench.write("damaged.mp4", &bytes);
    let film = bench.film(&json!([{ "backgroundUri": "damaged.mp4", "minimumDuration": 2 }]));
    assert_eq!(film.frames(), 60);
}
