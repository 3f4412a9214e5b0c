//! `renderParams` of v1: the film as a client may see and edit it between the preview and the render.
//!
//! Pictory's shape shows texts, times, addresses and fonts, and cannot hold the rest: segments, keywords' places,
//! minimum durations, split parts. Each scene therefore carries a member `storyreel` with the rest and with the
//! visible fields as they were shown ([`carried`]). A visible field that differs from what was shown was edited and
//! wins; one that does not leaves the exact value carried. Without `storyreel` the visible fields and defaults apply.
//!
//! Invariants: nothing that comes back is trusted: addresses, connections, ranges and limits are checked as in a
//! storyboard; no address is ever taken from `storyreel` but the logo's, which is parsed anew like any other.

mod carried;
mod emit;
mod lines;
mod read;
mod read_scene;
mod shown;

pub use emit::render_params;
pub use read::parse_render_params;

/// What the plan found out about a scene, as [`render_params`] shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneView {
    /// Length in seconds.
    pub seconds: f64,
    /// The caption's pages in order; none without a caption.
    pub pages: Vec<PageView>,
}

/// One caption page of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct PageView {
    /// The lines from top to bottom.
    pub lines: Vec<String>,
    /// How long it is on screen, in seconds.
    pub seconds: f64,
}
