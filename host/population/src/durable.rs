//! Files that survive a power cut: written, synced, and their folder synced.

use crate::error::PopulationError;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Writes a new file and syncs it; the folder is the caller's to sync.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), PopulationError> {
    let mut file = File::create(path).map_err(PopulationError::io("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(PopulationError::io("write", path))
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), PopulationError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(PopulationError::io("sync the folder", path))
}

/// Creates a folder with its parents.
pub(crate) fn create_folder(path: &Path) -> Result<(), PopulationError> {
    fs::create_dir_all(path).map_err(PopulationError::io("create the folder", path))
}
