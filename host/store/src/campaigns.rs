//! Campaigns: an approved version pinned with its parameters.

use crate::Store;
use crate::activations::{self, Activation};
use crate::error::{During, StoreError};
use care_domain::audit::Entry;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

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
        sqlx::query(
            "INSERT INTO campaigns (id, activity, requirement, component, approval, params, max_snapshot_days, state, \
             started_by, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)",
        )
        .bind(&id)
        .bind(&campaign.activity)
        .bind(&campaign.requirement)
        .bind(&campaign.component)
        .bind(&campaign.approval)
        .bind(&campaign.params)
        .bind(i64::from(campaign.max_snapshot_days))
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
        rows.iter().map(|row| campaign_of(row).during("reading campaigns")).collect()
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

fn campaign_of(row: &SqliteRow) -> Result<Campaign, sqlx::Error> {
    Ok(Campaign {
        id: row.try_get("id")?,
        activity: row.try_get("activity")?,
        requirement: row.try_get("requirement")?,
        component: row.try_get("component")?,
        approval: row.try_get("approval")?,
        params: row.try_get("params")?,
        max_snapshot_days: row.try_get("max_snapshot_days")?,
        active: row.try_get::<String, _>("state")? == "active",
        started_by: row.try_get("started_by")?,
        started_at: row.try_get("started_at")?,
    })
}
