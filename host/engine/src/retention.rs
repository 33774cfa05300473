//! Retention: what is older than an administrator lets it be goes, once a day or when somebody asks, unless a cap, an open
//! occasion, a replay or an evaluation still needs it. Every run leaves a report. Whose name and number a key is goes by
//! erasure (`erasure.rs`); here goes what was decided, said and sent.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::Act;
use care_domain::retention::{self, CampaignFacts, Needed, Retention};
use care_domain::time;
use care_store::{OldContacts, RetentionRun};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// What a run did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RetentionReport {
    /// Whether it only looked.
    pub dry_run: bool,
    /// The periods it went by.
    pub periods: Retention,
    /// Contacts of which it is not known any more what was said.
    pub messages: u64,
    /// Prompts of which it is not known any more what was said.
    pub prompts: u64,
    /// Contacts that are gone.
    pub contacts: u64,
    /// Held-out customers that are gone.
    pub held_out: u64,
    /// Batches of events that are gone.
    pub event_batches: u64,
    /// Plans that cannot be explained or replayed any more.
    pub plans: u64,
    /// Files of the outbox that are gone.
    pub outbox_files: u64,
    /// What other systems were told, gone.
    pub webhook_events: u64,
    /// Calls that are gone, with the prompts that were shown in them.
    pub calls: u64,
    /// Old calls in which something was declined that would be shown again.
    pub calls_kept: u64,
    /// What is old and stays, and why.
    pub kept: Vec<KeptContacts>,
}

/// Old contacts that stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptContacts {
    /// Whose.
    pub campaign: String,
    /// How many.
    pub contacts: u64,
    /// What needs them.
    pub because: Needed,
}

impl Engine {
    /// The periods in force; everything for ever where nobody set any.
    pub async fn retention(&self) -> Result<Retention, EngineError> {
        Ok(self.store.retention().await?)
    }

