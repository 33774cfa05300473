//! `care touchpoint`, `care prompt`.

use super::open;
use crate::answer::Answer;
use crate::args::{Args, PromptCommand};
use crate::clock::now_ms;
use care_engine::{Call, Prompts};
use serde_json::json;

/// `care touchpoint`
pub(crate) async fn ask(args: &Args, customer: &str, channel: &str, topic: &str) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let call = Call { customer: customer.into(), channel: channel.into(), topic: topic.into() };
    let (prompts, shown) = engine.touchpoint(&call, &args.user, now_ms()).await?;
    engine.keep_call(&shown).await?;
    Ok(Answer::new(told(&prompts), serde_json::to_value(&prompts)?))
}

fn told(prompts: &Prompts) -> String {
    let mut text = prompts.hint.as_ref().map_or(String::new(), |hint| format!("{}\n{}\n", hint.zh, hint.en));
    for (number, prompt) in (1..).zip(&prompts.prompts) {
        text += &format!(
            "{number}. {} ({}): {}\n   {}\n   prompt {}\n",
            prompt.title.zh, prompt.activity, prompt.reason.zh, prompt.script, prompt.id
        );
        for (kind, words) in [("sms", &prompt.sms), ("task", &prompt.task)] {
            if let Some(words) = words {
                text += &format!("   {kind}: {words}\n");
            }
        }
    }
    if prompts.prompts.is_empty() {
        text += "nothing to say\n";
    }
    text
}

/// `care prompt`
pub(crate) async fn answer(args: &Args, command: &PromptCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let (id, accepted, follow_up) = match command {
        PromptCommand::Accept { id, follow_up } => (id, true, *follow_up),
        PromptCommand::Decline { id } => (id, false, None),
    };
    let done = engine.answer_prompt(id, accepted, follow_up, &args.user, now_ms()).await?;
    let verb = if accepted { "accepted" } else { "declined" };
    let follows = if done.follow_up.is_some() { "; the follow-up goes out with the next dispatch" } else { "" };
    let text = format!("{verb}; {} waiting contacts stopped{follows}", done.stopped);
    Ok(Answer::new(text, json!(done)))
}
