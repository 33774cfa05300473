//! Where work that people do from lists stands: what waits, who has what, what came of it. Handing out lives in `desk`.

use crate::Store;
use crate::contacts::{StoredContact, contact_of};
use crate::error::{During, StoreError};
use care_domain::contact::{Addressee, Channel};
use sqlx::{QueryBuilder, Row, Sqlite};

/// Which work is asked for.
#[derive(Debug, Clone, Copy)]
pub struct WorkQuery<'a> {
    /// Calls or requests.
    pub channel: Channel,
    /// Only what goes to this addressee.
    pub addressee: Option<Addressee>,
    /// Only of this campaign.
    pub campaign: Option<&'a str>,
    /// Only what stands so, by a name of `care_domain::desk::standing_names`.
    pub standing: Option<&'a str>,
    /// After this place in the ledger.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

/// A piece of work with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingWork {
    /// The contact.
    pub contact: StoredContact,
    /// Its result, or `waiting`, `handed-out` or how it ended without one.
    pub standing: String,
    /// Who had it last.
    pub person: Option<String>,
    /// When it was handed out last, Unix milliseconds.
    pub handed_out_at: Option<i64>,
    /// When its result came, Unix milliseconds.
    pub result_at: Option<i64>,
    /// What was said about it; empty when nothing was.
    pub note: String,
}

/// So much work of an activity stands so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingCount {
    /// The activity.
    pub activity: String,
    /// Calls or requests, by the channel's name.
    pub channel: String,
    /// Round, from 1.
    pub round: i64,
    /// As in [`StandingWork`].
    pub standing: String,
    /// How much.
    pub count: i64,
}

/// Where a contact `c` stands by its last hand-out `h`.
const STANDING: &str = "CASE WHEN h.result IS NOT NULL THEN h.result \
     WHEN c.state = 'sending' AND h.contact IS NOT NULL THEN 'handed-out' \
     WHEN c.state = 'released' THEN 'waiting' ELSE c.state END";

/// Contacts worked off from lists, in words of the index that holds them.
const WORKED: &str = "(c.channel IN ('call-list', 'action') OR c.via IS NOT NULL)";

impl Store {
    /// Work in the order in which it came into the ledger.
    pub async fn work(&self, asked: WorkQuery<'_>) -> Result<Vec<StandingWork>, StoreError> {
        let doing = "listing work";
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(format!(
            "SELECT * FROM (SELECT c.*, {STANDING} AS standing, h.person, h.at AS handed_out_at, h.result_at, h.note \
             FROM contacts c LEFT JOIN handouts h ON h.contact = c.id \
             AND h.attempt = (SELECT MAX(attempt) FROM handouts WHERE contact = c.id) \
             WHERE {WORKED} AND coalesce(c.via, c.channel) = "
        ));
        query.push_bind(asked.channel.name()).push(" AND c.seq > ").push_bind(asked.after);
        if let Some(addressee) = asked.addressee {
            query.push(" AND c.addressee = ").push_bind(addressee.name());
        }
        if let Some(campaign) = asked.campaign {
            query.push(" AND c.campaign = ").push_bind(campaign.to_owned());
        }
        query.push(")");
        if let Some(standing) = asked.standing {
            query.push(" WHERE standing = ").push_bind(standing.to_owned());
        }
        query.push(" ORDER BY seq LIMIT ").push_bind(asked.limit);
        let rows = query.build().fetch_all(&self.readers).await.during(doing)?;
        let work = |row: &sqlx::sqlite::SqliteRow| {
            Ok(StandingWork {
                contact: contact_of(row)?,
                standing: row.try_get("standing").during(doing)?,
                person: row.try_get("person").during(doing)?,
                handed_out_at: row.try_get("handed_out_at").during(doing)?,
                result_at: row.try_get("result_at").during(doing)?,
                note: row.try_get::<Option<String>, _>("note").during(doing)?.unwrap_or_default(),
            })
        };
        rows.iter().map(work).collect()
    }

    /// Where the calls and requests of an activity stand, by what was handed out before an instant.
    pub async fn work_standing(&self, activity: &str, until: i64) -> Result<Vec<StandingCount>, StoreError> {
        let statement = format!(
            "SELECT coalesce(c.via, c.channel), c.round, {STANDING}, COUNT(*) FROM contacts c \
             LEFT JOIN handouts h ON h.contact = c.id \
             AND h.attempt = (SELECT MAX(attempt) FROM handouts WHERE contact = c.id AND at < ?1) \
             WHERE {WORKED} AND c.activity = ?2 AND coalesce(c.via, c.channel) IN ('call-list', 'action') \
             AND c.planned_at < ?1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        );
        let rows: Vec<(String, i64, String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(until)
            .bind(activity)
            .fetch_all(&self.readers)
            .await
            .during("counting where work stands")?;
        let count = |(channel, round, standing, count)| StandingCount {
            activity: activity.to_owned(),
            channel,
            round,
            standing,
            count,
        };
        Ok(rows.into_iter().map(count).collect())
    }
}
