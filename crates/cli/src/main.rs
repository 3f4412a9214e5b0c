//! `storyreel`: the one binary. It joins the crates; each subcommand is a file under `commands`.

/// Writes a line to standard output. A reader that has gone, as in `storyreel key list | head -1`, is no failure.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod access;
mod arguments;
mod commands;
mod config;
mod data;
mod exit;
mod job;
mod logs;
mod progress;
mod service;
mod signals;
mod studio;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    // The child must shut its cage before anything else is started: no runtime, no logging, no arguments.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == worker::CHILD_ARGUMENT) {
        return ExitCode::from(u8::try_from(render::child_main()).unwrap_or(1));
    }
    let arguments = Arguments::parse();
    raise_open_files();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return exit::internal(&anyhow::Error::from(error)),
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(arguments) => commands::serve::run(arguments).await,
            Command::Key(arguments) => commands::key::run(arguments).await,
            Command::Render(arguments) => commands::render::run(arguments).await,
            Command::Frame(arguments) => commands::frame::run(arguments).await,
            Command::Plan(arguments) => commands::plan::run(arguments).await,
            Command::Cache(arguments) => commands::cache::run(&arguments),
            #[cfg(feature = "demo")]
            Command::Demo(arguments) => commands::demo::run(arguments).await,
        }
    })
}

/// A film of many scenes has many clips open at once.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Without it long films fail with a message of their own.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
