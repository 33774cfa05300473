//! The channels: how a message leaves the host and what comes back. One file a gateway, and its line in `Gateway`.
//!
//! A gateway is told a text and an address and answers with `care_domain::dispatch::Answer`; what follows for the
//! contact is decided there. Texts and numbers are in memory here and nowhere else: no log line and no error of this
//! crate holds one. Nothing here knows the store.

mod config;
mod file;
mod hook;
mod otlp;
mod pace;
mod secret;
mod smpp;
mod smtp;
mod webhook;

pub use config::{
    ChannelConfig, ConfigError, DeskConfig, Fallback, GatewaysConfig, RetryConfig, SmppConfig, SmtpConfig,
    WebhookConfig,
};
pub use file::{FileError, FileGateway};
pub use hook::{HookSender, checked_url};
pub use otlp::Collector;

use care_domain::contact::{Addressee, Channel, ContactId};
use care_domain::dispatch::{Answer, Receipt};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// A message on its way.
#[derive(Clone)]
pub struct Outgoing {
    /// The contact: what a gateway that can deduplicates by.
    pub contact: ContactId,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// On which channel.
    pub channel: Channel,
    /// To whom.
    pub addressee: Addressee,
    /// Its campaign.
    pub campaign: String,
    /// Number or address.
    pub to: String,
    /// What is said, with signature and everything.
    pub text: String,
    /// What the message is called, where the channel has subjects.
    pub subject: String,
    /// After this instant it is useless, Unix milliseconds.
    pub not_after: i64,
}

// Debug output ends in logs: it names the contact only.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} attempt {})", self.contact, self.attempt)
    }
}

/// What a gateway reports by itself.
pub enum Inbound {
    /// What became of a message. The gateway hears that it was kept when `kept` is told so; else it reports again.
    Receipt {
        /// What it says.
        receipt: Receipt,
        /// Told whether it was kept.
        kept: oneshot::Sender<bool>,
    },
    /// A customer wrote.
    Reply {
        /// The customer's number.
        from: String,
        /// What was written.
        text: String,
        /// Told whether it was kept.
        kept: oneshot::Sender<bool>,
    },
    /// An answer that came after nobody waited for it any more.
    Late {
        /// The contact.
        contact: ContactId,
        /// The attempt.
        attempt: u32,
        /// What it says.
        answer: Answer,
    },
}

// Debug output ends in logs: neither number nor text.
impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Receipt { .. } => "Receipt",
            Self::Reply { .. } => "Reply",
            Self::Late { .. } => "Late",
        })
    }
}

/// How a gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Health {
    /// Connections that work now.
    pub up: usize,
    /// Connections that should.
    pub of: usize,
    /// What went wrong last; empty when nothing did.
    pub last_error: String,
    /// What happened how often, by name.
    pub counts: BTreeMap<&'static str, u64>,
}

/// An open gateway. A new kind is one file beside this one and one line here and below.
pub enum Gateway {
    /// SMPP 3.4, for short messages.
    Smpp(smpp::Smpp),
    /// SMTP, for e-mail.
    Smtp(smtp::Smtp),
    /// Another system, by signed HTTP requests: what brings CMPP, app push and the like within reach.
    Webhook(webhook::Webhook),
}

impl Gateway {
    /// Opens the gateway of a channel; `None` where the channel is written to files. `folder` is the data folder, in
    /// which secrets are looked for. What the gateway reports by itself goes to `inbound`.
    pub fn open(
        config: &ChannelConfig,
        folder: &Path,
        inbound: mpsc::Sender<Inbound>,
    ) -> Result<Option<Self>, ConfigError> {
        Ok(match config {
            ChannelConfig { smpp: Some(smpp), .. } => Some(Self::Smpp(smpp::Smpp::open(smpp, folder, inbound)?)),
            ChannelConfig { smtp: Some(smtp), .. } => Some(Self::Smtp(smtp::Smtp::open(smtp, folder)?)),
            ChannelConfig { webhook: Some(hook), .. } => Some(Self::Webhook(webhook::Webhook::open(hook, folder)?)),
            _ => None,
        })
    }

    /// Hands a message over and waits for the answer.
    pub async fn send(&self, message: &Outgoing) -> Answer {
        match self {
            Self::Smpp(gateway) => gateway.send(message).await,
            Self::Smtp(gateway) => gateway.send(message).await,
            Self::Webhook(gateway) => gateway.send(message).await,
        }
    }

    /// Messages that may be on their way at once.
    pub fn window(&self) -> usize {
        match self {
            Self::Smpp(gateway) => gateway.window(),
            Self::Smtp(gateway) => gateway.window(),
            Self::Webhook(gateway) => gateway.window(),
        }
    }

    /// Whether the gateway takes a message with the same key once only.
    pub fn deduplicates(&self) -> bool {
        matches!(self, Self::Webhook(_))
    }

    /// The longest that an answer may take, in milliseconds: an intent that is older has none.
    pub fn longest_ms(&self) -> i64 {
        match self {
            Self::Smpp(gateway) => gateway.longest_ms(),
            Self::Smtp(gateway) => gateway.longest_ms(),
            Self::Webhook(gateway) => gateway.longest_ms(),
        }
    }

    /// How it is.
    pub fn health(&self) -> Health {
        match self {
            Self::Smpp(gateway) => gateway.health(),
            Self::Smtp(gateway) => gateway.health(),
            Self::Webhook(gateway) => gateway.health(),
        }
    }

    /// Tries whether the other side is there and takes us for who we say we are; `health` tells. Nothing is sent.
    pub async fn try_out(&self, patience: std::time::Duration) {
        match self {
            Self::Smpp(gateway) => gateway.try_out(patience).await,
            Self::Smtp(gateway) => gateway.try_out(patience).await,
            // A request would be a message: whether it is there shows with the first one.
            Self::Webhook(_) => {}
        }
    }

    /// Says good-bye.
    pub async fn close(&self) {
        match self {
            Self::Smpp(gateway) => gateway.close().await,
            Self::Smtp(gateway) => gateway.close().await,
            Self::Webhook(_) => {}
        }
    }
}

/// A text of a peer as it may stand in a note: short, and without anything that could be a number or an address.
fn tame(text: &str) -> String {
    let word = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        if digits > 5 || word.contains('@') { "…".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = text.split_whitespace().map(word).collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_words_are_quoted_without_numbers_and_addresses() {
        assert_eq!(tame("550 5.1.1 <lin@example.com>: no\r\nsuch user 13800000000"), "550 5.1.1 … no such user …");
        assert_eq!(tame(&"x".repeat(500)).len(), 120);
    }
}
