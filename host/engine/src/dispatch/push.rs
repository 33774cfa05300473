//! Sending by a gateway that answers for each message: leased fairly, intended, handed over as the window has room,
//! settled as the answers come.

use super::files::address;
use super::gateways::REPORTS;
use super::inbound::Source;
use super::{Clock, Dispatched, GoOn, LOOK};
use crate::render::Renderer;
use crate::{Engine, EngineError};
use care_channels::{ChannelConfig, Gateway, GatewaysConfig, Outgoing};
use care_domain::contact::{Channel, ContactId, ContactState};
use care_domain::dispatch::{Answer, Breaker, Bucket, Line, Meanwhile, Next, Retry, allot, pointless};
use care_domain::identity::Identity;
use care_domain::key::CustomerKey;
use care_domain::person::Actor;
use care_store::{Answered, Intent, Leasing, StoredContact};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use tokio::sync::mpsc;

/// The most contacts leased at once, and how many windows full they are: enough that choosing them fairly costs little, few
/// enough that other dispatchers get their share and a crash delays little.
const LEASE: u64 = 1_000;
const WINDOWS: u64 = 50;
/// How long leased contacts are ours before they are intended, in milliseconds.
const HOLD_MS: i64 = 60_000;
/// Beyond the longest answer: how long an intent is ours, in milliseconds.
const GRACE_MS: i64 = 15_000;
/// How often approvals are looked at again, in milliseconds; states and switches are looked at with every intent.
const VOUCH_MS: i64 = 5_000;

impl Engine {
    /// Runs the gateway of a channel: until nothing is due, or, when it `watches`, until `go_on` says no.
    pub(super) async fn push_channel(
        &self,
        config: &GatewaysConfig,
        channel: Channel,
        clock: Clock,
        go_on: GoOn<'_>,
        watches: bool,
        by: &Actor,
    ) -> Result<Dispatched, EngineError> {
        let own = config.of(channel);
        let (sender, reports) = mpsc::channel(REPORTS);
        let Some(gateway) = Gateway::open(&own, &self.folder, sender)? else { return Ok(Dispatched::default()) };
        let id = own.gateway_id();
        let retry = own.retry.with(gateway.deduplicates());
        let prefix = own.smpp.as_ref().map(|smpp| smpp.prefix.clone()).unwrap_or_default();
        let source = Source { gateway: &id, channel, retry, prefix };
        let versions = (i64::MIN, Vec::new());
        let lease = self.lease_name()?;
        let pushing = async {
            let (outcome, done) = {
                let mut run = Run {
                    engine: self,
                    channel,
                    config: &own,
                    gateway: &gateway,
                    id: &id,
                    lease,
                    retry,
                    clock,
                    versions,
                    queue: VecDeque::new(),
                    breaker: Breaker::default(),
                    done: Dispatched::default(),
                    copied: BTreeSet::new(),
                };
                (run.go(go_on, watches).await, run.done)
            };
            // Whatever ended the run, the gateway is told good-bye and dropped, so that listening ends too.
            gateway.close().await;
            drop(gateway);
            outcome.map(|()| done)
        };
        let (done, ()) = tokio::try_join!(pushing, self.listen(config, source, reports, clock, by))?;
        self.record_deliveries(clock.now(), by).await?;
        Ok(done)
    }

    fn lease_name(&self) -> Result<String, EngineError> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(EngineError::internal)?;
        Ok(hex::encode(bytes))
    }
}

/// A leased contact, ready to go; or why it cannot.
struct Ready {
    contact: ContactId,
    message: Result<Outgoing, String>,
}

/// A gateway at work.
struct Run<'a> {
    engine: &'a Engine,
    channel: Channel,
    config: &'a ChannelConfig,
    gateway: &'a Gateway,
    id: &'a str,
    lease: String,
    retry: Retry,
    clock: Clock,
    versions: (i64, Vec<String>),
    queue: VecDeque<Ready>,
    breaker: Breaker,
    done: Dispatched,
    /// What staff got copies of.
    copied: BTreeSet<String>,
}

type Flight<'a> = FuturesUnordered<BoxFuture<'a, (Intent, Answer)>>;

impl<'a> Run<'a> {
    async fn go(&mut self, go_on: GoOn<'_>, watches: bool) -> Result<(), EngineError> {
        let mut flight: Flight<'a> = FuturesUnordered::new();
        self.settle_lapsed().await?;
        let mut looked = self.clock.now();
        loop {
            let stopping = !go_on(self.done.sent);
            let due = if stopping { 0 } else { self.refill(&mut flight).await? };
            if let Some(first) = flight.next().await {
                let mut answers = vec![first];
                while let Some(Some(more)) = flight.next().now_or_never() {
                    answers.push(more);
                }
                self.settle(answers).await?;
                continue;
            }
            let idle = due == 0 || matches!(self.breaker, Breaker::Open { .. });
            if stopping || (!watches && idle) {
                break;
            }
            tokio::time::sleep(LOOK / 10).await;
            if self.clock.now() - looked > VOUCH_MS {
                looked = self.clock.now();
                self.settle_lapsed().await?;
            }
        }
        self.engine.store.give_back(&self.lease).await?;
        if watches || go_on(self.done.sent) { Ok(()) } else { Err(EngineError::Stopped) }
    }

