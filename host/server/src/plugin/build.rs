//! `care plugin build`: from a crate and its `activity.toml` to an inspected component file.

use super::cargo::{Package, remapped};
use super::error::PluginError;
use super::toolchain::Toolchain;
use super::{Language, Project, Tools, js, lines, manifest, python, reuse, sdk};
use care_domain::manifest::{Declaration, Manifest};
use care_domain::text::Finding;
use care_engine::{DEFAULT_FIELDS, parse_dictionary};
use care_sandbox::package::{self, PackageError};
use care_sandbox::{Report, inspect};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

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

/// What the compiler or builder of a language made.
pub(super) struct Made {
    /// A component without a manifest.
    pub(super) component: Vec<u8>,
    /// What the code declares, JSON.
    pub(super) declaration: Vec<u8>,
    /// What its author's tools need to name lines of the source; never uploaded.
    pub(super) kept: Option<Vec<u8>>,
    /// Where components go unless the author says otherwise.
    pub(super) output: PathBuf,
}

/// Builds a project, by default into the output folder of its language as `<name>-<version>.wasm`. What is going on goes
/// to `say`, a line or more each time.
pub(crate) fn build(
    project: &Project,
    out: Option<&Path>,
    tools: &Tools,
    say: &dyn Fn(&str),
) -> Result<Built, PluginError> {
    let folder = project.folder();
    let make: &dyn Fn() -> Result<Made, PluginError> = match project.language() {
        Language::Rust => {
            return build_with(folder, out, say, &|| compile(folder, &|| Toolchain::find(folder, say), &[], say));
        }
        Language::JavaScript => &|| js::make(folder, tools, say),
        Language::Python => &|| python::make(folder, tools, say),
    };
    if out.is_some() {
        return build_with(folder, out, say, make);
    }
    let sdk = if project.language() == Language::Python { sdk::PYTHON } else { sdk::JAVASCRIPT };
    let inputs = reuse::inputs(folder, sdk)?;
    if let Some((path, component)) = reuse::built_from(&folder.join(OUTPUT), &inputs)
        && let Some(built) = known(folder, path, &component, say)?
    {
        return Ok(built);
    }
    let built = build_with(folder, None, say, make)?;
    reuse::remember(&built.path, &inputs);
    Ok(built)
}

/// Where JavaScript and Python projects have their components.
pub(super) const OUTPUT: &str = "build";

/// A component that was built before, looked at by the gate's rules again.
fn known(folder: &Path, path: PathBuf, component: &[u8], say: &dyn Fn(&str)) -> Result<Option<Built>, PluginError> {
    let activity_toml = folder.join("activity.toml");
    let text = fs::read_to_string(&activity_toml).map_err(PluginError::file(&activity_toml, "reading"))?;
    let report = accepted(component, &text, say)?;
    let Report { digest, manifest, .. } = report;
    Ok(manifest.map(|manifest| Built { path, digest, bytes: component.len(), manifest }))
}

/// Builds a project in Rust so that a profile can tell its rules apart, beside what `build` makes.
pub(crate) fn build_apart(project: &Project, say: &dyn Fn(&str)) -> Result<Built, PluginError> {
    let folder = project.folder();
    let out = Package::of(folder)?.output.join("apart.wasm");
    build_with(folder, Some(&out), say, &|| compile(folder, &|| Toolchain::find(folder, say), &[APART], say))
}

/// The feature of the SDK by which rules stay functions of their own.
const APART: &str = "care-sdk/apart";

/// Builds with what makes the component, which is only asked when activity.toml can be read.
pub(super) fn build_with(
    folder: &Path,
    out: Option<&Path>,
    say: &dyn Fn(&str),
    make: &dyn Fn() -> Result<Made, PluginError>,
) -> Result<Built, PluginError> {
    let activity_toml = folder.join("activity.toml");
    let text = fs::read_to_string(&activity_toml).map_err(PluginError::file(&activity_toml, "reading"))?;
    let draft = manifest::read(&text)?;
    let mut made = make()?;
    let (output, kept) = (made.output.clone(), made.kept.take());
    let (component, manifest) = assemble(made, draft)?;
    let report = accepted(&component, &text, say)?;
    let default = output.join(format!("{}-{}.wasm", manifest.name, manifest.version));
    let path = out.map_or(default, Path::to_path_buf);
    write(&path, &component)?;
    if let Some(kept) = kept {
        write(&kept_beside(&path), &kept)?;
    }
    Ok(Built { path, digest: report.digest, bytes: component.len(), manifest })
}

