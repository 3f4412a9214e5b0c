//! The painter draws any frame of one scene: background, logo, caption.
//!
//! Invariants: equal pictures are drawn once; a caption is taken off again, not drawn over, where the picture behind
//! stays and the page changes. The preview and the film use this same painter.

use std::fs::File;
use std::os::unix::fs::FileExt;

use ffmpeg_next as ffmpeg;
use plan::{BackgroundPlan, Cut, LogoPlan, ScenePlan, cut_at};
use storyboard::{Canvas, Fit, Horizontal, Vertical};
use worker::child::Link;
use worker::{ClipTask, Note, TaskError};

use crate::backdrop;
use crate::errors::unreadable;
use crate::filter::ToCanvas;
use crate::frames::make_own;
use crate::input;
use crate::overlay::{Covered, Overlay, flatten};
use crate::track::{Decoded, TOLERANCE_US, VideoTrack};

/// Draws the frames of one scene.
pub(crate) struct Painter {
    fps: u32,
    background: Background,
    logo: Option<Overlay>,
    pages: Vec<Option<Overlay>>,
    scene: ScenePlan,
    sheet: Option<Sheet>,
    notes: Vec<Note>,
}

/// The picture that was drawn last.
struct Sheet {
    picture: ffmpeg::frame::Video,
    /// Which picture is behind.
    behind: u64,
    /// Which caption page is on it, and what that covers.
    caption: Option<(usize, Covered)>,
}

enum Background {
    /// One picture, until it is drawn on.
    Still(Option<ffmpeg::frame::Video>),
    Moving(Box<Moving>),
}

struct Moving {
    source: usize,
    link: Link,
    track: VideoTrack,
    canvas: Canvas,
    to_canvas: ToCanvas,
    cuts: Vec<Cut>,
    offset: u64,
    looped: bool,
    position: Option<Position>,
    ended_early: bool,
    serial_base: u64,
}

/// What was shown last.
struct Position {
    /// Frame of the joined cuts.
    frame: u64,
    /// Moment of the source in microseconds.
    moment_us: i64,
    /// The number of its picture.
    serial: u64,
}

/// How far ahead of what was shown last it is quicker to decode on than to seek, in microseconds.
const NEAR_US: i64 = 1_000_000;
/// How far before a moment it is sought, one after the other, where decoding can only begin after the moment.
const RUN_UPS_US: [i64; 3] = [0, 2_000_000, 15_000_000];

impl Painter {
    /// Opens what the scene needs; `overlays` holds the captions' pixels.
    pub(crate) fn open(task: &ClipTask, link: &Link, overlays: &File) -> Result<Self, TaskError> {
        let canvas = task.canvas;
        let still = |picture| Background::Still(Some(picture));
        let background = match &task.scene.background {
            BackgroundPlan::Colour(colour) => still(backdrop::colour(canvas, *colour)),
            BackgroundPlan::Generated { seed } => still(backdrop::generated(canvas, *seed)),
            BackgroundPlan::Image { source, fit } => still(image(link, *source, canvas, *fit)?),
            BackgroundPlan::Video { source, fit, cuts, offset, looped } => {
                Background::Moving(Box::new(Moving {
                    source: *source,
                    link: link.clone(),
                    track: VideoTrack::open(input::open(link, *source)?, *source)?,
                    canvas,
                    to_canvas: ToCanvas::new(canvas, *fit),
                    cuts: cuts.clone(),
                    offset: *offset,
                    looped: *looped,
                    position: None,
                    ended_early: false,
                    serial_base: 0,
                }))
            }
        };
        let logo = task.logo.as_ref().map(|logo| logo_overlay(link, logo, canvas)).transpose()?;
        Ok(Self {
            fps: task.fps,
            background,
            logo,
            pages: pages(task, overlays)?,
            scene: task.scene.clone(),
            sheet: None,
            notes: Vec::new(),
        })
    }

    /// Goes over to a scene with the same canvas, rate, background source and logo, under the same source numbers:
    /// captions, times and cuts may differ.
    pub(crate) fn turn_to(&mut self, task: &ClipTask, overlays: &File) -> Result<(), TaskError> {
        if let Some(sheet) = &mut self.sheet
            && let Some((on, covered)) = sheet.caption.take()
        {
            make_own(&mut sheet.picture)?;
            drawn(&self.pages, on).uncover(&mut sheet.picture, &covered);
        }
        self.pages = pages(task, overlays)?;
        self.scene.clone_from(&task.scene);
        if let Background::Moving(moving) = &mut self.background
            && let BackgroundPlan::Video { cuts, offset, looped, .. } = &task.scene.background
        {
            moving.turn_to(cuts, *offset, *looped);
        }
        Ok(())
    }

