//! `care user`, `care switch`, `care audit`.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, AuditCommand, SwitchArgs, SwitchCommand, UserArgs, UserCommand};
use crate::clock::now_ms;
use anyhow::Context;
use care_domain::person::Appointment;
use care_domain::switch::Scope;
use care_domain::time::write_instant;
use care_engine::EngineError;
use serde_json::json;
use std::path::Path;

/// `care user`
pub(crate) async fn users(args: &Args, command: &UserCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        UserCommand::Add(user) => {
            engine.appoint(&appointment(user), &args.user, now_ms()).await?;
            Ok(told(user, "is now"))
        }
        UserCommand::Remove(user) => {
            engine.dismiss(&appointment(user), &args.user, now_ms()).await?;
            Ok(told(user, "is no longer"))
        }
        UserCommand::Password { name } => {
            let password = engine.reset_password(name, &args.user, now_ms()).await?;
            let text = format!("{name} logs in with the one-time password {password}, shown this one time");
            Ok(Answer::new(text, json!({"person": name, "one_time_password": password})))
        }
        UserCommand::List => {
            let all = engine.appointments().await?;
            let cells = |a: &Appointment| vec![a.person.clone(), a.role.name().to_owned(), a.region.clone()];
            let rows: Vec<Vec<String>> = all.iter().map(cells).collect();
            Ok(Answer::new(table(&["person", "role", "region"], &rows), json!({"appointments": all})))
        }
    }
}

fn appointment(user: &UserArgs) -> Appointment {
    Appointment { person: user.name.clone(), role: user.role, region: user.region.clone() }
}

fn told(user: &UserArgs, change: &str) -> Answer {
    let text = format!("{} {change} {} in {}", user.name, user.role.name(), user.region);
    Answer::new(text, json!({"person": user.name, "role": user.role.name(), "region": user.region}))
}

/// `care switch`
pub(crate) async fn switches(args: &Args, command: &SwitchCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let (switch, verb) = match command {
        SwitchCommand::On(switch) => {
            engine.throw_switch(scope(switch)?, &switch.reason, &args.user, now_ms()).await?;
            (switch, "is stopped; what waits goes on waiting")
        }
        SwitchCommand::Off(switch) => {
            engine.lift_switch(&scope(switch)?, &switch.reason, &args.user, now_ms()).await?;
            (switch, "goes on")
        }
        SwitchCommand::List => {
            let all = engine.switches().await?;
            let row = |thrown: &care_engine::Thrown| {
                let (scope, target) = thrown.scope.parts();
                let since = write_instant(thrown.at);
                vec![scope.to_owned(), target.to_owned(), since, thrown.person.clone(), thrown.reason.clone()]
            };
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            return Ok(Answer::new(
                table(&["scope", "target", "since", "by", "reason"], &rows),
                json!({"switches": all}),
            ));
        }
    };
    let text = format!("{} {verb}", format!("{} {}", switch.scope, switch.target).trim_end());
    Ok(Answer::new(text, json!({"scope": switch.scope, "target": switch.target})))
}

fn scope(switch: &SwitchArgs) -> Result<Scope, EngineError> {
    Scope::parse(&switch.scope, &switch.target).map_err(|error| {
        let hint = "Write everything; activity NAME; version DIGEST; region ADCODE; channel sms";
        EngineError::refused("bad-scope", error.to_string(), hint)
    })
}

/// `care audit`
pub(crate) async fn audit(args: &Args, command: &AuditCommand) -> anyhow::Result<Answer> {
    if let AuditCommand::Check { file, host_key } = command {
        return check(file, host_key.as_deref());
    }
    let engine = open(args).await?;
    match command {
        AuditCommand::Check { .. } => Err(anyhow::anyhow!("it was checked above")),
        AuditCommand::Export { file } => {
            let export = engine.export_audit(now_ms()).await?;
            std::fs::write(file, serde_json::to_vec(&export)?)
                .with_context(|| format!("{} cannot be written", file.display()))?;
            let text = format!("{} lines, signed by {}", export.lines.len(), export.host_key);
            Ok(Answer::new(text, json!({"lines": export.lines.len(), "host_key": export.host_key, "file": file})))
        }
        AuditCommand::Show { subject } => {
            let lines = engine.audit_lines(subject.as_deref()).await?;
            let row = |line: &care_domain::audit::Line| {
                let e = &line.entry;
                let who = if e.role.is_empty() { e.person.clone() } else { format!("{} ({})", e.person, e.role) };
                vec![
                    line.number.to_string(),
                    write_instant(e.at),
                    who,
                    e.deed.clone(),
                    e.subject.clone(),
                    e.reason.clone(),
                ]
            };
            let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
            let text = table(&["line", "at", "who", "what", "to what", "why"], &rows);
            Ok(Answer::new(text, json!({"lines": lines})))
        }
        AuditCommand::Verify { expect } => {
            let head = engine.verify_audit(expect.as_ref()).await?;
            let text = format!(
                "{} lines stand as they were written. Keep this head elsewhere: {}",
                head.number,
                head.written()
            );
            Ok(Answer::new(text, json!({"lines": head.number, "head": head.written()})))
        }
    }
}

fn check(file: &Path, host_key: Option<&str>) -> anyhow::Result<Answer> {
    let export: care_engine::AuditExport = serde_json::from_str(&super::read(file)?).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        EngineError::refused("bad-export", message, "Name a file that `care audit export` wrote")
    })?;
    care_engine::check_audit_export(&export, host_key)?;
    let text = format!("{} lines stand as they were written, of {}", export.lines.len(), export.taken_at);
    Ok(Answer::new(text, json!({"lines": export.lines.len(), "head": export.head.written()})))
}
