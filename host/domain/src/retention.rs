//! How long what was done about customers is kept, and what is kept longer because something still needs it. Deleting,
//! and what a store looks like, does not live here.
//!
//! What has no period here stays, and why:
//!
//! - **Wishes** (consents, refusals, suppressions) hold until the customer says otherwise, however long ago they were said:
//!   without them somebody would be contacted who asked not to be.
//! - **Outcomes** are how a repeated report is known again, whatever its age: one that comes again after its line went would
//!   count a second time. They name a customer by key and hold a kind, an instant and a figure, no words and no number; an
//!   erased customer's key leads nowhere.
//! - **The audit log** is a chain: a line that went would break it for every later one.

use crate::time::DAY_MS;
use serde::{Deserialize, Serialize};

/// How long each kind of record is kept, in days; what is not named is kept for ever. An administrator's to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Retention {
    /// What was said in a contact: the values in its words. That it was made stays.
    pub messages: Option<u32>,
    /// Contacts with everything that became of them, and who was held out.
    pub contacts: Option<u32>,
    /// Calls and visits with the prompts that were shown. What was declined stays while its activity runs: it would be shown
    /// again.
    pub calls: Option<u32>,
    /// Events as they came, and what was decided about them.
    pub events: Option<u32>,
    /// Decision logs of plans: why somebody was contacted, or not.
    pub decision_logs: Option<u32>,
    /// Files of the outbox, which hold numbers and texts.
    pub outbox: Option<u32>,
    /// What other systems were told.
    pub webhooks: Option<u32>,
}

/// Nothing is deleted that is younger, in days †: a message is answered, complained about and counted for a month.
pub const LEAST_DAYS: u32 = 30;
/// Events are known again for a month, so their ids must be kept longer †.
pub const LEAST_EVENT_DAYS: u32 = 31;
const MOST_DAYS: u32 = 36_500;

/// Periods that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// Too short or too long.
    #[error("{what} are kept {days} days, and {least} to {MOST_DAYS} can be asked for")]
    Days {
        /// Which.
        what: &'static str,
        /// As asked.
        days: u32,
        /// The shortest.
        least: u32,
    },
    /// Contacts would go before the decisions that stand on them.
    #[error("contacts go before decision logs, which are replayed on them")]
    Order,
}

impl Retention {
    /// Whether the periods can be meant.
    pub fn check(&self) -> Result<(), RetentionError> {
        let all = [
            ("messages", self.messages, LEAST_DAYS),
            ("contacts", self.contacts, LEAST_DAYS),
            ("calls", self.calls, LEAST_DAYS),
            ("events", self.events, LEAST_EVENT_DAYS),
            ("decision logs", self.decision_logs, LEAST_DAYS),
            ("files of the outbox", self.outbox, LEAST_DAYS),
            ("webhook events", self.webhooks, LEAST_DAYS),
        ];
        for (what, days, least) in all {
            if let Some(days) = days.filter(|days| !(least..=MOST_DAYS).contains(days)) {
                return Err(RetentionError::Days { what, days, least });
            }
        }
        match (self.contacts, self.decision_logs) {
            (Some(contacts), Some(logs)) if contacts >= logs => Ok(()),
            (None, _) => Ok(()),
            _ => Err(RetentionError::Order),
        }
    }
}

/// The instant before which something of `days` may go at `now`; `None` where it is kept for ever.
pub fn before(days: Option<u32>, now: i64) -> Option<i64> {
    days.map(|days| now.saturating_sub(i64::from(days) * DAY_MS))
}

/// The instant before which contacts may go: those that a cap still counts stay, seen from now and from every plan that
/// may still be replayed. `cap_days`: the longest window of any cap; `replayable`: instants of plans with decision logs.
pub fn contacts_before(
    days: Option<u32>,
    now: i64,
    cap_days: u32,
    replayable: impl IntoIterator<Item = i64>,
) -> Option<i64> {
    let earliest = replayable.into_iter().fold(now, i64::min);
    // A calendar window may begin a day before a rolling one.
    let counted = earliest.saturating_sub((i64::from(cap_days) + 1) * DAY_MS);
    before(days, now).map(|before| before.min(counted))
}

