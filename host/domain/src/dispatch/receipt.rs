//! Delivery receipts: what a gateway reports later of a message that it took. They come late, twice and out of order.

use serde::{Deserialize, Serialize};

/// The state of a message at its gateway (SMPP 3.4, 5.2.28 and appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageState {
    /// On its way.
    Enroute,
    /// At the handset.
    Delivered,
    /// Its validity ended first.
    Expired,
    /// Somebody took it back.
    Deleted,
    /// It cannot be delivered.
    Undeliverable,
    /// Read by the gateway's own staff on behalf of the customer.
    Accepted,
    /// The gateway lost sight of it.
    Unknown,
    /// Refused by the network.
    Rejected,
}

impl MessageState {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Enroute, "enroute", "ENROUTE"),
        (Self::Delivered, "delivered", "DELIVRD"),
        (Self::Expired, "expired", "EXPIRED"),
        (Self::Deleted, "deleted", "DELETED"),
        (Self::Undeliverable, "undeliverable", "UNDELIV"),
        (Self::Accepted, "accepted", "ACCEPTD"),
        (Self::Unknown, "unknown", "UNKNOWN"),
        (Self::Rejected, "rejected", "REJECTD"),
    ];

    /// As stored.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(_, name, _)| name)
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(state, ..)| *state)
    }

    /// As a receipt's text writes it: `DELIVRD`.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., known)| text.eq_ignore_ascii_case(known)).map(|(state, ..)| *state)
    }

    /// As the parameter `message_state` numbers it, from 1.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).map(|(state, ..)| *state)
    }

    /// Whether nothing may follow.
    pub fn is_final(self) -> bool {
        self != Self::Enroute
    }

    fn arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Accepted)
    }
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The gateway's id of the message.
    pub id: String,
    /// Where it stands.
    pub state: MessageState,
    /// The network's error code as the gateway writes it; empty where it says none.
    pub error: String,
}

impl Receipt {
    /// Reads a receipt's text: `id:… sub:… dlvrd:… submit date:… done date:… stat:DELIVRD err:000 text:…`, in any order
    /// and with anything left out but id and stat. What stands behind `text:` is the customer's message and not read.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let head = lower.find("text:").map_or(text, |end| &text[..end]);
        let field = |name: &str| {
            let tagged = head.split_whitespace().filter_map(|word| word.split_once(':'));
            tagged.filter(|(tag, _)| tag.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
        };
        let id = field("id").filter(|id| !id.is_empty() && id.len() <= 64)?;
        let state = MessageState::from_text(field("stat")?)?;
        Some(Self { id: id.to_owned(), state, error: field("err").unwrap_or_default().chars().take(8).collect() })
    }
}

/// Which of two states of a message holds, in whatever order they came: one that ends it beats one that does not, and
/// the handset's own confirmation beats every other end. Between two other ends the first stands.
pub fn newer(known: Option<MessageState>, came: MessageState) -> MessageState {
    match known {
        Some(known) if known.arrived() => known,
        Some(known) if known.is_final() && !came.arrived() => known,
        Some(known) if !came.is_final() => known,
        _ => came,
    }
}

/// Whether a whole message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Not known yet.
    Awaited,
    /// All of it did.
    Delivered,
    /// A part of it did not, and never will.
    Undelivered,
}

impl Delivery {
    /// As stored, and as the kind of the outcome.
    pub fn name(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
        }
    }
}

/// Whether a message of several segments arrived.
pub fn delivery_of(parts: &[Option<MessageState>]) -> Delivery {
    let failed = |part: &Option<MessageState>| part.is_some_and(|state| state.is_final() && !state.arrived());
    if parts.iter().any(failed) {
        Delivery::Undelivered
    } else if !parts.is_empty() && parts.iter().all(|part| part.is_some_and(MessageState::arrived)) {
        Delivery::Delivered
    } else {
        Delivery::Awaited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn receipts_are_read_as_gateways_write_them() {
        let whole = "id:A1-9 sub:001 dlvrd:001 submit date:2607291000 done date:2607291001 stat:DELIVRD err:000 text:id:7 stat:UNDELIV";
        let read = Receipt { id: "A1-9".into(), state: MessageState::Delivered, error: "000".into() };
        assert_eq!(Receipt::parse(whole), Some(read));
        assert_eq!(Receipt::parse("stat:undeliv id:7").map(|r| r.state), Some(MessageState::Undeliverable));
        for bad in ["", "TD", "id:7", "stat:DELIVRD", "id: stat:DELIVRD", "id:7 stat:FINE", "退订 id:七"] {
            assert_eq!(Receipt::parse(bad), None, "{bad}");
        }
        assert_eq!(MessageState::from_number(2), Some(MessageState::Delivered));
        assert_eq!((MessageState::from_number(0), MessageState::from_number(9)), (None, None));
    }

    fn state() -> impl Strategy<Value = MessageState> {
        prop::sample::select(MessageState::ALL.map(|(state, ..)| state).to_vec())
    }

    fn folded(states: &[MessageState]) -> Option<MessageState> {
        states.iter().fold(None, |known, came| Some(newer(known, *came)))
    }

    proptest! {
        #[test]
        fn repeats_change_nothing_and_an_end_is_never_taken_back(states in prop::collection::vec(state(), 1..8)) {
            let end = folded(&states);
            for again in &states {
                let repeated: Vec<MessageState> = states.iter().copied().chain([*again]).collect();
                let arrived = end.is_some_and(MessageState::arrived);
                prop_assert_eq!(folded(&repeated).map(MessageState::arrived), Some(arrived));
            }
            prop_assert_eq!(end.is_some_and(MessageState::arrived), states.iter().any(|s| s.arrived()));
            prop_assert_eq!(end.is_some_and(MessageState::is_final), states.iter().any(|s| s.is_final()));
        }
    }

    #[test]
    fn a_message_arrived_when_all_its_parts_did() {
        use MessageState::{Delivered, Enroute, Expired};
        assert_eq!(delivery_of(&[]), Delivery::Awaited);
        assert_eq!(delivery_of(&[Some(Delivered), None]), Delivery::Awaited);
        assert_eq!(delivery_of(&[Some(Delivered), Some(Enroute)]), Delivery::Awaited);
        assert_eq!(delivery_of(&[Some(Delivered), Some(Delivered)]), Delivery::Delivered);
        assert_eq!(delivery_of(&[None, Some(Expired)]), Delivery::Undelivered);
    }
}
