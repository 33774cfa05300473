//! `care staff`, `care message`, and what a submission would say: `care submission preview|test-send|tests`.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, MessageCommand, StaffCommand, TestArgs};
use crate::clock::now_ms;
use care_domain::preview::Preview;
use care_domain::time::{today, write_instant};
use care_engine::{Aside, Engine, Staff, TestSend};
use serde_json::{Value, json};

/// `care staff`
pub(crate) async fn run(args: &Args, command: &StaffCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        StaffCommand::Add { name, msisdn, email, seed } => {
            let one = Staff { name: name.clone(), msisdn: msisdn.clone(), email: email.clone(), seed: *seed };
            engine.register_staff(&one, &args.user, now_ms()).await?;
            Ok(Answer::new(format!("{name} is registered"), json!({"staff": name, "seed": seed})))
        }
        StaffCommand::Remove { name } => {
            engine.forget_staff(name, &args.user, now_ms()).await?;
            Ok(Answer::new(format!("{name} is forgotten"), json!({"forgotten": name})))
        }
        StaffCommand::List => {
            let staff = engine.staff().await?;
            let row = |one: &Staff| {
                let seed = if one.seed { "yes" } else { "" };
                vec![one.name.clone(), one.msisdn.clone(), one.email.clone(), seed.to_owned()]
            };
            let rows: Vec<Vec<String>> = staff.iter().map(row).collect();
            let json: Vec<Value> = staff.iter().map(listed).collect();
            Ok(Answer::new(table(&["name", "number", "address", "gets copies"], &rows), json!({"staff": json})))
        }
        StaffCommand::Copies { campaign } => Ok(asides(&engine.copies_of(campaign).await?)),
    }
}

/// `care message`
pub(crate) async fn message(args: &Args, command: &MessageCommand) -> anyhow::Result<Answer> {
    let MessageCommand::Show { contact } = command;
    let shown = open(args).await?.sent_message(contact, &args.user, now_ms()).await?;
    let when = shown.sent_at.as_deref().map_or("not sent".to_owned(), |at| format!("sent {at}"));
    let text = format!("{} to {}, {when}, {}\n\n{}", shown.channel.name(), shown.to, shown.state, shown.text);
    Ok(Answer::new(text, serde_json::to_value(&shown)?))
}

/// `care submission preview`
pub(crate) async fn preview(engine: &Engine, id: i64) -> anyhow::Result<Answer> {
    let previews = engine.preview(id, today(now_ms())).await?;
    let text: String = previews.iter().map(told).collect();
    Ok(Answer::new(text, json!({"submission": id, "previews": previews})))
}

/// `care submission test-send`
pub(crate) async fn test_send(args: &Args, engine: &Engine, wanted: &TestArgs) -> anyhow::Result<Answer> {
    let TestArgs { id, to, channel, language } = wanted;
    let asked = TestSend { submission: *id, to: to.clone(), channel: *channel, language: *language };
    let sent = engine.send_test(&asked, &args.user, now_ms()).await?;
    let row = |one: &care_engine::TestSent| {
        let language = one.language.name().to_owned();
        vec![one.template.clone(), language, one.staff.clone(), one.answer.clone(), one.note.clone()]
    };
    let rows: Vec<Vec<String>> = sent.iter().map(row).collect();
    let text = table(&["template", "language", "to", "answer", "why"], &rows);
    Ok(Answer::new(text, json!({"submission": id, "sent": sent})))
}

/// `care submission tests`
pub(crate) async fn tests(engine: &Engine, id: i64) -> anyhow::Result<Answer> {
    Ok(asides(&engine.tests_of(id).await?))
}

fn listed(one: &Staff) -> Value {
    json!({"name": one.name, "msisdn": one.msisdn, "email": one.email, "seed": one.seed})
}

fn asides(all: &[Aside]) -> Answer {
    let row = |one: &Aside| {
        let answer = if one.answer.is_empty() { "unknown" } else { &one.answer };
        let at = write_instant(one.at);
        [&at, &one.template, &one.channel, &one.language, &one.staff, answer, &one.note]
            .map(ToString::to_string)
            .to_vec()
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let text = table(&["when", "template", "channel", "language", "to", "answer", "why"], &rows);
    Answer::new(text, json!({"messages": all}))
}

fn told(preview: &Preview) -> String {
    let Preview { template, channel, language, addressee, text, longest, sms } = preview;
    let head = format!("{template}, {} in {}, to {}", channel.name(), language.name(), addressee.name());
    let cost = sms.map_or(String::new(), |(usual, most)| {
        let encoding = most.encoding.name();
        format!(": {} segments, at most {} ({encoding}, {} units)", usual.segments, most.segments, most.units)
    });
    format!("{head}{cost}\n  {text}\n  longest: {longest}\n\n")
}
