//! Contacts: one message to one addressee about one occasion, its identity and its life.

use crate::key::CustomerKey;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// How a message reaches its addressee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Short message.
    Sms,
    /// E-mail.
    Email,
    /// A call by an agent from a list.
    CallList,
    /// A prompt to the agent while the customer is at the desk or on the line.
    Touchpoint,
    /// A request in a department's queue.
    Action,
    /// A task on the list of the customer's account manager, who speaks with the customer in person. Policy sends there
    /// instead of mass channels; a manifest cannot ask for it.
    AccountManager,
    /// A prompt to the clerk when the customer comes to a business hall (营业厅): the end of the chain in S3.
    Store,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Sms, Self::Email, Self::CallList, Self::Touchpoint, Self::Action, Self::AccountManager, Self::Store];

    /// As written in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::CallList => "call-list",
            Self::Touchpoint => "touchpoint",
            Self::Action => "action",
            Self::AccountManager => "account-manager",
            Self::Store => "store",
        }
    }

    /// Whether it waits until the customer comes by: a prompt to whoever speaks with the customer then.
    pub fn waits_for_visit(self) -> bool {
        matches!(self, Self::Touchpoint | Self::Store)
    }

    /// A mass channel (群发).
    pub fn is_mass(self) -> bool {
        matches!(self, Self::Sms | Self::Email | Self::CallList)
    }

    /// Whether using it disturbs the customer, so that caps and quiet hours speak about it.
    pub fn disturbs(self) -> bool {
        matches!(self, Self::Sms | Self::Email | Self::CallList | Self::AccountManager)
    }

    /// Whether somebody speaks with the customer on the phone, so that hours forbidden for calls hold.
    pub fn is_call(self) -> bool {
        matches!(self, Self::CallList | Self::AccountManager)
    }
}

/// To whom a template goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Addressee {
    /// The customer.
    Customer,
    /// The people closest to the customer (亲友), one a message.
    CloseContacts,
    /// Information-systems department 信息系统部: credit changes, fee waivers.
    InformationSystems,
    /// Key-account department 集团大客户部.
    KeyAccounts,
    /// Customer-service centre 客服中心.
    CustomerService,
}

impl Addressee {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Customer, Self::CloseContacts, Self::InformationSystems, Self::KeyAccounts, Self::CustomerService];

    /// The addressee of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|addressee| addressee.name() == name)
    }

    /// As written in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::CloseContacts => "close-contacts",
            Self::InformationSystems => "information-systems",
            Self::KeyAccounts => "key-accounts",
            Self::CustomerService => "customer-service",
        }
    }

    /// Whether it is a department of the operator rather than a person outside.
    pub fn is_department(self) -> bool {
        matches!(self, Self::InformationSystems | Self::KeyAccounts | Self::CustomerService)
    }
}

/// The identity of a contact: a repeat has the same id, so inserting it again adds nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContactId(pub [u8; 16]);

/// What makes two messages the same contact (architecture section 7). The plugin's version is not part of it:
/// a new version does not send again.
#[derive(Debug, Clone, Copy)]
pub struct ContactIdentity<'a> {
    /// Activity name.
    pub activity: &'a str,
    /// Campaign id.
    pub campaign: &'a str,
    /// Whom it is about.
    pub customer: CustomerKey,
    /// What it is about.
    pub occasion: i64,
    /// Attempt at an unreachable customer, from 1.
    pub round: u8,
    /// To whom it goes.
    pub addressee: Addressee,
    /// Which of several to the same addressee, from 0.
    pub ordinal: u8,
}

impl ContactIdentity<'_> {
    /// The id: the first 16 bytes of SHA-256 over the parts, each led by its length.
    pub fn id(&self) -> ContactId {
        let mut hash = Sha256::new();
        hash.update(b"care-contact-1");
        for part in
            [self.activity.as_bytes(), self.campaign.as_bytes(), &self.customer.0, self.addressee.name().as_bytes()]
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(self.occasion.to_be_bytes());
        hash.update([self.round, self.ordinal]);
        let digest = hash.finalize();
        let mut id = [0u8; 16];
        id.copy_from_slice(&digest[..16]);
        ContactId(id)
    }
}

