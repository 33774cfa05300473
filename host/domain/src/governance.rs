//! The gate as a state machine: a submission from its upload to its end. A transition eats the old state, so a decision
//! cannot be taken twice. Four eyes compare persons, here and again in the database.
//!
//! What fails a check is not kept, so the author's own file is the draft and the machine begins with the review:
//!
//! ```text
//! city-review ─▶ provincial-review ─▶ approved ─▶ active ⇄ suspended ─▶ retired
//!      └───────────────┴─▶ rejected, withdrawn        └──────┴─▶ withdrawn
//! ```

use serde::{Deserialize, Serialize};

/// A person's part in a submission so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// What was granted, by whom, and who had a part in it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Who uploaded and submitted.
    pub author: Deed,
    /// The city's reviewer, where a city initiated it.
    pub city: Option<Deed>,
    /// Who approved.
    pub approver: Deed,
    /// Digest of the approval.
    pub approval: String,
}

/// Where a submission stands, with what led there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Submission {
    /// A city initiated it, and its city looks at it first (S1: 地市客响).
    CityReview {
        /// Who uploaded and submitted.
        author: Deed,
    },
    /// It waits for the province (S1: 省市场部).
    ProvincialReview {
        /// Who uploaded and submitted.
        author: Deed,
        /// The city's reviewer, where a city initiated it.
        city: Option<Deed>,
    },
    /// The province granted it; no campaign runs it yet.
    Approved(Granted),
    /// Campaigns may run it, and one did.
    Active(Granted),
    /// Held: it plans and sends nothing until it is resumed.
    Suspended {
        /// What was granted.
        granted: Granted,
        /// Who held it.
        by: Deed,
        /// Why.
        reason: String,
    },
    /// Ended in good order; no campaign may run it any more.
    Retired {
        /// What was granted.
        granted: Granted,
        /// Who ended it.
        by: Deed,
    },
    /// Refused.
    Rejected {
        /// Who uploaded and submitted.
        author: Deed,
        /// Who refused.
        reviewer: Deed,
        /// On which ground.
        ground: Ground,
        /// Why, for the author.
        reason: String,
    },
    /// Taken back by its author before the decision, or its approval was ended by the province.
    Withdrawn {
        /// Who uploaded and submitted.
        author: Deed,
        /// Who withdrew.
        by: Deed,
        /// What had been granted, if anything.
        approval: Option<String>,
        /// Why.
        reason: String,
    },
}

/// On which ground something is refused (S1: is it care, and should it open?).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// It aims at a business figure rather than at a need: no care at all.
    NotCare,
    /// It is care, but not as it stands.
    Other,
}

/// A transition that the gate forbids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The same person on both sides.
    #[error("{person:?} wrote, submitted or reviewed it and cannot decide about it; somebody else must")]
    FourEyes {
        /// Who tried.
        person: String,
    },
    /// Not from this state.
    #[error("it is {state}, and cannot be {wanted}")]
    State {
        /// Where it stands.
        state: &'static str,
        /// What was tried.
        wanted: &'static str,
    },
    /// A decision that says nothing.
    #[error("a reason is missing that its reader can act on")]
    NoReason,
    /// Somebody else's submission.
    #[error("only {author:?}, who submitted it, may take it back")]
    NotAuthor {
        /// Whose it is.
        author: String,
    },
}

impl Submission {
    /// The first state: a city's activity goes to its city, a province's to the province.
    pub fn submit(author: Deed, of_a_city: bool) -> Self {
        if of_a_city { Self::CityReview { author } } else { Self::ProvincialReview { author, city: None } }
    }

    /// `city-review → provincial-review`, by somebody else than the author.
    pub fn pass_city(self, reviewer: Deed) -> Result<Self, Forbidden> {
        match self {
            Self::CityReview { author } => {
                four_eyes(&[&author], &reviewer)?;
                Ok(Self::ProvincialReview { author, city: Some(reviewer) })
            }
            other => Err(other.cannot("passed on to the province")),
        }
    }

    /// `provincial-review → approved`, by somebody who had no part in it.
    pub fn approve(self, approver: Deed, approval: String) -> Result<Self, Forbidden> {
        match self {
            Self::ProvincialReview { author, city } => {
                four_eyes(&[&author].into_iter().chain(&city).collect::<Vec<_>>(), &approver)?;
                Ok(Self::Approved(Granted { author, city, approver, approval }))
            }
            other => Err(other.cannot("approved")),
        }
    }

