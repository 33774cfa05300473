//! Compiled plugins: who compiles them, and the machine code that is kept of them in `cwasm/`.
//!
//! A file there is a cache and may be deleted at any time. It is named by its component and by the engine that it was
//! made for, and sealed with `keys/cwasm.key`; what does not open under its name is built again, never loaded.

use crate::{Engine, EngineError, keep_private};
use care_domain::field::Dictionary;
use care_domain::manifest::Manifest;
use care_domain::text::Finding;
use care_sandbox::{MachineCode, Plugin, Sandbox, Seal, Worker, WorkerError, golden};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const KEY_FILE: &str = "cwasm.key";
const FOLDER: &str = "cwasm";

/// Who compiles and tries plugins: children of this process, or where none is given this process itself.
#[derive(Clone)]
pub(crate) struct Compiler {
    sandbox: Sandbox,
    worker: Option<Worker>,
    /// How many components were compiled.
    compilations: Arc<AtomicU64>,
}

/// The machine code that a data folder keeps.
#[derive(Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
    seal: Seal,
    /// The engine that its files are made for.
    engine: String,
}

impl Compiler {
    pub(crate) fn new(sandbox: Sandbox, worker: Option<Worker>) -> Self {
        Self { sandbox, worker, compilations: Arc::default() }
    }

    /// Compiles a component. What its author is to blame for is refused.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<MachineCode, EngineError> {
        self.compilations.fetch_add(1, Ordering::Relaxed);
        let Some(worker) = &self.worker else {
            let code = self.sandbox.precompile(component).and_then(|code| self.sandbox.load(&code).map(|_| code));
            let hint = "Build it again with `care plugin build`";
            return code.map_err(|error| EngineError::refused("does-not-compile", error.to_string(), hint));
        };
        worker.compile(component).map_err(worker_failed)
    }

    /// Tries a compiled plugin on golden batches.
    pub(crate) fn smoke(
        &self,
        code: &MachineCode,
        manifest: &Manifest,
        dictionary: &Dictionary,
    ) -> Result<Vec<Finding>, EngineError> {
        let Some(worker) = &self.worker else {
            let plugin = self.sandbox.load(code).map_err(EngineError::internal)?;
            let activity = manifest.name.clone();
            let failed = |source| EngineError::Machine { activity, attempts: 1, source };
            return golden(&plugin, manifest, dictionary).map_err(failed);
        };
        worker.smoke(code, manifest, dictionary).map_err(worker_failed)
    }
}

fn worker_failed(error: WorkerError) -> EngineError {
    match error {
        WorkerError::Finding(finding) => EngineError::Refused(finding),
        error => EngineError::Worker(error),
    }
}

impl Cache {
    /// The cache of a data folder; makes its key if there is none.
    pub(crate) fn open(data: &Path, sandbox: &Sandbox) -> Result<Self, EngineError> {
        let path = data.join("keys").join(KEY_FILE);
        if !path.exists() {
            keep_private(&path, &Engine::new_secret()?)?;
        }
        let bad = |_| {
            let message = format!("{} holds no key", path.display());
            EngineError::refused("bad-key", message, "Delete it: a new one is made, and plugins are compiled again")
        };
        let secret = fs::read(&path).map_err(EngineError::file(&path, "reading"))?;
        let secret: [u8; 32] = secret.try_into().map_err(bad)?;
        Ok(Self { folder: data.join(FOLDER), seal: Seal::new(&secret), engine: sandbox.code_id() })
    }

    /// The machine code of a component, if this host made and kept it for this engine.
    pub(crate) fn get(&self, component: &str) -> Option<MachineCode> {
        let path = self.path(component);
        let sealed = fs::read(&path).ok()?;
        let code = self.seal.open(component, &self.engine, sealed);
        if code.is_none() {
            tracing::warn!("{} is not what this host wrote; the plugin is compiled again", path.display());
        }
        code
    }

    /// Keeps machine code. A file torn by a crash does not open, so nothing needs to be synced.
    pub(crate) fn put(&self, component: &str, code: &MachineCode) -> Result<(), EngineError> {
        let path = self.path(component);
        fs::create_dir_all(&self.folder).map_err(EngineError::file(&self.folder, "creating the folder"))?;
        let sealed = self.seal.close(component, &self.engine, code);
        // Under a name of its own: others may be keeping the same.
        let draft = tempfile::Builder::new().prefix(".partial-").tempfile_in(&self.folder);
        let mut draft = draft.map_err(EngineError::file(&self.folder, "writing in"))?;
        draft.write_all(&sealed).map_err(EngineError::file(&path, "writing"))?;
        draft.persist(&path).map(|_| ()).map_err(|error| EngineError::file(&path, "naming")(error.error))
    }

    fn path(&self, component: &str) -> PathBuf {
        self.folder.join(format!("{component}-{}.cwasm", &self.engine[..16]))
    }
}

impl Engine {
    /// Compiles and tries plugins in children of this process from now on, as every program should. Without a worker
    /// they are compiled in this process, without limits: for tests of the engine as a library.
    #[must_use]
    pub fn with_worker(mut self, worker: Worker) -> Self {
        self.compiler.worker = Some(worker);
        self
    }

    /// How many components this engine has compiled since it was opened; plugins that are loaded from what is kept of
    /// them do not count.
    pub fn compilations(&self) -> u64 {
        self.compiler.compilations.load(Ordering::Relaxed)
    }

    /// An uploaded plugin, ready to run: from what is kept of it, or compiled again.
    pub(crate) async fn load_plugin(&self, activity: &str, component: &str) -> Result<Plugin, EngineError> {
        let (engine, activity, component) = (self.clone(), activity.to_owned(), component.to_owned());
        let job = tokio::task::spawn_blocking(move || engine.load_plugin_here(&activity, &component));
        job.await.map_err(EngineError::internal)?
    }

    fn load_plugin_here(&self, activity: &str, component: &str) -> Result<Plugin, EngineError> {
        let code = match self.cache.get(component) {
            Some(code) => code,
            None => self.rebuild(activity, component)?,
        };
        let failed = |source| EngineError::Compile { activity: activity.to_owned(), source };
        self.compiler.sandbox.load(&code).map_err(failed)
    }

    fn rebuild(&self, activity: &str, component: &str) -> Result<MachineCode, EngineError> {
        tracing::info!("compiling {activity} ({component})");
        let bytes = self.store.blobs().get(component)?;
        let code = self.compiler.compile(&bytes).map_err(|error| match error {
            EngineError::Refused(finding) => {
                EngineError::Findings { what: format!("plugin {activity:?}"), findings: vec![finding] }
            }
            error => error,
        })?;
        self.cache.put(component, &code)?;
        Ok(code)
    }
}
