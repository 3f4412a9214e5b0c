//! Streams of stereo samples, and the small adapters of them.

use std::convert::Infallible;

use crate::CHANNELS;

/// A source of samples that is read once, from start to end.
pub trait Stream {
    /// Why reading can fail.
    type Error;

    /// Writes the next samples to the start of `out` and returns how many values it wrote: an even number, 0 only at
    /// the end (or where `out` has no room for a sample). It may write fewer than there is room for before the end.
    ///
    /// # Errors
    /// Whatever the source suffers; the stream is not read again after that.
    fn read(&mut self, out: &mut [f32]) -> Result<usize, Self::Error>;

    /// Reads until `out` is full or the stream ends, and returns how many values it wrote.
    ///
    /// # Errors
    /// The first error of [`Stream::read`].
    fn read_full(&mut self, out: &mut [f32]) -> Result<usize, Self::Error> {
        let mut filled = 0;
        while filled + CHANNELS <= out.len() {
            match self.read(&mut out[filled..])? {
                0 => break,
                values => filled += values,
            }
        }
        Ok(filled)
    }
}

impl<S: Stream + ?Sized> Stream for Box<S> {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Self::Error> {
        (**self).read(out)
    }
}

impl<S: Stream + ?Sized> Stream for &mut S {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Self::Error> {
        (**self).read(out)
    }
}

/// Multiplies every value.
#[derive(Debug, Clone)]
pub struct Gain<S> {
    stream: S,
    gain: f32,
}

impl<S> Gain<S> {
    /// Multiplies by a linear amplitude.
    pub fn new(stream: S, gain: f32) -> Self {
        Self { stream, gain }
    }
}

impl<S: Stream> Stream for Gain<S> {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Self::Error> {
        let values = self.stream.read(out)?;
        for value in &mut out[..values] {
            *value *= self.gain;
        }
        Ok(values)
    }
}

/// Puts silence before a stream.
#[derive(Debug, Clone)]
pub struct Delay<S> {
    silence: Silence,
    stream: S,
}

impl<S> Delay<S> {
    /// Starts the stream after so many samples.
    pub fn new(stream: S, samples: u64) -> Self {
        Self { silence: Silence::new(samples), stream }
    }
}

impl<S: Stream> Stream for Delay<S> {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Self::Error> {
        match self.silence.take(out) {
            0 => self.stream.read(out),
            values => Ok(values),
        }
    }
}

/// Ends a stream early.
#[derive(Debug, Clone)]
pub struct Limit<S> {
    stream: S,
    left: u64,
}

impl<S> Limit<S> {
    /// Lets at most so many samples through.
    pub fn new(stream: S, samples: u64) -> Self {
        Self { stream, left: samples }
    }
}

impl<S: Stream> Stream for Limit<S> {
    type Error = S::Error;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Self::Error> {
        let room = room(out.len(), self.left);
        if room == 0 {
            return Ok(0);
        }
        let values = self.stream.read(&mut out[..room])?;
        self.left -= (values / CHANNELS) as u64;
        Ok(values)
    }
}

/// Silence of a known length.
#[derive(Debug, Clone)]
pub struct Silence {
    left: u64,
}

impl Silence {
    /// So many samples of silence.
    pub fn new(samples: u64) -> Self {
        Self { left: samples }
    }

    fn take(&mut self, out: &mut [f32]) -> usize {
        let values = room(out.len(), self.left);
        out[..values].fill(0.0);
        self.left -= (values / CHANNELS) as u64;
        values
    }
}

impl Stream for Silence {
    type Error = Infallible;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Infallible> {
        Ok(self.take(out))
    }
}

/// Changes the type of a stream's errors, so that streams of several kinds can be mixed.
#[derive(Debug, Clone)]
pub struct MapError<S, F> {
    stream: S,
    map: F,
}

impl<S: Stream, E, F: FnMut(S::Error) -> E> MapError<S, F> {
    /// Maps every error; `|never| match never {}` does for a stream that cannot fail.
    pub fn new(stream: S, map: F) -> Self {
        Self { stream, map }
    }
}

impl<S: Stream, E, F: FnMut(S::Error) -> E> Stream for MapError<S, F> {
    type Error = E;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, E> {
        self.stream.read(out).map_err(&mut self.map)
    }
}

/// How many values of whole samples fit a buffer and a number of samples left.
pub(crate) fn room(buffer: usize, left: u64) -> usize {
    let samples = (buffer / CHANNELS) as u64;
    samples.min(left) as usize * CHANNELS
}
