//! A limiter of the true peak: what the signal reaches between its samples counts.
//!
//! The gain is the least that any peak of the next milliseconds needs, smoothed over the look-ahead, so that it has
//! arrived when the peak does and never jumps. Both channels share it, which keeps the picture still. Below the ceiling
//! the values pass unchanged, bit for bit; the latency is taken out again, and the length stays.

use std::collections::VecDeque;

use crate::stream::Stream;
use crate::{CHANNELS, RATE, amplitude};

/// The ceiling that films keep, in dBTP.
pub const CEILING: f64 = -1.5;

/// How far below the ceiling the limiter aims: other meters interpolate a little differently.
const MARGIN: f64 = 0.1;

/// Samples over which the gain falls before a peak: 5 ms.
const LOOK_AHEAD: usize = RATE as usize / 200;

/// Samples for which the gain stays down on either side of a peak, so that interpolation there sees one gain.
const HOLD: usize = 32;

/// Share of the way back to 1 that the gain goes in a sample: about 80 ms to two thirds.
const RELEASE: f64 = 1.0 / (0.08 * RATE as f64);

/// Points from one sample to the next, the sample itself included.
const PHASES: usize = 4;

/// Samples that an interpolated point is made of.
const TAPS: usize = 24;

/// Samples on either side that a meter's interpolation reaches: 48 taps at four times the rate (ITU-R BS.1770, annex 2).
const METER_REACH: f64 = 6.0;

/// The gain in fixed point, so that its running sum stays exact however long the film is.
const ONE: u64 = 1 << 30;

/// Samples from a value's arrival to its departure.
const LATENCY: usize = LOOK_AHEAD - 1 + HOLD + TAPS / 2;

/// Samples taken in at a time.
const BLOCK: usize = 2048;

/// Samples that are looked at together: where none of them matters, they only pass through.
const CHUNK: usize = 256;

/// Keeps the true peak of a stream at most at a ceiling.
#[derive(Debug)]
pub struct TruePeakLimiter<S> {
    stream: S,
    detector: Detector,
    smoother: Smoother,
    /// The last `LATENCY` samples that came in and have not gone out, then room for a block.
    waiting: Vec<f32>,
    /// Samples of the silence that was there before the stream and does not go out.
    before: usize,
    /// Samples of the silence behind the stream that push out what is waiting.
    behind: usize,
    ended: bool,
    /// Whether what cannot matter is passed over; tests turn it off.
    passes: bool,
}

impl<S: Stream> TruePeakLimiter<S> {
    /// Limits to [`CEILING`].
    pub fn new(stream: S) -> Self {
        Self::with_ceiling(stream, CEILING)
    }

    /// Limits to a ceiling in dBTP.
    pub fn with_ceiling(stream: S, ceiling: f64) -> Self {
        Self {
            stream,
            detector: Detector::new(amplitude(ceiling - MARGIN) as f32),
            smoother: Smoother::new(),
            waiting: vec![0.0; (LATENCY + BLOCK) * CHANNELS],
            before: LATENCY,
            behind: LATENCY,
            ended: false,
            passes: true,
        }
    }

    /// Takes up to so many samples in behind those that wait; 0 when all of them have gone out.
    fn take(&mut self, samples: usize) -> Result<usize, S::Error> {
        let fresh = &mut self.waiting[LATENCY * CHANNELS..][..samples * CHANNELS];
        if !self.ended {
            let values = self.stream.read(fresh)?;
            if values > 0 {
                for value in &mut fresh[..values] {
                    *value = if value.is_finite() { *value } else { 0.0 };
                }
                return Ok(values / CHANNELS);
            }
            self.ended = true;
        }
        let samples = samples.min(self.behind);
        self.behind -= samples;
        fresh[..samples * CHANNELS].fill(0.0);
        Ok(samples)
    }

