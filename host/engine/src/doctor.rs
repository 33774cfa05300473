//! Whether an installation is well: everything that an administrator would look at before and after a change, each with
//! what to do about it. Nothing is changed.

use crate::{Engine, EngineError};
use care_domain::time;
use care_store::PlanState;
use serde::Serialize;
use std::os::unix::fs::PermissionsExt;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wellness {
    /// As it should be.
    Well,
    /// It works; somebody should look at it.
    Look,
    /// It does not work, or will not.
    Ill,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// What.
    pub what: &'static str,
    /// How it is.
    pub health: Wellness,
    /// In words.
    pub found: String,
    /// What to do; empty when it is well.
    pub hint: &'static str,
}

impl Looked {
    fn well(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, health: Wellness::Well, found: found.into(), hint: "" }
    }

    fn look(what: &'static str, found: impl Into<String>, hint: &'static str) -> Self {
        Self { what, health: Wellness::Look, found: found.into(), hint }
    }

    fn ill(what: &'static str, found: impl Into<String>, hint: &'static str) -> Self {
        Self { what, health: Wellness::Ill, found: found.into(), hint }
    }
}

/// A population that is older is worth a look, in days: nobody is contacted on one that is older †.
const OLD_DAYS: i32 = 7;

impl Engine {
    /// Looks at everything, at the instant `at` by the clock on the wall.
    pub async fn look_over(&self, at: i64) -> Result<Vec<Looked>, EngineError> {
        let today = time::today(at);
        let mut found = vec![self.privacy(), self.databases().await?, self.audit(at).await?, self.files().await?];
        found.push(self.population(today).await?);
        found.push(self.policy(today).await);
        found.push(match self.gateways_in_force() {
            Ok(_) => Looked::well("gateways", "their configuration can be read; `care gateway check` tries them"),
            Err(error) => Looked::ill("gateways", error.to_string(), "Set them anew with `care gateway set`"),
        });
        found.push(self.work().await?);
        Ok(found)
    }

    fn privacy(&self) -> Looked {
        let open = std::fs::metadata(&self.folder).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
        match open {
            false => Looked::well("privacy", "only its owner may enter the data folder"),
            true => {
                Looked::ill("privacy", format!("others may enter {}", self.folder.display()), "Run chmod 700 on it")
            }
        }
    }

    async fn databases(&self) -> Result<Looked, EngineError> {
        let wrong = self.store.unsound().await?;
        let (state, identities) = care_store::known_schema();
        Ok(match wrong.first() {
            None => Looked::well("databases", format!("sound, schema {state} and {identities}")),
            Some(first) => {
                let found = format!("SQLite finds {} faults, the first: {first}", wrong.len());
                Looked::ill("databases", found, "Stop the server and restore a backup")
            }
        })
    }

    async fn audit(&self, at: i64) -> Result<Looked, EngineError> {
        let head = match self.verify_audit(None).await {
            Ok(head) => head,
            Err(error) => return Ok(Looked::ill("audit", error.to_string(), "Compare it with a backup")),
        };
        let last = self.store.audit_lines(None).await?.last().map_or(0, |line| line.entry.at);
        if last > at + time::DAY_MS {
            let found = format!("its last line is of {}", time::write_instant(last));
            return Ok(Looked::look("audit", found, "The clock of this machine was set back: check it"));
        }
        Ok(Looked::well("audit", format!("{} lines stand as they were written", head.number)))
    }

    /// Whatever the database speaks of lies on the disk as it was written.
    async fn files(&self) -> Result<Looked, EngineError> {
        let mut missing = Vec::new();
        for digest in self.store.blob_digests().await?.iter().filter(|digest| !digest.is_empty()) {
            if self.store.blobs().get(digest).is_err() {
                missing.push(format!("blobs/{digest}"));
            }
        }
        for digest in self.store.decision_logs().await? {
            if !care_population::decision_log::path_of(&self.decisions(), &digest).is_file() {
                missing.push(format!("decisions/{digest}"));
            }
        }
        for row in self.store.snapshots().await? {
            if self.snapshot(Some(&row.id), None).await.is_err() {
                missing.push(format!("snapshots/{}", row.id));
            }
        }
        Ok(match missing.first() {
            None => Looked::well("files", "everything that the database speaks of lies where it was written"),
            Some(first) => {
                let found = format!("{} are missing or damaged, the first: {first}", missing.len());
                Looked::ill("files", found, "Copy them back from a backup")
            }
        })
    }

    async fn population(&self, today: i32) -> Result<Looked, EngineError> {
        let newest = self.store.snapshots().await?.into_iter().next();
        let hint = "Import one with `care population import`";
        Ok(match newest {
            None => Looked::look("population", "there is none yet", hint),
            Some(row) if today - row.business_date > OLD_DAYS => {
                let found = format!("the newest is of {}", time::write_date(row.business_date));
                Looked::look("population", found, hint)
            }
            Some(row) => Looked::well("population", format!("{} customers", row.customers)),
        })
    }

    async fn policy(&self, today: i32) -> Looked {
        if let Err(error) = self.policy_in_force().await {
            return Looked::ill("policy", error.to_string(), "See `care policy history`");
        }
        let year = time::date_of(today).map(|date| date.year());
        let calendars = self.calendars().await.unwrap_or_default();
        match year {
            Some(year) if !calendars.contains_key(&year) => {
                let found = format!("a policy is in force; there is no calendar of {year}");
                Looked::look("policy", found, "Import one with `care calendar import` if a rule asks for days off")
            }
            _ => Looked::well("policy", "a policy is in force"),
        }
    }

    async fn work(&self) -> Result<Looked, EngineError> {
        let plans = self.store.plans().await?;
        let open = plans.iter().filter(|p| !matches!(p.state, PlanState::Released { .. } | PlanState::Cancelled(_)));
        let (open, dead) = (open.count(), self.store.dead_letters().await?.len());
        Ok(match (open, dead) {
            (0, 0) => Looked::well("work", "no plan is unfinished, no contact was given up"),
            _ => {
                let found = format!("{open} plans are unfinished, {dead} contacts were given up");
                Looked::look("work", found, "See `care plan show --all` and `care dispatch dead`")
            }
        })
    }
}
