use std::cell::Cell;
use std::convert::Infallible;

use audio::{CHANNELS, Mixer, Silence, Stream, Track};
use proptest::prelude::*;

use crate::{Values, all};

fn track(values: Vec<f32>, start: u64, length: u64) -> Track<'static, Infallible> {
    Track { stream: Box::new(Values::new(values)), start, length, gain: 1.0, fade_out: 0 }
}

#[test]
fn sums_tracks_at_their_places() {
    let mut mixer = Mixer::new(10_000);
    mixer.add(track(vec![0.25; 20_000], 0, 10_000));
    mixer.add(Track { gain: 0.5, ..track(vec![1.0; 8_000], 3_000, 2_000) });
    let mix = all(mixer);
    assert_eq!(mix.len(), 20_000);
    for (index, sample) in mix.chunks(CHANNELS).enumerate() {
        let expected = if (3_000..5_000).contains(&index) { 0.75 } else { 0.25 };
        assert_eq!(sample, [expected; 2], "{index}");
    }
}

#[test]
fn has_its_exact_length_whatever_its_tracks_do() {
    let mut short = Mixer::new(5_000);
    short.add(track(vec![1.0; 100], 4_990, 1_000_000));
    let mix = all(short);
    assert_eq!(mix.len(), 10_000);
    assert_eq!(mix[9_980..], [1.0; 20]);
    assert_eq!(all(Mixer::<Infallible>::new(0)).len(), 0);
    let mut late = Mixer::new(10);
    late.add(Track { stream: Box::new(Silence::new(9)), ..track(Vec::new(), u64::MAX - 5, u64::MAX) });
    assert_eq!(all(late), [0.0; 20]);
}

#[test]
fn fades_out_to_nothing_without_a_step() {
    let mut mixer = Mixer::new(48_000);
    mixer.add(Track { fade_out: 24_000, ..track(vec![0.5; 96_000], 0, 48_000) });
    let mix = all(mixer);
    assert_eq!(mix[..48_000], [0.5; 48_000]);
    assert!((mix[72_000] - 0.125).abs() < 1e-4);
    assert!(mix[95_999].abs() < 1e-6);
    assert!(mix.windows(4).all(|w| (w[0] - w[2]).abs() < 1e-4));
}

#[test]
fn values_that_are_no_numbers_count_as_nothing() {
    let mut mixer = Mixer::new(3);
    mixer.add(track(vec![f32::NAN, 1.0, f32::INFINITY, 1e30, f32::NEG_INFINITY, 1.0], 0, 3));
    assert_eq!(all(mixer), [0.0, 1.0, 0.0, 64.0, 0.0, 1.0]);
}

#[test]
fn an_error_of_a_track_is_the_mixs() {
    struct Broken;
    impl Stream for Broken {
        type Error = &'static str;
        fn read(&mut self, _: &mut [f32]) -> Result<usize, Self::Error> {
            Err("no more")
        }
    }
    let mut mixer = Mixer::new(100);
    mixer.add(Track { stream: Box::new(Broken), start: 50, length: 10, gain: 1.0, fade_out: 0 });
    assert_eq!(mixer.read(&mut [0.0; 80]), Ok(80));
    assert_eq!(mixer.read(&mut [0.0; 80]), Err("no more"));
}

#[test]
fn a_track_is_dropped_when_it_is_over() {
    struct Counted<'a>(&'a Cell<bool>);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    impl Stream for Counted<'_> {
        type Error = Infallible;
        fn read(&mut self, out: &mut [f32]) -> Result<usize, Infallible> {
            Ok(out.len())
        }
    }
    let dropped = Cell::new(false);
    let mut mixer = Mixer::new(1_000);
    mixer.add(Track { stream: Box::new(Counted(&dropped)), start: 0, length: 100, gain: 1.0, fade_out: 0 });
    mixer.read(&mut [0.0; 100]).unwrap();
    assert!(!dropped.get());
    mixer.read(&mut [0.0; 100]).unwrap();
    assert!(dropped.get());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sample_is_where_it_belongs(length in 0_u64..9_000, tracks in prop::collection::vec((0_u64..9_000, 0_u64..9_000), 0..4)) {
        let mut mixer = Mixer::new(length);
        for (start, heard) in &tracks {
            mixer.add(track(vec![1.0; 20_000], *start, *heard));
        }
        let mix = all(mixer);
        prop_assert_eq!(mix.len() as u64, length * 2);
        for (at, value) in mix.iter().step_by(2).enumerate() {
            let heard = tracks.iter().filter(|(start, heard)| (*start..start + heard).contains(&(at as u64))).count();
            prop_assert_eq!(*value, heard as f32);
        }
    }
}