    /// Says how long records are kept, from the next run on.
    pub async fn set_retention(&self, periods: &Retention, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::Retain, None, at).await?;
        periods.check().map_err(|error| {
            let hint = "Nothing was set; keep contacts at least as long as decision logs, and leave away what stays";
            EngineError::refused("bad-retention", error.to_string(), hint)
        })?;
        let entry = Entry::of(&actor, "retention-set", "retention", json!(periods)).because(reason.trim());
        Ok(self.store.set_retention(periods, &entry).await?)
    }

    /// The last runs, the newest first.
    pub async fn retention_runs(&self, limit: u32) -> Result<Vec<RetentionRun>, EngineError> {
        Ok(self.store.retention_runs(limit).await?)
    }

    /// Deletes what is too old at `at`; a dry run looks only.
    pub async fn retain(&self, dry: bool, by: &str, at: i64) -> Result<RetentionReport, EngineError> {
        let actor = self.authorise(by, Act::Retain, None, at).await?;
        let report = self.forget(dry, at).await?;
        if !dry {
            let entry = Entry::of(&actor, "retention-run", "retention", json!(report));
            self.store.keep_retention_run(&json!(report), &entry).await?;
        }
        Ok(report)
    }

    /// The same in the host's own name, once a day; `None` where it was done today, or nobody set periods.
    pub async fn retain_daily(&self, at: i64) -> Result<Option<RetentionReport>, EngineError> {
        let last = self.store.retention_runs(1).await?.first().map(|run| time::today(run.at));
        let nothing = self.retention().await? == Retention::default();
        if nothing || last.is_some_and(|date| date >= time::today(at)) {
            return Ok(None);
        }
        let report = self.forget(false, at).await?;
        let entry = crate::people::host_entry(at, "retention-run", "retention", json!(report));
        self.store.keep_retention_run(&json!(report), &entry).await?;
        Ok(Some(report))
    }

    async fn forget(&self, dry: bool, at: i64) -> Result<RetentionReport, EngineError> {
        let periods = self.retention().await?;
        let mut report = RetentionReport { dry_run: dry, periods, ..RetentionReport::default() };
        if let Some(before) = retention::before(periods.decision_logs, at) {
            report.plans = self.store.forget_decisions(time::today(before), at, dry).await?;
            if !dry {
                self.collect_orphans(at).await?;
            }
        }
        if let Some(before) = retention::before(periods.messages, at) {
            report.messages = self.store.forget_messages(before, at, dry).await?;
            report.prompts = self.store.forget_prompts(before, at, dry).await?;
        }
        if let Some(before) = retention::before(periods.events, at) {
            report.event_batches = self.store.forget_events(before, dry).await?;
        }
        if let Some(before) = retention::before(periods.outbox, at) {
            report.outbox_files = self.forget_files(before, dry).await?;
        }
        if let Some(before) = retention::before(periods.webhooks, at) {
            report.webhook_events = self.store.forget_told(before, dry).await?;
        }
        if let Some(before) = retention::before(periods.calls, at) {
            let campaigns = self.store.campaigns().await?;
            let running = campaigns.into_iter().filter(|c| c.active).map(|c| c.activity).collect();
            (report.calls, report.calls_kept) = self.store.forget_calls(before, &running, dry).await?;
        }
        self.forget_contacts(&mut report, at).await?;
        Ok(report)
    }

    /// Contacts go last: what is replayed on them went before.
    async fn forget_contacts(&self, report: &mut RetentionReport, at: i64) -> Result<(), EngineError> {
        let replayable = self.replayable().await?;
        let cap_days = self.longest_cap().await?;
        let instants = replayable.values().copied();
        let Some(before) = retention::contacts_before(report.periods.contacts, at, cap_days, instants) else {
            return Ok(());
        };
        let mut free = Vec::new();
        for (campaign, old) in self.store.old_contacts(before).await? {
            let facts = self.facts_of(&campaign, &old, &replayable).await?;
            match retention::needed(&facts, at) {
                Some(because) => report.kept.push(KeptContacts { campaign, contacts: old.contacts, because }),
                None => {
                    report.contacts += old.contacts;
                    free.push(campaign);
                }
            }
        }
        if !report.dry_run {
            (report.contacts, report.held_out) = self.store.forget_contacts(&free, before).await?;
        }
        Ok(())
    }

    /// Activities and instants of plans and batches of events that may still be replayed: by activity the earliest.
    async fn replayable(&self) -> Result<BTreeMap<String, i64>, EngineError> {
        let forgotten = self.store.forgotten_plans().await?;
        let mut earliest: BTreeMap<String, i64> = BTreeMap::new();
        for plan in self.store.plans().await?.into_iter().filter(|plan| !forgotten.contains(&plan.id)) {
            for campaign in &plan.pins.campaigns {
                let known = earliest.entry(campaign.activity.clone()).or_insert(plan.pins.instant);
                *known = (*known).min(plan.pins.instant);
            }
        }
        for (world, instant) in self.store.first_event_batches().await? {
            for campaign in self.pins_of(&world).await?.campaigns {
                let known = earliest.entry(campaign.activity).or_insert(instant);
                *known = (*known).min(instant);
            }
        }
        Ok(earliest)
    }

    /// The longest window of any cap that holds or held, in days.
    async fn longest_cap(&self) -> Result<u32, EngineError> {
        let policies = self.policy_versions().await?;
        let submissions = self.store.submissions().await?;
        let granted = submissions.iter().filter_map(|s| s.approval.as_ref()).map(|approval| approval.cap.days);
        let of_policies = policies.iter().flat_map(|version| {
            let further = version.policy.caps.iter().map(|cap| cap.window.days());
            further.chain([version.policy.global_cap.days])
        });
        Ok(granted.chain(of_policies).max().unwrap_or(0))
    }

    async fn facts_of(
        &self,
        campaign: &str,
        old: &OldContacts,
        replayable: &BTreeMap<String, i64>,
    ) -> Result<CampaignFacts, EngineError> {
        let campaigns = self.store.campaigns().await?;
        let submissions = self.store.submissions().await?;
        let own = campaigns.iter().find(|c| c.id == campaign);
        let activity = own.map(|c| c.activity.as_str()).unwrap_or_default();
        let version = submissions.iter().find(|s| own.is_some_and(|c| s.version.component == c.component));
        Ok(CampaignFacts {
            activity_runs: campaigns.iter().any(|c| c.active && c.activity == activity),
            replayable: replayable.contains_key(activity),
            budgeted: version.is_some_and(|s| {
                s.submission.may_start() && s.approval.as_ref().is_some_and(|approval| approval.budget_fen.is_some())
            }),
            last: old.last,
            window_days: version.map_or(0, |s| s.version.manifest.goal.window_days),
            evaluated_at: old.evaluated_at,
        })
    }

    /// Removes files of the outbox whose batches are settled and old.
    async fn forget_files(&self, before: i64, dry: bool) -> Result<u64, EngineError> {
        let young: BTreeSet<String> = self.store.young_batches(before).await?;
        let outbox = self.folder.join("outbox");
        let read = |path: &std::path::Path| {
            let entries = fs::read_dir(path).map_err(EngineError::file(path, "reading the folder"))?;
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<Result<Vec<_>, _>>().map_err(EngineError::file(path, "reading the folder"))
        };
        let mut gone = 0;
        for channel in read(&outbox)?.into_iter().filter(|path| path.is_dir()) {
            for file in read(&channel)? {
                let batch =
                    file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jsonl"));
                if batch.is_none_or(|batch| young.contains(batch)) {
                    continue;
                }
                gone += 1;
                if !dry {
                    fs::remove_file(&file).map_err(EngineError::file(&file, "removing what is old"))?;
                }
            }
        }
        Ok(gone)
    }
}

/// What is said in place of a message that retention took.
pub(crate) fn forgotten(at: i64) -> String {
    format!("(what was said is not kept any more; forgotten {})", time::write_instant(at))
}
