//! What repeats shows the right frame each time: loops with every tail, periods of a few frames, stills and held
//! frames of awkward lengths, and all that may begin or lie over them.

use serde_json::{Value, json};

use crate::films::{Film, Folder, decode, seconds, storyboard};
use crate::numbers;

fn scene(name: &str, frames: u64) -> Value {
    json!({ "backgroundUri": name, "loopBackgroundVideo": true, "minimumDuration": seconds(frames) })
}

/// What a scene of so many frames shows of a looped period whose first number is `first`.
fn looped(first: u16, period: u64, frames: u64) -> impl Iterator<Item = u16> {
    (0..frames).map(move |frame| first + u16::try_from(frame % period).unwrap())
}

/// A film of loops of one source, each of a length of its own.
fn loops(first: u16, period: u64, lengths: &[u64]) {
    let folder = Folder::new();
    numbers::video(&folder, "clip.mp4", first, u16::try_from(period).unwrap());
    let scenes: Vec<Value> = lengths.iter().map(|frames| scene("clip.mp4", *frames)).collect();
    let film = folder.film("film", &storyboard(&scenes), &[]);
    for (planned, frames) in film.report["plan"]["scenes"].as_array().unwrap().iter().zip(lengths) {
        assert_eq!(planned["frames"], *frames);
    }
    let expected: Vec<u16> = lengths.iter().flat_map(|frames| looped(first, period, *frames)).collect();
    film.shows(&expected);
}

#[test]
fn a_loop_ends_right_at_every_tail() {
    // Every sixth goes round twice before its tail.
    let lengths: Vec<u64> = (1..64).map(|tail| 64 * (1 + u64::from(tail % 6 == 0)) + tail).collect();
    loops(100, 64, &lengths);
}

#[test]
fn a_loop_of_two_frames_ends_right() {
    loops(7, 2, &[2, 3, 59, 60, 61, 62, 63, 117, 118, 119, 120, 121]);
}

#[test]
fn a_loop_of_three_frames_ends_right() {
    loops(1021, 3, &[2, 3, 4, 5, 58, 59, 60, 61, 62, 63, 64, 118, 119, 120, 121, 122]);
}

#[test]
fn a_loop_of_seven_frames_ends_right_at_every_tail() {
    let lengths: Vec<u64> = (63..=76).chain([6, 7, 8, 9, 13, 14, 15, 124, 125, 126, 127, 128]).collect();
    loops(4001, 7, &lengths);
}

#[test]
fn a_loop_of_several_seconds_with_key_pictures_of_its_own_ends_right() {
    loops(200, 130, &[131, 132, 189, 190, 191, 192, 249, 250, 251, 252, 258, 259, 260, 261]);
}

#[test]
fn stills_of_all_lengths_are_still() {
    let folder = Folder::new();
    for number in [5, 1234, 4090] {
        numbers::still(&folder, &format!("{number}.png"), number);
    }
    let lengths: Vec<u64> = (59..=125).chain([2, 3, 4, 30, 180, 181, 299]).collect();
    let number = |index: usize| [5, 1234, 4090][index % 3];
    let scenes: Vec<Value> = lengths
        .iter()
        .enumerate()
        .map(|(index, frames)| {
            let name = format!("{}.png", number(index));
            json!({ "backgroundUri": name, "minimumDuration": seconds(*frames) })
        })
        .collect();
    let expected: Vec<u16> = lengths
        .iter()
        .enumerate()
        .flat_map(|(index, frames)| (0..*frames).map(move |_| number(index)))
        .collect();
    folder.film("film", &storyboard(&scenes), &[]).shows(&expected);
}

#[test]
fn the_last_frame_is_held_for_all_lengths() {
    let folder = Folder::new();
    numbers::video(&folder, "clip.mp4", 300, 5);
    let holds: Vec<u64> = (59..=125).chain([0, 1, 2, 3]).collect();
    let scenes: Vec<Value> = holds
        .iter()
        .map(|hold| {
            json!({ "backgroundUri": "clip.mp4", "loopBackgroundVideo": false, "minimumDuration": seconds(5 + hold) })
        })
        .collect();
    let expected: Vec<u16> =
        holds.iter().flat_map(|hold| (0..5 + hold).map(|frame| 300 + frame.min(4) as u16)).collect();
    folder.film("film", &storyboard(&scenes), &[]).shows(&expected);
}

