//! One batch of events: whoever they are about, through every stage, against contacts that already wait.
//! Reads nothing but its arguments, so a replay gives the same bytes.

use super::batch::BatchView;
use super::due::{Lists, World};
use super::facts::FactColumns;
use super::task::{Answer, BucketOutcome, Candidate, Crew, MachineFault};
use care_domain::column::{Column, Table};
use care_domain::contact::{ContactId, ContactState};
use care_domain::decide::{Proposal, Ruling, Terms};
use care_domain::displace::{Displaced, Waiting, decide_event};
use care_domain::event::{Cell, Complaint, Event, EventDictionary, Standing};
use care_domain::field::{Dictionary, EVENT_PREFIX, FieldType, Wire};
use care_domain::key::CustomerKey;
use care_domain::plan::{self, Cut, Limits, Needs, Ranked};
use care_domain::policy::{Class, Policy, QuietRule};
use care_domain::verdict::Verdict;
use care_population::BucketData;
use care_store::{NewContact, Recent, Unclaimed};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A batch of events, in the order in which they happened.
pub(crate) struct EventInput<'a> {
    pub(crate) events: &'a [Event],
    /// Where each one's customer stands.
    pub(crate) places: &'a [(Arc<BucketData>, usize)],
    pub(crate) recent: Recent,
    pub(crate) lists: &'a Lists,
    pub(crate) instant: i64,
    pub(crate) types: &'a EventDictionary,
    pub(crate) fields: &'a Dictionary,
    /// By type the activities whose waiting contacts it makes pointless.
    pub(crate) endings: &'a BTreeMap<String, BTreeSet<String>>,
    /// What is left of capacity and budgets.
    pub(crate) limits: &'a Limits,
    /// Places of the events of which some activity is told; the rows of what is decided.
    pub(crate) told: Vec<usize>,
}

/// What a batch of events came to.
#[derive(Default)]
pub(crate) struct EventOutcome {
    pub(crate) bucket: BucketOutcome,
    /// Waiting contacts that lose their place, with the campaign that takes it.
    pub(crate) displaced: Vec<(ContactId, String)>,
    /// Customers whose waiting contacts of an activity end, with the type of the event.
    pub(crate) cancels: Vec<(CustomerKey, String, String)>,
    /// About whom something was decided.
    pub(crate) candidates: Vec<CustomerKey>,
    /// What is left of the limits after it.
    pub(crate) left: Limits,
    /// For each decision the row of its event and the index of its campaign.
    told: Vec<(u32, usize)>,
}

/// Decides a batch of events.
pub(crate) fn decide_events(world: &World, input: EventInput<'_>) -> Result<EventOutcome, MachineFault> {
    let mut input = input;
    let (cancels, left) = (input.cancels(), input.limits.clone());
    let mut outcome = EventOutcome { cancels, left, ..EventOutcome::default() };
    input.apply(&outcome.cancels, &world.policy);
    input.told = input.offered_to(world);
    let told = input.table();
    let places: Vec<_> = input.told.iter().map(|place| input.places[*place].clone()).collect();
    let view = BatchView::scattered(&places, &told, &input.recent.history, input.lists);
    let mut crews = Vec::new();
    let mut candidates = Vec::new();
    for (index, due) in world.due.iter().enumerate() {
        let offered = input.offered(&due.manifest.triggers.events);
        if !offered.is_empty() {
            let mut crew = Crew::new(index, due, input.instant);
            crew.propose(&view, &offered, &mut candidates).map_err(|e| crew.machine(e))?;
            crews.push(crew);
        }
    }
    if candidates.is_empty() {
        return Ok(outcome);
    }
    // Customer by customer, so that two events of one are decided together.
    candidates.sort_by_key(|c| (view.keys[c.row as usize], c.row, c.proposal.terms));
    let facts = FactColumns::read(&view, &world.policy, &world.disaster_areas);
    let terms: Vec<Terms> = world.due.iter().map(|d| d.terms.clone()).collect();
    let own = own_policy(&world.policy);
    let mut turns = Vec::new();
    for group in candidates.chunk_by_mut(|a, b| view.keys[a.row as usize] == view.keys[b.row as usize]) {
        let policy = if input.is_own(group) { &own } else { &world.policy };
        input.rule(group, &view, &facts, (&terms, policy), &mut turns);
    }
    let mut said = HashMap::new();
    for crew in &mut crews {
        crew.say(&view, &mut candidates, &mut said).map_err(|e| crew.machine(e))?;
    }
    let turns: HashMap<(u32, usize), Turn> = turns.into_iter().map(|t| ((t.row, t.terms), t)).collect();
    for candidate in candidates {
        let (row, index) = (candidate.row, candidate.proposal.terms);
        let messages = said.remove(&(index, row)).unwrap_or_default();
        outcome.bucket.record(world, &view, &facts, candidate, messages);
        outcome.settle((row, index), &turns);
    }
    outcome.cut(world, input.limits);
    outcome.displace(&turns, world);
    Ok(outcome)
}

