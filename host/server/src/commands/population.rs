//! `care population`, `care table`, `care list`.

use super::{open, read};
use crate::answer::{Answer, table as grid};
use crate::args::{Args, ListCommand, PopulationCommand, TableCommand};
use crate::clock::now_ms;
use crate::progress::{Meter, bar};
use crate::views;
use care_domain::time::write_date;
use care_engine::{Engine, EngineError, GenerateOptions, Imported, Populating};
use serde_json::json;
use std::path::Path;

/// `care population`
pub(crate) async fn run(args: &Args, command: &PopulationCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let who = (args.user.as_str(), now_ms());
    match command {
        PopulationCommand::Import { file, mapping, date, max_bad } => {
            let rows = bar(args, None, "importing");
            let mapping = read(mapping)?;
            let done = engine.import_population(file, &mapping, *date, *max_bad, who, shown(rows)).await?;
            Ok(imported(&done))
        }
        PopulationCommand::Generate { customers, seed, date } => {
            let rows = bar(args, Some(*customers), "making up customers");
            let options = GenerateOptions { customers: *customers, seed: *seed, business_date: *date };
            let done = engine.generate_population(options, who, shown(rows)).await?;
            Ok(imported(&done))
        }
        PopulationCommand::Show { snapshot: None, customer: None } => snapshots(&engine).await,
        PopulationCommand::Show { snapshot, customer: None } => one(&engine, snapshot.as_deref()).await,
        PopulationCommand::Show { snapshot, customer: Some(customer) } => {
            customer_in(&engine, snapshot.as_deref(), customer).await
        }
    }
}

/// Tells rows, and then identities from the beginning.
fn shown(meter: Meter) -> impl FnMut(Populating) + Send + 'static {
    move |progress| match progress {
        Populating::Rows(rows) => meter.set_position(rows),
        Populating::Identities(kept) => {
            meter.say("keeping identities".into());
            meter.set_position(kept);
        }
    }
}

fn imported(done: &Imported) -> Answer {
    let mut text = format!("snapshot {} holds {} customers", short(&done.snapshot), done.customers);
    if done.bad_cells + done.rejected > 0 {
        text += &format!("; {} bad cells, {} rejected rows", done.bad_cells, done.rejected);
    }
    for fault in &done.first_faults {
        text += &format!("\n  line {}: {} {}", fault.line, fault.field, fault.reason);
    }
    if let Some(path) = &done.rejects {
        text += &format!("\n  all of them: {}", path.display());
    }
    Answer::new(text, views::imported(done))
}

async fn snapshots(engine: &Engine) -> anyhow::Result<Answer> {
    let rows = engine.store().snapshots().await.map_err(EngineError::from)?;
    let cells = rows.iter().map(|r| {
        vec![short(&r.id).to_owned(), write_date(r.business_date), r.customers.to_string(), r.imported_by.clone()]
    });
    let text = grid(&["snapshot", "date", "customers", "by"], &cells.collect::<Vec<_>>());
    let json = rows.iter().map(
        |r| json!({"id": r.id, "date": write_date(r.business_date), "customers": r.customers, "by": r.imported_by}),
    );
    Ok(Answer::new(text, json!({"snapshots": json.collect::<Vec<_>>()})))
}

async fn one(engine: &Engine, id: Option<&str>) -> anyhow::Result<Answer> {
    let snapshot = engine.snapshot(id, None).await?;
    let manifest = snapshot.manifest();
    let mut text = format!(
        "snapshot {} of {}: {} customers in {} buckets, from {}\n",
        snapshot.id(),
        write_date(manifest.business_date),
        manifest.rows,
        manifest.files.len(),
        manifest.source
    );
    for (name, ty) in &manifest.fields {
        text += &format!("  {name}: {}\n", ty.name());
    }
    Ok(Answer::new(text, json!({"id": snapshot.id(), "manifest": manifest})))
}

async fn customer_in(engine: &Engine, snapshot: Option<&str>, customer: &str) -> anyhow::Result<Answer> {
    let snapshot = engine.snapshot(snapshot, None).await?;
    let key = engine.key_of(customer);
    let fields = snapshot.find(key).map_err(EngineError::from)?.ok_or_else(|| {
        let message = format!("customer {customer:?} is not in snapshot {}", short(snapshot.id()));
        EngineError::refused("unknown-customer", message, "Check the id, or name another snapshot")
    })?;
    let text: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let fields: serde_json::Map<String, serde_json::Value> =
        fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    Ok(Answer::new(text, json!({"key": key, "snapshot": snapshot.id(), "fields": fields})))
}

/// `care table`
pub(crate) async fn table(args: &Args, command: &TableCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        TableCommand::Import { name, file, schema } => {
            let schema = read(schema)?;
            let rows = engine.import_table(name, file, &schema, &args.user, now_ms()).await?;
            Ok(Answer::new(format!("table {name} holds {rows} rows"), json!({"table": name, "rows": rows})))
        }
        TableCommand::Show => {
            let tables = engine.store().tables().await.map_err(EngineError::from)?;
            let rows: Vec<Vec<String>> = tables.iter().map(|(n, d)| vec![n.clone(), short(d).to_owned()]).collect();
            Ok(Answer::new(grid(&["table", "digest"], &rows), json!({"tables": tables})))
        }
    }
}

/// `care list`
pub(crate) async fn list(args: &Args, command: &ListCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        ListCommand::Import { name, file, owner, expires } => {
            let done =
                engine.import_list(name, &read(Path::new(file))?, owner, *expires, (&args.user, now_ms())).await?;
            let mut text = format!("list {name} holds {} customers", done.members);
            if !done.unmatched.is_empty() {
                text += &format!("; {} lines match nobody: {:?}", done.unmatched.len(), done.unmatched);
            }
            Ok(Answer::new(text, json!({"list": name, "members": done.members, "unmatched_lines": done.unmatched})))
        }
        ListCommand::Show => {
            let lists = engine.store().lists().await.map_err(EngineError::from)?;
            let cells = lists.iter().map(|l| vec![l.name.clone(), l.owner.clone(), write_date(l.expires_on)]);
            let text = grid(&["list", "owner", "until"], &cells.collect::<Vec<_>>());
            let json =
                lists.iter().map(|l| json!({"name": l.name, "owner": l.owner, "expires": write_date(l.expires_on)}));
            Ok(Answer::new(text, json!({"lists": json.collect::<Vec<_>>()})))
        }
    }
}

/// The beginning of a digest, enough to tell it apart.
pub(crate) fn short(digest: &str) -> &str {
    &digest[..digest.len().min(12)]
}
