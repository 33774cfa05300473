//! A process at work as others on this machine see it: a file in `workers/` that is locked as long as the process lives.
//! The lock goes with the process, however that dies, so what it had in hand is free at once. Where the file cannot be
//! seen, on another machine, the lease alone tells.

use crate::{Engine, EngineError};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

const FOLDER: &str = "workers";

/// A process at work.
pub(crate) struct Presence {
    name: String,
    path: PathBuf,
    _locked: File,
}

impl Presence {
    /// Shows this process under a new name.
    pub(crate) fn enter(data: &Path) -> Result<Self, EngineError> {
        let folder = data.join(FOLDER);
        fs::create_dir_all(&folder).map_err(EngineError::file(&folder, "creating the folder"))?;
        let mut salt = [0; 4];
        getrandom::fill(&mut salt).map_err(EngineError::internal)?;
        let name = format!("{}-{}", std::process::id(), hex::encode(salt));
        let path = folder.join(&name);
        let locked = File::create_new(&path).map_err(EngineError::file(&path, "writing"))?;
        locked.lock().map_err(EngineError::file(&path, "locking"))?;
        Ok(Self { name, path, _locked: locked })
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Goes in good order, with nothing in hand. Dropped otherwise, the file stays and tells that the process is gone.
    pub(crate) fn leave(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a process was here and is surely dead.
pub(crate) fn is_gone(data: &Path, name: &str) -> bool {
    data.join(FOLDER).join(name).exists() && !is_at_work(data, name)
}

/// Whether a process of that name is at work on this machine.
pub(crate) fn is_at_work(data: &Path, name: &str) -> bool {
    let Ok(file) = File::open(data.join(FOLDER).join(name)) else { return false };
    // The lock is let go with the file.
    matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_)))
}

impl Engine {
    pub(crate) fn workers(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_its_lock_is_and_a_stranger_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Presence::enter(folder.path()).expect("a presence");
        let name = process.name().to_owned();
        assert!(!is_gone(folder.path(), &name) && is_at_work(folder.path(), &name));
        drop(process);
        assert!(is_gone(folder.path(), &name) && !is_at_work(folder.path(), &name));
        assert!(!is_gone(folder.path(), "of another machine"));
        let orderly = Presence::enter(folder.path()).expect("a presence");
        orderly.leave();
        assert_eq!(fs::read_dir(folder.path().join(FOLDER)).expect("a folder").count(), 1);
    }
}
