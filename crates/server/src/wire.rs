//! A job on the wire: the shapes that clients of Pictory read, under every spelling that they look for.

use serde_json::{Map, Value, json};
use store::{Job, JobKind, JobState};
use storyboard::{Problem, Warning};

use crate::addresses::{Addresses, Purpose};

/// Whether an answer carries the whole result or only what a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Everything.
    Full,
    /// Without `report`, which is long and for whoever asks.
    Sent,
    /// Without `renderParams` and `report`.
    Listed,
}

/// What answers a request that made a job.
pub(crate) fn accepted(id: &store::JobId, warnings: &[Warning]) -> Value {
    json!({
        "success": true,
        "jobId": id,
        "job_id": id,
        "data": {"jobId": id, "job_id": id},
        "warnings": warnings,
    })
}

/// A job as `GET /v1/jobs/{id}` and webhooks show it. Addresses in it are minted now.
pub(crate) fn job(job: &Job, addresses: &Addresses, detail: Detail, now: store::Millis) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| {
        data.insert(name.to_owned(), value);
    };
    put("jobId", json!(job.id));
    put("job_id", json!(job.id));
    put("status", json!(status(job.state)));
    put("kind", json!(job.kind.as_str()));
    put("state", json!(job.state.as_str()));
    if let Some(parent) = &job.parent {
        put("storyboardJobId", json!(parent));
    }
    put("createdDate", json!(date(job.created)));
    if let Some(finished) = job.finished {
        put("completedDate", json!(date(finished)));
    }
    let mut warnings = job.warnings.clone();
    match job.state {
        JobState::Completed => {
            put("progress", json!(100));
            if job.swept {
                put("expired", json!(true));
                warnings.push(Warning::new(
                    "EXPIRED",
                    "The job's files were deleted; make them again with a new job.",
                ));
            }
            let result = job.result.clone().unwrap_or_default();
            match job.kind {
                JobKind::Storyboard => storyboard_result(job, &result, addresses, detail, now, &mut put),
                JobKind::Render => render_result(job, &result, addresses, detail, now, &mut put),
            }
        }
        JobState::Failed => {
            let problem = job.problems.first();
            put("error_code", json!(problem.map_or("INTERNAL", |problem| problem.code.as_str())));
            put("error_message", json!(summary(&job.problems)));
            put("errors", json!(job.problems));
        }
        JobState::Cancelled => {
            put("error_code", json!("CANCELLED"));
            put("error_message", json!("The job was cancelled."));
            put("errors", json!([]));
        }
        running => {
            let queued = running == JobState::Queued;
            put("stage", json!(running.as_str()));
            put("renderProgress", json!(job.percent));
            put("renderProgressMessage", json!(progress_message(job)));
            put("renderState", json!(if queued { "QUEUED" } else { "RUNNING" }));
            if let Some((done, total)) = job.scenes {
                put("scenes", json!({"done": done, "total": total}));
            }
            if queued && job.attempts > 0 {
                put("attempts", json!(job.attempts));
                put("errors", json!(job.problems));
            }
        }
    }
    put("warnings", json!(warnings));
    let success = !matches!(job.state, JobState::Failed | JobState::Cancelled);
    json!({"job_id": job.id, "jobId": job.id, "success": success, "data": data})
}

fn storyboard_result(
    job: &Job,
    result: &Value,
    addresses: &Addresses,
    detail: Detail,
    now: store::Millis,
    put: &mut impl FnMut(&str, Value),
) {
    if detail != Detail::Listed {
        put("renderParams", result["renderParams"].clone());
    }
    put("planHash", result["planHash"].clone());
    if !job.swept {
        put("preview", json!(addresses.mint(Purpose::Preview, &job.id, "index", now)));
    }
}

fn render_result(
    job: &Job,
    result: &Value,
    addresses: &Addresses,
    detail: Detail,
    now: store::Millis,
    put: &mut impl FnMut(&str, Value),
) {
    let film = &result["film"];
    put("planHash", result["planHash"].clone());
    put("videoDuration", result["seconds"].clone());
    put("frames", film["frames"].clone());
    put("fps", film["fps"].clone());
    // Nothing here costs credits; clients that add them up read the member.
    put("aiCreditsUsed", json!(0));
    put("videoBytes", film["bytes"].clone());
    put("mediaBytesRead", film["bytes_read"].clone());
    put("mediaRequests", film["requests"].clone());
    if detail == Detail::Full && !film["report"].is_null() {
        put("report", film["report"].clone());
    }
    if job.swept {
        return;
    }
    let files = [
        ("videoURL", "video", Purpose::Show),
        ("shareVideoURL", "video", Purpose::Download),
        ("videoShareURL", "video", Purpose::Download),
        ("audioURL", "audio", Purpose::Show),
        ("thumbnail", "thumbnail", Purpose::Show),
        ("srtFile", "srt", Purpose::Show),
        ("vttFile", "vtt", Purpose::Show),
        ("txtFile", "txt", Purpose::Show),
    ];
    for (name, member, purpose) in files {
        if let Some(file) = film[member].as_str() {
            put(name, json!(addresses.mint(purpose, &job.id, file, now)));
        }
    }
}

/// Clients poll while it says `in-progress` and take anything else as the end, so a queued job is in progress too.
fn status(state: JobState) -> &'static str {
    match state {
        JobState::Completed => "completed",
        JobState::Failed | JobState::Cancelled => "failed",
        _ => "in-progress",
    }
}

fn progress_message(job: &Job) -> String {
    let what = match (job.state, job.kind) {
        (JobState::Queued, _) if job.attempts > 0 => "Waiting to try again",
        (JobState::Queued, _) => "Waiting for its turn",
        (JobState::Planning, _) => "Reading media",
        (JobState::Rendering, JobKind::Storyboard) => "Making the preview",
        (JobState::Rendering, JobKind::Render) => "Generating video",
        (JobState::Assembling, _) => "Joining scenes and sound",
        _ => "Publishing",
    };
    match job.scenes {
        Some((done, total)) if job.state == JobState::Rendering => {
            format!("{what}: {done} of {total} scenes")
        }
        _ => what.to_owned(),
    }
}

/// One string for clients that show only that.
fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "The job failed.".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more; see errors)", rest.len()),
    }
}

/// A time as clients read it.
pub(crate) fn date(time: store::Millis) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
