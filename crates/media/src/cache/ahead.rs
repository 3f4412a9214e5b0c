//! How far to read ahead of whom.
//!
//! One object is read by several at a time: the pictures of two scenes, the sound. Each is a run of its own. What is
//! read ahead of a run and then not wanted is wasted, so it is at most a small number of blocks, or a small part of
//! what the run has read already.

use std::ops::Range;

/// Runs that are kept apart; the one that rested longest gives way.
const RUNS: usize = 8;
/// Blocks read ahead of a run that has just begun to be one.
const FIRST: u64 = 4;
/// Of a long run, this part is read ahead.
const PART: u64 = 16;

/// The runs of one object's reads.
#[derive(Debug)]
pub(super) struct Ahead {
    most: u64,
    /// The youngest last.
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    /// Where the last read ended.
    next: u64,
    /// Blocks read.
    length: u64,
    /// How far was read ahead.
    until: u64,
}

impl Ahead {
    /// At most `most` blocks ahead.
    pub(super) fn new(most: u64) -> Self {
        Self { most, runs: Vec::new() }
    }

    /// Notes a read of `blocks` of an object of `end` blocks, and answers with what to read ahead now: nothing at a
    /// jump, then a window that grows with the run, topped up when half of it is used, so that requests stay few.
    pub(super) fn read(&mut self, blocks: &Range<u64>, end: u64) -> Range<u64> {
        let nothing = blocks.end..blocks.end;
        let continued = |run: &Run| blocks.start + 1 >= run.next && blocks.start <= run.next.max(run.until);
        let run = match self.runs.iter().rposition(continued) {
            Some(index) => {
                let run = self.runs.remove(index);
                let more = blocks.end.saturating_sub(run.next);
                Run { next: run.next.max(blocks.end), length: run.length + more, ..run }
            }
            None => Run { next: blocks.end, length: 1, until: 0 },
        };
        if self.runs.len() >= RUNS {
            self.runs.remove(0);
        }
        self.runs.push(run);
        let window = if run.length > 1 { run.length.min(FIRST.max(run.length / PART)) } else { 0 };
        let window = window.min(self.most);
        if run.until >= run.next + window.div_ceil(2) {
            return nothing;
        }
        let more = run.until.max(run.next)..(run.next + window).min(end);
        if more.is_empty() {
            return nothing;
        }
        if let Some(run) = self.runs.last_mut() {
            run.until = more.end;
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_who_take_turns_are_two_runs() {
        let mut ahead = Ahead::new(32);
        let mut asked = [0, 0];
        for step in 0..50 {
            for (run, base) in [0, 1000].into_iter().enumerate() {
                let more = ahead.read(&(base + step..base + step + 1), 5000);
                asked[run] += more.end - more.start;
            }
        }
        assert_eq!(asked, [52, 52]);
    }

    #[test]
    fn a_jump_reads_nothing_ahead_and_a_skip_within_the_window_is_no_jump() {
        let mut ahead = Ahead::new(32);
        for block in [10, 500, 90, 7, 2000] {
            assert!(ahead.read(&(block..block + 1), 5000).is_empty());
        }
        assert_eq!(ahead.read(&(2001..2002), 5000), 2002..2004);
        assert_eq!(ahead.read(&(2003..2004), 5000), 2004..2008);
        // Again from the same place: a new run, of which all is held already.
        assert!(ahead.read(&(2000..2001), 5000).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_read_ahead_is_small_and_within_the_object(
            most in 0..40_u64,
            reads in proptest::collection::vec((0..300_u64, 1..9_u64, 1..60_u64), 1..20),
        ) {
            let end = 400;
            let mut ahead = Ahead::new(most);
            for (start, width, times) in reads {
                for step in 0..times {
                    let first = (start + step).min(end - 1);
                    let blocks = first..(first + width).min(end);
                    let more = ahead.read(&blocks, end);
                    prop_assert!(more.is_empty() || (more.start >= blocks.end && more.end <= end));
                    prop_assert!(more.end - more.start <= most);
                    prop_assert!(ahead.runs.len() <= RUNS);
                }
            }
        }

        #[test]
        fn a_run_that_ends_anywhere_wastes_little(length in 1..3000_u64) {
            let mut ahead = Ahead::new(64);
            let mut until = 0;
            for block in 0..length {
                until = until.max(block + 1).max(ahead.read(&(block..block + 1), 10_000).end);
            }
            prop_assert!(until - length <= FIRST.max(length / PART));
        }
    }
}
