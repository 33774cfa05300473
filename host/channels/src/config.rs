//! `gateways.toml` of the data folder: by which gateway each channel goes, how fast, and with which words around the
//! text. A channel that it does not name is written to files.

use care_domain::contact::Channel;
use care_domain::dispatch::{Replies, Retry};
use care_domain::sms::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct GatewaysConfig {
    /// `[sms]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<ChannelConfig>,
    /// `[email]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<ChannelConfig>,
    /// `[call-list]`
    #[serde(rename = "call-list", skip_serializing_if = "Option::is_none")]
    pub call_list: Option<ChannelConfig>,
    /// `[touchpoint]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<ChannelConfig>,
    /// `[account-manager]`
    #[serde(rename = "account-manager", skip_serializing_if = "Option::is_none")]
    pub account_manager: Option<ChannelConfig>,
    /// `[action]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<ChannelConfig>,
    /// `[store]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<ChannelConfig>,
    /// What customers' replies mean.
    pub replies: Replies,
    /// The words around a short message.
    pub wording: Frame,
    /// Whether, and after how long, what did not arrive goes on to the next channel.
    pub fallback: Fallback,
}

/// One channel. At most one of the gateways is named; without one it is written to files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelConfig {
    /// Contacts a second on the whole channel, all dispatchers together; 0 for no limit.
    pub rate: u32,
    /// Contacts a second of each campaign; 0 for no limit.
    pub campaign_rate: u32,
    /// Contacts a second of single campaigns, instead of that.
    pub campaign_rates: BTreeMap<String, u32>,
    /// How patiently.
    pub retry: RetryConfig,
    /// A short-message centre.
    pub smpp: Option<SmppConfig>,
    /// A mail server.
    pub smtp: Option<SmtpConfig>,
    /// Another system.
    pub webhook: Option<WebhookConfig>,
    /// People of our own, who take their work from a list.
    pub desk: Option<DeskConfig>,
}

/// Work that people take from a list: calls, requests to departments, prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeskConfig {
    /// For how long a person has what was handed out, in minutes; then it waits for somebody else.
    pub hold_minutes: u32,
}

impl Default for DeskConfig {
    fn default() -> Self {
        Self { hold_minutes: 30 }
    }
}

impl DeskConfig {
    /// The same in milliseconds.
    pub fn hold_ms(self) -> i64 {
        i64::from(self.hold_minutes) * 60_000
    }
}

/// Fallback chains (S3): SMS, then a prompt at the desk, then a call, as the reason names its channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Fallback {
    /// Whether contacts fall back at all.
    pub on: bool,
    /// By channel: how many minutes a receipt (or at the desk, a visit) is waited for; what is not named waits for ever.
    pub after_minutes: BTreeMap<Channel, u32>,
}

impl Fallback {
    /// How long a channel is waited for, in milliseconds.
    pub fn patience_ms(&self, channel: Channel) -> Option<i64> {
        self.after_minutes.get(&channel).map(|minutes| i64::from(*minutes) * 60_000)
    }
}

/// Attempts and waits †.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Attempts after which a contact is a dead letter.
    pub attempts: u32,
    /// Wait after the first failure, in milliseconds; doubled each time, with jitter.
    pub base_ms: i64,
    /// The longest wait.
    pub most_ms: i64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { attempts: 5, base_ms: 5_000, most_ms: 15 * 60_000 }
    }
}

impl RetryConfig {
    /// With what the gateway promises.
    pub fn with(self, deduplicates: bool) -> Retry {
        Retry { attempts: self.attempts, base_ms: self.base_ms, most_ms: self.most_ms, deduplicates }
    }
}

