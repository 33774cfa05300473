//! Secrets of gateways: the configuration names a file, the file holds the secret, and nothing else ever does.

use crate::config::ConfigError;
use std::path::{Path, PathBuf};

/// Reads a secret from a file; a relative path is meant from the data folder. Blanks around it are not part of it.
pub(crate) fn read(folder: &Path, file: &Path) -> Result<String, ConfigError> {
    let path: PathBuf = folder.join(file);
    let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Secret { path: path.clone(), source })?;
    let secret = text.trim().to_owned();
    if secret.is_empty() {
        return Err(ConfigError::EmptySecret { path });
    }
    Ok(secret)
}
