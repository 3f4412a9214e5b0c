//! Runs one loop over pixels on the same made-up picture every time, so that its instructions can be counted:
//! `valgrind --tool=callgrind target/release/examples/hot_loops blend`.
//!
//! Prints a number that depends on everything computed, so that nothing is optimised away.

use std::process::ExitCode;

use render::hot_loops::{NAMES, run};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's answer")]
fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref().and_then(run) {
        Some(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("hot_loops {}", NAMES.join("|"));
            ExitCode::from(2)
        }
    }
}
