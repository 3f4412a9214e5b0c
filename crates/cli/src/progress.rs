//! A progress bar on a terminal; nothing elsewhere.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use pipeline::{Progress, Stage};

/// A bar over one job, and the function that moves it.
pub(crate) fn bar() -> (ProgressBar, Arc<dyn Fn(Progress) + Send + Sync>) {
    let bar = ProgressBar::new(100);
    let style = ProgressStyle::with_template("{msg:24} [{bar:40}] {pos:>3} %");
    bar.set_style(style.expect("the template is fixed").progress_chars("=> "));
    let moved = bar.clone();
    let show = move |progress: Progress| {
        moved.set_message(describe(progress));
        moved.set_position(u64::from(progress.percent));
    };
    (bar, Arc::new(show))
}

fn describe(progress: Progress) -> String {
    let stage = match progress.stage {
        Stage::Planning => "planning",
        Stage::Rendering => "rendering",
        Stage::Assembling => "assembling",
        Stage::Delivering => "delivering",
    };
    match progress.scenes {
        Some((done, total)) => format!("{stage}, scene {done} of {total}"),
        None => stage.to_owned(),
    }
}
