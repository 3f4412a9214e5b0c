use audio::{Bed, CHANNELS, Gain, RATE, gain_to};

use crate::{all, level, measured};

const SEEDS: [u64; 4] = [0, 1, 0xdead_beef, u64::MAX];

fn bed(seed: u64, seconds: u64) -> Vec<f32> {
    all(Bed::new(seed, seconds * u64::from(RATE)))
}

#[test]
fn has_its_exact_length() {
    for samples in [0, 1, 63, 64, 65, 48_001] {
        assert_eq!(all(Bed::new(7, samples)).len() as u64, samples * 2);
    }
}

#[test]
fn is_the_same_for_a_seed_and_differs_between_seeds() {
    assert_eq!(bed(5, 20), bed(5, 20));
    assert_ne!(bed(5, 20), bed(6, 20));
    // Pinned, so that a change of the music is a decision: it changes every film that has it.
    let fingerprint =
        bed(5, 20).iter().fold(0_u64, |hash, value| hash.rotate_left(5) ^ u64::from(value.to_bits()));
    assert_eq!(fingerprint, FINGERPRINT, "{fingerprint:#x}");
}

const FINGERPRINT: u64 = 0xd873_a493_6f7b_5f53;

#[test]
fn is_about_as_loud_as_music_is_levelled_to() {
    for seed in SEEDS {
        let values = bed(seed, 30);
        let meter = measured(&values);
        let loudness = meter.integrated().unwrap();
        assert!((loudness + 20.0).abs() < 1.0, "{seed}: {loudness}");
        assert!(meter.true_peak() < -4.0, "{seed}: {}", meter.true_peak());
        let levelled = all(Gain::new(Bed::new(seed, 30 * u64::from(RATE)), gain_to(-20.0, Some(loudness))));
        let loudness = measured(&levelled).integrated().unwrap();
        assert!((loudness + 20.0).abs() < 0.1, "{seed}: {loudness}");
    }
}

#[test]
fn has_no_gaps_and_no_bursts() {
    for seed in SEEDS {
        let values = bed(seed, 60);
        let halves: Vec<f64> = values.chunks_exact(RATE as usize).map(level).collect();
        let mut sorted = halves.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        for (index, half) in halves.iter().enumerate() {
            assert!((half - median).abs() < 9.0, "{seed}: {half} at {index}, median {median}");
        }
    }
}

#[test]
fn leaves_the_range_of_speech_free() {
    for seed in SEEDS {
        let values = bed(seed, 30);
        let whole = level(&values);
        let above = |hertz: f64| level(&high_pass(&values, hertz)) - whole;
        assert!(above(2_000.0) < -22.0, "{seed}: {}", above(2_000.0));
        assert!(above(4_000.0) < -38.0, "{seed}: {}", above(4_000.0));
    }
}

#[test]
fn is_wide_but_safe_in_mono() {
    for seed in SEEDS {
        let values = bed(seed, 30);
        let (mut left, mut right, mut both) = (0.0, 0.0, 0.0);
        for sample in values.chunks_exact(CHANNELS) {
            let (l, r) = (f64::from(sample[0]), f64::from(sample[1]));
            left += l * l;
            right += r * r;
            both += l * r;
        }
        let correlation = both / (left * right).sqrt();
        assert!((0.2..0.95).contains(&correlation), "{seed}: {correlation}");
        assert!((audio::decibels((left / right).sqrt())).abs() < 1.5, "{seed}");
    }
}

#[test]
fn does_not_repeat() {
    let values = bed(3, 90);
    let part = 30 * RATE as usize * CHANNELS;
    assert_ne!(values[..part], values[part..2 * part]);
    assert_ne!(values[part..2 * part], values[2 * part..]);
}

/// Two second-order Butterworth high-passes.
fn high_pass(values: &[f32], hertz: f64) -> Vec<f32> {
    let w = std::f64::consts::TAU * hertz / f64::from(RATE);
    let alpha = w.sin() / std::f64::consts::SQRT_2;
    let a0 = 1.0 + alpha;
    let (b0, b1) = ((1.0 + w.cos()) / 2.0 / a0, -(1.0 + w.cos()) / a0);
    let (a1, a2) = (-2.0 * w.cos() / a0, (1.0 - alpha) / a0);
    let mut out = values.to_vec();
    for _ in 0..2 {
        let mut state = [[0.0_f64; 4]; CHANNELS];
        for (index, value) in out.iter_mut().enumerate() {
            let [x1, x2, y1, y2] = &mut state[index % CHANNELS];
            let x = f64::from(*value);
            let y = b0 * x + b1 * *x1 + b0 * *x2 - a1 * *y1 - a2 * *y2;
            (*x2, *x1, *y2, *y1) = (*x1, x, *y1, y);
            *value = y as f32;
        }
    }
    out
}
