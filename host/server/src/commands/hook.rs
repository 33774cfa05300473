//! `care webhook`.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, HookCommand};
use crate::clock::{now_ms, wall_ms};
use care_domain::time::write_instant;
use care_engine::{DeliveryShown, HookSecret, HookSender, HookShown, NewHook};
use serde_json::json;

/// `care webhook`
pub(crate) async fn run(args: &Args, command: &HookCommand) -> anyhow::Result<Answer> {
    let (engine, by, now) = (open(args).await?, &args.user, now_ms());
    match command {
        HookCommand::Add { url, kinds, note } => {
            let new = NewHook { url: url.clone(), kinds: kinds.clone(), note: note.clone() };
            secret(&engine.register_hook(&new, by, now).await?)
        }
        HookCommand::Renew { id } => secret(&engine.renew_hook_secret(id, by, now).await?),
        HookCommand::List => {
            let all = engine.hooks().await?;
            let rows: Vec<Vec<String>> = all.iter().map(cells).collect();
            let text = table(&["webhook", "url", "wants", "state", "waiting", "delivered", "given up", "last"], &rows);
            Ok(Answer::new(text, json!({"webhooks": all})))
        }
        HookCommand::Show { id, state, limit } => {
            let hook = engine.hook(id).await?;
            let events = engine.deliveries(id, state.as_deref(), i64::MAX, *limit).await?;
            let rows: Vec<Vec<String>> = events.iter().map(event).collect();
            let text = table(&["event", "what", "happened", "state", "attempts", "last answer"], &rows);
            Ok(Answer::new(text, json!({"webhook": hook, "deliveries": events})))
        }
        HookCommand::Close { id, reason } => {
            engine.close_hook(id, reason, by, now).await?;
            Ok(Answer::new(format!("{id} is told nothing any more"), json!({"webhook": id, "state": "closed"})))
        }
        HookCommand::Ping { id } => {
            engine.ping_hook(id, by, now).await?;
            Ok(Answer::new(format!("{id} is told webhook.ping as soon as `care serve` runs"), json!({"webhook": id})))
        }
        HookCommand::Replay { id, delivery } => {
            engine.replay_delivery(id, *delivery, by, now).await?;
            Ok(Answer::new(format!("{delivery} goes out again"), json!({"webhook": id, "delivery": delivery})))
        }
        HookCommand::Deliver => {
            let (sender, mut tried) = (HookSender::open().map_err(care_engine::EngineError::from)?, 0);
            loop {
                match engine.deliver(&sender, wall_ms).await? {
                    0 => break,
                    some => tried += some,
                }
            }
            Ok(Answer::new(format!("{tried} events were tried"), json!({"tried": tried})))
        }
    }
}

fn secret(new: &HookSecret) -> anyhow::Result<Answer> {
    let text = format!(
        "{}\nevents of {} are signed with it. It is shown this one time: keep it where they are checked",
        new.secret, new.webhook
    );
    Ok(Answer::new(text, serde_json::to_value(new)?))
}

fn cells(hook: &HookShown) -> Vec<String> {
    let count = |state: &str| hook.events.get(state).copied().unwrap_or(0).to_string();
    let wants = if hook.kinds.is_empty() { "everything".to_owned() } else { hook.kinds.join(", ") };
    let last = hook.last.as_ref().and_then(|last| last.answer.clone()).unwrap_or_default();
    let (id, url, state) = (hook.webhook.clone(), hook.url.clone(), hook.state.to_owned());
    vec![id, url, wants, state, count("waiting"), count("delivered"), count("given-up"), last]
}

fn event(one: &DeliveryShown) -> Vec<String> {
    let (number, attempts) = (one.delivery.to_string(), one.attempts.to_string());
    let answer = one.answer.clone().unwrap_or_default();
    vec![number, one.kind.clone(), write_instant(one.happened_at), one.state.clone(), attempts, answer]
}
