//! The loop back: evaluations that are kept, findings that somebody follows up, needs from their records to the
//! activities that answer them.

use crate::outcome::RejectedLine;
use crate::{Engine, EngineError, Evaluation};
use care_domain::audit::Entry;
use care_domain::catalogue;
use care_domain::follow_up::{FollowUp, NotSo, State};
use care_domain::governance::Deed;
use care_domain::need::{self, Need, NotYet, Record, Source};
use care_domain::person::{Act, Actor};
use care_domain::text::nearest_hint;
use care_domain::{region, time};
use care_population::rows;
use care_store::{KeptEvaluation, StoredSubmission};
use semver::Version;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// A finding to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// The activity.
    pub activity: String,
    /// The version it was found about; the newest that ran when absent.
    pub version: Option<Version>,
    /// What was found, in a sentence.
    pub what: String,
    /// Who answers for it; the version's author when absent.
    pub owner: Option<String>,
    /// Last date on which it is in time, in days.
    pub due: i32,
    /// The kept evaluation that shows it.
    pub evaluation: Option<i64>,
}

/// A need to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNeed {
    /// Entry of the catalogue.
    pub entry: String,
    /// What people call it.
    pub title: String,
    /// Records from this instant on.
    pub from: i64,
    /// Records before this instant.
    pub until: i64,
}

/// An import of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordImport {
    /// New ones.
    pub added: u64,
    /// Known before.
    pub repeated: u64,
    /// Lines left out, with the reason.
    pub rejected: Vec<RejectedLine>,
}

const RECORD_COLUMNS: [&str; 6] = ["id", "source", "entry", "region", "at", "score"];

impl Engine {
    /// Keeps an evaluation as it was told; returns its number.
    pub async fn keep_evaluation(&self, found: &Evaluation, by: &str, at: i64) -> Result<i64, EngineError> {
        let actor = self.authorise(by, Act::KeepEvaluation, None, at).await?;
        let component = match found.imported {
            true => String::new(),
            false => self.campaign(&found.campaign).await?.component,
        };
        let kept = KeptEvaluation {
            id: 0,
            campaign: found.campaign.clone(),
            activity: found.activity.clone(),
            component,
            metric: found.metric.clone(),
            document: serde_json::to_value(found).map_err(EngineError::internal)?,
            person: actor.person.clone(),
            at,
        };
        let difference = found.compared.effect.map(|effect| effect.difference);
        let detail = json!({"campaign": found.campaign, "metric": found.metric, "difference": difference});
        Ok(self.store.keep_evaluation(&kept, Entry::of(&actor, "evaluation-kept", "", detail)).await?)
    }

    /// Opens a finding about a version; returns its number. Its owner is told.
    pub async fn open_finding(&self, new: &NewFinding, by: &str, at: i64) -> Result<i64, EngineError> {
        let about = self.version_of(&new.activity, new.version.as_ref()).await?;
        let manifest = &about.version.manifest;
        let actor = self.authorise(by, Act::OpenFinding, Some(&manifest.owner_region), at).await?;
        if let Some(number) = new.evaluation {
            let kept = self.store.evaluations().await?;
            if !kept.iter().any(|e| e.id == number && e.activity == new.activity) {
                let message = format!("there is no kept evaluation {number} of {}", new.activity);
                return Err(EngineError::refused("unknown-evaluation", message, "See `care knowledge show`"));
            }
        }
        let owner = new.owner.clone().unwrap_or_else(|| about.submission.author().person.clone());
        self.registered(&owner).await?;
        let finding = FollowUp {
            activity: new.activity.clone(),
            version: manifest.version.clone(),
            what: new.what.trim().to_owned(),
            evaluation: new.evaluation,
            owner: owner.clone(),
            due: new.due,
            opened: deed_of(&actor),
            state: State::Open,
        };
        finding.check(time::today(at)).map_err(|e| not_so("the finding", &e))?;
        let detail = json!({"activity": finding.activity, "version": finding.version, "owner": owner,
            "due": time::write_date(finding.due), "evaluation": finding.evaluation});
        let entry = Entry::of(&actor, "finding-opened", "", detail).because(&finding.what);
        let text = format!(
            "{} {}: {} To be mended by a new version until {}.",
            finding.activity,
            finding.version,
            finding.what,
            time::write_date(finding.due)
        );
        Ok(self.store.open_finding(&finding, &text, entry).await?)
    }

