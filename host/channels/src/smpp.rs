//! Short messages by SMPP 3.4: encoded, cut into segments, sent over supervised connections, answered one by one.
//! Receipts, replies and late answers come back the same way.

mod bind;
mod incoming;

use crate::config::{ConfigError, SmppConfig};
use crate::pace::Pace;
use crate::{Health, Inbound, Outgoing, secret};
use bind::{Bind, Slot};
use care_domain::dispatch::{Answer, smpp_status};
use care_domain::sms::{self, Encoded, Encoding};
use care_domain::time;
use rusmpp::pdus::SubmitSm;
use rusmpp::types::{COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, Npi, RegisteredDelivery, Ton};
use rusmppc::error::Error;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, timeout};

/// How often a segment after the first is tried.
const SEGMENT_TRIES: u32 = 8;

/// The gateway: some connections and what they share.
pub struct Smpp {
    config: SmppConfig,
    binds: Vec<Arc<Bind>>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    reference: AtomicU8,
}

/// What all connections of a gateway share.
pub(crate) struct Shared {
    pub(crate) config: SmppConfig,
    pub(crate) password: String,
    pub(crate) inbound: mpsc::Sender<Inbound>,
    /// Told when a connection comes up or a place in a window is free.
    pub(crate) changed: Notify,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    last_error: String,
    counts: BTreeMap<&'static str, u64>,
}

impl Shared {
    /// Counts something that went wrong or came unasked.
    pub(crate) fn count(&self, what: &'static str) {
        *self.notes().counts.entry(what).or_default() += 1;
    }

