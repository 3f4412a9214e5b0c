//! Collects everything that is wrong, and everything that a client should know, in one pass.
//!
//! Invariant: however hostile the request, the lists stay short enough to answer with.

use std::cell::{Cell, RefCell};

use crate::problem::{Problem, Warning};

/// More entries than this are only counted.
const MOST: usize = 200;

/// Problems and warnings of one request. Shared by reference among the readers of its members.
#[derive(Default)]
pub(crate) struct Report {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Warning>>,
    more_problems: Cell<usize>,
    more_warnings: Cell<usize>,
}

impl Report {
    pub(crate) fn problem(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MOST {
            problems.push(problem);
        } else {
            self.more_problems.set(self.more_problems.get() + 1);
        }
    }

    pub(crate) fn warn(&self, warning: Warning) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MOST {
            warnings.push(warning);
        } else {
            self.more_warnings.set(self.more_warnings.get() + 1);
        }
    }

    /// Whether a further warning would only be counted, so that none need be composed.
    pub(crate) fn is_full_of_warnings(&self) -> bool {
        self.warnings.borrow().len() >= MOST
    }

    /// The value with its warnings if there is no problem, else all problems. Without a value there must have
    /// been a problem; should a reader ever forget to name it, the request is still refused.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<(T, Vec<Warning>), Vec<Problem>> {
        let mut problems = self.problems.into_inner();
        let mut warnings = self.warnings.into_inner();
        if self.more_problems.get() > 0 {
            let message = format!("There are {} more problems of this kind.", self.more_problems.get());
            problems.push(Problem::author("", "MORE_PROBLEMS", message).fix("Mend those listed first."));
        }
        if self.more_warnings.get() > 0 {
            let message = format!("There are {} more warnings of this kind.", self.more_warnings.get());
            warnings.push(Warning::new("MORE_WARNINGS", message));
        }
        match value {
            Some(value) if problems.is_empty() => Ok((value, warnings)),
            _ => {
                if problems.is_empty() {
                    problems.push(Problem::author(
                        "",
                        "INVALID_REQUEST_BODY",
                        "The request cannot be understood.",
                    ));
                }
                Err(problems)
            }
        }
    }
}