/// What is known of a campaign whose contacts are old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CampaignFacts {
    /// Whether some campaign of its activity takes part in plans: the activity contacts nobody twice about an occasion, so
    /// it must know whom it contacted.
    pub activity_runs: bool,
    /// Whether a plan that may still be replayed has some campaign of its activity.
    pub replayable: bool,
    /// Whether its version may be started again, and a budget says what all of its contacts may cost.
    pub budgeted: bool,
    /// Its last contact or held-out customer, Unix milliseconds.
    pub last: i64,
    /// How long after a contact its goal counts, in days.
    pub window_days: u32,
    /// When an evaluation of it was last kept, if one was.
    pub evaluated_at: Option<i64>,
}

/// Why contacts stay though they are old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needed {
    /// Its activity still runs: an occasion may come up again.
    OpenOccasions,
    /// A plan that decided on them may be replayed.
    Replay,
    /// What was spent counts against a budget that may still be drawn on.
    Budget,
    /// Outcomes may still count for its goal.
    GoalWindow,
    /// Nobody kept an evaluation since its goal's window closed.
    Evaluation,
}

/// Why the old contacts of a campaign stay; `None` when nothing needs them any more.
pub fn needed(facts: &CampaignFacts, now: i64) -> Option<Needed> {
    let closes = facts.last.saturating_add(i64::from(facts.window_days) * DAY_MS);
    if facts.activity_runs {
        Some(Needed::OpenOccasions)
    } else if facts.replayable {
        Some(Needed::Replay)
    } else if facts.budgeted {
        Some(Needed::Budget)
    } else if now < closes {
        Some(Needed::GoalWindow)
    } else if facts.evaluated_at.is_none_or(|at| at < closes) {
        Some(Needed::Evaluation)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn periods_that_cannot_be_meant_are_refused() {
        let sound = Retention { contacts: Some(730), decision_logs: Some(365), ..Retention::default() };
        assert_eq!(sound.check(), Ok(()));
        assert_eq!(Retention::default().check(), Ok(()), "everything for ever");
        let short = Retention { messages: Some(29), ..sound };
        assert!(matches!(short.check(), Err(RetentionError::Days { what: "messages", least: 30, .. })));
        assert!(Retention { calls: Some(29), ..sound }.check().is_err(), "a call is still spoken of");
        assert!(Retention { events: Some(30), ..sound }.check().is_err(), "an event would be taken twice");
        assert_eq!(Retention { contacts: Some(100), ..sound }.check(), Err(RetentionError::Order));
        assert_eq!(Retention { decision_logs: None, ..sound }.check(), Err(RetentionError::Order));
        let unknown = serde_json::from_str::<Retention>(r#"{"contact": 30}"#);
        assert!(unknown.is_err(), "a misspelt period would keep everything");
    }

    #[test]
    fn what_something_needs_stays_and_says_for_what() {
        let now = 1_000 * DAY_MS;
        let over = CampaignFacts {
            activity_runs: false,
            replayable: false,
            budgeted: false,
            last: 900 * DAY_MS,
            window_days: 30,
            evaluated_at: Some(931 * DAY_MS),
        };
        assert_eq!(needed(&over, now), None);
        for (facts, why) in [
            (CampaignFacts { activity_runs: true, ..over }, Needed::OpenOccasions),
            (CampaignFacts { replayable: true, ..over }, Needed::Replay),
            (CampaignFacts { budgeted: true, ..over }, Needed::Budget),
            (CampaignFacts { window_days: 101, ..over }, Needed::GoalWindow),
            (CampaignFacts { evaluated_at: None, ..over }, Needed::Evaluation),
            (CampaignFacts { evaluated_at: Some(929 * DAY_MS), ..over }, Needed::Evaluation),
        ] {
            assert_eq!(needed(&facts, now), Some(why), "{facts:?}");
        }
    }

    proptest! {
        /// Whatever is asked for, no cap of today or of a plan that may be replayed counts what goes.
        #[test]
        fn a_contact_that_a_cap_counts_never_goes(
            days in 30u32..2_000, cap in 0u32..400, now in 0i64..3_000_000_000_000,
            ages in proptest::collection::vec(0i64..40_000_000_000, 0..5),
        ) {
            let instants: Vec<i64> = ages.iter().map(|age| now - age).collect();
            let before = contacts_before(Some(days), now, cap, instants.clone()).expect("a horizon");
            for instant in instants.into_iter().chain([now]) {
                prop_assert!(before <= instant - i64::from(cap) * DAY_MS);
            }
            prop_assert!(before <= now - i64::from(days) * DAY_MS);
            prop_assert_eq!(contacts_before(None, now, cap, []), None);
        }
    }
}