    /// Turns down the first of the waiting samples, as many as were taken in.
    fn limit(&mut self, samples: usize) {
        let mut needed = [ONE; CHUNK];
        for first in (0..samples).step_by(CHUNK) {
            let length = CHUNK.min(samples - first);
            // With the samples before them that interpolation still reaches.
            let heard =
                &self.waiting[(first + LATENCY - (TAPS - 1)) * CHANNELS..][..(length + TAPS - 1) * CHANNELS];
            let loud = !self.passes || self.detector.may_reach(heard);
            if !loud && self.smoother.rests() {
                self.smoother.rest(length as u64);
                continue;
            }
            let needed = &mut needed[..length];
            if loud {
                self.detector.needed(heard, needed);
            } else {
                needed.fill(ONE);
            }
            let due = self.waiting[first * CHANNELS..].chunks_exact_mut(CHANNELS);
            for (due, needed) in due.zip(needed) {
                let gain = self.smoother.gain(*needed);
                if gain != LOOK_AHEAD as u64 * ONE {
                    let gain = (gain as f64 / (LOOK_AHEAD as u64 * ONE) as f64) as f32;
                    due.iter_mut().for_each(|value| *value *= gain);
                }
            }
        }
    }
}

impl<S: Stream> Stream for TruePeakLimiter<S> {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, S::Error> {
        let room = (out.len() / CHANNELS).min(BLOCK);
        loop {
            let samples = self.take(room)?;
            if samples == 0 {
                return Ok(0);
            }
            self.limit(samples);
            let before = self.before.min(samples);
            self.before -= before;
            let due = &self.waiting[before * CHANNELS..samples * CHANNELS];
            let values = due.len();
            out[..values].copy_from_slice(due);
            self.waiting.copy_within(samples * CHANNELS..(samples + LATENCY) * CHANNELS, 0);
            if values > 0 {
                return Ok(values);
            }
        }
    }
}

/// Finds the largest amplitude from half-way before to half-way behind a sample, `TAPS / 2` samples late.
#[derive(Debug)]
struct Detector {
    target: f32,
    /// Weights of the samples for each point between two of them: by a long window, which comes close to the signal, and
    /// by a meter's short one, which at a sudden end of a loud passage shows up to 0.3 dB more.
    weights: [[f32; TAPS]; 2 * (PHASES - 1)],
    /// No point reaches the target while all values are below this: no interpolation makes of values more than their
    /// largest times the sum of its weights' amounts.
    harmless: f32,
}

impl Detector {
    fn new(target: f32) -> Self {
        let mut weights = [[0.0; TAPS]; 2 * (PHASES - 1)];
        let (long, short) = weights.split_at_mut(PHASES - 1);
        for (phase, (long, short)) in long.iter_mut().zip(short).enumerate() {
            let fraction = (phase + 1) as f64 / PHASES as f64;
            let mut exact = [0.0; TAPS];
            for (tap, exact) in exact.iter_mut().enumerate() {
                // The point lies `fraction` behind the sample in the middle of the window.
                let x = tap as f64 - (TAPS / 2 - 1) as f64 - fraction;
                let sinc = (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x);
                let window = |reach: f64| (std::f64::consts::FRAC_PI_2 * x / reach).cos().powi(2);
                *exact = sinc * window(TAPS as f64 / 2.0);
                short[tap] = if x.abs() < METER_REACH { (sinc * window(METER_REACH)) as f32 } else { 0.0 };
            }
            let sum: f64 = exact.iter().sum();
            for (weight, exact) in long.iter_mut().zip(exact) {
                *weight = (exact / sum) as f32;
            }
        }
        let reach =
            weights.iter().map(|weights| weights.iter().map(|weight| weight.abs()).sum()).fold(1.0, f32::max);
        // The thousandth is for rounding.
        Self { target, weights, harmless: target / reach * 0.999 }
    }

    /// Whether a point among these values may reach the target.
    fn may_reach(&self, values: &[f32]) -> bool {
        // Without an early exit, so that it vectorises.
        values.iter().fold(false, |loud, value| loud | (value.abs() >= self.harmless))
    }

    /// The gain that each sample needs; `values` begins `TAPS - 1` samples before the first.
    fn needed(&self, values: &[f32], needed: &mut [u64]) {
        let mut peaks = [0.0_f32; CHUNK];
        let peaks = &mut peaks[..needed.len()];
        let mut channel_values = [0.0; CHUNK + TAPS - 1];
        for channel in 0..CHANNELS {
            for (to, sample) in channel_values.iter_mut().zip(values.chunks_exact(CHANNELS)) {
                *to = sample[channel];
            }
            for (peak, value) in peaks.iter_mut().zip(&channel_values[TAPS / 2 - 1..]) {
                *peak = peak.max(value.abs());
            }
            for weights in &self.weights {
                // Tap by tap over many points: a loop that vectorises, and whose sums do not depend on how.
                let mut points = [0.0_f32; CHUNK];
                for (tap, weight) in weights.iter().enumerate() {
                    for (point, value) in points.iter_mut().zip(&channel_values[tap..tap + CHUNK]) {
                        *point += value * weight;
                    }
                }
                for (peak, point) in peaks.iter_mut().zip(points) {
                    *peak = peak.max(point.abs());
                }
            }
        }
        for (needed, peak) in needed.iter_mut().zip(peaks) {
            let share = if *peak > self.target { f64::from(self.target) / f64::from(*peak) } else { 1.0 };
            *needed = (share * ONE as f64) as u64;
        }
    }
}

