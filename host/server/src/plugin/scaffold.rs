//! `care plugin new`: an activity that builds, tests and simulates at once, to be changed step by step. It is the example
//! of the repository (`examples/local-festival`) under another name, with the SDK beside it.

use super::error::PluginError;
use super::{Language, sdk};
use care_domain::text::is_kebab;
use care_domain::time::write_date;
use care_engine::GenerateOptions;
use care_engine::author::sample_csv;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is to be begun.
pub(crate) struct Beginning<'a> {
    /// Kebab-case name.
    pub(crate) name: &'a str,
    /// The folder in which its folder is made.
    pub(crate) parent: &'a Path,
    /// In which language.
    pub(crate) language: Language,
    /// The day of which the sample population speaks.
    pub(crate) today: i32,
}

macro_rules! example {
    ($folder:literal: $($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../../examples/local-festival/", $folder, "/", $path)))),*]
    };
}

const RUST: sdk::Files = example!("rust": "Cargo.toml" "activity.toml" "cases.toml" "simulate.toml" "src/lib.rs");
const JAVASCRIPT: sdk::Files =
    example!("js": "package.json" "activity.toml" "cases.toml" "simulate.toml" "activity.js");
const PYTHON: sdk::Files =
    example!("python": "pyproject.toml" "activity.toml" "cases.toml" "simulate.toml" "activity.py");
const README: &str = include_str!("template/README.md.in");
/// The example's own name and dates, and where it finds the SDK: a new project has others.
const EXAMPLE: &str = "local-festival";
const EXAMPLE_TODAY: &str = "2026-07-29";
const EXAMPLE_FESTIVAL: &str = "2026-07-31";
/// What a crate needs that is no member of this workspace.
const CRATE_ALONE: &str = "\n[profile.release]\nopt-level = 3\nlto = true\ncodegen-units = 1\npanic = \"abort\"\n\n\
    # A workspace of its own, wherever the folder lies.\n[workspace]\n";
/// A crate of such a name hides one that it needs itself.
const TAKEN: [&str; 6] = ["alloc", "care-sdk", "core", "serde", "std", "test"];
/// Customers of the sample population.
const SAMPLE: u64 = 1_000;
const SAMPLE_FILE: &str = "customers.csv";

/// Writes a plugin into a new folder of its name, and returns the folder.
pub(crate) fn new(beginning: &Beginning<'_>) -> Result<PathBuf, PluginError> {
    let Beginning { name, parent, .. } = *beginning;
    if !is_kebab(name) {
        let hint = "Use lower-case letters, digits and single hyphens, at most 64, starting with a letter";
        return Err(PluginError::new("plugin-name", format!("{name:?} is no kebab-case name"), hint));
    }
    if TAKEN.contains(&name) {
        let message = format!("{name:?} is the name of a crate that every plugin needs");
        return Err(PluginError::new("plugin-name", message, "Name it after the need that it answers"));
    }
    let folder = parent.join(name);
    fs::create_dir(&folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let message = format!("{} exists already", folder.display());
            PluginError::new("plugin-exists", message, "Choose another name, or remove it first")
        }
        _ => PluginError::file(&folder, "creating")(error),
    })?;
    write_files(&folder, beginning).inspect_err(|_| {
        // Nothing half-written stays; the failure itself is what is reported.
        let _ = fs::remove_dir_all(&folder);
    })?;
    Ok(folder)
}

fn write_files(folder: &Path, beginning: &Beginning<'_>) -> Result<(), PluginError> {
    let Beginning { name, language, today, .. } = *beginning;
    let (files, sdk, ignored) = match language {
        Language::Rust => (RUST, sdk::RUST, "/target\n"),
        Language::JavaScript => (JAVASCRIPT, sdk::JAVASCRIPT, "/build\n/node_modules\n"),
        Language::Python => (PYTHON, sdk::PYTHON, "/build\n__pycache__/\n"),
    };
    for (file, text) in files {
        put(&folder.join(file), &renamed(file, text, name, today))?;
    }
    put(&folder.join("README.md"), &README.replace("@name@", name).replace("@source@", source_of(language)))?;
    put(&folder.join(".gitignore"), ignored)?;
    sdk::write(sdk, &folder.join("sdk"))?;
    let mut sample = Vec::new();
    let options = GenerateOptions { customers: SAMPLE, seed: 1, business_date: today };
    sample_csv(options, &mut sample).map_err(|error| {
        let hint = "Look at the clock: the sample speaks of today";
        PluginError::new("no-sample", "no sample population could be made up", hint).because(error)
    })?;
    let path = folder.join(SAMPLE_FILE);
    fs::write(&path, sample).map_err(PluginError::file(&path, "writing"))
}

fn put(path: &Path, text: &str) -> Result<(), PluginError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(PluginError::file(parent, "creating"))?;
    }
    fs::write(path, text).map_err(PluginError::file(path, "writing"))
}

/// A file of the example for a project of another name and day. Cases say their own dates, so they stay.
fn renamed(file: &str, text: &str, name: &str, today: i32) -> String {
    match file {
        "activity.toml" => text
            .replace(&format!("name = \"{EXAMPLE}\""), &format!("name = \"{name}\""))
            .replace(EXAMPLE_FESTIVAL, &write_date(today.saturating_add(2))),
        "simulate.toml" => text.replace(EXAMPLE_TODAY, &write_date(today)),
        "Cargo.toml" => {
            let text = text.replace("../../../sdk/rust", "sdk").replace("license = \"Apache-2.0\"\n", "");
            text.replace(EXAMPLE, name) + CRATE_ALONE
        }
        "package.json" => text.replace("../../../sdk/js", "./sdk").replace(EXAMPLE, name),
        "pyproject.toml" => text.replace(EXAMPLE, name),
        _ => text.to_owned(),
    }
}

fn source_of(language: Language) -> &'static str {
    match language {
        Language::Rust => "src/lib.rs",
        Language::JavaScript => "activity.js",
        Language::Python => "activity.py",
    }
}
