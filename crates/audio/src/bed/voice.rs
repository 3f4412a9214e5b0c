//! The instruments: pads of detuned oscillators, plucked notes, a bass. All read wave tables.

use super::BLOCK;
use super::harmony::frequency;
use super::random::Random;
use crate::{CHANNELS, RATE};

const SIZE: usize = 2048;

/// One period of each wave, with its first value again at the end.
pub(super) struct Tables {
    sine: Vec<f32>,
    warm: Vec<f32>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tables")
    }
}

impl Tables {
    pub(super) fn new() -> Self {
        let at = |index: usize| index as f64 / SIZE as f64;
        let pure = (0..=SIZE).map(|index| sine(at(index)) as f32).collect();
        // Few harmonics, falling fast: warm, and free of aliasing at every pitch that is played.
        let warm = (0..=SIZE).map(|index| {
            let partials = [(1.0, 1.0), (2.0, 0.42), (3.0, 0.22), (4.0, 0.10), (5.0, 0.06), (6.0, 0.03)];
            partials.iter().map(|(number, strength)| strength * sine(at(index) * number)).sum::<f64>() as f32
        });
        Self { sine: pure, warm: warm.collect() }
    }
}

/// The sine of so many turns, by a polynomial: the same on every machine.
fn sine(turns: f64) -> f64 {
    let turns = turns - turns.floor();
    // Folded to a quarter on either side of 0.
    let (sign, half) = if turns < 0.5 { (1.0, turns) } else { (-1.0, turns - 0.5) };
    let quarter = if half > 0.25 { 0.5 - half } else { half };
    let x = quarter * std::f64::consts::TAU;
    let x2 = x * x;
    let series =
        1.0 - x2 / 6.0 * (1.0 - x2 / 20.0 * (1.0 - x2 / 42.0 * (1.0 - x2 / 72.0 * (1.0 - x2 / 110.0))));
    sign * x * series
}

/// Runs through a table.
#[derive(Debug, Clone, Copy)]
struct Oscillator {
    phase: f32,
    step: f32,
}

impl Oscillator {
    fn new(frequency: f32, phase: f32) -> Self {
        Self { phase, step: frequency / RATE as f32 }
    }

    fn step(&mut self, table: &[f32]) -> f32 {
        let place = self.phase * SIZE as f32;
        let index = place as usize;
        let between = place - index as f32;
        let value = table[index] + (table[index + 1] - table[index]) * between;
        self.phase += self.step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        value
    }
}

/// One note of a chord: three oscillators a little apart in pitch and place.
#[derive(Debug)]
pub(super) struct Pad {
    oscillators: [Oscillator; 3],
    /// Strength of each oscillator in each channel.
    places: [[f32; CHANNELS]; 3],
    /// From 0 to 1, a straight line that is bent when it is used.
    level: f32,
    /// What the level gains in a block.
    slope: f32,
}

impl Pad {
    /// Samples that a note takes to die away.
    const RELEASE: u32 = RATE * 3;

    pub(super) fn new(note: u8, index: usize, attack: u32, random: &mut Random) -> Self {
        let pitch = frequency(note);
        // Four to eight cents apart.
        let apart = 0.0023 + 0.0023 * random.share();
        let oscillators =
            [1.0 - apart, 1.0, 1.0 + apart].map(|by| Oscillator::new(pitch * by, random.share() * 0.999));
        // Neighbouring notes lie on opposite sides, the outer oscillators of each wide apart.
        let lean = if index.is_multiple_of(2) { 0.12 } else { -0.12 };
        let places = [-0.75_f32, lean, 0.75].map(|place| [(1.0 - place) * 0.5, (1.0 + place) * 0.5]);
        Self { oscillators, places, level: 0.0, slope: BLOCK as f32 / attack as f32 }
    }

    pub(super) fn release(&mut self) {
        self.slope = -(BLOCK as f32) / Self::RELEASE as f32;
    }

    pub(super) fn is_over(&self) -> bool {
        self.level <= 0.0 && self.slope < 0.0
    }

    pub(super) fn add_to(&mut self, out: &mut [[f32; BLOCK]; CHANNELS], tables: &Tables) {
        let from = bend(self.level) * 0.11;
        self.level = (self.level + self.slope).clamp(0.0, 1.0);
        let rise = (bend(self.level) * 0.11 - from) / BLOCK as f32;
        let [left, right] = out;
        for (oscillator, place) in self.oscillators.iter_mut().zip(self.places) {
            let mut level = from;
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                let value = oscillator.step(&tables.warm) * level;
                *left += value * place[0];
                *right += value * place[1];
                level += rise;
            }
        }
    }
}

