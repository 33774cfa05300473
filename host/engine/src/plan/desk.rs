//! One customer at a touchpoint: every activity that may be asked there, at this instant, in a batch of one.
//! What waits for dispatch is no obstacle, since the agent may say it instead.

use super::batch::BatchView;
use super::due::{Lists, World};
use super::facts::FactColumns;
use super::task::{Answer, Candidate, Crew, Guests, MachineFault, contacts, cost_fen, granted};
use care_domain::column::{Column, Table};
use care_domain::contact::{Channel, ContactState};
use care_domain::decide::{self, ListMark, Proposal, Terms};
use care_domain::field::EVENT_PREFIX;
use care_domain::verdict::Verdict;
use care_population::BucketData;
use care_store::{History, NewContact, NewControl};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Prompts at most: an agent reads no more while the customer waits (architecture section 9).
pub(crate) const PROMPTS: usize = 3;
/// Contacts that come of a prompt are numbered from here, apart from those that a plan makes of the same occasion.
const FIRST_ORDINAL: u8 = 100;

/// Who is asked about, where and when.
pub(crate) struct Asked<'a> {
    pub(crate) place: (Arc<BucketData>, usize),
    pub(crate) history: History,
    pub(crate) lists: &'a Lists,
    /// Indices of the campaigns that may be asked, and their guests.
    pub(crate) desk: &'a [usize],
    pub(crate) instant: i64,
    pub(crate) topic: &'a str,
    pub(crate) channel: &'a str,
    /// What the customer declined before: activity and occasion.
    pub(crate) declined: &'a BTreeSet<(String, i64)>,
}

/// Something to say, and what may follow when the customer likes it.
pub(crate) struct Offer {
    /// Index of the campaign.
    pub(crate) due: usize,
    pub(crate) score: f32,
    /// What the agent says.
    pub(crate) prompt: NewContact,
    /// The message that may be sent after the call.
    pub(crate) sms: Option<NewContact>,
    /// The task that may be opened for a department.
    pub(crate) task: Option<NewContact>,
}

/// What a touchpoint gets: prompts, who is held out, and the guests for the next call.
type AtTheDesk = (Vec<Offer>, Vec<NewControl>, Vec<Guests>);

/// Prompts in their order, and who was held out of which campaign.
pub(crate) fn ask(world: &World, asked: Asked<'_>, guests: Vec<Guests>) -> Result<AtTheDesk, MachineFault> {
    let mut asked = asked;
    let waits = |state| matches!(state, ContactState::Planned | ContactState::Released);
    for past in asked.history.contacts.values_mut() {
        past.retain(|contact| !waits(contact.state));
    }
    let told = told(&asked);
    let places = [asked.place.clone()];
    let view = BatchView::scattered(&places, &told, &asked.history, asked.lists);
    let mut crews: Vec<Crew<'_>> = asked
        .desk
        .iter()
        .zip(guests)
        .map(|(index, guests)| Crew::with(*index, &world.due[*index], asked.instant, guests))
        .collect();
    let mut candidates = Vec::new();
    for crew in &mut crews {
        crew.propose(&view, &[0], &mut candidates).map_err(|e| crew.machine(e))?;
    }
    candidates.retain(|c| matches!(c.answer, Answer::Proposed));
    let terms: Vec<Terms> = world.due.iter().map(|due| at_the_desk(&due.terms)).collect();
    candidates.retain(|c| !asked.declined.contains(&(terms[c.proposal.terms].activity.clone(), c.proposal.occasion)));
    candidates.sort_by(|a, b| precedence(&terms, &a.proposal, &b.proposal));
    let facts = FactColumns::read(&view, &world.policy, &world.disaster_areas);
    let controls = rule(world, &terms, &facts, &view, asked.instant, &mut candidates);
    let offers = offers(world, &view, &facts, &mut crews, candidates)?;
    Ok((offers, controls, crews.into_iter().map(Crew::into_guests).collect()))
}

/// The same terms where only the desk speaks.
fn at_the_desk(terms: &Terms) -> Terms {
    let desk = |channels: &Vec<Channel>| channels.iter().copied().filter(|c| *c == Channel::Touchpoint).collect();
    Terms { channels: terms.channels.iter().map(desk).collect(), ..terms.clone() }
}

fn told(asked: &Asked<'_>) -> Table {
    let column = |value: &str| Column::categories([Some(value)]);
    let columns = BTreeMap::from([
        (format!("{EVENT_PREFIX}topic"), column(asked.topic)),
        (format!("{EVENT_PREFIX}channel"), column(asked.channel)),
        (format!("{EVENT_PREFIX}time"), Column::s64([Some(asked.instant)])),
    ]);
    Table { rows: 1, columns }
}

