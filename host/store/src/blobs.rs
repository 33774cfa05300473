//! Content-addressed files: written once under their digest, checked whenever they are read.

use crate::error::StoreError;
use care_domain::canonical;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder of files named by their SHA-256.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

/// Numbers the drafts of this process.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

impl Blobs {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps bytes; returns their digest. Writing them again changes nothing.
    pub fn put(&self, bytes: &[u8]) -> Result<String, StoreError> {
        let digest = canonical::digest(bytes);
        let path = self.path(&digest);
        if path.exists() && self.get(&digest).is_ok() {
            return Ok(digest);
        }
        fs::create_dir_all(&self.folder).map_err(file(&self.folder, "creating the folder"))?;
        // Keeps writers of the same content apart, in this process and others; all end with the same file.
        let draft = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = self.folder.join(format!("{digest}.{}-{draft}.tmp", std::process::id()));
        let mut out = File::create(&draft).map_err(file(&draft, "writing"))?;
        out.write_all(bytes).and_then(|()| out.sync_all()).map_err(file(&draft, "writing"))?;
        fs::rename(&draft, &path).map_err(file(&path, "naming"))?;
        File::open(&self.folder).and_then(|f| f.sync_all()).map_err(file(&self.folder, "syncing"))?;
        Ok(digest)
    }

    /// Reads bytes and checks them against their digest.
    pub fn get(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(file(&path, "reading"))?;
        if canonical::digest(&bytes) != digest {
            return Err(StoreError::Tampered { digest: digest.to_owned() });
        }
        Ok(bytes)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(digest)
    }
}

fn file<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError + 'a {
    move |source| StoreError::File { path: path.to_path_buf(), doing, source }
}
