//! The touchpoint: what does this caller need now? At most three prompts, ranked, with the words to say. What was
//! shown, accepted and declined stands in the ledger; an acceptance stops the outbound contact of the same activity.

use crate::live::LiveWorld;
use crate::plan::{Asked, Offer, PROMPTS, ask};
use crate::render::text_of;
use crate::{Engine, EngineError, OutcomeSource};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::contact::Channel;
use care_domain::identity::Identity;
use care_domain::key::CustomerKey;
use care_domain::person::Act;
use care_domain::text::{Bilingual, nearest_hint};
use care_domain::time;
use care_store::{
    CallRecord, NewContact, NewControl, NewOutcome, PromptAnswer, PromptDocument, PromptKept, PromptRecord, Seen,
    StoredContact,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What begins a customer's number.
const NUMBER: &str = "tel:";
/// A follow-up that was agreed on is useless after so long †.
const FOLLOW_UP_MS: i64 = time::DAY_MS;
/// A call is not decided again, so that it needs no mark: whatever the ledger holds by now.
const EVERYTHING: i64 = i64::MAX;

/// A customer on the line or at the desk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The operator's customer id, a key, or `tel:` and a number.
    pub customer: String,
    /// Where: `hotline`, `store`, `online`.
    pub channel: String,
    /// About what: `bill`, `package` …
    #[serde(default = "other")]
    pub topic: String,
}

fn other() -> String {
    "other".into()
}

/// What the agent is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prompts {
    /// Id of the call.
    pub call: String,
    /// The customer's pseudonym.
    pub customer: String,
    /// Which call of the day it is, from 1.
    pub call_today: u64,
    /// When the last one was, RFC 3339.
    pub last_call_at: Option<String>,
    /// The repeat-call hint in words; none on a first call.
    pub hint: Option<Bilingual>,
    /// At most three, the most important first.
    pub prompts: Vec<Prompt>,
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prompt {
    /// Its id, to answer with.
    pub id: String,
    /// The activity.
    pub activity: String,
    /// What the activity is called.
    pub title: Bilingual,
    /// Why it is shown.
    pub reason: Bilingual,
    /// How much the customer needs it, 0 to 1.
    pub score: f32,
    /// What the agent says.
    pub script: String,
    /// The message that may be sent after the call, as it would be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<String>,
    /// The task that may be opened for a department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

/// What an acceptance may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FollowUp {
    /// 挂机提醒短信: the approved message after the call.
    Sms,
    /// A task for another department, such as 商机录入.
    Task,
}

/// A call with what was shown, to be kept after the answer.
#[derive(Debug)]
pub struct ShownCall {
    call: CallRecord,
    prompts: Vec<PromptRecord>,
    controls: Vec<NewControl>,
}

/// What an answer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The prompt.
    pub prompt: String,
    /// Waiting contacts of the activity that it stopped.
    pub stopped: u64,
    /// The contact that follows.
    pub follow_up: Option<String>,
}

impl Engine {
    /// What this caller needs now. Hand what comes beside it to [`Engine::keep_call`] when the agent has the answer.
    pub async fn touchpoint(&self, call: &Call, by: &str, at: i64) -> Result<(Prompts, ShownCall), EngineError> {
        let actor = self.authorise(by, Act::UseTouchpoint, None, at).await?;
        for (field, value) in [("event.channel", &call.channel), ("event.topic", &call.topic)] {
            self.known_value(field, value)?;
        }
        let customer = self.customer_of(&call.customer).await?;
        let live = self.live(at).await?;
        let place = live.find(customer)?.ok_or_else(unknown_customer)?;
        let caller = [customer];
        let (recent, seen, mut identities, here) = tokio::try_join!(
            self.store.recent(&caller, EVERYTHING),
            self.store.seen(customer, time::day_began(at)),
            self.store.identities(&caller),
            self.store.waiting_for(customer, waiting_channels(&call.channel), at)
        )?;
        let (world, asked, declined) = (Arc::clone(&live), call.clone(), seen.declined.clone());
        let decided = tokio::task::spawn_blocking(move || {
            let asked = Asked {
                place,
                history: recent.history,
                lists: &world.lists,
                desk: &world.desk,
                instant: at,
                topic: &asked.topic,
                channel: &asked.channel,
                declined: &declined,
            };
            let (offers, controls, guests) = ask(&world.world, asked, world.take_guests())?;
            world.give_back(guests);
            Ok((offers, controls))
        });
        let (offers, controls) =
            decided.await.map_err(EngineError::internal)?.map_err(|fault: crate::plan::MachineFault| {
                EngineError::Machine { activity: fault.activity, attempts: 1, source: fault.source }
            })?;
        let identity = identities.remove(&customer);
        let id = canonical::digest(format!("{customer} {at} {} {}", actor.person, seen.today).as_bytes());
        let record = CallRecord {
            id: id[..32].to_owned(),
            customer,
            at,
            channel: call.channel.clone(),
            topic: call.topic.clone(),
            person: actor.person,
        };
        let waiting = self.waiting_here(&record, here, identity.as_ref()).await?;
        answer(&live, record, &seen, waiting, offers, controls, identity.as_ref())
    }

