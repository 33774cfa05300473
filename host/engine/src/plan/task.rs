//! One task: a bucket through every stage, from columns to decisions and planned messages.
//! Reads nothing but its arguments, so any worker gives the same bytes.

use super::batch::BatchView;
use super::carry;
use super::due::{Due, Lists, World};
use super::facts::{FactColumns, Reader};
use super::halve::{MAX_HALVINGS, halved};
use care_domain::column::Table;
use care_domain::contact::{Addressee, Channel, ContactIdentity};
use care_domain::decide::{self, Proposal, Ruling, SAME_OCCASION, Terms};
use care_domain::field::Stage;
use care_domain::key::CustomerKey;
use care_domain::policy::Policy;
use care_domain::sms;
use care_domain::verdict::{Decision, Tally, Verdict};
use care_population::BucketData;
use care_sandbox::{Fault, Guest, MachineError, Message, RunFacts};
use care_store::{Carried, History, NewContact, NewControl};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a bucket came to.
#[derive(Default)]
pub(crate) struct BucketOutcome {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) contacts: Vec<NewContact>,
    pub(crate) controls: Vec<NewControl>,
    /// Losers that wait for a later plan, and those that were answered for good.
    pub(crate) carried: Vec<Carried>,
    /// Candidates by campaign and by the campaign that has their occasion.
    pub(crate) clashes: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) tallies: BTreeMap<String, Tally>,
    pub(crate) faults: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A fault of the machine, with the activity under which it happened.
pub(crate) struct MachineFault {
    pub(crate) activity: String,
    pub(crate) source: MachineError,
}

/// A campaign at work in a task: its guests, one a stage, and how often it may still be halved.
pub(super) struct Crew<'a> {
    pub(super) due: &'a Due,
    pub(super) index: usize,
    guests: Guests,
    halvings: u32,
}

/// The guests of a campaign, one a stage.
pub(crate) struct Guests {
    select: Guest,
    schedule: Guest,
    compose: Guest,
    calls: u32,
}

impl Guests {
    /// Those of a campaign, not started yet.
    pub(crate) fn new(due: &Due) -> Self {
        let guest = |stage| due.plugin.guest(stage, due.facts.clone(), due.grants.clone());
        let [select, schedule, compose] = [Stage::Select, Stage::Schedule, Stage::Compose].map(guest);
        Self { select, schedule, compose, calls: 0 }
    }

    /// How many crews they have worked in.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    fn tell(&mut self, facts: &RunFacts) {
        for guest in [&mut self.select, &mut self.schedule, &mut self.compose] {
            guest.tell(facts.clone());
        }
        self.calls += 1;
    }
}

/// A candidate on its way to a verdict.
pub(super) struct Candidate {
    pub(super) row: u32,
    pub(super) proposal: Proposal,
    pub(super) answer: Answer,
    /// The business date of the plan from which it was carried over, in days.
    pub(super) carried: Option<i32>,
}

pub(super) enum Answer {
    Proposed,
    Ruled(Ruling),
    Broken(Fault),
}

/// Decides a bucket. `progress` is told the customers done.
pub(crate) fn decide_bucket(
    world: &World,
    bucket: &BucketData,
    history: &History,
    lists: &Lists,
    progress: &dyn Fn(usize),
) -> Result<BucketOutcome, MachineFault> {
    let mut crews: Vec<Crew<'_>> =
        world.due.iter().enumerate().map(|(i, due)| Crew::new(i, due, world.pins.instant)).collect();
    let mut outcome = BucketOutcome::default();
    for due in &world.due {
        outcome.tallies.insert(due.campaign.clone(), Tally::default());
    }
    let terms: Vec<Terms> = world.due.iter().map(|d| d.terms.clone()).collect();
    let batch = (world.pins.batch as usize).max(8);
    for start in (0..bucket.rows()).step_by(batch) {
        let end = (start + batch).min(bucket.rows());
        let view = BatchView::new(bucket, start..end, history, lists);
        decide_batch(world, &mut crews, &terms, &view, &mut outcome)?;
        progress(end - start);
    }
    Ok(outcome)
}