    /// Closes a finding: a newer, approved version mends it.
    pub async fn close_finding(&self, id: i64, version: &Version, by: &str, at: i64) -> Result<(), EngineError> {
        let (finding, actor) = self.finding_for(id, by, at).await?;
        let mending = self.version_of(&finding.activity, Some(version)).await?;
        let (approved, state) = (mending.submission.may_start(), mending.submission.state());
        let closed = finding.close(version.clone(), approved, state, deed_of(&actor));
        let closed = closed.map_err(|e| not_so(&format!("finding {id}"), &e))?;
        let entry = Entry::of(&actor, "finding-closed", format!("finding {id}"), json!({"version": version}));
        self.decided(id, self.store.decide_finding(id, &closed, &entry).await?)
    }

    /// Drops a finding that was none.
    pub async fn drop_finding(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let (finding, actor) = self.finding_for(id, by, at).await?;
        let dropped = finding.drop_it(deed_of(&actor), reason).map_err(|e| not_so(&format!("finding {id}"), &e))?;
        let entry = Entry::of(&actor, "finding-dropped", format!("finding {id}"), json!({})).because(reason.trim());
        self.decided(id, self.store.decide_finding(id, &dropped, &entry).await?)
    }

    fn decided(&self, id: i64, moved: bool) -> Result<(), EngineError> {
        let message = format!("finding {id} was decided about meanwhile");
        moved.then_some(()).ok_or_else(|| EngineError::refused("decided-once", message, "See `care finding list`"))
    }

    async fn finding_for(&self, id: i64, by: &str, at: i64) -> Result<(FollowUp, Actor), EngineError> {
        let found = self.store.findings().await?.remove(&id).ok_or_else(|| {
            EngineError::refused("unknown-finding", format!("there is no finding {id}"), "See `care finding list`")
        })?;
        let about = self.version_of(&found.activity, Some(&found.version)).await?;
        let region = &about.version.manifest.owner_region;
        let actor = self.authorise(by, Act::DecideFinding, Some(region), at).await?;
        Ok((found, actor))
    }

    /// A version of an activity; the newest that ran when none is named.
    async fn version_of(&self, activity: &str, version: Option<&Version>) -> Result<StoredSubmission, EngineError> {
        let all = self.submissions().await?;
        let names: Vec<&str> = all.iter().map(|s| s.version.manifest.name.as_str()).collect();
        let near = nearest_hint(activity, names);
        let of_it = all.iter().filter(|s| s.version.manifest.name == activity);
        let found = match version {
            Some(version) => of_it.filter(|s| s.version.manifest.version == *version).max_by_key(|s| s.id),
            None => {
                let ran = |s: &&StoredSubmission| matches!(s.submission.state(), "active" | "suspended" | "retired");
                of_it.filter(ran).max_by_key(|s| &s.version.manifest.version)
            }
        };
        found.cloned().ok_or_else(|| {
            let what = version.map_or_else(|| "a version that ran".to_owned(), |v| format!("version {v}"));
            let message = format!("activity {activity:?} has not {what}");
            EngineError::refused("unknown-version", message, format!("List them with `care plugin list`{near}"))
        })
    }

    async fn registered(&self, person: &str) -> Result<(), EngineError> {
        let known = self.store.appointments().await?;
        if known.iter().any(|a| a.person == person) {
            return Ok(());
        }
        let near = nearest_hint(person, known.iter().map(|a| a.person.as_str()));
        let message = format!("{person:?} is not registered here{near}");
        Err(EngineError::refused("unknown-person", message, "See `care user list`"))
    }

    /// Collects records of needs from CSV: `id,source,entry,region,at[,score]`. No person and no words are kept; the same
    /// id again adds nothing.
    pub async fn collect_records(&self, csv: &str, by: &str, at: i64) -> Result<RecordImport, EngineError> {
        let actor = self.authorise(by, Act::StudyNeed, None, at).await?;
        let mut lines = rows::of_text(csv);
        let header: Vec<String> = lines.next().map(|(_, cells)| cells).unwrap_or_default();
        let sound = header.len() >= 5 && header.iter().zip(RECORD_COLUMNS).all(|(h, c)| h == c);
        if !sound || header.len() > RECORD_COLUMNS.len() {
            let hint = format!("The header is {}; score may be left away", RECORD_COLUMNS.join(","));
            return Err(EngineError::refused("bad-header", "the file does not begin with that header", hint));
        }
        let (mut records, mut rejected) = (Vec::new(), Vec::new());
        for (line, cells) in lines {
            match record_of(&cells, header.len()) {
                Ok(record) => records.push(record),
                Err(reason) => rejected.push(RejectedLine::new(line, "unreadable", reason)),
            }
        }
        let entry = Entry::of(&actor, "records-collected", "needs", json!({}));
        let added = self.store.collect_records(&records, entry).await?;
        Ok(RecordImport { added, repeated: records.len() as u64 - added, rejected })
    }