/// Turns the gain that each sample needs into one that moves slowly and is never above it.
#[derive(Debug)]
struct Smoother {
    /// Candidates for the least needed gain of the window, rising, with the time at which each leaves it.
    least: VecDeque<(u64, u64)>,
    time: u64,
    released: u64,
    /// The last `LOOK_AHEAD` released gains and their sum.
    recent: VecDeque<u64>,
    sum: u64,
}

impl Smoother {
    fn new() -> Self {
        Self {
            least: VecDeque::new(),
            time: 0,
            released: ONE,
            recent: std::iter::repeat_n(ONE, LOOK_AHEAD).collect(),
            sum: LOOK_AHEAD as u64 * ONE,
        }
    }

    /// Whether the gain is 1, has been for as long as it counts, and nothing that was heard turns it down.
    fn rests(&self) -> bool {
        self.sum == LOOK_AHEAD as u64 * ONE && self.least.front().is_none_or(|(gain, _)| *gain == ONE)
    }

    /// The same as so many times [`Self::gain`] of 1 while it rests.
    fn rest(&mut self, samples: u64) {
        // A candidate of 1 says what an absent one does.
        self.least.clear();
        self.time += samples;
    }

    /// The sum of the last `LOOK_AHEAD` gains.
    fn gain(&mut self, needed: u64) -> u64 {
        const WINDOW: u64 = (LOOK_AHEAD + 2 * HOLD) as u64;
        while self.least.back().is_some_and(|(gain, _)| *gain >= needed) {
            self.least.pop_back();
        }
        self.least.push_back((needed, self.time + WINDOW));
        while self.least.front().is_some_and(|(_, leaves)| *leaves <= self.time) {
            self.least.pop_front();
        }
        self.time += 1;
        let least = self.least.front().map_or(needed, |(gain, _)| *gain);
        self.released = if least <= self.released {
            least
        } else {
            // At least one step, so that the gain comes all the way back.
            let step = ((least - self.released) as f64 * RELEASE) as u64;
            (self.released + step.max(ONE >> 20)).min(least)
        };
        self.recent.push_back(self.released);
        self.sum = self.sum + self.released - self.recent.pop_front().unwrap_or(ONE);
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    struct Values(Vec<f32>, usize);

    impl Stream for Values {
        type Error = Infallible;

        fn read(&mut self, out: &mut [f32]) -> Result<usize, Infallible> {
            let values = out.len().min(self.0.len()).min(self.1) / CHANNELS * CHANNELS;
            out[..values].copy_from_slice(&self.0[..values]);
            self.0.drain(..values);
            Ok(values)
        }
    }

    fn limited(values: &[f32], portion: usize, passes: bool) -> Vec<f32> {
        let mut limiter = TruePeakLimiter::new(Values(values.to_vec(), portion));
        limiter.passes = passes;
        let mut out = vec![0.0; values.len()];
        assert_eq!(limiter.read_full(&mut out), Ok(values.len()));
        assert_eq!(limiter.read(&mut [0.0; 64]), Ok(0));
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn passing_over_what_cannot_matter_changes_no_value(
            pieces in prop::collection::vec((1_usize..3_000, 0_f32..2.0, 1_usize..40, any::<bool>()), 1..12),
            portion in 2_usize..5_000,
        ) {
            let mut values = Vec::new();
            for (samples, amplitude, period, loud) in pieces {
                let amplitude = if loud { amplitude } else { amplitude * 0.2 };
                values.extend((0..samples).flat_map(|index| {
                    let value = if index / period % 2 == 0 { amplitude } else { -amplitude * 0.7 };
                    [value, value * 0.5]
                }));
            }
            let exact = limited(&values, portion, false);
            prop_assert_eq!(&limited(&values, portion, true), &exact);
            prop_assert_eq!(&limited(&values, usize::MAX, true), &exact, "whatever the portions");
        }
    }
}
