//! One scene to one clip: draw each picture of its takes once, encode it or let the source's own packets pass, and note
//! how it is played.

use plan::{Play, Takes};
use worker::child::{Files, Link};
use worker::{ClipTask, TaskError, Written};

use crate::container::{Head, Run, Writer};
use crate::encode::{PictureEncoder, roles};
use crate::errors::file;
use crate::frames::digest;
use crate::painter::Painter;
use crate::passage;

/// The parent hears of every so many pictures.
const PROGRESS_EVERY: u64 = 10;

/// Encodes the scene of a task.
pub(crate) fn encode(task: &ClipTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let overlays = files.take().map_err(file("opening captions"))?;
    let out = files.take().map_err(file("opening the clip"))?;
    let total = task.takes.encoded();
    if task.takes.played() != task.scene.frames {
        return Err(TaskError::internal("the takes do not cover the scene"));
    }
    let mut painter = Painter::open(task, link, &overlays)?;
    let mut encoder = PictureEncoder::open(task.canvas, task.fps, &task.encoder)?;
    let extradata = encoder.extradata();
    let mut writer = Writer::new(out, &extradata, task.fps).map_err(file("writing the clip"))?;
    let (passages, not_copied) = match passage::find(task, link, &extradata, &mut writer)? {
        Ok(passages) => (passages, None),
        Err(why) => (Vec::new(), why),
    };
    let mut keep = |packet: &_| writer.write(packet).map_err(file("writing the clip"));
    let mut digests = Vec::new();
    let pictures = task.takes.drawn().zip(roles(total, passage::keys(&task.takes, &passages)));
    for ((frame, role), number) in pictures.zip(0..) {
        if passage::covers(&passages, number) {
            continue;
        }
        let picture = painter.frame(frame)?;
        if task.digests {
            digests.push(digest(picture));
        }
        encoder.send(number, picture, role, &mut keep)?;
        if number % PROGRESS_EVERY == 0 {
            link.progress(number, total);
        }
    }
    encoder.finish(&mut keep)?;
    for passage in &passages {
        writer.insert(writer.before(passage.first.cast_signed()), &passage.packets);
    }
    let copied = passages.iter().map(|passage| passage.packets.len() as u64).sum();
    let head = writer.finish_with(runs(&task.takes)).map_err(file("writing the clip"))?;
    check(&head, total)?;
    link.progress(total, total);
    Ok(Written { frames: head.packets, notes: painter.notes(), copied, not_copied, digests })
}

/// Plays as runs of packets: takes are closed, so a row of pictures and its packets have the same numbers.
fn runs(takes: &Takes) -> Vec<Run> {
    let run = |play: &Play| Run {
        first: play.first,
        packets: play.frames,
        start: play.first.cast_signed(),
        length: play.frames,
        times: play.times,
    };
    takes.plays.iter().map(run).collect()
}

fn check(head: &Head, total: u64) -> Result<(), TaskError> {
    if head.packets == total {
        return Ok(());
    }
    Err(TaskError::internal(format!("{} pictures of {total} were encoded", head.packets)))
}
