//! The gate as a state machine: a submission from its upload to its end. A transition eats the old state, so a decision
//! cannot be taken twice. Four eyes compare persons, here and again in the database.
//!
//! What fails a check is not kept, so the author's own file is the draft and the machine begins with the review:
//!
//! ```text
//! city-review ─▶ trial-review ─▶ provincial-review ─▶ second-review ─▶ approved ─▶ active ⇄ suspended ─▶ retired
//!      └──────────────┴─────────────────┴───────────────────┴─▶ rejected, withdrawn       └──────┴─▶ withdrawn
//! ```
//!
//! Only a city's activity has a city's review; whether there is a trial review and a second one, `gate::GateRules` say.
//! Whatever is not ended may be `merged`: folded into a provincial activity that answers the same need.

use crate::approval::Approval;
use serde::{Deserialize, Serialize};

/// A person's part in a submission so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// Who had a part in a submission before the province looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    /// Who uploaded and submitted.
    pub author: Deed,
    /// The city's reviewer, where a city initiated it.
    pub city: Option<Deed>,
    /// Who tried it out before the decision (S3: 前端预审), where the gate asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Deed>,
}

/// What was granted, by whom, and who had a part in it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Who had a part before.
    #[serde(flatten)]
    pub reviewed: Reviewed,
    /// Who approved.
    pub approver: Deed,
    /// Who approved as well, where the reach asks for a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Deed>,
    /// Digest of the approval.
    pub approval: String,
}

