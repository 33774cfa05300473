//! The SDKs, which travel with this program: a project needs no repository.

use super::error::PluginError;
use std::fs;
use std::path::Path;

/// Files by their path below the SDK's folder.
pub(super) type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($base:literal: $($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../../", $base, "/", $path)))),*]
    };
}

/// The crate with its macros.
pub(super) const RUST: Files = files!("sdk/rust":
    "Cargo.toml" "README.md" "derive/Cargo.toml" "derive/src/lib.rs" "derive/src/names.rs" "derive/src/row.rs"
    "derive/src/variants.rs" "src/activity.rs" "src/batch.rs" "src/bindings.rs" "src/component.rs" "src/declaration.rs"
    "src/host.rs" "src/join.rs" "src/lib.rs" "src/model.rs" "src/model_bindings.rs" "src/row.rs" "src/say.rs" "src/tally.rs" "src/testing.rs" "src/units.rs"
    "src/value.rs" "wit/care-activity-1.0.0/activity.wit" "wit/care-activity-1.1.0/activity.wit"
);

/// The npm package.
pub(super) const JAVASCRIPT: Files = files!("sdk/js":
    "README.md" "batch.js" "columns.js" "component.d.ts" "component.js" "index.d.ts" "index.js" "package.json" "profile.js" "tally.js"
    "testing.d.ts" "testing.js" "wit/activity.wit"
);

/// What the wheel holds.
pub(super) const PYTHON: Files = files!("sdk/python/src":
    "care_sdk/__init__.py" "care_sdk/__init__.pyi" "care_sdk/activity.py" "care_sdk/batch.py" "care_sdk/component.py" "care_sdk/days.py" "care_sdk/days.pyi"
    "care_sdk/profile.py" "care_sdk/py.typed" "care_sdk/row.py" "care_sdk/tally.py" "care_sdk/testing.py" "care_sdk/testing.pyi" "care_sdk/wit/activity.wit"
);

/// Writes an SDK below a folder. Files that are there already are replaced.
pub(super) fn write(files: Files, folder: &Path) -> Result<(), PluginError> {
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(PluginError::file(parent, "creating"))?;
        }
        fs::write(&path, text).map_err(PluginError::file(&path, "writing"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// Every file of an SDK that its users need, by its path below `base`.
    fn on_disk(base: &str, is_left_out: impl Fn(&str) -> bool) -> Vec<String> {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(base);
        let (mut found, mut waiting) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(base.join(&folder)).expect("a folder").map(|entry| entry.expect("an entry")) {
                let path = folder.join(entry.file_name());
                let name = path.display().to_string();
                match entry.file_type().expect("a type").is_dir() {
                    _ if is_left_out(&name) => {}
                    true => waiting.push(path),
                    false => found.push(name),
                }
            }
        }
        found.sort();
        found
    }

    fn listed(files: Files) -> Vec<&'static str> {
        let mut names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn each_sdk_travels_whole() {
        let left_out = |name: &str| ["tests", "test", "target", "node_modules", "Cargo.lock"].contains(&name);
        assert_eq!(listed(RUST), on_disk("sdk/rust", left_out));
        assert_eq!(listed(JAVASCRIPT), on_disk("sdk/js", left_out));
        let built = |name: &str| name.contains("__pycache__") || name.ends_with(".egg-info");
        assert_eq!(listed(PYTHON), on_disk("sdk/python/src", built));
    }

    #[test]
    fn the_contract_inside_of_each_is_the_released_one() {
        let wit = |version: &str| care_sandbox::CONTRACTS.iter().find(|c| c.version == version).expect("released").wit;
        let of = |files: Files, name: &str| files.iter().find(|(file, _)| *file == name).expect("it is there").1;
        for version in ["1.0.0", "1.1.0"] {
            assert_eq!(of(RUST, &format!("wit/care-activity-{version}/activity.wit")), wit(version));
        }
        assert_eq!(of(JAVASCRIPT, "wit/activity.wit"), wit("1.1.0"));
        assert_eq!(of(PYTHON, "care_sdk/wit/activity.wit"), wit("1.1.0"));
    }
}
