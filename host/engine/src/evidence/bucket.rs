//! What one bucket adds to the evidence: counted while its rows are there.

use super::Decided;
use super::stage::{SIMULATED, Stage};
use crate::EngineError;
use crate::plan::BucketOutcome;
use care_domain::contact::{Addressee, Channel};
use care_domain::evidence::{Answer, Candidate, Evidence, Pressure, Said, rank};
use care_domain::key::CustomerKey;
use care_domain::sms;
use care_domain::verdict::{Decision, Verdict};
use care_population::BucketData;
use care_store::{History, NewContact};
use std::collections::{BTreeSet, HashMap};

const REGION_FIELD: &str = "home-adcode";
const TIER_FIELD: &str = "tier";

/// Decisions by customer. A campaign selects a customer once.
type ByCustomer<'a> = HashMap<CustomerKey, &'a Decision>;
/// Messages by campaign and customer.
type Messages<'a> = HashMap<(&'a str, CustomerKey), Vec<Said<'a>>>;
/// Contacts that press a customer, each once however many messages it takes: activity, occasion, round.
type Contacts<'a> = HashMap<CustomerKey, BTreeSet<(&'a str, i64, u8)>>;

pub(super) fn gather(stage: &Stage, decided: &Decided) -> Result<Evidence, EngineError> {
    let mut evidence = stage.empty();
    evidence.customers = decided.data.rows() as u64;
    candidates(&decided.data, &decided.after, &mut evidence);
    messages(stage, &decided.after, &mut evidence)?;
    if let Some(faults) = decided.after.faults.get(SIMULATED) {
        evidence.faults.clone_from(faults);
    }
    let ledger = ledger(&decided.history, stage.pressing_since);
    evidence.pressure.before = pressure(&decided.data, &ledger, &decided.before);
    evidence.pressure.after = pressure(&decided.data, &ledger, &decided.after);
    let (before, after) = (by_campaign(&decided.before), by_campaign(&decided.after));
    others(stage, &before, &after, &mut evidence);
    shadows(stage, decided, &before, &after, &mut evidence);
    Ok(evidence)
}

fn candidates(data: &BucketData, after: &BucketOutcome, evidence: &mut Evidence) {
    let (home, tier) = (data.column(REGION_FIELD), data.column(TIER_FIELD));
    for decision in after.decisions.iter().filter(|d| d.campaign == SIMULATED) {
        let row = data.find(decision.customer);
        evidence.add_candidate(&Candidate {
            verdict: decision.verdict,
            reason: &decision.reason,
            score: decision.score,
            region: row.and_then(|row| home.as_ref()?.text(row)),
            tier: row.and_then(|row| tier.as_ref()?.text(row)),
        });
    }
}

fn messages(stage: &Stage, after: &BucketOutcome, evidence: &mut Evidence) -> Result<(), EngineError> {
    for contact in after.contacts.iter().filter(|c| c.campaign == SIMULATED) {
        let NewContact { template, channel, slots, .. } = contact;
        let sms = match channel {
            Channel::Sms => Some(sms::segments(&stage.wording.read(contact, contact.language)?)),
            _ => None,
        };
        evidence.add_message(*channel, sms);
        let rank = rank(slots);
        if evidence.samples.wants(template, *channel, rank) {
            evidence.samples.add(template, *channel, rank, stage.wording.read_both(contact)?);
        }
    }
    Ok(())
}

/// What the ledger holds: a contact presses by the rules by which a cap counts it.
fn ledger(history: &History, since: i64) -> Contacts<'_> {
    let mut ledger = Contacts::new();
    for (customer, past) in &history.contacts {
        let pressing = past.iter().filter(|p| p.state.counts() && p.channel.disturbs() && p.planned_at >= since);
        let contacts: BTreeSet<_> = pressing.map(|p| (p.activity.as_str(), p.occasion, p.round)).collect();
        if !contacts.is_empty() {
            ledger.insert(*customer, contacts);
        }
    }
    ledger
}