    /// `city-review | provincial-review → rejected`, with a reason, by somebody else than the author: taking one's own
    /// back is another thing.
    pub fn reject(self, reviewer: Deed, ground: Ground, reason: &str) -> Result<Self, Forbidden> {
        match self {
            Self::CityReview { author } | Self::ProvincialReview { author, .. } => {
                four_eyes(&[&author], &reviewer)?;
                Ok(Self::Rejected { author, reviewer, ground, reason: given(reason)? })
            }
            other => Err(other.cannot("rejected")),
        }
    }

    /// `city-review | provincial-review → withdrawn`, by the author.
    pub fn take_back(self, by: Deed, reason: &str) -> Result<Self, Forbidden> {
        match self {
            Self::CityReview { author } | Self::ProvincialReview { author, .. } => {
                if author.person != by.person {
                    return Err(Forbidden::NotAuthor { author: author.person });
                }
                Ok(Self::Withdrawn { author, by, approval: None, reason: reason.trim().to_owned() })
            }
            other => Err(other.cannot("taken back")),
        }
    }

    /// `approved → active`: the first campaign runs it. An active one stays so.
    pub fn activate(self) -> Result<Self, Forbidden> {
        match self {
            Self::Approved(granted) | Self::Active(granted) => Ok(Self::Active(granted)),
            other => Err(other.cannot("run by a campaign")),
        }
    }

    /// `approved | active → suspended`, with a reason.
    pub fn suspend(self, by: Deed, reason: &str) -> Result<Self, Forbidden> {
        match self {
            Self::Approved(granted) | Self::Active(granted) => {
                Ok(Self::Suspended { granted, by, reason: given(reason)? })
            }
            other => Err(other.cannot("suspended")),
        }
    }

    /// `suspended → active`.
    pub fn resume(self) -> Result<Self, Forbidden> {
        match self {
            Self::Suspended { granted, .. } => Ok(Self::Active(granted)),
            other => Err(other.cannot("resumed")),
        }
    }

    /// `approved | active | suspended → retired`.
    pub fn retire(self, by: Deed) -> Result<Self, Forbidden> {
        match self {
            Self::Approved(granted) | Self::Active(granted) | Self::Suspended { granted, .. } => {
                Ok(Self::Retired { granted, by })
            }
            other => Err(other.cannot("retired")),
        }
    }

    /// `approved | active | suspended → withdrawn`, with a reason.
    pub fn withdraw(self, by: Deed, reason: &str) -> Result<Self, Forbidden> {
        match self {
            Self::Approved(granted) | Self::Active(granted) | Self::Suspended { granted, .. } => {
                let Granted { author, approval, .. } = granted;
                Ok(Self::Withdrawn { author, by, approval: Some(approval), reason: given(reason)? })
            }
            other => Err(other.cannot("withdrawn")),
        }
    }

