//! Export for the business-analysis system: every table and every decision, without anything that tells who somebody is.

use crate::event::read_batch;
use crate::{Engine, EngineError};
use care_domain::contact::Channel;
use care_domain::event::{Event, EventId, Standing};
use care_domain::export::{Cell, DECISIONS, EVENTS, TABLES};
use care_domain::verdict::Decision;
use care_population::decision_log;
use care_population::export::{Form, TableFile};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows written at once.
const PAGE: u32 = 20_000;

impl Engine {
    /// Writes every table into a folder, one file each; files of before are replaced. Returns rows by table.
    pub async fn export(&self, folder: &Path, form: Form) -> Result<BTreeMap<&'static str, u64>, EngineError> {
        std::fs::create_dir_all(folder).map_err(EngineError::file(folder, "creating the folder"))?;
        let mut written = BTreeMap::new();
        for table in TABLES {
            let mut file = TableFile::create(folder, table, form)?;
            let mut after = None;
            while let Some((rows, next)) = self.store.export_page(&table, after.as_ref(), PAGE).await? {
                file.write(&rows)?;
                after = Some(next);
            }
            written.insert(table.name, file.finish()?);
        }
        let (decisions, events) = self.export_decisions(folder, form).await?;
        written.extend([(DECISIONS.name, decisions), (EVENTS.name, events)]);
        Ok(written)
    }

    /// Decisions of plans and of events, and the events themselves; rows of each.
    async fn export_decisions(&self, folder: &Path, form: Form) -> Result<(u64, u64), EngineError> {
        let mut file = TableFile::create(folder, DECISIONS, form)?;
        let mut plans = self.store.plans().await?;
        plans.sort_by(|a, b| a.id.cmp(&b.id));
        for plan in plans {
            for result in self.store.tasks(&plan.id).await?.into_values().flatten() {
                let path = decision_log::path_of(&self.decisions(), &result.log);
                let log = tokio::task::spawn_blocking(move || decision_log::read(&path));
                let decisions = log.await.map_err(EngineError::internal)??;
                let rows: Vec<Vec<Cell>> = decisions.iter().map(|decision| row(&plan.id, decision)).collect();
                rows.chunks(PAGE as usize).try_for_each(|rows| file.write(rows))?;
            }
        }
        let mut told = TableFile::create(folder, EVENTS, form)?;
        for number in 1..=self.store.last_event_batch().await? {
            let batch = self.kept_batch(number).await?;
            let (events, decisions) = read_batch(&batch)?;
            let decided: Vec<Vec<Cell>> = decisions.iter().map(|decision| row(&batch.world, decision)).collect();
            file.write(&decided)?;
            let events: Vec<Vec<Cell>> = events.iter().map(|event| event_row(number, event)).collect();
            told.write(&events)?;
        }
        Ok((file.finish()?, told.finish()?))
    }
}

/// An event in the order of `EVENTS`. What came with it stays behind: a source may write what it knows of a customer there.
fn event_row(batch: i64, event: &Event) -> Vec<Cell> {
    let standing = match event.standing {
        Standing::Offered => "offered",
        Standing::Late => "late",
        Standing::Overtaken => "overtaken",
    };
    vec![
        Cell::Whole(batch),
        Cell::Text(event.source.clone()),
        Cell::Text(EventId::of(&event.source, &event.id).to_string()),
        Cell::Text(event.kind.clone()),
        Cell::Text(event.customer.to_string()),
        Cell::Whole(event.time),
        Cell::Text(standing.to_owned()),
    ]
}

/// A decision in the order of `DECISIONS`. Its figures stay behind: a rule may write what it saw of a customer there.
fn row(plan: &str, d: &Decision) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    vec![
        text(plan),
        Cell::Text(d.customer.to_string()),
        text(&d.campaign),
        text(&d.activity),
        text(&d.reason),
        Cell::Whole(d.occasion),
        Cell::Whole(i64::from(d.round)),
        Cell::Real(f64::from(d.score)),
        Cell::Whole(d.not_before),
        Cell::Whole(d.not_after),
        d.planned_at.map_or(Cell::None, Cell::Whole),
        d.channel.map_or(Cell::None, |channel: Channel| text(channel.name())),
        text(d.verdict.name()),
        text(&d.rule),
        d.winner.as_deref().map_or(Cell::None, text),
    ]
}