/// Where a component's line tables are.
pub(crate) fn kept_beside(component: &Path) -> PathBuf {
    component.with_extension("debug.wasm")
}

/// Makes a component of a crate.
pub(super) fn compile(
    folder: &Path,
    toolchain: &dyn Fn() -> Result<Toolchain, PluginError>,
    features: &[&str],
    say: &dyn Fn(&str),
) -> Result<Made, PluginError> {
    let package = Package::of(folder)?;
    let toolchain = toolchain()?;
    say(&format!("Compiling {} to WebAssembly", package.name));
    let compiled = package.compile(folder, &toolchain, features, say)?;
    let hint = "Write `care_sdk::export!(YourActivity);` once, and use no crate that needs an operating system";
    let core = package::stripped(&compiled).map_err(|error| not_made(error, hint))?;
    let declaration = package::declaration(&core)
        .map_err(|error| not_made(error, hint))?
        .ok_or_else(|| PluginError::new("no-declaration", "the code exports no activity", hint))?;
    let component = package::component_from_core(&core).map_err(|error| not_made(error, hint))?;
    let kept = Some(package::with_sources(&compiled, &remapped(folder)));
    Ok(Made { component, declaration, kept, output: package.output })
}

fn not_made(error: PackageError, hint: &str) -> PluginError {
    let error = anyhow::Error::from(error);
    // With its causes: the innermost names the import or export at fault.
    let message = format!("no component can be made of it: {error:#}");
    PluginError::new("not-a-component", message, hint).because(error)
}

/// The absolute path of a plugin's folder.
pub(super) fn plugin_folder(folder: &Path) -> Result<PathBuf, PluginError> {
    let absolute = folder.canonicalize().map_err(PluginError::file(folder, "opening"))?;
    if absolute.join("activity.toml").is_file() {
        return Ok(absolute);
    }
    let message = format!("{} is no plugin: it has no activity.toml", folder.display());
    Err(PluginError::new("not-a-plugin", message, "Begin one with `care plugin new <name>`"))
}

/// The component with its manifest and declaration inside.
fn assemble(made: Made, draft: Manifest) -> Result<(Vec<u8>, Manifest), PluginError> {
    let hint = "Build with the SDK of this release";
    let declaration: Declaration = serde_json::from_slice(&made.declaration).map_err(|error| {
        let message = format!("what the code declares cannot be read: {error}");
        PluginError::new("no-declaration", message, hint).because(error)
    })?;
    let wit = package::contract_version(&made.component).map_err(|error| not_made(error, hint))?;
    let manifest = manifest::complete(draft, &declaration, wit)?;
    let json = serde_json::to_vec(&manifest).map_err(|error| {
        let message = format!("the manifest cannot be written as JSON: {error}");
        PluginError::new("activity-toml", message, "Look at `params`").because(error)
    })?;
    let component = package::with_manifest(&made.component, &json)
        .and_then(|component| package::with_declaration(&component, &made.declaration));
    Ok((component.map_err(|error| not_made(error, hint))?, manifest))
}

/// What the gate says of the component, which must not refuse it. Its warnings go to `say`.
fn accepted(component: &[u8], activity_toml: &str, say: &dyn Fn(&str)) -> Result<Report, PluginError> {
    let dictionary = parse_dictionary(DEFAULT_FIELDS).map_err(|error| {
        let message = format!("the default field dictionary cannot be read: {error}");
        PluginError::new("bad-dictionary", message, "Please report this").because(error)
    })?;
    let mut report = inspect(component, &dictionary);
    report.findings.iter_mut().for_each(|finding| manifest::place(activity_toml, finding));
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