    /// Counts and keeps what went wrong.
    pub(crate) fn fail(&self, what: &'static str, error: String) {
        tracing::warn!("sms gateway {}: {error}", self.config.address);
        let mut notes = self.notes();
        *notes.counts.entry(what).or_default() += 1;
        notes.last_error = error;
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Smpp {
    /// Starts connecting; must be called within a tokio runtime.
    pub(crate) fn open(
        config: &SmppConfig,
        folder: &Path,
        inbound: mpsc::Sender<Inbound>,
    ) -> Result<Self, ConfigError> {
        let password = secret::read(folder, &config.password_file)?;
        if password.len() > 8 || !password.is_ascii() {
            // SMPP 3.4, 4.1.1: at most eight characters and the end.
            let what = "a password of SMPP 3.4 has at most 8 ASCII characters".into();
            return Err(ConfigError::Value { channel: "sms", what });
        }
        let shared = Arc::new(Shared {
            config: config.clone(),
            password,
            inbound,
            changed: Notify::new(),
            notes: Mutex::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let binds: Vec<Arc<Bind>> =
            (0..config.binds).map(|_| Arc::new(Bind::new(config.window, Pace::of(config.bind_rate)))).collect();
        for (number, bind) in (0..).zip(&binds) {
            tokio::spawn(bind::supervise(number, Arc::clone(bind), Arc::clone(&shared), stopped.clone()));
        }
        Ok(Self { config: config.clone(), binds, shared, stop, reference: AtomicU8::new(0) })
    }

    pub(crate) fn window(&self) -> usize {
        self.config.window * self.config.binds
    }

    /// A message of many segments takes as many answers; such a message is rare, and its lease is its own.
    pub(crate) fn longest_ms(&self) -> i64 {
        let segment = self.config.response_ms * 2 + self.config.throttle_ms;
        (self.config.connect_ms + segment * 16) as i64
    }

    pub(crate) fn health(&self) -> Health {
        let notes = self.shared.notes();
        Health {
            up: self.binds.iter().filter(|bind| bind.is_up()).count(),
            of: self.binds.len(),
            last_error: notes.last_error.clone(),
            counts: notes.counts.clone(),
        }
    }

    /// Waits until a connection is up, or one failed.
    pub(crate) async fn try_out(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && self.health().up < self.binds.len() && self.health().last_error.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn close(&self) {
        let _ = self.stop.send(true);
        for bind in &self.binds {
            bind.close(Duration::from_millis(self.config.response_ms)).await;
        }
    }

    pub(crate) async fn send(&self, message: &Outgoing) -> Answer {
        let refused = |why: &str| Answer::Refused { why: why.to_owned() };
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let Some(encoded) = sms::encode(&message.text, reference) else { return refused("too many segments") };
        let number = format!("{}{}", self.config.prefix, message.to);
        if number.is_empty() || number.len() > 20 || !number.is_ascii() {
            return refused("its number is none");
        }
        let mut submits = Vec::with_capacity(encoded.segments.len());
        for segment in &encoded.segments {
            match self.submit(&number, &encoded, segment, message.not_after) {
                Ok(submit) => submits.push(submit),
                Err(why) => return refused(&why),
            }
        }
        let mut ids = Vec::with_capacity(submits.len());
        let last = submits.len() - 1;
        for (number, submit) in (0..).zip(submits) {
            match self.patiently(&submit, message, &ids, (number, last)).await {
                Answer::Accepted { ids: more } => ids.extend(more),
                answer if number == 0 => return answer,
                // The customer has a part of it: sending it again would show that part twice.
                Answer::Refused { why } => return refused(&format!("segment {} of {}: {why}", number + 1, last + 1)),
                answer => {
                    return Answer::Lost { why: format!("segment {} of {}: {}", number + 1, last + 1, answer.why()) };
                }
            }
        }
        Answer::Accepted { ids }
    }

    /// A place in a window of a connection that is up, waited for no longer than configured.
    async fn slot(&self) -> Option<Slot> {
        let deadline = Instant::now() + Duration::from_millis(self.config.connect_ms);
        loop {
            // Listening begins before looking, so that nothing between the two is missed.
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            if let Some(slot) = self.binds.iter().find_map(|bind| bind.slot(&self.shared)) {
                return Some(slot);
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return None;
            }
        }
    }

    fn why_down(&self) -> String {
        let notes = self.shared.notes();
        if notes.last_error.is_empty() {
            "no connection".into()
        } else {
            format!("no connection: {}", notes.last_error)
        }
    }

    fn submit(&self, number: &str, encoded: &Encoded, segment: &[u8], not_after: i64) -> Result<SubmitSm, String> {
        let bad = |what: &'static str| move |_| what.to_owned();
        let text = |text: &str| COctetString::<1, 21>::from_vec([text.as_bytes(), &[0]].concat());
        let coding = match encoded.encoding {
            Encoding::Gsm7 => DataCoding::McSpecific,
            Encoding::Ucs2 => DataCoding::Ucs2,
        };
        let joined = encoded.segments.len() > 1;
        // The header flag alone: the library's own way to set it says "delivery acknowledgement" as well.
        let esm = EsmClass::from(if joined { 0x40 } else { 0 });
        let validity = match time::smpp_instant(not_after).filter(|_| self.config.validity) {
            Some(instant) => EmptyOrFullCOctetString::from_vec([instant.as_bytes(), &[0]].concat())
                .map_err(|_| "its validity cannot be written".to_owned())?,
            None => EmptyOrFullCOctetString::empty(),
        };
        let alphabetic = self.config.source.chars().any(|c| c.is_ascii_alphabetic());
        Ok(SubmitSm::builder()
            .source_addr_ton(if alphabetic { Ton::Alphanumeric } else { Ton::Unknown })
            .source_addr_npi(Npi::Unknown)
            .source_addr(text(&self.config.source).map_err(bad("the source is no address"))?)
            .dest_addr_ton(if self.config.prefix.is_empty() { Ton::Unknown } else { Ton::International })
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(text(number).map_err(bad("its number is none"))?)
            .esm_class(esm)
            .registered_delivery(RegisteredDelivery::request_all())
            .validity_period(validity)
            .data_coding(coding)
            .short_message(OctetString::from_slice(segment).map_err(|_| "a segment is too long".to_owned())?)
            .build())
    }

    /// Submits one segment. The first one may fail, and the whole message waits for another time; after it, one that was
    /// surely not taken is tried again here, since the customer has the beginning.
    async fn patiently(&self, submit: &SubmitSm, message: &Outgoing, ids: &[String], at: (usize, usize)) -> Answer {
        let (number, last) = at;
        let mut tries = 0;
        loop {
            let answer = match self.slot().await {
                Some(slot) => self.segment(&slot, submit.clone(), message, ids, number == last).await,
                None => Answer::Unreached { why: self.why_down() },
            };
            let taken_by_nobody =
                matches!(answer, Answer::Throttled { .. } | Answer::Busy { .. } | Answer::Unreached { .. });
            tries += 1;
            if number == 0 || !taken_by_nobody || tries == SEGMENT_TRIES {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(self.config.throttle_ms * u64::from(tries))).await;
        }
    }

    /// Submits one segment and reads the answer.
    async fn segment(&self, slot: &Slot, submit: SubmitSm, message: &Outgoing, ids: &[String], last: bool) -> Answer {
        slot.turn().await;
        if !slot.client.is_active() {
            return Answer::Unreached { why: "the connection ended before it was used".into() };
        }
        let lost = |why: &str| Answer::Lost { why: why.to_owned() };
        // The client's own limit begins when the octets are written; this one also ends a write that never does.
        let longest = Duration::from_millis(self.config.response_ms * 2);
        match timeout(longest, slot.client.submit_sm(submit)).await {
            Err(_) => lost("the message could not be written in time"),
            Ok(Ok(taken)) => Answer::Accepted { ids: vec![taken.message_id().as_str().to_owned()] },
            Ok(Err(Error::UnexpectedResponse { response })) => {
                let status = u32::from(response.status());
                match (status, response.id()) {
                    (0, _) => lost("an answer of another kind came"),
                    (_, rusmpp::CommandId::GenericNack) => Answer::Busy { why: format!("nack 0x{status:08X}") },
                    _ => self.refused(slot, status).await,
                }
            }
            Ok(Err(Error::ResponseTimeout { sequence_number, .. })) => {
                let late = if last { slot.expect_late(sequence_number, message, ids) } else { None };
                late.map_or_else(|| lost("no answer in time"), |answer| own_segment(answer, ids.len()))
            }
            Ok(Err(Error::Encode(_))) => Answer::Refused { why: "it cannot be encoded".into() },
            Ok(Err(_)) => lost("the link was cut before the answer"),
        }
    }

    async fn refused(&self, slot: &Slot, status: u32) -> Answer {
        let answer = smpp_status(status);
        if let Answer::Throttled { .. } = answer {
            self.shared.count("throttled");
            slot.pause(Duration::from_millis(self.config.throttle_ms)).await;
        }
        answer
    }
}

/// An answer without the ids of the segments before.
fn own_segment(answer: Answer, before: usize) -> Answer {
    match answer {
        Answer::Accepted { ids } => Answer::Accepted { ids: ids.into_iter().skip(before).collect() },
        other => other,
    }
}
