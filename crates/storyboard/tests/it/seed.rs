//! The storyboard of the page that this project starts from, verbatim but for the bucket.

use storyboard::{Address, Background, BackgroundKind, Fit, MusicSource, Options, TextStyle, parse};

pub(crate) const SEED: &str = r#"
{
"awsConnectionId": "20241207042423053xmex5z9ag9ivmp21",
"videoName": "test_video",
"videoDescription": "test video",
"language": "en",
"audio": {
"autoBackgroundMusic": true,
"backGroundMusicVolume": 0.5
},
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
}"#;

#[test]
fn every_field_of_the_seed_means_something() {
    let (storyboard, warnings) = parse(SEED.as_bytes(), &Options::default()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(storyboard.name, "test_video");
    assert_eq!(storyboard.description, "test video");
    assert_eq!(storyboard.language, "en");
    assert_eq!((storyboard.canvas.width, storyboard.canvas.height, storyboard.fps), (1920, 1080, 30));
    let music = storyboard.music.as_ref().unwrap();
    assert_eq!((&music.source, music.volume), (&MusicSource::Auto, 0.5));
    assert_eq!(storyboard.scenes.len(), 2);
    for (index, scene) in storyboard.scenes.iter().enumerate() {
        assert_eq!((scene.item, scene.part, scene.parts), (index, 0, 1));
        assert_eq!(scene.minimum_duration, Some(5.0));
        assert_eq!(scene.style, TextStyle::default());
        assert!(!scene.voice_over);
        assert_eq!(scene.caption.as_ref().unwrap().runs[0].text, scene.text);
        let Background::Media(background) = &scene.background else { panic!("{:?}", scene.background) };
        assert_eq!(background.kind, Some(BackgroundKind::Video));
        assert!(background.looped && background.mute);
        assert_eq!(background.fit, Fit::Cover);
        assert_eq!(background.media.connection.as_deref(), Some("20241207042423053xmex5z9ag9ivmp21"));
        assert_eq!(background.media.pointer, format!("/scenes/{index}/backgroundUri"));
        let Address::S3(address) = &background.media.address else { panic!("{:?}", background.media) };
        assert_eq!(address.bucket, "my-bucket");
    }
    let connections = storyboard.connections();
    assert_eq!(
        connections["20241207042423053xmex5z9ag9ivmp21"],
        ["/scenes/0/backgroundUri", "/scenes/1/backgroundUri"]
    );
    assert_eq!(storyboard.media().len(), 2);
}
