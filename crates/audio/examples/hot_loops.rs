//! Runs one hot loop of the sound on the same made-up signal every time, so that its instructions can be counted:
//! `valgrind --tool=callgrind target/release/examples/hot_loops limiter`.
//!
//! Prints a number that depends on everything computed, so that nothing is optimised away.

use std::convert::Infallible;

use audio::{Bed, CHANNELS, Meter, Mixer, RATE, Stream, Track, TruePeakLimiter};

/// Samples that each loop works on: 10 seconds.
const SAMPLES: usize = 10 * RATE as usize;

/// Ten seconds of noise from a congruential generator, quiet or loud.
struct Noise {
    state: u32,
    left: usize,
    amplitude: f32,
}

impl Noise {
    fn new(amplitude: f32) -> Self {
        Self { state: 1, left: SAMPLES * CHANNELS, amplitude }
    }
}

impl Stream for Noise {
    type Error = Infallible;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Infallible> {
        let values = out.len().min(self.left) / CHANNELS * CHANNELS;
        self.left -= values;
        for value in &mut out[..values] {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *value = self.amplitude * ((self.state >> 8) as f32 / (1_u32 << 23) as f32 - 1.0);
        }
        Ok(values)
    }
}

/// Reads a stream to its end, in the blocks of an AAC encoder.
fn sum(mut stream: impl Stream<Error = Infallible>) -> f64 {
    let mut block = [0.0; 1024 * CHANNELS];
    let mut sum = 0.0;
    loop {
        match stream.read_full(&mut block) {
            Ok(0) => return sum,
            Ok(values) => sum += f64::from(block[values - 1]),
            Err(never) => match never {},
        }
    }
}

fn measure(mut meter: Meter) -> Meter {
    let (mut noise, mut block) = (Noise::new(0.3), [0.0; 4096 * CHANNELS]);
    loop {
        match noise.read(&mut block) {
            Ok(0) => return meter,
            Ok(values) => meter.feed(&block[..values]),
            Err(never) => match never {},
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's answer")]
fn main() -> std::process::ExitCode {
    let length = SAMPLES as u64;
    let result = match std::env::args().nth(1).as_deref() {
        // What the others are fed, to be taken off their counts.
        Some("noise") => sum(Noise::new(0.3)),
        Some("limiter") => sum(TruePeakLimiter::new(Noise::new(0.3))),
        Some("limiter-loud") => sum(TruePeakLimiter::new(Noise::new(1.5))),
        Some("mixer") => {
            let mut mixer = Mixer::new(length);
            for gain in [0.5, 0.25] {
                let stream = Box::new(Noise::new(0.3));
                mixer.add(Track { stream, start: 0, length, gain, fade_out: length / 10 });
            }
            sum(mixer)
        }
        Some("loudness") => measure(Meter::of_loudness()).integrated().unwrap_or(0.0),
        Some("true-peak") => measure(Meter::of_true_peak()).true_peak(),
        Some("bed") => sum(Bed::new(7, length)),
        _ => {
            eprintln!("hot_loops noise|limiter|limiter-loud|mixer|loudness|true-peak|bed");
            return std::process::ExitCode::from(2);
        }
    };
    println!("{result}");
    std::process::ExitCode::SUCCESS
}
