//! Standby: a disaster response that is approved ahead, activated in minutes by a duty officer within bounds, and reviewed
//! afterwards (architecture section 5).

use crate::governance::{Deed, Forbidden};
use crate::region;
use serde::{Deserialize, Serialize};

/// An activation is reviewed within 24 hours, in milliseconds.
pub const REVIEW_WITHIN_MS: i64 = 24 * 60 * 60 * 1_000;
/// No activation lasts longer, in days.
pub const MAX_STANDBY_DAYS: u16 = 366;

/// Bounds of an activation. What may be asked of whom is bounded by the approval's addressees and requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standby {
    /// Administrative codes in which an area may lie.
    pub areas: Vec<String>,
    /// The longest activation, in days.
    pub days: u16,
}

/// What a duty officer activates: these areas, from one business date to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Customers who stand in one of these, by administrative code.
    pub areas: Vec<String>,
    /// First business date, in days.
    pub from: i32,
    /// Last business date, in days.
    pub until: i32,
}

/// An activation out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// Approved in the ordinary way.
    #[error("it is not approved on standby; an operator starts it with a campaign")]
    NotOnStandby,
    /// No area, or no administrative code.
    #[error("name the areas, six digits each, such as 513200")]
    NoArea,
    /// An area that was not approved.
    #[error("area {area} lies outside of what was approved on standby: {approved}")]
    Area {
        /// The area.
        area: String,
        /// What was approved.
        approved: String,
    },
    /// Too long, or backwards.
    #[error("it would last {asked} days; approved are 1 to {most}")]
    Days {
        /// First to last day.
        asked: i64,
        /// What was approved.
        most: u16,
    },
    /// Outside of the approval's own dates.
    #[error("its dates lie outside of those of its approval")]
    Dates,
}

/// Whether and how an activation was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "review", rename_all = "kebab-case")]
pub enum Review {
    /// To be done by this instant, Unix milliseconds.
    Due {
        /// The deadline.
        by: i64,
    },
    /// It was right.
    Upheld {
        /// Who says so.
        reviewer: Deed,
        /// Why.
        reason: String,
    },
    /// It was ended.
    Ended {
        /// Who says so.
        reviewer: Deed,
        /// Why.
        reason: String,
    },
}

impl Standby {
    /// Whether it bounds anything.
    pub fn is_sound(&self) -> bool {
        !self.areas.is_empty()
            && self.areas.iter().all(|area| region::is_code(area))
            && (1..=MAX_STANDBY_DAYS).contains(&self.days)
    }

    /// Whether an activation lies within these bounds.
    pub fn allows(&self, wish: &Bounds) -> Result<(), OutOfBounds> {
        if wish.areas.is_empty() || !wish.areas.iter().all(|area| region::is_code(area)) {
            return Err(OutOfBounds::NoArea);
        }
        let approved = |area: &&String| self.areas.iter().any(|wide| region::covers(wide, area));
        if let Some(beyond) = wish.areas.iter().find(|area| !approved(area)) {
            return Err(OutOfBounds::Area { area: beyond.clone(), approved: self.areas.join(", ") });
        }
        let asked = i64::from(wish.until) - i64::from(wish.from) + 1;
        if !(1..=i64::from(self.days)).contains(&asked) {
            return Err(OutOfBounds::Days { asked, most: self.days });
        }
        Ok(())
    }
}

impl Bounds {
    /// Whether it is on at a business date, in days.
    pub fn holds_on(&self, date: i32) -> bool {
        (self.from..=self.until).contains(&date)
    }
}

impl Review {
    /// Opens with an activation at an instant, Unix milliseconds.
    pub fn opened(at: i64) -> Self {
        Self::Due { by: at.saturating_add(REVIEW_WITHIN_MS) }
    }

    /// The deadline of one that is still to be done, Unix milliseconds.
    pub fn due_by(&self) -> Option<i64> {
        match self {
            Self::Due { by } => Some(*by),
            _ => None,
        }
    }

    /// `due → upheld | ended`, with a reason, by somebody else than who activated.
    pub fn close(self, activated_by: &str, reviewer: Deed, uphold: bool, reason: &str) -> Result<Self, Forbidden> {
        let Self::Due { .. } = self else {
            return Err(Forbidden::State { state: self.state(), wanted: "reviewed again" });
        };
        if reviewer.person == activated_by {
            return Err(Forbidden::FourEyes { person: reviewer.person });
        }
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Forbidden::NoReason);
        }
        Ok(if uphold { Self::Upheld { reviewer, reason } } else { Self::Ended { reviewer, reason } })
    }

    /// Whether the deadline went by without a review.
    pub fn is_overdue(&self, now: i64) -> bool {
        matches!(self, Self::Due { by } if *by < now)
    }

    /// As shown.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Due { .. } => "due",
            Self::Upheld { .. } => "upheld",
            Self::Ended { .. } => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(areas: &[&str], from: i32, until: i32) -> Bounds {
        Bounds { areas: areas.iter().map(|&area| area.into()).collect(), from, until }
    }

    #[test]
    fn an_activation_stays_within_what_was_approved_ahead() {
        let standby = Standby { areas: vec!["510000".into(), "350200".into()], days: 30 };
        assert!(standby.is_sound());
        assert_eq!(standby.allows(&wish(&["513221", "510100", "350203"], 10, 39)), Ok(()));
        assert_eq!(standby.allows(&wish(&[], 10, 20)), Err(OutOfBounds::NoArea));
        assert_eq!(standby.allows(&wish(&["Wenchuan"], 10, 20)), Err(OutOfBounds::NoArea));
        let beyond = OutOfBounds::Area { area: "620000".into(), approved: "510000, 350200".into() };
        assert_eq!(standby.allows(&wish(&["513221", "620000"], 10, 20)), Err(beyond));
        assert_eq!(standby.allows(&wish(&["510000"], 10, 40)), Err(OutOfBounds::Days { asked: 31, most: 30 }));
        assert_eq!(standby.allows(&wish(&["510000"], 10, 9)), Err(OutOfBounds::Days { asked: 0, most: 30 }));
        for unsound in [
            Standby { areas: vec![], days: 30 },
            Standby { areas: vec!["51".into()], days: 30 },
            Standby { areas: vec!["510000".into()], days: 0 },
            Standby { areas: vec!["510000".into()], days: 367 },
        ] {
            assert!(!unsound.is_sound(), "{unsound:?}");
        }
    }

    #[test]
    fn a_review_is_due_within_a_day_by_somebody_else() {
        let due = Review::opened(1_000);
        let deadline = 1_000 + REVIEW_WITHIN_MS;
        assert_eq!([deadline, deadline + 1].map(|now| due.is_overdue(now)), [false, true]);
        let deed = |person: &str| Deed { person: person.into(), at: 2_000 };
        let own = due.clone().close("duty", deed("duty"), true, "it was right");
        assert_eq!(own, Err(Forbidden::FourEyes { person: "duty".into() }));
        assert_eq!(due.clone().close("duty", deed("xu"), true, " "), Err(Forbidden::NoReason));
        let upheld = due.clone().close("duty", deed("xu"), true, "it was right").expect("reviewed");
        assert_eq!((upheld.state(), upheld.is_overdue(i64::MAX)), ("upheld", false));
        let again = upheld.close("duty", deed("xu"), false, "second thoughts");
        assert_eq!(again, Err(Forbidden::State { state: "upheld", wanted: "reviewed again" }));
        assert_eq!(due.close("duty", deed("xu"), false, "false alarm").expect("reviewed").state(), "ended");
    }
}
