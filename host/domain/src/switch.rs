//! Kill switches: what may not go out, whatever was approved and planned.

use crate::contact::Channel;
use crate::{region, text};
use serde::{Deserialize, Serialize};

/// What a switch stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", content = "target", rename_all = "kebab-case")]
pub enum Scope {
    /// Every contact.
    Everything,
    /// All contacts of an activity, by name.
    Activity(String),
    /// All contacts of a campaign, by id: it is paused.
    Campaign(String),
    /// All contacts of one version, by the digest of its component.
    Version(String),
    /// All contacts with customers of a region, by administrative code.
    Region(String),
    /// All contacts on a channel.
    Channel(Channel),
}

/// A scope that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No such scope.
    #[error("scope {0:?} is unknown; use everything, activity, campaign, version, region or channel")]
    Unknown(String),
    /// The target does not fit the scope.
    #[error("{target:?} is no {scope}")]
    Target {
        /// Which scope.
        scope: &'static str,
        /// What was given.
        target: String,
    },
}

impl Scope {
    /// Reads a scope and its target as typed; `everything` takes none.
    pub fn parse(scope: &str, target: &str) -> Result<Self, ScopeError> {
        let wrong = |scope| Err(ScopeError::Target { scope, target: target.to_owned() });
        match scope {
            "everything" if target.is_empty() => Ok(Self::Everything),
            "everything" => wrong("everything"),
            "activity" if text::is_kebab(target) => Ok(Self::Activity(target.to_owned())),
            "activity" => wrong("activity"),
            "campaign" if text::is_kebab(target) => Ok(Self::Campaign(target.to_owned())),
            "campaign" => wrong("campaign"),
            "version" if target.len() == 64 && target.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self::Version(target.to_ascii_lowercase()))
            }
            "version" => wrong("version's whole digest"),
            "region" if region::is_code(target) => Ok(Self::Region(target.to_owned())),
            "region" => wrong("region"),
            "channel" => match Channel::ALL.into_iter().find(|channel| channel.name() == target) {
                Some(channel) => Ok(Self::Channel(channel)),
                None => wrong("channel"),
            },
            other => Err(ScopeError::Unknown(other.to_owned())),
        }
    }

    /// As stored and typed: scope and target.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Everything => ("everything", ""),
            Self::Activity(name) => ("activity", name),
            Self::Campaign(id) => ("campaign", id),
            Self::Version(digest) => ("version", digest),
            Self::Region(code) => ("region", code),
            Self::Channel(channel) => ("channel", channel.name()),
        }
    }

    /// Whether it stops a contact.
    pub fn stops(&self, contact: &Target<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Activity(name) => name == contact.activity,
            Self::Campaign(id) => id == contact.campaign,
            Self::Version(digest) => digest == contact.component,
            // Where nobody knows the customer's region, a region's switch rather stops too much.
            Self::Region(code) => contact.region.is_empty() || region::covers(code, contact.region),
            Self::Channel(channel) => *channel == contact.channel,
        }
    }
}

/// What a switch must know of a contact.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Activity name.
    pub activity: &'a str,
    /// Campaign id.
    pub campaign: &'a str,
    /// Digest of the version.
    pub component: &'a str,
    /// The customer's home region; empty when unknown.
    pub region: &'a str,
    /// Its channel.
    pub channel: Channel,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_stops_what_it_names_and_nothing_else() {
        let digest = "ab".repeat(32);
        let contact = Target {
            activity: "birthday",
            campaign: "birthday-1",
            component: &digest,
            region: "350203",
            channel: Channel::Sms,
        };
        for (scope, target, stops) in [
            ("everything", "", true),
            ("activity", "birthday", true),
            ("activity", "green-bill", false),
            ("campaign", "birthday-1", true),
            ("campaign", "birthday-2", false),
            ("version", digest.as_str(), true),
            ("version", &"cd".repeat(32), false),
            ("region", "350000", true),
            ("region", "350200", true),
            ("region", "350100", false),
            ("channel", "sms", true),
            ("channel", "email", false),
        ] {
            let switch = Scope::parse(scope, target).expect("a switch");
            assert_eq!(switch.parts(), (scope, target));
            assert_eq!(switch.stops(&contact), stops, "{scope} {target}");
        }
        assert!(Scope::Region("350100".into()).stops(&Target { region: "", ..contact }));
    }

    #[test]
    fn a_switch_that_cannot_be_meant_is_refused() {
        for (scope, target) in [
            ("everything", "sms"),
            ("activity", "Birthday"),
            ("campaign", ""),
            ("version", "ab"),
            ("region", "Xiamen"),
            ("channel", "pigeon"),
            ("world", ""),
        ] {
            assert!(Scope::parse(scope, target).is_err(), "{scope} {target}");
        }
    }
}
