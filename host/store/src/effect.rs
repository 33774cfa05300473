//! What was learnt: kept evaluations, findings to follow up, needs with their records, complaints against versions, and
//! what the host has to tell somebody.

use crate::error::{During, StoreError};
use crate::registry::{from_json, move_on, subject_of, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::brake::{Brake, Reaction};
use care_domain::follow_up::FollowUp;
use care_domain::governance::Submission;
use care_domain::need::{Need, Record, Source};
use sqlx::{QueryBuilder, Sqlite, Transaction};
use std::collections::BTreeMap;

/// A kept evaluation.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct KeptEvaluation {
    /// Its number.
    pub id: i64,
    /// The campaign.
    pub campaign: String,
    /// Its activity, or the experiment of an imported one.
    pub activity: String,
    /// Digest of the version; empty for an experiment of elsewhere.
    pub component: String,
    /// What was counted.
    pub metric: String,
    /// As it was told.
    pub document: serde_json::Value,
    /// Who kept it.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// What the host has to tell somebody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// Whom.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// About what: `submission 7`.
    pub subject: String,
    /// In words.
    pub text: String,
}

/// Messages that went out, counted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SentCount {
    /// Activity.
    pub activity: String,
    /// Channel.
    pub channel: String,
    /// To whom.
    pub addressee: String,
    /// Template.
    pub template: String,
    /// Attempt, from 1.
    pub round: i64,
    /// Home region of the customer; empty when unknown.
    pub region: String,
    /// Messages.
    pub messages: i64,
}

/// Outcomes counted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OutcomeCount {
    /// The activity they answer; empty where none is known.
    pub activity: String,
    /// Kind.
    pub kind: String,
    /// Outcomes.
    pub count: i64,
    /// Those with a figure.
    pub valued: i64,
    /// Sum of the figures.
    pub sum: i64,
}

impl Store {
    /// The brake in force; the usual one until the province sets its own.
    pub async fn brake(&self) -> Result<Brake, StoreError> {
        let document: Option<String> = sqlx::query_scalar("SELECT document FROM brakes ORDER BY id DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .during("reading the brake")?;
        document.map_or_else(|| Ok(Brake::default()), |text| from_json("brakes", "newest", &text))
    }

    /// Puts a brake in force.
    pub async fn set_brake(&self, brake: &Brake, entry: &Entry) -> Result<(), StoreError> {
        let document = to_json("brakes", "new", brake)?;
        let statement = sqlx::query("INSERT INTO brakes (document) VALUES (?)").bind(&document);
        self.change(statement, entry, "setting the brake").await.map(|_| ())
    }

    /// What came back about a version's messages that went out since `since`: outcomes of the braking `kinds` at most
    /// `window_ms` after a message, each counted for the one it names, else for the last before it.
    pub async fn reaction(
        &self,
        component: &str,
        kinds: &[&str],
        window_ms: i64,
        since: i64,
    ) -> Result<Reaction, StoreError> {
        let doing = "counting complaints";
        let messages: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM contacts WHERE component = ? AND addressee = 'customer' \
             AND state IN ('sent', 'unknown') AND planned_at >= ?",
        )
        .bind(component)
        .bind(since)
        .fetch_one(&self.readers)
        .await
        .during(doing)?;
        let mut select: QueryBuilder<Sqlite> =
            QueryBuilder::new("SELECT o.kind, COUNT(*) FROM outcomes o WHERE o.kind IN (");
        let mut list = select.separated(", ");
        for kind in kinds {
            list.push_bind((*kind).to_owned());
        }
        list.push_unseparated(") AND o.at >= ");
        select.push_bind(since).push(" AND ").push_bind(component.to_owned());
        select.push(
            " = (SELECT c.component FROM contacts c INDEXED BY contacts_by_customer WHERE c.customer = o.customer \
             AND c.addressee = 'customer' AND c.state IN ('sent', 'unknown') AND c.planned_at <= o.at \
             AND c.id = coalesce(o.contact, c.id) AND c.activity = coalesce(o.activity, c.activity) \
             AND c.planned_at >= ",
        );
        select.push_bind(since).push(" AND c.planned_at > o.at - ").push_bind(window_ms);
        select.push(" ORDER BY c.planned_at DESC, c.seq DESC LIMIT 1) GROUP BY o.kind");
        let counts: Vec<(String, i64)> = select.build_query_as().fetch_all(&self.readers).await.during(doing)?;
        let of = |complaint: bool| {
            let fits = counts.iter().filter(|(kind, _)| (kind == "complained") == complaint);
            fits.map(|(_, count)| *count as u64).sum()
        };
        Ok(Reaction { messages: messages as u64, complaints: of(true), enquiries: of(false) })
    }

