//! From JavaScript to a component.

use super::build::{Made, OUTPUT};
use super::command::run;
use super::error::PluginError;
use super::sdk;
use super::tools::Tools;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders of a project that are no source of the activity.
const LEFT_OUT: [&str; 4] = ["build", "sdk", "node_modules", "test"];
const MEND: &str = "Mend the activity where the message says so";

/// What a project is built from, gathered below its `build` folder: its own files and the SDK, as the builder finds them.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    /// The author's file, relative to the folder.
    main: String,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default = "activity_js")]
    main: String,
}

fn activity_js() -> String {
    "activity.js".to_owned()
}

/// Makes a component of a project.
pub(super) fn make(project: &Path, tools: &Tools, say: &dyn Fn(&str)) -> Result<Made, PluginError> {
    let builder = tools.componentize_qjs(say)?;
    let stage = Stage::of(project)?;
    say("Making a component of the JavaScript");
    let declaration = stage.declaration()?;
    let entry = format!(
        "import activity from './{}';\nimport {{ component }} from 'care-sdk/component';\n\
         export const {{ targeting, timing, content, evaluation }} = component(activity);\n",
        stage.main
    );
    let path = stage.folder.join("entry.js");
    fs::write(&path, entry).map_err(PluginError::file(&path, "writing"))?;
    let out = stage.folder.join("activity.wasm");
    let mut command = Command::new(&builder);
    command.current_dir(&stage.folder).arg("--wit").arg(stage.sdk().join("wit")).args(["--world", "activity"]);
    command.args(["--js", "entry.js", "--module-root", ".", "--stub-wasi", "--sync", "--output"]).arg(&out);
    run(&mut command, "compile-failed", MEND)?;
    let component = fs::read(&out).map_err(PluginError::file(&out, "reading"))?;
    Ok(Made { component, declaration, kept: None, output: project.join(OUTPUT) })
}

impl Stage {
    /// Gathers a project's files anew.
    pub(super) fn of(project: &Path) -> Result<Self, PluginError> {
        let package = project.join("package.json");
        let text = fs::read_to_string(&package).map_err(PluginError::file(&package, "reading"))?;
        let Package { main } = serde_json::from_str(&text).map_err(|error| {
            let message = format!("package.json cannot be read: {error}");
            PluginError::new("not-a-plugin", message, "Compare it with the one of `care plugin new --lang js`")
        })?;
        if !project.join(&main).is_file() {
            let message = format!("package.json names {main:?} as main, which does not exist");
            return Err(PluginError::new("not-a-plugin", message, "Name the file that exports the activity"));
        }
        let folder = project.join("build/stage");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(PluginError::file(&folder, "clearing"))?;
        }
        let stage = Self { folder, main };
        copy(project, &stage.folder, &|name| !LEFT_OUT.contains(&name) && !name.ends_with(".csv"))?;
        let modules = project.join("node_modules");
        if modules.is_dir() {
            copy(&modules, &stage.folder.join("node_modules"), &|name| name != "care-sdk")?;
        }
        let own = project.join("sdk");
        if own.join("package.json").is_file() {
            copy(&own, &stage.sdk(), &|name| name != "node_modules")?;
        } else {
            sdk::write(sdk::JAVASCRIPT, &stage.sdk())?;
        }
        Ok(stage)
    }

    fn sdk(&self) -> PathBuf {
        self.folder.join("node_modules/care-sdk")
    }

    /// What the code declares. It runs here, in node, as its author's own program.
    fn declaration(&self) -> Result<Vec<u8>, PluginError> {
        let script = format!(
            "import activity from './{}';\nimport {{ declaration }} from 'care-sdk';\n\
             console.log(JSON.stringify(declaration(activity)));\n",
            self.main
        );
        let path = self.folder.join("declare.js");
        fs::write(&path, script).map_err(PluginError::file(&path, "writing"))?;
        let mut node = Command::new("node");
        let said = run(node.arg("declare.js").current_dir(&self.folder), "compile-failed", MEND)?.stdout;
        fs::remove_file(&path).map_err(PluginError::file(&path, "removing"))?;
        Ok(said.lines().last().unwrap_or_default().as_bytes().to_vec())
    }
}

/// Runs the tests below `test`, if there are any.
pub(super) fn test(project: &Path, say: &dyn Fn(&str)) -> Result<(), PluginError> {
    let stage = Stage::of(project)?;
    let tests = project.join("test");
    if !tests.is_dir() {
        return Ok(());
    }
    copy(&tests, &stage.folder.join("test"), &|_| true)?;
    let mut node = Command::new("node");
    let said = run(node.args(["--test", "test/"]).current_dir(&stage.folder), "tests-failed", MEND)?;
    say(said.stdout.trim_end());
    Ok(())
}

/// Copies a folder; `takes` says which names below it.
fn copy(from: &Path, to: &Path, takes: &dyn Fn(&str) -> bool) -> Result<(), PluginError> {
    fs::create_dir_all(to).map_err(PluginError::file(to, "creating"))?;
    for entry in fs::read_dir(from).map_err(PluginError::file(from, "reading"))? {
        let entry = entry.map_err(PluginError::file(from, "reading"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (source, target) = (entry.path(), to.join(&name));
        if !takes(&name) || name.starts_with('.') {
            continue;
        }
        if source.is_dir() {
            copy(&source, &target, &|_| true)?;
        } else {
            fs::copy(&source, &target).map_err(PluginError::file(&source, "copying"))?;
        }
    }
    Ok(())
}
