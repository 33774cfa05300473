//! `care model`.

use super::open;
use crate::answer::Answer;
use crate::args::{Args, ModelCommand};
use crate::clock::now_ms;
use care_engine::NewModelRun;

/// `care model`
pub(crate) async fn run(args: &Args, command: &ModelCommand) -> anyhow::Result<Answer> {
    let ModelCommand::Run { name, require, params, snapshot } = command;
    let new = NewModelRun {
        model: name.clone(),
        requirement: require.clone(),
        params: params.iter().cloned().collect(),
        snapshot: snapshot.clone(),
    };
    let done = open(args).await?.run_model(&new, &args.user, now_ms()).await?;
    let mut text = format!(
        "{} {} added {:?} to {} customers: snapshot {}\n",
        name, done.version, done.column, done.customers, done.snapshot
    );
    for (value, count) in &done.values {
        text += &format!("  {value}: {count}\n");
    }
    for (code, count) in &done.faults {
        text += &format!("  no value because of {code}: {count}\n");
    }
    Ok(Answer::new(text, serde_json::to_value(&done)?))
}