    /// What waits until this customer comes by, as channel or at the end of a fallback chain, in words.
    async fn waiting_here(
        &self,
        call: &CallRecord,
        mut waiting: Vec<StoredContact>,
        identity: Option<&Identity>,
    ) -> Result<Vec<(Prompt, StoredContact)>, EngineError> {
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let versions = self.vouched_versions().await?;
        waiting.retain(|contact| versions.contains(&contact.planned.component));
        let renderer = self.renderer(&waiting).await?;
        let mut prompts = Vec::with_capacity(waiting.len());
        for contact in waiting {
            let planned = &contact.planned;
            let Some(manifest) = renderer.manifest(planned) else { continue };
            let reason = manifest.reasons.iter().find(|r| r.name == planned.reason).map(|r| r.title.clone());
            let prompt = Prompt {
                id: canonical::digest(format!("{} {}", call.id, planned.id).as_bytes())[..32].to_owned(),
                activity: planned.activity.clone(),
                title: manifest.title.clone(),
                reason: reason.unwrap_or_else(|| manifest.summary.clone()),
                // It won its plan's arbitration.
                score: 1.0,
                script: renderer.text(&contact, identity)?,
                sms: None,
                task: None,
            };
            prompts.push((prompt, contact));
        }
        Ok(prompts)
    }

    /// Keeps a call with what was shown.
    pub async fn keep_call(&self, shown: &ShownCall) -> Result<(), EngineError> {
        let ShownCall { call, prompts, controls } = shown;
        let outcomes: Vec<NewOutcome> = prompts.iter().map(|p| outcome(p, "shown", call.at)).collect();
        Ok(self.store.keep_call(call, prompts, controls, &outcomes).await?)
    }

    /// Keeps how a customer answered a prompt. What follows an acceptance goes out with the next dispatch.
    pub async fn answer_prompt(
        &self,
        id: &str,
        accepted: bool,
        follow_up: Option<FollowUp>,
        by: &str,
        at: i64,
    ) -> Result<Answered, EngineError> {
        let actor = self.authorise(by, Act::UseTouchpoint, None, at).await?;
        let prompt = self.store.prompt(id).await?.ok_or_else(|| {
            EngineError::refused("unknown-prompt", format!("no prompt {id:?} was shown"), "Ask the touchpoint again")
        })?;
        let PromptDocument { prompt: contact, sms, task } = &prompt.document;
        let wanted = match follow_up {
            None => None,
            Some(_) if !accepted => {
                let message = "nothing follows a prompt that was declined";
                return Err(EngineError::refused("no-follow-up", message, "Leave the follow-up away"));
            }
            Some(FollowUp::Sms) => Some(sms),
            Some(FollowUp::Task) => Some(task),
        };
        let chosen = match wanted {
            None => None,
            Some(Some(contact)) => {
                let not_after = contact.not_after.max(at).min(at.saturating_add(FOLLOW_UP_MS));
                Some(NewContact { planned_at: at, not_after, ..contact.clone() })
            }
            Some(None) => {
                let message = format!("prompt {id} of {} offers no such follow-up", contact.activity);
                return Err(EngineError::refused("no-follow-up", message, "See what the prompt offers"));
            }
        };
        let kind = if accepted { "accepted" } else { "declined" };
        let entry = Entry::of(
            &actor,
            &format!("prompt-{kind}"),
            "touchpoint",
            json!({"prompt": id, "activity": contact.activity}),
        );
        let answer = PromptAnswer {
            prompt: &prompt,
            accepted,
            follow_up: chosen.as_ref(),
            budget_fen: self.budget_of(chosen.as_ref(), at).await?,
            outcome: outcome(&prompt, kind, at),
        };
        match self.store.answer_prompt(&answer, &entry).await? {
            PromptKept::Kept(stopped) => {
                Ok(Answered { prompt: id.to_owned(), stopped, follow_up: chosen.map(|contact| contact.id.to_string()) })
            }
            PromptKept::Before => {
                let message = format!("prompt {id} was answered before");
                Err(EngineError::refused("answered-before", message, "An answer is kept once"))
            }
            PromptKept::BudgetSpent => {
                let message = format!("the budget of {} leaves no room for what should follow", contact.activity);
                Err(EngineError::refused("budget-spent", message, "Answer without a follow-up; nothing was kept yet"))
            }
        }
    }

    /// What a follow-up's version may spend in all; `None` where no budget pays for it.
    async fn budget_of(&self, follow_up: Option<&NewContact>, at: i64) -> Result<Option<u64>, EngineError> {
        let Some(contact) = follow_up.filter(|contact| contact.cost_fen > 0) else { return Ok(None) };
        let live = self.live(at).await?;
        let budget = live.world.budgets.values().find(|(component, _)| *component == contact.component);
        Ok(budget.map(|(_, fen)| *fen))
    }