/// Decides about some customers of a bucket alone.
pub(crate) fn decide_some(
    world: &World,
    bucket: &Arc<BucketData>,
    customers: &BTreeSet<CustomerKey>,
    history: &History,
    lists: &Lists,
) -> Result<BucketOutcome, MachineFault> {
    let mut crews: Vec<Crew<'_>> =
        world.due.iter().enumerate().map(|(i, due)| Crew::new(i, due, world.pins.instant)).collect();
    let terms: Vec<Terms> = world.due.iter().map(|d| d.terms.clone()).collect();
    let places: Vec<(Arc<BucketData>, usize)> =
        customers.iter().filter_map(|key| Some((Arc::clone(bucket), bucket.find(*key)?))).collect();
    let mut outcome = BucketOutcome::default();
    for places in places.chunks((world.pins.batch as usize).max(8)) {
        let no_events = Table { rows: places.len() as u32, columns: BTreeMap::new() };
        let view = BatchView::scattered(places, &no_events, history, lists);
        decide_batch(world, &mut crews, &terms, &view, &mut outcome)?;
    }
    Ok(outcome)
}

fn decide_batch(
    world: &World,
    crews: &mut [Crew<'_>],
    terms: &[Terms],
    view: &BatchView<'_>,
    outcome: &mut BucketOutcome,
) -> Result<(), MachineFault> {
    let mut candidates = Vec::new();
    let all: Vec<u32> = (0..view.len() as u32).collect();
    for crew in crews.iter_mut() {
        crew.propose(view, &all, &mut candidates).map_err(|e| crew.machine(e))?;
    }
    carry::add(world, view, &mut candidates);
    candidates.sort_by_key(|c| (c.row, c.proposal.terms));
    let facts = FactColumns::read(view, &world.policy, &world.disaster_areas);
    rule(world, terms, &facts, view, &mut candidates);
    let mut said = HashMap::new();
    for crew in crews.iter_mut() {
        crew.say(view, &mut candidates, &mut said).map_err(|e| crew.machine(e))?;
    }
    for candidate in candidates {
        let messages = said.remove(&(candidate.proposal.terms, candidate.row)).unwrap_or_default();
        outcome.record(world, view, &facts, candidate, messages);
    }
    Ok(())
}

/// Rules on all candidates, customer by customer.
fn rule(world: &World, terms: &[Terms], facts: &FactColumns<'_>, view: &BatchView<'_>, candidates: &mut [Candidate]) {
    for group in candidates.chunk_by_mut(|a, b| a.row == b.row) {
        let mut open: Vec<&mut Candidate> = group.iter_mut().filter(|c| matches!(c.answer, Answer::Proposed)).collect();
        let Some(row) = open.first().map(|c| c.row as usize) else { continue };
        let proposals: Vec<Proposal> = open.iter().map(|c| c.proposal).collect();
        let wishes = facts.wishes(view, row);
        let customer = facts.customer(view, row, &wishes);
        let rulings = decide::decide(&customer, &proposals, terms, &world.policy, world.pins.instant);
        for (candidate, ruling) in open.iter_mut().zip(rulings) {
            candidate.answer = Answer::Ruled(ruling);
        }
    }
}

impl<'a> Crew<'a> {
    /// At work at an instant.
    pub(super) fn new(index: usize, due: &'a Due, now: i64) -> Self {
        Self::with(index, due, now, Guests::new(due))
    }

    /// The same with guests that have worked before.
    pub(super) fn with(index: usize, due: &'a Due, now: i64, mut guests: Guests) -> Self {
        guests.tell(&RunFacts { now, ..due.facts.clone() });
        Self { due, index, guests, halvings: MAX_HALVINGS }
    }

    /// Its guests, to work again.
    pub(super) fn into_guests(self) -> Guests {
        self.guests
    }

    pub(super) fn machine(&self, source: MachineError) -> MachineFault {
        MachineFault { activity: self.due.terms.activity.clone(), source }
    }

    fn proposal(&self) -> Proposal {
        Proposal { terms: self.index, reason: 0, occasion: 0, score: 0.0, not_before: 0, not_after: 0 }
    }

    /// `select` from some rows, then `schedule` for those selected.
    pub(super) fn propose(
        &mut self,
        view: &BatchView<'_>,
        offered: &[u32],
        candidates: &mut Vec<Candidate>,
    ) -> Result<(), MachineError> {
        let activity = &self.due.terms.activity;
        let fields = self.due.manifest.fields_of(Stage::Select);
        let guest = &mut self.guests.select;
        let selected = halved(offered, &mut self.halvings, &mut |rows| {
            // The whole batch is lent without a copy; only parts of it are gathered.
            let part = (rows.len() < view.len()).then_some(rows);
            guest.select(view.table(activity, fields, part))
        })?;
        for (rows, fault) in selected.bad {
            candidates.extend(rows.iter().map(|row| self.broken(*row, self.proposal(), &fault)));
        }
        let mut chosen: Vec<(u32, Proposal)> = Vec::new();
        for (rows, selection) in selected.good {
            for (i, row) in selection.rows.iter().enumerate() {
                let proposal = Proposal {
                    reason: selection.reasons[i],
                    occasion: selection.occasions[i],
                    score: selection.scores[i],
                    ..self.proposal()
                };
                chosen.push((rows[*row as usize], proposal));
            }
        }
        self.time(view, chosen, candidates)
    }

    fn time(
        &mut self,
        view: &BatchView<'_>,
        chosen: Vec<(u32, Proposal)>,
        candidates: &mut Vec<Candidate>,
    ) -> Result<(), MachineError> {
        if chosen.is_empty() {
            return Ok(());
        }
        let activity = &self.due.terms.activity;
        let fields = self.due.manifest.fields_of(Stage::Schedule);
        let by_row: HashMap<u32, Proposal> = chosen.iter().copied().collect();
        let rows: Vec<u32> = chosen.iter().map(|(row, _)| *row).collect();
        let guest = &mut self.guests.schedule;
        let timed = halved(&rows, &mut self.halvings, &mut |rows| {
            let reasons: Vec<u16> = rows.iter().map(|r| by_row[r].reason).collect();
            guest.schedule(view.table(activity, fields, Some(rows)), &reasons)
        })?;
        for (rows, fault) in timed.bad {
            candidates.extend(rows.iter().map(|row| self.broken(*row, by_row[row], &fault)));
        }
        for (rows, moments) in timed.good {
            for (i, row) in rows.iter().enumerate() {
                let proposal =
                    Proposal { not_before: moments.not_before[i], not_after: moments.not_after[i], ..by_row[row] };
                candidates.push(Candidate { row: *row, proposal, answer: Answer::Proposed, carried: None });
            }
        }
        Ok(())
    }

    /// `compose`, for the winners only.
    pub(super) fn say(
        &mut self,
        view: &BatchView<'_>,
        candidates: &mut [Candidate],
        said: &mut HashMap<(usize, u32), Vec<Message>>,
    ) -> Result<(), MachineError> {
        let cleared = |a: &Answer| matches!(a, Answer::Ruled(r) if r.verdict == Verdict::Cleared);
        let winners: HashMap<u32, u16> = candidates
            .iter()
            .filter(|c| c.proposal.terms == self.index && cleared(&c.answer))
            .map(|c| (c.row, c.proposal.reason))
            .collect();
        if winners.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<u32> = winners.keys().copied().collect();
        rows.sort_unstable();
        let activity = &self.due.terms.activity;
        let fields = self.due.manifest.fields_of(Stage::Compose);
        let guest = &mut self.guests.compose;
        let composed = halved(&rows, &mut self.halvings, &mut |rows| {
            let reasons: Vec<u16> = rows.iter().map(|r| winners[r]).collect();
            guest.compose(view.table(activity, fields, Some(rows)), &reasons)
        })?;
        for (rows, messages) in composed.good {
            for message in messages {
                said.entry((self.index, rows[message.row as usize])).or_default().push(message);
            }
        }
        let broken: HashMap<u32, Fault> =
            composed.bad.into_iter().flat_map(|(rows, f)| rows.into_iter().map(move |r| (r, f.clone()))).collect();
        for candidate in candidates.iter_mut().filter(|c| c.proposal.terms == self.index) {
            if let Some(fault) = broken.get(&candidate.row).filter(|_| cleared(&candidate.answer)) {
                candidate.answer = Answer::Broken(fault.clone());
            }
        }
        Ok(())
    }

    fn broken(&self, row: u32, proposal: Proposal, fault: &Fault) -> Candidate {
        Candidate { row, proposal, answer: Answer::Broken(fault.clone()), carried: None }
    }
}

impl BucketOutcome {
    /// Puts what was decided again about some customers in the place of what was decided first. Both are without faults of
    /// plugins, which depend on who else is in the batch.
    pub(crate) fn decide_anew(&mut self, customers: &BTreeSet<CustomerKey>, anew: Self, campaigns: &[&str]) {
        let is_old = |customer: &CustomerKey| customers.contains(customer);
        for old in self.decisions.extract_if(.., |d| is_old(&d.customer)) {
            if let Some(tally) = self.tallies.get_mut(&old.campaign) {
                tally.remove(old.verdict);
            }
            if let Some(winner) = old.winner.filter(|_| old.rule == SAME_OCCASION) {
                forget(&mut self.clashes, &old.campaign, &winner);
            }
        }
        self.contacts.retain(|contact| !is_old(&contact.customer));
        self.controls.retain(|control| !is_old(&control.customer));
        self.carried.retain(|carried| !is_old(&carried.customer));
        for (campaign, tally) in anew.tallies {
            self.tallies.entry(campaign).or_default().merge(&tally);
        }
        for (campaign, winners) in anew.clashes {
            let clashes = self.clashes.entry(campaign).or_default();
            winners.into_iter().for_each(|(winner, count)| *clashes.entry(winner).or_default() += count);
        }
        self.contacts.extend(anew.contacts);
        self.controls.extend(anew.controls);
        self.carried.extend(anew.carried);
        self.decisions.extend(anew.decisions);
        // As the bucket has them: by key, and of one customer in the order of campaigns.
        let place = |campaign: &str| campaigns.iter().position(|c| *c == campaign);
        self.decisions.sort_by_key(|d| (d.customer, place(&d.campaign)));
    }

    pub(super) fn record(
        &mut self,
        world: &World,
        view: &BatchView<'_>,
        facts: &FactColumns<'_>,
        candidate: Candidate,
        messages: Vec<Message>,
    ) {
        let due = &world.due[candidate.proposal.terms];
        let carried = candidate.carried;
        let customer = view.keys[candidate.row as usize];
        let mut decision = undecided(due, customer, &candidate);
        match candidate.answer {
            Answer::Ruled(ruling) => {
                let reader = facts.reader(candidate.row as usize);
                self.ruled((due, &world.policy), reader, ruling, messages, &mut decision);
            }
            Answer::Broken(fault) => {
                let codes = self.faults.entry(due.campaign.clone()).or_default();
                *codes.entry(fault.code.name().to_owned()).or_default() += 1;
                decision.rule = fault.code.name().into();
                decision.figures = fault.message;
            }
            Answer::Proposed => {}
        }
        if let Some(date) = carried {
            carry::tell(date, &mut decision);
        }
        if let Some(winner) = decision.winner.as_ref().filter(|_| decision.rule == SAME_OCCASION) {
            let clashes = self.clashes.entry(due.campaign.clone()).or_default();
            *clashes.entry(winner.clone()).or_default() += 1;
        }
        self.carried.extend(carry::over(&world.pins, view.history, &decision));
        self.tallies.entry(due.campaign.clone()).or_default().add(decision.verdict);
        self.decisions.push(decision);
    }

    fn ruled(
        &mut self,
        (due, policy): (&Due, &Policy),
        reader: Reader<'_>,
        ruling: Ruling,
        messages: Vec<Message>,
        decision: &mut Decision,
    ) {
        decision.round = ruling.round;
        decision.planned_at = ruling.planned_at;
        decision.channel = ruling.channel();
        decision.verdict = ruling.verdict;
        decision.rule = ruling.rule.into();
        decision.figures = ruling.figures;
        decision.winner = ruling.winner.map(|w| due.rivals[w].clone());
        let planned_at = decision.planned_at.unwrap_or(decision.not_before);
        match ruling.verdict {
            Verdict::Control => self.controls.push(NewControl {
                campaign: due.campaign.clone(),
                customer: decision.customer,
                occasion: decision.occasion,
                planned_at,
            }),
            Verdict::Cleared => {
                let said = !messages.is_empty();
                let messages = granted(due, &decision.reason, messages);
                let silent = match (said, messages.is_empty()) {
                    (false, _) => "compose",
                    (true, true) => "not-granted",
                    (true, false) => "no-channel",
                };
                let before = self.contacts.len();
                let priced = |contact: NewContact| NewContact { cost_fen: cost_fen(due, &contact, policy), ..contact };
                self.contacts.extend(contacts(due, reader, messages, ruling.channels, decision).map(priced));
                if self.contacts.len() == before {
                    decision.verdict = Verdict::NothingToSay;
                    decision.rule = silent.into();
                }
            }
            _ => {}
        }
    }
}

fn forget(clashes: &mut BTreeMap<String, BTreeMap<String, u64>>, campaign: &str, winner: &str) {
    let Some(winners) = clashes.get_mut(campaign) else { return };
    if let Some(count) = winners.get_mut(winner) {
        *count -= 1;
    }
    winners.retain(|_, count| *count > 0);
    if winners.is_empty() {
        clashes.remove(campaign);
    }
}

pub(super) fn undecided(due: &Due, customer: CustomerKey, candidate: &Candidate) -> Decision {
    let Proposal { reason, occasion, score, not_before, not_after, .. } = candidate.proposal;
    // A plugin that broke in `select` gave no reason; its first one is not meant.
    let named = (not_before, not_after) != (0, 0) || !matches!(candidate.answer, Answer::Broken(_));
    let reason = due.manifest.reason(reason).filter(|_| named).map_or(String::new(), |r| r.name.clone());
    Decision {
        customer,
        campaign: due.campaign.clone(),
        activity: due.terms.activity.clone(),
        reason,
        occasion,
        round: 1,
        score,
        not_before,
        not_after,
        planned_at: None,
        channel: None,
        verdict: Verdict::PluginFault,
        rule: String::new(),
        figures: String::new(),
        winner: None,
    }
}

/// The messages whose template was granted for their reason.
pub(super) fn granted(due: &Due, reason: &str, mut messages: Vec<Message>) -> Vec<Message> {
    let reason = due.manifest.reasons.iter().find(|r| r.name == reason);
    messages.retain(|message| {
        let template = due.manifest.template(message.template);
        reason.zip(template).is_some_and(|(reason, template)| reason.templates.contains(&template.name))
    });
    messages
}

/// The messages of a cleared candidate as contacts: each on the first permitted channel for which its template has a
/// body. One without any is not said: whoever is permitted on the desk alone gets no short message.
pub(super) fn contacts<'a>(
    due: &'a Due,
    reader: Reader<'a>,
    messages: Vec<Message>,
    channels: Vec<Channel>,
    decision: &'a Decision,
) -> impl Iterator<Item = NewContact> + 'a {
    let mut ordinals: HashMap<Addressee, u8> = HashMap::new();
    messages.into_iter().filter_map(move |message| {
        let template = due.manifest.template(message.template)?;
        let channel = channels.iter().copied().find(|c| template.body(*c).is_some())?;
        let ordinal = ordinals.entry(template.addressee).or_default();
        let identity = ContactIdentity {
            activity: &decision.activity,
            campaign: &decision.campaign,
            customer: decision.customer,
            occasion: decision.occasion,
            round: decision.round,
            addressee: template.addressee,
            ordinal: *ordinal,
        };
        *ordinal += 1;
        Some(NewContact {
            id: identity.id(),
            campaign: decision.campaign.clone(),
            activity: decision.activity.clone(),
            component: due.component.clone(),
            customer: decision.customer,
            class: due.terms.class,
            weight: due.terms.weight,
            score: decision.score,
            reason: decision.reason.clone(),
            occasion: decision.occasion,
            round: decision.round,
            addressee: template.addressee,
            ordinal: identity.ordinal,
            template: template.name.clone(),
            channel,
            language: reader.language,
            slots: message.slots,
            planned_at: decision.planned_at.unwrap_or(decision.not_before),
            not_after: decision.not_after,
            region: reader.region.to_owned(),
            cost_fen: 0,
            tier: reader.tier,
        })
    })
}

/// What a message costs where a budget pays for it, in fen. Its slots were checked as they left the guest; one that could
/// not be worded would count as a single segment.
pub(super) fn cost_fen(due: &Due, contact: &NewContact, policy: &Policy) -> u64 {
    let Some(wording) = &due.wording else { return 0 };
    let segments = match contact.channel {
        Channel::Sms => wording.read(contact, contact.language).map_or(1, |text| sms::segments(&text).segments),
        _ => 1,
    };
    policy.price_fen(contact.channel, segments)
}
