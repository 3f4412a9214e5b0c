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

/// Interpolated points from one sample to the next, and the reach of the interpolation in samples.
const PHASES: usize = 4;
const TAPS: usize = 24;

/// The gain in fixed point, so that its running sum stays exact however long the film is.
const ONE: u64 = 1 << 30;

/// Samples from a value's arrival to its departure.
const LATENCY: usize = LOOK_AHEAD - 1 + HOLD + TAPS / 2;

/// Keeps the true peak of a stream at most at a ceiling.
#[derive(Debug)]
pub struct TruePeakLimiter<S> {
    stream: S,
    target: f32,
    detector: Detector,
    smoother: Smoother,
    /// Samples that have come in and not gone out.
    waiting: VecDeque<[f32; CHANNELS]>,
    /// Samples that came in.
    taken: u64,
    /// Samples that went out.
    given: u64,
    ended: bool,
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
            target: amplitude(ceiling - MARGIN) as f32,
            detector: Detector::new(amplitude(ceiling - MARGIN) as f32),
            smoother: Smoother::new(),
            waiting: VecDeque::with_capacity(LATENCY + 1),
            taken: 0,
            given: 0,
            ended: false,
        }
    }

    /// Takes one sample in and gives the one that is due, if any is yet.
    fn step(&mut self, sample: [f32; CHANNELS]) -> Option<[f32; CHANNELS]> {
        self.waiting.push_back(sample);
        let peak = self.detector.peak(sample);
        let needed = if peak > self.target { f64::from(self.target) / f64::from(peak) } else { 1.0 };
        let gain = self.smoother.gain((needed * ONE as f64) as u64);
        if self.waiting.len() <= LATENCY {
            return None;
        }
        let sample = self.waiting.pop_front()?;
        Some(if gain == LOOK_AHEAD as u64 * ONE {
            sample
        } else {
            let gain = (gain as f64 / (LOOK_AHEAD as u64 * ONE) as f64) as f32;
            sample.map(|value| value * gain)
        })
    }
}

impl<S: Stream> Stream for TruePeakLimiter<S> {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, S::Error> {
        let out_len = out.len() / CHANNELS * CHANNELS;
        let mut written = 0;
        while written == 0 && out_len > 0 {
            if self.ended {
                // Silence pushes out what is still waiting.
                while written < out_len && self.given < self.taken {
                    if let Some(sample) = self.step([0.0; CHANNELS]) {
                        out[written..written + CHANNELS].copy_from_slice(&sample);
                        written += CHANNELS;
                        self.given += 1;
                    }
                }
                break;
            }
            let values = self.stream.read(&mut out[..out_len])?;
            self.ended = values == 0;
            // Never more goes out than came in, so what is read is overwritten only behind the reading position.
            for index in (0..values).step_by(CHANNELS) {
                let clean = |value: f32| if value.is_finite() { value } else { 0.0 };
                self.taken += 1;
                if let Some(sample) = self.step([clean(out[index]), clean(out[index + 1])]) {
                    out[written..written + CHANNELS].copy_from_slice(&sample);
                    written += CHANNELS;
                    self.given += 1;
                }
            }
        }
        Ok(written)
    }
}

/// Finds the largest amplitude from half-way before to half-way behind a sample, `TAPS / 2` samples late.
#[derive(Debug)]
struct Detector {
    /// Weights of the samples for each point between two of them.
    weights: [[f32; TAPS]; PHASES - 1],
    /// The last `TAPS` samples of each channel, twice in a row, so that a window is always contiguous.
    history: [[f32; 2 * TAPS]; CHANNELS],
    at: usize,
    /// No point reaches the ceiling while all values of the window are below this.
    harmless: f32,
    /// Samples until the window is harmless again.
    loud: usize,
}

impl Detector {
    fn new(target: f32) -> Self {
        let mut weights = [[0.0; TAPS]; PHASES - 1];
        for (phase, weights) in weights.iter_mut().enumerate() {
            let fraction = (phase + 1) as f64 / PHASES as f64;
            let mut exact = [0.0; TAPS];
            for (tap, weight) in exact.iter_mut().enumerate() {
                // The point lies `fraction` behind the sample in the middle of the window.
                let x = tap as f64 - (TAPS / 2 - 1) as f64 - fraction;
                let sinc = (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x);
                let window = (std::f64::consts::PI * x / TAPS as f64).cos().powi(2);
                *weight = sinc * window;
            }
            let sum: f64 = exact.iter().sum();
            for (weight, exact) in weights.iter_mut().zip(exact) {
                *weight = (exact / sum) as f32;
            }
        }
        let reach =
            weights.iter().map(|weights| weights.iter().map(|weight| weight.abs()).sum()).fold(1.0, f32::max);
        Self {
            weights,
            history: [[0.0; 2 * TAPS]; CHANNELS],
            at: 0,
            harmless: target / reach * 0.999,
            loud: 0,
        }
    }

    /// Takes a sample; 0 stands for any peak below the ceiling.
    fn peak(&mut self, sample: [f32; CHANNELS]) -> f32 {
        // The oldest place of the ring is overwritten; the window that starts behind it ends with the new value.
        let place = self.at;
        self.at = (self.at + 1) % TAPS;
        for (history, value) in self.history.iter_mut().zip(sample) {
            history[place] = value;
            history[place + TAPS] = value;
            if value.abs() >= self.harmless {
                self.loud = TAPS;
            }
        }
        if self.loud == 0 {
            return 0.0;
        }
        self.loud -= 1;
        let mut peak = 0.0_f32;
        for history in &self.history {
            let window = &history[self.at..self.at + TAPS];
            peak = peak.max(window[TAPS / 2 - 1].abs());
            for weights in &self.weights {
                peak = peak.max(dot(window, weights).abs());
            }
        }
        peak
    }
}

/// The sum of products, in eight lanes that a compiler can keep in one register.
fn dot(window: &[f32], weights: &[f32; TAPS]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (window, weights) in window.chunks_exact(8).zip(weights.chunks_exact(8)) {
        for (lane, (value, weight)) in lanes.iter_mut().zip(window.iter().zip(weights)) {
            *lane += value * weight;
        }
    }
    lanes.iter().sum()
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
