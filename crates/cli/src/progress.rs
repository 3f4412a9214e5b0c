//! A progress bar on a terminal; nothing elsewhere.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use pipeline::{Progress, Stage};

/// A bar from 0 to 100. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar at 0.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(100);
        let style = ProgressStyle::with_template("{msg:36} [{bar:40}] {pos:>3} %");
        bar.set_style(style.expect("the template is fixed").progress_chars("=> "));
        Self(bar)
    }

    /// Shows what is being done and how far it is.
    pub(crate) fn show(&self, message: &str, percent: u64) {
        self.0.set_message(message.to_owned());
        self.0.set_position(percent.min(100));
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// A bar over one job, and the function that moves it.
pub(crate) fn bar() -> (Bar, Arc<dyn Fn(Progress) + Send + Sync>) {
    let bar = Bar::new();
    let moved = bar.clone();
    let show = move |progress: Progress| moved.show(&describe(progress), u64::from(progress.percent));
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
