//! `care plan`, `care why`.

use super::{open, recorded};
use crate::answer::{Answer, table};
use crate::args::{Args, PlanArgs, PlanCommand};
use crate::clock::now_ms;
use crate::commands::population::short;
use crate::progress::bar;
use crate::views;
use care_domain::time::{write_date, write_instant};
use care_domain::verdict::Verdict;
use care_engine::{
    AtWork, Engine, EngineError, Explanation, PlanRequest, PlanStatus, PlanSummary, Progress, Watch, WhyActivity,
};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// `care plan`
pub(crate) async fn run(args: &Args, command: &PlanCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        PlanCommand::Run { plan, work } => {
            let request = request(&engine, plan, work.workers.unwrap_or_else(cores)).await?;
            let engine = engine.with_lease(Duration::from_secs(work.lease));
            let summary = engine.run_plan(&request, &args.user, now_ms(), watch(args)).await?;
            Ok(Answer::new(words(&summary), views::plan_summary(&summary)))
        }
        PlanCommand::Due { workers } => {
            let workers = workers.unwrap_or_else(cores);
            let plans = engine.plan_due(workers, &args.user, now_ms(), watch(args)).await?;
            let text: String = plans.iter().map(words).collect();
            let text = if plans.is_empty() { "nothing is due".to_owned() } else { text };
            let json: Vec<_> = plans.iter().map(views::plan_summary).collect();
            Ok(Answer::new(text, json!({"plans": json})))
        }
        PlanCommand::Resume { plan, work } => {
            let engine = engine.with_lease(Duration::from_secs(work.lease));
            let workers = work.workers.unwrap_or_else(cores);
            let summary = engine.resume_plan(plan, workers, (&args.user, now_ms()), watch(args)).await?;
            Ok(Answer::new(words(&summary), views::plan_summary(&summary)))
        }
        PlanCommand::Pause { plan, reason } => {
            let id = engine.pause_plan(plan, reason, (&args.user, now_ms())).await?;
            let text = format!("plan {0} is paused; go on with: care plan resume {0}", short(&id));
            Ok(Answer::new(text, json!({"plan": id, "state": "paused"})))
        }
        PlanCommand::Cancel { plan, reason } => {
            let (id, gone) = engine.cancel_plan(plan, reason, (&args.user, now_ms())).await?;
            let text = format!(
                "plan {} is cancelled: {} planned contacts are withdrawn, {} held-out customers are free",
                short(&id),
                gone.contacts,
                gone.controls
            );
            let json = json!({"plan": id, "state": "cancelled", "contacts": gone.contacts, "controls": gone.controls});
            Ok(Answer::new(text, json))
        }
        PlanCommand::Status { plan } => {
            let status = engine.plan_status(plan.as_deref()).await?;
            Ok(Answer::new(told_of_status(&status), views::plan_status(&status)))
        }
        PlanCommand::HandOut { plan, lease } => {
            let request = request(&engine, plan, 1).await?;
            let tasks = engine.hand_out(&request, Duration::from_secs(*lease), (&args.user, now_ms())).await?;
            let lines: Vec<String> = tasks.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
            Ok(Answer::new(lines.join("\n"), json!({"tasks": tasks})))
        }
        PlanCommand::Record(wanted) => recorded::record(args, &engine, wanted).await,
        PlanCommand::Show { plan: None, all: true } => plans(&engine).await,
        PlanCommand::Show { plan, .. } => {
            let id = engine.plan(plan.as_deref()).await?.id;
            let summary = engine.plan_summary(&id).await?;
            Ok(Answer::new(words(&summary), views::plan_summary(&summary)))
        }
    }
}

