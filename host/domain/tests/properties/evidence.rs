//! Evidence is gathered in parts: however customers are cut into them, and in whatever order they are merged, the
//! whole is the same.

use care_domain::contact::Channel;
use care_domain::evidence::{Answer, Candidate, Displaced, Evidence, Overlap, Shadow, Subject};
use care_domain::key::CustomerKey;
use care_domain::sms;
use care_domain::text::Bilingual;
use care_domain::verdict::Verdict;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

/// What one customer adds.
#[derive(Debug, Clone)]
struct Seen {
    key: u8,
    verdict: Verdict,
    reason: &'static str,
    score: f32,
    region: Option<&'static str>,
    channel: Channel,
    rank: u32,
    contacts: u64,
    running: Option<Verdict>,
}

fn seen() -> impl Strategy<Value = Seen> {
    let verdicts = || select(Verdict::ALL.to_vec());
    let place = select(vec![None, Some("350203"), Some("350100"), Some("x")]);
    let who = (any::<u8>(), verdicts(), select(vec!["", "sms", "call"]), 0.0f32..=1.0, place);
    let what = (select(Channel::ALL.to_vec()), 0u32..20, 0u64..15, prop::option::of(verdicts()));
    (who, what).prop_map(|((key, verdict, reason, score, region), (channel, rank, contacts, running))| Seen {
        key,
        verdict,
        reason,
        score,
        region,
        channel,
        rank,
        contacts,
        running,
    })
}

fn empty() -> Evidence {
    let subject = Subject {
        activity: "birthday".into(),
        version: "1.1.0".parse().expect("a version"),
        component: String::new(),
        approval: String::new(),
        params: "{}".into(),
        date: 0,
        instant: 0,
        snapshot: String::new(),
        policy: String::new(),
        mark: 0,
        sms_price_fen: 4,
        sale: false,
    };
    let mut evidence = Evidence::about(subject);
    let entries = vec!["birthday".to_owned()];
    evidence.overlaps.insert("other-1".into(), Overlap { entries, ..Overlap::default() });
    evidence.displaced.insert("other-1".into(), Displaced::default());
    evidence.shadows.insert("birthday-1".into(), Shadow::of("1.0.0".parse().expect("a version")));
    evidence
}

fn part(customers: &[Seen]) -> Evidence {
    let mut evidence = empty();
    for seen in customers {
        evidence.customers += 1;
        evidence.add_candidate(&Candidate {
            verdict: seen.verdict,
            reason: seen.reason,
            score: seen.score,
            region: seen.region,
            tier: None,
        });
        let text = format!("{} 分", seen.rank);
        evidence.add_message(seen.channel, (seen.channel == Channel::Sms).then(|| sms::segments(&text)));
        let wanted = evidence.samples.wants("remind", seen.channel, seen.rank);
        let before = evidence.samples.clone();
        evidence.samples.add("remind", seen.channel, seen.rank, Bilingual { zh: text.clone(), en: text });
        assert!(wanted || before == evidence.samples, "what is not wanted changes nothing");
        evidence.pressure.before.add(seen.contacts, 1);
        evidence.pressure.after.add(seen.contacts + 1, 1);
        let both = u64::from(seen.running.is_some());
        evidence.overlaps.get_mut("other-1").expect("the rival").add(1, both, both);
        let displaced = evidence.displaced.get_mut("other-1").expect("the rival");
        displaced.see(seen.running == Some(Verdict::Cleared), seen.verdict == Verdict::Cleared);
        let slots = BTreeMap::from([("points".to_owned(), seen.rank.to_string())]);
        let said = [("remind", &slots)];
        let running = seen.running.map(|verdict| Answer { reason: "sms", verdict, said: &[] });
        let new =
            (!seen.reason.is_empty()).then_some(Answer { reason: seen.reason, verdict: seen.verdict, said: &said });
        let shadow = evidence.shadows.get_mut("birthday-1").expect("the running version");
        shadow.see(CustomerKey([seen.key; 16]), running, new);
    }
    evidence
}

fn merged(parts: impl Iterator<Item = Evidence>) -> Evidence {
    parts.fold(empty(), |mut whole, part| {
        whole.merge(&part);
        whole
    })
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn parts_merged_in_any_order_are_the_whole(all in prop::collection::vec(seen(), 0..40), size in 1usize..12) {
        let whole = part(&all);
        prop_assert_eq!(&merged(all.chunks(size).map(part)), &whole);
        prop_assert_eq!(&merged(all.chunks(size).rev().map(part)), &whole);
        let halves = merged([merged(all.chunks(size).step_by(2).map(part)),
            merged(all.chunks(size).skip(1).step_by(2).map(part))].into_iter());
        prop_assert_eq!(&halves, &whole);
        prop_assert_eq!(whole.selected(), all.len() as u64);
        prop_assert_eq!(whole.pressure.before.customers(), whole.pressure.after.customers());
    }
}
