//! Pages into bitmaps, of the box's size only: a full-frame layer would cost more than the whole caption.
//!
//! Invariants of what is drawn: inside the canvas, at even coordinates, of even size; premultiplied; equal for equal
//! pages and fonts. Glyphs that no font has are left out (layout has warned of them); a box of another kind never
//! stands for a character.

use parley::{GlyphRun, PositionedLayoutItem};
use storyboard::{Canvas, Horizontal, Rgba, Vertical};
use vello_cpu::color::{AlphaColor, Srgb};
use vello_cpu::kurbo::{Affine, Rect, RoundedRect, Shape, Stroke};
use vello_cpu::{Glyph, Pixmap, RenderContext, Resources};

use crate::page::{Bitmap, Page};
use crate::shape::{Extent, Ink, Line, Shaper, extent};
use crate::text::{self, Text};
use crate::typesetter::{LEADING, text_size};

/// Free space between text and the box's edge, and the radius of its corners, in sizes of the text.
const PADDING: (f32, f32) = (0.55, 0.36);
const RADIUS: f32 = 0.32;

/// Below this opacity the box does not make text readable, which then gets an outline.
const FAINT: u8 = 64;

/// Widths (in sizes of the text) and opacities of the strokes that make a soft outline, outermost first.
const OUTLINE: [(f32, f32); 4] = [(0.26, 0.07), (0.19, 0.10), (0.13, 0.16), (0.075, 0.62)];

pub(crate) fn raster(shaper: &mut Shaper, page: &Page, canvas: Canvas) -> Option<Bitmap> {
    let texts: Vec<Text> = page.lines.iter().flat_map(|line| text::paragraphs(line)).collect();
    if texts.is_empty() || canvas.width < 2 || canvas.height < 2 {
        return None;
    }
    let set = Set::fitting(shaper, page, &texts, canvas);
    if set.lines.is_empty() {
        return None;
    }
    let (left, top, width, height) = set.place(page, canvas);
    let (Ok(columns), Ok(rows)) = (u16::try_from(width), u16::try_from(height)) else { return None };

    let mut context = RenderContext::new(columns, rows);
    let mut resources = Resources::new();
    let style = &page.style;
    if style.background.a > 0 {
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        context.set_paint(colour(style.background, 1.0));
        context.fill_path(&RoundedRect::from_rect(area, f64::from(RADIUS * set.size)).to_path(0.1));
    }
    let outlined = style.background.a < FAINT;
    for (index, line) in set.lines.iter().enumerate() {
        let free = width as f32 - 2.0 * set.padding().0 - line.full_width();
        let x = set.padding().0
            + match style.horizontal {
                Horizontal::Left => 0.0,
                Horizontal::Center => free / 2.0,
                Horizontal::Right => free,
            };
        let y = set.padding().1 + set.extent.above + index as f32 * set.pitch;
        let runs = || line.lines().flat_map(|line| line.items()).filter_map(glyph_run);
        if outlined {
            let dark = luminance(style.colour) > 0.35;
            let edge = if dark { Rgba::new(0, 0, 0, 255) } else { Rgba::new(255, 255, 255, 255) };
            let opacity = f32::from(style.colour.a) / 255.0;
            for (thickness, alpha) in OUTLINE {
                let stroke =
                    Stroke::new(f64::from(thickness * set.size)).with_join(vello_cpu::kurbo::Join::Round);
                context.set_stroke(stroke);
                context.set_paint(colour(edge, alpha * opacity));
                for run in runs().filter(|run| !run.style().brush.emoji) {
                    draw(&mut context, &mut resources, &run, (x, y), Draw::Outline);
                }
            }
        }
        for run in runs() {
            let ink = if run.style().brush.keyword { style.keyword } else { style.colour };
            context.set_paint(colour(ink, 1.0));
            draw(&mut context, &mut resources, &run, (x, y), Draw::Fill);
            if run.style().underline.is_some() {
                draw(&mut context, &mut resources, &run, (x, y), Draw::Underline);
            }
        }
    }
    context.flush();
    let mut pixmap = Pixmap::new(columns, rows);
    context.render(&mut pixmap, &mut resources);
    Some(Bitmap { x: left, y: top, width, height, pixels: pixmap.data_as_u8_slice().to_vec() })
}

/// A page's lines, shaped at a size at which they fit the canvas.
struct Set {
    lines: Vec<Line>,
    size: f32,
    extent: Extent,
    /// Distance of baselines in pixels.
    pitch: f32,
}

impl Set {
    fn fitting(shaper: &mut Shaper, page: &Page, texts: &[Text], canvas: Canvas) -> Self {
        let Shaper { coverage, fonts, .. } = &mut *shaper;
        let family = coverage.family(&page.style.family);
        let families = coverage.families(fonts, &family, texts, &page.language);
        let texts: Vec<Text> = texts.iter().filter_map(|text| text.without(&families.missing)).collect();
        let direction = text::direction(&page.text(), &page.language);
        let mut size = text_size(&page.style, canvas);
        let mut tries = 0;
        loop {
            let shape = |text| shaper.line(text, &families, &page.style, size, &page.language, direction);
            let lines: Vec<Line> = texts.iter().map(shape).collect();
            let mut whole = Extent::default();
            for line in &lines {
                let extent = extent(line);
                whole.above = whole.above.max(extent.above);
                whole.below = whole.below.max(extent.below);
            }
            let pitch = (size * LEADING).max(whole.above + whole.below);
            let set = Self { lines, size, extent: whole, pitch };
            let (width, height) = set.outer();
            let fit = (canvas.width as f32 * 0.92 / width).min(canvas.height as f32 * 0.92 / height);
            tries += 1;
            // Widths do not shrink exactly with the size, so the second try may need a third.
            if fit >= 1.0 || tries == 4 {
                return set;
            }
            size *= fit * 0.995;
        }
    }

