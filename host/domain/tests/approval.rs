//! What the province may grant, told in stories.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use care_domain::approval::{Approval, CEILING, ConditionError, Conditions};
use care_domain::contact::Addressee;
use care_domain::manifest::{Cap, Manifest};
use care_domain::policy::Class;
use serde_json::json;
use std::collections::BTreeSet;

fn asked() -> Manifest {
    let both = |text: &str| json!({"zh": text, "en": text});
    let template =
        |name: &str, addressee: &str| json!({"name": name, "addressee": addressee, "bodies": {"sms": both("hello")}});
    let manifest = json!({
        "name": "greeting", "version": "1.2.0", "wit": "1.0.0",
        "title": both("t"), "summary": both("s"), "catalogue": ["birthday"], "owner_region": "350200",
        "reasons": [
            {"name": "day", "title": both("d"), "templates": ["greet", "tell-family"], "channels": ["sms"]},
            {"name": "family", "title": both("f"), "templates": ["tell-family"], "channels": ["sms"]},
        ],
        "templates": [template("greet", "customer"), template("tell-family", "close-contacts")],
        "class": "care", "weight": 300, "cap": {"contacts": 1, "days": 300}, "rounds": 2,
        "goal": {"outcome": "satisfied", "window_days": 7, "better": "more"},
        "principles": {
            "proactive": both("p"), "customer_oriented": both("p"), "feasible": both("p"),
            "useful": both("p"), "important": both("p"), "innovative": both("p"),
        },
        "limits": {"fuel_base": u64::MAX, "fuel_per_row": 100, "memory_mib": 512},
    });
    serde_json::from_value(manifest).expect("a manifest")
}

fn grant(conditions: &Conditions) -> Result<Approval, ConditionError> {
    Approval::grant("digest", &asked(), conditions, "province", 1)
}

#[test]
fn without_conditions_it_grants_what_was_asked_up_to_the_ceiling() {
    let approval = grant(&Conditions::default()).expect("granted");
    let cap = Cap { contacts: 1, days: 300 };
    assert_eq!((approval.class, approval.weight, approval.cap, approval.share), (Class::Care, 300, cap, 10_000));
    assert_eq!(approval.addressees, BTreeSet::from([Addressee::Customer, Addressee::CloseContacts]));
    let limits = (approval.limits.fuel_base, approval.limits.fuel_per_row, approval.limits.memory_mib);
    assert_eq!(limits, (CEILING.fuel_base, 100, CEILING.memory_mib));
    assert_eq!(approval.effective(&asked()).reasons, asked().reasons);
}

#[test]
fn a_condition_out_of_bounds_grants_nothing() {
    let cap = |contacts, days| Conditions { cap: Some(Cap { contacts, days }), ..Conditions::default() };
    let share = |share| Conditions { share: Some(share), ..Conditions::default() };
    let region = |region: &str| Conditions { regions: vec![region.into()], ..Conditions::default() };
    // A window of no days would hold nothing back at all.
    assert_eq!(grant(&cap(1, 0)), Err(ConditionError::Cap { contacts: 1, days: 0 }));
    assert_eq!(grant(&cap(0, 7)), Err(ConditionError::Cap { contacts: 0, days: 7 }));
    assert_eq!(grant(&cap(1, 401)), Err(ConditionError::Cap { contacts: 1, days: 401 }));
    assert!(grant(&cap(1, 400)).is_ok());
    let weight = Conditions { weight: Some(1_001), ..Conditions::default() };
    assert_eq!(grant(&weight), Err(ConditionError::Weight(1_001)));
    assert_eq!(grant(&share(0)), Err(ConditionError::Share(0)));
    assert_eq!(grant(&share(10_001)), Err(ConditionError::Share(10_001)));
    for bad in ["", "3502", "35020x", "3502000"] {
        assert_eq!(grant(&region(bad)), Err(ConditionError::Region(bad.into())));
    }
    let stranger = Conditions { addressees: Some(BTreeSet::from([Addressee::KeyAccounts])), ..Conditions::default() };
    assert_eq!(grant(&stranger), Err(ConditionError::Addressee("key-accounts")));
    let backwards = Conditions { from: Some(10), until: Some(9), ..Conditions::default() };
    assert_eq!(grant(&backwards), Err(ConditionError::Dates));
}

#[test]
fn what_is_not_granted_cannot_be_said() {
    let only_customers =
        Conditions { addressees: Some(BTreeSet::from([Addressee::Customer])), ..Conditions::default() };
    let effective = grant(&only_customers).expect("granted").effective(&asked());
    let said: Vec<&[String]> = effective.reasons.iter().map(|r| r.templates.as_slice()).collect();
    assert_eq!(said, [&["greet".to_owned()][..], &[]]);
    assert_eq!(effective.templates.len(), 2, "a guest's indices keep their meaning");
}

#[test]
fn an_approval_holds_from_its_first_to_its_last_day_and_another_grant_is_another_digest() {
    let conditions = Conditions { from: Some(10), until: Some(12), ..Conditions::default() };
    let approval = grant(&conditions).expect("granted");
    let held: Vec<i32> = (8..15).filter(|day| approval.holds_on(*day)).collect();
    assert_eq!(held, [10, 11, 12]);
    let longer = grant(&Conditions { until: Some(13), ..conditions.clone() }).expect("granted");
    let digest = |a: &Approval| a.digest().expect("a digest");
    assert_ne!(digest(&approval), digest(&longer));
    assert_eq!(digest(&approval), digest(&grant(&conditions).expect("granted")));
}
