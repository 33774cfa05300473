//! Findings of an evaluation as a list to follow up (问题跟进表): each with an owner and a deadline, closed by a new
//! version of the activity alone (S3: 后端优改).

use crate::governance::Deed;
use semver::Version;
use serde::{Deserialize, Serialize};

/// What was found about a version, and where following it up stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The activity.
    pub activity: String,
    /// The version it was found about.
    pub version: Version,
    /// What was found, in a sentence.
    pub what: String,
    /// Number of the kept evaluation that shows it, if any.
    pub evaluation: Option<i64>,
    /// Who answers for it.
    pub owner: String,
    /// Last date on which it is in time, days since 1970-01-01.
    pub due: i32,
    /// Who opened it.
    pub opened: Deed,
    /// Where it stands.
    pub state: State,
}

/// Where following up stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// To be done.
    Open,
    /// A newer version mends it.
    Closed {
        /// Which.
        by_version: Version,
        /// Who says so.
        by: Deed,
    },
    /// It was no fault after all.
    Dropped {
        /// Who says so.
        by: Deed,
        /// Why.
        reason: String,
    },
}

/// Why a step is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSo {
    /// It is decided already.
    #[error("it is {0} already")]
    Decided(&'static str),
    /// Nothing to act on.
    #[error("it says nothing that its owner could act on")]
    Empty,
    /// The deadline is not in the future.
    #[error("its deadline has passed before it begins")]
    Past,
    /// The version that should mend it is not newer.
    #[error("{given} is not newer than {found}, about which it was found")]
    NotNewer {
        /// What was given.
        given: Version,
        /// What it was found about.
        found: Version,
    },
    /// The version that should mend it was not approved.
    #[error("{given} is {state}: an approved version closes it")]
    NotApproved {
        /// What was given.
        given: Version,
        /// Where it stands.
        state: String,
    },
    /// Whoever answers for it does not close it †.
    #[error("{0} answers for it; somebody else closes it")]
    OwnWork(String),
}

impl State {
    /// As stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed { .. } => "closed",
            Self::Dropped { .. } => "dropped",
        }
    }
}

impl FollowUp {
    /// Whether it can be opened as it is written, on `today`.
    pub fn check(&self, today: i32) -> Result<(), NotSo> {
        if self.what.trim().is_empty() {
            return Err(NotSo::Empty);
        }
        if self.due < today { Err(NotSo::Past) } else { Ok(()) }
    }

    /// `open → closed`, by a newer version that the province approved.
    pub fn close(self, given: Version, approved: bool, given_state: &str, by: Deed) -> Result<Self, NotSo> {
        self.is_open()?;
        if by.person == self.owner {
            return Err(NotSo::OwnWork(self.owner));
        }
        if given <= self.version {
            return Err(NotSo::NotNewer { given, found: self.version });
        }
        if !approved {
            return Err(NotSo::NotApproved { given, state: given_state.to_owned() });
        }
        Ok(Self { state: State::Closed { by_version: given, by }, ..self })
    }

    /// `open → dropped`, with a reason.
    pub fn drop_it(self, by: Deed, reason: &str) -> Result<Self, NotSo> {
        self.is_open()?;
        if reason.trim().is_empty() {
            return Err(NotSo::Empty);
        }
        Ok(Self { state: State::Dropped { by, reason: reason.trim().to_owned() }, ..self })
    }

    /// Whether its deadline has passed on `today` while it is open.
    pub fn is_late(&self, today: i32) -> bool {
        self.state == State::Open && self.due < today
    }

    fn is_open(&self) -> Result<(), NotSo> {
        if self.state == State::Open { Ok(()) } else { Err(NotSo::Decided(self.state.name())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(person: &str) -> Deed {
        Deed { person: person.into(), at: 1 }
    }

    fn open() -> FollowUp {
        FollowUp {
            activity: "green-bill".into(),
            version: Version::new(1, 0, 0),
            what: "Customers of low sensitivity do not open it".into(),
            evaluation: Some(3),
            owner: "branch-author".into(),
            due: 20_000,
            opened: deed("provincial-approver"),
            state: State::Open,
        }
    }

    #[test]
    fn only_a_newer_approved_version_closes_it_and_only_somebody_else() {
        let close =
            |minor, approved, who: &str| open().close(Version::new(1, minor, 0), approved, "city-review", deed(who));
        assert_eq!(close(1, true, "provincial-approver").map(|f| f.state.name()), Ok("closed"));
        assert!(matches!(close(0, true, "provincial-approver"), Err(NotSo::NotNewer { .. })));
        assert!(matches!(close(1, false, "provincial-approver"), Err(NotSo::NotApproved { .. })));
        assert!(matches!(close(1, true, "branch-author"), Err(NotSo::OwnWork(_))));
        let closed = close(1, true, "provincial-approver").expect("closed");
        assert_eq!(closed.clone().drop_it(deed("x"), "no fault"), Err(NotSo::Decided("closed")));
        assert_eq!(closed.close(Version::new(2, 0, 0), true, "", deed("x")), Err(NotSo::Decided("closed")));
    }

    #[test]
    fn it_says_something_has_time_and_is_late_when_that_is_over() {
        assert_eq!(open().check(20_000), Ok(()));
        assert_eq!(open().check(20_001), Err(NotSo::Past));
        assert_eq!(FollowUp { what: " ".into(), ..open() }.check(1), Err(NotSo::Empty));
        assert!(open().is_late(20_001) && !open().is_late(20_000));
        assert_eq!(open().drop_it(deed("x"), " "), Err(NotSo::Empty));
        assert!(!open().drop_it(deed("x"), "measured wrongly").expect("dropped").is_late(30_000));
    }
}
