//! What an earlier film was made of is not made again; and nothing is taken from the cache that is not right.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::kit::Bench;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.ffmpeg("-f lavfi -i testsrc2=size=320x180:rate=30:duration=3 -pix_fmt yuv420p a.mp4");
    bench.ffmpeg("-f lavfi -i mandelbrot=size=320x180:rate=30 -t 2 -pix_fmt yuv420p b.mp4");
    bench.ffmpeg("-f lavfi -i sine=frequency=330:duration=5 music.mp3");
    bench
}

fn scene(uri: &str, text: &str, seconds: f64) -> Value {
    json!({
        "text": text, "backgroundUri": uri, "backgroundType": "video", "loopBackgroundVideo": true,
        "muteBackgroundVideo": true, "minimumDuration": seconds,
    })
}

fn storyboard(scenes: &[Value]) -> Value {
    let mut storyboard = Bench::storyboard(&json!(scenes));
    storyboard["audio"] = json!({"backGroundMusicUri": "music.mp3", "backGroundMusicVolume": 0.5});
    storyboard
}

/// Every file of the cache that holds something of this kind.
fn entries(bench: &Bench, kind: &str) -> Vec<PathBuf> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&bench.path("data/cache"), &mut found);
    found.retain(|path| path.components().any(|part| part.as_os_str().to_string_lossy().contains(kind)));
    found
}

#[test]
fn the_same_film_again_costs_no_picture_and_is_the_same() {
    let bench = bench();
    let both =
        storyboard(&[scene("a.mp4", "One", 7.0), scene("b.mp4", "Two", 3.0), scene("a.mp4", "One", 7.0)]);
    let first = bench.film_of(&both);
    let took = &first.report["took"];
    // 3 s of a and 2 s of b; the third scene is the first one again.
    assert_eq!(took["encodedFrames"], 90 + 60);
    assert_eq!(took["scenes"][2]["clip"], "shared");
    assert_eq!(took["copiedPackets"], 510 - 150);
    let bytes = std::fs::read(&first.path).unwrap();
    let again = bench.film_of(&both);
    let took = &again.report["took"];
    assert_eq!((&took["encodedFrames"], &took["soundCached"]), (&json!(0), &json!(true)), "{took}");
    // One byte of each source, to show that it may still be read.
    let read: Vec<u64> =
        took["sources"].as_array().unwrap().iter().map(|source| source["bytes"].as_u64().unwrap()).collect();
    assert_eq!(read, [1, 1, 1]);
    assert_eq!(std::fs::read(&again.path).unwrap(), bytes);
    std::fs::remove_dir_all(bench.path("data")).unwrap();
    assert_eq!(std::fs::read(&bench.film_of(&both).path).unwrap(), bytes, "made anew it is the same too");
}

#[test]
fn a_changed_caption_costs_its_scene_only() {
    let bench = bench();
    bench.film_of(&storyboard(&[scene("a.mp4", "One", 5.0), scene("b.mp4", "Two", 5.0)]));
    let film = bench.film_of(&storyboard(&[scene("a.mp4", "One", 5.0), scene("b.mp4", "Three", 5.0)]));
    let took = &film.report["took"];
    assert_eq!((&took["encodedFrames"], &took["soundCached"]), (&json!(60), &json!(true)), "{took}");
    assert_eq!(took["scenes"][0]["clip"], "cached");
    assert_eq!(took["scenes"][1]["clip"], "encoded");
    // A source that changed is another source, whatever its name.
    bench.ffmpeg("-f lavfi -i testsrc=size=320x180:rate=30:duration=3 -pix_fmt yuv420p a.mp4");
    let film = bench.film_of(&storyboard(&[scene("a.mp4", "One", 5.0), scene("b.mp4", "Three", 5.0)]));
    assert_eq!(film.report["took"]["scenes"][0]["clip"], "encoded");
    assert_eq!(film.report["took"]["scenes"][1]["clip"], "cached");
}

#[test]
fn a_flipped_byte_is_noticed_and_healed() {
    let bench = bench();
    let one = storyboard(&[scene("a.mp4", "One", 5.0)]);
    let bytes = std::fs::read(bench.film_of(&one).path).unwrap();
    for kind in ["clip", "sound"] {
        let files = entries(&bench, kind);
        assert!(!files.is_empty());
        for file in &files {
            let mut content = std::fs::read(file).unwrap();
            let middle = content.len() / 2;
            content[middle] ^= 0x10;
            std::fs::write(file, content).unwrap();
        }
        let healed = bench.film_of(&one);
        assert_eq!(healed.report["took"]["cache"]["damaged"], files.len() as u64, "{kind}");
        assert_eq!(std::fs::read(&healed.path).unwrap(), bytes);
        assert_eq!(bench.film_of(&one).report["took"]["cache"]["damaged"], 0);
    }
}

#[test]
fn warnings_of_a_cached_scene_are_said_again() {
    let bench = bench();
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=320x180:rate=30:duration=6 -pix_fmt yuv420p -c:v libx264 long.mkv",
    );
    // The container's length is longer than its pictures: the sound goes on.
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=320x180:rate=30:duration=2 -f lavfi -i sine=duration=6 -pix_fmt yuv420p short.mkv",
    );
    let one = storyboard(&[scene("short.mkv", "One", 6.0)]);
    let first = bench.film_of(&one);
    assert!(first.warnings().contains(&"MEDIA_SHORTER".to_owned()), "{:?}", first.warnings());
    let again = bench.film_of(&one);
    assert_eq!(again.report["took"]["encodedFrames"], 0);
    assert_eq!(again.warnings(), first.warnings());
}

#[test]
fn a_cache_that_cannot_be_used_is_said_and_costs_nothing_else() {
    let bench = bench();
    let one = storyboard(&[scene("a.mp4", "One", 5.0)]);
    let bytes = std::fs::read(bench.film_of(&one).path).unwrap();
    std::fs::remove_dir_all(bench.path("data/cache")).unwrap();
    bench.write("data/cache", b"no directory");
    let film = bench.film_of(&one);
    assert!(film.warnings().contains(&"CACHE_UNUSABLE".to_owned()), "{:?}", film.warnings());
    assert_eq!(std::fs::read(film.path).unwrap(), bytes);
}
