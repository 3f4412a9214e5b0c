use audio::{RATE, TruePeakLimiter};
use proptest::prelude::*;

use crate::{Values, all, level, measured, shape, tone};

const SECOND: usize = RATE as usize;

/// Limits, checks length and true peak, and gives the result.
fn limited(name: &str, values: Vec<f32>) -> Vec<f32> {
    let length = values.len();
    let out = all(TruePeakLimiter::new(Values::new(values)));
    assert_eq!(out.len(), length, "{name}");
    let peak = measured(&out).true_peak();
    assert!(peak <= -1.5, "{name}: {peak}");
    out
}

fn noise(samples: usize, amplitude: f32) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..samples * 2).map(|_| amplitude * next()).collect()
}

#[test]
fn nasty_signals_stay_below_the_ceiling() {
    // A quarter of the rate, off the samples by an eighth of a turn: 3 dB between the samples.
    let between = |index: usize| 1.2 * (std::f64::consts::FRAC_PI_2 * (index as f64 + 0.5)).sin() as f32;
    limited("between samples", shape(SECOND, between));
    limited("square", shape(SECOND, |index| if index / 50 % 2 == 0 { 1.5 } else { -1.5 }));
    limited("fast square", shape(SECOND, |index| if index / 3 % 2 == 0 { 1.0 } else { -1.0 }));
    limited("click at the start", shape(SECOND, |index| if index == 0 { 8.0 } else { 0.0 }));
    limited("click at the end", shape(SECOND, |index| if index == SECOND - 1 { 8.0 } else { 0.0 }));
    limited("clicks", shape(SECOND, |index| if index % 997 < 2 { 6.0 } else { 0.05 }));
    limited("noise", noise(2 * SECOND, 3.0));
    limited("loud tone", tone(997.0, 4.0, SECOND));
    limited("high tone", tone(14_500.0, 2.0, SECOND));
    limited("bursts", {
        let mut values = tone(3_000.0, 3.0, SECOND);
        values
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| index / 9_000 % 2 == 0)
            .for_each(|(_, value)| *value *= 0.1);
        values
    });
    limited("short", vec![9.0; 14]);
    limited("not numbers", vec![f32::NAN, f32::INFINITY, 5.0, -5.0, f32::NEG_INFINITY, 0.0]);
    assert_eq!(limited("empty", Vec::new()), []);
}

#[test]
fn what_is_below_the_ceiling_passes_unchanged() {
    let quiet = tone(440.0, 0.8, SECOND);
    assert_eq!(limited("tone", quiet.clone()), quiet);
    let quiet = noise(SECOND, 0.3);
    assert_eq!(limited("noise", quiet.clone()), quiet);
}

#[test]
fn the_gain_comes_back_whole_after_a_peak() {
    let mut values = tone(440.0, 0.5, 3 * SECOND);
    values[2_000..2_040].fill(4.0);
    let out = limited("peak", values.clone());
    assert_eq!(out[..1_000], values[..1_000]);
    assert_eq!(out[4 * SECOND..], values[4 * SECOND..]);
}

#[test]
fn a_limited_tone_stays_close_to_the_ceiling() {
    // Transparent also means not quieter than need be.
    let out = limited("tone", tone(997.0, 4.0, 2 * SECOND));
    let steady = &out[SECOND..];
    assert!((level(steady) - (-1.6 - 3.01)).abs() < 0.15, "{}", level(steady));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_signal_gets_over_the_ceiling(pieces in prop::collection::vec((1_usize..400, -12_f32..12.0, 1_usize..40), 1..40)) {
        let mut values = Vec::new();
        for (length, amplitude, period) in pieces {
            values.extend(shape(length, |index| if index / period % 2 == 0 { amplitude } else { -amplitude * 0.7 }));
        }
        limited("pieces", values);
    }
}
