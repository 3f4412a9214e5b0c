//! Shaping: one unbroken line of glyphs from a text, a style and families. The only place that builds parley layouts.

use parley::fontique::FontStyle;
use parley::{
    BaseDirection, FontContext, FontWeight, Language, LayoutContext, LineHeight, PositionedLayoutItem,
    StyleProperty,
};
use storyboard::TextStyle;

use crate::coverage::{Coverage, Families};
use crate::fonts::Fonts;
use crate::text::Text;

/// What a glyph is drawn with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ink {
    pub(crate) keyword: bool,
    /// Has its own colours: no outline is drawn round it.
    pub(crate) emoji: bool,
}

pub(crate) type Line = parley::Layout<Ink>;

/// The scratch space of layout, and the registered faces.
pub(crate) struct Shaper {
    pub(crate) coverage: Coverage,
    pub(crate) fonts: FontContext,
    layouts: LayoutContext<Ink>,
}

impl Shaper {
    pub(crate) fn new(fonts: Fonts) -> Self {
        let (coverage, fonts) = Coverage::new(fonts);
        Self { coverage, fonts, layouts: LayoutContext::new() }
    }

    /// Sets a text on one line, `size` pixels high.
    pub(crate) fn line(
        &mut self,
        text: &Text,
        families: &Families,
        style: &TextStyle,
        size: f32,
        language: &str,
        direction: BaseDirection,
    ) -> Line {
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, &text.text, 1.0, false);
        builder.set_base_direction(direction);
        builder.push_default(StyleProperty::FontFamily(families.text()));
        builder.push_default(StyleProperty::FontSize(size));
        builder.push_default(StyleProperty::FontWeight(FontWeight::new(f32::from(
            style.weight.clamp(100, 900),
        ))));
        builder.push_default(StyleProperty::LineHeight(LineHeight::MetricsRelative(1.0)));
        builder.push_default(StyleProperty::Locale(Language::parse(language).ok()));
        if style.italic {
            builder.push_default(StyleProperty::FontStyle(FontStyle::Italic));
        }
        if style.underline {
            builder.push_default(StyleProperty::Underline(true));
        }
        for range in &text.keywords {
            builder.push(StyleProperty::Brush(Ink { keyword: true, emoji: false }), range.clone());
        }
        for range in &text.emoji {
            builder.push(StyleProperty::FontFamily(families.emoji()), range.clone());
            builder.push(StyleProperty::Brush(Ink { keyword: false, emoji: true }), range.clone());
        }
        let mut line = builder.build(&text.text);
        line.break_all_lines(None);
        line
    }
}

/// Height of a line above and below its baseline, in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    pub(crate) above: f32,
    pub(crate) below: f32,
}

/// The largest ascent and descent of the faces on a line.
pub(crate) fn extent(line: &Line) -> Extent {
    let mut extent = Extent::default();
    for item in line.lines().flat_map(|line| line.items()) {
        if let PositionedLayoutItem::GlyphRun(run) = item {
            let metrics = run.run().font_metrics();
            extent.above = extent.above.max(metrics.ascent);
            extent.below = extent.below.max(metrics.descent);
        }
    }
    extent
}