/// A short-message centre by SMPP 3.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppConfig {
    /// Host and port.
    pub address: String,
    /// Who we are there.
    pub system_id: String,
    /// The file that holds the password; a relative path is meant from the data folder.
    pub password_file: PathBuf,
    /// System type, where the centre wants one.
    #[serde(default)]
    pub system_type: String,
    /// The number that customers see and answer to.
    pub source: String,
    /// Put before every number: a country code, as the centre wants it.
    #[serde(default)]
    pub prefix: String,
    /// Connections.
    #[serde(default = "one")]
    pub binds: usize,
    /// Messages without an answer on each connection.
    #[serde(default = "ten")]
    pub window: usize,
    /// Segments a second on each connection; 0 for no limit.
    #[serde(default)]
    pub bind_rate: u32,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub response_ms: u64,
    /// How often the link is asked whether it lives, in milliseconds.
    #[serde(default = "thirty_seconds")]
    pub enquire_ms: u64,
    /// First wait before connecting again, in milliseconds; doubled up to a minute.
    #[serde(default = "one_second")]
    pub reconnect_ms: u64,
    /// How long a message waits for a connection, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub connect_ms: u64,
    /// Pause when the centre asks for a slower pace, in milliseconds.
    #[serde(default = "one_second")]
    pub throttle_ms: u64,
    /// Whether to tell the centre until when a message is useful.
    #[serde(default = "yes")]
    pub validity: bool,
}

/// A mail server by SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Host and port.
    pub address: String,
    /// `none`, `starttls` or `tls`.
    #[serde(default)]
    pub security: Security,
    /// Who we are there; empty where the server asks nobody.
    #[serde(default)]
    pub user: String,
    /// The file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The sender's address.
    pub from: String,
    /// The sender's name.
    #[serde(default)]
    pub from_name: String,
    /// Where a reader can say that it is enough: an address or an https page. `{contact}` becomes the contact's id.
    pub unsubscribe: String,
    /// Connections.
    #[serde(default = "two")]
    pub connections: usize,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "thirty_seconds")]
    pub response_ms: u64,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// Not at all: inside one's own network.
    None,
    /// Upgraded before anything is said.
    #[default]
    Starttls,
    /// From the first octet.
    Tls,
}

/// Another system by signed HTTP requests (Standard Webhooks).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where.
    pub url: String,
    /// The file that holds the secret: `whsec_` and base64.
    pub secret_file: PathBuf,
    /// Requests without an answer.
    #[serde(default = "ten")]
    pub window: usize,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub response_ms: u64,
}

