//! Caption layout (pure, given font bytes) and, apart from it, the raster.

pub mod page;
pub use page::*;