impl ContactId {
    /// Reads an id as `Display` writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).ok().map(|()| Self(id))
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for ContactId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContactId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut id = [0u8; 16];
        hex::decode_to_slice(String::deserialize(d)?, &mut id).map_err(serde::de::Error::custom)?;
        Ok(Self(id))
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The life of a contact. `planned → released → sending → sent | failed | unknown`,
/// and before it was sent `cancelled`, `withdrawn` or `expired`. What fails for a passing reason waits again. What release cuts is no contact any more: a later
/// plan may propose it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactState {
    /// Committed by a task, not yet visible to dispatch.
    Planned,
    /// Visible to dispatch.
    Released,
    /// The intent to send is written; the answer is not known yet.
    Sending,
    /// The gateway took it.
    Sent,
    /// The gateway refused it for good.
    Failed,
    /// Nobody can tell whether the gateway took it; counts as sent.
    Unknown,
    /// Made pointless by an event, an outcome or a refusal.
    Cancelled,
    /// Its approval was withdrawn or its campaign stopped.
    Withdrawn,
    /// Waited past its not-after.
    Expired,
    /// Waited, and an event's contact of a higher class took its place.
    Lost,
}

impl ContactState {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Planned,
        Self::Released,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Unknown,
        Self::Cancelled,
        Self::Withdrawn,
        Self::Expired,
        Self::Lost,
    ];

    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Released => "released",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Lost => "lost",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether it uses up a cap: it disturbed the customer, or still may. `unknown` counts as sent.
    pub fn counts(self) -> bool {
        matches!(self, Self::Planned | Self::Released | Self::Sending | Self::Sent | Self::Unknown)
    }

    /// Whether it may become `next`.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            // What an agent says is sent without waiting for dispatch.
            Self::Planned => {
                matches!(next, Self::Released | Self::Sent | Self::Cancelled | Self::Withdrawn | Self::Lost)
            }
            Self::Released => {
                matches!(next, Self::Sending | Self::Cancelled | Self::Withdrawn | Self::Expired | Self::Lost)
            }
            // Back only where the gateway is known not to have it.
            Self::Sending => {
                matches!(next, Self::Sent | Self::Failed | Self::Unknown | Self::Released | Self::Withdrawn)
            }
            // A late answer or a receipt proves that the gateway has it; one that takes a key once is asked again.
            Self::Unknown => matches!(next, Self::Sent | Self::Released),
            // A dead letter that somebody replays; what did not arrive and goes on along its chain.
            Self::Failed | Self::Sent => next == Self::Released,
            Self::Cancelled | Self::Withdrawn | Self::Expired | Self::Lost => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> ContactIdentity<'static> {
        ContactIdentity {
            activity: "birthday",
            campaign: "c1",
            customer: CustomerKey([7; 16]),
            occasion: 2026,
            round: 1,
            addressee: Addressee::Customer,
            ordinal: 0,
        }
    }

    #[test]
    fn every_part_of_the_identity_changes_the_id() {
        let base = identity();
        let others = [
            ContactIdentity { activity: "birthda", campaign: "yc1", ..base },
            ContactIdentity { campaign: "c2", ..base },
            ContactIdentity { customer: CustomerKey([8; 16]), ..base },
            ContactIdentity { occasion: 2027, ..base },
            ContactIdentity { round: 2, ..base },
            ContactIdentity { addressee: Addressee::CloseContacts, ..base },
            ContactIdentity { ordinal: 1, ..base },
        ];
        let mut ids: Vec<ContactId> = others.iter().map(ContactIdentity::id).collect();
        ids.push(base.id());
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 8);
        assert_eq!(base.id(), identity().id());
    }

    #[test]
    fn a_sent_contact_stays_sent() {
        for state in ContactState::ALL {
            assert_eq!(ContactState::from_name(state.name()), Some(state));
            // Only along its fallback chain does it move again.
            assert_eq!(ContactState::Sent.may_become(state), state == ContactState::Released);
            assert!(!state.may_become(ContactState::Planned));
        }
    }
}
