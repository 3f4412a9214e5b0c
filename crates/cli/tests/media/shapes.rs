//! Shapes of pictures that cameras and tools make: turned, stretched, odd, deep, of varying rate.

use serde_json::json;

use crate::kit::{Bench, is};

const RED: [i32; 3] = [255, 0, 0];
const BLUE: [i32; 3] = [0, 0, 255];

/// Left half red, right half blue.
fn halves(width: u32, height: u32) -> String {
    format!(
        "-f lavfi -i color=red:size={w}x{height}:rate=30:duration=1 -f lavfi -i color=blue:size={w}x{height}:rate=30:duration=1 \
         -filter_complex [0][1]hstack,scale=out_color_matrix=bt709,format=yuv420p -colorspace bt709 -c:v libx264",
        w = width / 2
    )
}

#[test]
fn a_rotation_flag_is_obeyed() {
    let bench = Bench::new();
    // Stored 180 x 320 with red on the left; a quarter turn clockwise brings red to the top.
    bench.ffmpeg(&format!("{} stored.mp4", halves(180, 320)));
    bench.ffmpeg("-i stored.mp4 -c copy -metadata:s:v:0 rotate=90 turned.mp4");
    let film = bench.film(&json!([{ "backgroundUri": "turned.mp4" }]));
    let picture = &film.pictures()[10];
    let (top, bottom) = (picture.at(50, 10), picture.at(50, 90));
    let source = &film.report["plan"]["sources"][0]["media"]["picture"];
    assert_eq!((source["width"].as_u64(), source["height"].as_u64()), (Some(320), Some(180)));
    assert!((is(top, RED) && is(bottom, BLUE)) || (is(top, BLUE) && is(bottom, RED)), "{top:?} {bottom:?}");
    // The ffmpeg command turns by the same flag.
    bench.ffmpeg("-i turned.mp4 -frames:v 1 -f rawvideo -pix_fmt rgb24 reference.rgb");
    let reference = std::fs::read(bench.path("reference.rgb")).unwrap();
    assert_eq!(is(top, RED), reference[0] > 128);
}

#[test]
fn a_sample_aspect_ratio_is_applied() {
    let bench = Bench::new();
    // 160 x 180 stored, shown as 320 x 180: nothing may be cropped.
    bench.ffmpeg(&format!("{} -bsf:v h264_metadata=sample_aspect_ratio=2/1 wide.mp4", halves(160, 180)));
    let film = bench.film(&json!([{ "backgroundUri": "wide.mp4" }]));
    let picture = &film.pictures()[10];
    assert_eq!(film.report["plan"]["sources"][0]["media"]["picture"]["width"], 320);
    assert!(is(picture.at(3, 50), RED) && is(picture.at(97, 50), BLUE));
    assert!(is(picture.at(47, 50), RED) && is(picture.at(53, 50), BLUE), "the middle stays the middle");
}

#[test]
fn odd_sizes_and_full_chroma_are_taken() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i color=red:size=321x181:rate=30:duration=1,format=yuv444p -c:v libx264 -profile:v high444 odd.mkv",
    );
    let film = bench.film(&json!([{ "backgroundUri": "odd.mkv" }]));
    assert_eq!(film.frames(), 30);
    assert!(is(film.pictures()[10].at(50, 50), RED));
}

#[test]
fn ten_bits_are_taken_and_hdr_is_brought_to_sdr() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i color=gray:size=320x180:rate=30:duration=1,format=yuv420p10le -c:v libx264 -profile:v high10 ten.mp4",
    );
    // A PQ signal of 58 % is about 203 cd/m2, the reference white of BT.2408: near white in SDR, not grey.
    bench.ffmpeg(
        "-f lavfi -i color=0x949494:size=320x180:rate=30:duration=1,format=yuv420p10le -c:v libx264 -profile:v high10 \
         -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc hdr.mp4",
    );
    let film = bench.film(&json!([
        { "backgroundUri": "ten.mp4", "minimumDuration": 1 },
        { "backgroundUri": "hdr.mp4", "minimumDuration": 1 },
    ]));
    let pictures = film.pictures();
    assert!(is(pictures[10].at(50, 50), [128, 128, 128]), "{:?}", pictures[10].at(50, 50));
    let [r, g, b] = pictures[45].at(50, 50);
    assert!((r - g).abs() <= 6 && (g - b).abs() <= 6, "grey stays grey: {r} {g} {b}");
    assert!((150..=255).contains(&g), "reference white is bright: {g}");
}

#[test]
fn a_variable_frame_rate_keeps_moments() {
    let bench = Bench::new();
    // 10 frames a second of red for one second, then 50 of blue.
    bench.ffmpeg("-f lavfi -i color=red:size=320x180:rate=10:duration=1 -pix_fmt yuv420p -c:v libx264 a.mp4");
    bench
        .ffmpeg("-f lavfi -i color=blue:size=320x180:rate=50:duration=1 -pix_fmt yuv420p -c:v libx264 b.mp4");
    bench.ffmpeg("-i a.mp4 -i b.mp4 -filter_complex [0][1]concat=n=2 -vsync vfr -c:v libx264 vfr.mkv");
    let film = bench.film(&json!([{ "backgroundUri": "vfr.mkv", "minimumDuration": 2 }]));
    let pictures = film.pictures();
    assert_eq!(pictures.len(), 60);
    assert!(is(pictures[28].at(50, 50), RED) && is(pictures[31].at(50, 50), BLUE));
}

#[test]
fn portrait_and_landscape_cover_each_other() {
    let bench = Bench::new();
    bench.ffmpeg(&format!("{} wide.mp4", halves(640, 180)));
    let film = bench.film(&json!([{ "backgroundUri": "wide.mp4" }]));
    let picture = &film.pictures()[10];
    assert!(is(picture.at(2, 50), RED) && is(picture.at(98, 50), BLUE), "no bars");
}
