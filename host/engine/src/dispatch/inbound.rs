//! What gateways report: receipts become outcomes, refusals stop messages at once, other replies are outcomes too.
//! A report is acknowledged after it was kept, so the gateway repeats what was not.

use crate::{About, Engine, EngineError, OutcomeImport, OutcomeReport, OutcomeSource};
use care_channels::{GatewaysConfig, Inbound};
use care_domain::canonical;
use care_domain::contact::Channel;
use care_domain::dispatch::{Meaning, Retry, refusal_outcomes};
use care_domain::person::Actor;
use care_store::{Answered, Heard};
use tokio::sync::{mpsc, oneshot};

use super::Clock;

/// Reports kept in one transaction.
const TOGETHER: usize = 200;

/// Whose reports these are.
pub(super) struct Source<'a> {
    /// Names the gateway.
    pub(super) gateway: &'a str,
    pub(super) channel: Channel,
    pub(super) retry: Retry,
    /// Put before numbers on the way out; taken off on the way in.
    pub(super) prefix: String,
}

impl Engine {
    /// Keeps what a gateway reports until it reports no more.
    pub(super) async fn listen(
        &self,
        config: &GatewaysConfig,
        source: Source<'_>,
        mut reports: mpsc::Receiver<Inbound>,
        clock: Clock,
        by: &Actor,
    ) -> Result<(), EngineError> {
        let mut together = Vec::with_capacity(TOGETHER);
        while reports.recv_many(&mut together, TOGETHER).await > 0 {
            let (mut heard, mut kept) = (Vec::new(), Vec::new());
            for report in together.drain(..) {
                match report {
                    Inbound::Receipt { receipt, kept: ack } => {
                        heard.push(Heard { receipt, at: clock.now() });
                        kept.push(ack);
                    }
                    Inbound::Reply { from, text, kept: ack } => {
                        let done = self.reply(config, &source, &from, &text, clock.now(), by).await;
                        acknowledge([ack], &done);
                    }
                    Inbound::Late { contact, attempt, answer } => {
                        let next = source.retry.next(&answer, attempt, clock.now(), 0);
                        let late = Answered { contact, attempt, answer, next };
                        self.store.answered(source.gateway, &[late], clock.now()).await?;
                    }
                }
            }
            if !heard.is_empty() {
                let done = self.store.hear(source.gateway, &heard).await.map_err(EngineError::from);
                acknowledge(kept, &done);
                self.record_deliveries(clock.now(), by).await?;
            }
        }
        Ok(())
    }

    /// Records what receipts settled as outcomes, each once.
    pub(super) async fn record_deliveries(&self, now: i64, by: &Actor) -> Result<(), EngineError> {
        let settled = self.store.deliveries_to_record().await?;
        if settled.is_empty() {
            return Ok(());
        }
        let told = |one: &care_store::Delivered| OutcomeReport {
            id: Some(format!("delivery:{}:{}", one.contact, one.delivery.name())),
            ..told_of(About::Contact(one.contact), one.delivery.name(), one.at)
        };
        let reports = settled.iter().map(told).collect();
        warn_of_rejected(&self.record_told(reports, OutcomeSource::Receipt, by, now).await?);
        Ok(self.store.deliveries_recorded(&settled).await?)
    }

    async fn reply(
        &self,
        config: &GatewaysConfig,
        source: &Source<'_>,
        from: &str,
        text: &str,
        now: i64,
        by: &Actor,
    ) -> Result<(), EngineError> {
        let bare = from.trim_start_matches('+');
        let number = bare.strip_prefix(source.prefix.trim_start_matches('+')).unwrap_or(bare).to_owned();
        let found = self.store.customers_by_number(&[number]).await?;
        let Some(customer) = found.into_values().next() else {
            tracing::warn!("a message came from a number that is no customer's");
            return Ok(());
        };
        let last = self.store.last_sent(customer, source.channel).await?;
        let about = last.as_ref().map(|last| last.activity.clone());
        let mut value = None;
        let outcomes: Vec<(String, Option<String>)> = match config.replies.meaning(text, about.as_deref()) {
            Meaning::Refusal => {
                let last = last.as_ref().map(|last| (last.activity.as_str(), last.class));
                refusal_outcomes(last).into_iter().map(|(kind, activity)| (kind.to_owned(), activity)).collect()
            }
            Meaning::Outcome(kind) => vec![(kind, about)],
            Meaning::Score(kind, score) => {
                value = Some(score.to_string());
                vec![(kind, about)]
            }
        };
        // A gateway that does not hear our answer repeats the message: within a minute it is the same one.
        let minute = now / 60_000;
        let told = outcomes.into_iter().map(|(kind, activity)| OutcomeReport {
            id: Some(canonical::digest(format!("reply {customer} {kind} {activity:?} {text} {minute}").as_bytes())),
            contact: last.as_ref().filter(|_| activity.is_some()).map(|last| last.contact),
            activity,
            value: value.clone(),
            ..told_of(About::Customer(customer.to_string()), &kind, now)
        });
        warn_of_rejected(&self.record_told(told.collect(), OutcomeSource::Reply, by, now).await?);
        Ok(())
    }
}

fn told_of(about: About, kind: &str, at: i64) -> OutcomeReport {
    let kind = kind.to_owned();
    OutcomeReport { line: 0, about, kind, at, value: None, unit: None, activity: None, contact: None, id: None }
}

/// A gateway cannot tell it another way, so its operator learns of it.
fn warn_of_rejected(done: &OutcomeImport) {
    for rejected in &done.rejected {
        tracing::warn!("an outcome that a gateway told was left out ({}): {}", rejected.code, rejected.reason);
    }
}

fn acknowledge(acks: impl IntoIterator<Item = oneshot::Sender<bool>>, done: &Result<(), EngineError>) {
    if let Err(error) = done {
        tracing::error!("a report of a gateway was not kept, and it will repeat it: {error}");
    }
    for ack in acks {
        let _ = ack.send(done.is_ok());
    }
}
