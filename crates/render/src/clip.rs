//! One scene to one clip: draw every frame, encode it, write its packets.

use worker::child::{Files, Link};
use worker::{ClipTask, TaskError, Written};

use crate::container::Writer;
use crate::encode::PictureEncoder;
use crate::errors::file;
use crate::painter::Painter;

/// The parent hears of every so many frames.
const PROGRESS_EVERY: u64 = 10;

/// Encodes the scene of a task.
pub(crate) fn encode(task: &ClipTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let overlays = files.take().map_err(file("opening captions"))?;
    let out = files.take().map_err(file("opening the clip"))?;
    let total = task.scene.frames;
    let mut painter = Painter::open(task, link, &overlays)?;
    let mut encoder = PictureEncoder::open(task.canvas, task.fps, &task.encoder, total)?;
    let mut writer = Writer::new(out, &encoder.extradata(), task.fps).map_err(file("writing the clip"))?;
    let mut keep = |packet: &_| writer.write(packet).map_err(file("writing the clip"));
    for frame in 0..total {
        let picture = painter.frame(frame)?;
        encoder.send(&picture, &mut keep)?;
        if frame % PROGRESS_EVERY == 0 {
            link.progress(frame, total);
        }
    }
    encoder.finish(&mut keep)?;
    let head = writer.finish().map_err(file("writing the clip"))?;
    if head.packets != total || head.ends_on_key {
        return Err(TaskError::internal(format!("{} pictures of {total} were encoded", head.packets)));
    }
    link.progress(total, total);
    Ok(Written { frames: head.packets, notes: painter.notes() })
}
