//! Fallback chains: what did not arrive goes on to the next channel of its reason (S3: SMS, then a prompt at the desk,
//! then a call, then the store). It stays one contact: the ledger counts it once.

use super::receipt::Delivery;
use crate::contact::{Channel, ContactState};

/// Where a contact stands on the channel that it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The channel.
    pub via: Channel,
    /// Its state.
    pub state: ContactState,
    /// What receipts say; `Awaited` where they say nothing.
    pub delivery: Delivery,
    /// Whether receipts come on this channel at all.
    pub receipts: bool,
    /// Since when it stands so, Unix milliseconds.
    pub since: i64,
    /// After this instant it is useless.
    pub not_after: i64,
}

/// The channel that a contact goes on to at `now`, of the channels of its reason for which its template has a body, in
/// their order; `None` while it should stay. `patience_ms` is how long a receipt, or a visit at the desk, is waited for;
/// without it only what surely did not arrive goes on.
///
/// What may have arrived (`unknown`) stays: a customer who read the message would be asked twice.
pub fn next_channel(chain: &[Channel], at: Standing, patience_ms: Option<i64>, now: i64) -> Option<Channel> {
    if now > at.not_after {
        return None;
    }
    let tired = patience_ms.is_some_and(|patience| now - at.since >= patience);
    let moves_on = match at.state {
        ContactState::Failed => true,
        ContactState::Sent => {
            at.delivery == Delivery::Undelivered || (at.receipts && at.delivery == Delivery::Awaited && tired)
        }
        // Nobody came by.
        ContactState::Released => at.via.waits_for_visit() && tired,
        _ => false,
    };
    let place = chain.iter().position(|channel| *channel == at.via)?;
    chain.get(place + 1).copied().filter(|_| moves_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: [Channel; 4] = [Channel::Sms, Channel::Touchpoint, Channel::CallList, Channel::Store];

    fn sms(state: ContactState, delivery: Delivery) -> Standing {
        Standing { via: Channel::Sms, state, delivery, receipts: true, since: 0, not_after: 1_000 }
    }

    #[test]
    fn what_did_not_arrive_goes_on_and_what_may_have_arrived_stays() {
        use ContactState::{Failed, Released, Sent, Unknown};
        use Delivery::{Awaited, Delivered, Undelivered};
        let next = |at, now| next_channel(&CHAIN, at, Some(500), now);
        for (state, delivery, now, expected) in [
            (Sent, Undelivered, 1, Some(Channel::Touchpoint)),
            (Sent, Delivered, 900, None),
            (Sent, Awaited, 499, None),
            (Sent, Awaited, 500, Some(Channel::Touchpoint)),
            (Failed, Awaited, 1, Some(Channel::Touchpoint)),
            (Failed, Awaited, 1_001, None),
            (Unknown, Awaited, 900, None),
            (Released, Awaited, 900, None),
            (ContactState::Cancelled, Undelivered, 900, None),
        ] {
            assert_eq!(next(sms(state, delivery), now), expected, "{state:?} {delivery:?} {now}");
        }
        let no_receipts = Standing { receipts: false, ..sms(Sent, Awaited) };
        assert_eq!(next(no_receipts, 900), None);
        assert_eq!(next_channel(&CHAIN, sms(Sent, Awaited), None, 900), None);
        let desk = Standing { via: Channel::Touchpoint, state: Released, ..sms(Sent, Awaited) };
        assert_eq!((next(desk, 499), next(desk, 500)), (None, Some(Channel::CallList)));
        let call = Standing { via: Channel::CallList, ..sms(Failed, Awaited) };
        assert_eq!(next(call, 1), Some(Channel::Store));
        let last = Standing { via: Channel::Store, ..sms(Released, Awaited) };
        assert_eq!(next(last, 1), None, "the chain ends");
        assert_eq!(next_channel(&[Channel::Email], sms(Failed, Awaited), None, 1), None, "not of this chain");
    }
}
