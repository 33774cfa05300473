//! Campaigns: an approved version pinned with its parameters.

use crate::Store;
use crate::activations::{self, Activation};
use crate::effect::leave_notice;
use crate::error::{During, StoreError};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::ramp::Ramp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// `<activity>-<number>`.
    pub id: String,
    /// Activity name.
    pub activity: String,
    /// The semver requirement it was started with.
    pub requirement: String,
    /// Digest of the pinned component.
    pub component: String,
    /// Digest of the approval it runs under.
    pub approval: String,
    /// Canonical JSON of the parameters.
    pub params: String,
    /// The oldest snapshot that it may run on, in days before the business date.
    pub max_snapshot_days: u16,
    /// In which steps it ramps up; none where it begins with everybody who was granted.
    pub ramp: Option<Ramp>,
    /// Whether it takes part in plans.
    pub active: bool,
    /// Who started it.
    pub started_by: String,
    /// When, Unix milliseconds.
    pub started_at: i64,
}

impl Store {
    /// Keeps a campaign under the next number of its activity, with its activation where it runs on standby; `id` of the
    /// arguments is ignored. `entry` gets the campaign as its subject.
    pub async fn start_campaign(
        &self,
        campaign: &Campaign,
        activation: Option<&Activation>,
        entry: Entry,
    ) -> Result<String, StoreError> {
        let doing = "starting a campaign";
        let mut tx = self.write().await?;
        let before: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM campaigns WHERE activity = ?")
            .bind(&campaign.activity)
            .fetch_one(&mut *tx)
            .await
            .during(doing)?;
        let id = format!("{}-{}", campaign.activity, before + 1);
        let ramp = campaign.ramp.as_ref().map(canonical::json).transpose();
        let ramp = ramp.map_err(|_| StoreError::impossible("campaigns", "ramp", &id))?;
        sqlx::query(
            "INSERT INTO campaigns (id, activity, requirement, component, approval, params, max_snapshot_days, ramp, state, \
             started_by, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)",
        )
        .bind(&id)
        .bind(&campaign.activity)
        .bind(&campaign.requirement)
        .bind(&campaign.component)
        .bind(&campaign.approval)
        .bind(&campaign.params)
        .bind(i64::from(campaign.max_snapshot_days))
        .bind(ramp)
        .bind(&campaign.started_by)
        .bind(campaign.started_at)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if let Some(activation) = activation {
            activations::insert(&mut tx, &id, activation).await?;
        }
        self.audit(&mut tx, &Entry { subject: format!("campaign {id}"), ..entry }).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// All campaigns, by id.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        let rows = sqlx::query("SELECT * FROM campaigns ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .during("reading campaigns")?;
        rows.iter().map(campaign_of).collect()
    }

    /// Pins another version of its activity for plans to come; `false` when there is no such active campaign.
    pub async fn repoint_campaign(&self, campaign: &Campaign, entry: &Entry) -> Result<bool, StoreError> {
        let doing = "re-pointing a campaign";
        let statement = sqlx::query(
            "UPDATE campaigns SET requirement = ?, component = ?, approval = ?, params = ? \
             WHERE id = ? AND state = 'active'",
        )
        .bind(&campaign.requirement)
        .bind(&campaign.component)
        .bind(&campaign.approval)
        .bind(&campaign.params)
        .bind(&campaign.id);
        self.change(statement, entry, doing).await
    }

    /// On how many business dates before one each of these campaigns was planned, by campaign; those of none are left out.
    pub async fn dates_planned(&self, before: i32) -> Result<BTreeMap<String, u32>, StoreError> {
        let dates: Vec<(String, u32)> = sqlx::query_as(
            "SELECT json_extract(c.value, '$.campaign'), COUNT(DISTINCT p.date) FROM plans p, \
             json_each(p.pins, '$.campaigns') c WHERE p.date < ? AND p.state IN ('releasing', 'released') GROUP BY 1",
        )
        .bind(before)
        .fetch_all(&self.readers)
        .await
        .during("counting the dates of campaigns")?;
        Ok(dates.into_iter().collect())
    }

    /// Messages of a campaign to customers that were handed over or failed since an instant (by when they were planned,
    /// Unix milliseconds), and those of them that failed or are unknown.
    pub async fn tried_since(&self, campaign: &str, since: i64) -> Result<(u64, u64), StoreError> {
        let (handed, failed): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE state <> 'sent') FROM contacts WHERE campaign = ? \
             AND addressee = 'customer' AND state IN ('sent', 'unknown', 'failed') AND planned_at >= ?",
        )
        .bind(campaign)
        .bind(since)
        .fetch_one(&self.readers)
        .await
        .during("counting what a campaign sent")?;
        Ok((handed as u64, failed as u64))
    }

    /// Pauses a campaign, and tells whoever started it, together; `false` when it is paused already.
    pub async fn hold_campaign(
        &self,
        (campaign, starter): (&str, &str),
        entry: &Entry,
        text: &str,
    ) -> Result<bool, StoreError> {
        let doing = "holding a campaign";
        let mut tx = self.write().await?;
        let thrown = sqlx::query(
            "INSERT INTO switches (scope, target, person, at, reason) VALUES ('campaign', ?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(campaign)
        .bind(&entry.person)
        .bind(entry.at)
        .bind(&entry.reason)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if thrown.rows_affected() == 0 {
            return Ok(false);
        }
        self.audit(&mut tx, entry).await?;
        leave_notice(&mut tx, starter, entry, text).await?;
        tx.commit().await.during(doing)?;
        Ok(true)
    }

    /// Stops a campaign and withdraws what waits of it, together; returns how many contacts were withdrawn.
    /// `None` when there is no such active campaign.
    pub async fn stop_campaign(&self, id: &str, entry: &Entry) -> Result<Option<u64>, StoreError> {
        let doing = "stopping a campaign";
        let mut tx = self.write().await?;
        let stopped = sqlx::query("UPDATE campaigns SET state = 'stopped' WHERE id = ? AND state = 'active'")
            .bind(id)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        if stopped.rows_affected() == 0 {
            return Ok(None);
        }
        let waiting: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'withdrawn' WHERE campaign = ? AND state IN ('planned', 'released') \
             RETURNING id, customer",
        )
        .bind(id)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        crate::contacts::log_states(&mut tx, &waiting, "withdrawn", entry.at, "campaign stopped").await?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(Some(waiting.len() as u64))
    }
}

fn campaign_of(row: &SqliteRow) -> Result<Campaign, StoreError> {
    let campaign = plain_campaign_of(row).during("reading campaigns")?;
    let ramp: Option<String> = row.try_get("ramp").during("reading campaigns")?;
    let ramp = ramp.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Campaign { ramp: ramp.map_err(|_| StoreError::impossible("campaigns", "ramp", &campaign.id))?, ..campaign })
}

/// A campaign but for what is written as JSON.
fn plain_campaign_of(row: &SqliteRow) -> Result<Campaign, sqlx::Error> {
    Ok(Campaign {
        id: row.try_get("id")?,
        activity: row.try_get("activity")?,
        requirement: row.try_get("requirement")?,
        component: row.try_get("component")?,
        approval: row.try_get("approval")?,
        params: row.try_get("params")?,
        max_snapshot_days: row.try_get("max_snapshot_days")?,
        ramp: None,
        active: row.try_get::<String, _>("state")? == "active",
        started_by: row.try_get("started_by")?,
        started_at: row.try_get("started_at")?,
    })
}
