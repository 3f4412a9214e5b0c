//! The painter draws any frame of one scene: background, logo, caption.
//!
//! Invariants: frames are asked in rising order; equal pictures are drawn once and shared, so a returned frame is
//! never drawn on again. The preview and the film use this same painter.

use std::fs::File;
use std::os::unix::fs::FileExt;

use ffmpeg_next as ffmpeg;
use plan::{BackgroundPlan, Cut, LogoPlan};
use storyboard::{Canvas, Fit, Horizontal, Vertical};
use worker::child::Link;
use worker::{ClipTask, Note, TaskError};

use crate::backdrop;
use crate::errors::{ours, unreadable};
use crate::filter::ToCanvas;
use crate::input;
use crate::overlay::{Overlay, flatten};
use crate::track::{Decoded, VideoTrack};

/// Draws the frames of one scene.
pub(crate) struct Painter {
    canvas: Canvas,
    fps: u32,
    background: Background,
    logo: Option<Overlay>,
    pages: Vec<Option<Overlay>>,
    spans: Vec<plan::Span>,
    /// Background serial, page, and the frame drawn from them.
    drawn: Option<(u64, Option<usize>, ffmpeg::frame::Video)>,
    notes: Vec<Note>,
}

enum Background {
    Still(ffmpeg::frame::Video),
    Moving(Box<Moving>),
}

struct Moving {
    source: usize,
    link: Link,
    track: VideoTrack,
    to_canvas: ToCanvas,
    cuts: Vec<Cut>,
    offset: u64,
    looped: bool,
    /// Frame of the joined cuts that was shown last.
    position: Option<u64>,
    converted: Option<(u64, ffmpeg::frame::Video)>,
    ended_early: bool,
    serial_base: u64,
}

impl Painter {
    /// Opens what the scene needs; `overlays` holds the captions' pixels.
    pub(crate) fn open(task: &ClipTask, link: &Link, overlays: &File) -> Result<Self, TaskError> {
        let canvas = task.canvas;
        let background = match &task.scene.background {
            BackgroundPlan::Colour(colour) => Background::Still(backdrop::colour(canvas, *colour)),
            BackgroundPlan::Generated { seed } => Background::Still(backdrop::generated(canvas, *seed)),
            BackgroundPlan::Image { source, fit } => Background::Still(still(link, *source, canvas, *fit)?),
            BackgroundPlan::Video { source, fit, cuts, offset, looped } => {
                Background::Moving(Box::new(Moving {
                    source: *source,
                    link: link.clone(),
                    track: VideoTrack::open(input::open(link, *source)?, *source)?,
                    to_canvas: ToCanvas::new(canvas, *fit),
                    cuts: cuts.clone(),
                    offset: *offset,
                    looped: *looped,
                    position: None,
                    converted: None,
                    ended_early: false,
                    serial_base: 0,
                }))
            }
        };
        let logo = task.logo.as_ref().map(|logo| logo_overlay(link, logo, canvas)).transpose()?;
        let pages = task.overlays.iter().map(|page| {
            let Some(page) = page else { return Ok(None) };
            let mut rgba = vec![0; page.width as usize * page.height as usize * 4];
            overlays
                .read_exact_at(&mut rgba, page.offset)
                .map_err(crate::errors::file("reading captions"))?;
            let overlay = Overlay::from_rgba(canvas, page.x, page.y, page.width, page.height, &rgba);
            overlay.map(Some).ok_or_else(|| TaskError::internal("a caption lies outside the canvas"))
        });
        Ok(Self {
            canvas,
            fps: task.fps,
            background,
            logo,
            pages: pages.collect::<Result<_, _>>()?,
            spans: task.scene.spans.clone(),
            drawn: None,
            notes: Vec::new(),
        })
    }

    /// The picture of a frame of the scene.
    pub(crate) fn frame(&mut self, frame: u64) -> Result<ffmpeg::frame::Video, TaskError> {
        let page = self.spans.iter().find(|span| (span.start..span.start + span.frames).contains(&frame));
        let page = page.and_then(|span| span.page);
        let (serial, base) = match &mut self.background {
            Background::Still(picture) => (0, picture.clone()),
            Background::Moving(moving) => moving.picture(frame, self.fps, self.canvas, &mut self.notes)?,
        };
        if let Some((drawn_serial, drawn_page, drawn)) = &self.drawn
            && (*drawn_serial, *drawn_page) == (serial, page)
        {
            return Ok(drawn.clone());
        }
        let caption = page.and_then(|page| self.pages.get(page)).and_then(Option::as_ref);
        let mut picture = base;
        if self.logo.is_some() || caption.is_some() {
            make_writable(&mut picture)?;
            for overlay in self.logo.iter().chain(caption) {
                overlay.blend(&mut picture);
            }
        }
        self.drawn = Some((serial, page, picture.clone()));
        Ok(picture)
    }

    /// What the client should know of the frames drawn so far.
    pub(crate) fn notes(self) -> Vec<Note> {
        self.notes
    }
}

