//! Why a customer was contacted, or not: every plan's verdicts with rule and figures, and what was said.

use crate::{Engine, EngineError};
use care_domain::contact::{ContactId, ContactState};
use care_domain::key::CustomerKey;
use care_domain::time;
use care_domain::verdict::{Decision, Verdict, final_verdict};
use care_population::decision_log;
use care_store::{Cut, Plan, PlanState, StoredContact};
use serde::Serialize;

/// Everything that was decided about a customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The pseudonymous key.
    pub customer: String,
    /// Plans that looked at the customer, newest first.
    pub plans: Vec<WhyPlan>,
}

/// What a plan decided about the customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyPlan {
    /// The plan.
    pub plan: String,
    /// Its business date, `2026-07-29`.
    pub date: String,
    /// Its wave.
    pub wave: u32,
    /// One entry for each of its campaigns.
    pub activities: Vec<WhyActivity>,
}

/// What was decided for one campaign.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyActivity {
    /// Campaign.
    pub campaign: String,
    /// Activity.
    pub activity: String,
    /// The plan's verdict; `not-selected` when the activity did not choose the customer.
    pub verdict: String,
    /// What became of it: the verdict joined with the contacts' state.
    pub finally: String,
    /// The rule that decided, and the figures it saw.
    pub rule: String,
    /// Figures.
    pub figures: String,
    /// The reason for which the customer was chosen.
    pub reason: String,
    /// The campaign that won instead.
    pub winner: Option<String>,
    /// What was said.
    pub messages: Vec<WhyMessage>,
}

/// A message about the customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyMessage {
    /// Contact id.
    pub contact: String,
    /// Channel.
    pub channel: &'static str,
    /// To whom.
    pub addressee: &'static str,
    /// When it was planned for, RFC 3339.
    pub planned_at: String,
    /// Where it stands.
    pub state: &'static str,
    /// As read.
    pub text: String,
}

impl Engine {
    /// Explains a customer, by the operator's id or by key; of one business date, or of all.
    pub async fn why(&self, customer: &str, date: Option<i32>) -> Result<Explanation, EngineError> {
        let key = self.key_of(customer);
        let seen = self.sees_customer(key).await?;
        let contacts = self.store.contacts_of(key).await?;
        let mut plans = Vec::new();
        let mut known = !contacts.is_empty();
        let forgotten = self.store.forgotten_plans().await?;
        let asked = |plan: &Plan| !forgotten.contains(&plan.id) && date.is_none_or(|date| plan.pins.date == date);
        for plan in self.store.plans().await?.into_iter().filter(asked) {
            let bucket = key.bucket(plan.pins.bucket_bits);
            let tasks = self.store.tasks(&plan.id).await?;
            let Some(Some(result)) = tasks.get(&bucket.index) else { continue };
            let snapshot = self.snapshot(Some(&plan.pins.snapshot), None).await?;
            if snapshot.bucket(bucket)?.find(key).is_none() {
                continue;
            }
            known = true;
            let log = decision_log::read(&decision_log::path_of(&self.decisions(), &result.log))?;
            let decisions: Vec<Decision> = log.into_iter().filter(|d| d.customer == key).collect();
            plans.push(self.why_plan(key, &plan, &decisions, &contacts).await?);
        }
        for number in self.store.event_batches_of(key).await? {
            plans.extend(self.why_event(key, number, date, &contacts).await?);
            known = true;
        }
        if !known || !seen {
            let message = format!(
                "no plan{} looked at customer {customer:?}",
                date.map_or(String::new(), |d| format!(" of {}", time::write_date(d)))
            );
            return Err(EngineError::refused("unknown-customer", message, "Check the customer id and the date"));
        }
        Ok(Explanation { customer: key.to_string(), plans })
    }

