//! Exit codes and the words that go with them.

use std::process::ExitCode;

use storyboard::{Class, Problem, Warning};

/// Ours.
const INTERNAL: u8 = 1;
/// The author's errors.
const AUTHOR: u8 = 2;
/// Access.
const ACCESS: u8 = 3;
/// A source.
const SOURCE: u8 = 4;

/// Says what went wrong on our side.
pub(crate) fn internal(error: &anyhow::Error) -> ExitCode {
    eprintln!("storyreel: {error:#}");
    ExitCode::from(INTERNAL)
}

/// Says what is wrong with the command line.
pub(crate) fn usage(message: &str) -> ExitCode {
    eprintln!("storyreel: {message}");
    ExitCode::from(AUTHOR)
}

/// Lists problems; the code is that of the first class present in the order author, access, source, ours.
pub(crate) fn problems(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprintln!("error[{}]: {problem}", problem.code);
        if let Some(pointer) = &problem.pointer {
            eprintln!("  at {pointer}");
        }
        if let Some(evidence) = &problem.evidence {
            eprintln!("  evidence: {evidence}");
        }
    }
    ExitCode::from(code(problems))
}

fn code(problems: &[Problem]) -> u8 {
    let has = |class| problems.iter().any(|problem| problem.class == class);
    match () {
        () if has(Class::Author) => AUTHOR,
        () if has(Class::Access) => ACCESS,
        () if has(Class::Source) || has(Class::Transient) => SOURCE,
        () => INTERNAL,
    }
}

/// Lists what the author should know.
pub(crate) fn warnings(warnings: &[Warning]) {
    for warning in warnings {
        let place = warning.pointer.as_ref().map(|pointer| format!(" (at {pointer})")).unwrap_or_default();
        eprintln!("warning[{}]: {}{place}", warning.code, warning.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_author_mends_first() {
        let problem = |class| Problem::new(class, "X", "x");
        let table: [(&[Class], u8); 6] = [
            (&[Class::Source, Class::Access, Class::Author], AUTHOR),
            (&[Class::Source, Class::Access], ACCESS),
            (&[Class::Source], SOURCE),
            (&[Class::Transient], SOURCE),
            (&[Class::Internal, Class::Source], SOURCE),
            (&[Class::Internal], INTERNAL),
        ];
        for (classes, expected) in table {
            let problems: Vec<Problem> = classes.iter().copied().map(problem).collect();
            assert_eq!(code(&problems), expected, "{classes:?}");
        }
    }
}
