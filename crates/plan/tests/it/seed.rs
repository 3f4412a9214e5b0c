//! The plan of the storyboard that this project starts from, byte for byte.

use serde_json::{Value, json};

use crate::kit::planned;

pub(crate) fn seed() -> Value {
    json!({
        "awsConnectionId": "20241207042423053xmex5z9ag9ivmp21",
        "videoName": "test_video",
        "videoDescription": "test video",
        "language": "en",
        "audio": {"autoBackgroundMusic": true, "backGroundMusicVolume": 0.5},
        "scenes": [
            {
                "text": "Hello world! Good morning!",
                "voiceOver": false,
                "splitTextOnNewLine": false,
                "splitTextOnPeriod": false,
                "backgroundUri": "s3://my-bucket/hello_world.mp4",
                "backgroundType": "video",
                "loopBackgroundVideo": true,
                "muteBackgroundVideo": true,
                "minimumDuration": 5
            },
            {
                "text": "Welcome and have a wonderful day ahead!",
                "voiceOver": false,
                "splitTextOnNewLine": false,
                "splitTextOnPeriod": false,
                "backgroundUri": "https://my-bucket.s3.us-east-1.amazonaws.com/welcome_everyone.mp4",
                "backgroundType": "video",
                "loopBackgroundVideo": true,
                "muteBackgroundVideo": true,
                "minimumDuration": 5
            }
        ]
    })
}

#[test]
fn the_seed_is_ten_seconds() {
    let plan = planned(&seed()).plan;
    assert_eq!((plan.frames, plan.audio.samples), (300, 480_000));
    insta::assert_json_snapshot!(plan);
}

#[test]
fn its_subtitles() {
    let plan = planned(&seed()).plan;
    insta::assert_snapshot!(plan::subtitles::srt(&plan), @r"
    1
    00:00:00,000 --> 00:00:05,000
    Hello world! Good morning!

    2
    00:00:05,000 --> 00:00:10,000
    Welcome and have a wonderful
    day ahead!
    ");
    insta::assert_snapshot!(plan::subtitles::vtt(&plan), @r"
    WEBVTT

    00:00:00.000 --> 00:00:05.000
    Hello world! Good morning!

    00:00:05.000 --> 00:00:10.000
    Welcome and have a wonderful
    day ahead!
    ");
    assert_eq!(
        plan::subtitles::txt(&plan),
        "Hello world! Good morning!\nWelcome and have a wonderful day ahead!\n"
    );
}

#[test]
fn the_hash_knows_what_matters() {
    let hash = |change: &dyn Fn(&mut Value)| {
        let mut film = seed();
        change(&mut film);
        planned(&film).plan.hash()
    };
    let same = hash(&|_| {});
    assert_eq!(hash(&|film| film["videoName"] = json!("another")), same);
    assert_eq!(hash(&|film| film["videoDescription"] = json!("another")), same);
    let others = [
        hash(&|film| film["scenes"][0]["text"] = json!("Hello world! Good evening!")),
        hash(&|film| film["scenes"][0]["minimumDuration"] = json!(6)),
        hash(&|film| film["audio"]["backGroundMusicVolume"] = json!(0.4)),
        hash(&|film| film["scenes"][1]["backgroundUri"] = json!("s3://my-bucket/other.mp4")),
        hash(&|film| film["scenes"][1]["textColor"] = json!("red")),
    ];
    for (index, other) in others.iter().enumerate() {
        assert!(*other != same && others.iter().filter(|hash| *hash == other).count() == 1, "{index}");
    }
}