    fn known_value(&self, field: &str, value: &str) -> Result<(), EngineError> {
        let values = self.dictionary.fields.get(field).map(|f| f.values.as_slice()).unwrap_or_default();
        if values.iter().any(|known| known == value) {
            return Ok(());
        }
        let what = field.trim_start_matches("event.");
        let near = nearest_hint(value, values.iter().map(String::as_str));
        let message = format!("{what} {value:?} is unknown{near}");
        Err(EngineError::refused("unknown-value", message, format!("Use one of {}", values.join(", "))))
    }

    async fn customer_of(&self, customer: &str) -> Result<CustomerKey, EngineError> {
        let Some(number) = customer.strip_prefix(NUMBER).map(str::trim) else { return Ok(self.key_of(customer)) };
        let found = self.store.customers_by_number(&[number.to_owned()]).await?;
        found.get(number).copied().ok_or_else(unknown_customer)
    }
}

fn unknown_customer() -> EngineError {
    let hint = "Check the id or number; a new customer is known from the next snapshot on";
    EngineError::refused("unknown-customer", "the population does not hold this customer", hint)
}

/// Channels of which what waits is said here.
fn waiting_channels(channel: &str) -> &'static [Channel] {
    match channel {
        "store" => &[Channel::Touchpoint, Channel::Store],
        _ => &[Channel::Touchpoint],
    }
}

fn outcome(prompt: &PromptRecord, kind: &str, at: i64) -> NewOutcome {
    let contact = &prompt.document.prompt;
    NewOutcome {
        id: format!("prompt:{}:{kind}", prompt.id),
        customer: contact.customer,
        kind: kind.to_owned(),
        value: None,
        at,
        activity: Some(contact.activity.clone()),
        contact: (kind == "accepted").then_some(contact.id),
        source: OutcomeSource::Call.name(),
        named: true,
        wish: None,
        cancels: Vec::new(),
    }
}

/// The answer in words, and what is kept of it.
fn answer(
    live: &LiveWorld,
    call: CallRecord,
    seen: &Seen,
    waiting: Vec<(Prompt, StoredContact)>,
    offers: Vec<Offer>,
    controls: Vec<NewControl>,
    identity: Option<&Identity>,
) -> Result<(Prompts, ShownCall), EngineError> {
    let (mut shown, mut kept) = (Vec::new(), Vec::new());
    for (prompt, contact) in waiting.into_iter().take(PROMPTS) {
        kept.push(PromptRecord {
            id: prompt.id.clone(),
            call: call.id.clone(),
            world: contact.plan,
            document: PromptDocument { prompt: contact.planned, sms: None, task: None },
            state: "shown".into(),
        });
        shown.push(prompt);
    }
    for offer in offers {
        let known = shown.iter().any(|prompt| prompt.activity == offer.prompt.activity);
        if known || shown.len() == PROMPTS {
            continue;
        }
        let Offer { due, score, prompt, sms, task } = offer;
        let due = &live.world.due[due];
        let (manifest, labels) = (&due.manifest, due.grants.labels.as_ref());
        let read = |contact: &NewContact| {
            text_of(contact, contact.channel, manifest, Some(labels), identity, &live.world.pins.frame)
                .map_err(|e| EngineError::internal(format!("a prompt of {}: {e}", due.campaign)))
        };
        let hash = canonical::digest(format!("{} {} {}", call.id, prompt.campaign, prompt.occasion).as_bytes());
        let reason = manifest.reasons.iter().find(|r| r.name == prompt.reason).map(|r| r.title.clone());
        shown.push(Prompt {
            id: hash[..32].to_owned(),
            activity: prompt.activity.clone(),
            title: manifest.title.clone(),
            reason: reason.unwrap_or_else(|| manifest.summary.clone()),
            score,
            script: read(&prompt)?,
            sms: sms.as_ref().map(read).transpose()?,
            task: task.as_ref().map(read).transpose()?,
        });
        kept.push(PromptRecord {
            id: hash[..32].to_owned(),
            call: call.id.clone(),
            world: live.id.clone(),
            document: PromptDocument { prompt, sms, task },
            state: "shown".into(),
        });
    }
    let number = seen.today + 1;
    let last_call_at = seen.last.map(time::write_instant);
    let hint = last_call_at.as_ref().filter(|_| number > 1).map(|last| Bilingual {
        zh: format!("今日第{number}次来电，上次为{last}"),
        en: format!("call {number} today, last at {last}"),
    });
    let prompts = Prompts {
        call: call.id.clone(),
        customer: call.customer.to_string(),
        call_today: number,
        last_call_at,
        hint,
        prompts: shown,
    };
    Ok((prompts, ShownCall { call, prompts: kept, controls }))
}
