//! `care submission`: the province decides.

use super::{evidence, open, staff};
use crate::answer::{Answer, table};
use crate::args::{ApproveArgs, Args, BecauseArgs, StepCommand, SubmissionCommand, TickArgs};
use crate::clock::now_ms;
use crate::commands::population::short;
use crate::views;
use care_domain::approval::{Approval, Conditions};
use care_domain::control::SHARE_WHOLE;
use care_domain::evidence::Evidence;
use care_domain::gate::{Principle, Ticks};
use care_domain::governance::Ground;
use care_domain::manifest::Manifest;
use care_domain::standby::Standby;
use care_domain::text::Bilingual;
use care_engine::{BranchKey, Decided, Engine, EngineError, Simulation, SimulationRequest, StoredSubmission};
use serde_json::json;

/// `care submission`
pub(crate) async fn run(args: &Args, command: &SubmissionCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        SubmissionCommand::List => {
            let all = engine.submissions().await?;
            let rows: Vec<Vec<String>> = all.iter().map(line).collect();
            let text = table(&["submission", "activity", "version", "state", "author"], &rows);
            Ok(Answer::new(text, json!({"submissions": all.iter().map(views::submission).collect::<Vec<_>>()})))
        }
        SubmissionCommand::Show { id } => {
            let found = engine.submission(*id).await?;
            let changes = engine.changes(&found).await?;
            let mut json = views::submission(&found);
            json["changes"] = json!(changes.as_ref().map(|(since, all)| json!({"since": since, "changes": all})));
            let mut text = describe(&found);
            let keys = engine.keys().await?;
            let key = keys.iter().find(|key| key.id == found.version.key);
            json["key"] = json!(key);
            text += &signed(key);
            if let Some((since, all)) = &changes {
                text += &format!("changes since {since}:\n");
                all.iter().for_each(|change| text += &format!("  {}\n", change.what));
            }
            Ok(Answer::new(text, json))
        }
        SubmissionCommand::Simulate { conditions: on, params } => {
            let (simulation, evidence) = simulate(args, &engine, on, params).await?;
            Ok(evidence::answer(&simulation, &evidence))
        }
        SubmissionCommand::Evidence { id, simulation } => {
            let newest = engine.simulations(*id).await?.first().map(|s| s.id);
            let number = simulation.or(newest).ok_or_else(|| {
                let hint = format!("Run `care submission simulate {id}`");
                EngineError::refused("no-evidence", format!("submission {id} was never simulated"), hint)
            })?;
            let (simulation, evidence) = engine.simulation(number).await?;
            Ok(evidence::answer(&simulation, &evidence))
        }
        SubmissionCommand::Preview { id } => staff::preview(&engine, *id).await,
        SubmissionCommand::TestSend(wanted) => staff::test_send(args, &engine, wanted).await,
        SubmissionCommand::Tests { id } => staff::tests(&engine, *id).await,
        SubmissionCommand::Compare { before, after } => {
            let differences = engine.compare_simulations(*before, *after).await?;
            let text = match differences.is_empty() {
                true => "they say the same".to_owned(),
                false => differences.iter().map(|d| format!("{d}\n")).collect(),
            };
            Ok(Answer::new(text, json!({"differences": differences})))
        }
        SubmissionCommand::Approve { conditions: on, ticks } => {
            match engine.approve(on.id, &conditions(on), &ticked(ticks), &args.user, now_ms()).await? {
                Decided::Approved(approval) => Ok(approved(on.id, &approval)),
                Decided::WaitsForSecond { proposed, reach } => {
                    let text = format!(
                        "{} {} selects {reach} customers, so a second person approves it. Next: care submission confirm {}",
                        proposed.activity, proposed.version, on.id
                    );
                    Ok(Answer::new(text, json!({"submission": on.id, "proposed": proposed, "reach": reach})))
                }
            }
        }
        SubmissionCommand::Confirm { id, ticks } => {
            let approval = engine.confirm(*id, &ticked(ticks), &args.user, now_ms()).await?;
            Ok(approved(*id, &approval))
        }
        SubmissionCommand::Step(step) => move_on(args, &engine, step).await,
    }
}

fn approved(id: i64, approval: &Approval) -> Answer {
    let Approval { activity, version, class, weight, cap, .. } = approval;
    let next = match (&approval.standby, &approval.base) {
        (Some(_), _) => format!("care standby activate {activity}"),
        (None, Some(_)) => format!("care campaign start {activity} --variant {}", version.build),
        (None, None) => format!("care campaign start {activity}"),
    };
    let text = format!(
        "{activity} {version} is approved: class {}, weight {weight}, cap {}/{} days. Next: {next}",
        class.name(),
        cap.contacts,
        cap.days
    );
    Answer::new(text, json!({"submission": id, "approval": approval}))
}

fn ticked(args: &TickArgs) -> Ticks {
    args.ticks.iter().copied().collect()
}

/// The commands that move a submission on.
async fn move_on(args: &Args, engine: &Engine, step: &StepCommand) -> anyhow::Result<Answer> {
    let (by, at) = (args.user.as_str(), now_ms());
    let (id, withdrawn) = match step {
        StepCommand::Review { id, note } => (id, engine.pass_city(*id, note, by, at).await.map(|()| 0)),
        StepCommand::Trial { id, note } => (id, engine.pass_trial(*id, note, by, at).await.map(|()| 0)),
        StepCommand::Merge { id, into, reason } => (id, engine.merge(*id, into, reason, by, at).await),
        StepCommand::Reject { id, reason, not_care } => {
            let ground = if *not_care { Ground::NotCare } else { Ground::Other };
            (id, engine.reject(*id, ground, reason, by, at).await.map(|()| 0))
        }
        StepCommand::TakeBack(BecauseArgs { id, reason }) => {
            (id, engine.take_back(*id, reason, by, at).await.map(|()| 0))
        }
        StepCommand::Suspend(BecauseArgs { id, reason }) => (id, engine.suspend(*id, reason, by, at).await.map(|()| 0)),
        StepCommand::Resume(BecauseArgs { id, reason }) => (id, engine.resume(*id, reason, by, at).await.map(|()| 0)),
        StepCommand::Retire(BecauseArgs { id, reason }) => (id, engine.retire(*id, reason, by, at).await),
        StepCommand::Withdraw(BecauseArgs { id, reason }) => (id, engine.withdraw(*id, reason, by, at).await),
    };
    stands(engine, *id, withdrawn?).await
}

