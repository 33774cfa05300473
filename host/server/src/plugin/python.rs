//! From Python to a component.

use super::build::{Made, OUTPUT};
use super::command::run;
use super::error::PluginError;
use super::sdk;
use super::tools::Tools;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MEND: &str = "Mend the activity where the message says so";
/// The author's module.
const MODULE: &str = "activity";
/// The module that the builder exports: it must not be called like the world.
const ENTRY: &str = "care_entry";
const ENTRY_TEXT: &str = "import activity\nfrom care_sdk.component import exports\n\n\
    Targeting, Timing, Content, Evaluation = exports(activity.activity)\n";

/// Makes a component of a project.
pub(super) fn make(project: &Path, tools: &Tools, say: &dyn Fn(&str)) -> Result<Made, PluginError> {
    let (python, builder) = tools.componentize_py(say)?;
    let output = project.join(OUTPUT);
    let stage = output.join("stage");
    if stage.exists() {
        fs::remove_dir_all(&stage).map_err(PluginError::file(&stage, "clearing"))?;
    }
    // The builder takes whatever it finds below the folders that it is given: only the sources are there.
    let source = stage.join("source");
    gather(project, &source)?;
    let sdk = sdk_of(project, &stage)?;
    say("Making a component of the Python, which takes a while");
    let declaration = declaration(&python, &source, &sdk)?;
    let entry = source.join(format!("{ENTRY}.py"));
    fs::write(&entry, ENTRY_TEXT).map_err(PluginError::file(&entry, "writing"))?;
    let out = stage.join("activity.wasm");
    let mut command = Command::new(builder);
    command.current_dir(&stage).arg("-q").arg("-d").arg(sdk.join("care_sdk/wit")).args([
        "-w",
        "activity",
        "componentize",
    ]);
    command.args(["--stub-wasi", "-p"]).arg(&source).arg("-p").arg(&sdk).arg(ENTRY).arg("-o").arg(&out);
    command.env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut command, "compile-failed", MEND)?;
    let component = fs::read(&out).map_err(PluginError::file(&out, "reading"))?;
    Ok(Made { component, declaration, kept: None, output })
}

/// The modules of a project beside its tests.
fn gather(project: &Path, to: &Path) -> Result<(), PluginError> {
    if !project.join(format!("{MODULE}.py")).is_file() {
        let message = format!("{} has no {MODULE}.py", project.display());
        return Err(PluginError::new(
            "not-a-plugin",
            message,
            "Write the activity there, and `activity = YourActivity`",
        ));
    }
    fs::create_dir_all(to).map_err(PluginError::file(to, "creating"))?;
    for entry in fs::read_dir(project).map_err(PluginError::file(project, "reading"))? {
        let path = entry.map_err(PluginError::file(project, "reading"))?.path();
        let is_package = path.join("__init__.py").is_file();
        let target = to.join(path.file_name().unwrap_or_default());
        if is_package {
            copy_package(&path, &target)?;
        } else if path.extension().is_some_and(|ending| ending == "py") {
            fs::copy(&path, &target).map_err(PluginError::file(&path, "copying"))?;
        }
    }
    Ok(())
}

fn copy_package(from: &Path, to: &Path) -> Result<(), PluginError> {
    fs::create_dir_all(to).map_err(PluginError::file(to, "creating"))?;
    for entry in fs::read_dir(from).map_err(PluginError::file(from, "reading"))? {
        let path = entry.map_err(PluginError::file(from, "reading"))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_package(&path, &target)?;
        } else if path.extension().is_some_and(|ending| ending == "py") {
            fs::copy(&path, &target).map_err(PluginError::file(&path, "copying"))?;
        }
    }
    Ok(())
}

/// The folder that holds `care_sdk`: the project's own, else that of this release.
fn sdk_of(project: &Path, stage: &Path) -> Result<PathBuf, PluginError> {
    let own = project.join("sdk");
    if own.join("care_sdk/__init__.py").is_file() {
        return Ok(own);
    }
    let sdk = stage.join("sdk");
    sdk::write(sdk::PYTHON, &sdk)?;
    Ok(sdk)
}

/// What the code declares. It runs here, as its author's own program.
fn declaration(python: &Path, source: &Path, sdk: &Path) -> Result<Vec<u8>, PluginError> {
    let script =
        "import json, activity\nfrom care_sdk import declaration\nprint(json.dumps(declaration(activity.activity)))";
    let mut command = Command::new(python);
    command.args(["-B", "-c", script]).current_dir(source).env("PYTHONPATH", sdk);
    let said = run(&mut command, "compile-failed", MEND)?.stdout;
    Ok(said.lines().last().unwrap_or_default().as_bytes().to_vec())
}

/// Runs the tests below `tests`, if there are any.
pub(super) fn test(project: &Path, tools: &Tools, say: &dyn Fn(&str)) -> Result<(), PluginError> {
    if !project.join("tests").is_dir() {
        return Ok(());
    }
    let (python, _) = tools.componentize_py(say)?;
    let stage = project.join("build/tests");
    let sdk = sdk_of(project, &stage)?;
    let paths = std::env::join_paths([project, sdk.as_path()]).map_err(|error| {
        PluginError::new("plugin-file", format!("the project's path cannot be used: {error}"), "Move it elsewhere")
    })?;
    let mut command = Command::new(python);
    command.args(["-B", "-m", "unittest", "discover", "-s", "tests"]).current_dir(project).env("PYTHONPATH", paths);
    say(run(&mut command, "tests-failed", MEND)?.stderr.trim_end());
    Ok(())
}