/// Where a submission stands, with what led there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Submission {
    /// A city initiated it, and its city looks at it first (S1: 地市客响).
    CityReview(Reviewed),
    /// The customer-service centre tries it out (S3: 前端预审).
    TrialReview(Reviewed),
    /// It waits for the province (S1: 省市场部).
    ProvincialReview(Reviewed),
    /// The province would grant it, and its reach asks for a second person.
    SecondReview {
        /// Who had a part before.
        #[serde(flatten)]
        reviewed: Reviewed,
        /// Who approved first.
        approver: Deed,
        /// What the first would grant; not signed yet, so it vouches for nothing.
        proposed: Box<Approval>,
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
    /// Folded into a provincial activity that answers the same need (S1: cities duplicated each other's activities).
    Merged {
        /// Who uploaded and submitted.
        author: Deed,
        /// Who folded it.
        by: Deed,
        /// Name of the activity that takes its place.
        into: String,
        /// What had been granted, if anything.
        approval: Option<String>,
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

impl Reviewed {
    /// Nobody but the author had a part in it.
    fn by_nobody(author: Deed) -> Self {
        Self { author, city: None, trial: None }
    }

    /// Whether a person may decide after these.
    fn four_eyes(&self, now: &Deed) -> Result<(), Forbidden> {
        let before = [Some(&self.author), self.city.as_ref(), self.trial.as_ref()];
        four_eyes(&before.into_iter().flatten().collect::<Vec<_>>(), now)
    }
}

impl Submission {
    /// The first state: a city's activity goes to its city; a province's to whoever tries it out, where the gate asks for
    /// a trial, or to the province.
    pub fn submit(author: Deed, of_a_city: bool, trial: bool) -> Self {
        let reviewed = Reviewed::by_nobody(author);
        match (of_a_city, trial) {
            (true, _) => Self::CityReview(reviewed),
            (false, true) => Self::TrialReview(reviewed),
            (false, false) => Self::ProvincialReview(reviewed),
        }
    }

    /// `city-review → trial-review | provincial-review`, by somebody else than the author.
    pub fn pass_city(self, reviewer: Deed, trial: bool) -> Result<Self, Forbidden> {
        match self {
            Self::CityReview(reviewed) => {
                reviewed.four_eyes(&reviewer)?;
                let reviewed = Reviewed { city: Some(reviewer), ..reviewed };
                Ok(if trial { Self::TrialReview(reviewed) } else { Self::ProvincialReview(reviewed) })
            }
            other => Err(other.cannot("passed on to the province")),
        }
    }

    /// `trial-review → provincial-review`, by somebody who had no part in it.
    pub fn pass_trial(self, reviewer: Deed) -> Result<Self, Forbidden> {
        match self {
            Self::TrialReview(reviewed) => {
                reviewed.four_eyes(&reviewer)?;
                Ok(Self::ProvincialReview(Reviewed { trial: Some(reviewer), ..reviewed }))
            }
            other => Err(other.cannot("passed on by its trial")),
        }
    }

    /// `provincial-review → approved`, by somebody who had no part in it.
    pub fn approve(self, approver: Deed, approval: String) -> Result<Self, Forbidden> {
        match self {
            Self::ProvincialReview(reviewed) => {
                reviewed.four_eyes(&approver)?;
                Ok(Self::Approved(Granted { reviewed, approver, second: None, approval }))
            }
            other => Err(other.cannot("approved")),
        }
    }

    /// `provincial-review → second-review`, by somebody who had no part in it: its reach asks for a second person.
    pub fn propose(self, approver: Deed, proposed: Approval) -> Result<Self, Forbidden> {
        match self {
            Self::ProvincialReview(reviewed) => {
                reviewed.four_eyes(&approver)?;
                Ok(Self::SecondReview { reviewed, approver, proposed: Box::new(proposed) })
            }
            other => Err(other.cannot("approved")),
        }
    }

    /// `second-review → approved`, by somebody who had no part in it: neither before nor as the first approver.
    pub fn confirm(self, second: Deed, approval: String) -> Result<Self, Forbidden> {
        match self {
            Self::SecondReview { reviewed, approver, .. } => {
                reviewed.four_eyes(&second)?;
                four_eyes(&[&approver], &second)?;
                Ok(Self::Approved(Granted { reviewed, approver, second: Some(second), approval }))
            }
            other => Err(other.cannot("confirmed")),
        }
    }

    /// Any undecided state `→ rejected`, with a reason, by somebody else than the author: taking one's own back is another
    /// thing.
    pub fn reject(self, reviewer: Deed, ground: Ground, reason: &str) -> Result<Self, Forbidden> {
        if !self.is_undecided() {
            return Err(self.cannot("rejected"));
        }
        let author = self.author().clone();
        four_eyes(&[&author], &reviewer)?;
        Ok(Self::Rejected { author, reviewer, ground, reason: given(reason)? })
    }

    /// Any state that is not ended `→ merged`, with a reason, by somebody else than the author: the activity `into` takes
    /// its place.
    pub fn merge(self, by: Deed, into: &str, reason: &str) -> Result<Self, Forbidden> {
        let approval = match &self {
            undecided if undecided.is_undecided() => None,
            Self::Approved(granted) | Self::Active(granted) | Self::Suspended { granted, .. } => {
                Some(granted.approval.clone())
            }
            _ => return Err(self.cannot("folded into another")),
        };
        let author = self.author().clone();
        four_eyes(&[&author], &by)?;
        Ok(Self::Merged { author, by, into: into.to_owned(), approval, reason: given(reason)? })
    }

    /// Any undecided state `→ withdrawn`, by the author.
    pub fn take_back(self, by: Deed, reason: &str) -> Result<Self, Forbidden> {
        if !self.is_undecided() {
            return Err(self.cannot("taken back"));
        }
        let author = self.author().clone();
        if author.person != by.person {
            return Err(Forbidden::NotAuthor { author: author.person });
        }
        Ok(Self::Withdrawn { author, by, approval: None, reason: reason.trim().to_owned() })
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
                let Granted { reviewed, approval, .. } = granted;
                Ok(Self::Withdrawn { author: reviewed.author, by, approval: Some(approval), reason: given(reason)? })
            }
            other => Err(other.cannot("withdrawn")),
        }
    }

    /// As stored and shown.
    pub fn state(&self) -> &'static str {
        match self {
            Self::CityReview(_) => "city-review",
            Self::TrialReview(_) => "trial-review",
            Self::ProvincialReview(_) => "provincial-review",
            Self::SecondReview { .. } => "second-review",
            Self::Approved(_) => "approved",
            Self::Active(_) => "active",
            Self::Suspended { .. } => "suspended",
            Self::Retired { .. } => "retired",
            Self::Rejected { .. } => "rejected",
            Self::Merged { .. } => "merged",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// Who uploaded and submitted it.
    pub fn author(&self) -> &Deed {
        match self {
            Self::CityReview(reviewed)
            | Self::TrialReview(reviewed)
            | Self::ProvincialReview(reviewed)
            | Self::SecondReview { reviewed, .. } => &reviewed.author,
            Self::Rejected { author, .. } | Self::Merged { author, .. } | Self::Withdrawn { author, .. } => author,
            Self::Approved(granted)
            | Self::Active(granted)
            | Self::Suspended { granted, .. }
            | Self::Retired { granted, .. } => &granted.reviewed.author,
        }
    }

    /// Who had a part before the province looked at it; none where that is not kept, once it was refused or ended.
    pub fn reviewed(&self) -> Option<&Reviewed> {
        match self {
            Self::CityReview(reviewed)
            | Self::TrialReview(reviewed)
            | Self::ProvincialReview(reviewed)
            | Self::SecondReview { reviewed, .. } => Some(reviewed),
            _ => self.granted().map(|granted| &granted.reviewed),
        }
    }

    /// What was granted, while it stands.
    pub fn granted(&self) -> Option<&Granted> {
        match self {
            Self::Approved(granted)
            | Self::Active(granted)
            | Self::Suspended { granted, .. }
            | Self::Retired { granted, .. } => Some(granted),
            _ => None,
        }
    }

    /// Whether nobody decided about it yet.
    pub fn is_undecided(&self) -> bool {
        matches!(
            self,
            Self::CityReview(_) | Self::TrialReview(_) | Self::ProvincialReview(_) | Self::SecondReview { .. }
        )
    }

    /// The approval that its end ended.
    pub fn ended_approval(&self) -> Option<&str> {
        match self {
            Self::Retired { granted, .. } => Some(&granted.approval),
            Self::Withdrawn { approval, .. } | Self::Merged { approval, .. } => approval.as_deref(),
            _ => None,
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

    fn proposed() -> Approval {
        crate::approval::tests::any()
    }

    /// One submission in every state.
    fn every_state() -> Vec<Submission> {
        let city = Submission::submit(deed("author"), true, false);
        let trial = city.clone().pass_city(deed("city"), true).expect("passed");
        let province = trial.clone().pass_trial(deed("trial")).expect("passed");
        let approved = province.clone().approve(deed("province"), "digest".into()).expect("approved");
        let active = approved.clone().activate().expect("active");
        vec![
            city.clone(),
            trial,
            province.clone(),
            province.clone().propose(deed("province"), proposed()).expect("proposed"),
            approved.clone(),
            active.clone(),
            active.clone().suspend(deed("duty"), "complaints").expect("suspended"),
            active.clone().retire(deed("province")).expect("retired"),
            province.clone().reject(deed("province"), Ground::Other, "too long").expect("rejected"),
            province.merge(deed("province"), "birthday", "the same need").expect("merged"),
            active.withdraw(deed("province"), "wrong tariff").expect("withdrawn"),
        ]
    }

    type Transition = (&'static str, fn(Submission) -> Result<Submission, Forbidden>);

    const TRANSITIONS: [Transition; 14] = [
        ("pass-city", |s| s.pass_city(deed("x"), false)),
        ("pass-city-to-trial", |s| s.pass_city(deed("x"), true)),
        ("pass-trial", |s| s.pass_trial(deed("x"))),
        ("approve", |s| s.approve(deed("x"), "digest".into())),
        ("propose", |s| s.propose(deed("x"), proposed())),
        ("confirm", |s| s.confirm(deed("x"), "digest".into())),
        ("merge", |s| s.merge(deed("x"), "birthday", "the same need")),
        ("reject", |s| s.reject(deed("x"), Ground::NotCare, "no need is met")),
        ("take-back", |s| s.take_back(deed("author"), "")),
        ("activate", Submission::activate),
        ("suspend", |s| s.suspend(deed("x"), "complaints")),
        ("resume", Submission::resume),
        ("retire", |s| s.retire(deed("x"))),
        ("withdraw", |s| s.withdraw(deed("x"), "wrong tariff")),
    ];

    /// Every legal edge; whatever is not listed is forbidden.
    const EDGES: [(&str, &str, &str); 32] = [
        ("city-review", "pass-city", "provincial-review"),
        ("city-review", "pass-city-to-trial", "trial-review"),
        ("city-review", "reject", "rejected"),
        ("city-review", "merge", "merged"),
        ("city-review", "take-back", "withdrawn"),
        ("trial-review", "pass-trial", "provincial-review"),
        ("trial-review", "reject", "rejected"),
        ("trial-review", "merge", "merged"),
        ("trial-review", "take-back", "withdrawn"),
        ("provincial-review", "approve", "approved"),
        ("provincial-review", "propose", "second-review"),
        ("provincial-review", "reject", "rejected"),
        ("provincial-review", "merge", "merged"),
        ("provincial-review", "take-back", "withdrawn"),
        ("second-review", "confirm", "approved"),
        ("second-review", "reject", "rejected"),
        ("second-review", "merge", "merged"),
        ("second-review", "take-back", "withdrawn"),
        ("approved", "merge", "merged"),
        ("active", "merge", "merged"),
        ("suspended", "merge", "merged"),
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
        let own = |person: &str| Forbidden::FourEyes { person: person.into() };
        let city = Submission::submit(deed("author"), true, true);
        assert_eq!(city.clone().pass_city(deed("author"), true), Err(own("author")));
        let trial = city.clone().pass_city(deed("city"), true).expect("passed");
        for person in ["author", "city"] {
            assert_eq!(trial.clone().pass_trial(deed(person)), Err(own(person)));
        }
        let province = trial.pass_trial(deed("trial")).expect("passed");
        for person in ["author", "city", "trial"] {
            assert_eq!(province.clone().approve(deed(person), "digest".into()), Err(own(person)));
            assert_eq!(province.clone().propose(deed(person), proposed()), Err(own(person)));
        }
        let waits = province.clone().propose(deed("first"), proposed()).expect("proposed");
        for person in ["author", "city", "trial", "first"] {
            assert_eq!(waits.clone().confirm(deed(person), "digest".into()), Err(own(person)));
        }
        assert!(waits.confirm(deed("second"), "digest".into()).is_ok());
        assert_eq!(province.clone().merge(deed("author"), "birthday", "the same"), Err(own("author")));
        assert_eq!(city.clone().reject(deed("author"), Ground::Other, "no"), Err(own("author")));
        assert_eq!(city.take_back(deed("city"), ""), Err(Forbidden::NotAuthor { author: "author".into() }));
    }

    #[test]
    fn a_state_of_before_the_trial_and_the_second_review_is_still_read() {
        let of_before = r#"{"state":"active","author":{"person":"lin","at":1},"city":null,
            "approver":{"person":"xu","at":2},"approval":"d"}"#;
        let read: Submission = serde_json::from_str(of_before).expect("the state machine's own value");
        assert_eq!((read.state(), read.author().person.as_str()), ("active", "lin"));
        for state in every_state() {
            let text = serde_json::to_string(&state).expect("JSON");
            assert_eq!(serde_json::from_str::<Submission>(&text).expect("its own JSON"), state);
        }
    }

    #[test]
    fn whoever_refuses_holds_or_ends_says_why() {
        let [_, _, province, _, approved, ..] = &every_state()[..] else { panic!("states") };
        for silent in ["", "  \n"] {
            assert_eq!(province.clone().reject(deed("x"), Ground::Other, silent), Err(Forbidden::NoReason));
            assert_eq!(province.clone().merge(deed("x"), "birthday", silent), Err(Forbidden::NoReason));
            assert_eq!(approved.clone().suspend(deed("x"), silent), Err(Forbidden::NoReason));
            assert_eq!(approved.clone().withdraw(deed("x"), silent), Err(Forbidden::NoReason));
        }
    }
}