/// Where a submission stands now, and how many waiting contacts its end withdrew.
async fn stands(engine: &Engine, id: i64, withdrawn: u64) -> anyhow::Result<Answer> {
    let state = engine.submission(id).await?.submission.state();
    let mut text = format!("submission {id} is in state {state}");
    if withdrawn > 0 {
        text += &format!("; {withdrawn} waiting contacts are withdrawn");
    }
    Ok(Answer::new(text, json!({"submission": id, "state": state, "withdrawn": withdrawn})))
}

async fn simulate(
    args: &Args,
    engine: &Engine,
    on: &ApproveArgs,
    params: &[(String, serde_json::Value)],
) -> anyhow::Result<(Simulation, Evidence)> {
    let request = engine.trial_request(super::plan::cores()).await?;
    let what = SimulationRequest { conditions: conditions(on), params: params.iter().cloned().collect(), request };
    Ok(engine.simulate(on.id, &what, (&args.user, now_ms()), super::plan::watch(args)).await?)
}

fn conditions(args: &ApproveArgs) -> Conditions {
    Conditions {
        class: args.class,
        weight: args.weight,
        cap: args.cap,
        regions: args.regions.clone(),
        addressees: (!args.addressees.is_empty()).then(|| args.addressees.iter().copied().collect()),
        share: args.share.map(|share| (share * f64::from(SHARE_WHOLE)).round() as u16),
        from: args.from,
        until: args.until,
        // `none` grants no request; naming nothing grants what is asked for.
        actions: (!args.requests.is_empty())
            .then(|| args.requests.iter().filter(|name| *name != "none").cloned().collect()),
        budget_fen: args.budget,
        standby: args.standby_days.map(|days| Standby { areas: args.standby_areas.clone(), days }),
    }
}

fn line(found: &StoredSubmission) -> Vec<String> {
    let manifest = &found.version.manifest;
    vec![
        found.id.to_string(),
        manifest.name.clone(),
        manifest.version.to_string(),
        found.submission.state().to_owned(),
        found.submission.author().person.clone(),
    ]
}

fn describe(found: &StoredSubmission) -> String {
    let manifest = &found.version.manifest;
    let mut text = format!(
        "submission {}: {} {} is {} (by {})\n{} — {}\ndigest {}\n\n",
        found.id,
        manifest.name,
        manifest.version,
        found.submission.state(),
        found.submission.author().person,
        manifest.title.zh,
        manifest.summary.zh,
        short(&found.version.component)
    );
    text += &format!(
        "asks for: class {}, weight {}, cap {}/{} days, rounds {}, goal {} within {} days\n",
        manifest.class.name(),
        manifest.weight,
        manifest.cap.contacts,
        manifest.cap.days,
        manifest.rounds,
        manifest.goal.outcome,
        manifest.goal.window_days
    );
    text += &reads(manifest);
    text += &says(manifest);
    text += &principles(manifest);
    text += if found.version.findings.is_empty() { "the checks found nothing\n" } else { "the checks found:\n" };
    found.version.findings.iter().for_each(|finding| text += &format!("  {finding}\n"));
    if manifest.goal.sale {
        text += "NOTE: its goal is a sale; care is not a sale (S1)\n";
    }
    text
}

/// Who vouches for it; a key that was revoked since is flagged.
fn signed(key: Option<&BranchKey>) -> String {
    let Some(key) = key else { return "signed by nobody whose key is registered\n".into() };
    let flag = match &key.revoked_because {
        Some(why) => format!(" — REVOKED: {why}"),
        None => String::new(),
    };
    format!("signed by {} with key {}{flag}\n", key.owner, key.id)
}

/// What the author answers to each principle, for whoever ticks them.
fn principles(manifest: &Manifest) -> String {
    let answers = &manifest.principles;
    let answers = [
        &answers.proactive,
        &answers.customer_oriented,
        &answers.feasible,
        &answers.useful,
        &answers.important,
        &answers.innovative,
    ];
    let line = |(principle, answer): (Principle, &Bilingual)| format!("  {}: {}\n", principle.name(), answer.zh);
    "principles, to be ticked with --tick:\n".to_owned()
        + &Principle::ALL.into_iter().zip(answers).map(line).collect::<String>()
}

fn reads(manifest: &Manifest) -> String {
    let stage = |(stage, fields): (&care_domain::field::Stage, &Vec<care_domain::manifest::FieldUse>)| {
        let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
        format!("reads in {}: {}\n", stage.name(), names.join(", "))
    };
    manifest.fields.iter().filter(|(_, fields)| !fields.is_empty()).map(stage).collect()
}

fn says(manifest: &Manifest) -> String {
    let mut text = String::from("may say:\n");
    for template in &manifest.templates {
        for (channel, body) in &template.bodies {
            text +=
                &format!("  {} to {} by {}: {}\n", template.name, template.addressee.name(), channel.name(), body.zh);
        }
    }
    text
}
