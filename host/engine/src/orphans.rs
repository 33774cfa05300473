//! Files that a dead process left behind: decision logs without a commit, and drafts. Young ones are left alone,
//! since another process may be about to commit them.

use crate::{Engine, EngineError, presence};
use care_domain::time::DAY_MS;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

impl Engine {
    /// Removes what nobody committed within a day; returns how many files and folders that were.
    pub(crate) async fn collect_orphans(&self, now: i64) -> Result<u64, EngineError> {
        let committed = self.store.decision_logs().await?;
        let is_orphan = |name: &str| {
            let stem = name.strip_suffix(".arrow").unwrap_or(name);
            name.starts_with(PARTIAL) || !committed.contains(stem)
        };
        let logs = sweep(&self.decisions(), now, &is_orphan)?;
        let gone = |name: &str| presence::is_gone(&self.folder, name);
        if self.workers().exists() {
            sweep(&self.workers(), now, &gone)?;
        }
        let mut drafts = 0;
        for folder in ["snapshots", "cwasm"].map(|part| self.folder.join(part)) {
            drafts += sweep(&folder, now, &|name| name.starts_with(PARTIAL))?;
        }
        Ok(logs + drafts)
    }
}

/// How drafts are named.
const PARTIAL: &str = ".partial-";

fn sweep(folder: &Path, now: i64, is_orphan: &dyn Fn(&str) -> bool) -> Result<u64, EngineError> {
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(EngineError::file(folder, "reading the folder"))? {
        let entry = entry.map_err(EngineError::file(folder, "reading the folder"))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_orphan(&name) || age_ms(&entry, now).is_none_or(|age| age < DAY_MS) {
            continue;
        }
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.map_err(EngineError::file(&path, "removing what a dead process left"))?;
        removed += 1;
    }
    Ok(removed)
}

fn age_ms(entry: &fs::DirEntry, now: i64) -> Option<i64> {
    let modified = entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(now - i64::try_from(modified.as_millis()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_old_files_that_nobody_committed_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::init(folder.path(), [7; 32], 0).await.expect("an engine");
        let log = engine.decisions().join("0123.arrow");
        fs::write(&log, b"log").expect("a file");
        fs::create_dir(engine.snapshots().join(".partial-x")).expect("a folder");
        let modified = fs::metadata(&log).and_then(|m| m.modified()).expect("a time");
        let written = modified.duration_since(UNIX_EPOCH).expect("a time").as_millis() as i64;
        assert_eq!(engine.collect_orphans(written + 1_000).await.expect("swept"), 0);
        assert_eq!(engine.collect_orphans(written + DAY_MS + 60_000).await.expect("swept"), 2);
        assert!(!log.exists());
    }
}