    /// Opens a need over the records of a catalogue entry; returns its number.
    pub async fn open_need(&self, new: &NewNeed, by: &str, at: i64) -> Result<i64, EngineError> {
        let actor = self.authorise(by, Act::StudyNeed, None, at).await?;
        known_entry(&new.entry).map_err(|message| EngineError::refused("unknown-entry", message, "See S1's list"))?;
        if new.title.trim().is_empty() || new.from >= new.until {
            let message = "a need has a title, and a span of time that is not empty";
            return Err(EngineError::refused("bad-need", message, "Check --title, --from and --until"));
        }
        let need = Need {
            entry: new.entry.clone(),
            title: new.title.trim().to_owned(),
            from: new.from,
            until: new.until,
            opened: deed_of(&actor),
            state: need::State::Collected,
        };
        let entry = Entry::of(&actor, "need-opened", "", json!({"entry": need.entry, "title": need.title}));
        Ok(self.store.open_need(&need, entry).await?)
    }

    /// Counts a need's records and finds where it is weak.
    pub async fn analyse_need(&self, id: i64, by: &str, at: i64) -> Result<Need, EngineError> {
        let actor = self.authorise(by, Act::StudyNeed, None, at).await?;
        let (need, _) = self.need(id).await?;
        let submissions = self.submissions().await?;
        let mut answering: Vec<&str> = submissions
            .iter()
            .filter(|s| s.version.manifest.catalogue.contains(&need.entry))
            .map(|s| s.version.manifest.name.as_str())
            .collect();
        answering.dedup();
        let records = self.store.records_of(&need.entry, &answering, need.from, need.until).await?;
        let customers = self.customers_by_region().await?;
        let analysis = need::analyse(&records, &customers);
        let detail = json!({"volume": analysis.volume, "weak": analysis.weak.len()});
        let before = need.state.name();
        let after = need.analysed(analysis, deed_of(&actor)).map_err(|e| not_yet(id, &e))?;
        let entry = Entry::of(&actor, "need-analysed", format!("need {id}"), detail);
        self.moved(id, self.store.move_need(id, before, &after, &entry).await?)?;
        Ok(after)
    }

