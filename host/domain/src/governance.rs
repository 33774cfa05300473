//! The gate as a state machine: a submission from its checks to its end. A transition eats the old state,
//! so a decision cannot be taken twice; four eyes are checked here and again by the database.

use serde::{Deserialize, Serialize};

/// A person's part in a submission so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// Where a submission stands, with what led there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Submission {
    /// Its checks passed, and it waits for the province.
    Submitted {
        /// Who uploaded and submitted.
        author: Deed,
    },
    /// The province granted it.
    Approved {
        /// Who uploaded and submitted.
        author: Deed,
        /// Who approved.
        approver: Deed,
        /// Digest of the approval.
        approval: String,
    },
    /// The province refused it.
    Rejected {
        /// Who uploaded and submitted.
        author: Deed,
        /// Who refused.
        reviewer: Deed,
        /// Why, for the author.
        reason: String,
    },
}

/// A transition that the gate forbids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The same person on both sides.
    #[error("{person:?} wrote or submitted it and cannot decide about it; somebody else must")]
    FourEyes {
        /// Who tried.
        person: String,
    },
    /// Decided before.
    #[error("it is {state} already; a decision is taken once")]
    Decided {
        /// Where it stands.
        state: &'static str,
    },
    /// A refusal that says nothing.
    #[error("a rejection needs a reason that the author can act on")]
    NoReason,
}

impl Submission {
    /// The first state.
    pub fn submit(author: Deed) -> Self {
        Self::Submitted { author }
    }

    /// `submitted → approved`, by somebody else than the author.
    pub fn approve(self, approver: Deed, approval: String) -> Result<Self, Forbidden> {
        let author = self.undecided(&approver)?;
        Ok(Self::Approved { author, approver, approval })
    }

    /// `submitted → rejected`, with a reason. An author may not reject either: withdrawing is another thing.
    pub fn reject(self, reviewer: Deed, reason: &str) -> Result<Self, Forbidden> {
        let author = self.undecided(&reviewer)?;
        if reason.trim().is_empty() {
            return Err(Forbidden::NoReason);
        }
        Ok(Self::Rejected { author, reviewer, reason: reason.trim().to_owned() })
    }

    /// As stored and shown.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Submitted { .. } => "submitted",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// Who uploaded and submitted it.
    pub fn author(&self) -> &Deed {
        match self {
            Self::Submitted { author } | Self::Approved { author, .. } | Self::Rejected { author, .. } => author,
        }
    }

    fn undecided(self, decider: &Deed) -> Result<Deed, Forbidden> {
        match self {
            Self::Submitted { author } if author.person == decider.person => {
                Err(Forbidden::FourEyes { person: author.person })
            }
            Self::Submitted { author } => Ok(author),
            decided => Err(Forbidden::Decided { state: decided.state() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(person: &str) -> Deed {
        Deed { person: person.into(), at: 1 }
    }

    #[test]
    fn somebody_else_approves_once() {
        let submitted = Submission::submit(deed("branch"));
        let own = submitted.clone().approve(deed("branch"), "a".into());
        assert_eq!(own, Err(Forbidden::FourEyes { person: "branch".into() }));
        let approved = submitted.approve(deed("province"), "a".into()).expect("approved");
        assert_eq!(approved.state(), "approved");
        for again in [approved.clone().approve(deed("other"), "b".into()), approved.reject(deed("other"), "no")] {
            assert_eq!(again, Err(Forbidden::Decided { state: "approved" }));
        }
    }

    #[test]
    fn a_rejection_says_why() {
        let submitted = Submission::submit(deed("branch"));
        assert_eq!(submitted.clone().reject(deed("province"), " "), Err(Forbidden::NoReason));
        assert!(matches!(submitted.clone().reject(deed("branch"), "no"), Err(Forbidden::FourEyes { .. })));
        assert_eq!(submitted.reject(deed("province"), "not care").map(|s| s.state()), Ok("rejected"));
    }
}
