//! What is on screen when: a scene's frames cut where the caption page or the motion behind it changes.
//!
//! Invariants: spans cover the scene without gap or overlap; a looped span is longer than its period; none is shorter
//! than 2 frames.

use crate::background::Behind;
use crate::model::{Motion, Span};
use crate::timeline::LEAST_FRAMES;

/// Shares a scene's frames among caption pages in proportion to their reading times. Pages for which there is no
/// room, which an author can only force, are left out at the end.
pub(crate) fn share(frames: u64, weights_us: &[u64]) -> Vec<u64> {
    let room = usize::try_from(frames / LEAST_FRAMES).unwrap_or(usize::MAX);
    let weights: Vec<u64> = weights_us.iter().take(room).map(|weight| (*weight).max(1)).collect();
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut shares = Vec::with_capacity(weights.len());
    let (mut upto, mut start) = (0_u128, 0_u64);
    for (index, weight) in weights.iter().enumerate() {
        upto += u128::from(*weight);
        let ideal = (u128::from(frames) * upto * 2 + total) / (total.max(1) * 2);
        let pages_after = (weights.len() - index - 1) as u64;
        let latest = frames - pages_after * LEAST_FRAMES;
        let end = u64::try_from(ideal).unwrap_or(latest).clamp(start + LEAST_FRAMES, latest);
        shares.push(end - start);
        start = end;
    }
    shares
}

/// The spans of a scene of `frames` whose background begins at frame `offset` of its joined cuts and whose caption
/// pages last `pages` frames each.
pub(crate) fn spans(frames: u64, pages: &[u64], behind: &Behind, offset: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    if pages.is_empty() {
        push(&mut spans, 0, frames, None, behind, offset);
    }
    let mut start = 0;
    for (page, frames) in pages.iter().enumerate() {
        push(&mut spans, start, *frames, Some(page), behind, offset);
        start += frames;
    }
    spans
}

fn push(spans: &mut Vec<Span>, start: u64, frames: u64, page: Option<usize>, behind: &Behind, offset: u64) {
    let mut add = |start: u64, frames: u64, motion: Motion| spans.push(Span { start, frames, page, motion });
    let (period, looped) = match behind {
        Behind::Video { cuts, looped, .. } if !cuts.is_empty() => (behind.frames(), *looped),
        Behind::Video { .. } => return add(start, frames, Motion::Full),
        _ => return add(start, frames, Motion::Still),
    };
    if period <= 1 {
        return add(start, frames, Motion::Still);
    }
    if looped {
        let phase = (offset + start) % period;
        // One that is not longer than its period repeats nothing.
        let motion = if frames > period {
            Motion::Loop { phase, period, tail: frames % period }
        } else {
            Motion::Full
        };
        return add(start, frames, motion);
    }
    // Frame of the scene that shows the video's last frame; it holds from there on.
    let last = (period - 1).saturating_sub(offset);
    let end = start + frames;
    if last <= start {
        add(start, frames, Motion::Still);
    } else if last + 1 + LEAST_FRAMES > end || last + 1 - start < LEAST_FRAMES {
        add(start, frames, Motion::Full);
    } else {
        add(start, last + 1 - start, Motion::Full);
        add(last + 1, end - last - 1, Motion::Still);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cut;
    use storyboard::{Fit, Rgba};

    fn video(frames: u64, looped: bool) -> Behind {
        let cuts = vec![Cut { start_us: 0, frames }];
        Behind::Video { source: 0, fit: Fit::Cover, cuts, looped, audible: false }
    }

    fn motions(frames: u64, pages: &[u64], behind: &Behind, offset: u64) -> Vec<(u64, u64, Motion)> {
        spans(frames, pages, behind, offset)
            .into_iter()
            .map(|span| (span.start, span.frames, span.motion))
            .collect()
    }

    #[test]
    fn a_still_is_a_row_of_stills() {
        let colour = Behind::Colour(Rgba::new(0, 0, 0, 255));
        assert_eq!(motions(90, &[40, 50], &colour, 0), [(0, 40, Motion::Still), (40, 50, Motion::Still)]);
    }

    #[test]
    fn a_loop_keeps_its_phase_and_tail() {
        let looped = |phase, tail| Motion::Loop { phase, period: 60, tail };
        assert_eq!(motions(150, &[], &video(60, true), 0), [(0, 150, looped(0, 30))]);
        assert_eq!(
            motions(150, &[70, 80], &video(60, true), 50),
            [(0, 70, looped(50, 10)), (70, 80, looped(0, 20))]
        );
        assert_eq!(
            motions(150, &[60, 90], &video(60, true), 0),
            [(0, 60, Motion::Full), (60, 90, looped(0, 30))]
        );
        assert_eq!(motions(100, &[], &video(100, true), 0), [(0, 100, Motion::Full)]);
        assert_eq!(motions(100, &[], &video(1, true), 0), [(0, 100, Motion::Still)]);
    }

    #[test]
    fn without_a_loop_the_last_frame_holds() {
        assert_eq!(motions(150, &[], &video(60, false), 0), [(0, 60, Motion::Full), (60, 90, Motion::Still)]);
        assert_eq!(motions(150, &[], &video(150, false), 0), [(0, 150, Motion::Full)]);
        assert_eq!(motions(61, &[], &video(60, false), 0), [(0, 61, Motion::Full)]);
        assert_eq!(motions(100, &[], &video(60, false), 59), [(0, 100, Motion::Still)]);
        assert_eq!(
            motions(100, &[30, 70], &video(60, false), 20),
            [(0, 30, Motion::Full), (30, 10, Motion::Full), (40, 60, Motion::Still)]
        );
    }

    #[test]
    fn pages_share_frames() {
        assert_eq!(share(90, &[1, 2]), [30, 60]);
        assert_eq!(share(7, &[1, 1_000_000, 1]), [2, 3, 2]);
        assert_eq!(share(5, &[1, 1, 1]), [3, 2]);
        assert_eq!(share(150, &[]), Vec::<u64>::new());
    }
}