async fn request(engine: &Engine, plan: &PlanArgs, workers: usize) -> anyhow::Result<PlanRequest> {
    let PlanArgs { date, wave, at, snapshot, batch } = plan;
    let date = match date {
        Some(date) => *date,
        None => engine.snapshot(snapshot.as_deref(), None).await?.manifest().business_date,
    };
    let mut request = PlanRequest::of(date, workers)
        .ok_or_else(|| EngineError::refused("bad-date", "the date is out of range", "Use a date near today"))?;
    request.wave = *wave;
    request.instant = at.unwrap_or(request.instant);
    request.snapshot.clone_from(snapshot);
    request.batch = batch.unwrap_or(request.batch);
    Ok(request)
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Shows progress, and stops the plan where it is when the person at the terminal asks for it.
pub(super) fn watch(args: &Args) -> Watch {
    let customers = bar(args, Some(0), "deciding");
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    Arc::new(move |progress| {
        match progress {
            Progress::Opened { customers: all, .. } => customers.set_length(*all),
            Progress::Customers(more) => customers.inc(*more),
            Progress::Standing(decided) => customers.at_least(*decided),
            Progress::Waiting { tasks } => customers.say(format!("waiting for {tasks} tasks in other hands")),
            Progress::Began(_) => customers.say("deciding".into()),
            Progress::Visible(contacts) => customers.say(format!("releasing, {contacts} contacts")),
            Progress::Released => customers.finish_and_clear(),
            _ => {}
        }
        !stop.load(Ordering::Relaxed)
    })
}

fn words(summary: &PlanSummary) -> String {
    let mut text = format!("plan {} of {}, wave {}: ", short(&summary.plan), write_date(summary.date), summary.wave);
    text += &match (summary.already_complete, summary.released) {
        (true, _) => "already complete, 0 added\n".to_owned(),
        (_, true) => format!("released, {} contacts added\n", summary.added),
        _ if summary.state == "cancelled" => {
            format!("cancelled with {} of {} tasks done; nothing of it is sent\n", summary.tasks_done, summary.tasks)
        }
        _ => format!(
            "{}, {} of {} tasks done; go on with: care plan resume {}\n",
            summary.state,
            summary.tasks_done,
            summary.tasks,
            short(&summary.plan)
        ),
    };
    let used: Vec<Verdict> = summary.totals().0.into_keys().collect();
    let names: Vec<&str> = used.iter().map(|v| v.name()).collect();
    let header: Vec<&str> = ["campaign", "candidates"].into_iter().chain(names).collect();
    let row = |name: &str, all: u64, count: &dyn Fn(Verdict) -> u64| {
        let counts = used.iter().map(|v| count(*v).to_string());
        [name.to_owned(), all.to_string()].into_iter().chain(counts).collect::<Vec<String>>()
    };
    let mut rows: Vec<Vec<String>> = summary
        .activities
        .iter()
        .map(|a| row(&a.campaign, a.selected, &|v| a.verdicts.get(&v).copied().unwrap_or(0)))
        .collect();
    let totals = summary.totals();
    rows.push(row("all", totals.candidates(), &|v| totals.of(v)));
    text += &table(&header, &rows);
    if summary.carried > 0 {
        text += &format!("{} losers are still useful, and are candidates of later plans\n", summary.carried);
    }
    for notice in &summary.notices {
        text += &format!("{notice}\n");
    }
    for other in &summary.unfinished {
        text += &format!("plan {0} was interrupted; its contacts wait: care plan resume {0}\n", short(other));
    }
    for finding in &summary.blocked {
        text += &format!("LEFT OUT: {finding}\n");
    }
    for activity in summary.activities.iter().filter(|a| !a.faults.is_empty()) {
        text += &format!("{} broke: {:?}\n", activity.campaign, activity.faults);
    }
    text
}

fn told_of_status(status: &PlanStatus) -> String {
    let mut text = format!(
        "plan {} of {}, wave {}: {}, {} of {} tasks done",
        short(&status.plan),
        write_date(status.date),
        status.wave,
        status.state,
        status.tasks_done,
        status.tasks
    );
    text += &match status.customers {
        Some(all) => format!(", {} of {all} customers", status.decided),
        None => format!(", {} customers", status.decided),
    };
    if let (Some(pace), Some(left)) = (status.pace, status.seconds_left) {
        text += &format!(", {pace:.0}/s, {left} s left");
    }
    text += "\n";
    if let Some(halt) = &status.halt {
        text += &format!("{} by {} at {}: {}\n", status.state, halt.person, write_instant(halt.at), halt.reason);
    }
    let row = |task: &AtWork| {
        let lost = if task.is_lost { "lost" } else { "at work" };
        let AtWork { bucket, epoch, holder, silent, .. } = task;
        vec![bucket.to_string(), epoch.to_string(), holder.clone(), lost.to_owned(), format!("{silent} s ago")]
    };
    if !status.at_work.is_empty() {
        let rows: Vec<Vec<String>> = status.at_work.iter().map(row).collect();
        text += &table(&["bucket", "attempt", "process", "", "last sign of life"], &rows);
    }
    text
}

async fn plans(engine: &Engine) -> anyhow::Result<Answer> {
    let plans = engine.store().plans().await.map_err(EngineError::from)?;
    let state = |plan: &care_engine::Plan| plan.state.name();
    let rows: Vec<Vec<String>> = plans
        .iter()
        .map(|p| vec![short(&p.id).to_owned(), write_date(p.pins.date), p.pins.wave.to_string(), state(p).to_owned()])
        .collect();
    let json = plans.iter().map(views::plan);
    Ok(Answer::new(table(&["plan", "date", "wave", "state"], &rows), json!({"plans": json.collect::<Vec<_>>()})))
}

/// `care replay`. A difference is a refusal: a program that asks must not mistake it for success.
pub(crate) async fn replay(args: &Args, plan: &str, bucket: Option<u32>) -> anyhow::Result<Answer> {
    if let Some(batch) = plan.strip_prefix("event-") {
        return super::event::replay(args, batch).await;
    }
    let tasks = bar(args, None, "replaying");
    let done = open(args).await?.replay(plan, bucket, &|_| tasks.inc(1)).await?;
    tasks.finish_and_clear();
    if let Some(other) = done.tasks.iter().find(|t| !t.same) {
        let message =
            format!("bucket {} of plan {} comes out otherwise: {}", other.bucket, done.plan, other.difference);
        let hint = "Its log, its snapshot or the ledger was changed, or the program decides otherwise than it did";
        return Err(EngineError::refused("replay-differs", message, hint).into());
    }
    let decisions: u64 = done.tasks.iter().map(|t| t.decisions).sum();
    let text = format!("{} tasks, {decisions} decisions: the very same bytes", done.tasks.len());
    Ok(Answer::new(text, serde_json::to_value(&done)?))
}

/// `care why`
pub(crate) async fn why(args: &Args, customer: &str, date: Option<i32>) -> anyhow::Result<Answer> {
    let why = open(args).await?.why(customer, date).await?;
    Ok(Answer::new(told(&why), serde_json::to_value(&why)?))
}

fn told(why: &Explanation) -> String {
    let mut text = format!("customer {}\n", why.customer);
    for plan in &why.plans {
        text += &format!("{} wave {} (plan {})\n", plan.date, plan.wave, short(&plan.plan));
        plan.activities.iter().for_each(|a| text += &told_of(a));
    }
    text
}

fn told_of(activity: &WhyActivity) -> String {
    let mut text = format!("  {}: {}", activity.campaign, activity.finally);
    if activity.verdict != activity.finally {
        text += &format!(" ({})", activity.verdict);
    }
    if activity.verdict != "not-selected" {
        text += &format!(", reason {}, rule {} {}", activity.reason, activity.rule, activity.figures);
    }
    if let Some(winner) = &activity.winner {
        text += &format!(", lost to {winner}");
    }
    text += "\n";
    for message in &activity.messages {
        text += &format!(
            "    {} {} to {} at {}: {}\n",
            message.state, message.channel, message.addressee, message.planned_at, message.text
        );
    }
    text
}
