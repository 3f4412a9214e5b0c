//! Where films lie: `films/<job id>/` for what is published, `tmp/` for what is not yet.
//!
//! A directory under `films/` is complete: it came there by one rename, with `result.json` inside, which is what
//! the job's row will say. If the server dies between the rename and the row, the next run finds it and is done.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::JobId;
use storyboard::Warning;

const RESULT: &str = "result.json";

/// What a run made, as its row will say it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) result: Value,
    pub(crate) warnings: Vec<Warning>,
}

/// The two directories.
#[derive(Debug, Clone)]
pub(crate) struct Films {
    films: PathBuf,
    tmp: PathBuf,
}

impl Films {
    /// Makes them, and throws away what a dead process was about to publish.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        let this = Self { films: data_dir.join("films"), tmp: data_dir.join("tmp") };
        fs::create_dir_all(&this.films)?;
        fs::create_dir_all(&this.tmp)?;
        for entry in fs::read_dir(&this.tmp)? {
            remove(&entry?.path())?;
        }
        Ok(this)
    }

    /// A new, empty directory for a job's run; it is deleted with the guard unless it was published.
    pub(crate) fn workshop(&self, job: &JobId) -> io::Result<Workshop> {
        let path = self.tmp.join(format!("{job}.{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path)?;
        Ok(Workshop { path })
    }

    /// The directory of a published job.
    pub(crate) fn of(&self, job: &JobId) -> PathBuf {
        self.films.join(job.as_str())
    }

    /// What was published for a job, if anything.
    pub(crate) fn made(&self, job: &JobId) -> io::Result<Option<Made>> {
        let directory = self.of(job);
        match fs::read(directory.join(RESULT)) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(made) => Ok(Some(made)),
                Err(_) => remove(&directory).map(|()| None),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Publishes a workshop as a job's directory: at once and for good. If it fails, nothing of it is left.
    pub(crate) fn publish(&self, job: &JobId, workshop: Workshop, made: &Made) -> io::Result<()> {
        let mut file = File::create(workshop.path.join(RESULT))?;
        file.write_all(&serde_json::to_vec(made).map_err(io::Error::other)?)?;
        file.sync_all()?;
        File::open(&workshop.path)?.sync_all()?;
        let target = self.of(job);
        if target.exists() {
            remove(&target)?;
        }
        fs::rename(&workshop.path, &target)?;
        File::open(&self.films)?.sync_all()?;
        drop(workshop); // its path is gone; nothing is left to delete
        Ok(())
    }

    /// Deletes a job's directory.
    pub(crate) fn delete(&self, job: &JobId) -> io::Result<()> {
        remove(&self.of(job))
    }

    /// The jobs that have a directory.
    pub(crate) fn published(&self) -> io::Result<Vec<JobId>> {
        let names = fs::read_dir(&self.films)?.filter_map(Result::ok);
        Ok(names.map(|entry| JobId::from_text(entry.file_name().to_string_lossy().into_owned())).collect())
    }
}

/// A directory that is deleted again unless it is renamed away.
#[derive(Debug)]
pub(crate) struct Workshop {
    path: PathBuf,
}

impl Workshop {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(%error, "a temporary directory could not be deleted");
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_cannot_be_published_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let films = Films::open(dir.path()).unwrap();
        let job = JobId::from_text("j");
        let made = Made { result: Value::Null, warnings: Vec::new() };
        let workshop = films.workshop(&job).unwrap();
        fs::write(workshop.path().join("film.mp4"), "film").unwrap();
        // Stands in the way of the result, as a full disk would.
        fs::create_dir(workshop.path().join(RESULT)).unwrap();
        assert!(films.publish(&job, workshop, &made).is_err());
        assert_eq!((names(&films.films).len(), names(&films.tmp).len()), (0, 0));
        assert_eq!(films.made(&job).unwrap(), None);

        let workshop = films.workshop(&job).unwrap();
        films.publish(&job, workshop, &made).unwrap();
        assert_eq!(films.made(&job).unwrap(), Some(made));
        assert_eq!((names(&films.films), names(&films.tmp).len()), (vec!["j".to_owned()], 0));
    }

    #[test]
    fn a_start_clears_what_was_half_made_and_keeps_what_was_published() {
        let dir = tempfile::tempdir().unwrap();
        let films = Films::open(dir.path()).unwrap();
        let job = JobId::from_text("j");
        let made = Made { result: Value::Null, warnings: Vec::new() };
        films.publish(&job, films.workshop(&job).unwrap(), &made).unwrap();
        fs::create_dir_all(dir.path().join("tmp/x/y")).unwrap();
        fs::write(dir.path().join("tmp/x/y/z"), "z").unwrap();
        std::os::unix::fs::symlink(&films.films, dir.path().join("tmp/link")).unwrap();
        let films = Films::open(dir.path()).unwrap();
        assert_eq!((names(&films.films), names(&films.tmp).len()), (vec!["j".to_owned()], 0));
    }
}