    /// As stored and shown.
    pub fn state(&self) -> &'static str {
        match self {
            Self::CityReview { .. } => "city-review",
            Self::ProvincialReview { .. } => "provincial-review",
            Self::Approved(_) => "approved",
            Self::Active(_) => "active",
            Self::Suspended { .. } => "suspended",
            Self::Retired { .. } => "retired",
            Self::Rejected { .. } => "rejected",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// Who uploaded and submitted it.
    pub fn author(&self) -> &Deed {
        match self {
            Self::CityReview { author }
            | Self::ProvincialReview { author, .. }
            | Self::Rejected { author, .. }
            | Self::Withdrawn { author, .. } => author,
            Self::Approved(granted)
            | Self::Active(granted)
            | Self::Suspended { granted, .. }
            | Self::Retired { granted, .. } => &granted.author,
        }
    }

    /// Whether a new campaign may run it.
    pub fn may_start(&self) -> bool {
        matches!(self, Self::Approved(_) | Self::Active(_))
    }

    /// Whether what runs it may plan and send.
    pub fn may_run(&self) -> bool {
        matches!(self, Self::Active(_))
    }

    fn cannot(&self, wanted: &'static str) -> Forbidden {
        Forbidden::State { state: self.state(), wanted }
    }
}

fn four_eyes(before: &[&Deed], now: &Deed) -> Result<(), Forbidden> {
    match before.iter().find(|deed| deed.person == now.person) {
        Some(same) => Err(Forbidden::FourEyes { person: same.person.clone() }),
        None => Ok(()),
    }
}

fn given(reason: &str) -> Result<String, Forbidden> {
    let reason = reason.trim();
    if reason.is_empty() { Err(Forbidden::NoReason) } else { Ok(reason.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(person: &str) -> Deed {
        Deed { person: person.into(), at: 1 }
    }

    /// One submission in every state.
    fn every_state() -> Vec<Submission> {
        let city = Submission::submit(deed("author"), true);
        let province = city.clone().pass_city(deed("city")).expect("passed");
        let approved = province.clone().approve(deed("province"), "digest".into()).expect("approved");
        let active = approved.clone().activate().expect("active");
        vec![
            city.clone(),
            province.clone(),
            approved.clone(),
            active.clone(),
            active.clone().suspend(deed("duty"), "complaints").expect("suspended"),
            active.clone().retire(deed("province")).expect("retired"),
            province.reject(deed("province"), Ground::Other, "too long").expect("rejected"),
            active.withdraw(deed("province"), "wrong tariff").expect("withdrawn"),
        ]
    }

    type Transition = (&'static str, fn(Submission) -> Result<Submission, Forbidden>);

    const TRANSITIONS: [Transition; 9] = [
        ("pass-city", |s| s.pass_city(deed("x"))),
        ("approve", |s| s.approve(deed("x"), "digest".into())),
        ("reject", |s| s.reject(deed("x"), Ground::NotCare, "no need is met")),
        ("take-back", |s| s.take_back(deed("author"), "")),
        ("activate", Submission::activate),
        ("suspend", |s| s.suspend(deed("x"), "complaints")),
        ("resume", Submission::resume),
        ("retire", |s| s.retire(deed("x"))),
        ("withdraw", |s| s.withdraw(deed("x"), "wrong tariff")),
    ];

    /// Every legal edge; whatever is not listed is forbidden.
    const EDGES: [(&str, &str, &str); 17] = [
        ("city-review", "pass-city", "provincial-review"),
        ("city-review", "reject", "rejected"),
        ("city-review", "take-back", "withdrawn"),
        ("provincial-review", "approve", "approved"),
        ("provincial-review", "reject", "rejected"),
        ("provincial-review", "take-back", "withdrawn"),
        ("approved", "activate", "active"),
        ("approved", "suspend", "suspended"),
        ("approved", "retire", "retired"),
        ("approved", "withdraw", "withdrawn"),
        ("active", "activate", "active"),
        ("active", "suspend", "suspended"),
        ("active", "retire", "retired"),
        ("active", "withdraw", "withdrawn"),
        ("suspended", "resume", "active"),
        ("suspended", "retire", "retired"),
        ("suspended", "withdraw", "withdrawn"),
    ];

    #[test]
    fn every_transition_from_every_state_is_as_listed_or_forbidden() {
        let mut taken = 0;
        for from in every_state() {
            for (name, transition) in TRANSITIONS {
                let listed = EDGES.iter().find(|(state, by, _)| *state == from.state() && *by == name);
                match (transition(from.clone()), listed) {
                    (Ok(to), Some((_, _, wanted))) => {
                        assert_eq!(to.state(), *wanted, "{name}");
                        assert_eq!(to.author(), from.author(), "the author stays the author");
                        taken += 1;
                    }
                    (Err(Forbidden::State { state, .. }), None) => assert_eq!(state, from.state()),
                    (outcome, _) => panic!("{} by {name}: {outcome:?}", from.state()),
                }
            }
        }
        assert_eq!(taken, EDGES.len());
    }

    #[test]
    fn only_approved_versions_start_and_only_active_ones_run() {
        for state in every_state() {
            assert_eq!(state.may_start(), matches!(state.state(), "approved" | "active"), "{}", state.state());
            assert_eq!(state.may_run(), state.state() == "active", "{}", state.state());
        }
    }

    #[test]
    fn four_eyes_compare_everybody_who_had_a_part() {
        let city = Submission::submit(deed("author"), true);
        assert_eq!(city.clone().pass_city(deed("author")), Err(Forbidden::FourEyes { person: "author".into() }));
        let province = city.clone().pass_city(deed("city")).expect("passed");
        for person in ["author", "city"] {
            let own = province.clone().approve(deed(person), "digest".into());
            assert_eq!(own, Err(Forbidden::FourEyes { person: person.into() }));
        }
        assert!(matches!(city.clone().reject(deed("author"), Ground::Other, "no"), Err(Forbidden::FourEyes { .. })));
        assert_eq!(city.take_back(deed("city"), ""), Err(Forbidden::NotAuthor { author: "author".into() }));
    }

    #[test]
    fn whoever_refuses_holds_or_ends_says_why() {
        let [_, province, approved, ..] = &every_state()[..] else { panic!("states") };
        for silent in ["", "  \n"] {
            assert_eq!(province.clone().reject(deed("x"), Ground::Other, silent), Err(Forbidden::NoReason));
            assert_eq!(approved.clone().suspend(deed("x"), silent), Err(Forbidden::NoReason));
            assert_eq!(approved.clone().withdraw(deed("x"), silent), Err(Forbidden::NoReason));
        }
    }
}
