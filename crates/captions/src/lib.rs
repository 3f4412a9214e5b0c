//! Caption layout (pure, given font bytes) and, apart from it, the raster.
//!
//! [`Typesetter::paginate`] turns a caption into [`Page`]s; [`Typesetter::raster`] turns a page into a [`Bitmap`].
//! Both depend on nothing but their arguments and the [`Fonts`]: no system font discovery, no clock, no randomness,
//! and no memory of earlier captions. Neither panics, whatever the text.

mod coverage;
pub mod fonts;
pub mod page;
mod paging;
mod raster;
mod shape;
mod text;
mod typesetter;

pub use fonts::{FontError, Fonts, FontsBuilder};
pub use page::*;
pub use typesetter::{Layout, Typesetter};
