//! `care variant`, `care standby` and `care gate`.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, Bound, GateCommand, StandbyCommand, VariantCommand};
use crate::clock::now_ms;
use crate::views;
use care_domain::gate::GateRules;
use care_domain::standby::{Bounds, Review};
use care_domain::time;
use care_domain::variant::Variant;
use care_engine::{Activation, Campaign, EngineError, NewCampaign};
use serde_json::{Value, json};

/// `care variant`
pub(crate) async fn variant(args: &Args, command: &VariantCommand) -> anyhow::Result<Answer> {
    let VariantCommand::Propose { file } = command;
    let wish: Variant = toml::from_str(&read(file)?).map_err(|error| {
        let hint =
            "Write activity, version, name, owner_region; then [params], [wording.TEMPLATE.CHANNEL], from, until";
        EngineError::refused("bad-variant", format!("{}: {error}", file.display()), hint)
    })?;
    let pushed = open(args).await?.propose_variant(&wish, &args.user, now_ms()).await?;
    let (id, activity, version) = (pushed.submission, &pushed.activity, &pushed.version);
    let mut text = format!("{activity} {version} is submission {id}. Next: care submission show {id}");
    pushed.findings.iter().for_each(|finding| text += &format!("\n{finding}"));
    Ok(Answer::new(text, views::pushed(&pushed)))
}

/// `care standby`
pub(crate) async fn standby(args: &Args, command: &StandbyCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        StandbyCommand::Activate { activity, version, areas, from, until, params, reason } => {
            let new = NewCampaign {
                activity: activity.clone(),
                requirement: version.clone(),
                params: params.iter().cloned().collect(),
                ..NewCampaign::default()
            };
            let bounds = Bounds { areas: areas.clone(), from: *from, until: *until };
            let started = engine.activate_standby(&new, &bounds, reason, &args.user, now_ms()).await?;
            let text = format!(
                "campaign {} runs {activity} {} in {} until {}; the province reviews it within 24 hours. Next: care plan run",
                started.campaign,
                started.version,
                areas.join(", "),
                time::write_date(*until)
            );
            let json = json!({"campaign": started.campaign, "version": started.version, "bounds": bounds});
            Ok(Answer::new(text, json))
        }
        StandbyCommand::List => {
            let all = engine.activations().await?;
            let rows: Vec<Vec<String>> = all.iter().map(|(campaign, activation)| line(campaign, activation)).collect();
            let text = table(&["campaign", "areas", "from", "until", "by", "review"], &rows);
            let now = now_ms();
            let whole = |one| views::activation(one, now);
            Ok(Answer::new(text, json!({"activations": all.iter().map(whole).collect::<Vec<Value>>()})))
        }
        StandbyCommand::Review { campaign, end, reason } => {
            let withdrawn = engine.review_activation(campaign, !end, reason, &args.user, now_ms()).await?;
            let text = match end {
                true => format!("campaign {campaign} is stopped; {withdrawn} waiting contacts are withdrawn"),
                false => format!("the activation of campaign {campaign} is upheld"),
            };
            Ok(Answer::new(text, json!({"campaign": campaign, "upheld": !end, "withdrawn": withdrawn})))
        }
    }
}

fn line(campaign: &Campaign, activation: &Activation) -> Vec<String> {
    let review = match &activation.review {
        review @ Review::Due { by } => {
            let flag = if review.is_overdue(now_ms()) { "OVERDUE since" } else { "due by" };
            format!("{flag} {}", time::write_instant(*by))
        }
        Review::Upheld { reviewer, .. } => format!("upheld by {}", reviewer.person),
        Review::Ended { reviewer, .. } => format!("ended by {}", reviewer.person),
    };
    let Bounds { areas, from, until } = &activation.bounds;
    vec![
        campaign.id.clone(),
        areas.join(" "),
        time::write_date(*from),
        time::write_date(*until),
        campaign.started_by.clone(),
        review,
    ]
}

/// `care gate`
pub(crate) async fn rules(args: &Args, command: &GateCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let mut rules = engine.gate_rules().await?;
    if let GateCommand::Set { trial_review, second_above, published_need, reason } = command {
        rules.trial_review = trial_review.unwrap_or(rules.trial_review);
        rules.published_need = published_need.unwrap_or(rules.published_need);
        rules.second_above = second_above.map_or(rules.second_above, |Bound(bound)| bound);
        engine.set_gate_rules(&rules, reason, &args.user, now_ms()).await?;
    }
    Ok(Answer::new(said(rules), json!({"rules": rules})))
}

fn said(rules: GateRules) -> String {
    let trial = if rules.trial_review { "every activity is tried out" } else { "no trial is asked for" };
    let need = match rules.published_need {
        true => "every activity answers a published need",
        false => "a catalogue entry stands for a need",
    };
    match rules.second_above {
        Some(bound) => format!("{trial}; {need}; above {bound} selected customers a second person approves"),
        None => format!("{trial}; {need}; one person approves, whatever the reach"),
    }
}