    fn padding(&self) -> (f32, f32) {
        (PADDING.0 * self.size, PADDING.1 * self.size)
    }

    /// Width and height with padding.
    fn outer(&self) -> (f32, f32) {
        let widest = self.lines.iter().map(Line::full_width).fold(0.0, f32::max);
        let height =
            self.extent.above + self.extent.below + self.pitch * self.lines.len().saturating_sub(1) as f32;
        (widest + 2.0 * self.padding().0, height + 2.0 * self.padding().1)
    }

    /// Left, top, width and height on the canvas, all even. Margins are 5 % of each side; a portrait canvas keeps 12 %
    /// free below and 8 % above, where players lay their own controls.
    fn place(&self, page: &Page, canvas: Canvas) -> (u32, u32, u32, u32) {
        let (width, height) = self.outer();
        let width = even_up(width).min(canvas.width & !1);
        let height = even_up(height).min(canvas.height & !1);
        let portrait = canvas.height > canvas.width;
        let (above, below) = if portrait { (0.08, 0.12) } else { (0.05, 0.05) };
        let (free_x, free_y) = (canvas.width - width, canvas.height - height);
        let margin = (canvas.width as f32 * 0.05) as u32;
        let x = match page.style.horizontal {
            Horizontal::Left => margin,
            Horizontal::Center => free_x / 2,
            Horizontal::Right => free_x.saturating_sub(margin),
        };
        let y = match page.style.vertical {
            Vertical::Top => (canvas.height as f32 * above) as u32,
            Vertical::Center => free_y / 2,
            Vertical::Bottom => free_y.saturating_sub((canvas.height as f32 * below) as u32),
        };
        (x.min(free_x) & !1, y.min(free_y) & !1, width, height)
    }
}

#[derive(Clone, Copy)]
enum Draw {
    Fill,
    Outline,
    Underline,
}

fn draw(
    context: &mut RenderContext,
    resources: &mut Resources,
    run: &GlyphRun<'_, Ink>,
    at: (f32, f32),
    how: Draw,
) {
    // Glyph positions of a run count from its line's baseline as parley placed it; the page has its own.
    let baseline = run.baseline();
    let glyphs = run.positioned_glyphs().filter(|glyph| glyph.id != 0).map(|glyph| Glyph {
        id: glyph.id,
        x: at.0 + glyph.x,
        y: at.1 + glyph.y - baseline,
    });
    let shaped = run.run();
    let size = shaped.font_size();
    let coords: Vec<i16> = shaped.normalized_coords().iter().map(|coord| coord.to_bits()).collect();
    let embolden = matches!(how, Draw::Fill) && shaped.synthesis().embolden() && !run.style().brush.emoji;
    if embolden {
        context.set_stroke(Stroke::new(f64::from(size) / 24.0));
    }
    let mut builder =
        context.glyph_run(resources, shaped.font()).font_size(size).hint(false).normalized_coords(&coords);
    if let Some(degrees) = shaped.synthesis().skew() {
        builder = builder.glyph_transform(Affine::skew(f64::from(degrees.to_radians().tan()), 0.0));
    }
    // An error says that a glyph has no outline; the others are drawn all the same.
    match how {
        Draw::Fill => drop(builder.fill_glyphs(glyphs)),
        Draw::Outline => drop(builder.stroke_glyphs(glyphs)),
        Draw::Underline => {
            let metrics = shaped.font_metrics();
            let from = at.0 + run.offset();
            let thickness = metrics.underline_size.max(size * 0.06);
            let offset = metrics.underline_offset.min(-size * 0.08);
            builder.render_decoration(
                glyphs,
                from..=from + run.advance(),
                at.1,
                offset,
                thickness,
                size * 0.05,
            );
        }
    }
}

fn glyph_run(item: PositionedLayoutItem<'_, Ink>) -> Option<GlyphRun<'_, Ink>> {
    match item {
        PositionedLayoutItem::GlyphRun(run) => Some(run),
        PositionedLayoutItem::InlineBox(_) => None,
    }
}

fn colour(rgba: Rgba, opacity: f32) -> AlphaColor<Srgb> {
    AlphaColor::from_rgba8(rgba.r, rgba.g, rgba.b, rgba.a).multiply_alpha(opacity)
}

fn luminance(rgba: Rgba) -> f32 {
    (0.2126 * f32::from(rgba.r) + 0.7152 * f32::from(rgba.g) + 0.0722 * f32::from(rgba.b)) / 255.0
}

/// The least even whole number not below a length.
fn even_up(length: f32) -> u32 {
    // Whole first: a length of 6.2 needs 7 pixels, and so 8.
    (length.max(2.0).ceil() as u32).next_multiple_of(2)
}