    /// The host holds a version, and tells its author why, together.
    pub async fn hold(
        &self,
        id: i64,
        before: &str,
        after: &Submission,
        entry: &Entry,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        move_on(&mut tx, id, before, after, None).await?;
        let mut entry = Entry { subject: subject_of(id), ..entry.clone() };
        entry.detail["state"] = after.state().into();
        self.audit(&mut tx, &entry).await?;
        leave_notice(&mut tx, &after.author().person, &entry, text).await?;
        tx.commit().await.during("holding a version")
    }

    /// What somebody was told, newest first.
    pub async fn notices(&self, person: &str) -> Result<Vec<Notice>, StoreError> {
        let rows: Vec<(i64, String, i64, String, String)> =
            sqlx::query_as("SELECT id, person, at, subject, text FROM notices WHERE person = ? ORDER BY id DESC")
                .bind(person)
                .fetch_all(&self.readers)
                .await
                .during("reading notices")?;
        let one = |(id, person, at, subject, text)| Notice { id, person, at, subject, text };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Keeps an evaluation; `id`, `person` and `at` of the argument are ignored. Returns its number.
    pub async fn keep_evaluation(&self, kept: &KeptEvaluation, entry: Entry) -> Result<i64, StoreError> {
        let doing = "keeping an evaluation";
        let mut tx = self.write().await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO evaluations (campaign, activity, component, metric, document, person, at) \
             VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(&kept.campaign)
        .bind(&kept.activity)
        .bind(&kept.component)
        .bind(&kept.metric)
        .bind(kept.document.to_string())
        .bind(&entry.person)
        .bind(entry.at)
        .fetch_one(&mut *tx)
        .await
        .during(doing)?;
        self.audit(&mut tx, &Entry { subject: format!("evaluation {id}"), ..entry }).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// Kept evaluations, by number.
    pub async fn evaluations(&self) -> Result<Vec<KeptEvaluation>, StoreError> {
        type Row = (i64, String, String, String, String, String, String, i64);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, campaign, activity, component, metric, document, person, at FROM evaluations ORDER BY id",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading evaluations")?;
        let one = |(id, campaign, activity, component, metric, document, person, at): Row| {
            let document = from_json("evaluations", id, &document)?;
            Ok(KeptEvaluation { id, campaign, activity, component, metric, document, person, at })
        };
        rows.into_iter().map(one).collect()
    }

    /// Opens a finding and tells its owner; returns its number. `entry` gets it as its subject.
    pub async fn open_finding(&self, finding: &FollowUp, text: &str, entry: Entry) -> Result<i64, StoreError> {
        let doing = "opening a finding";
        let mut tx = self.write().await?;
        let id: i64 =
            sqlx::query_scalar("INSERT INTO findings (activity, state, document) VALUES (?, ?, ?) RETURNING id")
                .bind(&finding.activity)
                .bind(finding.state.name())
                .bind(to_json("findings", "new", finding)?)
                .fetch_one(&mut *tx)
                .await
                .during(doing)?;
        let entry = Entry { subject: format!("finding {id}"), ..entry };
        self.audit(&mut tx, &entry).await?;
        leave_notice(&mut tx, &finding.owner, &entry, text).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// Moves an open finding on; `false` when there is no such open one.
    pub async fn decide_finding(&self, id: i64, finding: &FollowUp, entry: &Entry) -> Result<bool, StoreError> {
        let document = to_json("findings", id, finding)?;
        let statement = sqlx::query("UPDATE findings SET state = ?, document = ? WHERE id = ? AND state = 'open'")
            .bind(finding.state.name())
            .bind(&document)
            .bind(id);
        self.change(statement, entry, "deciding about a finding").await
    }

    /// All findings, by number.
    pub async fn findings(&self) -> Result<BTreeMap<i64, FollowUp>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, document FROM findings ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .during("reading findings")?;
        rows.into_iter().map(|(id, document)| Ok((id, from_json("findings", id, &document)?))).collect()
    }

    /// Keeps records of needs; returns how many were new.
    pub async fn collect_records(&self, records: &[Record], entry: Entry) -> Result<u64, StoreError> {
        let doing = "collecting records";
        let mut tx = self.write().await?;
        let mut added = 0;
        for chunk in records.chunks(MAX_BINDS / 6) {
            let mut insert: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT INTO need_records (id, source, entry, region, at, score) ");
            insert.push_values(chunk, |mut row, record| {
                row.push_bind(&record.id)
                    .push_bind(record.source.name())
                    .push_bind(&record.entry)
                    .push_bind(&record.region)
                    .push_bind(record.at)
                    .push_bind(record.score);
            });
            insert.push(" ON CONFLICT DO NOTHING");
            added += insert.build().execute(&mut *tx).await.during(doing)?.rows_affected();
        }
        if added > 0 {
            let detail = serde_json::json!({"added": added});
            self.audit(&mut tx, &Entry { detail, ..entry }).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(added)
    }

    /// Records of an entry in `[from, until)`: those that were collected, and the complaints, enquiries and scores that
    /// customers told about `activities`.
    pub async fn records_of(
        &self,
        entry: &str,
        activities: &[&str],
        from: i64,
        until: i64,
    ) -> Result<Vec<Record>, StoreError> {
        let doing = "reading records of a need";
        type Row = (String, String, String, i64, Option<i64>);
        let collected: Vec<Row> = sqlx::query_as(
            "SELECT id, source, region, at, score FROM need_records WHERE entry = ? AND at >= ? AND at < ? ORDER BY id",
        )
        .bind(entry)
        .bind(from)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        let mut rows = collected;
        if !activities.is_empty() {
            let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
                "SELECT o.id, CASE o.kind WHEN 'complained' THEN 'complaint' WHEN 'enquired' THEN 'enquiry' \
                 ELSE 'survey' END, coalesce(c.region, ''), o.at, o.value FROM outcomes o \
                 LEFT JOIN contacts c ON c.id = o.contact WHERE o.kind IN ('complained', 'enquired', 'satisfied') \
                 AND o.at >= ",
            );
            select.push_bind(from).push(" AND o.at < ").push_bind(until).push(" AND o.activity IN (");
            let mut list = select.separated(", ");
            for activity in activities {
                list.push_bind((*activity).to_owned());
            }
            list.push_unseparated(") ORDER BY o.seq");
            rows.extend(select.build_query_as::<Row>().fetch_all(&self.readers).await.during(doing)?);
        }
        let one = |(id, source, region, at, score): Row| {
            let source =
                Source::from_name(&source).ok_or_else(|| StoreError::impossible("need_records", "source", &source))?;
            Ok(Record { id, source, entry: entry.to_owned(), region, at, score })
        };
        rows.into_iter().map(one).collect()
    }

    /// Opens a need; returns its number. `entry` gets it as its subject.
    pub async fn open_need(&self, need: &Need, entry: Entry) -> Result<i64, StoreError> {
        let doing = "opening a need";
        let mut tx = self.write().await?;
        let id: i64 = sqlx::query_scalar("INSERT INTO needs (entry, state, document) VALUES (?, ?, ?) RETURNING id")
            .bind(&need.entry)
            .bind(need.state.name())
            .bind(to_json("needs", "new", need)?)
            .fetch_one(&mut *tx)
            .await
            .during(doing)?;
        self.audit(&mut tx, &Entry { subject: format!("need {id}"), ..entry }).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// Moves a need on from the state `before`; `false` when somebody else moved it meanwhile.
    pub async fn move_need(&self, id: i64, before: &str, need: &Need, entry: &Entry) -> Result<bool, StoreError> {
        let document = to_json("needs", id, need)?;
        let statement = sqlx::query("UPDATE needs SET state = ?, document = ? WHERE id = ? AND state = ?")
            .bind(need.state.name())
            .bind(&document)
            .bind(id)
            .bind(before);
        self.change(statement, entry, "moving a need on").await
    }

    /// Names an activity as the answer to a need; `false` when it is named already.
    pub async fn answer_need(&self, id: i64, activity: &str, entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "INSERT INTO need_answers (need, activity, person, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(activity)
        .bind(&entry.person)
        .bind(entry.at);
        self.change(statement, entry, "answering a need").await
    }

    /// All needs by number, with the activities that answer them.
    pub async fn needs(&self) -> Result<BTreeMap<i64, (Need, Vec<String>)>, StoreError> {
        let doing = "reading needs";
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, document FROM needs ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .during(doing)?;
        let mut needs = BTreeMap::new();
        for (id, document) in rows {
            needs.insert(id, (from_json("needs", id, &document)?, Vec::new()));
        }
        let answers: Vec<(i64, String)> =
            sqlx::query_as("SELECT need, activity FROM need_answers ORDER BY need, activity")
                .fetch_all(&self.readers)
                .await
                .during(doing)?;
        for (need, activity) in answers {
            if let Some((_, of_it)) = needs.get_mut(&need) {
                of_it.push(activity);
            }
        }
        Ok(needs)
    }

    /// Messages that went out in `[from, until)`, counted.
    pub async fn sent_between(&self, from: i64, until: i64) -> Result<Vec<SentCount>, StoreError> {
        type Row = (String, String, String, String, i64, String, i64);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT c.activity, c.channel, c.addressee, c.template, c.round, c.region, COUNT(*) FROM contact_log l \
             JOIN contacts c ON c.id = l.contact WHERE l.state IN ('sent', 'unknown') AND l.at >= ? AND l.at < ? \
             GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6",
        )
        .bind(from)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during("counting messages")?;
        let one = |(activity, channel, addressee, template, round, region, messages): Row| SentCount {
            activity,
            channel,
            addressee,
            template,
            round,
            region,
            messages,
        };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Customers to whom an activity's messages went out in `[from, until)`, by activity.
    pub async fn customers_between(&self, from: i64, until: i64) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT c.activity, COUNT(DISTINCT c.customer) FROM contact_log l JOIN contacts c ON c.id = l.contact \
             WHERE l.state IN ('sent', 'unknown') AND l.at >= ? AND l.at < ? GROUP BY 1",
        )
        .bind(from)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during("counting customers")?;
        Ok(rows.into_iter().map(|(activity, count)| (activity, count as u64)).collect())
    }