/// Slow at both ends.
fn bend(level: f32) -> f32 {
    level * level * (3.0 - 2.0 * level)
}

/// A plucked note: a sine, and its octave that dies away sooner.
#[derive(Debug)]
pub(super) struct Pluck {
    low: Oscillator,
    high: Oscillator,
    place: [f32; CHANNELS],
    /// Blocks until it begins.
    wait: u64,
    /// From 0 to 1 over the first milliseconds.
    attack: f32,
    low_level: f32,
    high_level: f32,
}

impl Pluck {
    /// Factors of a sample: the levels fall to a third in 0.7 s and in 0.2 s.
    const LOW_FALL: f32 = 1.0 - 1.0 / (0.7 * RATE as f32);
    const HIGH_FALL: f32 = 1.0 - 1.0 / (0.2 * RATE as f32);
    const ATTACK: f32 = 1.0 / (0.008 * RATE as f32);

    pub(super) fn new(note: u8, wait: u64, random: &mut Random) -> Self {
        let pitch = frequency(note);
        let place = random.share() * 1.3 - 0.65;
        let strength = 0.035 + 0.03 * random.share();
        Self {
            low: Oscillator::new(pitch, 0.0),
            high: Oscillator::new(pitch * 2.0, 0.0),
            place: [(1.0 - place) * 0.5, (1.0 + place) * 0.5],
            wait,
            attack: 0.0,
            low_level: strength,
            high_level: strength * 0.3,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.low_level < 1e-5
    }

    pub(super) fn add_to(&mut self, out: &mut [[f32; BLOCK]; CHANNELS], tables: &Tables) {
        if self.wait > 0 {
            self.wait -= 1;
            return;
        }
        let [left, right] = out;
        for (left, right) in left.iter_mut().zip(right.iter_mut()) {
            let value =
                self.low.step(&tables.sine) * self.low_level + self.high.step(&tables.sine) * self.high_level;
            let value = value * self.attack;
            *left += value * self.place[0];
            *right += value * self.place[1];
            self.attack = (self.attack + Self::ATTACK).min(1.0);
            self.low_level *= Self::LOW_FALL;
            self.high_level *= Self::HIGH_FALL;
        }
    }
}

/// The deepest voice, alone in the middle; it glides from note to note without a click.
#[derive(Debug)]
pub(super) struct Bass {
    low: Oscillator,
    high: Oscillator,
    level: f32,
    target: f32,
    pending: Option<u8>,
}

impl Bass {
    const STRENGTH: f32 = 0.16;
    /// Share of the way to its target that the level goes in a sample: about 60 ms.
    const PACE: f32 = 1.0 / (0.06 * RATE as f32);
    /// Factor of a sample while a note is held: it falls to a third in 4 s.
    const FALL: f32 = 1.0 - 1.0 / (4.0 * RATE as f32);

    pub(super) fn new() -> Self {
        Self {
            low: Oscillator::new(0.0, 0.0),
            high: Oscillator::new(0.0, 0.0),
            level: 0.0,
            target: 0.0,
            pending: None,
        }
    }

    pub(super) fn play(&mut self, note: u8) {
        self.pending = Some(note);
    }

    pub(super) fn fill(&mut self, out: &mut [f32; BLOCK], tables: &Tables) {
        if let Some(note) = self.pending.take() {
            let pitch = frequency(note);
            self.low = Oscillator::new(pitch, self.low.phase);
            self.high = Oscillator::new(pitch * 2.0, self.high.phase);
            self.target = Self::STRENGTH;
        }
        for value in out {
            // The octave above lets small loudspeakers hint at the note.
            *value = (self.low.step(&tables.sine) + 0.3 * self.high.step(&tables.sine)) * self.level;
            self.level += (self.target - self.level) * Self::PACE;
            self.target *= Self::FALL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomial_is_a_sine() {
        for step in -400..800 {
            let turns = f64::from(step) / 400.0;
            let exact = (turns * std::f64::consts::TAU).sin();
            assert!((sine(turns) - exact).abs() < 1e-6, "{turns}");
        }
    }
}