/// A configuration that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No TOML, or not of this form.
    #[error("gateways.toml does not fit its form: {0}")]
    Form(String),
    /// A value that cannot be meant.
    #[error("[{channel}] {what}")]
    Value {
        /// Which channel.
        channel: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A secret that cannot be read.
    #[error("the secret in {path} cannot be read")]
    Secret {
        /// Which file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A secret that is none.
    #[error("{path} holds no secret")]
    EmptySecret {
        /// Which file.
        path: PathBuf,
    },
    /// A gateway that cannot be set up.
    #[error("the gateway of [{channel}] cannot be set up: {what}")]
    Setup {
        /// Which channel.
        channel: &'static str,
        /// What is wrong.
        what: String,
    },
    /// Other systems cannot be asked by HTTP at all: mostly because this one has no certificates to believe.
    #[error("nobody can be asked over https: {0}")]
    NoClient(String),
}

impl ConfigError {
    /// Down to the cause, which alone tells what is missing.
    pub(crate) fn no_client(error: &reqwest::Error) -> Self {
        let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
        Self::NoClient(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

impl GatewaysConfig {
    /// Reads and checks a file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError::Form(e.to_string()))?;
        for (channel, one) in config.named() {
            one.check(channel)?;
        }
        Ok(config)
    }

    /// The channels that the file names.
    pub fn named(&self) -> Vec<(Channel, &ChannelConfig)> {
        Channel::ALL.into_iter().filter_map(|channel| Some((channel, self.own(channel)?))).collect()
    }

    /// What is said of a channel.
    pub fn of(&self, channel: Channel) -> ChannelConfig {
        self.own(channel).cloned().unwrap_or_default()
    }

    fn own(&self, channel: Channel) -> Option<&ChannelConfig> {
        match channel {
            Channel::Sms => self.sms.as_ref(),
            Channel::Email => self.email.as_ref(),
            Channel::CallList => self.call_list.as_ref(),
            Channel::Touchpoint => self.touchpoint.as_ref(),
            Channel::AccountManager => self.account_manager.as_ref(),
            Channel::Action => self.action.as_ref(),
            Channel::Store => self.store.as_ref(),
        }
    }

    /// Whether a channel goes by a gateway that answers for each message.
    pub fn is_pushed(&self, channel: Channel) -> bool {
        !matches!(self.of(channel).gateway_name(), "file" | "desk")
    }

    /// Whether a channel is written to files.
    pub fn is_file(&self, channel: Channel) -> bool {
        self.of(channel).gateway_name() == "file"
    }
}

impl ChannelConfig {
    /// Name of the gateway's kind.
    pub fn gateway_name(&self) -> &'static str {
        match self {
            Self { smpp: Some(_), .. } => "smpp",
            Self { smtp: Some(_), .. } => "smtp",
            Self { webhook: Some(_), .. } => "webhook",
            Self { desk: Some(_), .. } => "desk",
            _ => "file",
        }
    }

    /// Names the gateway itself: receipts of one are never taken for another's.
    pub fn gateway_id(&self) -> String {
        match self {
            Self { smpp: Some(smpp), .. } => format!("smpp:{}@{}", smpp.system_id, smpp.address),
            Self { smtp: Some(smtp), .. } => format!("smtp:{}", smtp.address),
            Self { webhook: Some(_), .. } => "webhook".to_owned(),
            _ => "file".to_owned(),
        }
    }

    fn check(&self, channel: Channel) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError::Value { channel: channel.name(), what });
        let named = [self.smpp.is_some(), self.smtp.is_some(), self.webhook.is_some(), self.desk.is_some()];
        if named.into_iter().filter(|named| *named).count() > 1 {
            return wrong("names several gateways; leave one".into());
        }
        if self.smpp.is_some() && channel != Channel::Sms {
            return wrong("cannot go by smpp; only sms can".into());
        }
        if self.smtp.is_some() && channel != Channel::Email {
            return wrong("cannot go by smtp; only email can".into());
        }
        if self.desk.is_some() && matches!(channel, Channel::Sms | Channel::Email) {
            return wrong("is no work for people; call-list, touchpoint and action are".into());
        }
        let RetryConfig { attempts, base_ms, most_ms } = self.retry;
        if !(1..=100).contains(&attempts) || base_ms < 1 || most_ms < base_ms {
            return wrong("retry needs 1 to 100 attempts and 1 <= base_ms <= most_ms".into());
        }
        let address = self.smpp.as_ref().map(|s| &s.address).or(self.smtp.as_ref().map(|s| &s.address));
        if let Some(address) = address.filter(|address| !is_address(address)) {
            return wrong(format!("address {address:?} is no host:port"));
        }
        if let Some(smpp) = &self.smpp {
            return smpp.check();
        }
        if let Some(smtp) = &self.smtp
            && !(1..=100).contains(&smtp.connections)
        {
            return wrong("connections must be 1 to 100".into());
        }
        match &self.webhook {
            Some(hook) if !hook.url.starts_with("http://") && !hook.url.starts_with("https://") => {
                wrong(format!("url {:?} is no http address", hook.url))
            }
            Some(hook) if !(1..=1_000).contains(&hook.window) => wrong("window must be 1 to 1000".into()),
            _ => Ok(()),
        }
    }
}

