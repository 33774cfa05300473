//! `care plugin build`: from a crate and its `activity.toml` to an inspected component file.

use super::cargo::Package;
use super::error::PluginError;
use super::toolchain::Toolchain;
use super::{lines, manifest};
use care_domain::manifest::{Declaration, Manifest};
use care_domain::text::Finding;
use care_engine::{DEFAULT_FIELDS, parse_dictionary};
use care_sandbox::package::{self, PackageError};
use care_sandbox::{Report, inspect};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What to build.
pub(crate) struct BuildOptions {
    /// A crate with Cargo.toml and activity.toml.
    pub(crate) folder: PathBuf,
    /// Where the component goes; by default `plugins/<name>-<version>.wasm` in cargo's target folder.
    pub(crate) out: Option<PathBuf>,
}

/// A plugin that was built, and that the gate accepts by the default field dictionary.
pub(crate) struct Built {
    /// The component file.
    pub(crate) path: PathBuf,
    /// SHA-256 of its bytes, hexadecimal.
    pub(crate) digest: String,
    /// Its size in bytes.
    pub(crate) bytes: usize,
    /// What it asks for.
    pub(crate) manifest: Manifest,
}

/// Builds the plugin in `options.folder`. What is going on goes to `say`, a line or more each time.
pub(crate) fn build(options: &BuildOptions, say: &dyn Fn(&str)) -> Result<Built, PluginError> {
    let folder = plugin_folder(&options.folder)?;
    build_with(&folder, options.out.as_deref(), &|| Toolchain::find(&folder, say), say)
}

/// Builds with a toolchain that is only looked for when activity.toml can be read.
pub(super) fn build_with(
    folder: &Path,
    out: Option<&Path>,
    toolchain: &dyn Fn() -> Result<Toolchain, PluginError>,
    say: &dyn Fn(&str),
) -> Result<Built, PluginError> {
    let activity_toml = folder.join("activity.toml");
    let text = fs::read_to_string(&activity_toml).map_err(PluginError::file(&activity_toml, "reading"))?;
    let draft = manifest::read(&text)?;
    let package = Package::of(folder)?;
    let toolchain = toolchain()?;
    say(&format!("Compiling {} to WebAssembly", package.name));
    let core = package.compile(folder, &toolchain, say)?;
    let (component, manifest) = assemble(&core, draft)?;
    let report = accepted(&component, say)?;
    let default = package.output.join(format!("{}-{}.wasm", manifest.name, manifest.version));
    let path = out.map_or(default, Path::to_path_buf);
    write(&path, &component)?;
    Ok(Built { path, digest: report.digest, bytes: component.len(), manifest })
}

/// The absolute path of a plugin's folder.
pub(super) fn plugin_folder(folder: &Path) -> Result<PathBuf, PluginError> {
    let absolute = folder.canonicalize().map_err(PluginError::file(folder, "opening"))?;
    match ["Cargo.toml", "activity.toml"].iter().find(|file| !absolute.join(file).is_file()) {
        None => Ok(absolute),
        Some(missing) => {
            let message = format!("{} is no plugin: it has no {missing}", folder.display());
            Err(PluginError::new("not-a-plugin", message, "Begin one with `care plugin new <name>`"))
        }
    }
}

/// The component with its manifest inside.
fn assemble(core: &[u8], draft: Manifest) -> Result<(Vec<u8>, Manifest), PluginError> {
    let hint = "Write `care_sdk::export!(YourActivity);` once, and use no crate that needs an operating system";
    let not_made = |error: PackageError| {
        let error = anyhow::Error::from(error);
        // With its causes: the innermost names the import or export at fault.
        let message = format!("no component can be made of it: {error:#}");
        PluginError::new("not-a-component", message, hint).because(error)
    };
    let declaration = package::declaration(core)
        .map_err(not_made)?
        .ok_or_else(|| PluginError::new("no-declaration", "the code exports no activity", hint))?;
    let declaration: Declaration = serde_json::from_slice(&declaration).map_err(|error| {
        let message = format!("what the code declares cannot be read: {error}");
        PluginError::new("no-declaration", message, "Build with the SDK of this release").because(error)
    })?;
    let component = package::component_from_core(core).map_err(not_made)?;
    let wit = package::contract_version(&component).map_err(not_made)?;
    let manifest = manifest::complete(draft, &declaration, wit)?;
    let json = serde_json::to_vec(&manifest).map_err(|error| {
        PluginError::new(
            "activity-toml",
            format!("the manifest cannot be written as JSON: {error}"),
            "Look at `params`",
        )
        .because(error)
    })?;
    Ok((package::with_manifest(&component, &json).map_err(not_made)?, manifest))
}

/// What the gate says of the component, which must not refuse it. Its warnings go to `say`.
fn accepted(component: &[u8], say: &dyn Fn(&str)) -> Result<Report, PluginError> {
    let dictionary = parse_dictionary(DEFAULT_FIELDS).map_err(|error| {
        let message = format!("the default field dictionary cannot be read: {error}");
        PluginError::new("bad-dictionary", message, "Please report this").because(error)
    })?;
    let report = inspect(component, &dictionary);
    if !report.accepted {
        let refusals = lines(report.findings.iter().filter(|f| f.refuses()));
        let message = format!("the plugin would be refused:{refusals}");
        return Err(PluginError::new("plugin-refused", message, "Mend activity.toml or the code, and build again"));
    }
    report.findings.iter().for_each(|warning: &Finding| say(&warning.to_string()));
    Ok(report)
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), PluginError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let partial = PathBuf::from(partial);
    let put = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    put().map_err(|error| {
        // It may never have existed; what counts is the failure before it.
        let _ = fs::remove_file(&partial);
        PluginError::file(path, "writing")(error)
    })
}
