//! Plans: how far they are, who holds them up, and their release. Their tasks are in `tasks.rs`.

use crate::carried::carry_cut;
use crate::contacts::{log_states, name_of};
use crate::error::{During, StoreError};
use crate::reference::key_of;
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::contact::Channel;
use care_domain::key::{Bucket, CustomerKey};
use care_domain::plan::{Needs, Pins, Ranked};
use care_domain::verdict::Tally;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteExecutor, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A transaction of so many holds the write lock for a fraction of a second.
const RELEASED_AT_ONCE: i64 = 10_000;

/// A plan as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Hash of the pins.
    pub id: String,
    /// Everything that decides.
    pub pins: Pins,
    /// How far it is.
    pub state: PlanState,
    /// When it was first started, Unix milliseconds.
    pub created_at: i64,
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanState {
    /// Some tasks are pending, or release is to be decided.
    Running,
    /// Somebody holds it up: no task begins, and nothing is released.
    Paused(Halt),
    /// Release is decided and cannot be taken back; its contacts are being made visible to dispatch.
    Releasing {
        /// Candidates by verdict, by campaign, after release.
        tallies: BTreeMap<String, Tally>,
    },
    /// All done and visible to dispatch.
    Released {
        /// Candidates by verdict, by campaign, after release.
        tallies: BTreeMap<String, Tally>,
    },
    /// Somebody called it off before its release; nothing of it is or was sent.
    Cancelled(Halt),
}

/// Who held a plan up, or called it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Who.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// Why; may be empty.
    pub reason: String,
}

/// What a cancelled plan had planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CalledOff {
    /// Contacts that go.
    pub contacts: u64,
    /// Held-out customers who are none any more.
    pub controls: u64,
}

impl PlanState {
    /// As shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused(_) => "paused",
            Self::Releasing { .. } => "releasing",
            Self::Released { .. } => "released",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// Whether something is left to do.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Running | Self::Paused(_) | Self::Releasing { .. })
    }

    /// Whether release is decided.
    pub fn is_decided(&self) -> bool {
        matches!(self, Self::Releasing { .. } | Self::Released { .. })
    }
}

/// A candidate of a plan that waits for release.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its place in the queue.
    pub ranked: Ranked,
    /// What release cuts, if it must.
    pub cut: Cut,
}

/// A candidate that release cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Campaign.
    pub campaign: Arc<str>,
    /// Who.
    pub customer: CustomerKey,
    /// What it was about.
    pub occasion: i64,
    /// Attempt.
    pub round: u8,
}

/// What a release stands on: whoever took of capacity and budgets by then is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Releases that were decided.
    pub releases: i64,
    /// Contacts of events and prompts up to this sequence number; whether there are newer ones does not matter where
    /// nothing is limited.
    pub since: Option<i64>,
}

impl Store {
    /// Keeps a plan with its pending tasks; one that exists already is left as it is. `Err` holds the plan that has the
    /// wave of this date with other pins: a wave is planned once.
    pub async fn open_plan(&self, id: &str, pins: &Pins, entry: &Entry) -> Result<Result<Plan, Box<Plan>>, StoreError> {
        let doing = "opening a plan";
        let mut tx = self.write().await?;
        let other: Option<String> = sqlx::query_scalar(
            "SELECT id FROM plans WHERE date = ? AND wave = ? AND id <> ? AND halt IS NOT 'cancelled' \
                 ORDER BY created_at LIMIT 1",
        )
        .bind(pins.date)
        .bind(i64::from(pins.wave))
        .bind(id)
        .fetch_optional(&mut *tx)
        .await
        .during(doing)?;
        if let Some(other) = other {
            let plan = self.plan(&other).await?.ok_or_else(|| StoreError::impossible("plans", "id", &other))?;
            return Ok(Err(Box::new(plan)));
        }
        let opened = sqlx::query(
            "INSERT INTO plans (id, date, wave, pins, state, created_at) VALUES (?, ?, ?, ?, 'running', ?) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(pins.date)
        .bind(i64::from(pins.wave))
        .bind(to_json("plans", id, pins)?)
        .bind(entry.at)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if opened.rows_affected() == 1 {
            let buckets: Vec<Bucket> = pins.buckets().collect();
            for chunk in buckets.chunks(MAX_BINDS / 4) {
                let mut insert = QueryBuilder::new("INSERT INTO tasks (plan, bucket, epoch, state) ");
                insert.push_values(chunk, |mut row, bucket| {
                    row.push_bind(id.to_owned())
                        .push_bind(i64::from(bucket.index))
                        .push_bind(0_i64)
                        .push_bind("pending");
                });
                insert.build().execute(&mut *tx).await.during(doing)?;
            }
            self.audit(&mut tx, entry).await?;
        }
        tx.commit().await.during(doing)?;
        self.plan(id).await?.map(Ok).ok_or_else(|| StoreError::impossible("plans", "id", id))
    }

    /// A plan by its id.
    pub async fn plan(&self, id: &str) -> Result<Option<Plan>, StoreError> {
        Ok(self.plans().await?.into_iter().find(|p| p.id == id))
    }

    /// All plans, newest first.
    pub async fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        let rows: Vec<PlanRow> = sqlx::query_as(
            "SELECT id, pins, tallies, created_at, state, halt, halted FROM plans ORDER BY created_at DESC, id",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading plans")?;
        rows.into_iter().map(plan_of).collect()
    }

    /// Holds a plan up; `false` when it is not running, or held up already.
    pub async fn pause_plan(&self, plan: &str, halt: &Halt, entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE plans SET halt = 'paused', halted = ?1 \
             WHERE id = ?2 AND state = 'running' AND halt IS NULL AND tallies IS NULL",
        );
        let halted = to_json("plans", plan, halt)?;
        self.change(statement.bind(halted).bind(plan.to_owned()), entry, "pausing a plan").await
    }