impl SmppConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Value { channel: "sms", what: what.to_owned() });
        if self.system_id.is_empty() || self.system_id.len() > 15 || self.system_type.len() > 12 {
            return wrong("system_id has 1 to 15 characters, system_type at most 12");
        }
        if self.source.is_empty() || self.source.len() > 20 || !self.source.is_ascii() {
            return wrong("source has 1 to 20 ASCII characters");
        }
        if self.prefix.len() > 5 || !self.prefix.chars().all(|c| c.is_ascii_digit() || c == '+') {
            return wrong("prefix is a country code, such as 86");
        }
        if !(1..=100).contains(&self.window) || !(1..=16).contains(&self.binds) {
            return wrong("window must be 1 to 100 and binds 1 to 16");
        }
        if self.response_ms == 0 || self.enquire_ms == 0 || self.reconnect_ms == 0 {
            return wrong("response_ms, enquire_ms and reconnect_ms must be positive");
        }
        Ok(())
    }
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let numeric = (host, 0).to_socket_addrs().is_ok() && host.parse::<std::net::IpAddr>().is_ok();
    let named = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-[]:".contains(c));
    (numeric || named) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn one() -> usize {
    1
}
fn two() -> usize {
    2
}
fn ten() -> usize {
    10
}
fn yes() -> bool {
    true
}
fn one_second() -> u64 {
    1_000
}
fn ten_seconds() -> u64 {
    10_000
}
fn thirty_seconds() -> u64 {
    30_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::policy::Class;
    use care_domain::text::Language;

    const WHOLE: &str = r#"
        [sms]
        rate = 100
        campaign_rates = { "birthday-1" = 5 }
        [sms.smpp]
        address = "127.0.0.1:2775"
        system_id = "care"
        password_file = "keys/smsc.password"
        source = "10086"
        [email.smtp]
        address = "mail.example:25"
        from = "care@example.com"
        unsubscribe = "mailto:stop@example.com"
        [wording]
        signature = { zh = "【福建移动】", en = "[Fujian Mobile] " }
        refusal_hint = { zh = "拒收请回复TD", en = " Reply TD to refuse" }
        [replies]
        outcomes = { "1" = "safe" }
    "#;

    #[test]
    fn a_whole_file_is_read_and_what_it_leaves_out_goes_to_files() {
        let config = GatewaysConfig::parse(WHOLE).expect("a configuration");
        let names: Vec<&str> = Channel::ALL.iter().map(|c| config.of(*c).gateway_name()).collect();
        assert_eq!(names, ["smpp", "smtp", "file", "file", "file", "file", "file"]);
        assert_eq!(config.of(Channel::Sms).campaign_rates["birthday-1"], 5);
        assert!(config.replies.refusal.contains(&"TD".to_owned()), "defaults stay");
        let said = config.wording.around("您好", Class::Commercial, Language::Zh);
        assert_eq!(said, "【福建移动】您好拒收请回复TD");
        assert_eq!(config.wording.around("hello", Class::Care, Language::En), "[Fujian Mobile] hello");
        assert_eq!(GatewaysConfig::parse("").expect("nothing"), GatewaysConfig::default());
    }

    #[test]
    fn the_example_can_be_meant() {
        let config = GatewaysConfig::parse(include_str!("../../../examples/gateways.toml")).expect("the example");
        let names: Vec<&str> = Channel::ALL.iter().map(|c| config.of(*c).gateway_name()).collect();
        assert_eq!(names, ["smpp", "smtp", "desk", "webhook", "desk", "file", "desk"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_place() {
        for (change, told) in [
            ("[sms]\nrat = 1", "rat"),
            ("[pigeon]\nrate = 1", "pigeon"),
            ("[email.smpp]\naddress = \"a:1\"\nsystem_id = \"x\"\npassword_file = \"p\"\nsource = \"1\"", "only sms"),
            ("[sms.smpp]\naddress = \"a\"\nsystem_id = \"x\"\npassword_file = \"p\"\nsource = \"1\"", "host:port"),
            (
                "[sms.smpp]\naddress = \"a:1\"\nsystem_id = \"x\"\npassword_file = \"p\"\nsource = \"1\"\nwindow = 0",
                "window",
            ),
            ("[sms.smpp]\naddress = \"a:1\"\nsystem_id = \"x\"\npassword = \"secret\"\nsource = \"1\"", "password"),
            ("[sms.webhook]\nurl = \"ftp://x\"\nsecret_file = \"s\"", "http"),
            ("[sms.retry]\nattempts = 0", "attempts"),
        ] {
            let error = GatewaysConfig::parse(change).expect_err(change).to_string();
            assert!(error.contains(told), "{change}: {error}");
        }
    }
}
