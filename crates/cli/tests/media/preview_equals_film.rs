//! A single frame is the film's frame: the digests of `frame` are those that `render --frame-digests` reports.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::kit::Bench;

fn frame(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storyreel"));
    command.args(["frame", "storyboard.json", "--media", ".", "--data", "data"]).args(arguments);
    command.current_dir(bench.path("")).output().unwrap()
}

/// The member of the line that `frame` prints.
fn said(output: &Output, name: &str) -> String {
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rest = line.split(&format!("{name} ")).nth(1).unwrap_or_else(|| panic!("{line}"));
    rest.split([',', '\n']).next().unwrap().to_owned()
}

#[test]
fn every_kind_of_frame_is_the_films() {
    let bench = Bench::new();
    let x264 = "-c:v libx264 -pix_fmt yuv420p -preset ultrafast -bf 2";
    bench.ffmpeg(&format!("-f lavfi -i testsrc2=size=320x180:rate=30:duration=1 {x264} -g 30 loop.mp4"));
    bench.ffmpeg(&format!("-f lavfi -i testsrc2=size=320x180:rate=24:duration=1.5 {x264} held.mp4"));
    bench.ffmpeg(&format!("-f lavfi -i testsrc2=size=320x180:rate=30:duration=8 {x264} -g 60 long.mp4"));
    // Where decoding can begin is not to be found by an index here.
    bench.ffmpeg(&format!("-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 {x264} -g 100 long.ts"));
    bench.ffmpeg("-f lavfi -i testsrc2=size=400x400 -frames:v 1 still.png");
    bench.ffmpeg("-f lavfi -i color=red:size=100x100 -frames:v 1 logo.png");
    let words =
        "Many words make more pages than one, and the second page is a picture of its own. ".repeat(6);
    let mut storyboard = Bench::storyboard(&json!([
        { "backgroundUri": "loop.mp4", "text": "A loop", "minimumDuration": 2.7 },
        { "backgroundUri": "still.png", "text": "A still" },
        { "backgroundUri": "held.mp4", "loopBackgroundVideo": false, "text": "Held", "minimumDuration": 3 },
        { "backgroundUri": "loop.mp4", "text": words },
        { "backgroundUri": "long.mp4", "splitTextOnPeriod": true, "text": "One goes on. Two goes on. Three." },
        { "backgroundUri": "long.ts", "text": "No index", "minimumDuration": 5,
          "backgroundVideoSegments": [{ "start": 0.7, "end": 5.9 }] },
    ]));
    storyboard["brandLogo"] = json!({ "url": "logo.png", "verticalAlignment": "top" });
    bench.write("storyboard.json", storyboard.to_string().as_bytes());
    let render = Command::new(env!("CARGO_BIN_EXE_storyreel"))
        .args(["render", "storyboard.json", "-o", "film.mp4", "--media", ".", "--data", "data"])
        .args(["--report", "report.json", "--frame-digests"])
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    assert!(render.status.success(), "{}", String::from_utf8_lossy(&render.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(bench.path("report.json")).unwrap()).unwrap();
    let scenes = report["took"]["scenes"].as_array().unwrap();
    assert!(scenes.len() > 7, "the fifth scene is split");
    assert!(report["plan"]["scenes"][3]["pages"].as_array().unwrap().len() > 1);
    let fps = report["film"]["fps"].as_f64().unwrap();
    let mut start = 0;
    for scene in scenes {
        let digests = scene["frameDigests"].as_array().unwrap();
        let frames = digests.len() as u64;
        assert_eq!(Some(frames), scene["frames"].as_u64());
        for within in [0, frames * 2 / 3, frames - 1] {
            let at = ((start + within) as f64 / fps).to_string();
            let drawn = frame(&bench, &["--at", &at, "-o", "frame.png"]);
            let number = (said(&drawn, "scene"), said(&drawn, "frame"));
            let expected = (scene["item"].as_u64().unwrap() + 1, start + within);
            assert_eq!(number, (expected.0.to_string(), expected.1.to_string()));
            let digest = digests[within as usize].as_str().unwrap();
            assert_eq!(said(&drawn, "digest"), digest, "frame {within} of {}", scene["item"]);
            assert_eq!(said(&drawn, "plan"), report["planHash"].as_str().unwrap());
        }
        start += frames;
    }
}

#[test]
fn a_frame_is_a_picture_of_the_kind_that_its_name_says() {
    let bench = Bench::new();
    let storyboard = Bench::storyboard(&json!([
        { "text": "Red", "backgroundColor": "#cc0000" }, { "text": "Blue", "backgroundColor": "#0000cc" },
    ]));
    bench.write("storyboard.json", storyboard.to_string().as_bytes());
    for (name, codec) in [("a.png", "png"), ("b.webp", "webp"), ("c.jpg", "mjpeg")] {
        said(&frame(&bench, &["--scene", "2", "--no-cache", "-o", name]), "digest");
        let probe = crate::kit::probe(&bench.path(name));
        assert_eq!(probe["streams"][0]["codec_name"], codec);
        assert_eq!(
            (&probe["streams"][0]["width"], &probe["streams"][0]["height"]),
            (&json!(320), &json!(180))
        );
        let mut decode = Command::new("ffmpeg");
        decode.args(["-nostdin", "-v", "error", "-i"]).arg(bench.path(name));
        let raw = decode.args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]).output().unwrap().stdout;
        let corner = [i32::from(raw[0]), i32::from(raw[1]), i32::from(raw[2])];
        assert!(crate::kit::is(corner, [0, 0, 0xcc]), "{name}: {corner:?}");
    }
    let codes = [
        (vec!["--at", "0", "-o", "frame.bmp"], 2, "OUTPUT_FORMAT"),
        (vec!["--at", "0", "-o", "frame"], 2, "OUTPUT_FORMAT"),
        (vec!["--at", "-1", "-o", "frame.png"], 2, "--at"),
        (vec!["--at", "1000", "-o", "frame.png"], 2, "FRAME_OUTSIDE"),
        (vec!["--scene", "3", "-o", "frame.png"], 2, "FRAME_OUTSIDE"),
        (vec!["--scene", "0", "-o", "frame.png"], 2, "FRAME_OUTSIDE"),
        (vec!["-o", "frame.png"], 2, "Usage"),
        (vec!["--at", "1", "--scene", "1", "-o", "frame.png"], 2, "Usage"),
        (vec!["--at", "1"], 2, "Usage"),
    ];
    for (arguments, code, words) in codes {
        let output = frame(&bench, &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert!(!bench.path("frame.png").exists());
    bench.write(
        "storyboard.json",
        Bench::storyboard(&json!([{ "backgroundUri": "none.mp4" }])).to_string().as_bytes(),
    );
    assert_eq!(frame(&bench, &["--at", "0", "-o", "frame.png"]).status.code(), Some(4));
    bench.write("bad.mp4", b"this is no media");
    bench.write(
        "storyboard.json",
        Bench::storyboard(&json!([{ "backgroundUri": "bad.mp4" }])).to_string().as_bytes(),
    );
    assert_eq!(frame(&bench, &["--at", "0", "-o", "frame.png"]).status.code(), Some(4));
}

#[test]
fn the_plan_says_what_a_film_would_come_to() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i testsrc2=size=320x180:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p loop.mp4",
    );
    let scene = |text: &str| json!({ "backgroundUri": "loop.mp4", "text": text, "minimumDuration": 10 });
    let scenes = |last: &str| json!([scene("One"), scene("Two"), scene("One"), scene(last)]);
    let plan = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyreel"));
        command.args(["plan", "storyboard.json", "--media", ".", "--data", "data"]).args(arguments);
        command.current_dir(bench.path("")).output().unwrap()
    };
    let outlook = |arguments: &[&str]| -> Value {
        let output = plan(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    bench.write("storyboard.json", Bench::storyboard(&scenes("Three")).to_string().as_bytes());
    let cold = outlook(&[]);
    assert_eq!(cold["frames"], 1200);
    // Three distinct scenes of one period each; the third is the first again.
    assert_eq!(cold["distinctFrames"], 180);
    assert_eq!(cold["framesToEncode"], 180);
    assert_eq!((&cold["soundCached"], &cold["scenes"][2]["clip"]), (&json!(false), &json!("shared")));
    assert!(!bench.path("film.mp4").exists(), "nothing is rendered");
    let film = bench.film(&scenes("Three"));
    assert_eq!(film.report["took"]["distinctFrames"], 180);
    let warm = outlook(&["--against", "report.json"]);
    assert_eq!((&warm["framesToEncode"], &warm["soundCached"]), (&json!(0), &json!(true)));
    assert!(warm["scenes"].as_array().unwrap().iter().all(|scene| scene["changed"] == json!([])), "{warm:#}");
    bench.write("storyboard.json", Bench::storyboard(&scenes("Four")).to_string().as_bytes());
    let edited = outlook(&["--against", "report.json"]);
    assert_eq!(edited["framesToEncode"], 60);
    assert_eq!(edited["scenes"][3]["changed"], json!(["the caption"]));
    assert_eq!(edited["scenes"][3]["clip"], "encoded");
    let table = String::from_utf8(plan(&["--against", "report.json"]).stdout).unwrap();
    assert!(table.contains("to be encoded; changed: the caption"), "{table}");
    assert!(table.contains("60 pictures to encode; the sound is in the cache"), "{table}");
    bench.write("other.json", b"{}");
    for bad in ["none.json", "other.json", "storyboard.json"] {
        assert_eq!(plan(&["--against", bad]).status.code(), Some(2), "{bad}");
    }
}
