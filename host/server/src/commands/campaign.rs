//! `care campaign`.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, CampaignCommand, StartArgs};
use crate::clock::now_ms;
use crate::commands::population::short;
use crate::views;
use care_domain::ramp::Ramp;
use care_engine::{Campaign, Engine, EngineError, NewCampaign};
use serde_json::{Map, json};

/// `care campaign`
pub(crate) async fn run(args: &Args, command: &CampaignCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        CampaignCommand::Start(start) => started(args, &engine, start).await,
        CampaignCommand::Estimate { activity, version, variant, params } => {
            let new = NewCampaign {
                activity: activity.clone(),
                requirement: version.clone(),
                variant: variant.clone(),
                params: params.iter().cloned().collect(),
                ..NewCampaign::default()
            };
            let (workers, who) = (super::plan::cores(), (args.user.as_str(), now_ms()));
            let evidence = engine.estimate_campaign(&new, workers, who, super::plan::watch(args)).await?;
            Ok(Answer::new(super::evidence::read(&evidence), json!({"estimate": evidence})))
        }
        CampaignCommand::Show { campaign: Some(id) } => {
            let campaign = engine.campaign(id).await?;
            let text = format!("{}\nparameters {}{}", line(&campaign).join("  "), campaign.params, ramped(&campaign));
            Ok(Answer::new(text, views::campaign(&campaign)))
        }
        CampaignCommand::Show { campaign: None } => {
            let all = engine.campaigns().await?;
            let rows: Vec<Vec<String>> = all.iter().map(line).collect();
            let text = table(&["campaign", "activity", "state", "digest", "by"], &rows);
            Ok(Answer::new(text, json!({"campaigns": all.iter().map(views::campaign).collect::<Vec<_>>()})))
        }
        CampaignCommand::Repoint { campaign, version, params } => {
            let params = params.iter().cloned().collect();
            let moved = engine.repoint_campaign(campaign, version, &params, &args.user, now_ms()).await?;
            let text = format!("campaign {campaign} runs {} from the next plan on", moved.version);
            Ok(Answer::new(text, views::started(&moved)))
        }
        CampaignCommand::Pause { campaign, reason } => {
            engine.pause_campaign(campaign, reason, &args.user, now_ms()).await?;
            let text = format!("campaign {campaign} is paused; what waits of it goes on waiting");
            Ok(Answer::new(text, json!({"campaign": campaign, "paused": true})))
        }
        CampaignCommand::Resume { campaign, reason } => {
            engine.resume_campaign(campaign, reason, &args.user, now_ms()).await?;
            Ok(Answer::new(format!("campaign {campaign} goes on"), json!({"campaign": campaign, "paused": false})))
        }
        CampaignCommand::Stop { campaign } => {
            let withdrawn = engine.stop_campaign(campaign, &args.user, now_ms()).await?;
            let text = format!("campaign {campaign} is stopped; {withdrawn} waiting contacts are withdrawn");
            Ok(Answer::new(text, json!({"campaign": campaign, "withdrawn": withdrawn})))
        }
    }
}

async fn started(args: &Args, engine: &Engine, start: &StartArgs) -> anyhow::Result<Answer> {
    let mut given = Map::new();
    if let Some(path) = &start.file {
        given = serde_json::from_str(&read(path)?).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            EngineError::refused("bad-parameter", message, "Write a JSON object of parameters")
        })?;
    }
    given.extend(start.params.iter().cloned());
    let ramp = start.ramp.as_ref().map(|shares| Ramp::parse(shares, start.ramp_days)).transpose();
    let new = NewCampaign {
        activity: start.activity.clone(),
        requirement: start.version.clone(),
        variant: start.variant.clone(),
        params: given,
        max_snapshot_days: start.max_snapshot_days,
        ramp: ramp.map_err(EngineError::Refused)?,
    };
    let started = engine.start_campaign(&new, &args.user, now_ms()).await?;
    let text = format!(
        "campaign {} runs {} {} ({}). Next: care plan run",
        started.campaign,
        start.activity,
        started.version,
        short(&started.digest)
    );
    Ok(Answer::new(text, views::started(&started)))
}

/// In which steps it takes its customers, as a line; nothing where it takes all at once.
fn ramped(campaign: &Campaign) -> String {
    let Some(Ramp { shares, days }) = &campaign.ramp else { return String::new() };
    let steps: Vec<String> = shares.iter().map(|share| format!("{} %", f64::from(*share) / 100.0)).collect();
    format!("\nramps up by {}, {days} planned dates each", steps.join(", "))
}

fn line(campaign: &Campaign) -> Vec<String> {
    let state = if campaign.active { "active" } else { "stopped" };
    vec![
        campaign.id.clone(),
        campaign.activity.clone(),
        state.to_owned(),
        short(&campaign.component).to_owned(),
        campaign.started_by.clone(),
    ]
}
