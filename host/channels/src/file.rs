//! The `file` gateway: one file a batch and channel, whole or not at all. What a rehearsal sends by, and what another
//! system fetches.

use care_domain::contact::Channel;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A folder with one folder a channel.
#[derive(Debug, Clone)]
pub struct FileGateway {
    folder: PathBuf,
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {doing} failed")]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// What was being done.
    pub doing: &'static str,
    /// The cause.
    pub source: io::Error,
}

impl FileGateway {
    /// Writes below `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether a batch was handed over.
    pub fn has(&self, channel: Channel, batch: &str) -> bool {
        self.path(channel, batch).exists()
    }

    /// Hands a batch over under its name: drafted, synced, renamed, folder synced. A file that stands was handed over
    /// whole and is not written again.
    pub fn write(&self, channel: Channel, batch: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path(channel, batch);
        if path.exists() {
            return Ok(());
        }
        let folder = self.folder.join(channel.name());
        fs::create_dir_all(&folder).map_err(failed(&folder, "creating the folder"))?;
        let draft = path.with_extension("jsonl.tmp");
        let file = File::create(&draft).map_err(failed(&draft, "writing"))?;
        let mut out = BufWriter::new(file);
        out.write_all(bytes)
            .and_then(|()| out.flush())
            .and_then(|()| out.get_ref().sync_all())
            .map_err(failed(&draft, "writing"))?;
        fs::rename(&draft, &path).map_err(failed(&path, "naming"))?;
        File::open(&folder).and_then(|f| f.sync_all()).map_err(failed(&folder, "syncing"))
    }

    fn path(&self, channel: Channel, batch: &str) -> PathBuf {
        self.folder.join(channel.name()).join(format!("{batch}.jsonl"))
    }
}

fn failed<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(io::Error) -> FileError + 'a {
    move |source| FileError { path: path.to_path_buf(), doing, source }
}