    /// What a batch of events decided about the customer, as if it were a plan; `None` on another date.
    async fn why_event(
        &self,
        key: CustomerKey,
        number: i64,
        date: Option<i32>,
        contacts: &[StoredContact],
    ) -> Result<Option<WhyPlan>, EngineError> {
        let batch = self.kept_batch(number).await?;
        let pins = self.pins_of(&batch.world).await?;
        if date.is_some_and(|date| date != pins.date) {
            return Ok(None);
        }
        let decisions: Vec<Decision> = serde_json::from_slice(&batch.decisions).map_err(EngineError::internal)?;
        let world = Plan { id: batch.world, pins, state: PlanState::Running, created_at: batch.instant };
        let mut activities = Vec::new();
        for decision in decisions.iter().filter(|d| d.customer == key) {
            activities.push(self.why_decision(key, &world, decision, contacts).await?);
        }
        let date = time::write_date(world.pins.date);
        Ok(Some(WhyPlan { plan: format!("event-{number}"), date, wave: 0, activities }))
    }

    async fn why_plan(
        &self,
        key: CustomerKey,
        plan: &Plan,
        decisions: &[Decision],
        contacts: &[StoredContact],
    ) -> Result<WhyPlan, EngineError> {
        let mut activities = Vec::new();
        for pinned in &plan.pins.campaigns {
            match decisions.iter().find(|d| d.campaign == pinned.campaign) {
                Some(decision) => activities.push(self.why_decision(key, plan, decision, contacts).await?),
                None => activities.push(not_selected(&pinned.campaign, &pinned.activity)),
            }
        }
        Ok(WhyPlan { plan: plan.id.clone(), date: time::write_date(plan.pins.date), wave: plan.pins.wave, activities })
    }

    async fn why_decision(
        &self,
        key: CustomerKey,
        plan: &Plan,
        decision: &Decision,
        contacts: &[StoredContact],
    ) -> Result<WhyActivity, EngineError> {
        let mine: Vec<StoredContact> = contacts
            .iter()
            .filter(|c| {
                c.plan == plan.id && c.planned.campaign == decision.campaign && c.planned.occasion == decision.occasion
            })
            .cloned()
            .collect();
        let cut = Cut {
            campaign: decision.campaign.as_str().into(),
            customer: key,
            occasion: decision.occasion,
            round: decision.round,
        };
        let cut = match decision.verdict {
            Verdict::Cleared => self.store.was_cut(&plan.id, &cut).await?,
            _ => None,
        };
        let verdict = if cut.is_some() { Verdict::OverCapacity } else { decision.verdict };
        let states: Vec<ContactState> = mine.iter().map(|c| c.state).collect();
        Ok(WhyActivity {
            campaign: decision.campaign.clone(),
            activity: decision.activity.clone(),
            verdict: verdict.name().to_owned(),
            finally: match plan.state {
                PlanState::Cancelled(_) => "plan-cancelled".to_owned(),
                _ => final_verdict(verdict, &states).to_owned(),
            },
            rule: cut.unwrap_or_else(|| decision.rule.clone()),
            figures: decision.figures.clone(),
            reason: decision.reason.clone(),
            winner: decision.winner.clone(),
            messages: self.messages(&mine).await?,
        })
    }

    async fn messages(&self, contacts: &[StoredContact]) -> Result<Vec<WhyMessage>, EngineError> {
        let renderer = self.renderer(contacts).await?;
        let keys: Vec<CustomerKey> = contacts.iter().map(|c| c.planned.customer).collect();
        let identities = self.store.identities(&keys).await?;
        let ids: Vec<ContactId> = contacts.iter().map(|c| c.planned.id).collect();
        let sent_at = self.store.sent_at(&ids).await?;
        contacts
            .iter()
            .map(|contact| {
                Ok(WhyMessage {
                    contact: contact.planned.id.to_string(),
                    channel: contact.via.name(),
                    addressee: contact.planned.addressee.name(),
                    planned_at: time::write_instant(contact.planned.planned_at),
                    state: contact.state.name(),
                    text: renderer.text_as_sent(
                        contact,
                        identities.get(&contact.planned.customer),
                        sent_at.get(&contact.planned.id).copied(),
                    )?,
                })
            })
            .collect()
    }
}

fn not_selected(campaign: &str, activity: &str) -> WhyActivity {
    WhyActivity {
        campaign: campaign.to_owned(),
        activity: activity.to_owned(),
        verdict: "not-selected".into(),
        finally: "not-selected".into(),
        rule: "select".into(),
        figures: String::new(),
        reason: String::new(),
        winner: None,
        messages: Vec::new(),
    }
}
