//! What is behind a caption: loops, holds, segments, images, colours, nothing.

use serde_json::json;

use crate::kit::{Bench, is};

/// One second of red, then one of green, then one of blue.
const COLOURS: &str = "-f lavfi -i color=red:size=320x180:rate=30:duration=1 \
    -f lavfi -i color=lime:size=320x180:rate=30:duration=1 -f lavfi -i color=blue:size=320x180:rate=30:duration=1 \
    -filter_complex [0][1][2]concat=n=3,scale=out_color_matrix=bt709,format=yuv420p -colorspace bt709 -c:v libx264 colours.mp4";

const RED: [i32; 3] = [255, 0, 0];
const GREEN: [i32; 3] = [0, 255, 0];
const BLUE: [i32; 3] = [0, 0, 255];

#[test]
fn a_loop_repeats_from_the_first_frame_and_a_hold_keeps_the_last() {
    let bench = Bench::new();
    bench.ffmpeg(COLOURS);
    let film = bench.film(&json!([
        { "backgroundUri": "colours.mp4", "loopBackgroundVideo": true, "minimumDuration": 5 },
        { "backgroundUri": "colours.mp4", "loopBackgroundVideo": false, "minimumDuration": 4 },
    ]));
    let pictures = film.pictures();
    assert_eq!(pictures.len(), 270);
    for (frame, colour) in [
        (0, RED),
        (29, RED),
        (30, GREEN),
        (59, GREEN),
        (60, BLUE),
        (89, BLUE), // the first round
        (90, RED),
        (119, RED),
        (120, GREEN),
        (149, GREEN), // the second
        (150, RED),
        (180, GREEN),
        (239, BLUE),
        (269, BLUE), // held
    ] {
        assert!(is(pictures[frame].at(50, 50), colour), "frame {frame}: {:?}", pictures[frame].at(50, 50));
    }
}

#[test]
fn segments_are_joined_and_loop_as_a_whole() {
    let bench = Bench::new();
    bench.ffmpeg(COLOURS);
    let film = bench.film(&json!([{
        "backgroundUri": "colours.mp4",
        "backgroundVideoSegments": [{ "start": 2.0, "end": 2.5 }, { "start": 0, "end": 0.5 }],
        "minimumDuration": 1.5
    }]));
    let pictures = film.pictures();
    assert_eq!(pictures.len(), 45);
    for (frame, colour) in [(0, BLUE), (14, BLUE), (15, RED), (29, RED), (30, BLUE), (44, BLUE)] {
        assert!(is(pictures[frame].at(50, 50), colour), "frame {frame}: {:?}", pictures[frame].at(50, 50));
    }
}

#[test]
fn the_background_plays_on_across_the_parts_of_a_split_text() {
    let bench = Bench::new();
    bench.ffmpeg(COLOURS);
    let film = bench.film(&json!([{
        "text": "One.\nTwo.", "splitTextOnNewLine": true, "subtitle": false,
        "backgroundUri": "colours.mp4", "minimumDuration": 3, "verticalAlignment": "top"
    }]));
    assert_eq!(film.report["plan"]["scenes"].as_array().unwrap().len(), 2);
    // Two seconds a part, the least reading time: the second part goes on with blue, then the loop begins again.
    assert_eq!(film.report["plan"]["scenes"][1]["start"], 60);
    let pictures = film.pictures();
    for (frame, colour) in [(2, RED), (35, GREEN), (59, GREEN), (60, BLUE), (89, BLUE), (90, RED), (119, RED)]
    {
        assert!(is(pictures[frame].at(50, 50), colour), "frame {frame}: {:?}", pictures[frame].at(50, 50));
    }
}

#[test]
fn images_of_all_kinds_cover_the_canvas() {
    let bench = Bench::new();
    let halves =
        "-f lavfi -i color=red:size=400x300 -f lavfi -i color=blue:size=400x300 -filter_complex [0][1]hstack";
    bench.ffmpeg(&format!("{halves} -frames:v 1 halves.png"));
    bench.ffmpeg(&format!("{halves} -frames:v 1 -q:v 2 halves.jpg"));
    bench.ffmpeg(&format!("{halves} -frames:v 1 -quality 95 halves.webp"));
    let scene =
        |name: &str| json!({ "backgroundUri": name, "backgroundType": "image", "minimumDuration": 1 });
    let film = bench.film(&json!([scene("halves.png"), scene("halves.jpg"), scene("halves.webp")]));
    let pictures = film.pictures();
    assert_eq!(pictures.len(), 90);
    for frame in [0, 45, 75] {
        let (left, right) = (pictures[frame].at(20, 50), pictures[frame].at(80, 50));
        assert!(is(left, RED) && is(right, BLUE), "frame {frame}: {left:?} {right:?}");
    }
}

#[test]
fn alpha_is_laid_on_black_and_exif_turns_a_jpeg() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i color=lime:size=320x180,format=rgba,geq=r='0':g='255':b='0':a='if(lt(X,160),255,0)' -frames:v 1 alpha.png",
    );
    // Stored upright: red above, blue below. Orientation 6 asks for a quarter turn clockwise: red comes to the right.
    bench.ffmpeg("-f lavfi -i color=red:size=180x160 -f lavfi -i color=blue:size=180x160 -filter_complex [0][1]vstack -frames:v 1 -q:v 2 plain.jpg");
    let plain = std::fs::read(bench.path("plain.jpg")).unwrap();
    let exif: &[u8] =
        b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bench.write("turned.jpg", &[&plain[..2], exif, &plain[2..]].concat());
    let film = bench.film(&json!([
        { "backgroundUri": "alpha.png", "minimumDuration": 1 },
        { "backgroundUri": "turned.jpg", "minimumDuration": 1 },
    ]));
    let pictures = film.pictures();
    assert!(is(pictures[5].at(25, 50), GREEN) && is(pictures[5].at(75, 50), [0, 0, 0]));
    let (left, right) = (pictures[45].at(10, 50), pictures[45].at(90, 50));
    assert!(is(left, BLUE) && is(right, RED), "{left:?} {right:?}");
}

#[test]
fn a_colour_is_that_colour_and_no_background_is_a_calm_picture_with_a_warning() {
    let bench = Bench::new();
    let film = bench.film(&json!([
        { "text": "Hello", "backgroundColor": "#336699", "minimumDuration": 1, "verticalAlignment": "bottom" },
        { "text": "Hello again", "minimumDuration": 1 },
    ]));
    let pictures = film.pictures();
    assert!(is(pictures[10].at(50, 20), [0x33, 0x66, 0x99]), "{:?}", pictures[10].at(50, 20));
    assert!(film.warnings().iter().any(|code| code.contains("BACKGROUND")), "{:?}", film.warnings());
    // Not black, not one flat colour, and at rest.
    let last = pictures.len() - 1;
    assert!(pictures[last].at(20, 20).iter().sum::<i32>() > 30);
    assert_ne!(pictures[last].at(5, 5), pictures[last].at(95, 60));
    assert!(pictures[last - 10].difference(&pictures[last]) < 1.5);
}
