//! Work that people do from a list: calls in calling windows, requests to departments. Handed out to a person for a
//! while, with name and number; ended by what the person reports, which becomes an outcome.

use crate::outcome::{About, OutcomeReport, OutcomeSource, RejectedLine};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::contact::{Addressee, Channel, ContactId};
use care_domain::desk::{self, CSV_MARK, WorkResult, capacity, csv_cells, csv_line, may_call};
use care_domain::key::CustomerKey;
use care_domain::outcome::score;
use care_domain::person::{Act, Actor};
use care_domain::policy::Class;
use care_domain::text::nearest_hint;
use care_domain::time::{self, DAY_MS};
use care_store::{CallingWindow, HandingOut, Leasing, NewResult, WorkFigures, Worked};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The longest calling window †: a team is taken out for bursts of 2–3 hours (S3).
const LONGEST_WINDOW_MS: i64 = 12 * 3_600_000;
/// The most that a person gets at once †.
const MOST_AT_ONCE: u64 = 500;

/// Something to do.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Work {
    /// The contact: what the result is reported under.
    pub contact: String,
    /// Its campaign.
    pub campaign: String,
    /// Its class.
    pub class: Class,
    /// Round, from 1.
    pub round: u8,
    /// Whom it is about: the operator's customer id.
    pub customer: String,
    /// To whom it goes.
    pub addressee: Addressee,
    /// Whom to ask for; empty when unknown.
    pub name: String,
    /// Number to call, or the department.
    pub to: String,
    /// What a department is asked to do.
    pub action: Option<care_domain::manifest::Action>,
    /// What to say.
    pub text: String,
    /// No use after this instant.
    pub not_after: String,
}

// Debug output ends in logs: it names the contact only.
impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work({})", self.contact)
    }
}

/// What an import of results did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WorkRecorded {
    /// Kept.
    pub recorded: u64,
    /// Known before.
    pub repeated: u64,
    /// Lines left out, with the reason.
    pub rejected: Vec<RejectedLine>,
}

/// The report of a day (S1: the customer-service centre's daily report).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkReport {
    /// The day.
    pub date: String,
    /// Calls by campaign.
    pub calls: BTreeMap<String, WorkFigures>,
    /// Requests to departments by campaign.
    pub requests: BTreeMap<String, WorkFigures>,
}

impl Engine {
    /// Opens a calling window from now until `until`, for so many agents. Returns its number and the calls it holds.
    pub async fn open_calling_window(
        &self,
        seats: u32,
        calls_an_hour: u32,
        until: i64,
        by: &str,
        at: i64,
    ) -> Result<(i64, u64), EngineError> {
        let actor = self.authorise(by, Act::OpenCalls, None, at).await?;
        let refused = |code, what: String, hint| Err(EngineError::refused(code, what, hint));
        if seats == 0 || calls_an_hour == 0 || seats > 10_000 || calls_an_hour > 240 {
            let hint = "Name 1 to 10000 seats and 1 to 240 calls an hour";
            return refused("bad-window", format!("{seats} seats with {calls_an_hour} calls an hour"), hint);
        }
        if until <= at || until - at > LONGEST_WINDOW_MS {
            let what = format!("a window until {}", time::write_instant(until));
            return refused("bad-window", what, "It ends later than now, and within 12 hours");
        }
        if let Some(open) = self.store.open_window_at(at).await? {
            let what = format!("window {} is open until {}", open.id, time::write_instant(open.closes_at));
            return refused("window-open", what, "Close it first with `care calls close`");
        }
        let window = CallingWindow {
            id: 0,
            opened_by: by.to_owned(),
            opened_at: at,
            closes_at: until,
            seats,
            calls_an_hour,
            handed_out: 0,
        };
        let detail = json!({"seats": seats, "calls_an_hour": calls_an_hour, "until": time::write_instant(until)});
        let id = self.store.open_window(&window, &Entry::of(&actor, "calls-opened", "calls", detail)).await?;
        Ok((id, capacity(seats, calls_an_hour, at, until)))
    }

