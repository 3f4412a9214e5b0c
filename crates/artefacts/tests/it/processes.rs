//! Several at once in one directory, and their deaths.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use artefacts::{Artefacts, Found, Kind};

use crate::{body, files, keep, key};

const DIRECTORY: &str = "ARTEFACTS_TEST_DIRECTORY";
const ROLE: &str = "ARTEFACTS_TEST_ROLE";
const KEYS: u64 = 8;

/// What a key's body is, whoever writes it.
fn text(number: u64) -> Vec<u8> {
    (0..20_000 + number * 1_000).map(|at| (at * (number + 1)) as u8).collect()
}

/// Not a test: what the other processes of this module do.
#[test]
fn another_process() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let cache = Artefacts::open(&directory, 120_000).unwrap();
    match std::env::var(ROLE).as_deref() {
        Ok("writes for ever") => {
            // Killed between any two system calls.
            for number in (0..KEYS).cycle() {
                keep(&cache, Kind::Clip, &key(number), &text(number));
                say("kept");
            }
        }
        Ok("has a draft") => {
            let draft = cache.draft(Kind::Clip).unwrap();
            draft.file().write_all(b"half").unwrap();
            say("drafted");
            let _ = std::io::stdin().read_line(&mut String::new());
        }
        _ => mingle(&cache, 60),
    }
}

#[allow(clippy::print_stdout, reason = "the parent waits for these lines")]
fn say(word: &str) {
    println!("say {word}");
}

fn start(directory: &std::path::Path, role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::another_process", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until a process has said something so many times.
fn listen(child: &mut Child, times: usize) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The harness says things of its own on the same lines.
    let said = lines.map(Result::unwrap).filter(|line| line.contains("say ")).take(times).count();
    assert_eq!(said, times);
}

/// Keeps and finds the same keys as everybody else; never sees another body than the key's.
fn mingle(cache: &Artefacts, rounds: u64) {
    for round in 0..rounds {
        let number = (round * 5 + u64::from(std::process::id())) % KEYS;
        match cache.find(Kind::Clip, &key(number)) {
            Found::Damaged => panic!("a race damaged an artefact"),
            Found::Miss => {
                keep(cache, Kind::Clip, &key(number), &text(number));
            }
            hit @ Found::Hit(_) => assert_eq!(body(&hit), Some(text(number))),
        }
        if round % 7 == 0 {
            keep(cache, Kind::Clip, &key(number), &text(number));
        }
        if round % 20 == 0 {
            Artefacts::open(cache.directory(), cache.limit()).unwrap();
        }
    }
}

#[test]
fn processes_and_threads_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..3).map(|_| start(directory.path(), "mingles")).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| mingle(&Artefacts::open(directory.path(), 120_000).unwrap(), 60));
        }
    });
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let cache = Artefacts::open(directory.path(), 120_000).unwrap();
    let total = cache.survey().unwrap().total();
    assert!(total.bytes <= 120_000 * 65 / 64 && total.entries > 1, "{total:?}");
    assert_eq!(files(directory.path()).len() as u64, total.entries, "no draft stays");
}

#[test]
fn a_writer_killed_at_any_moment_harms_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for times in [1, 2, 5, 9, 14, 23] {
        let mut writer = start(directory.path(), "writes for ever");
        listen(&mut writer, times);
        writer.kill().unwrap();
        writer.wait().unwrap();
        let cache = Artefacts::open(directory.path(), 120_000).unwrap();
        for number in 0..KEYS {
            match cache.find(Kind::Clip, &key(number)) {
                Found::Damaged => panic!("a death damaged an artefact"),
                Found::Miss => {}
                hit @ Found::Hit(_) => assert_eq!(body(&hit), Some(text(number))),
            }
        }
        assert_eq!(files(directory.path()).len() as u64, cache.survey().unwrap().total().entries);
    }
}

#[test]
fn drafts_of_the_living_stay_and_of_the_dead_go() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = start(directory.path(), "has a draft");
    listen(&mut writer, 1);
    let cache = Artefacts::open(directory.path(), 1 << 20).unwrap();
    let own = cache.draft(Kind::Clip).unwrap();
    own.file().write_all(b"mine").unwrap();
    Artefacts::open(directory.path(), 1 << 20).unwrap();
    assert_eq!(files(directory.path()).len(), 2);
    writer.kill().unwrap();
    writer.wait().unwrap();
    Artefacts::open(directory.path(), 1 << 20).unwrap();
    assert_eq!(files(directory.path()).len(), 1);
    own.keep(&key(1)).unwrap();
    assert_eq!(body(&cache.find(Kind::Clip, &key(1))), Some(b"mine".to_vec()));
}

#[test]
fn a_child_writes_into_a_duplicate() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(directory.path(), 1 << 20).unwrap();
    let draft = cache.draft(Kind::Sound).unwrap();
    let status = Command::new("sh")
        .args(["-c", "printf one; printf two"])
        .stdout(Stdio::from(draft.file().try_clone().unwrap()))
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(draft.keep(&key(1)).unwrap().read().unwrap(), b"onetwo");
}
