//! A full disk: a clear failure that is ours, and nothing half-done.

use std::process::Command;

use serde_json::json;

use crate::kit::Bench;

#[test]
fn a_full_disk_is_said_and_leaves_no_film() {
    let bench = Bench::new();
    bench.ffmpeg("-f lavfi -i testsrc2=size=640x360:rate=30:duration=4,noise=alls=60:allf=t -c:v libx264 -pix_fmt yuv420p clip.mp4");
    let scenes = json!([{ "backgroundUri": "clip.mp4", "minimumDuration": 4 }]);
    bench.write("storyboard.json", Bench::storyboard(&scenes).to_string().as_bytes());
    std::fs::create_dir(bench.path("small")).unwrap();
    // A disk of half a megabyte, in a namespace of its own: it is gone when the command ends.
    let render = format!(
        "mount -t tmpfs -o size=512k tmpfs small && {} render storyboard.json -o small/film.mp4 --media . --data data; \
         echo code $?; ls -A small",
        env!("CARGO_BIN_EXE_storyreel")
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &render])
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    let (said, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.trim(), "code 1", "{said} {words}");
    assert!(words.contains("DISK_FULL") && words.contains("no space left"), "{words}");
}
