//! Honest progress: one number for the whole job that only rises.

use std::sync::Mutex;

use crate::job::{JobContext, Progress, Stage};

/// What share of a job each stage is, in percent: where it begins and where it ends.
const PLANNING: (u64, u64) = (0, 8);
const RENDERING: (u64, u64) = (8, 92);
const ASSEMBLING: (u64, u64) = (92, 99);

/// Counts the work of one job and reports it.
pub(crate) struct Meter<'a> {
    context: &'a JobContext,
    last: Mutex<Option<Progress>>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(context: &'a JobContext) -> Self {
        Self { context, last: Mutex::new(None) }
    }

    /// So much of a stage is done.
    pub(crate) fn report(&self, stage: Stage, done: u64, total: u64, scenes: Option<(usize, usize)>) {
        let (from, to) = match stage {
            Stage::Planning => PLANNING,
            Stage::Rendering => RENDERING,
            Stage::Assembling => ASSEMBLING,
            Stage::Delivering => (ASSEMBLING.1, ASSEMBLING.1),
        };
        let share = (to - from) * done.min(total) / total.max(1);
        let percent = u8::try_from(from + share).unwrap_or(99);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let progress = match *last {
            Some(before) if before.stage > stage => return,
            Some(before) => Progress { stage, scenes, percent: percent.max(before.percent) },
            None => Progress { stage, scenes, percent },
        };
        if *last != Some(progress) {
            *last = Some(progress);
            (self.context.progress)(progress);
        }
    }
}
