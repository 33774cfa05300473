//! Which gateway carries which channel: `gateways.toml` of the data folder. Secrets stay in files of their own.

use crate::{Engine, EngineError};
use care_channels::{ConfigError, Gateway, GatewaysConfig, Health};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::contact::Channel;
use care_domain::person::Act;
use serde::Serialize;
use std::fs;
use std::time::Duration;
use tokio::sync::mpsc;

const FILE: &str = "gateways.toml";
/// Reports that wait to be kept.
pub(super) const REPORTS: usize = 1_000;
/// How long `check_gateways` waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the gateway of a channel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayState {
    /// The channel.
    pub channel: Channel,
    /// Kind of its gateway.
    pub gateway: &'static str,
    /// How it is; nothing for files.
    pub health: Option<Health>,
}

impl Engine {
    /// The gateways in force; files alone where nothing was configured.
    pub(crate) fn gateways(&self) -> Result<GatewaysConfig, EngineError> {
        let path = self.folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(GatewaysConfig::parse(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(GatewaysConfig::default()),
            Err(error) => Err(EngineError::file(&path, "reading")(error)),
        }
    }

    /// Puts gateways in force, if they can be opened: the form is right and the secrets are there. Returns the digest.
    pub async fn set_gateways(&self, text: &str, by: &str, at: i64) -> Result<String, EngineError> {
        let actor = self.authorise(by, Act::ManageGateways, None, at).await?;
        let config = GatewaysConfig::parse(text)?;
        for kind in config.replies.outcomes.values().chain(config.replies.surveys.values()) {
            self.outcomes.find(kind, |_| false).map_err(|wrong| {
                EngineError::refused("unknown-outcome", format!("[replies]: {wrong}"), "Add the kind to outcomes.toml")
            })?;
        }
        for (_, one) in config.named() {
            // Opened and dropped: whether the other side answers is not asked.
            if let Some(gateway) = Gateway::open(one, &self.folder, mpsc::channel(1).0)? {
                gateway.close().await;
            }
        }
        let digest = canonical::digest(text.as_bytes());
        let kinds: Vec<(&str, &str)> = config.named().iter().map(|(c, one)| (c.name(), one.gateway_name())).collect();
        let detail = serde_json::json!({"digest": digest, "gateways": kinds});
        self.store.note(&Entry::of(&actor, "gateways-set", "gateways", detail)).await?;
        let (draft, path) = (self.folder.join(format!("{FILE}.tmp")), self.folder.join(FILE));
        fs::write(&draft, text).map_err(EngineError::file(&draft, "writing"))?;
        fs::rename(&draft, &path).map_err(EngineError::file(&path, "naming"))?;
        self.store.keep_frame(&config.wording, at).await?;
        Ok(digest)
    }

    /// The gateways in force, as they were set.
    pub fn gateways_in_force(&self) -> Result<GatewaysConfig, EngineError> {
        self.gateways()
    }

    /// Whether each gateway can be reached, and takes us for who we say we are. Nothing is sent.
    pub async fn check_gateways(&self) -> Result<Vec<GatewayState>, EngineError> {
        let config = self.gateways()?;
        let mut states = Vec::new();
        for channel in Channel::ALL {
            let one = config.of(channel);
            let (sender, _reports) = mpsc::channel(REPORTS);
            let gateway = Gateway::open(&one, &self.folder, sender)?;
            let health = match gateway {
                Some(gateway) => {
                    gateway.try_out(PATIENCE).await;
                    let health = gateway.health();
                    gateway.close().await;
                    Some(health)
                }
                None => None,
            };
            states.push(GatewayState { channel, gateway: one.gateway_name(), health });
        }
        Ok(states)
    }
}

impl From<ConfigError> for EngineError {
    fn from(error: ConfigError) -> Self {
        let (code, hint) = match &error {
            ConfigError::Secret { .. } | ConfigError::EmptySecret { .. } => {
                ("bad-gateways", "Write the secret alone into that file, readable by its owner only")
            }
            ConfigError::NoClient(_) => {
                ("no-https", "Install the certificates that this system believes: the package ca-certificates")
            }
            _ => ("bad-gateways", "Compare it with examples/gateways.toml"),
        };
        Self::refused(code, error.to_string(), hint)
    }
}
