//! `care token`.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, TokenCommand};
use crate::clock::now_ms;
use care_domain::person::Appointment;
use care_domain::time::{DAY_MS, write_instant};
use care_engine::Token;
use serde_json::json;

/// `care token`
pub(crate) async fn run(args: &Args, command: &TokenCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        TokenCommand::New { name, role, region, days } => {
            let acts_as = Appointment { person: name.clone(), role: *role, region: region.clone() };
            let now = now_ms();
            let made = engine.new_token(&acts_as, now + i64::from(*days) * DAY_MS, &args.user, now).await?;
            let text = format!(
                "{}\ntoken {} acts as {name}, {} in {region}, until {}. It is shown this one time: keep it safe",
                made.secret,
                made.token.id,
                role.name(),
                write_instant(made.token.expires_at)
            );
            Ok(Answer::new(text, serde_json::to_value(&made)?))
        }
        TokenCommand::Revoke { id, reason } => {
            engine.revoke_token(id, reason, &args.user, now_ms()).await?;
            Ok(Answer::new(format!("token {id} opens nothing any more"), json!({"id": id, "revoked": true})))
        }
        TokenCommand::List => {
            let all = engine.tokens().await?;
            let now = now_ms();
            let rows: Vec<Vec<String>> = all.iter().map(|token| cells(token, now)).collect();
            let text = table(&["token", "acts as", "role", "region", "until", "state"], &rows);
            Ok(Answer::new(text, json!({"tokens": all})))
        }
    }
}

fn cells(token: &Token, now: i64) -> Vec<String> {
    let state = match token.revoked_at {
        Some(at) => format!("revoked {}", write_instant(at)),
        None if token.holds_at(now) => "holds".to_owned(),
        None => "expired".to_owned(),
    };
    let Appointment { person, role, region } = &token.acts_as;
    vec![token.id.clone(), person.clone(), role.name().into(), region.clone(), write_instant(token.expires_at), state]
}