    /// Starts as many messages as the window, the breaker and the rates leave room for; returns how many were due.
    async fn refill(&mut self, flight: &mut Flight<'a>) -> Result<u64, EngineError> {
        let mut due = self.queue.len() as u64;
        loop {
            let now = self.clock.now();
            let (breaker, room) = self.breaker.admits(now, self.gateway.window());
            self.breaker = breaker;
            let free = room.saturating_sub(flight.len());
            if free == 0 {
                return Ok(due);
            }
            if self.queue.is_empty() {
                due = self.fetch(now).await?;
                if self.queue.is_empty() {
                    return Ok(due);
                }
            }
            let some: Vec<Ready> = self.queue.drain(..free.min(self.queue.len())).collect();
            let ids: Vec<ContactId> = some.iter().map(|ready| ready.contact).collect();
            let until = now + self.gateway.longest_ms() + GRACE_MS;
            let intents = self.engine.store.intend(self.asked(now, until), &ids, self.id).await?;
            let mut ready: HashMap<ContactId, Ready> = some.into_iter().map(|r| (r.contact, r)).collect();
            for intent in intents {
                if let Some(ready) = ready.remove(&intent.contact) {
                    flight.push(hand_over(self.gateway, intent, ready.message));
                }
            }
        }
    }

    fn asked(&self, now: i64, until: i64) -> Leasing<'_> {
        Leasing { lease: &self.lease, channel: self.channel, versions: &self.versions.1, now, until }
    }

    /// Leases what is due and makes it ready; returns how many were due.
    async fn fetch(&mut self, now: i64) -> Result<u64, EngineError> {
        if self.versions.0 == i64::MIN || now - self.versions.0 > VOUCH_MS {
            self.versions = (now, self.engine.vouched_versions().await?);
        }
        self.engine.store.expire(now).await.map(|gone| self.done.expired += gone)?;
        let config = self.config;
        let channel = self.channel;
        let most = (self.gateway.window() as u64 * WINDOWS).min(LEASE);
        let shares = move |lines: &[Line], buckets: &mut BTreeMap<String, Bucket>| {
            within_rates((config, channel, most), lines, buckets, now)
        };
        let leased = self.engine.store.lease(self.asked(now, now + HOLD_MS), most, shares).await?;
        if leased.contacts.is_empty() {
            return Ok(leased.due);
        }
        let welcome = self.still_welcome(leased.contacts, now).await?;
        let renderer = self.engine.renderer(&welcome).await?;
        let copies = self.engine.copies(&welcome, &renderer, &mut self.copied, now).await?;
        self.engine.send_copies(copies, Some(self.gateway)).await?;
        self.queue = self.engine.make_ready(&welcome, &renderer).await?.into();
        Ok(leased.due)
    }

    /// Ends what a wish or an outcome since the plan made unwelcome or pointless.
    async fn still_welcome(
        &mut self,
        contacts: Vec<StoredContact>,
        now: i64,
    ) -> Result<Vec<StoredContact>, EngineError> {
        let customers: Vec<CustomerKey> = contacts.iter().map(|c| c.planned.customer).collect();
        let since = self.engine.store.since(&customers).await?;
        if since.is_empty() {
            return Ok(contacts);
        }
        let (_, policy) = self.engine.policy_in_force().await?;
        let renderer = self.engine.renderer(&contacts).await?;
        let why = |contact: &StoredContact| {
            let planned = &contact.planned;
            let happened = since.get(&planned.customer)?;
            let cancel_on = renderer.manifest(planned).map_or(&[][..], |m| &m.cancel_on);
            let meanwhile = Meanwhile { wishes: &happened.wishes, outcomes: &happened.outcomes };
            let what = (planned.activity.as_str(), planned.class, contact.seq);
            pointless(what, policy.rules(planned.class), cancel_on, meanwhile)
        };
        let ended: Vec<(ContactId, String)> =
            contacts.iter().filter_map(|contact| Some((contact.planned.id, why(contact)?))).collect();
        self.done.cancelled += self.engine.store.cancel_leased(&ended, now).await?;
        Ok(contacts.into_iter().filter(|c| ended.iter().all(|(id, _)| *id != c.planned.id)).collect())
    }

    /// Writes what came of messages.
    async fn settle(&mut self, answers: Vec<(Intent, Answer)>) -> Result<(), EngineError> {
        let now = self.clock.now();
        let waits = (self.config.retry.base_ms, self.config.retry.most_ms);
        let mut answered = Vec::with_capacity(answers.len());
        for (intent, answer) in answers {
            let jitter = jitter(intent);
            self.breaker = self.breaker.after(!answer.blames_gateway(), now, waits, jitter);
            let next = self.retry.next(&answer, intent.failures + 1, now, jitter);
            self.count(&next);
            answered.push(Answered { contact: intent.contact, attempt: intent.attempt, answer, next });
        }
        Ok(self.engine.store.answered(self.id, &answered, now).await?)
    }

    fn count(&mut self, next: &Next) {
        match next {
            Next::Settle { state: ContactState::Sent, .. } => self.done.sent += 1,
            Next::Settle { state: ContactState::Unknown, .. } => self.done.unknown += 1,
            Next::Settle { .. } => self.done.failed += 1,
            Next::Again { .. } => self.done.again += 1,
        }
    }

    /// Settles intents of dispatchers that are gone.
    async fn settle_lapsed(&mut self) -> Result<(), EngineError> {
        let now = self.clock.now();
        let lapsed = self.engine.store.take_lapsed(self.asked(now, now + HOLD_MS)).await?;
        self.done.resumed += lapsed.len() as u64;
        let why = "the dispatcher ended before the answer came";
        let answers = lapsed.into_iter().map(|intent| (intent, Answer::Lost { why: why.into() })).collect();
        let breaker = self.breaker;
        self.settle(answers).await?;
        // It says nothing about the gateway.
        self.breaker = breaker;
        Ok(())
    }
}

