//! The signal work, judged by measuring what comes out.

mod bed;
mod limiter;
mod loudness;
mod mixer;

use std::convert::Infallible;

use audio::{CHANNELS, Meter, RATE, Stream};

/// A stream over values, which gives as many at a time as it is told to.
struct Values {
    values: Vec<f32>,
    at: usize,
    portion: usize,
}

impl Values {
    fn new(values: Vec<f32>) -> Self {
        Self { values, at: 0, portion: 1234 }
    }
}

impl Stream for Values {
    type Error = Infallible;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, Infallible> {
        let count = out.len().min(self.portion).min(self.values.len() - self.at) / CHANNELS * CHANNELS;
        out[..count].copy_from_slice(&self.values[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Everything that a stream has, read in portions of an odd size.
fn all<S: Stream>(mut stream: S) -> Vec<f32>
where
    S::Error: std::fmt::Debug,
{
    let mut values = Vec::new();
    let mut buffer = [0.0; 1777];
    loop {
        let count = stream.read(&mut buffer).expect("a stream that does not fail");
        assert_eq!(count % CHANNELS, 0);
        if count == 0 {
            return values;
        }
        values.extend_from_slice(&buffer[..count]);
    }
}

/// A sine in both channels.
fn tone(hertz: f64, amplitude: f32, samples: usize) -> Vec<f32> {
    shape(samples, |index| {
        amplitude * (std::f64::consts::TAU * hertz * index as f64 / f64::from(RATE)).sin() as f32
    })
}

/// The same values in both channels.
fn shape(samples: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
    (0..samples).flat_map(|index| [value(index); CHANNELS]).collect()
}

fn measured(values: &[f32]) -> Meter {
    let mut meter = Meter::new();
    meter.feed(values);
    meter
}

/// Root of the mean square in decibels.
fn level(values: &[f32]) -> f64 {
    let sum: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
    audio::decibels((sum / values.len() as f64).sqrt())
}