/// Class, weight, score as in arbitration; the name orders ties.
fn precedence(terms: &[Terms], a: &Proposal, b: &Proposal) -> Ordering {
    let (ta, tb) = (&terms[a.terms], &terms[b.terms]);
    ta.class
        .cmp(&tb.class)
        .then(tb.weight.cmp(&ta.weight))
        .then(b.score.total_cmp(&a.score))
        .then_with(|| ta.campaign.cmp(&tb.campaign))
}

/// Leaves those that may be said; returns who is held out.
fn rule(
    world: &World,
    terms: &[Terms],
    facts: &FactColumns,
    view: &BatchView<'_>,
    instant: i64,
    candidates: &mut Vec<Candidate>,
) -> Vec<NewControl> {
    let proposals: Vec<Proposal> = candidates.iter().map(|c| c.proposal).collect();
    let wishes = facts.wishes(view, 0);
    let customer = facts.customer(view, 0, &wishes);
    let rulings = decide::decide(&customer, &proposals, terms, &world.policy, instant);
    let mut controls = Vec::new();
    for (candidate, ruling) in candidates.iter_mut().zip(rulings) {
        if ruling.verdict == Verdict::Control {
            controls.push(NewControl {
                campaign: terms[candidate.proposal.terms].campaign.clone(),
                customer: view.keys[0],
                occasion: candidate.proposal.occasion,
                planned_at: instant,
            });
        }
        candidate.answer = Answer::Ruled(ruling);
    }
    candidates.retain(|c| matches!(&c.answer, Answer::Ruled(r) if r.verdict == Verdict::Cleared));
    controls
}

/// Asks the best candidates for their words until there are enough; one that has none gives its place up.
fn offers(
    world: &World,
    view: &BatchView<'_>,
    facts: &FactColumns,
    crews: &mut [Crew<'_>],
    candidates: Vec<Candidate>,
) -> Result<Vec<Offer>, MachineFault> {
    let wishes = facts.wishes(view, 0);
    let desk_only = facts.customer(view, 0, &wishes).list == ListMark::Red;
    let mut offers = Vec::new();
    for candidate in candidates {
        if offers.len() == PROMPTS {
            break;
        }
        let index = candidate.proposal.terms;
        let due = &world.due[index];
        let Some(crew) = crews.iter_mut().find(|crew| crew.index == index) else { continue };
        let mut said = HashMap::new();
        let mut one = [candidate];
        crew.say(view, &mut one, &mut said).map_err(|e| crew.machine(e))?;
        let [candidate] = one;
        let (Some(messages), Answer::Ruled(ruling)) = (said.remove(&(index, 0)), &candidate.answer) else { continue };
        let mut decision = super::task::undecided(due, view.keys[0], &candidate);
        (decision.round, decision.planned_at) = (ruling.round, ruling.planned_at);
        let messages = granted(due, &decision.reason, messages);
        let made = |channels: &[Channel]| -> Vec<NewContact> {
            let priced = |c: NewContact| NewContact { cost_fen: cost_fen(due, &c, &world.policy), ..c };
            contacts(due, facts.reader(0), messages.clone(), channels.to_vec(), &decision).map(priced).collect()
        };
        let reason = due.manifest.reason(candidate.proposal.reason);
        let may = |channel: Channel| reason.is_some_and(|r| r.channels.contains(&channel));
        let Some(prompt) = made(&[Channel::Touchpoint]).into_iter().next() else { continue };
        let red = desk_only && world.policy.rules(due.terms.class).red_list_desk_only;
        let sms = if may(Channel::Sms) && !red { made(&[Channel::Sms]).into_iter().next() } else { None };
        let task = if may(Channel::Action) { made(&[Channel::Action]).into_iter().next() } else { None };
        let score = candidate.proposal.score;
        let numbered = [Some(prompt), sms, task];
        let mut numbered = numbered.into_iter().zip(FIRST_ORDINAL..).map(|(c, n)| c.map(|c| renumbered(c, n)));
        if let (Some(Some(prompt)), Some(sms), Some(task)) = (numbered.next(), numbered.next(), numbered.next()) {
            offers.push(Offer { due: index, score, prompt, sms, task });
        }
    }
    Ok(offers)
}

fn renumbered(mut contact: NewContact, ordinal: u8) -> NewContact {
    contact.ordinal = ordinal;
    contact.id = contact.identity().id();
    contact
}
