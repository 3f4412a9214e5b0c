//! A short sound, decoded once and heard again and again.

use std::rc::Rc;

use audio::Stream;
use worker::TaskError;
use worker::child::Link;

use super::{Listener, Sample};

/// Samples of a round that are kept at most, to be heard again without decoding: about 65 seconds, 24 MiB.
const KEPT: usize = (24 << 20) / size_of::<Sample>();

/// Hears a source's sound from its start, at most so many samples, and keeps it where it is short enough.
///
/// # Errors
/// Whatever opening, reading or decoding the source suffers.
pub(crate) fn hear(
    link: &Link,
    source: usize,
    samples: u64,
    mut heard: impl FnMut(&[f32]),
) -> Result<Option<Kept>, TaskError> {
    let mut listener = Listener::open(link, source)?;
    let mut left = usize::try_from(samples).unwrap_or(usize::MAX);
    let mut kept = Some(Vec::with_capacity(KEPT.min(left)));
    let mut values = Vec::new();
    loop {
        let samples = listener.read_samples(left)?;
        if samples.is_empty() {
            return Ok(kept.map(|samples| Kept { samples: samples.into(), next: 0 }));
        }
        left -= samples.len();
        values.clear();
        values.extend(samples.iter().flat_map(|(left, right)| [*left, *right]));
        heard(&values);
        match &mut kept {
            Some(kept) if kept.len() + samples.len() <= KEPT => kept.extend_from_slice(samples),
            _ => kept = None,
        }
    }
}

/// What was heard and kept, again and again. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Kept {
    samples: Rc<Vec<Sample>>,
    next: usize,
}

impl Stream for Kept {
    type Error = TaskError;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, TaskError> {
        if self.next == self.samples.len() {
            self.next = 0;
        }
        let samples = &self.samples[self.next..];
        let samples = &samples[..samples.len().min(out.len() / 2)];
        for (to, (left, right)) in out.chunks_exact_mut(2).zip(samples) {
            to.copy_from_slice(&[*left, *right]);
        }
        self.next += samples.len();
        Ok(samples.len() * 2)
    }
}
