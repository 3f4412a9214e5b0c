//! What the operator allows: forms of address and sizes of a request. Sane defaults, all of them settings.

/// What a parser accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Relative paths as media; only `storyreel render` sets it.
    pub allow_files: bool,
    /// Plain `http://` media and webhooks; only the operator can allow it.
    pub allow_http: bool,
    /// How much a request may ask for.
    pub limits: Limits,
}

impl Default for Options {
    /// A server on the open internet: https only, no files, default limits.
    fn default() -> Self {
        Self { allow_files: false, allow_http: false, limits: Limits::default() }
    }
}

/// How much a request may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Scenes, counted after splitting texts.
    pub scenes: usize,
    /// Characters of all texts and captions together.
    pub characters: usize,
    /// Shortest side of the canvas in pixels.
    pub least_side: u32,
    /// Longest side of the canvas in pixels.
    pub greatest_side: u32,
    /// Pixels of the canvas.
    pub pixels: u64,
    /// Longest scene in seconds.
    pub scene_seconds: f64,
    /// Longest film in seconds.
    pub film_seconds: f64,
    /// Characters of the film's name; a longer one is cut, with a warning.
    pub name_characters: usize,
    /// Characters of the description.
    pub description_characters: usize,
    /// Characters of the webhook's URL.
    pub webhook_characters: usize,
    /// Parts of one background video.
    pub segments: usize,
}

impl Default for Limits {
    /// 1000 scenes, 100,000 characters, 4K in either direction, one hour a scene, four hours a film.
    fn default() -> Self {
        Self {
            scenes: 1000,
            characters: 100_000,
            least_side: 64,
            greatest_side: 3840,
            pixels: 3840 * 2160,
            scene_seconds: 3600.0,
            film_seconds: 4.0 * 3600.0,
            name_characters: 150,
            description_characters: 5000,
            webhook_characters: 500,
            segments: 200,
        }
    }
}