    /// Closes the calling window that is open: from now on no number is handed out.
    pub async fn close_calling_window(&self, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::OpenCalls, None, at).await?;
        if self.store.close_windows(at, &Entry::of(&actor, "calls-closed", "calls", json!({}))).await? {
            return Ok(());
        }
        Err(EngineError::refused("no-window", "no calling window is open", "See `care calls list`"))
    }

    /// The newest calling windows.
    pub async fn calling_windows(&self) -> Result<Vec<CallingWindow>, EngineError> {
        Ok(self.store.windows(50, 0).await?)
    }

    /// Hands up to `count` pieces of work to a person. Calls only in an open window, within its capacity, and not in
    /// forbidden hours; a department's requests to its own people.
    pub async fn hand_work_out(
        &self,
        channel: Channel,
        count: u64,
        by: &str,
        at: i64,
    ) -> Result<Vec<Work>, EngineError> {
        let actor = self.authorise(by, Act::Work, None, at).await?;
        let config = self.gateways()?.of(channel);
        let Some(desk) = config.desk else {
            let what = format!("channel {} is not worked off here", channel.name());
            let hint = format!("Put [{}.desk] into gateways.toml; until then it goes by files", channel.name());
            return Err(EngineError::refused("no-desk", what, hint));
        };
        if count == 0 || count > MOST_AT_ONCE {
            return Err(EngineError::refused("bad-count", format!("{count} at once"), "Ask for 1 to 500"));
        }
        let addressee = own_addressee(channel, &actor)?;
        let (window, classes, room) = match channel {
            Channel::CallList => self.room_for_calls(at).await?,
            _ => (None, Class::ALL.to_vec(), MOST_AT_ONCE),
        };
        let versions = self.vouched_versions().await?;
        let asked = Leasing { lease: by, channel, versions: &versions, now: at, until: at + desk.hold_ms() };
        self.store.expire(at).await?;
        let what = HandingOut { asked, addressee, classes: &classes, window, count: count.min(room) };
        let handed = self.store.hand_work_out(what).await?;
        self.work_of(&handed).await
    }

    /// What a calling window has room for now: its number, the classes that may be called, how many.
    async fn room_for_calls(&self, at: i64) -> Result<(Option<i64>, Vec<Class>, u64), EngineError> {
        let Some(window) = self.store.open_window_at(at).await? else {
            let hint = "A supervisor opens one with `care calls open`";
            return Err(EngineError::refused("no-window", "no calling window is open", hint));
        };
        let holds = capacity(window.seats, window.calls_an_hour, window.opened_at, window.closes_at);
        let room = holds.saturating_sub(window.handed_out);
        if room == 0 {
            let what = format!("window {} holds {holds} calls, and all were handed out", window.id);
            return Err(EngineError::refused("window-full", what, "Open another one"));
        }
        let (_, policy) = self.policy_in_force().await?;
        let classes: Vec<Class> = Class::ALL.into_iter().filter(|class| may_call(&policy, *class, at)).collect();
        Ok((Some(window.id), classes, room))
    }

    async fn work_of(&self, handed: &[care_store::StoredContact]) -> Result<Vec<Work>, EngineError> {
        let mut keys: Vec<CustomerKey> = handed.iter().map(|c| c.planned.customer).collect();
        keys.sort_unstable();
        keys.dedup();
        let identities = self.store.identities(&keys).await?;
        let renderer = self.renderer(handed).await?;
        let mut work = Vec::with_capacity(handed.len());
        for contact in handed {
            let planned = &contact.planned;
            let identity = identities.get(&planned.customer);
            let close = identity.and_then(|i| i.close_contacts.get(usize::from(planned.ordinal)));
            let name = match planned.addressee {
                Addressee::CloseContacts => close.map(|c| c.name.clone()),
                _ => identity.map(|i| i.name.clone()),
            };
            work.push(Work {
                contact: planned.id.to_string(),
                campaign: planned.campaign.clone(),
                class: planned.class,
                round: planned.round,
                customer: identity.map_or(String::new(), |i| i.external_id.clone()),
                addressee: planned.addressee,
                name: name.unwrap_or_default(),
                to: crate::dispatch::address(contact, identity).unwrap_or_default().to_owned(),
                action: renderer.action(planned).cloned(),
                text: renderer.text(contact, identity)?,
                not_after: time::write_instant(planned.not_after),
            });
        }
        Ok(work)
    }

    /// Records what came of work, from CSV with the columns contact, result, score and note; others are passed over, so that
    /// a list that was handed out and filled in can be given back. The same line again adds nothing. A score is what a
    /// customer who was called said of the service, 1 to 10: an outcome of its own.
    pub async fn record_work(
        &self,
        channel: Channel,
        csv: &str,
        by: &str,
        at: i64,
    ) -> Result<WorkRecorded, EngineError> {
        let actor = self.authorise(by, Act::Work, None, at).await?;
        own_addressee(channel, &actor)?;
        let mut lines = csv.trim_start_matches(CSV_MARK).lines();
        let header = Columns::read(lines.next().unwrap_or_default())?;
        let (mut results, mut at_lines, mut done) = (Vec::new(), Vec::new(), WorkRecorded::default());
        let mut scores = Vec::new();
        for (line, text) in (2..).zip(lines).filter(|(_, text)| !text.trim().is_empty()) {
            match header.result(text, channel) {
                Ok(Some((result, score))) => {
                    results.push(result);
                    scores.push(score);
                    at_lines.push(line);
                }
                Ok(None) => {}
                Err(reason) => done.rejected.push(RejectedLine::new(line, "unreadable", reason)),
            }
        }
        let entry = Entry::of(&actor, "work-recorded", "work", json!({}));
        let worked = self.store.work_done(channel, &results, at, &entry).await?;
        let mut told = Vec::new();
        for (((line, result), score), worked) in at_lines.into_iter().zip(&results).zip(scores).zip(worked) {
            let mut reject = |code, reason: String| done.rejected.push(RejectedLine::new(line, code, reason));
            match worked {
                Worked::Recorded { attempt } => {
                    done.recorded += 1;
                    told.extend(told_of(channel, result, score, attempt, (line, at)));
                }
                Worked::Repeated { attempt } => {
                    done.repeated += 1;
                    // Its outcome adds nothing, unless this host stopped before it was recorded.
                    told.extend(told_of(channel, result, score, attempt, (line, at)));
                }
                Worked::Contradicts(known) => reject("told-otherwise", format!("its result is {known:?} already")),
                Worked::NotHandedOut => reject("not-handed-out", "it was never handed out".into()),
                Worked::Unknown => {
                    reject("unknown-contact", format!("no contact of that id on channel {}", channel.name()));
                }
            }
        }
        done.rejected.extend(self.record_told(told, OutcomeSource::Call, &actor, at).await?.rejected);
        done.rejected.sort_by_key(|rejected| rejected.line);
        Ok(done)
    }

    /// What was handed out on a day, and what came of it.
    pub async fn work_report(&self, date: i32) -> Result<WorkReport, EngineError> {
        let from = time::day_begins(date)
            .ok_or_else(|| EngineError::refused("bad-date", "the date is out of range", "Use a date near today"))?;
        Ok(WorkReport {
            date: time::write_date(date),
            calls: self.store.work_figures(Channel::CallList, from, from + DAY_MS).await?,
            requests: self.store.work_figures(Channel::Action, from, from + DAY_MS).await?,
        })
    }
}