    /// Outcomes that happened in `[from, until)`, counted by activity and kind.
    pub async fn outcomes_between(&self, from: i64, until: i64) -> Result<Vec<OutcomeCount>, StoreError> {
        let rows: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT coalesce(activity, ''), kind, COUNT(*), COUNT(value), coalesce(SUM(value), 0) FROM outcomes \
             WHERE at >= ? AND at < ? GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .bind(from)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during("counting outcomes")?;
        let one = |(activity, kind, count, valued, sum)| OutcomeCount { activity, kind, count, valued, sum };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Where each customer of an activity stands by the last of these outcome kinds before `until`: customers by kind.
    pub async fn last_states(
        &self,
        activity: &str,
        kinds: &[&str],
        until: i64,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT kind, COUNT(*) FROM (SELECT kind, \
               ROW_NUMBER() OVER (PARTITION BY customer ORDER BY at DESC, seq DESC) AS place FROM outcomes \
             WHERE activity = ",
        );
        select.push_bind(activity.to_owned()).push(" AND at < ").push_bind(until).push(" AND kind IN (");
        let mut list = select.separated(", ");
        for kind in kinds {
            list.push_bind((*kind).to_owned());
        }
        list.push_unseparated(")) WHERE place = 1 GROUP BY kind");
        let rows: Vec<(String, i64)> =
            select.build_query_as().fetch_all(&self.readers).await.during("counting where customers stand")?;
        Ok(rows.into_iter().map(|(kind, count)| (kind, count as u64)).collect())
    }
}

/// Leaves a notice about what an entry of the audit log tells.
pub(crate) async fn leave_notice(
    tx: &mut Transaction<'static, Sqlite>,
    person: &str,
    entry: &Entry,
    text: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO notices (person, at, subject, text) VALUES (?, ?, ?, ?)")
        .bind(person)
        .bind(entry.at)
        .bind(&entry.subject)
        .bind(text)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .during("leaving a notice")
}
