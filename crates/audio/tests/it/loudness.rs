use audio::{Delay, Gain, Limit, Meter, RATE, Silence, Stream, gain_to};

use crate::{Values, all, measured, tone};

#[test]
fn a_full_scale_tone_measures_as_the_standard_says() {
    // EBU Tech 3341: 1 kHz in both channels at -23 dBFS is -23 LUFS.
    let meter = measured(&tone(1_000.0, audio::amplitude(-23.0) as f32, 5 * RATE as usize));
    let loudness = meter.integrated().unwrap();
    assert!((loudness + 23.0).abs() < 0.1, "{loudness}");
    assert!((meter.true_peak() + 23.0).abs() < 0.2, "{}", meter.true_peak());
}

#[test]
fn gain_brings_to_the_target_and_leaves_silence_alone() {
    let quiet = tone(400.0, 0.02, 3 * RATE as usize);
    let gain = gain_to(-20.0, measured(&quiet).integrated());
    let raised = all(Gain::new(Values::new(quiet), gain));
    let loudness = measured(&raised).integrated().unwrap();
    assert!((loudness + 20.0).abs() < 0.05, "{loudness}");

    assert_eq!(gain_to(-20.0, Meter::new().integrated()), 1.0);
    assert_eq!(measured(&all(Silence::new(96_000))).integrated(), None);
    assert_eq!(measured(&all(Silence::new(96_000))).true_peak(), f64::NEG_INFINITY);
    assert_eq!(gain_to(-20.0, Some(f64::NEG_INFINITY)), 1.0);
    assert!((f64::from(gain_to(-20.0, Some(-69.0))) - audio::amplitude(30.0)).abs() < 1e-3);
}

#[test]
fn values_that_are_no_numbers_count_as_nothing() {
    let meter = measured(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.5, 0.5]);
    assert!(meter.true_peak() <= 0.0);
}

#[test]
fn adapters_keep_lengths() {
    let ones = || Values::new(vec![1.0; 200]);
    assert_eq!(all(Limit::new(ones(), 30)), vec![1.0; 60]);
    assert_eq!(all(Limit::new(ones(), 300)).len(), 200);
    let delayed = all(Delay::new(ones(), 50));
    assert_eq!(delayed[..100], [0.0; 100]);
    assert_eq!(delayed[100..], [1.0; 200]);
    assert_eq!(ones().read(&mut [0.0]), Ok(0));
}

#[test]
fn a_meter_of_one_thing_measures_it_as_one_of_both_does() {
    let values = tone(700.0, 0.4, 2 * RATE as usize);
    let both = measured(&values);
    let (mut loudness, mut peak) = (Meter::of_loudness(), Meter::of_true_peak());
    loudness.feed(&values);
    peak.feed(&values);
    assert_eq!(loudness.integrated(), both.integrated());
    assert_eq!(loudness.true_peak(), f64::NEG_INFINITY);
    assert_eq!(peak.true_peak(), both.true_peak());
    assert_eq!(peak.integrated(), None);
}
