//! Where events of many requests come together: whatever waits while one batch is decided becomes the next, so a batch
//! grows with the load and a lone event waits for nobody.

use crate::event::{EventAnswer, Fate, Keyed, Taken, answer};
use crate::event_turn::TurnGuard;
use crate::{Engine, EngineError};
use care_domain::person::{Act, Actor};
use care_domain::text::Finding;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait; a sender beyond them waits for a place.
const WAITING: usize = 4_096;
/// Events gathered at most before they are decided.
const GATHERED: usize = 1_000;

/// Takes events of many senders at once. Cheap to clone.
#[derive(Clone)]
pub struct EventDesk {
    queue: mpsc::Sender<Request>,
}

struct Request {
    actor: Actor,
    events: Vec<Keyed>,
    reply: oneshot::Sender<Result<Vec<Fate>, Failure>>,
}

/// Why a whole batch failed, for each who waits for it.
#[derive(Clone)]
enum Failure {
    Refused(Finding),
    Failed(String),
}

impl EventDesk {
    /// A desk at an engine; needs a runtime, and ends with its last clone.
    pub fn new(engine: Engine) -> Self {
        let (queue, requests) = mpsc::channel(WAITING);
        tokio::spawn(serve(engine, requests));
        Self { queue }
    }

    /// Takes events as [`Engine::send_events`] does; answers when they are committed. `engine` says who asks.
    pub async fn send(&self, engine: &Engine, body: &Value, by: &str, at: i64) -> Result<EventAnswer, EngineError> {
        let actor = engine.authorise(by, Act::SendEvents, None, at).await?;
        let (keyed, refused) = engine.read_events(body, at).await?;
        if keyed.is_empty() {
            return Ok(answer(&keyed, refused, &[], None));
        }
        let (reply, fates) = oneshot::channel();
        let events = keyed.iter().map(|(_, keyed)| keyed.clone()).collect();
        let gone = || EngineError::internal("the event desk is closed");
        self.queue.send(Request { actor, events, reply }).await.map_err(|_| gone())?;
        match fates.await.map_err(|_| gone())? {
            Ok(fates) => Ok(answer(&keyed, refused, &fates, None)),
            Err(Failure::Refused(finding)) => Err(EngineError::Refused(finding)),
            Err(Failure::Failed(why)) => Err(EngineError::internal(why)),
        }
    }
}

async fn serve(engine: Engine, mut requests: mpsc::Receiver<Request>) {
    while let Some(first) = requests.recv().await {
        // Whatever comes until the batch before is decided is part of this one.
        let turn = engine.event_turn().await;
        let mut count = first.events.len();
        let mut gathered = vec![first];
        while count < GATHERED
            && let Ok(more) = requests.try_recv()
        {
            count += more.events.len();
            gathered.push(more);
        }
        tokio::spawn(take_all(engine.clone(), gathered, turn));
    }
}

/// A batch names one sender.
async fn take_all(engine: Engine, mut requests: Vec<Request>, turn: TurnGuard) {
    requests.sort_by(|a, b| a.actor.person.cmp(&b.actor.person));
    let mut turn = Some(turn);
    while let Some(last) = requests.last().map(|request| request.actor.person.clone()) {
        let begins = requests.iter().position(|request| request.actor.person == last).unwrap_or(0);
        take(&engine, requests.split_off(begins), &mut turn).await;
    }
}

/// Takes the events of one sender's requests together, and answers each.
async fn take(engine: &Engine, requests: Vec<Request>, turn: &mut Option<TurnGuard>) {
    let Some(actor) = requests.iter().map(|r| &r.actor).max_by_key(|actor| actor.at).cloned() else { return };
    let events: Vec<Keyed> = requests.iter().flat_map(|request| request.events.iter().cloned()).collect();
    let taken = engine.take_events(&actor, &events, turn).await.map_err(|error| match error {
        EngineError::Refused(finding) => Failure::Refused(finding),
        error => {
            tracing::error!("events were not taken: {error}: {:?}", error.findings());
            Failure::Failed("events could not be taken".to_owned())
        }
    });
    let mut fates = taken.map(|Taken { fates, .. }| fates.into_iter());
    for request in requests {
        let mine = match &mut fates {
            Ok(fates) => Ok(fates.take(request.events.len()).collect()),
            Err(failure) => Err(failure.clone()),
        };
        // Who has gone away meanwhile will send again, and is told that it was taken.
        let _ = request.reply.send(mine);
    }
}