    /// The picture of a frame of the scene. Frames may be asked in any order; rising is cheapest.
    pub(crate) fn frame(&mut self, frame: u64) -> Result<&ffmpeg::frame::Video, TaskError> {
        let page = self.scene.span_at(frame);
        let page =
            page.and_then(|span| span.page).filter(|page| self.pages.get(*page).is_some_and(Option::is_some));
        let behind = match &mut self.background {
            Background::Still(_) => 0,
            Background::Moving(moving) => moving.go_to(frame, self.fps, &mut self.notes)?,
        };
        let sheet = match self.sheet.take().filter(|sheet| sheet.behind == behind) {
            Some(sheet) => sheet,
            None => {
                let picture = match &mut self.background {
                    Background::Still(picture) => picture.take(),
                    Background::Moving(moving) => Some(moving.picture()?),
                };
                let mut picture = picture.ok_or_else(|| TaskError::internal("a still was drawn twice"))?;
                if let Some(logo) = &self.logo {
                    make_own(&mut picture)?;
                    logo.blend(&mut picture);
                }
                Sheet { picture, behind, caption: None }
            }
        };
        let sheet = self.sheet.insert(sheet);
        if sheet.caption.as_ref().map(|(on, _)| *on) != page {
            make_own(&mut sheet.picture)?;
            let overlay = |page| drawn(&self.pages, page);
            if let Some((on, covered)) = sheet.caption.take() {
                overlay(on).uncover(&mut sheet.picture, &covered);
            }
            if let Some(page) = page {
                let covered = overlay(page).covered(&sheet.picture);
                overlay(page).blend(&mut sheet.picture);
                sheet.caption = Some((page, covered));
            }
        }
        Ok(&sheet.picture)
    }

    /// What the client should know of the frames drawn since it was asked last.
    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

/// A page that draws something.
fn drawn(pages: &[Option<Overlay>], page: usize) -> &Overlay {
    pages[page].as_ref().expect("pages without pixels were left out")
}

/// The captions' pixels.
fn pages(task: &ClipTask, overlays: &File) -> Result<Vec<Option<Overlay>>, TaskError> {
    let pages = task.overlays.iter().map(|page| {
        let Some(page) = page else { return Ok(None) };
        let mut rgba = vec![0; page.width as usize * page.height as usize * 4];
        overlays.read_exact_at(&mut rgba, page.offset).map_err(crate::errors::file("reading captions"))?;
        let overlay = Overlay::from_rgba(task.canvas, page.x, page.y, page.width, page.height, &rgba);
        overlay.map(Some).ok_or_else(|| TaskError::internal("a caption lies outside the canvas"))
    });
    pages.collect()
}

impl Moving {
    /// Goes to a frame of the scene; equal answers mean the same picture.
    fn go_to(&mut self, frame: u64, fps: u32, notes: &mut Vec<Note>) -> Result<u64, TaskError> {
        let total: u64 = self.cuts.iter().map(|cut| cut.frames).sum::<u64>().max(1);
        let wanted = self.offset + frame;
        let wanted = if self.looped { wanted % total } else { wanted.min(total - 1) };
        if let Some(position) = &self.position
            && position.frame == wanted
        {
            return Ok(position.serial);
        }
        let outside = || TaskError::internal("a frame outside the background's cuts");
        let (cut_index, within) = cut_at(&self.cuts, wanted).ok_or_else(outside)?;
        let cut = self.cuts[cut_index].clone();
        let moment_us = (cut.start_us + within * 1_000_000 / u64::from(fps)) as i64;
        let follows = match &self.position {
            Some(last) => (last.moment_us..=last.moment_us + NEAR_US).contains(&moment_us),
            None => moment_us == 0,
        };
        if !follows {
            self.seek(moment_us)?;
        }
        let (decoded, alive) = self.track.at(moment_us)?;
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
        self.position = Some(Position { frame: wanted, moment_us, serial });
        Ok(serial)
    }

    /// The picture that was gone to, on the canvas.
    fn picture(&mut self) -> Result<ffmpeg::frame::Video, TaskError> {
        let decoded = self.track.current().ok_or_else(|| TaskError::internal("no picture was gone to"))?;
        on_canvas(&mut self.to_canvas, decoded, self.canvas, self.source)
    }

    /// Seeks, so that decoding goes on from before the moment; where a format cannot, starts again from the first byte.
    fn seek(&mut self, moment_us: i64) -> Result<(), TaskError> {
        for run_up_us in RUN_UPS_US {
            let from_us = (moment_us - run_up_us).max(0);
            if self.track.seek(from_us).is_err() {
                break;
            }
            let found = self.track.at(from_us).is_ok();
            // Some formats find a place from which nothing can be decoded for a while.
            let visible = self.track.visible_from().is_some_and(|from| from <= moment_us + TOLERANCE_US);
            if found && (visible || from_us == 0) {
                return Ok(());
            }
        }
        self.track = VideoTrack::open(input::open(&self.link, self.source)?, self.source)?;
        self.serial_base += 1 << 40;
        Ok(())
    }

    /// Plays other parts of the same source; where the decoder is stays as it is.
    fn turn_to(&mut self, cuts: &[Cut], offset: u64, looped: bool) {
        if self.cuts != cuts {
            self.cuts = cuts.to_vec();
            if let Some(position) = &mut self.position {
                // No frame's number means this picture any more.
                position.frame = u64::MAX;
            }
        }
        self.offset = offset;
        self.looped = looped;
        self.ended_early = false;
    }
}

fn image(link: &Link, source: usize, canvas: Canvas, fit: Fit) -> Result<ffmpeg::frame::Video, TaskError> {
    let mut track = VideoTrack::open(input::open(link, source)?, source)?;
    let decoded = track.first()?;
    on_canvas(&mut ToCanvas::new(canvas, fit), decoded, canvas, source)
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
    let rgba = crate::filter::to_rgba(decoded, width, height)
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
