//! Chromium without a window: plays a film to its end, then finds the right frame at twenty random times.
//!
//! The film comes from a server on the loopback that answers byte ranges; the page reports to the same server, so
//! that nothing waits on a clock but the bound on the whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use serde_json::{Value, json};

use crate::films::{FPS, Film, Folder, seconds, storyboard};
use crate::numbers::{self, BITS, BLOCK, ROWS, number};

const SEEKS: usize = 20;
/// Longest that playing and seeking may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A film of loops, a still and a held frame, and the number of each of its frames.
pub(crate) struct Numbered {
    pub(crate) film: Film,
    pub(crate) expected: Vec<u16>,
    _folder: Folder,
}

/// Makes one of so many seconds; ten at least.
pub(crate) fn film(length: u64) -> Numbered {
    let folder = Folder::new();
    numbers::video(&folder, "loop.mp4", 100, 64);
    numbers::video(&folder, "held.mp4", 1000, 50);
    numbers::still(&folder, "still.png", 4000);
    folder.ffmpeg("-f lavfi -i sine=frequency=440:duration=5 music.mp3");
    let rest = length * FPS - 191 - 64 - 2;
    let scene = |name: &str, looped: bool, frames: u64| json!({ "backgroundUri": name, "loopBackgroundVideo": looped, "minimumDuration": seconds(frames) });
    let scenes = [
        scene("loop.mp4", true, 191 / 2),
        scene("still.png", false, 64),
        scene("loop.mp4", true, 191 - 191 / 2),
        scene("held.mp4", false, rest / 2),
        scene("loop.mp4", true, 2 + rest - rest / 2),
    ];
    let looped = |frames: u64| (0..frames).map(|frame| 100 + (frame % 64) as u16);
    let expected: Vec<u16> = looped(191 / 2)
        .chain((0..64).map(|_| 4000))
        .chain(looped(191 - 191 / 2))
        .chain((0..rest / 2).map(|frame| 1000 + frame.min(49) as u16))
        .chain(looped(2 + rest - rest / 2))
        .collect();
    let mut board = storyboard(&scenes);
    board["audio"] = json!({ "backGroundMusicUri": "music.mp3", "backGroundMusicVolume": 0.5 });
    let film = folder.film("film", &board, &[]);
    film.shows(&expected);
    Numbered { film, expected, _folder: folder }
}

#[test]
fn chromium_plays_a_film_to_its_end_and_finds_any_frame() {
    plays_and_seeks(&film(10));
}

/// Plays and seeks; skipped, with a word, on a developer's machine that has no Chromium.
pub(crate) fn plays_and_seeks(numbered: &Numbered) {
    let Some(chromium) = chromium() else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "Chromium is not installed");
        eprintln!("skipped: Chromium is not installed (apt-get install chromium)");
        return;
    };
    let frames = numbered.expected.len();
    let wanted = random(frames);
    let told = browse(&chromium, &numbered.film.path, &wanted);
    assert_eq!(told["error"], Value::Null, "{told}");
    assert_eq!(told["ended"], true, "{told}");
    let end = frames as f64 / FPS as f64;
    assert!((told["duration"].as_f64().unwrap() - end).abs() < 0.01, "{told}");
    assert!((told["endedAt"].as_f64().unwrap() - end).abs() < 0.05, "{told}");
    let seen = told["seen"].as_array().unwrap();
    assert_eq!(seen.len(), SEEKS, "{told}");
    for (frame, luma) in wanted.iter().zip(seen) {
        let luma: Vec<u8> =
            luma.as_array().unwrap().iter().map(|value| value.as_u64().unwrap() as u8).collect();
        assert_eq!(number(*frame, &luma), numbered.expected[*frame], "frame {frame}");
    }
}

/// Frames to look for, the same on every run; the last one is among them.
fn random(frames: usize) -> Vec<usize> {
    let mut state = 0x5eed_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % frames
    };
    std::iter::repeat_with(&mut next).take(SEEKS - 1).chain([frames - 1]).collect()
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let places = std::env::split_paths(&path).flat_map(|place| names.map(|name| place.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// Opens the page and answers with what it reports.
fn browse(chromium: &Path, film: &Path, frames: &[usize]) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    let film: Arc<[u8]> = std::fs::read(film).unwrap().into();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (film, tell) = (film.clone(), tell.clone());
            // A connection that the browser drops in the middle is no concern of the test.
            std::thread::spawn(move || serve(&connection, &film, &tell).ok());
        }
    });
    let profile = tempfile::tempdir().unwrap();
    let frames: Vec<String> = frames.iter().map(usize::to_string).collect();
    let page = format!(
        "http://127.0.0.1:{port}/?fps={FPS}&block={BLOCK}&columns={BITS}&rows={ROWS}&rate=8&frames={}",
        frames.join(",")
    );
    let mut browser = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"])
        .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
        .arg("--autoplay-policy=no-user-gesture-required")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let answer = told.recv_timeout(PATIENCE);
    browser.kill().unwrap();
    browser.wait().unwrap();
    serde_json::from_str(&answer.expect("the page reports within the bound")).unwrap()
}

/// Answers the requests of one connection: the page, the film, the report.
fn serve(connection: &TcpStream, film: &[u8], tell: &Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        match path.split('?').next().unwrap_or_default() {
            "/" => answer(&mut writer, "200 OK", "text/html", "", include_bytes!("player.html"))?,
            "/film.mp4" => {
                let (first, last) = range(header("range").as_deref(), film.len());
                let more = format!("Content-Range: bytes {first}-{last}/{}\r\n", film.len());
                answer(&mut writer, "206 Partial Content", "video/mp4", &more, &film[first..=last])?;
            }
            "/report" => {
                // The receiver is gone once it has heard one report.
                let _ = tell.send(String::from_utf8_lossy(&body).into_owned());
                answer(&mut writer, "204 No Content", "text/plain", "", b"")?;
            }
            _ => answer(&mut writer, "404 Not Found", "text/plain", "", b"")?,
        }
    }
}

fn answer(to: &mut impl Write, status: &str, kind: &str, more: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(
        to,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nAccept-Ranges: bytes\r\n{more}\r\n"
    )?;
    to.write_all(body)
}

/// First and last byte that a `Range` header asks for.
fn range(header: Option<&str>, length: usize) -> (usize, usize) {
    let (first, last) =
        header.and_then(|value| value.strip_prefix("bytes=")?.split_once('-')).unwrap_or(("0", ""));
    let last = last.parse().unwrap_or(usize::MAX).min(length - 1);
    (first.parse().unwrap_or(0).min(last), last)
}
