//! Experiments of elsewhere: who was contacted and who was held out, as they were told. Evaluated like campaigns.

use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::key::CustomerKey;
use care_domain::manifest::Goal;
use care_domain::text::Bilingual;
use sqlx::QueryBuilder;

/// An experiment with what it is told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Kebab-case name.
    pub name: String,
    /// What people call it.
    pub title: Bilingual,
    /// Digest of its campaigns and assignments.
    pub digest: String,
}

/// A customer's arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Who.
    pub customer: CustomerKey,
    /// Name of the arm, as the experiment calls it.
    pub arm: String,
    /// When it contacted, or would have, Unix milliseconds.
    pub at: i64,
}

/// A treated arm of an experiment against its control arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedCampaign {
    /// Under which it is evaluated.
    pub id: String,
    /// Its experiment.
    pub experiment: String,
    /// The arm that was contacted.
    pub treated: String,
    /// The arm that was held out.
    pub control: String,
    /// What it was for.
    pub goal: Goal,
}

/// How registering ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is in.
    New,
    /// The very same was there.
    Known,
    /// Another of that name, or a campaign of such an id, was there; nothing was written.
    Taken,
}

impl Store {
    /// Keeps an experiment with its campaigns and assignments, all or nothing.
    pub async fn register_experiment(
        &self,
        experiment: &Experiment,
        campaigns: &[ImportedCampaign],
        assignments: &[Assignment],
        entry: &Entry,
    ) -> Result<Registered, StoreError> {
        let doing = "registering an experiment";
        let mut tx = self.write().await?;
        let known: Option<String> = sqlx::query_scalar("SELECT digest FROM experiments WHERE name = ?")
            .bind(&experiment.name)
            .fetch_optional(&mut *tx)
            .await
            .during(doing)?;
        match known {
            Some(digest) if digest == experiment.digest => return Ok(Registered::Known),
            Some(_) => return Ok(Registered::Taken),
            None => {}
        }
        sqlx::query("INSERT INTO experiments (name, title, digest, imported_by, imported_at) VALUES (?, ?, ?, ?, ?)")
            .bind(&experiment.name)
            .bind(to_json("experiments", &experiment.name, &experiment.title)?)
            .bind(&experiment.digest)
            .bind(&entry.person)
            .bind(entry.at)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        for campaign in campaigns {
            let kept = sqlx::query(
                "INSERT INTO imported_campaigns (id, experiment, treated, control, goal) SELECT ?1, ?2, ?3, ?4, ?5 \
                 WHERE NOT EXISTS (SELECT 1 FROM campaigns WHERE id = ?1) ON CONFLICT DO NOTHING",
            )
            .bind(&campaign.id)
            .bind(&campaign.experiment)
            .bind(&campaign.treated)
            .bind(&campaign.control)
            .bind(to_json("imported_campaigns", &campaign.id, &campaign.goal)?)
            .execute(&mut *tx)
            .await
            .during(doing)?;
            if kept.rows_affected() == 0 {
                return Ok(Registered::Taken);
            }
        }
        for chunk in assignments.chunks(MAX_BINDS / 4) {
            let mut insert = QueryBuilder::new("INSERT INTO assignments (experiment, customer, arm, at) ");
            insert.push_values(chunk, |mut row, one| {
                row.push_bind(&experiment.name)
                    .push_bind(one.customer.0.to_vec())
                    .push_bind(&one.arm)
                    .push_bind(one.at);
            });
            insert.build().execute(&mut *tx).await.during(doing)?;
        }
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(Registered::New)
    }

    /// All campaigns of experiments, by id, with the title of their experiment.
    pub async fn imported_campaigns(&self) -> Result<Vec<(ImportedCampaign, Bilingual)>, StoreError> {
        let rows: Vec<(String, String, String, String, String, String)> = sqlx::query_as(
            "SELECT c.id, c.experiment, c.treated, c.control, c.goal, e.title FROM imported_campaigns c \
             JOIN experiments e ON e.name = c.experiment ORDER BY c.id",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading experiments")?;
        let one =
            |(id, experiment, treated, control, goal, title): (String, String, String, String, String, String)| {
                let goal = from_json("imported_campaigns", &id, &goal)?;
                let title = from_json("experiments", &experiment, &title)?;
                Ok((ImportedCampaign { id, experiment, treated, control, goal }, title))
            };
        rows.into_iter().map(one).collect()
    }
}
