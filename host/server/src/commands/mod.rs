//! The commands: each reads its files, calls the engine, and words the answer.

pub(crate) mod author;
pub(crate) mod campaign;
pub(crate) mod desk;
pub(crate) mod disaster;
pub(crate) mod effect;
pub(crate) mod event;
pub(crate) mod evidence;
pub(crate) mod gate;
pub(crate) mod gateway;
pub(crate) mod hook;
pub(crate) mod key;
pub(crate) mod learnt;
pub(crate) mod model;
pub(crate) mod operate;
pub(crate) mod outcome;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod policy;
pub(crate) mod population;
mod profile;
pub(crate) mod recorded;
pub(crate) mod reference;
pub(crate) mod retention;
pub(crate) mod setup;
pub(crate) mod shell;
pub(crate) mod staff;
pub(crate) mod submission;
pub(crate) mod token;
pub(crate) mod touchpoint;
pub(crate) mod watch;

use anyhow::Context;
use care_engine::{Engine, EngineError, Worker};
use std::path::Path;
use std::time::Duration;

/// Reads a text file that the user named.
fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|_| {
        let message = format!("{} is no UTF-8 text", path.display());
        EngineError::refused("not-utf8", message, "Save it as UTF-8").into()
    })
}

/// Reads a file that the user named.
fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        EngineError::refused("no-file", message, "Check the path").into()
    })
}

pub(crate) async fn open(args: &crate::args::Args) -> anyhow::Result<Engine> {
    Ok(Engine::open_patiently(&args.data, Duration::from_secs(args.patience)).await?.with_worker(worker()?))
}

/// This program as the one that compiles and tries plugins in a process of its own.
pub(crate) fn worker() -> anyhow::Result<Worker> {
    Ok(Worker::new(std::env::current_exe().context("this program does not know where it is")?))
}