/// A list of work as a spreadsheet reads it, with empty cells for what came of it.
pub fn work_csv(work: &[Work]) -> String {
    let header =
        ["contact", "campaign", "round", "customer", "name", "to", "text", "not_after", "result", "score", "note"];
    let mut csv = CSV_MARK.to_owned() + &csv_line(header);
    for one in work {
        let round = one.round.to_string();
        csv += &csv_line([
            one.contact.as_str(),
            &one.campaign,
            &round,
            &one.customer,
            &one.name,
            &one.to,
            &one.text,
            &one.not_after,
            "",
            "",
            "",
        ]);
    }
    csv
}

/// Whose work a person does on a channel: `None` for all of it.
pub(crate) fn own_addressee(channel: Channel, actor: &Actor) -> Result<Option<Addressee>, EngineError> {
    let all = [Addressee::InformationSystems, Addressee::KeyAccounts, Addressee::CustomerService];
    let own = all.into_iter().find(|addressee| desk::works_on(actor.role, channel, *addressee));
    match (channel, own) {
        (Channel::CallList, Some(_)) => Ok(None),
        (Channel::Action, Some(addressee)) => Ok(Some(addressee)),
        _ => {
            let what = format!("{} has no work on channel {}", actor.person, channel.name());
            let hint = "Calls are the customer-service centre's, requests the department's that they are addressed to";
            Err(EngineError::refused("no-work", what, hint))
        }
    }
}

