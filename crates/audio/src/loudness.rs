//! Loudness after EBU R 128 and true peak after ITU-R BS.1770, over the `ebur128` crate.

use ebur128::{EbuR128, Mode};

use crate::{CHANNELS, RATE, amplitude, decibels};

/// The most that [`gain_to`] raises a signal: what is quieter than that is noise, not programme.
pub const MOST_GAIN: f64 = 30.0;

/// Measures what it is fed. It keeps a number for every 100 ms, no samples.
pub struct Meter(EbuR128);

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("integrated", &self.integrated()).finish_non_exhaustive()
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// A meter of loudness and true peak that has heard nothing.
    pub fn new() -> Self {
        Self::with(Mode::I | Mode::TRUE_PEAK)
    }

    /// A meter of loudness alone, at a fraction of the cost: its true peak is minus infinity.
    pub fn of_loudness() -> Self {
        Self::with(Mode::I)
    }

    /// A meter of the true peak alone: it has no loudness.
    pub fn of_true_peak() -> Self {
        Self::with(Mode::TRUE_PEAK)
    }

    fn with(mode: Mode) -> Self {
        let meter = EbuR128::new(CHANNELS as u32, RATE, mode);
        Self(meter.expect("two channels at 48 kHz are a valid configuration"))
    }

    /// Hears values, left and right in turn; those that are not numbers count as 0, a last lone value not at all.
    pub fn feed(&mut self, values: &[f32]) {
        let mut clean = [0.0; 1024];
        for chunk in values.chunks(clean.len()) {
            let whole = chunk.len() / CHANNELS * CHANNELS;
            for (to, from) in clean.iter_mut().zip(&chunk[..whole]) {
                *to = if from.is_finite() { *from } else { 0.0 };
            }
            self.0.add_frames_f32(&clean[..whole]).expect("whole samples of two channels are accepted");
        }
    }

    /// Integrated loudness in LUFS; `None` for silence and for less than 400 ms.
    pub fn integrated(&self) -> Option<f64> {
        self.0.loudness_global().ok().filter(|loudness| loudness.is_finite())
    }

    /// The larger true peak of both channels in dBTP; minus infinity for silence.
    pub fn true_peak(&self) -> f64 {
        let peaks = (0..CHANNELS as u32).filter_map(|channel| self.0.true_peak(channel).ok());
        decibels(peaks.fold(0.0, f64::max))
    }
}

/// The linear amplitude that brings what [`Meter::integrated`] measured to a target in LUFS. Silence stays as it is (1),
/// and nothing is raised by more than [`MOST_GAIN`] decibels.
pub fn gain_to(target: f64, measured: Option<f64>) -> f32 {
    match measured.filter(|loudness| loudness.is_finite()) {
        Some(loudness) => amplitude((target - loudness).min(MOST_GAIN)) as f32,
        None => 1.0,
    }
}
