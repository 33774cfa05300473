//! What the ledger holds, in figures without a customer: for those who watch the installation.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::contact::{Channel, ContactState};
use sqlx::{QueryBuilder, Sqlite};
use std::collections::BTreeMap;

/// Of which contacts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContactsOf {
    /// Activity.
    pub activity: String,
    /// Version.
    pub version: String,
    /// Channel.
    pub channel: String,
    /// Where they stand.
    pub state: String,
}

/// The figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Contacts.
    pub contacts: BTreeMap<ContactsOf, i64>,
    /// Outcomes by activity that they answer (empty where none) and kind.
    pub outcomes: BTreeMap<(String, String), i64>,
    /// Submissions by activity, version and where they stand.
    pub versions: BTreeMap<(String, String, String), i64>,
    /// Plans that are not over.
    pub unfinished_plans: i64,
    /// Contacts that were given up.
    pub dead_letters: i64,
    /// Kill switches that are thrown.
    pub switches: i64,
    /// Business date of the newest population in days; 0 without one.
    pub date: i64,
    /// Lines of the audit log.
    pub audit_lines: i64,
}

impl Store {
    /// Counts everything; reads all contacts, so it is not asked often.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let doing = "counting the ledger";
        let contacts: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT c.activity, coalesce(v.version, ''), coalesce(c.via, c.channel), c.state, COUNT(*) FROM contacts c \
             LEFT JOIN versions v ON v.component = c.component GROUP BY 1, 2, 3, 4",
        )
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        let outcomes: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT coalesce(activity, ''), kind, COUNT(*) FROM outcomes GROUP BY 1, 2")
                .fetch_all(&self.readers)
                .await
                .during(doing)?;
        let versions: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT v.activity, v.version, s.state, COUNT(*) FROM submissions s JOIN versions v \
             ON v.component = s.component GROUP BY 1, 2, 3",
        )
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        let (unfinished_plans, dead_letters, switches, date, audit_lines) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM plans WHERE state NOT IN ('released', 'cancelled')), \
             (SELECT COUNT(*) FROM dead_letters WHERE replayed_at IS NULL), (SELECT COUNT(*) FROM switches), \
             (SELECT coalesce(MAX(business_date), 0) FROM snapshots), (SELECT coalesce(MAX(number), 0) FROM audit)",
        )
        .fetch_one(&self.readers)
        .await
        .during(doing)?;
        let named = |(activity, version, channel, state, n)| (ContactsOf { activity, version, channel, state }, n);
        Ok(Figures {
            contacts: contacts.into_iter().map(named).collect(),
            outcomes: outcomes.into_iter().map(|(activity, kind, n)| ((activity, kind), n)).collect(),
            versions: versions
                .into_iter()
                .map(|(activity, version, state, n)| ((activity, version, state), n))
                .collect(),
            unfinished_plans,
            dead_letters,
            switches,
            date,
            audit_lines,
        })
    }

    /// Customers by how many disturbing contacts they have had since an instant (Unix milliseconds): pairs of contacts and
    /// customers. One occasion and round is one contact. Reads all contacts since, so it is not asked often.
    pub async fn pressing(&self, since: i64) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT n, COUNT(*) FROM (SELECT COUNT(*) AS n FROM (SELECT DISTINCT customer, activity, occasion, round \
             FROM contacts WHERE addressee = 'customer' AND planned_at >= ",
        );
        select.push_bind(since);
        let channels = Channel::ALL.into_iter().filter(|channel| channel.disturbs()).map(Channel::name);
        let states = ContactState::ALL.into_iter().filter(|state| state.counts()).map(ContactState::name);
        push_names(select.push(" AND coalesce(via, channel) IN ("), channels);
        push_names(select.push(" AND state IN ("), states);
        select.push(") GROUP BY customer) GROUP BY n");
        let counts: Vec<(i64, i64)> =
            select.build_query_as().fetch_all(&self.readers).await.during("counting contact pressure")?;
        Ok(counts.into_iter().map(|(contacts, customers)| (contacts as u64, customers as u64)).collect())
    }
}

/// A list of names, closed with its bracket.
fn push_names(select: &mut QueryBuilder<Sqlite>, names: impl Iterator<Item = &'static str>) {
    let mut list = select.separated(", ");
    for name in names {
        list.push_bind(name);
    }
    list.push_unseparated(")");
}