/// What a proposal does to those who wait.
struct Turn {
    row: u32,
    terms: usize,
    lost_to: Option<String>,
    displaces: Vec<ContactId>,
}

impl EventOutcome {
    /// Completes the decision that was recorded last.
    fn settle(&mut self, told: (u32, usize), turns: &HashMap<(u32, usize), Turn>) {
        let Some(decision) = self.bucket.decisions.last_mut() else { return };
        self.candidates.push(decision.customer);
        self.told.push(told);
        if let Some(winner) = turns.get(&told).and_then(|turn| turn.lost_to.as_ref()) {
            decision.winner = Some(winner.clone());
        }
    }

    /// Cuts what capacity and budgets leave no place for, by the rank that release has.
    fn cut(&mut self, world: &World, limits: &Limits) {
        if limits.is_empty() {
            return;
        }
        let approvals: HashMap<&str, &str> =
            world.pins.campaigns.iter().map(|c| (c.campaign.as_str(), c.approval.as_str())).collect();
        let mut ranked: BTreeMap<Key, Ranked> = BTreeMap::new();
        for contact in &self.bucket.contacts {
            let approval = approvals.get(contact.campaign.as_str()).copied().unwrap_or_default();
            let one = ranked.entry(key_of(contact)).or_insert_with(|| first_of(contact, approval));
            one.needs.add(contact.channel, 1);
            one.cost_fen += contact.cost_fen;
        }
        let mut cuts: BTreeMap<Key, Cut> = BTreeMap::new();
        for ((key, one), cut) in ranked.iter().zip(plan::release(ranked.values(), limits)) {
            match cut {
                Some(cut) => drop(cuts.insert(key.clone(), cut)),
                // It fits, since release has just found that it does.
                None => drop(self.left.take(one)),
            }
        }
        self.bucket.contacts.retain(|contact| !cuts.contains_key(&key_of(contact)));
        for decision in &mut self.bucket.decisions {
            let key = (decision.campaign.clone(), decision.customer, decision.occasion, decision.round);
            if let Some(cut) = cuts.get(&key).filter(|_| decision.verdict == Verdict::Cleared) {
                (decision.verdict, decision.rule) = (Verdict::OverCapacity, cut.rule().to_owned());
            }
        }
    }

    /// What has nothing to say after all, or was cut, takes nobody's place.
    fn displace(&mut self, turns: &HashMap<(u32, usize), Turn>, world: &World) {
        for (decision, told) in self.bucket.decisions.iter().zip(&self.told) {
            let turn = turns.get(told).filter(|_| decision.verdict == Verdict::Cleared);
            let taken = turn.into_iter().flat_map(|turn| &turn.displaces);
            self.displaced.extend(taken.map(|contact| (*contact, world.due[told.1].campaign.clone())));
        }
    }
}

/// A candidate, as release knows it: campaign, customer, occasion, round.
type Key = (String, CustomerKey, i64, u8);

fn key_of(contact: &NewContact) -> Key {
    (contact.campaign.clone(), contact.customer, contact.occasion, contact.round)
}

fn first_of(contact: &NewContact, approval: &str) -> Ranked {
    Ranked {
        class: contact.class,
        tier: contact.tier,
        weight: contact.weight,
        score: contact.score,
        tie: Ranked::tie(&contact.campaign, contact.customer, contact.occasion, contact.round),
        needs: Needs::default(),
        approval: approval.into(),
        cost_fen: 0,
    }
}