    /// Publishes a need: activities may answer it from now on.
    pub async fn publish_need(&self, id: i64, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::PublishNeed, None, at).await?;
        let (need, _) = self.need(id).await?;
        let before = need.state.name();
        let after = need.published(deed_of(&actor)).map_err(|e| not_yet(id, &e))?;
        let entry = Entry::of(&actor, "need-published", format!("need {id}"), json!({}));
        self.moved(id, self.store.move_need(id, before, &after, &entry).await?)
    }

    /// Names an activity as the answer to a published need; it must be of the need's entry.
    pub async fn answer_need(&self, id: i64, activity: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let (need, _) = self.need(id).await?;
        let submissions = self.submissions().await?;
        let newest = submissions.iter().rev().find(|s| s.version.manifest.name == activity);
        let newest = newest.ok_or_else(|| {
            let near = nearest_hint(activity, submissions.iter().map(|s| s.version.manifest.name.as_str()));
            let message = format!("there is no activity {activity:?}");
            EngineError::refused("unknown-activity", message, format!("Upload it first{near}"))
        })?;
        let manifest = &newest.version.manifest;
        let actor = self.authorise(by, Act::AnswerNeed, Some(&manifest.owner_region), at).await?;
        need.may_be_answered().map_err(|e| not_yet(id, &e))?;
        if !manifest.catalogue.contains(&need.entry) {
            let message = format!("{activity} is for {}, not for {}", manifest.catalogue.join(", "), need.entry);
            return Err(EngineError::refused("other-entry", message, "Name an activity of that catalogue entry"));
        }
        let entry = Entry::of(&actor, "need-answered", format!("need {id}"), json!({"activity": activity}));
        if self.store.answer_need(id, activity, &entry).await? {
            return Ok(());
        }
        let message = format!("{activity} answers need {id} already");
        Err(EngineError::refused("already-answered", message, "Nothing to do"))
    }

    /// A need with the activities that answer it.
    pub async fn need(&self, id: i64) -> Result<(Need, Vec<String>), EngineError> {
        self.store.needs().await?.remove(&id).ok_or_else(|| {
            EngineError::refused("unknown-need", format!("there is no need {id}"), "See `care need list`")
        })
    }

    fn moved(&self, id: i64, moved: bool) -> Result<(), EngineError> {
        let message = format!("need {id} was moved on meanwhile");
        moved.then_some(()).ok_or_else(|| EngineError::refused("decided-once", message, "See `care need show`"))
    }

    /// Customers of the newest snapshot by home region; nothing where there is no snapshot or no region in it.
    async fn customers_by_region(&self) -> Result<BTreeMap<String, u64>, EngineError> {
        let Ok(snapshot) = self.snapshot(None, None).await else { return Ok(BTreeMap::new()) };
        let job = tokio::task::spawn_blocking(move || {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for bucket in care_domain::key::Bucket::all(snapshot.manifest().bits) {
                let data = snapshot.bucket(bucket)?;
                let Some(column) = data.column("home-adcode") else { continue };
                for code in (0..data.rows()).filter_map(|row| column.text(row)) {
                    *counts.entry(code.to_owned()).or_default() += 1;
                }
            }
            Ok(counts)
        });
        job.await.map_err(EngineError::internal)?
    }
}

fn record_of(cells: &[String], width: usize) -> Result<Record, String> {
    if cells.len() != width {
        return Err(format!("{} cells, the header has {width}", cells.len()));
    }
    let [id, source, entry, region, at, rest @ ..] = cells else { return Err("too few cells".into()) };
    let source = Source::from_name(source).ok_or("source is none of complaint, enquiry, survey")?;
    known_entry(entry)?;
    if id.is_empty() || id.len() > 128 {
        return Err("id is blank or longer than 128 bytes".into());
    }
    if !region.is_empty() && !region::is_code(region) {
        return Err("region is no administrative code".into());
    }
    let score = rest.first().filter(|cell| !cell.is_empty()).map(|cell| cell.parse::<i64>());
    let score = score.transpose().map_err(|_| "score is no whole number")?;
    match (source, score) {
        (Source::Survey, Some(1..=10)) | (Source::Complaint | Source::Enquiry, None) => {}
        (Source::Survey, _) => return Err("a survey has a score from 1 to 10".into()),
        _ => return Err("only a survey has a score".into()),
    }
    Ok(Record {
        id: id.clone(),
        source,
        entry: entry.clone(),
        region: region.clone(),
        at: time::parse_instant(at).ok_or("at is no instant, such as 2026-07-30T10:00:00+08:00")?,
        score,
    })
}

fn known_entry(entry: &str) -> Result<(), String> {
    let known = || catalogue::CATEGORIES.iter().flat_map(|category| category.entries).map(|e| e.name);
    if entry == catalogue::OTHER || known().any(|name| name == entry) {
        return Ok(());
    }
    Err(format!("the catalogue has no entry {entry:?}{}", nearest_hint(entry, known())))
}

fn deed_of(actor: &Actor) -> Deed {
    Deed { person: actor.person.clone(), at: actor.at }
}

fn not_so(what: &str, error: &NotSo) -> EngineError {
    let (code, hint) = match error {
        NotSo::Decided(_) => ("decided-once", "See `care finding list`"),
        NotSo::Empty => ("no-reason", "Say what, in a sentence that its owner can act on"),
        NotSo::Past => ("bad-deadline", "Use --due with a date to come"),
        NotSo::NotNewer { .. } | NotSo::NotApproved { .. } => {
            ("not-mended", "Upload a newer version and have it approved first")
        }
        NotSo::OwnWork(_) => ("four-eyes", "Ask somebody else who may decide"),
    };
    EngineError::refused(code, format!("{what}: {error}"), hint)
}

fn not_yet(id: i64, error: &NotYet) -> EngineError {
    EngineError::refused("need-state", format!("need {id}: {error}"), "See `care need show`")
}
