//! `renderParams` of v1: the film as a client may see and edit it between the preview and the render.

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
