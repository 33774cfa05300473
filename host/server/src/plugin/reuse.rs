//! What a component was built from, so that what did not change is not built again. For languages whose builder takes long
//! and does not know by itself; cargo does.

use super::error::PluginError;
use super::sdk::Files;
use care_domain::canonical;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Beside the components of a project: what the newest was built from, and which it is.
const RECORD: &str = ".built-from";
/// What a build neither reads nor depends on.
const LEFT_OUT: [&str; 7] =
    ["build", "target", "__pycache__", "README.md", "cases.toml", "simulate.toml", "customers.csv"];

/// A digest of everything that a build reads: the project's files, this program's release, and the SDK inside of it.
pub(super) fn inputs(folder: &Path, sdk: Files) -> Result<String, PluginError> {
    let mut hash = Sha256::new();
    let mut add = |name: &str, content: &[u8]| {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    };
    add("release", env!("CARGO_PKG_VERSION").as_bytes());
    sdk.iter().for_each(|(name, text)| add(name, text.as_bytes()));
    for file in files(folder)? {
        let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        add(&name, &fs::read(&file).map_err(PluginError::file(&file, "reading"))?);
    }
    Ok(hex::encode(hash.finalize()))
}

/// The files of a project in an order of their own.
fn files(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).map_err(PluginError::file(&folder, "reading"))? {
            let path = entry.map_err(PluginError::file(&folder, "reading"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// The component that was built from these inputs, if it is still there as it was.
pub(super) fn built_from(output: &Path, inputs: &str) -> Option<(PathBuf, Vec<u8>)> {
    let record = fs::read_to_string(output.join(RECORD)).ok()?;
    let mut lines = record.lines();
    let (of, digest, name) = (lines.next()?, lines.next()?, lines.next()?);
    let path = output.join(name);
    let component = fs::read(&path).ok().filter(|_| of == inputs)?;
    (canonical::digest(&component) == digest).then_some((path, component))
}

/// Remembers what a component was built from. Where that cannot be written, the next build takes as long as this one.
pub(super) fn remember(component: &Path, inputs: &str) {
    let (Some(output), Some(name)) = (component.parent(), component.file_name()) else { return };
    let Ok(bytes) = fs::read(component) else { return };
    let record = format!("{inputs}\n{}\n{}\n", canonical::digest(&bytes), name.to_string_lossy());
    let _ = fs::write(output.join(RECORD), record);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_change_is_known_and_what_did_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (project, output) = (folder.path(), folder.path().join("build"));
        fs::create_dir(&output).expect("a folder");
        let put = |name: &str, text: &str| fs::write(project.join(name), text).expect("written");
        put("activity.js", "1");
        put("build/a.wasm", "component");
        let before = inputs(project, &[]).expect("inputs");
        remember(&output.join("a.wasm"), &before);
        put("cases.toml", "cases do not count");
        let same = inputs(project, &[]).expect("inputs");
        assert_eq!(built_from(&output, &same), Some((output.join("a.wasm"), b"component".to_vec())));
        assert_ne!(before, inputs(project, &[("index.js", "another SDK")]).expect("inputs"));
        put("activity.js", "2");
        assert_eq!(built_from(&output, &inputs(project, &[]).expect("inputs")), None);
        put("activity.js", "1");
        put("build/a.wasm", "somebody else's");
        assert_eq!(built_from(&output, &before), None, "what lies there is no longer what was built");
    }
}
