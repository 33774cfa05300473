//! Losers of arbitration that are still useful: candidates of later plans, append-only, so that a replay finds those that
//! its plan found.

use crate::contacts::History;
use crate::error::{During, StoreError};
use crate::events::push_keys;
use crate::plans::Cut;
use crate::reference::key_of;
use crate::{MAX_BINDS, Store, take_seq};
use care_domain::key::{Bucket, CustomerKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

/// A candidate that lost, and waits for a later plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// Campaign.
    pub campaign: String,
    /// Who.
    pub customer: CustomerKey,
    /// What it is about.
    pub occasion: i64,
    /// Name of the reason.
    pub reason: String,
    /// 0 to 1.
    pub score: f32,
    /// Earliest useful instant, Unix milliseconds.
    pub not_before: i64,
    /// Last useful instant.
    pub not_after: i64,
    /// Business date of the plan in which it lost, in days.
    pub date: i32,
    /// Whether it still waits; `false` when a plan answered it for good.
    pub open: bool,
    /// Kinds of the customer's outcomes since it lost. Not stored with it.
    pub outcomes: Vec<String>,
}

const COLUMNS: usize = 11;

impl Store {
    /// Puts the candidates that wait for a bucket's customers into the history: the last line of each up to `mark`, but for
    /// those of plans that were called off.
    pub(crate) async fn read_carried(
        &self,
        bucket: Bucket,
        mark: i64,
        history: &mut History,
    ) -> Result<(), StoreError> {
        let (low, high) = bucket.bounds();
        let mut select = waiting(mark, "w.customer BETWEEN ");
        select.push_bind(low.0.to_vec()).push(" AND ").push_bind(high.0.to_vec());
        self.add_carried(select, history).await
    }

    /// The same for some customers.
    pub(crate) async fn read_carried_of(
        &self,
        customers: &[CustomerKey],
        mark: i64,
        history: &mut History,
    ) -> Result<(), StoreError> {
        let mut select = waiting(mark, "w.customer IN (");
        push_keys(&mut select, customers);
        self.add_carried(select, history).await
    }

    async fn add_carried(&self, mut select: QueryBuilder<Sqlite>, history: &mut History) -> Result<(), StoreError> {
        select.push(
            " GROUP BY w.campaign, w.customer, w.occasion) last ON last.seq = c.seq WHERE c.open = 1 ORDER BY c.seq",
        );
        let rows = select.build().fetch_all(&self.readers).await.during("reading carried candidates")?;
        for row in &rows {
            let carried = carried_of(row)?;
            history.carried.entry(carried.customer).or_default().push(carried);
        }
        Ok(())
    }
}

/// Selects the last line of each candidate up to `mark` of those `whose`; the caller says the rest.
fn waiting(mark: i64, whose: &str) -> QueryBuilder<Sqlite> {
    QueryBuilder::new(format!(
        "SELECT c.*, (SELECT group_concat(DISTINCT o.kind) FROM outcomes o WHERE o.customer = c.customer \
           AND o.seq > c.seq AND o.seq <= {mark}) AS kinds \
         FROM carried c JOIN (SELECT MAX(w.seq) AS seq FROM carried w JOIN plans p ON p.id = w.plan \
           AND p.halt IS NOT 'cancelled' WHERE w.seq <= {mark} AND {whose}"
    ))
}

fn carried_of(row: &SqliteRow) -> Result<Carried, StoreError> {
    let doing = "reading carried candidates";
    let kinds: Option<String> = row.try_get("kinds").during(doing)?;
    Ok(Carried {
        campaign: row.try_get("campaign").during(doing)?,
        customer: key_of("carried", row.try_get("customer").during(doing)?)?,
        occasion: row.try_get("occasion").during(doing)?,
        reason: row.try_get("reason").during(doing)?,
        score: row.try_get::<f64, _>("score").during(doing)? as f32,
        not_before: row.try_get("not_before").during(doing)?,
        not_after: row.try_get("not_after").during(doing)?,
        date: row.try_get("date").during(doing)?,
        open: row.try_get("open").during(doing)?,
        outcomes: kinds.iter().flat_map(|kinds| kinds.split(',')).map(str::to_owned).collect(),
    })
}

/// Writes what is carried, and what is answered for good.
pub(crate) async fn insert_carried(
    tx: &mut Transaction<'static, Sqlite>,
    plan: &str,
    carried: &[Carried],
) -> Result<(), StoreError> {
    for chunk in carried.chunks(MAX_BINDS / COLUMNS) {
        let first = take_seq(tx, chunk.len()).await?;
        let mut insert = QueryBuilder::new(
            "INSERT INTO carried (seq, plan, date, campaign, customer, occasion, reason, score, not_before, not_after, \
             open) ",
        );
        insert.push_values(chunk.iter().enumerate(), |mut row, (i, c)| {
            row.push_bind(first + i as i64)
                .push_bind(plan.to_owned())
                .push_bind(c.date)
                .push_bind(&c.campaign)
                .push_bind(c.customer.0.to_vec())
                .push_bind(c.occasion)
                .push_bind(&c.reason)
                .push_bind(f64::from(c.score))
                .push_bind(c.not_before)
                .push_bind(c.not_after)
                .push_bind(c.open);
        });
        insert.build().execute(&mut **tx).await.during("carrying losers over")?;
    }
    Ok(())
}

/// Carries a candidate over that release cuts, while its contacts are still there to tell what it was.
pub(crate) async fn carry_cut(tx: &mut Transaction<'static, Sqlite>, plan: &str, cut: &Cut) -> Result<(), StoreError> {
    let seq = take_seq(tx, 1).await?;
    sqlx::query(
        "INSERT INTO carried (seq, plan, date, campaign, customer, occasion, reason, score, not_before, not_after, open) \
         SELECT ?1, plan, (SELECT date FROM plans WHERE id = contacts.plan), campaign, customer, occasion, reason, score, \
           planned_at, not_after, 1 FROM contacts \
         WHERE plan = ?2 AND campaign = ?3 AND customer = ?4 AND occasion = ?5 AND round = ?6 AND state = 'planned' \
         ORDER BY id LIMIT 1",
    )
    .bind(seq)
    .bind(plan)
    .bind(&*cut.campaign)
    .bind(cut.customer.0.to_vec())
    .bind(cut.occasion)
    .bind(i64::from(cut.round))
    .execute(&mut **tx)
    .await
    .map(|_| ())
    .during("carrying over what capacity cuts")
}
