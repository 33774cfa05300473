//! Copies of a whole installation, made while it works, and bringing one back. A copy is a folder with a list of its
//! files and their digests; it holds the keys, names and numbers, so it is as secret as what it was made of.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::Act;
use care_domain::time;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const LIST: &str = "backup.json";
/// What is copied beside the databases; machine code is built again, and `workers` are processes.
const FOLDERS: [&str; 5] = ["keys", "blobs", "snapshots", "decisions", "outbox"];
const FILES: [&str; 7] = [
    "fields.toml",
    "outcomes.toml",
    "events.toml",
    "gateways.toml",
    "care.toml",
    crate::REHEARSAL_MARK,
    "wording.toml",
];

/// The list of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupList {
    /// When it was begun, RFC 3339.
    pub made_at: String,
    /// By whom.
    pub made_by: String,
    /// The newest schema of the databases: state, identities.
    pub schema: (i64, i64),
    /// SHA-256 of every file by its path.
    pub files: BTreeMap<String, String>,
    /// Bytes in all.
    pub bytes: u64,
}

impl Engine {
    /// Copies the installation into a new folder, while others go on working with it. Databases are copied first: what
    /// they speak of was on disk before, and what came later is more than they ask for.
    pub async fn back_up(&self, to: &Path, by: &str, at: i64) -> Result<BackupList, EngineError> {
        let actor = self.authorise(by, Act::BackUp, None, at).await?;
        if to.exists() {
            let message = format!("{} exists", to.display());
            return Err(EngineError::refused("backup-exists", message, "Name a folder that does not exist yet"));
        }
        let draft = to.with_extension("partial");
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(EngineError::file(&draft, "clearing what was left"))?;
        }
        crate::make_private(&draft)?;
        // A copy of before the first plan has no decisions.
        crate::make_parts(&draft)?;
        self.store.copy_databases(&draft).await?;
        let (engine, target, by) = (self.clone(), draft.clone(), by.to_owned());
        let copied = tokio::task::spawn_blocking(move || engine.copy_files(&target, &by, at));
        let list = copied.await.map_err(EngineError::internal)??;
        fs::rename(&draft, to).map_err(EngineError::file(to, "naming"))?;
        let digest = care_domain::canonical::digest_of(&list).map_err(EngineError::internal)?;
        let detail = json!({"files": list.files.len(), "bytes": list.bytes, "list": digest});
        self.store.note(&Entry::of(&actor, "backed-up", "installation", detail)).await?;
        Ok(list)
    }

    fn copy_files(&self, to: &Path, by: &str, at: i64) -> Result<BackupList, EngineError> {
        for name in FILES.iter().filter(|name| self.folder.join(name).exists()) {
            copy(&self.folder.join(name), &to.join(name))?;
        }
        for folder in FOLDERS.iter().filter(|folder| self.folder.join(folder).exists()) {
            for path in files_below(&self.folder.join(folder))? {
                let Ok(below) = path.strip_prefix(&self.folder) else { continue };
                let copy_to = to.join(below);
                if let Some(parent) = copy_to.parent() {
                    fs::create_dir_all(parent).map_err(EngineError::file(parent, "creating the folder"))?;
                }
                match copy(&path, &copy_to) {
                    // A draft that was finished or swept away meanwhile.
                    Err(EngineError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                    done => done?,
                }
            }
        }
        let (mut files, mut bytes) = (BTreeMap::new(), 0);
        for path in files_below(to)? {
            let (digest, size) = digest_of_file(&path)?;
            bytes += size;
            files.insert(below(to, &path), digest);
        }
        let schema = care_store::known_schema();
        let list = BackupList { made_at: time::write_instant(at), made_by: by.to_owned(), schema, files, bytes };
        let text = serde_json::to_vec_pretty(&list).map_err(EngineError::internal)?;
        write_synced(&to.join(LIST), &text)?;
        Ok(list)
    }
}

/// Brings an installation back from a copy into a folder that does not exist yet, after every file was found to be as it
/// was copied.
pub fn restore(from: &Path, to: &Path) -> Result<BackupList, EngineError> {
    let path = from.join(LIST);
    let text = fs::read(&path).map_err(|error| {
        let message = format!("{} is no backup: {error}", from.display());
        EngineError::refused("no-backup", message, "Name a folder that `care backup` made")
    })?;
    let list: BackupList = serde_json::from_slice(&text).map_err(|error| damaged(&path, &error.to_string()))?;
    let known = care_store::known_schema();
    if list.schema.0 > known.0 || list.schema.1 > known.1 {
        let message =
            format!("the backup was made by a newer care (schema {:?}, this one knows {known:?})", list.schema);
        return Err(EngineError::refused("newer-database", message, "Restore it with the program that made it"));
    }
    let empty = fs::read_dir(to).map_or(true, |mut entries| entries.next().is_none());
    if !empty {
        let message = format!("{} is not empty", to.display());
        return Err(EngineError::refused(
            "folder-in-use",
            message,
            "Restore into a new folder with --data, then serve that",
        ));
    }
    for (name, digest) in &list.files {
        let file = sound_path(from, name)?;
        if digest_of_file(&file).map_or(true, |(found, _)| found != *digest) {
            return Err(damaged(&file, "it is missing or is not what was copied"));
        }
    }
    let draft = to.with_extension("restoring");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(EngineError::file(&draft, "clearing what was left"))?;
    }
    crate::make_private(&draft)?;
    // A copy of before the first plan has no decisions.
    crate::make_parts(&draft)?;
    for name in list.files.keys() {
        let copy_to = sound_path(&draft, name)?;
        if let Some(parent) = copy_to.parent() {
            fs::create_dir_all(parent).map_err(EngineError::file(parent, "creating the folder"))?;
        }
        copy(&from.join(name), &copy_to)?;
    }
    let _ = fs::remove_dir(to);
    fs::rename(&draft, to).map_err(EngineError::file(to, "naming"))?;
    Ok(list)
}

fn damaged(path: &Path, what: &str) -> EngineError {
    let message = format!("{}: {what}", path.display());
    EngineError::refused("backup-damaged", message, "Nothing was restored; use another copy")
}

/// A path of the list, which may not lead out of the folder.
fn sound_path(folder: &Path, name: &str) -> Result<PathBuf, EngineError> {
    let path = Path::new(name);
    let within = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if within { Ok(folder.join(path)) } else { Err(damaged(path, "it lies outside of the backup")) }
}

fn below(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(EngineError::file(&folder, "reading the folder"))? {
            let path = entry.map_err(EngineError::file(&folder, "reading the folder"))?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<(), EngineError> {
    fs::copy(from, to).map_err(EngineError::file(from, "copying"))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(EngineError::file(to, "syncing"))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let written = File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(EngineError::file(path, "writing"))
}

fn digest_of_file(path: &Path) -> Result<(String, u64), EngineError> {
    let mut file = File::open(path).map_err(EngineError::file(path, "reading"))?;
    let (mut hash, mut buffer, mut size) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut buffer).map_err(EngineError::file(path, "reading"))?;
        if read == 0 {
            return Ok((hex::encode(hash.finalize()), size));
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}
