use std::fs;
use std::os::unix::fs::symlink;

use media::{LocalOpener, Opened, Opener as _, SourceError};
use storyboard::{Address, MediaRef};

fn file(path: &str) -> MediaRef {
    MediaRef {
        address: Address::File(path.to_owned()),
        connection: None,
        pointer: "/scenes/0/backgroundUri".to_owned(),
    }
}

async fn open(opener: &LocalOpener, path: &str) -> Result<Opened, SourceError> {
    opener.open_all(&[file(path)]).await.remove(0)
}

#[tokio::test]
async fn reads_ranges_below_the_directory_only() {
    let base = tempfile::tempdir().unwrap();
    let root = base.path().join("media");
    fs::create_dir_all(root.join("clips")).unwrap();
    fs::write(base.path().join("secret.mp4"), b"secret").unwrap();
    fs::write(root.join("clips/a.mp4"), b"0123456789").unwrap();
    fs::write(root.join("empty.mp4"), b"").unwrap();
    symlink("clips/a.mp4", root.join("inside.mp4")).unwrap();
    symlink("../secret.mp4", root.join("outside.mp4")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/dev/zero", root.join("device.mp4")).unwrap();
    let opener = LocalOpener::new(root.clone());

    let opened = open(&opener, "clips/a.mp4").await.unwrap();
    assert_eq!(opened.reader.size(), 10);
    assert_eq!(&opened.reader.read(3..7).await.unwrap()[..], b"3456");
    assert!(opened.reader.read(8..12).await.is_err());
    let linked = open(&opener, "inside.mp4").await.unwrap();
    assert_eq!(linked.reader.identity(), opened.reader.identity(), "one file, one identity");

    let table = [
        ("outside.mp4", "PATH_OUTSIDE_MEDIA"),
        ("up/secret.mp4", "PATH_OUTSIDE_MEDIA"),
        ("../secret.mp4", "PATH_OUTSIDE_MEDIA"),
        ("/etc/passwd", "PATH_OUTSIDE_MEDIA"),
        ("device.mp4", "PATH_OUTSIDE_MEDIA"),
        ("missing.mp4", "MEDIA_NOT_FOUND"),
        ("clips/a.mp4/b", "MEDIA_NOT_FOUND"),
        ("clips", "MEDIA_NOT_A_FILE"),
        ("empty.mp4", "MEDIA_EMPTY"),
    ];
    for (path, code) in table {
        assert_eq!(open(&opener, path).await.err().map(|error| error.code), Some(code), "{path}");
    }
    let nowhere = LocalOpener::new(root.join("nowhere"));
    assert_eq!(open(&nowhere, "a.mp4").await.err().map(|error| error.code), Some("MEDIA_NOT_FOUND"));
}

#[tokio::test]
async fn a_change_is_reported_and_a_replacement_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.mp4");
    fs::write(&path, b"0123456789").unwrap();
    let opener = LocalOpener::new(root.path().to_owned());
    let opened = open(&opener, "a.mp4").await.unwrap();

    let other = root.path().join("b.mp4");
    fs::write(&other, b"abcdefghij").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(&opened.reader.read(0..3).await.unwrap()[..], b"012", "the open handle still is the old file");

    let opened = open(&opener, "a.mp4").await.unwrap();
    fs::write(&path, b"longer than before").unwrap();
    assert_eq!(opened.reader.read(0..3).await.unwrap_err().code, "MEDIA_CHANGED");
}