impl Moving {
    fn picture(
        &mut self,
        frame: u64,
        fps: u32,
        canvas: Canvas,
        notes: &mut Vec<Note>,
    ) -> Result<(u64, ffmpeg::frame::Video), TaskError> {
        let total: u64 = self.cuts.iter().map(|cut| cut.frames).sum::<u64>().max(1);
        let wanted = self.offset + frame;
        let wanted = if self.looped { wanted % total } else { wanted.min(total - 1) };
        if self.position != Some(wanted) {
            let (cut_index, within) = locate(&self.cuts, wanted);
            let cut = self.cuts[cut_index].clone();
            let moment = |n: u64| (cut.start_us + n * 1_000_000 / u64::from(fps)) as i64;
            let follows =
                self.position.is_some_and(|last| last < wanted && locate(&self.cuts, last).0 == cut_index);
            if !follows {
                self.go_to(moment(within))?;
            }
            let (decoded, alive) = self.track.at(moment(within))?;
            if !alive && !self.ended_early && within + u64::from(fps) < cut.frames {
                self.ended_early = true;
                notes.push(Note {
                    source: Some(self.source),
                    code: "MEDIA_SHORTER".to_owned(),
                    message: "The video's pictures end before its stated length; the last one is held."
                        .to_owned(),
                });
            }
            let serial = self.serial_base + decoded.serial;
            if self.converted.as_ref().is_none_or(|(have, _)| *have != serial) {
                let picture = on_canvas(&mut self.to_canvas, &decoded, canvas, self.source)?;
                self.converted = Some((serial, picture));
            }
            self.position = Some(wanted);
        }
        let (serial, picture) = self.converted.as_ref().expect("set above or at an earlier frame");
        Ok((*serial + 1, picture.clone()))
    }

    /// Seeks; where a format cannot, starts again from the first byte.
    fn go_to(&mut self, moment_us: i64) -> Result<(), TaskError> {
        if self.position.is_none() && moment_us == 0 {
            return Ok(());
        }
        if self.track.seek(moment_us).is_err() {
            self.track = VideoTrack::open(input::open(&self.link, self.source)?, self.source)?;
            self.serial_base += 1 << 40;
        }
        Ok(())
    }
}

/// Which cut a frame of the joined cuts lies in, and where in it.
fn locate(cuts: &[Cut], frame: u64) -> (usize, u64) {
    let mut rest = frame;
    for (index, cut) in cuts.iter().enumerate() {
        if rest < cut.frames {
            return (index, rest);
        }
        rest -= cut.frames;
    }
    (cuts.len() - 1, 0)
}

fn still(link: &Link, source: usize, canvas: Canvas, fit: Fit) -> Result<ffmpeg::frame::Video, TaskError> {
    let mut track = VideoTrack::open(input::open(link, source)?, source)?;
    let decoded = track.first()?;
    on_canvas(&mut ToCanvas::new(canvas, fit), &decoded, canvas, source)
}

fn on_canvas(
    to_canvas: &mut ToCanvas,
    decoded: &Decoded,
    canvas: Canvas,
    source: usize,
) -> Result<ffmpeg::frame::Video, TaskError> {
    let picture =
        to_canvas.convert(decoded).map_err(|error| unreadable(source, "Scaling its picture", error))?;
    let has_alpha = picture.format() == ffmpeg::format::Pixel::YUVA420P;
    Ok(if has_alpha { flatten(&picture, canvas) } else { picture })
}

/// The logo in a box of an eighth of the canvas' width and height at most, a margin of 4 % from the edge.
fn logo_overlay(link: &Link, logo: &LogoPlan, canvas: Canvas) -> Result<Overlay, TaskError> {
    let mut track = VideoTrack::open(input::open(link, logo.source)?, logo.source)?;
    let decoded = track.first()?;
    let (shown_width, shown_height) = decoded.shown_size();
    let (most_width, most_height) = (canvas.width / 6, canvas.height / 8);
    let scale = (f64::from(most_width) / f64::from(shown_width))
        .min(f64::from(most_height) / f64::from(shown_height));
    let even = |side: u32| ((((f64::from(side) * scale) / 2.0).round() as u32) * 2).max(2);
    let (width, height) = (even(shown_width), even(shown_height));
    let rgba = crate::filter::to_rgba(&decoded, width, height)
        .map_err(|error| unreadable(logo.source, "Scaling the logo", error))?;
    let margin = (canvas.height / 25) & !1;
    let place = |start: bool, end: bool, size: u32, of: u32| {
        let free = of.saturating_sub(size);
        let place = if start {
            margin.min(free)
        } else if end {
            free.saturating_sub(margin)
        } else {
            free / 2
        };
        place & !1
    };
    let x =
        place(logo.horizontal == Horizontal::Left, logo.horizontal == Horizontal::Right, width, canvas.width);
    let y = place(logo.vertical == Vertical::Top, logo.vertical == Vertical::Bottom, height, canvas.height);
    let overlay = Overlay::from_rgba(canvas, x, y, width, height, &rgba);
    overlay.ok_or_else(|| TaskError::internal("the logo lies outside the canvas"))
}

#[expect(unsafe_code, reason = "copies the planes where they are shared; the frame is valid and ours")]
fn make_writable(frame: &mut ffmpeg::frame::Video) -> Result<(), TaskError> {
    match unsafe { ffmpeg::ffi::av_frame_make_writable(frame.as_mut_ptr()) } {
        0 => Ok(()),
        error => Err(ours("copying a picture")(ffmpeg::Error::from(error))),
    }
}
