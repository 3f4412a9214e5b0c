//! The sum of tracks, each with its place, its gain and its fade.
//!
//! Invariants: the mix has exactly the length asked for, whatever its tracks do; a value that is no number counts as 0;
//! a track is read only from its start on, and dropped (with the decoder behind it) when its time is over.

use crate::CHANNELS;
use crate::stream::{Stream, room};

/// Values summed at a time.
const BLOCK: usize = 2048 * CHANNELS;

/// Values are kept within this, so that a broken source cannot push others out of a float's precision.
const LOUDEST: f32 = 64.0;

/// One stream in a mix.
pub struct Track<'a, E> {
    /// What is heard. Where it ends before `length`, silence follows.
    pub stream: Box<dyn Stream<Error = E> + 'a>,
    /// Where it starts, in samples of the mix.
    pub start: u64,
    /// For how many samples it is heard.
    pub length: u64,
    /// Linear amplitude.
    pub gain: f32,
    /// Over how many samples before its end it fades out; 0 for none.
    pub fade_out: u64,
}

impl<E> std::fmt::Debug for Track<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { start, length, gain, fade_out, .. } = self;
        write!(f, "Track {{ start: {start}, length: {length}, gain: {gain}, fade_out: {fade_out}, .. }}")
    }
}

impl<E> Track<'_, E> {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    /// The factor at a sample of the mix.
    fn gain_at(&self, position: u64) -> f32 {
        let left = self.end().saturating_sub(position);
        if left >= self.fade_out {
            return self.gain;
        }
        // The square sounds like an even fall, where a straight line seems to hang and then drop.
        let share = (left as f64 / self.fade_out as f64) as f32;
        self.gain * share * share
    }
}

/// Sums tracks into one stream.
#[derive(Debug)]
pub struct Mixer<'a, E> {
    tracks: Vec<Track<'a, E>>,
    position: u64,
    length: u64,
    block: Vec<f32>,
}

impl<'a, E> Mixer<'a, E> {
    /// A mix of so many samples; silent where no track is heard.
    pub fn new(length: u64) -> Self {
        Self { tracks: Vec::new(), position: 0, length, block: vec![0.0; BLOCK] }
    }

    /// Adds a track; what lies outside the mix is not heard.
    pub fn add(&mut self, track: Track<'a, E>) {
        self.tracks.push(track);
    }
}

impl<E> Stream for Mixer<'_, E> {
    type Error = E;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, E> {
        let values = room(out.len().min(BLOCK), self.length - self.position);
        let out = &mut out[..values];
        out.fill(0.0);
        let (from, to) = (self.position, self.position + (values / CHANNELS) as u64);
        for track in &mut self.tracks {
            let (first, last) = (track.start.max(from), track.end().min(to));
            if first >= last {
                continue;
            }
            let wanted = (last - first) as usize * CHANNELS;
            let read = track.stream.read_full(&mut self.block[..wanted])?;
            let into = &mut out[(first - from) as usize * CHANNELS..][..read];
            let block = &mut self.block[..read];
            // Flat loops over values, so that they vectorise.
            for value in block.iter_mut() {
                *value = if value.is_finite() { value.clamp(-LOUDEST, LOUDEST) } else { 0.0 };
            }
            let even = track.end().saturating_sub(track.fade_out).clamp(first, last) - first;
            let (even, faded) = block.split_at((even as usize * CHANNELS).min(read));
            let (into_even, into_faded) = into.split_at_mut(even.len());
            for (into, value) in into_even.iter_mut().zip(even) {
                *into += value * track.gain;
            }
            let faded = into_faded.chunks_exact_mut(CHANNELS).zip(faded.chunks_exact(CHANNELS));
            for (position, (into, sample)) in (first + (even.len() / CHANNELS) as u64..).zip(faded) {
                let gain = track.gain_at(position);
                for (into, value) in into.iter_mut().zip(sample) {
                    *into += value * gain;
                }
            }
        }
        self.position = to;
        self.tracks.retain(|track| track.end() > to);
        Ok(values)
    }
}
