//! Settings of the server: by flag, by environment, by file, or as usual; each with where it comes from.

use crate::api::USUAL_RATE;
use crate::args::ServeArgs;
use care_engine::EngineError;
use clap::ArgMatches;
use clap::parser::ValueSource;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;

/// The file of settings in a data folder.
const FILE: &str = "care.toml";
const USUAL_ADDRESS: &str = "127.0.0.1:8080";

/// The file, in which nothing unknown may stand.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    listen: Option<SocketAddr>,
    plan_as: Option<String>,
    dispatch_as: Option<String>,
    requests_per_second: Option<NonZeroU32>,
    otlp: Option<String>,
}

/// What a setting is, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    /// `flag`, `environment`, the path of the file, or `usual`.
    pub(crate) origin: String,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) listen: Setting<SocketAddr>,
    pub(crate) plan_as: Setting<Option<String>>,
    pub(crate) dispatch_as: Setting<Option<String>>,
    pub(crate) requests_per_second: Setting<NonZeroU32>,
    pub(crate) otlp: Setting<Option<String>>,
}

impl Settings {
    /// Puts them together. `matches` are those of the command whose arguments `args` are: they know flag from environment.
    pub(crate) fn of(args: &ServeArgs, matches: &ArgMatches, data: &Path) -> Result<Self, EngineError> {
        let path = args.config.clone().unwrap_or_else(|| data.join(FILE));
        let file = read(&path, args.config.is_some())?;
        let by = |name: &str| match matches.value_source(name) {
            Some(ValueSource::EnvVariable) => "environment",
            _ => "flag",
        };
        let from = path.display().to_string();
        let usual = USUAL_ADDRESS.parse().map_err(|_| EngineError::Internal("the usual address is none".into()))?;
        Ok(Self {
            listen: pick(args.listen, by("listen"), file.listen, &from, usual),
            plan_as: pick(args.plan_as.clone().map(Some), by("plan_as"), file.plan_as.map(Some), &from, None),
            dispatch_as: pick(
                args.dispatch_as.clone().map(Some),
                by("dispatch_as"),
                file.dispatch_as.map(Some),
                &from,
                None,
            ),
            requests_per_second: pick(
                args.requests_per_second,
                by("requests_per_second"),
                file.requests_per_second,
                &from,
                USUAL_RATE,
            ),
            otlp: pick(args.otlp.clone().map(Some), by("otlp"), file.otlp.map(Some), &from, None),
        })
    }

    /// Each of them: name, value, origin.
    pub(crate) fn lines(&self) -> Vec<Vec<String>> {
        let line = |name: &str, value: String, origin: &str| vec![name.to_owned(), value, origin.to_owned()];
        let who = |setting: &Setting<Option<String>>| setting.value.clone().unwrap_or_else(|| "nobody".to_owned());
        vec![
            line("listen", self.listen.value.to_string(), &self.listen.origin),
            line("plan-as", who(&self.plan_as), &self.plan_as.origin),
            line("dispatch-as", who(&self.dispatch_as), &self.dispatch_as.origin),
            line("requests-per-second", self.requests_per_second.value.to_string(), &self.requests_per_second.origin),
            line("otlp", who(&self.otlp), &self.otlp.origin),
        ]
    }
}

fn pick<T>(typed: Option<T>, by: &str, filed: Option<T>, file: &str, usual: T) -> Setting<T> {
    let (value, origin) = match (typed, filed) {
        (Some(value), _) => (value, by),
        (None, Some(value)) => (value, file),
        (None, None) => (usual, "usual"),
    };
    Setting { value, origin: origin.to_owned() }
}

/// Reads the file; one that nobody named need not exist.
fn read(path: &Path, named: bool) -> Result<File, EngineError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return Ok(File::default()),
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            return Err(EngineError::refused("no-file", message, "Check the path"));
        }
    };
    toml::from_str(&text).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        let hint = "Settings are listen, plan-as, dispatch-as, requests-per-second and otlp; see `care config show`";
        EngineError::refused("bad-config", message, hint)
    })
}