impl Engine {
    /// Texts and addresses of contacts; they live until the gateway has them.
    async fn make_ready(&self, contacts: &[StoredContact], renderer: &Renderer) -> Result<Vec<Ready>, EngineError> {
        let mut keys: Vec<CustomerKey> = contacts.iter().map(|c| c.planned.customer).collect();
        keys.sort_unstable();
        keys.dedup();
        let identities = self.store.identities(&keys).await?;
        let ready = |contact: &StoredContact| Ready {
            contact: contact.planned.id,
            message: message_of(contact, renderer, identities.get(&contact.planned.customer)),
        };
        Ok(contacts.iter().map(ready).collect())
    }
}

fn message_of(contact: &StoredContact, renderer: &Renderer, identity: Option<&Identity>) -> Result<Outgoing, String> {
    let planned = &contact.planned;
    let to = address(contact, identity).ok_or("no address")?;
    let text = renderer.text(contact, identity).map_err(|_| "its text cannot be made")?;
    let title = renderer.manifest(planned).map_or(String::new(), |m| m.title.get(planned.language).to_owned());
    Ok(Outgoing {
        contact: planned.id,
        attempt: 0,
        channel: contact.via,
        addressee: planned.addressee,
        campaign: planned.campaign.clone(),
        to: to.to_owned(),
        text,
        subject: title,
        not_after: planned.not_after,
    })
}

fn hand_over(gateway: &Gateway, intent: Intent, message: Result<Outgoing, String>) -> BoxFuture<'_, (Intent, Answer)> {
    async move {
        let answer = match message {
            Ok(message) => gateway.send(&Outgoing { attempt: intent.attempt, ..message }).await,
            Err(why) => Answer::Refused { why },
        };
        (intent, answer)
    }
    .boxed()
}

/// Any number that is the same for the same attempt.
fn jitter(intent: Intent) -> u64 {
    let bytes = intent.contact.0;
    let half = u64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]);
    half.rotate_left(intent.attempt)
}

/// Shares of what waits, within the rates of the channel and of its campaigns; takes them out of the buckets.
fn within_rates(
    (config, channel, most): (&ChannelConfig, Channel, u64),
    lines: &[Line],
    buckets: &mut BTreeMap<String, Bucket>,
    now: i64,
) -> Vec<u64> {
    let mut take = |scope: String, rate: u32, wanted: u64| {
        let bucket = buckets.get(&scope).copied().unwrap_or_else(|| Bucket::full(rate, now));
        let (bucket, given) = bucket.take(rate, wanted, now);
        buckets.insert(scope, bucket);
        given
    };
    let rate_of = |campaign: &str| config.campaign_rates.get(campaign).copied().unwrap_or(config.campaign_rate);
    let scope_of = |campaign: &str| format!("{} {campaign}", channel.name());
    let room = if config.rate == 0 { most } else { take(channel.name().to_owned(), config.rate, most) };
    let mut limits: BTreeMap<String, u64> = BTreeMap::new();
    for line in lines {
        let rate = rate_of(&line.campaign);
        if rate > 0 && !limits.contains_key(&line.campaign) {
            limits.insert(line.campaign.clone(), take(scope_of(&line.campaign), rate, most));
        }
    }
    let shares = allot(room, lines, &limits);
    // What was taken and not used goes back.
    let mut unused = limits;
    for (line, share) in lines.iter().zip(&shares) {
        if let Some(left) = unused.get_mut(&line.campaign) {
            *left = left.saturating_sub(*share);
        }
    }
    let used: u64 = shares.iter().sum();
    let back = unused.into_iter().map(|(campaign, left)| (scope_of(&campaign), left));
    for (scope, left) in back.chain([(channel.name().to_owned(), room - used)]) {
        if let Some(bucket) = buckets.get_mut(&scope) {
            *bucket = bucket.put_back(left);
        }
    }
    shares
}