/// The kind of the outcome that a score is.
const SCORE: &str = "satisfied";

/// The outcomes of a result: what came of it, and what the customer said of the service.
fn told_of(
    channel: Channel,
    result: &NewResult,
    score: Option<i64>,
    attempt: u32,
    (line, at): (u64, i64),
) -> impl Iterator<Item = OutcomeReport> {
    let id = format!("{}:{}:{attempt}", channel.name(), result.contact);
    let told = |kind: &str, value: Option<i64>, id: String| OutcomeReport {
        line,
        about: About::Contact(result.contact),
        kind: kind.to_owned(),
        at,
        value: value.map(|value| value.to_string()),
        unit: None,
        activity: None,
        contact: None,
        id: Some(id),
    };
    let said = score.map(|score| told(SCORE, Some(score), format!("{id}:score")));
    [told(result.result.name(), None, id)].into_iter().chain(said)
}

/// Where the columns of a list stand.
struct Columns {
    contact: usize,
    result: usize,
    score: Option<usize>,
    note: Option<usize>,
}

impl Columns {
    fn read(line: &str) -> Result<Self, EngineError> {
        let hint = "The header names at least contact and result";
        let names = csv_cells(line).unwrap_or_default();
        let place = |name: &str| names.iter().position(|n| n == name);
        let missing = |name: &str| {
            let near = nearest_hint(name, names.iter().map(String::as_str));
            EngineError::refused("missing-column", format!("column {name:?} is missing{near}"), hint)
        };
        Ok(Self {
            contact: place("contact").ok_or_else(|| missing("contact"))?,
            result: place("result").ok_or_else(|| missing("result"))?,
            score: place("score"),
            note: place("note"),
        })
    }

    /// The result of a line with the customer's score; `None` where it is not filled in.
    fn result(&self, text: &str, channel: Channel) -> Result<Option<(NewResult, Option<i64>)>, String> {
        let cells = csv_cells(text).ok_or("a quote is never closed")?;
        let cell = |at: usize| cells.get(at).map_or("", String::as_str);
        if cell(self.result).is_empty() {
            return Ok(None);
        }
        let contact = ContactId::parse(cell(self.contact)).ok_or("the contact is no id")?;
        let known = || WorkResult::ALL.into_iter().filter(|result| result.fits(channel)).map(WorkResult::name);
        let named = cell(self.result);
        let result = WorkResult::from_name(named).filter(|result| result.fits(channel)).ok_or_else(|| {
            let names: Vec<&str> = known().collect();
            format!("result {named:?} is none of {}", names.join(", "))
        })?;
        let score = match self.score.map_or("", cell) {
            "" => None,
            _ if channel != Channel::CallList => return Err("only a call has a score".to_owned()),
            said => Some(score(said).ok_or_else(|| format!("score {said:?} is none of 1 to 10"))?),
        };
        let note = self.note.map_or("", cell).chars().take(500).collect();
        Ok(Some((NewResult { contact, result, note }, score)))
    }
}