    /// Lets a plan go on; `false` when nobody holds it up.
    pub async fn unpause_plan(&self, plan: &str, entry: &Entry) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("UPDATE plans SET halt = NULL, halted = NULL WHERE id = ? AND halt = 'paused'").bind(plan);
        self.change(statement, entry, "resuming a plan").await
    }

    /// Calls a plan off for good, unless its release is decided: what it planned is no contact any more, so that another
    /// plan may propose it, and whom it held out is free. The entry is kept with both counts. `None` when it cannot be.
    pub async fn cancel_plan(&self, plan: &str, halt: &Halt, entry: &Entry) -> Result<Option<CalledOff>, StoreError> {
        let doing = "cancelling a plan";
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE plans SET halt = 'cancelled', halted = ? \
             WHERE id = ? AND state = 'running' AND halt IS NOT 'cancelled' AND tallies IS NULL",
        )
        .bind(to_json("plans", plan, halt)?)
        .bind(plan)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if moved.rows_affected() == 0 {
            return Ok(None);
        }
        let mut gone = [0, 0];
        let statements =
            ["DELETE FROM contacts WHERE plan = ? AND state = 'planned'", "DELETE FROM controls WHERE plan = ?"];
        for (statement, gone) in statements.into_iter().zip(&mut gone) {
            *gone = sqlx::query(statement).bind(plan).execute(&mut *tx).await.during(doing)?.rows_affected();
        }
        let called_off = CalledOff { contacts: gone[0], controls: gone[1] };
        let entry = Entry { detail: json!(called_off), ..entry.clone() };
        self.audit(&mut tx, &entry).await?;
        tx.commit().await.during(doing)?;
        Ok(Some(called_off))
    }

    /// What a version's contacts of other plans cost so far, in fen: those that wait and those that went out.
    pub async fn spent(&self, component: &str, plan: &str) -> Result<u64, StoreError> {
        spent(&self.readers, component, plan).await
    }

    /// What waits for release of a plan: messages and fen by campaign and channel.
    pub async fn waiting_in_all(&self, plan: &str) -> Result<Vec<(String, Channel, u64, u64)>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT campaign, channel, COUNT(*), SUM(cost_fen) FROM contacts WHERE plan = ? AND state = 'planned' \
             GROUP BY campaign, channel",
        )
        .bind(plan)
        .fetch_all(&self.readers)
        .await
        .during("adding up planned contacts")?;
        let sum = |(campaign, channel, messages, fen): (String, String, i64, i64)| {
            Ok((campaign, name_of("contacts", "channel", &channel)?, messages as u64, fen as u64))
        };
        rows.into_iter().map(sum).collect()
    }

    /// The candidates of a plan that wait for release, in a stable order. `approvals`: digest by campaign.
    pub async fn waiting_for_release(
        &self,
        plan: &str,
        approvals: &BTreeMap<String, String>,
    ) -> Result<Vec<Release>, StoreError> {
        let doing = "reading planned contacts";
        let shared = |text: &String| Arc::<str>::from(text.as_str());
        let campaigns: BTreeMap<&str, (Arc<str>, Arc<str>)> =
            approvals.iter().map(|(id, digest)| (id.as_str(), (shared(id), shared(digest)))).collect();
        let mut rows = sqlx::query(
            "SELECT campaign, customer, occasion, round, class, tier, MAX(weight) AS weight, MAX(score) AS score, channel, \
             COUNT(*) AS messages, SUM(cost_fen) AS cost FROM contacts WHERE plan = ? AND state = 'planned' \
             GROUP BY campaign, customer, occasion, round, channel ORDER BY campaign, customer, occasion, round",
        )
        .bind(plan)
        .fetch(&self.readers);
        let mut waiting: Vec<Release> = Vec::new();
        while let Some(row) = rows.try_next().await.during(doing)? {
            let campaign: &str = row.try_get("campaign").during(doing)?;
            let (campaign, approval) =
                campaigns.get(campaign).ok_or_else(|| StoreError::impossible("contacts", "campaign", plan))?;
            let number = |column: &str| row.try_get::<i64, _>(column).during(doing);
            let channel = name_of("contacts", "channel", row.try_get("channel").during(doing)?)?;
            let cut = Cut {
                campaign: Arc::clone(campaign),
                customer: key_of("contacts", row.try_get("customer").during(doing)?)?,
                occasion: number("occasion")?,
                round: number("round")? as u8,
            };
            let messages = u16::try_from(number("messages")?).unwrap_or(u16::MAX);
            let cost_fen = number("cost")? as u64;
            if let Some(last) = waiting.last_mut().filter(|w| w.cut == cut) {
                last.ranked.needs.add(channel, messages);
                last.ranked.cost_fen += cost_fen;
                continue;
            }
            let mut needs = Needs::default();
            needs.add(channel, messages);
            let ranked = Ranked {
                class: name_of("contacts", "class", row.try_get("class").during(doing)?)?,
                tier: number("tier")? as u8,
                weight: number("weight")? as u16,
                score: row.try_get::<f64, _>("score").during(doing)? as f32,
                tie: Ranked::tie(campaign, cut.customer, cut.occasion, cut.round),
                needs,
                approval: Arc::clone(approval),
                cost_fen,
            };
            waiting.push(Release { ranked, cut });
        }
        Ok(waiting)
    }

    /// Contacts of a business date by channel that other plans released, and that events and touchpoints caused for some
    /// instant in `[from, until)`: they use its capacity.
    pub async fn used_capacity(
        &self,
        date: i32,
        but: &str,
        (from, until): (i64, i64),
    ) -> Result<BTreeMap<Channel, u64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT channel, COUNT(*) FROM ( \
               SELECT c.channel FROM contacts c JOIN plans p ON p.id = c.plan WHERE p.date = ?1 AND p.id <> ?2 \
                 AND (c.state IN ('released', 'sending', 'sent', 'unknown') \
                      OR (c.state = 'planned' AND p.tallies IS NOT NULL)) \
               UNION ALL SELECT channel FROM contacts WHERE plan >= 'events-' AND plan < 'events.' \
                 AND planned_at >= ?3 AND planned_at < ?4 AND state IN ('released', 'sending', 'sent', 'unknown')) \
             GROUP BY channel",
        )
        .bind(date)
        .bind(but)
        .bind(from)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during("counting what a date's plans released")?;
        let used = |(channel, count): (String, i64)| {
            let channel = serde_json::from_value(channel.into())
                .map_err(|_| StoreError::impossible("contacts", "channel", but))?;
            Ok((channel, count as u64))
        };
        rows.into_iter().map(used).collect()
    }

    /// How many releases were decided so far: what a decision about shared limits stands on.
    pub async fn releases(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT COUNT(*) FROM plans WHERE tallies IS NOT NULL")
            .fetch_one(&self.readers)
            .await
            .during("counting releases")
    }

    /// Decides a plan's release for good: what is cut goes, and the totals are kept. `false` while a task is pending, when
    /// somebody holds the plan up, called it off or decided before, or when somebody took of capacity and budgets since
    /// what the cuts stand on.
    pub async fn decide_release(
        &self,
        plan: &str,
        cuts: &[(Cut, &'static str)],
        tallies: &BTreeMap<String, Tally>,
        known: Known,
    ) -> Result<bool, StoreError> {
        let doing = "deciding a release";
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE plans SET tallies = ?1 WHERE id = ?2 AND state = 'running' AND halt IS NULL AND tallies IS NULL \
             AND NOT EXISTS (SELECT 1 FROM tasks WHERE plan = ?2 AND state = 'pending') \
             AND (SELECT COUNT(*) FROM plans WHERE tallies IS NOT NULL) = ?3 \
             AND (?4 IS NULL OR NOT EXISTS (SELECT 1 FROM contacts WHERE seq > ?4 AND plan LIKE 'events-%'))",
        )
        .bind(to_json("plans", plan, tallies)?)
        .bind(plan)
        .bind(known.releases)
        .bind(known.since)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        for (cut, rule) in cuts {
            cut_candidate(&mut tx, plan, cut, rule).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(true)
    }

    /// Makes the next contacts of a plan whose release is decided visible to dispatch; what a campaign stopped meanwhile
    /// planned is withdrawn. So many at a time that neither memory nor other writers suffer from a large plan. Returns
    /// how many were moved: none when all are.
    pub async fn release_some(&self, plan: &str, at: i64) -> Result<u64, StoreError> {
        let doing = "releasing contacts";
        let mut tx = self.write().await?;
        let moved: Vec<(Vec<u8>, Vec<u8>, String)> = sqlx::query_as(
            "UPDATE contacts SET state = CASE \
               WHEN campaign IN (SELECT id FROM campaigns WHERE state = 'stopped') THEN 'withdrawn' \
               ELSE 'released' END \
             WHERE id IN (SELECT id FROM contacts WHERE plan = ?1 AND state = 'planned' LIMIT ?2) \
             AND EXISTS (SELECT 1 FROM plans WHERE id = ?1 AND tallies IS NOT NULL) RETURNING id, customer, state",
        )
        .bind(plan)
        .bind(RELEASED_AT_ONCE)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        for (state, note) in [("withdrawn", "campaign stopped"), ("released", "")] {
            let alike = moved.iter().filter(|(_, _, now)| now == state);
            let alike: Vec<_> = alike.map(|(id, customer, _)| (id.clone(), customer.clone())).collect();
            log_states(&mut tx, &alike, state, at, note).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(moved.len() as u64)
    }

    /// Says that a plan is released, once all of it is visible; `false` when somebody said so before.
    pub async fn close_release(&self, plan: &str, entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE plans SET state = 'released' WHERE id = ?1 AND state = 'running' AND tallies IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM contacts WHERE plan = ?1 AND state = 'planned')",
        );
        self.change(statement.bind(plan.to_owned()), entry, "releasing a plan").await
    }

    /// By which rule release cut a candidate, if it did.
    pub async fn was_cut(&self, plan: &str, cut: &Cut) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT rule FROM release_cuts WHERE plan = ? AND campaign = ? AND customer = ? AND occasion = ? AND round = ?",
        )
        .bind(plan)
        .bind(&*cut.campaign)
        .bind(cut.customer.0.to_vec())
        .bind(cut.occasion)
        .bind(i64::from(cut.round))
        .fetch_optional(&self.readers)
        .await
        .during("reading release cuts")
    }
}

