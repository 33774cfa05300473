//! `care plugin new`: a small activity that builds and tests at once, to be changed step by step.

use super::error::PluginError;
use care_domain::text::is_kebab;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where each file goes, and its text with `@name@` and `@sdk@` to fill in.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("activity.toml", include_str!("template/activity.toml.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("README.md", include_str!("template/README.md.in")),
    (".gitignore", "/target\n"),
];
/// A crate of such a name hides one that it needs itself.
const TAKEN: [&str; 6] = ["alloc", "care-sdk", "core", "serde", "std", "test"];
/// The checkout that this program was built from.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Writes a plugin called `name` into a new folder of that name in `parent`, and returns the folder.
pub(crate) fn new(name: &str, parent: &Path) -> Result<PathBuf, PluginError> {
    if !is_kebab(name) {
        let hint = "Use lower-case letters, digits and single hyphens, at most 64, starting with a letter";
        return Err(PluginError::new("plugin-name", format!("{name:?} is no kebab-case name"), hint));
    }
    if TAKEN.contains(&name) {
        let message = format!("{name:?} is the name of a crate that every plugin needs");
        return Err(PluginError::new("plugin-name", message, "Name it after the need that it answers"));
    }
    let sdk = Path::new(CHECKOUT).join("sdk/rust");
    let sdk = sdk.canonicalize().map_err(|error| {
        let message = format!("the SDK is not at {}, where this program was built", sdk.display());
        PluginError::new("sdk-missing", message, "Use a `care` that was built from a checkout which is still there")
            .because(error)
    })?;
    let folder = parent.join(name);
    fs::create_dir(&folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let message = format!("{} exists already", folder.display());
            PluginError::new("plugin-exists", message, "Choose another name, or remove it first")
        }
        _ => PluginError::file(&folder, "creating")(error),
    })?;
    write_files(&folder, name, &sdk).inspect_err(|_| {
        // Nothing half-written stays; the failure itself is what is reported.
        let _ = fs::remove_dir_all(&folder);
    })?;
    Ok(folder)
}

fn write_files(folder: &Path, name: &str, sdk: &Path) -> Result<(), PluginError> {
    let source = folder.join("src");
    fs::create_dir(&source).map_err(PluginError::file(&source, "creating"))?;
    let sdk = toml::Value::String(sdk.display().to_string()).to_string();
    for (file, template) in FILES {
        let path = folder.join(file);
        let text = template.replace("@name@", name).replace("@sdk@", &sdk);
        fs::write(&path, text).map_err(PluginError::file(&path, "writing"))?;
    }
    Ok(())
}
