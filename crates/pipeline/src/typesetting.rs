//! The planner's captions over the typesetter.

use captions::{Page, Typesetter};
use plan::Paginate;
use storyboard::{Canvas, Caption, TextStyle, Warning};

/// Lays captions out for the planner.
pub(crate) struct Pages<'a>(pub(crate) &'a Typesetter);

impl Paginate for Pages<'_> {
    fn paginate(&self, caption: &Caption, style: &TextStyle, canvas: Canvas) -> (Vec<Page>, Vec<Warning>) {
        let layout = self.0.paginate(caption, style, canvas);
        (layout.pages, layout.warnings)
    }

    fn digest(&self) -> String {
        self.0.fonts().digest().to_owned()
    }
}