/// Mean luma of cells of the lower half, where captions stand; one list a frame.
fn lower_half(film: &Film) -> Vec<Vec<u8>> {
    let arguments = ["-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-vf"];
    let filter = "crop=320:90:0:90,scale=40:12:flags=area,format=gray";
    decode(&film.path, &[&arguments[..], &[filter]].concat()).chunks(480).map(<[u8]>::to_vec).collect()
}

fn difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn a_new_caption_page_in_mid_loop_keeps_the_loops_phase() {
    let folder = Folder::new();
    numbers::video(&folder, "clip.mp4", 500, 37);
    let words: Vec<String> = (0..24).map(|number| format!("word{number}")).collect();
    let mut captioned = scene("clip.mp4", 400);
    captioned["text"] = json!(words.join(" "));
    let film = folder.film("film", &storyboard(&[captioned, scene("clip.mp4", 80)]), &[]);
    film.shows(&looped(500, 37, 400).chain(looped(500, 37, 80)).collect::<Vec<_>>());
    let spans = film.report["plan"]["scenes"][0]["spans"].as_array().unwrap();
    assert!(spans.len() > 1, "{spans:?}");
    let pictures = lower_half(&film);
    for pair in spans.windows(2) {
        let start = pair[1]["start"].as_u64().unwrap() as usize;
        assert_ne!(start % 37, 0, "the page begins in mid-loop");
        // Frames of one phase: on both sides of the page's first frame, and on one side of it.
        let across = difference(&pictures[start - 1], &pictures[start - 1 + 37]);
        let within = difference(&pictures[start], &pictures[start + 37]);
        assert!(across > 1.0 && within < across / 2.0, "page at {start}: {across} against {within}");
    }
}

#[test]
fn split_text_goes_on_over_one_background_and_a_logo_lies_over_it() {
    let folder = Folder::new();
    numbers::video(&folder, "clip.mp4", 900, 64);
    folder.ffmpeg("-f lavfi -i color=red:size=100x100 -frames:v 1 logo.png");
    let mut split = scene("clip.mp4", 200);
    split["text"] = json!("One.\nTwo, which is longer.\nThree.");
    split["splitTextOnNewLine"] = json!(true);
    let mut board = storyboard(&[split, scene("clip.mp4", 65)]);
    board["brandLogo"] =
        json!({ "url": "logo.png", "verticalAlignment": "bottom", "horizontalAlignment": "right" });
    let film = folder.film("film", &board, &[]);
    let scenes = film.report["plan"]["scenes"].as_array().unwrap();
    assert_eq!(scenes.len(), 4);
    // Parts are as long as they need; the background does not begin anew with them.
    let frames = scenes[3]["start"].as_u64().unwrap();
    film.shows(&looped(900, 64, frames).chain(looped(900, 64, 65)).collect::<Vec<_>>());
}

#[test]
fn segments_loop_as_one_period() {
    let folder = Folder::new();
    numbers::video(&folder, "clip.mp4", 1, 120);
    let mut scenes = Vec::new();
    let mut expected = Vec::new();
    // Frames 60 to 89, then 10 to 44: a period of 65.
    let period: Vec<u16> = (60..90).chain(10..45).map(|frame| 1 + frame).collect();
    for frames in [64, 65, 66, 67, 129, 130, 131, 160, 193, 194, 195] {
        let mut scene = scene("clip.mp4", frames);
        scene["backgroundVideoSegments"] =
            json!([{ "start": 2, "end": 3 }, { "start": seconds(10), "end": seconds(45) }]);
        scenes.push(scene);
        expected.extend(period.iter().cycle().take(frames as usize));
    }
    folder.film("film", &storyboard(&scenes), &[]).shows(&expected);
}
