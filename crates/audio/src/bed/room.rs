//! Filters and the room: parallel combs with damping, then all-passes, a little different in each channel.

use crate::{CHANNELS, RATE};

/// A one-pole low-pass, twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct LowPass {
    share: f32,
    state: [f32; 2],
}

impl LowPass {
    pub(super) fn new(hertz: f32) -> Self {
        Self { share: share(hertz), state: [0.0; 2] }
    }

    pub(super) fn set(&mut self, hertz: f32) {
        self.share = share(hertz);
    }

    pub(super) fn step(&mut self, value: f32) -> f32 {
        self.state[0] += (value - self.state[0]) * self.share;
        self.state[1] += (self.state[0] - self.state[1]) * self.share;
        self.state[1]
    }
}

/// A one-pole high-pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct HighPass {
    share: f32,
    state: f32,
}

impl HighPass {
    pub(super) fn new(hertz: f32) -> Self {
        Self { share: share(hertz), state: 0.0 }
    }

    pub(super) fn step(&mut self, value: f32) -> f32 {
        self.state += (value - self.state) * self.share;
        value - self.state
    }
}

/// How much of the difference a one-pole filter takes up in a sample.
fn share(hertz: f32) -> f32 {
    let turn = std::f32::consts::TAU * hertz / RATE as f32;
    turn / (1.0 + turn)
}

/// A line of samples that comes out as late as it is long.
#[derive(Debug)]
struct Line {
    values: Vec<f32>,
    at: usize,
}

impl Line {
    fn new(length: usize) -> Self {
        Self { values: vec![0.0; length], at: 0 }
    }

    fn out(&self) -> f32 {
        self.values[self.at]
    }

    fn put(&mut self, value: f32) {
        self.values[self.at] = value;
        self.at += 1;
        if self.at == self.values.len() {
            self.at = 0;
        }
    }
}

#[derive(Debug)]
struct Side {
    combs: [(Line, f32); 5],
    passes: [Line; 3],
}

impl Side {
    /// The lengths are prime, so that the echoes do not fall together; the other channel's are longer.
    fn new(longer: usize) -> Self {
        Self {
            combs: [1_433, 1_601, 1_867, 2_053, 2_251].map(|length| (Line::new(length + longer), 0.0)),
            passes: [241, 607, 863].map(|length| Line::new(length + longer / 2)),
        }
    }

    fn step(&mut self, value: f32) -> f32 {
        let mut sum = 0.0;
        for (line, dull) in &mut self.combs {
            let out = line.out();
            // Every echo loses some of its brightness.
            *dull += (out - *dull) * 0.45;
            line.put(value + *dull * 0.84);
            sum += out;
        }
        let mut value = sum * 0.2;
        for line in &mut self.passes {
            let out = line.out();
            let into = value + out * 0.5;
            line.put(into);
            value = out - into * 0.5;
        }
        value
    }
}

/// A stereo room; only what comes back from its walls.
#[derive(Debug)]
pub(super) struct Room([Side; CHANNELS]);

impl Room {
    pub(super) fn new() -> Self {
        Self([Side::new(0), Side::new(46)])
    }

    pub(super) fn step(&mut self, [left, right]: [f32; CHANNELS]) -> [f32; CHANNELS] {
        // Each wall hears a little of the other side too.
        let [first, second] = &mut self.0;
        [first.step(left * 0.8 + right * 0.2), second.step(right * 0.8 + left * 0.2)]
    }
}
