//! The music bed: calm, unobtrusive music that the program makes itself, for films without a track of their own.
//!
//! Pads over a slow chord progression, a few soft plucked notes, a deep bass, a gentle room; nearly nothing above
//! 2 kHz, where speech is understood. It never repeats, has no gaps, and ends on its home chord.
//!
//! Invariant: the same seed and length give the same values on every machine: sines come from a polynomial, pitches and
//! time constants from tables and divisions, randomness from an integer generator.

mod harmony;
mod random;
mod room;
mod voice;

use std::convert::Infallible;

use crate::stream::{Stream, room};
use crate::{CHANNELS, RATE};
use harmony::{Chord, Harmony};
use random::Random;
use room::{HighPass, LowPass, Room};
use voice::{Bass, Pad, Pluck, Tables};

/// Samples computed at a time; envelopes and the score move in such steps.
const BLOCK: usize = 64;

/// Beats of one chord.
const BEATS: u64 = 8;

/// Brings the sum to about -20 LUFS; measured.
const LEVEL: f32 = 0.58;

/// Music of a given length.
#[derive(Debug)]
pub struct Bed {
    left: u64,
    random: Random,
    tables: Tables,
    harmony: Harmony,
    /// Samples of a beat, a multiple of [`BLOCK`].
    beat: u64,
    /// Beats begun.
    beats: u64,
    /// Samples until the next beat.
    until_beat: u64,
    /// Chords still to begin, the last of which is the home chord.
    chords: u64,
    chord: Chord,
    pads: Vec<Pad>,
    plucks: Vec<Pluck>,
    bass: Bass,
    mellow: [LowPass; CHANNELS],
    cutoff: Swing,
    room: Room,
    soft: [LowPass; CHANNELS],
    high: [HighPass; CHANNELS],
    block: [f32; BLOCK * CHANNELS],
    /// Values of the block that have been read.
    read: usize,
}

impl Bed {
    /// Music that sounds for so many samples. It begins at once and does not fade at its end; the mix does that.
    pub fn new(seed: u64, samples: u64) -> Self {
        let mut random = Random::new(seed);
        let tables = Tables::new();
        let per_minute = 62 + random.below(15);
        let beat = (u64::from(RATE) * 60 / per_minute).next_multiple_of(BLOCK as u64);
        let chord_length = beat * BEATS;
        let harmony = Harmony::new(&mut random);
        Self {
            left: samples,
            tables,
            chord: harmony.home(),
            harmony,
            beat,
            beats: 0,
            until_beat: 0,
            chords: (samples + chord_length / 3).div_ceil(chord_length).max(1),
            pads: Vec::new(),
            plucks: Vec::new(),
            bass: Bass::new(),
            mellow: [LowPass::new(900.0), LowPass::new(900.0)],
            cutoff: Swing::new(11 + random.below(9)),
            room: Room::new(),
            soft: [LowPass::new(2_400.0), LowPass::new(2_400.0)],
            high: [HighPass::new(35.0), HighPass::new(35.0)],
            random,
            block: [0.0; BLOCK * CHANNELS],
            read: BLOCK * CHANNELS,
        }
    }

    /// Plays what the score has for the beat that begins now.
    fn begin_beat(&mut self) {
        let in_chord = self.beats % BEATS;
        if in_chord == 0 {
            self.chords = self.chords.saturating_sub(1);
            let home = self.beats == 0 || self.chords == 0;
            self.chord = if home { self.harmony.home() } else { self.harmony.next(&mut self.random) };
            for pad in &mut self.pads {
                pad.release();
            }
            // The first chord is there at once; the others swell in while the one before dies away.
            let attack = if self.beats == 0 { RATE / 4 } else { RATE * 2 };
            for (index, note) in self.chord.pads.iter().enumerate() {
                self.pads.push(Pad::new(*note, index, attack, &mut self.random));
            }
            self.bass.play(self.chord.bass);
        } else if in_chord == BEATS / 2 {
            self.bass.play(self.chord.bass);
        }
        // Fewer notes on strong beats: the chord speaks there.
        let chance = if in_chord == 0 { 25 } else { 48 };
        if self.beats >= 2 && self.random.below(100) < chance {
            let notes = &self.chord.plucks;
            let note = notes[self.random.below(notes.len() as u64) as usize];
            let late = self.random.below(2) * self.beat / 2;
            self.plucks.push(Pluck::new(note, late / BLOCK as u64, &mut self.random));
        }
        self.beats += 1;
    }

    fn render(&mut self) {
        if self.until_beat == 0 {
            self.begin_beat();
            self.until_beat = self.beat;
        }
        self.until_beat -= BLOCK as u64;

        let mut pads = [[0.0_f32; BLOCK]; CHANNELS];
        for pad in &mut self.pads {
            pad.add_to(&mut pads, &self.tables);
        }
        self.pads.retain(|pad| !pad.is_over());
        let mut sum = [[0.0_f32; BLOCK]; CHANNELS];
        for pluck in &mut self.plucks {
            pluck.add_to(&mut sum, &self.tables);
        }
        self.plucks.retain(|pluck| !pluck.is_over());

        let cutoff = 800.0 + 300.0 * self.cutoff.step();
        for (channel, (sum, pads)) in sum.iter_mut().zip(&pads).enumerate() {
            self.mellow[channel].set(cutoff);
            for (sum, pad) in sum.iter_mut().zip(pads) {
                *sum += self.mellow[channel].step(*pad);
            }
        }
        let mut bass = [0.0; BLOCK];
        self.bass.fill(&mut bass, &self.tables);

        for index in 0..BLOCK {
            let dry = [sum[0][index], sum[1][index]];
            let wet = self.room.step(dry);
            for channel in 0..CHANNELS {
                let value = dry[channel] * 0.8 + wet[channel] * 0.35 + bass[index];
                let value = self.soft[channel].step(self.high[channel].step(value));
                self.block[index * CHANNELS + channel] = value * LEVEL;
            }
        }
        self.read = 0;
    }
}

impl Stream for Bed {
    type Error = Infallible;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Infallible> {
        let values = room(out.len(), self.left);
        let mut written = 0;
        while written < values {
            if self.read == self.block.len() {
                self.render();
            }
            let part = (values - written).min(self.block.len() - self.read);
            out[written..written + part].copy_from_slice(&self.block[self.read..self.read + part]);
            self.read += part;
            written += part;
        }
        self.left -= (values / CHANNELS) as u64;
        Ok(values)
    }
}

/// A value that moves between -1 and 1 and back over some seconds, in the smooth arcs of a parabola.
#[derive(Debug)]
struct Swing {
    phase: f32,
    step: f32,
}

impl Swing {
    fn new(seconds: u64) -> Self {
        Self { phase: 0.0, step: BLOCK as f32 / (seconds as f32 * RATE as f32) }
    }

    fn step(&mut self) -> f32 {
        self.phase += self.step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        let x = self.phase * 2.0 - 1.0;
        4.0 * x * (1.0 - x.abs())
    }
}
