//! How much of a long source is read for a short part of it, through a role and over S3.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::kit::Place;
use crate::peer::{Peer, SERVER, peer};
use crate::server::Server;

const CONFIG: &str = "[access]\npath_style = true\n";
const CUSTOMER: &str = "111122223001";
const BUCKET: &str = "bucket-of-long-films";
/// The part that is shown, in seconds.
const SHOWN: (f64, f64) = (101.3, 106.3);

/// About 190 MB of film with sound, 200 s, with its index at the end or in front.
fn long_film(place: &Place, name: &str, more: &[&str]) {
    let seed = place.path("seed.mp4");
    if !seed.exists() {
        let picture = "testsrc2=size=480x270:rate=30:duration=10,noise=alls=60:allf=t";
        let tone = "sine=frequency=440:sample_rate=48000:duration=10";
        let rate = ["-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M", "-g", "60", "-pix_fmt", "yuv420p"];
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]);
        command.args(["-c:v", "libx264", "-preset", "ultrafast"]).args(rate).args(["-c:a", "aac"]).arg(&seed);
        assert!(command.status().expect("the tests need the ffmpeg command").success());
    }
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-stream_loop", "19", "-i"]).arg(&seed).args(["-c", "copy"]);
    assert!(command.args(more).arg(place.path(name)).status().unwrap().success());
}

/// Kinds, places and sizes of the boxes that a file is made of.
fn boxes(path: &Path) -> Vec<(String, u64, u64)> {
    let mut file = std::fs::File::open(path).unwrap();
    let (mut found, mut at, length) = (Vec::new(), 0, file.metadata().unwrap().len());
    while at < length {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at)).unwrap();
        let count = file.read(&mut head).unwrap();
        assert!(count >= 8);
        let size = match u32::from_be_bytes(head[..4].try_into().unwrap()) {
            1 => u64::from_be_bytes(head[8..].try_into().unwrap()),
            size => size.into(),
        };
        found.push((String::from_utf8_lossy(&head[4..8]).into_owned(), at, size));
        at += size;
    }
    found
}

/// Bytes of the pictures that have to be decoded for the part that is shown, from the key picture on.
fn samples(path: &Path) -> u64 {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "packet=pts_time,size,flags",
            "-of",
            "json",
        ])
        .arg(path)
        .output()
        .expect("the tests need the ffprobe command");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packets = answer["packets"].as_array().unwrap();
    let time = |packet: &Value| packet["pts_time"].as_str().unwrap().parse::<f64>().unwrap();
    let key = |packet: &Value| packet["flags"].as_str().unwrap().contains('K') && time(packet) <= SHOWN.0;
    let first = packets.iter().rposition(key).unwrap();
    let needed = packets[first..].iter().filter(|packet| time(packet) < SHOWN.1);
    needed.map(|packet| packet["size"].as_str().unwrap().parse::<u64>().unwrap()).sum()
}

/// The customer's account with the connection of this server; answers with the connection's id.
fn customer(server: &Server, peer: &Peer) -> String {
    let body = json!({"name": "c", "awsAccountId": CUSTOMER, "awsRegion": "us-east-1", "enabled": true});
    let connection = server.good("POST", "/awsconnections", &body);
    let inline = connection["inlinePolicy"].to_string().replace("{YOUR_S3_BUCKET}", BUCKET);
    let role = connection["roleArn"].as_str().unwrap().rsplit('/').next().unwrap();
    peer.bucket(CUSTOMER, BUCKET, "us-east-1", false);
    peer.role(CUSTOMER, role, &connection["trustPolicy"].to_string(), &inline);
    connection["connectionId"].as_str().unwrap().to_owned()
}

#[test]
fn of_a_long_source_the_index_and_what_is_shown_are_read_once() {
    let place = Place::new();
    let peer = peer();
    let environment = [
        ("AWS_ENDPOINT_URL", peer.endpoint.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", SERVER),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let server = Server::start_with(&place, CONFIG, |command| {
        command.envs(environment);
    });
    let connection = customer(&server, peer);
    for (name, more) in [("end.mp4", &[][..]), ("front.mp4", &["-movflags", "+faststart"][..])] {
        long_film(&place, name, more);
        let path = place.path(name);
        let boxes = boxes(&path);
        let place_of = |kind: &str| boxes.iter().position(|(found, _, _)| found == kind).unwrap();
        assert_eq!(place_of("moov") < place_of("mdat"), name == "front.mp4");
        let index: u64 = boxes
            .iter()
            .filter(|(kind, _, _)| kind == "moov" || kind == "ftyp")
            .map(|(_, _, size)| size)
            .sum();
        let size = path.metadata().unwrap().len();
        assert!(size > 100_000_000, "{size}");
        let needed = samples(&path) + index;
        let most = needed * 11 / 10 + (2 << 20);
        peer.put_file(CUSTOMER, BUCKET, name, &path);

        for scenes in [1, 3] {
            let scene = |number| {
                json!({
                    "text": format!("Scene {number}"),
                    "backgroundUri": format!("s3://{BUCKET}/{name}"),
                    "backgroundType": "video",
                    "muteBackgroundVideo": true,
                    "backgroundVideoSegments": [{"start": SHOWN.0, "end": SHOWN.1}],
                    "minimumDuration": SHOWN.1 - SHOWN.0,
                })
            };
            let scenes_of: Vec<Value> = (0..scenes).map(scene).collect();
            let body = json!({
                "videoName": "film", "videoWidth": 320, "videoHeight": 180, "scenes": scenes_of,
                "awsConnectionId": connection,
            });
            place.write("s.json", &body.to_string());
            let mut command = place.command();
            command.envs(environment).args(["render", "s.json", "-o", "film.mp4", "--no-cache"]);
            command.args(["--data", "data", "--config", "storyreel.toml", "--report", "r.json"]);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let report: Value =
                serde_json::from_slice(&std::fs::read(place.path("r.json")).unwrap()).unwrap();
            let film = &report["film"];
            let (bytes, requests) =
                (film["bytes_read"].as_u64().unwrap(), film["requests"].as_u64().unwrap());
            let what = format!(
                "{name} of {size} bytes, {scenes} scenes: {bytes} bytes in {requests} requests; needed {needed}, at \
                 most {most}"
            );
            println!("{what}");
            assert!(bytes <= most && bytes >= needed, "{what}");
            assert!(requests <= bytes / (128 << 10), "{what}");
        }
    }
    server.stop("-TERM");
}