fn pressure<'a>(data: &BucketData, ledger: &Contacts<'a>, pass: &'a BucketOutcome) -> Pressure {
    let mut all = ledger.clone();
    let disturbs = |c: &&NewContact| c.addressee == Addressee::Customer && c.channel.disturbs();
    for contact in pass.contacts.iter().filter(disturbs) {
        let identity = (contact.activity.as_str(), contact.occasion, contact.round);
        all.entry(contact.customer).or_default().insert(identity);
    }
    let mut pressure = Pressure::default();
    // The ledger may know customers whom this snapshot does not hold.
    for contacts in all.iter().filter(|(customer, _)| data.find(**customer).is_some()).map(|(_, contacts)| contacts) {
        pressure.add(contacts.len() as u64, 1);
    }
    pressure.add(0, data.rows() as u64 - pressure.customers());
    pressure
}

fn by_campaign(outcome: &BucketOutcome) -> HashMap<&str, ByCustomer<'_>> {
    let mut campaigns: HashMap<&str, ByCustomer<'_>> = HashMap::new();
    for decision in &outcome.decisions {
        campaigns.entry(&decision.campaign).or_default().insert(decision.customer, decision);
    }
    campaigns
}

fn others(
    stage: &Stage,
    before: &HashMap<&str, ByCustomer<'_>>,
    after: &HashMap<&str, ByCustomer<'_>>,
    evidence: &mut Evidence,
) {
    let none = ByCustomer::new();
    let ours = after.get(SIMULATED).unwrap_or(&none);
    for campaign in stage.others().map(|due| due.campaign.as_str()) {
        let (was, is) = (before.get(campaign).unwrap_or(&none), after.get(campaign).unwrap_or(&none));
        if let Some(overlap) = evidence.overlaps.get_mut(campaign) {
            let both = is.keys().filter(|customer| ours.contains_key(customer)).count();
            overlap.add(ours.len() as u64, is.len() as u64, both as u64);
        }
        if let Some(displaced) = evidence.displaced.get_mut(campaign) {
            let cleared =
                |all: &ByCustomer<'_>, who| all.get(who).is_some_and(|d: &&Decision| d.verdict == Verdict::Cleared);
            for customer in was.keys().chain(is.keys().filter(|customer| !was.contains_key(customer))) {
                displaced.see(cleared(was, customer), cleared(is, customer));
            }
        }
    }
}

fn shadows(
    stage: &Stage,
    decided: &Decided,
    before: &HashMap<&str, ByCustomer<'_>>,
    after: &HashMap<&str, ByCustomer<'_>>,
    evidence: &mut Evidence,
) {
    let none = ByCustomer::new();
    let new = after.get(SIMULATED).unwrap_or(&none);
    let (old_words, new_words) = (said(&decided.before, stage), said(&decided.after, stage));
    for campaign in stage.running().map(|due| due.campaign.as_str()) {
        let Some(shadow) = evidence.shadows.get_mut(campaign) else { continue };
        let old = before.get(campaign).unwrap_or(&none);
        for customer in old.keys().chain(new.keys().filter(|customer| !old.contains_key(customer))) {
            let old = answer(old.get(customer), old_words.get(&(campaign, *customer)));
            let new = answer(new.get(customer), new_words.get(&(SIMULATED, *customer)));
            shadow.see(*customer, old, new);
        }
    }
}

fn answer<'a>(decision: Option<&&'a Decision>, said: Option<&'a Vec<Said<'a>>>) -> Option<Answer<'a>> {
    let Decision { reason, verdict, .. } = decision?;
    Some(Answer { reason, verdict: *verdict, said: said.map_or(&[], Vec::as_slice) })
}

/// What is said in the activity's name, by campaign and customer.
fn said<'a>(outcome: &'a BucketOutcome, stage: &Stage) -> Messages<'a> {
    let mut messages = Messages::new();
    for contact in outcome.contacts.iter().filter(|c| c.activity == stage.subject.activity) {
        let said = messages.entry((contact.campaign.as_str(), contact.customer)).or_default();
        said.push((contact.template.as_str(), &contact.slots));
    }
    messages
}
