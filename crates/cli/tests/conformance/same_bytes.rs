//! The same storyboard gives the same bytes, whatever number of workers makes them and in whatever order they end.

use serde_json::{Value, json};

use crate::films::{Folder, storyboard};
use crate::numbers;

#[test]
fn any_number_of_workers_gives_the_same_bytes_on_every_run() {
    let folder = Folder::new();
    numbers::video(&folder, "loop.mp4", 1, 64);
    numbers::video(&folder, "long.mp4", 700, 200);
    numbers::still(&folder, "still.png", 77);
    let scenes: Vec<Value> = (0..2)
        .flat_map(|round| {
            [
                json!({ "backgroundUri": "loop.mp4", "text": "A loop", "minimumDuration": 3.337 }),
                json!({ "backgroundUri": "still.png", "text": format!("Still {round}"), "minimumDuration": 2.5 }),
                json!({ "backgroundUri": "long.mp4", "minimumDuration": 2.1 + f64::from(round) }),
            ]
        })
        .collect();
    let mut board = storyboard(&scenes);
    board["audio"] = json!({ "autoBackgroundMusic": true });
    let mut films: Vec<(String, Vec<u8>)> = Vec::new();
    for (workers, run) in [(1, "first"), (1, "second"), (3, "first"), (3, "second"), (3, "first")] {
        let config = format!("{workers}.toml");
        std::fs::write(folder.path(&config), format!("[render]\nparallel = {workers}\n")).unwrap();
        // A data directory each, so that nothing is found made; the last run finds what an earlier one left.
        let data = format!("data-{workers}-{run}");
        let film = folder.film("film", &board, &["--config", &config, "--data", &data]);
        films.push((data, std::fs::read(film.path).unwrap()));
    }
    let (_, first) = &films[0];
    for (run, film) in &films {
        assert!(film == first, "{run}: {} bytes, not the same as {}", film.len(), first.len());
    }
}

/// At this width x264 reads memory that it did not write: what an earlier task left there must not show.
#[test]
fn a_small_film_has_the_same_bytes_on_every_run() {
    let folder = Folder::new();
    numbers::video(&folder, "loop.mp4", 1, 64);
    numbers::still(&folder, "still.png", 77);
    let scenes: Vec<Value> = (0..3)
        .flat_map(|round| {
            let seconds = 1.3 + 0.4 * f64::from(round);
            [
                json!({ "backgroundUri": "loop.mp4", "text": format!("A loop {round}"), "minimumDuration": seconds }),
                json!({ "backgroundUri": "still.png", "minimumDuration": seconds }),
            ]
        })
        .collect();
    let mut board = storyboard(&scenes);
    (board["videoWidth"], board["videoHeight"]) = (json!(160), json!(90));
    let film =
        |_| std::fs::read(folder.film("film", &board, &["--no-cache", "--data", "data"]).path).unwrap();
    let films: Vec<Vec<u8>> = (0..6).map(film).collect();
    assert!(films.iter().all(|film| *film == films[0]), "the same storyboard gave different films");
}
