//! What cargo knows of a plugin's package, and what it makes of it.

use super::command::run;
use super::error::PluginError;
use super::toolchain::{TARGET, Toolchain};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package of a plugin.
pub(super) struct Package {
    /// As in Cargo.toml.
    pub(super) name: String,
    /// Of the cdylib, as its file is called.
    module: String,
    /// Where plugins are built and put: apart from the host's own output, since their compiler flags differ.
    pub(super) output: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    name: String,
    crate_types: Vec<String>,
}

const CRATE_TYPE_HINT: &str = "Write `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]` into its Cargo.toml";

impl Package {
    /// The package in `folder`, an absolute path, alone or as a member of a workspace.
    pub(super) fn of(folder: &Path) -> Result<Self, PluginError> {
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(folder);
        let metadata = run(&mut cargo, "cargo-metadata", "Mend the Cargo.toml that cargo names")?.stdout;
        Self::read(&metadata, &folder.join("Cargo.toml"))
    }

    /// The package with that Cargo.toml in the JSON of `cargo metadata`.
    pub(super) fn read(metadata: &str, cargo_toml: &Path) -> Result<Self, PluginError> {
        let metadata: Metadata = serde_json::from_str(metadata).map_err(|error| {
            let message = format!("the answer of `cargo metadata` cannot be read: {error}");
            PluginError::new("cargo-metadata", message, "Use the cargo that belongs to this release").because(error)
        })?;
        let Some(package) = metadata.packages.into_iter().find(|p| p.manifest_path == cargo_toml) else {
            let message = format!("{} describes no package", cargo_toml.display());
            return Err(PluginError::new("not-a-plugin", message, "Name the folder of one plugin, not of a workspace"));
        };
        let is_cdylib = |target: &&MetadataTarget| target.crate_types.iter().any(|t| t == "cdylib");
        let Some(library) = package.targets.iter().find(is_cdylib) else {
            let message = format!("package {:?} makes no cdylib, which a plugin is", package.name);
            return Err(PluginError::new("not-a-plugin", message, CRATE_TYPE_HINT));
        };
        let module = library.name.replace('-', "_");
        Ok(Self { name: package.name, module, output: metadata.target_directory.join("plugins") })
    }

    /// Compiles it to a core module with line tables, which do not change its code, and returns its bytes. The compiler's warnings go to `say`.
    pub(super) fn compile(
        &self,
        folder: &Path,
        toolchain: &Toolchain,
        features: &[&str],
        say: &dyn Fn(&str),
    ) -> Result<Vec<u8>, PluginError> {
        let mut cargo = toolchain.build_command();
        cargo.current_dir(folder).args(["--package", &self.name, "--lib", "--target-dir"]).arg(&self.output);
        cargo.args([
            "--config",
            "profile.release.debug='line-tables-only'",
            "--config",
            "profile.release.strip='none'",
        ]);
        for feature in features {
            cargo.args(["--features", feature]);
        }
        // The encoded form is what cargo prefers, and what keeps a path with a space whole.
        cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags().join("\u{1f}"));
        let warnings = run(&mut cargo, "compile-failed", "Mend the code where the compiler says so")?.stderr;
        if !warnings.trim().is_empty() {
            say(warnings.trim_end());
        }
        let module = self.output.join(TARGET).join("release").join(format!("{}.wasm", self.module));
        fs::read(&module).map_err(PluginError::file(&module, "reading"))
    }

    /// Runs its native tests and returns what they printed.
    pub(super) fn test(&self, folder: &Path) -> Result<String, PluginError> {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--quiet", "--package", &self.name]).current_dir(folder);
        Ok(run(&mut cargo, "tests-failed", "Mend the activity or its tests, and test again")?.stdout)
    }
}

/// SIMD, and no path of the builder's home in the module: the same source gives the same digest on every machine.
fn rustflags() -> Vec<String> {
    let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
    if let Some(home) = std::env::home_dir() {
        flags.push(format!("--remap-path-prefix={}={HOME}", home.display()));
    }
    flags
}

/// What a module calls its builder's home.
const HOME: &str = "/home";

/// A folder as a module spells it.
pub(super) fn remapped(folder: &Path) -> String {
    let below = std::env::home_dir().and_then(|home| folder.strip_prefix(home).ok().map(Path::to_path_buf));
    below.map_or_else(|| folder.to_path_buf(), |below| Path::new(HOME).join(below)).display().to_string()
}
