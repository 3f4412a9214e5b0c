//! What went wrong in a child or on our own disk, as a problem that its reader can act on.

use std::io;

use plan::Plan;
use storyboard::{Class, Problem, Warning};
use worker::{Note, TaskError, WorkerError};

use crate::job::Failure;

/// Where a task was in the storyboard.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// JSON pointer of what the task was about.
    pub(crate) pointer: Option<String>,
    /// The media object as the client named it.
    pub(crate) file: Option<String>,
}

/// The failure that a worker's error means.
pub(crate) fn failure(error: WorkerError, place: impl Fn(Option<usize>) -> Place) -> Failure {
    match problem(error, place) {
        Some(problem) => Failure::Problems(vec![problem]),
        None => Failure::Cancelled,
    }
}

/// The problem that a worker's error means; `None` where the job was cancelled.
pub(crate) fn problem(error: WorkerError, place: impl Fn(Option<usize>) -> Place) -> Option<Problem> {
    let put = |mut problem: Problem, source: Option<usize>| {
        let place = place(source);
        if let Some(pointer) = place.pointer {
            problem = problem.at(pointer);
        }
        if let Some(file) = place.file.filter(|_| problem.class != Class::Internal) {
            problem = problem.file(file);
        }
        problem
    };
    Some(match error {
        WorkerError::Cancelled => return None,
        WorkerError::Read { source_index, error } => {
            let mut problem = Problem::new(error.class, error.code, error.message.clone());
            problem.fix.clone_from(&error.fix);
            problem.evidence.clone_from(&error.evidence);
            put(problem, Some(source_index))
        }
        WorkerError::Task(error) => {
            let source = error.source;
            put(task_problem(error), source)
        }
        WorkerError::Crashed { status, stderr, last_source } => {
            tracing::error!(%status, stderr, "the media process crashed");
            match last_source {
                Some(source) => put(
                    Problem::new(
                        Class::Source,
                        "MEDIA_CRASHED_DECODER",
                        "Decoding it ended the media process; the file is damaged or hostile.",
                    )
                    .fix(
                        "Encode the file again, for example with ffmpeg -i IN -c:v libx264 -c:a aac OUT.mp4.",
                    )
                    .evidence(status.to_string()),
                    Some(source),
                ),
                None => {
                    Problem::new(Class::Internal, "INTERNAL", format!("The media process ended: {status}."))
                }
            }
        }
        WorkerError::Silent { last_source } => {
            let message = "Decoding it took too long without a result and was given up.";
            put(Problem::new(Class::Source, "MEDIA_HANGS_DECODER", message), last_source)
        }
        WorkerError::Io(error) => {
            tracing::error!(%error, "the media process could not be run");
            Problem::new(Class::Internal, "INTERNAL", "The media process could not be run.")
        }
    })
}

fn task_problem(error: TaskError) -> Problem {
    let class = if error.source.is_some() { Class::Source } else { Class::Internal };
    let problem = Problem::new(class, &error.code, error.message);
    match error.code.as_str() {
        "MEDIA_UNREADABLE" => problem.fix(
            "Use a video (MP4, MOV, WebM, MKV), an image (JPEG, PNG, WebP) or a sound file (MP3, WAV, AAC), and check \
             that the upload was complete.",
        ),
        "MEDIA_TRUNCATED" => problem.fix("Upload the file again; the upload was not complete."),
        "MEDIA_EMPTY" => problem.fix("Upload the file again; the object has no bytes."),
        "MEDIA_TOO_LARGE" => problem.fix("Scale it down first; the film's own size is enough."),
        "MEDIA_NO_PICTURE" => problem.fix("Name a video or an image as background."),
        "DISK_FULL" => problem.fix("The operator frees space, or lets the server keep fewer films."),
        _ => problem,
    }
}

/// The failure that an error of our own disk means.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
pub(crate) fn disk(error: io::Error) -> Failure {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    tracing::error!(%error, "a working file cannot be written");
    let problem = if full {
        Problem::new(Class::Internal, "DISK_FULL", "There is no space left on the server's disk.")
            .fix("The operator frees space, or lets the server keep fewer films.")
    } else {
        Problem::new(Class::Internal, "INTERNAL", "A working file could not be written.")
    };
    Failure::Problems(vec![problem])
}

/// A worker's note as a warning of the job.
pub(crate) fn warning(note: &Note, plan: &Plan, pointer: Option<String>) -> Warning {
    let name = note.source.and_then(|source| plan.sources.get(source)).map(|source| source.name.as_str());
    let message = match name {
        Some(name) => format!("{name}: {}", note.message),
        None => note.message.clone(),
    };
    Warning { code: note.code.clone(), pointer, message }
}
