//! The builders of JavaScript and Python plugins: pinned, installed by this program when they are missing, and kept in the
//! author's cache.

use super::command::run;
use super::error::PluginError;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes components of JavaScript.
const QJS: &str = "componentize-qjs@0.4.5";
/// Makes components of Python.
const PY: &str = "componentize-py==0.25.1";
/// The oldest tools that the SDKs run under.
const NODE: (&str, u32) = ("18", 18);
pub(super) const NODE_HINT: &str =
    "Install Node.js 18 or newer with npm: `sudo apt-get install nodejs npm`, or from https://nodejs.org";
pub(super) const PYTHON_HINT: &str = "Install Python 3.10 or newer with its venv module: `sudo apt-get install python3 python3-venv`, or from https://python.org";

/// Where builders are kept.
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Builders below an author's cache folder.
    pub(crate) fn new(cache: &Path) -> Self {
        Self { folder: cache.join("builders") }
    }

    /// The builder of JavaScript plugins.
    pub(super) fn componentize_qjs(&self, say: &dyn Fn(&str)) -> Result<PathBuf, PluginError> {
        node_is_new_enough()?;
        let folder = self.folder.join(QJS.replace('@', "-"));
        once(&folder, &|| {
            say(&format!("Installing {QJS} with npm into {}", folder.display()));
            let mut npm = Command::new("npm");
            npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&folder).arg(QJS);
            run(&mut npm, "no-builder", "Look at what npm says; it needs the network once").map(drop)
        })?;
        Ok(folder.join("node_modules/.bin/componentize-qjs"))
    }

    /// The Python in which the builder of Python plugins is installed, and that builder.
    pub(super) fn componentize_py(&self, say: &dyn Fn(&str)) -> Result<(PathBuf, PathBuf), PluginError> {
        let folder = self.folder.join(PY.replace("==", "-"));
        let python = folder.join("bin/python3");
        once(&folder, &|| {
            let new_enough = "import sys; sys.exit(sys.version_info < (3, 10))";
            run(Command::new("python3").args(["-c", new_enough]), "tool-too-old", PYTHON_HINT)?;
            say(&format!("Installing {PY} with pip into {}", folder.display()));
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder), "tool-missing", PYTHON_HINT)?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PY]);
            run(&mut pip, "no-builder", "Look at what pip says; it needs the network once").map(drop)
        })?;
        Ok((python, folder.join("bin/componentize-py")))
    }
}

fn node_is_new_enough() -> Result<(), PluginError> {
    let version = run(Command::new("node").arg("--version"), "tool-missing", NODE_HINT)?.stdout;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE.1) {
        return Ok(());
    }
    let message = format!("node is {}, older than {}", version.trim(), NODE.0);
    Err(PluginError::new("tool-too-old", message, NODE_HINT))
}

/// Installs something into a folder, unless that was done before; others that want the same wait.
fn once(folder: &Path, install: &dyn Fn() -> Result<(), PluginError>) -> Result<(), PluginError> {
    fs::create_dir_all(folder).map_err(PluginError::file(folder, "creating"))?;
    let ready = folder.join("ready");
    let lock = folder.join("lock");
    let file = File::create(&lock).map_err(PluginError::file(&lock, "creating"))?;
    file.lock().map_err(PluginError::file(&lock, "locking"))?;
    if ready.exists() {
        return Ok(());
    }
    install()?;
    fs::write(&ready, "").map_err(PluginError::file(&ready, "writing"))
}
