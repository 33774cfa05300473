//! Versions of the contact policy: one person proposes, another decides. What was approved last is in force; older
//! versions stay readable, since plans pin them. What a policy says lives in `policy`.

use crate::governance::Deed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Where a version stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PolicyState {
    /// It waits for another person.
    Proposed {
        /// Who wrote it.
        author: Deed,
    },
    /// It was put in force, until the next one was.
    Approved {
        /// Who wrote it.
        author: Deed,
        /// Who decided.
        decider: Deed,
    },
    /// It never was in force.
    Rejected {
        /// Who wrote it.
        author: Deed,
        /// Who decided.
        decider: Deed,
        /// Why.
        reason: String,
    },
}

/// A decision that may not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyForbidden {
    /// It was decided about before.
    #[error("it is {0} already")]
    Decided(&'static str),
    /// Whoever wrote it cannot put it in force.
    #[error("{0} wrote it")]
    FourEyes(String),
}

impl PolicyState {
    /// As stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Proposed { .. } => "proposed",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// Who wrote it.
    pub fn author(&self) -> &Deed {
        match self {
            Self::Proposed { author } | Self::Approved { author, .. } | Self::Rejected { author, .. } => author,
        }
    }

    /// Who decided about it, if somebody did.
    pub fn decider(&self) -> Option<&Deed> {
        match self {
            Self::Proposed { .. } => None,
            Self::Approved { decider, .. } | Self::Rejected { decider, .. } => Some(decider),
        }
    }

    /// Puts it in force.
    pub fn approve(self, decider: Deed) -> Result<Self, PolicyForbidden> {
        match self {
            Self::Proposed { author } if author.person == decider.person => {
                Err(PolicyForbidden::FourEyes(author.person))
            }
            Self::Proposed { author } => Ok(Self::Approved { author, decider }),
            decided => Err(PolicyForbidden::Decided(decided.name())),
        }
    }

    /// Refuses it; whoever wrote it may take it back so.
    pub fn reject(self, decider: Deed, reason: String) -> Result<Self, PolicyForbidden> {
        match self {
            Self::Proposed { author } => Ok(Self::Rejected { author, decider, reason }),
            decided => Err(PolicyForbidden::Decided(decided.name())),
        }
    }
}

/// A place in which two policies differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// Where, such as `classes.care.quiet`.
    pub place: String,
    /// What stood there; absent when nothing did.
    pub before: Option<Value>,
    /// What stands there now; absent when nothing does.
    pub after: Option<Value>,
}

/// Every place in which two documents differ, in order. Lists are compared as a whole.
pub fn changes(before: &Value, after: &Value) -> Vec<PolicyChange> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(place: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<PolicyChange>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let inner = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                compare(&inner, old.get(name), new.get(name), found);
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            found.push(PolicyChange { place: place.to_owned(), before: before.cloned(), after: after.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deed(person: &str) -> Deed {
        Deed { person: person.into(), at: 1 }
    }

    #[test]
    fn nobody_puts_their_own_policy_in_force_and_a_decision_is_taken_once() {
        let proposed = PolicyState::Proposed { author: deed("lin") };
        assert_eq!(proposed.clone().approve(deed("lin")), Err(PolicyForbidden::FourEyes("lin".into())));
        let approved = proposed.clone().approve(deed("xu")).expect("another person");
        assert_eq!(approved.decider().map(|d| d.person.as_str()), Some("xu"));
        assert_eq!(approved.clone().approve(deed("chen")), Err(PolicyForbidden::Decided("approved")));
        assert_eq!(approved.reject(deed("chen"), String::new()), Err(PolicyForbidden::Decided("approved")));
        let back = proposed.reject(deed("lin"), "a slip".into()).expect("one's own may be taken back");
        assert_eq!(back.approve(deed("xu")), Err(PolicyForbidden::Decided("rejected")));
    }

    #[test]
    fn two_policies_differ_where_they_say_something_else() {
        let (a, b) = (json!({"x": {"y": 1, "z": [1]}, "old": 1}), json!({"x": {"y": 2, "z": [1]}, "new": [3]}));
        let places: Vec<String> = changes(&a, &b).into_iter().map(|c| c.place).collect();
        assert_eq!(places, ["new", "old", "x.y"]);
        assert_eq!(changes(&a, &a), []);
    }
}
