//! Lists of work as those read them who work it off: what waits, who has what, what came of it. Taking and recording live
//! in `desk`.

use crate::desk::own_addressee;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::contact::{Addressee, Channel};
use care_domain::desk::{CSV_MARK, csv_line, standing_names};
use care_domain::key::CustomerKey;
use care_domain::manifest::Action;
use care_domain::person::Act;
use care_domain::policy::Class;
use care_domain::text::nearest_hint;
use care_domain::time;
use care_store::{StandingWork, WorkQuery};
use serde::Serialize;
use serde_json::json;

/// The most that is listed at once †.
const MOST_LISTED: u32 = 1_000;

/// Which work is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkListQuery {
    /// Only what stands so: `waiting`, `handed-out`, a result …
    pub standing: Option<String>,
    /// Only of this campaign.
    pub campaign: Option<String>,
    /// After this place: that of the last of the page before.
    pub after: i64,
    /// At most so many, 1 to 1000.
    pub limit: u32,
}

/// A piece of work and where it stands. Name and number are shown to whoever takes it, not here.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ListedWork {
    /// Its place in the list.
    #[serde(skip)]
    pub place: i64,
    /// The contact: what the result is reported under.
    pub contact: String,
    /// Its campaign.
    pub campaign: String,
    /// Its class.
    pub class: Class,
    /// Round, from 1.
    pub round: u8,
    /// Whom it is about: the operator's customer id; empty when it was erased.
    pub customer: String,
    /// To whom it goes.
    pub addressee: Addressee,
    /// What a department is asked to do.
    pub action: Option<Action>,
    /// `waiting`, `handed-out`, a result, or how it ended without one.
    pub standing: String,
    /// From when on, RFC 3339.
    pub planned_at: String,
    /// No use after this instant.
    pub not_after: String,
    /// Who had it last.
    pub person: Option<String>,
    /// When it was handed out last.
    pub handed_out_at: Option<String>,
    /// When its result came.
    pub result_at: Option<String>,
    /// What was said about it.
    pub note: String,
}

// Debug output ends in logs: it names the contact only.
impl std::fmt::Debug for ListedWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListedWork({} {})", self.contact, self.standing)
    }
}

impl Engine {
    /// The work of a person's own department, in the order in which it was planned; nothing is taken. Who read how much
    /// is kept in the audit log, since the list names customers.
    pub async fn work_list(
        &self,
        channel: Channel,
        query: &WorkListQuery,
        by: &str,
        at: i64,
    ) -> Result<Vec<ListedWork>, EngineError> {
        let actor = self.authorise(by, Act::Work, None, at).await?;
        let addressee = own_addressee(channel, &actor)?;
        if let Some(named) = query.standing.as_deref().filter(|named| !standing_names().any(|name| name == *named)) {
            let message = format!("work never stands {named:?}{}", nearest_hint(named, standing_names()));
            let hint = format!("Use one of {}", standing_names().collect::<Vec<_>>().join(", "));
            return Err(EngineError::refused("unknown-standing", message, hint));
        }
        if !(1..=MOST_LISTED).contains(&query.limit) {
            let message = format!("{} pieces of work at once", query.limit);
            return Err(EngineError::refused("bad-limit", message, format!("Ask for 1 to {MOST_LISTED}")));
        }
        let asked = WorkQuery {
            channel,
            addressee,
            campaign: query.campaign.as_deref(),
            standing: query.standing.as_deref(),
            after: query.after,
            limit: query.limit,
        };
        let found = self.store.work(asked).await?;
        let listed = self.listed(&found).await?;
        if !listed.is_empty() {
            let detail = json!({"channel": channel, "pieces": listed.len()});
            self.store.note(&Entry::of(&actor, "work-listed", "work", detail)).await?;
        }
        Ok(listed)
    }

    async fn listed(&self, found: &[StandingWork]) -> Result<Vec<ListedWork>, EngineError> {
        let mut keys: Vec<CustomerKey> = found.iter().map(|work| work.contact.planned.customer).collect();
        keys.sort_unstable();
        keys.dedup();
        let identities = self.store.identities(&keys).await?;
        let contacts: Vec<_> = found.iter().map(|work| work.contact.clone()).collect();
        let renderer = self.renderer(&contacts).await?;
        let listed = |work: &StandingWork| {
            let planned = &work.contact.planned;
            ListedWork {
                place: work.contact.seq,
                contact: planned.id.to_string(),
                campaign: planned.campaign.clone(),
                class: planned.class,
                round: planned.round,
                customer: identities.get(&planned.customer).map_or(String::new(), |i| i.external_id.clone()),
                addressee: planned.addressee,
                action: renderer.action(planned).cloned(),
                standing: work.standing.clone(),
                planned_at: time::write_instant(planned.planned_at),
                not_after: time::write_instant(planned.not_after),
                person: work.person.clone(),
                handed_out_at: work.handed_out_at.map(time::write_instant),
                result_at: work.result_at.map(time::write_instant),
                note: work.note.clone(),
            }
        };
        Ok(found.iter().map(listed).collect())
    }
}

/// A list of work as a spreadsheet reads it.
pub fn work_list_csv(listed: &[ListedWork]) -> String {
    let header = [
        "contact",
        "campaign",
        "class",
        "round",
        "customer",
        "addressee",
        "request",
        "standing",
        "planned_at",
        "not_after",
        "person",
        "handed_out_at",
        "result_at",
        "note",
    ];
    let mut csv = CSV_MARK.to_owned() + &csv_line(header);
    for work in listed {
        let round = work.round.to_string();
        let request = work.action.as_ref().map_or(String::new(), Action::told);
        csv += &csv_line([
            work.contact.as_str(),
            &work.campaign,
            work.class.name(),
            &round,
            &work.customer,
            work.addressee.name(),
            &request,
            &work.standing,
            &work.planned_at,
            &work.not_after,
            work.person.as_deref().unwrap_or_default(),
            work.handed_out_at.as_deref().unwrap_or_default(),
            work.result_at.as_deref().unwrap_or_default(),
            &work.note,
        ]);
    }
    csv
}
