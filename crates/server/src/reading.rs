//! Requests to storyboards, whatever they are written in; and back to what a client may edit.

use serde_json::Value;
use store::Format;
use storyboard::{Options, Problem, Storyboard, Warning};

/// Reads a request: the storyboard with what was ignored, or all that is wrong.
pub(crate) fn read(
    format: Format,
    bytes: &[u8],
    options: &Options,
) -> Result<(Storyboard, Vec<Warning>), Vec<Problem>> {
    match format {
        Format::Storyboard => storyboard::parse(bytes, options),
        Format::RenderParams => {
            let value: Value = serde_json::from_slice(bytes).map_err(|error| {
                vec![Problem::author("", "INVALID_JSON", format!("The body is not JSON: {error}."))]
            })?;
            storyboard::parse_render_params(&value, options)
        }
    }
}

/// What a client may see and edit between the preview and the film.
pub(crate) fn render_params(storyboard: &Storyboard, plan: &plan::Plan) -> Value {
    storyboard::render_params(storyboard, &plan::views(plan))
}
