//! Which chords follow each other, and where their notes lie. Notes are MIDI numbers.

use super::random::Random;

/// A chord: its root in semitones above the key, and the notes above the root.
type Shape = (u8, [u8; 4]);

const HOME: Shape = (0, [0, 4, 7, 14]);

/// Progressions of chords that rest rather than drive; each is left after its last chord for any of them.
const PROGRESSIONS: [[Shape; 4]; 6] = [
    [HOME, (9, [0, 3, 7, 10]), (5, [0, 4, 7, 11]), (7, [0, 5, 7, 14])],
    [(5, [0, 4, 7, 11]), HOME, (2, [0, 3, 7, 10]), (9, [0, 3, 7, 14])],
    [HOME, (4, [0, 3, 7, 10]), (5, [0, 4, 7, 14]), (0, [0, 5, 7, 14])],
    [(9, [0, 3, 7, 10]), (5, [0, 4, 7, 14]), HOME, (7, [0, 5, 7, 12])],
    [HOME, (5, [0, 4, 7, 11]), (2, [0, 3, 7, 10]), (5, [0, 4, 7, 14])],
    [(0, [0, 4, 7, 11]), (2, [0, 5, 7, 10]), (9, [0, 3, 7, 14]), (5, [0, 4, 7, 11])],
];

/// Lowest note of the pads, whose chords lie within an octave above: from one chord to the next no voice moves far.
const PADS_FROM: u8 = 53;

/// Lowest note of the bass and of the plucked notes.
const BASS_FROM: u8 = 33;
const PLUCKS_FROM: u8 = 65;

/// A chord with its notes in place.
#[derive(Debug, Clone)]
pub(super) struct Chord {
    pub(super) bass: u8,
    pub(super) pads: [u8; 4],
    pub(super) plucks: [u8; 5],
}

/// A key and the place in a progression.
#[derive(Debug)]
pub(super) struct Harmony {
    key: u8,
    progression: usize,
    step: usize,
}

impl Harmony {
    pub(super) fn new(random: &mut Random) -> Self {
        let key = random.below(12) as u8;
        let progression = random.below(PROGRESSIONS.len() as u64) as usize;
        Self { key, progression, step: 1 }
    }

    /// The chord that a bed begins and ends on.
    pub(super) fn home(&self) -> Chord {
        self.chord(HOME)
    }

    /// The next chord.
    pub(super) fn next(&mut self, random: &mut Random) -> Chord {
        if self.step == PROGRESSIONS[0].len() {
            self.step = 0;
            self.progression = random.below(PROGRESSIONS.len() as u64) as usize;
        }
        let shape = PROGRESSIONS[self.progression][self.step];
        self.step += 1;
        self.chord(shape)
    }

    fn chord(&self, (root, intervals): Shape) -> Chord {
        let root = self.key + root;
        let at = |from: u8, note: u8| from + (note + 120 - from) % 12;
        let mut pads = intervals.map(|interval| at(PADS_FROM, root + interval));
        pads.sort_unstable();
        let plucks = [0, 2, 7, 12, 14].map(|interval| {
            // The second is in the key above each of these roots, and the fifth is in every chord.
            at(PLUCKS_FROM, root + interval % 12) + if interval >= 12 { 12 } else { 0 }
        });
        Chord { bass: at(BASS_FROM, root), pads, plucks: plucks.map(|note| note.min(PLUCKS_FROM + 16)) }
    }
}

/// The frequency of a note in hertz.
pub(super) fn frequency(note: u8) -> f32 {
    /// Notes 60 to 71.
    const MIDDLE: [f32; 12] = [
        261.625_58, 277.182_62, 293.664_76, 311.126_98, 329.627_56, 349.228_24, 369.994_42, 391.995_42,
        415.304_7, 440.0, 466.163_76, 493.883_3,
    ];
    let octave = i32::from(note / 12) - 5;
    let factor = if octave >= 0 { (1_u32 << octave) as f32 } else { 1.0 / (1_u32 << -octave) as f32 };
    MIDDLE[usize::from(note % 12)] * factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_have_their_frequencies() {
        for (note, expected) in [(69, 440.0), (57, 220.0), (33, 55.0), (60, 261.625_58), (81, 880.0)] {
            assert!((frequency(note) - expected).abs() < 0.01, "{note}");
        }
    }

    #[test]
    fn voices_stay_in_their_places() {
        for seed in 0..40 {
            let mut random = Random::new(seed);
            let mut harmony = Harmony::new(&mut random);
            for _ in 0..20 {
                let chord = harmony.next(&mut random);
                assert!((33..45).contains(&chord.bass));
                assert!(chord.pads.iter().all(|note| (53..65).contains(note)));
                assert!(chord.plucks.iter().all(|note| (65..=81).contains(note)));
            }
        }
    }
}
