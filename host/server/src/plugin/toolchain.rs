//! Which compiler makes WebAssembly on this machine, installing what is missing.

use super::command::run;
use super::error::PluginError;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Plugins have no system under them: no WASI, nothing to import but the contract.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";
/// Where rustup cannot reach its server, these packages of Debian bring a compiler with the source of `std`.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const INSTALL_HINT: &str = "Run `rustup target add wasm32-unknown-unknown`; where rustup has no network, run \
     `sudo apt-get install --no-install-recommends rustc-web cargo-web rust-web-src`";

/// How plugins are compiled.
pub(super) enum Toolchain {
    /// The author's own `cargo` has the target's `std`.
    Plain,
    /// Debian's compiler builds `std` itself; its packages have no linker for WebAssembly, rustup's have.
    Debian {
        /// rustup's `rust-lld`.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// The toolchain for a plugin's folder. Installs the target, or else Debian's packages, and says so.
    pub(super) fn find(folder: &Path, say: &dyn Fn(&str)) -> Result<Self, PluginError> {
        if has_target(folder)? {
            return Ok(Self::Plain);
        }
        say(&format!("Installing the target with `rustup target add {TARGET}`"));
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).current_dir(folder);
        match run(&mut rustup, "no-wasm-target", INSTALL_HINT) {
            Ok(_) if has_target(folder)? => return Ok(Self::Plain),
            Ok(_) => say("rustup installed it for another toolchain than the one in use"),
            Err(error) => say(&format!("That did not work: {error}")),
        }
        Self::debian(folder, say)
    }

    /// Debian's compiler, installed if need be.
    pub(super) fn debian(folder: &Path, say: &dyn Fn(&str)) -> Result<Self, PluginError> {
        let mut dpkg = Command::new("dpkg");
        if run(dpkg.arg("--status").args(DEBIAN_PACKAGES), "no-wasm-target", INSTALL_HINT).is_err() {
            say(&format!("Installing Debian's packages {}", DEBIAN_PACKAGES.join(", ")));
            let mut apt = Command::new("apt-get");
            apt.args(["install", "--yes", "--no-install-recommends"]).args(DEBIAN_PACKAGES);
            run(&mut apt, "no-wasm-target", INSTALL_HINT)?;
        }
        let tools = Path::new("lib/rustlib").join(rustc(folder, &["host-tuple"])?).join("bin");
        let linker = PathBuf::from(rustc(folder, &["sysroot"])?).join(tools).join("rust-lld");
        if !linker.exists() {
            let message = format!("there is no linker for WebAssembly: {} does not exist", linker.display());
            return Err(PluginError::new("no-wasm-target", message, "Install a Rust toolchain from https://rustup.rs"));
        }
        say("Compiling with Debian's Rust, which builds the standard library first");
        Ok(Self::Debian { linker })
    }

    /// `cargo build --release` for the target, still without the package.
    pub(super) fn build_command(&self) -> Command {
        let mut command = match self {
            Self::Plain => Command::new("cargo"),
            Self::Debian { .. } => Command::new(DEBIAN_CARGO),
        };
        command.args(["build", "--release", "--quiet", "--target", TARGET]);
        if let Self::Debian { linker } = self {
            // The bootstrap switch lets a stable compiler build `std`.
            command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1").args(["-Z", "build-std=std,panic_abort"]);
            let linker = toml::Value::String(linker.display().to_string());
            command.arg("--config").arg(format!("target.{TARGET}.linker={linker}"));
        }
        command
    }
}

/// Whether the compiler in use in `folder` has the target's standard library.
fn has_target(folder: &Path) -> Result<bool, PluginError> {
    Ok(Path::new(&rustc(folder, &["target-libdir", "--target", TARGET])?).exists())
}

/// A line that `rustc --print` answers in `folder`.
fn rustc(folder: &Path, what: &[&str]) -> Result<String, PluginError> {
    let mut rustc = Command::new("rustc");
    rustc.arg("--print").args(what).current_dir(folder);
    Ok(run(&mut rustc, "no-wasm-target", INSTALL_HINT)?.stdout.trim().to_owned())
}
