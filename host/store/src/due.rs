//! What is due to go out, line by line: of one class, tier and campaign. A line is found by its index and counted no
//! further than there is room, so that choosing some of millions costs what the chosen ones do.

use crate::contacts::{name_of, small_of};
use crate::error::{During, StoreError};
use crate::sending::Leasing;
use care_domain::dispatch::Line;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use std::collections::BTreeSet;

/// What may go out now: the campaign is active, its version too, and no kill switch speaks of the contact. A region's
/// switch also holds contacts whose region nobody knows.
pub(crate) const FREE: &str = " AND campaign IN (SELECT id FROM campaigns WHERE state = 'active') \
     AND component IN (SELECT component FROM submissions WHERE state = 'active') \
     AND NOT EXISTS (SELECT 1 FROM switches w WHERE w.scope = 'everything' \
        OR (w.scope = 'activity' AND w.target = contacts.activity) \
        OR (w.scope = 'campaign' AND w.target = contacts.campaign) \
        OR (w.scope = 'version' AND w.target = contacts.component) \
        OR (w.scope = 'channel' AND w.target = coalesce(contacts.via, contacts.channel)) \
        OR (w.scope = 'region' AND (contacts.region = '' OR contacts.region LIKE \
            CASE WHEN w.target LIKE '%0000' THEN substr(w.target, 1, 2) \
                 WHEN w.target LIKE '%00' THEN substr(w.target, 1, 4) ELSE w.target END || '%')))";

/// Adds what is due on a channel, free to go, and in nobody's hand: from `FROM` to the end of the conditions.
pub(crate) fn due(query: &mut QueryBuilder<Sqlite>, asked: Leasing<'_>) {
    query
        .push(" FROM contacts INDEXED BY contacts_due WHERE state = 'released' AND planned_at <= ")
        .push_bind(asked.now);
    query.push(" AND coalesce(due_at, planned_at) <= ").push_bind(asked.now);
    query.push(" AND not_after >= ").push_bind(asked.now);
    query.push(" AND (lease IS NULL OR lease_until < ").push_bind(asked.now);
    query.push(") AND coalesce(via, channel) = ").push_bind(asked.channel.name()).push(FREE);
    query.push(" AND component IN (");
    let mut list = query.separated(", ");
    for version in asked.versions {
        list.push_bind(version.clone());
    }
    list.push_unseparated(")");
}

/// Adds that it is of a line.
pub(crate) fn of_line(query: &mut QueryBuilder<Sqlite>, line: &Line) {
    query.push(" AND class = ").push_bind(line.class.name()).push(" AND tier = ").push_bind(i64::from(line.tier));
    query.push(" AND campaign = ").push_bind(line.campaign.clone());
}

/// The lines that are due on a channel, each with how many of it, counted up to `most`.
pub(crate) async fn lines(
    tx: &mut Transaction<'static, Sqlite>,
    asked: Leasing<'_>,
    most: u64,
) -> Result<Vec<Line>, StoreError> {
    let doing = "counting what is due";
    let free = free_campaigns(tx).await?;
    let mut lines = Vec::new();
    let mut last = (String::new(), -1, String::new());
    while let Some((class, tier, campaign)) = next_line(tx, asked, &last).await? {
        last = (class.clone(), tier, campaign.clone());
        if !free.contains(&campaign) {
            continue;
        }
        let tier = small_of("tier", tier)?;
        let mut line = Line { class: name_of("contacts", "class", &class)?, tier, campaign, waiting: 0 };
        let mut count = QueryBuilder::new("SELECT COUNT(*) FROM (SELECT 1");
        due(&mut count, asked);
        of_line(&mut count, &line);
        count.push(" LIMIT ").push_bind(most as i64).push(")");
        let waiting: i64 = count.build_query_scalar().fetch_one(&mut **tx).await.during(doing)?;
        line.waiting = waiting as u64;
        if line.waiting > 0 {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The line after another one among all that wait on a channel: a few steps down the index, however long a line is. A
/// comparison of all three columns at once would walk along the whole line.
async fn next_line(
    tx: &mut Transaction<'static, Sqlite>,
    asked: Leasing<'_>,
    (class, tier, campaign): &(String, i64, String),
) -> Result<Option<(String, i64, String)>, StoreError> {
    let after = |condition: &str, order: &str| {
        format!(
            "SELECT * FROM (SELECT class, tier, campaign FROM contacts INDEXED BY contacts_due WHERE state = 'released' \
             AND coalesce(via, channel) = ?1 AND {condition} ORDER BY {order} LIMIT 1)"
        )
    };
    let statement = format!(
        "SELECT * FROM ({} UNION ALL {} UNION ALL {}) LIMIT 1",
        after("class = ?2 AND tier = ?3 AND campaign > ?4", "campaign"),
        after("class = ?2 AND tier > ?3", "tier, campaign"),
        after("class > ?2", "class, tier, campaign"),
    );
    sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(asked.channel.name())
        .bind(class)
        .bind(tier)
        .bind(campaign)
        .fetch_optional(&mut **tx)
        .await
        .during("finding what waits")
}

/// Campaigns of which anything may go out: a long line that is held as a whole is not looked through.
async fn free_campaigns(tx: &mut Transaction<'static, Sqlite>) -> Result<BTreeSet<String>, StoreError> {
    let free: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM campaigns c WHERE state = 'active' AND NOT EXISTS (SELECT 1 FROM switches w \
         WHERE w.scope = 'everything' OR (w.scope = 'activity' AND w.target = c.activity) \
            OR (w.scope = 'campaign' AND w.target = c.id))",
    )
    .fetch_all(&mut **tx)
    .await
    .during("reading free campaigns")?;
    Ok(free.into_iter().collect())
}