/// The rules for what the customer's own event caused just now: quiet hours do not hold it.
fn own_policy(policy: &Policy) -> Policy {
    let mut own = policy.clone();
    for rules in own.classes.values_mut().filter(|rules| rules.quiet == QuietRule::HeldUnlessOwnEvent) {
        rules.quiet = QuietRule::Exempt;
    }
    own
}

impl EventInput<'_> {
    /// Places of the events of which some activity is told.
    fn offered_to(&self, world: &World) -> Vec<usize> {
        let types: BTreeSet<&String> = world.due.iter().flat_map(|due| &due.manifest.triggers.events).collect();
        let is_offered = |event: &Event| event.standing == Standing::Offered && types.contains(&event.kind);
        (0..self.events.len()).filter(|place| is_offered(&self.events[*place])).collect()
    }

    fn event(&self, row: u32) -> &Event {
        &self.events[self.told[row as usize]]
    }

    /// The events of which activities are told, in their order.
    fn told(&self) -> impl Iterator<Item = &Event> {
        self.told.iter().map(|place| &self.events[*place])
    }

    /// Rows of which activities with these triggers are told.
    fn offered(&self, triggers: &[String]) -> Vec<u32> {
        (0..).zip(self.told()).filter(|(_, event)| triggers.contains(&event.kind)).map(|(row, _)| row).collect()
    }

    fn cancels(&self) -> Vec<(CustomerKey, String, String)> {
        let mut cancels = BTreeSet::new();
        for event in self.events.iter().filter(|e| e.standing != Standing::Overtaken) {
            let outcome = self.types.types.get(&event.kind).and_then(|kind| kind.outcome.as_ref());
            let ended = [Some(&event.kind), outcome].into_iter().flatten().filter_map(|name| self.endings.get(name));
            for activity in ended.flatten() {
                cancels.insert((event.kind.clone(), event.customer, activity.clone()));
            }
        }
        cancels.into_iter().map(|(kind, customer, activity)| (customer, activity, kind)).collect()
    }

    /// The past as this batch leaves it before anything is proposed.
    fn apply(&mut self, cancels: &[(CustomerKey, String, String)], policy: &Policy) {
        for (customer, activity, _) in cancels {
            self.end(*customer, &|a, _| a == activity);
        }
        for event in self.events {
            let complaint = self.types.types.get(&event.kind).and_then(|kind| kind.complaint);
            let Some(complaint) = complaint else { continue };
            let wishes = self.recent.history.wishes.entry(event.customer).or_default();
            wishes.complaint = Some(complaint == Complaint::Opens);
            if complaint == Complaint::Opens {
                self.end(event.customer, &|_, class| policy.rules(class).held_in_trouble);
            }
        }
    }

    fn end(&mut self, customer: CustomerKey, which: &dyn Fn(&str, Class) -> bool) {
        let Some(past) = self.recent.history.contacts.get_mut(&customer) else { return };
        let waits = |state| matches!(state, ContactState::Planned | ContactState::Released);
        for one in past.iter_mut().filter(|p| waits(p.state) && which(&p.activity, p.class)) {
            one.state = ContactState::Cancelled;
        }
        if let Some(unclaimed) = self.recent.unclaimed.get_mut(&customer) {
            unclaimed.retain(|u| u.waiting.past.iter().all(|index| past[*index].state != ContactState::Cancelled));
        }
    }

    /// The events' fields as columns.
    fn table(&self) -> Table {
        let mut columns = BTreeMap::new();
        let name = |field: &str| format!("{EVENT_PREFIX}{field}");
        columns.insert(name("type"), Column::categories(self.told().map(|e| Some(e.kind.as_str()))));
        columns.insert(name("time"), Column::s64(self.told().map(|e| Some(e.time))));
        columns.insert(name("stay"), Column::s64(self.told().map(|e| e.stay)));
        let brought: BTreeSet<&String> = self.told().flat_map(|e| e.data.keys()).collect();
        for field in brought {
            let Some(def) = self.fields.fields.get(&name(field)) else { continue };
            let cells: Vec<Option<&Cell>> = self.told().map(|e| e.data.get(field)).collect();
            columns.insert(name(field), column_of(def.ty, &cells));
        }
        Table { rows: self.told.len() as u32, columns }
    }

    /// Whether everything that was proposed for a customer follows from what the customer did just now.
    fn is_own(&self, group: &[Candidate]) -> bool {
        let kind = |candidate: &Candidate| self.types.types.get(&self.event(candidate.row).kind);
        group.iter().all(|candidate| kind(candidate).is_some_and(|kind| kind.own))
    }

    /// Whether a later event of the batch makes an activity's contact pointless before it is planned.
    fn is_ended(&self, row: u32, activity: &str) -> Option<&str> {
        let event = self.event(row);
        let later = self.events[self.told[row as usize] + 1..].iter().filter(|e| e.customer == event.customer);
        let mut ends = later.filter(|e| self.endings.get(&e.kind).is_some_and(|names| names.contains(activity)));
        ends.next().map(|e| e.kind.as_str())
    }

    /// Rules on all candidates of one customer.
    fn rule(
        &self,
        group: &mut [Candidate],
        view: &BatchView<'_>,
        facts: &FactColumns,
        (terms, policy): (&[Terms], &Policy),
        turns: &mut Vec<Turn>,
    ) {
        for candidate in group.iter_mut().filter(|c| matches!(c.answer, Answer::Proposed)) {
            if let Some(kind) = self.is_ended(candidate.row, &terms[candidate.proposal.terms].activity) {
                candidate.answer = Answer::Ruled(Ruling::stop(Verdict::TooLate, "ended-by-event", kind));
            }
        }
        let mut open: Vec<&mut Candidate> = group.iter_mut().filter(|c| matches!(c.answer, Answer::Proposed)).collect();
        let Some(row) = open.first().map(|c| c.row as usize) else { return };
        let proposals: Vec<Proposal> = open.iter().map(|c| c.proposal).collect();
        let none = Vec::new();
        let unclaimed: &[Unclaimed] = self.recent.unclaimed.get(&view.keys[row]).unwrap_or(&none);
        let waiting: Vec<Waiting> = unclaimed.iter().map(|u| u.waiting.clone()).collect();
        let wishes = facts.wishes(view, row);
        let customer = facts.customer(view, row, &wishes);
        let decided = decide_event(&customer, &waiting, &proposals, terms, policy, self.instant);
        for (index, (candidate, ruling)) in open.iter_mut().zip(decided.rulings).enumerate() {
            candidate.answer = Answer::Ruled(ruling);
            let mine = decided.displaced.iter().filter(|Displaced { by, .. }| *by == index);
            turns.push(Turn {
                row: candidate.row,
                terms: candidate.proposal.terms,
                lost_to: decided.lost_to[index].map(|w| waiting[w].campaign.clone()),
                displaces: mine.flat_map(|d| unclaimed[d.waiting].contacts.iter().copied()).collect(),
            });
        }
    }
}

fn column_of(ty: FieldType, cells: &[Option<&Cell>]) -> Column {
    let integer = |cell: &Option<&Cell>| match cell {
        Some(Cell::Integer(v)) => Some(*v),
        _ => None,
    };
    fn text<'a>(cell: &Option<&'a Cell>) -> Option<&'a str> {
        match cell {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }
    match ty.wire() {
        Wire::S64 => Column::s64(cells.iter().map(integer)),
        Wire::S32 => Column::s32(cells.iter().map(|c| integer(c).and_then(|v| i32::try_from(v).ok()))),
        Wire::F64 => Column::f64(cells.iter().map(|c| match c {
            Some(Cell::Ratio(v)) => Some(*v),
            // A whole number is a ratio too; it comes back from the log as one.
            other => integer(other).map(|v| v as f64),
        })),
        Wire::Boolean => Column::boolean(cells.iter().map(|c| match c {
            Some(Cell::Boolean(v)) => Some(*v),
            _ => None,
        })),
        Wire::Codes => Column::categories(cells.iter().map(text)),
        Wire::Texts => Column::texts(cells.iter().map(text)),
    }
}
