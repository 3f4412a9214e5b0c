//! Signal work on streams of samples: music bed, mix, loudness, true peak; bounded memory.
//!
//! A **sample** here is one moment of both channels at 48 kHz; positions and lengths count samples. A buffer holds the
//! **values** of samples, left and right in turn, so its length is twice the number of samples in it. Nothing here knows
//! files or codecs, and nothing keeps more of a stream than a few milliseconds.

pub mod bed;
pub mod limiter;
pub mod loudness;
pub mod mixer;
pub mod stream;

pub use bed::Bed;
pub use limiter::TruePeakLimiter;
pub use loudness::{Meter, gain_to};
pub use mixer::{Mixer, Track};
pub use stream::{Delay, Gain, Limit, MapError, Silence, Stream};

/// Samples in a second.
pub const RATE: u32 = 48_000;

/// Channels of every stream: left and right.
pub const CHANNELS: usize = 2;

/// The linear amplitude of a level in decibels.
pub fn amplitude(decibels: f64) -> f64 {
    10_f64.powf(decibels / 20.0)
}

/// The level in decibels of a linear amplitude; minus infinity for 0.
pub fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}