async fn cut_candidate(
    tx: &mut Transaction<'static, Sqlite>,
    plan: &str,
    cut: &Cut,
    rule: &str,
) -> Result<(), StoreError> {
    carry_cut(tx, plan, cut).await?;
    let gone = sqlx::query(
        "DELETE FROM contacts WHERE plan = ? AND campaign = ? AND customer = ? AND occasion = ? AND round = ? \
         AND state = 'planned'",
    );
    let kept = sqlx::query(
        "INSERT INTO release_cuts (plan, campaign, customer, occasion, round, rule) VALUES (?, ?, ?, ?, ?, ?)",
    );
    let key = |statement: Query<'static, Sqlite, SqliteArguments>| {
        let named = statement.bind(plan.to_owned()).bind(cut.campaign.to_string()).bind(cut.customer.0.to_vec());
        named.bind(cut.occasion).bind(i64::from(cut.round))
    };
    for statement in [key(gone), key(kept).bind(rule.to_owned())] {
        statement.execute(&mut **tx).await.during("cutting to limits")?;
    }
    Ok(())
}

type PlanRow = (String, String, Option<String>, i64, String, Option<String>, Option<String>);

fn plan_of((id, pins, tallies, created_at, state, halt, halted): PlanRow) -> Result<Plan, StoreError> {
    let halted = || from_json("plans", &id, halted.as_deref().unwrap_or_default());
    let tallies = tallies.map(|t| from_json("plans", &id, &t)).transpose()?;
    let state = match (state.as_str(), halt.as_deref(), tallies) {
        ("released", _, Some(tallies)) => PlanState::Released { tallies },
        ("running", None, Some(tallies)) => PlanState::Releasing { tallies },
        ("running", None, None) => PlanState::Running,
        ("running", Some("paused"), None) => PlanState::Paused(halted()?),
        ("running", Some("cancelled"), None) => PlanState::Cancelled(halted()?),
        _ => return Err(StoreError::impossible("plans", "state", &id)),
    };
    Ok(Plan { pins: from_json("plans", &id, &pins)?, id, state, created_at })
}

/// What a version's contacts cost so far but those of a plan, in fen.
pub(crate) async fn spent(
    database: impl SqliteExecutor<'_>,
    component: &str,
    but_plan: &str,
) -> Result<u64, StoreError> {
    let spent: i64 = sqlx::query_scalar(
        "SELECT coalesce(SUM(cost_fen), 0) FROM contacts WHERE component = ? AND cost_fen > 0 AND plan <> ? \
         AND state NOT IN ('cancelled', 'withdrawn', 'expired', 'failed', 'lost')",
    )
    .bind(component)
    .bind(but_plan)
    .fetch_one(database)
    .await
    .during("adding up what was spent")?;
    Ok(spent as u64)
}
