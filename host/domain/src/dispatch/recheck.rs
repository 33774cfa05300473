//! What may have happened between planning and sending, so that a contact is not welcome or of no use any more.

use crate::decide::{self, Wishes};
use crate::policy::{Class, ClassRules, ConsentRule};

/// What is known of a customer now.
#[derive(Debug, Clone, Copy)]
pub struct Meanwhile<'a> {
    /// Everything the customer ever wished.
    pub wishes: &'a Wishes,
    /// Outcomes with their place in the ledger.
    pub outcomes: &'a [(i64, String)],
}

/// Why a contact that was planned at `seq` of the ledger must not go out any more; `None` when it may.
pub fn pointless(
    (activity, class, seq): (&str, Class, i64),
    rules: ClassRules,
    cancel_on: &[String],
    meanwhile: Meanwhile<'_>,
) -> Option<String> {
    let wishes = meanwhile.wishes;
    if let (Some(why), true) = (&wishes.suppressed, class != Class::Disaster) {
        return Some(why.clone());
    }
    if let Some(refused) = decide::refusal(wishes, class, activity, rules.consent) {
        return Some(refused);
    }
    if rules.consent == ConsentRule::Needed && wishes.commercial == Some(false) {
        return Some("consent was withdrawn".into());
    }
    let since = meanwhile.outcomes.iter().filter(|(at, _)| *at > seq);
    let ended = since.map(|(_, kind)| kind).find(|kind| cancel_on.contains(kind));
    ended.map(|kind| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn a_wish_or_an_event_since_the_plan_ends_a_contact_and_an_older_one_does_not() {
        let policy = Policy::default();
        let cancel_on = ["topped-up".to_owned()];
        let told = |class, wishes: &Wishes, outcomes: &[(i64, String)]| {
            pointless(("points", class, 10), policy.rules(class), &cancel_on, Meanwhile { wishes, outcomes })
        };
        let none = Wishes::default();
        assert_eq!(told(Class::Commercial, &none, &[]), None, "the plan has read the consent of the snapshot");
        assert_eq!(told(Class::Service, &none, &[(9, "topped-up".into()), (11, "other".into())]), None);
        assert_eq!(told(Class::Service, &none, &[(11, "topped-up".into())]).as_deref(), Some("topped-up"));
        let refuses = Wishes { refuses_all: true, ..Wishes::default() };
        assert!(told(Class::Care, &refuses, &[]).is_some() && told(Class::Service, &refuses, &[]).is_none());
        let own = Wishes { refused_activities: vec!["points".into()], ..Wishes::default() };
        assert!(told(Class::Service, &own, &[]).is_some() && told(Class::Safety, &own, &[]).is_none());
        let withdrawn = Wishes { commercial: Some(false), ..Wishes::default() };
        assert!(told(Class::Commercial, &withdrawn, &[]).is_some() && told(Class::Care, &withdrawn, &[]).is_none());
        let missing = Wishes { suppressed: Some("possibly-missing".into()), ..Wishes::default() };
        assert!(told(Class::Safety, &missing, &[]).is_some() && told(Class::Disaster, &missing, &[]).is_none());
    }
}
