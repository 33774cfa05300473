//! One connection and its supervisor: connect, bind, listen, and begin again with growing waits.

use super::{Shared, incoming};
use crate::Outgoing;
use crate::pace::Pace;
use care_domain::contact::ContactId;
use care_domain::dispatch::{Answer, backoff, smpp_status};
use futures::Stream;
use rusmpp::pdus::BindTransceiver;
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmppc::error::Error;
use rusmppc::{Client, ConnectionBuilder, Event};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout};

/// The longest wait before connecting again.
const LONGEST_WAIT_MS: i64 = 60_000;
/// No message of the centre is longer, in octets; what says it is longer is garbage.
const MAX_COMMAND: usize = 64 * 1024;
/// Lost answers that are remembered for each connection, in case they come late.
const MAX_LATE: usize = 10_000;

/// How often a connection is polled at least, and how often each time.
const TICK: Duration = Duration::from_millis(5);
const POLLS: usize = 8;

/// A connection: up or not, with a window and a pace.
pub(crate) struct Bind {
    places: Arc<Semaphore>,
    pace: Pace,
    client: Mutex<Option<Client>>,
    late: Mutex<Late>,
}

/// What belongs together and came apart, by sequence number.
#[derive(Default)]
struct Late {
    /// Messages that were given up.
    expected: HashMap<u32, Expected>,
    /// Answers that nobody waited for: the message they belong to may be given up a moment later.
    unwaited: HashMap<u32, Unwaited>,
}

/// An answer that nobody waits for.
pub(crate) struct Unwaited {
    pub(crate) status: u32,
    pub(crate) id: String,
}

impl Unwaited {
    /// What it says of a message; `ids` are those of the segments before.
    pub(crate) fn answer(self, mut ids: Vec<String>) -> Answer {
        if self.status != 0 {
            return smpp_status(self.status);
        }
        ids.push(self.id);
        Answer::Accepted { ids }
    }
}

/// An answer that may come late.
pub(crate) struct Expected {
    pub(crate) contact: ContactId,
    pub(crate) attempt: u32,
    /// Ids of the segments before.
    pub(crate) ids: Vec<String>,
}

/// A place in the window of a connection, given back when it is dropped.
pub(crate) struct Slot {
    pub(crate) client: Client,
    bind: Arc<Bind>,
    shared: Arc<Shared>,
    place: Option<OwnedSemaphorePermit>,
}

impl Bind {
    pub(crate) fn new(window: usize, pace: Pace) -> Self {
        Self { places: Arc::new(Semaphore::new(window)), pace, client: Mutex::default(), late: Mutex::default() }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.client().as_ref().is_some_and(Client::is_active)
    }

    /// A place, if the connection is up and its window has one.
    pub(crate) fn slot(self: &Arc<Self>, shared: &Arc<Shared>) -> Option<Slot> {
        let client = self.client().clone().filter(Client::is_active)?;
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Slot { client, bind: Arc::clone(self), shared: Arc::clone(shared), place: Some(place) })
    }

    /// Unbinds and closes; what is on its way was answered before.
    pub(crate) async fn close(&self, longest: Duration) {
        let client = self.client().take();
        if let Some(client) = client {
            let _ = timeout(longest, client.unbind()).await;
            let _ = timeout(longest, client.close_and_wait()).await;
        }
    }

    /// Whose answer it is, with the answer; kept for a moment when nobody gave the message up yet.
    pub(crate) fn late(&self, sequence: u32, answer: Unwaited) -> Option<(Expected, Unwaited)> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = late.expected.remove(&sequence);
        if expected.is_none() && late.unwaited.len() < MAX_LATE {
            late.unwaited.insert(sequence, answer);
            return None;
        }
        expected.map(|expected| (expected, answer))
    }

    fn client(&self) -> std::sync::MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, client: Option<Client>) {
        // Numbers begin anew with each connection: what was expected on the last one never comes.
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Late::default();
        *self.client() = client;
    }
}

impl Slot {
    /// Waits until the connection's pace lets a segment go.
    pub(crate) async fn turn(&self) {
        self.bind.pace.turn().await;
    }

    /// Slows the connection down.
    pub(crate) async fn pause(&self, pause: Duration) {
        self.bind.pace.pause(pause).await;
    }

    /// Remembers whose answer this number would be; returns the answer if it came in this very moment.
    pub(crate) fn expect_late(&self, sequence: u32, message: &Outgoing, ids: &[String]) -> Option<Answer> {
        let mut late = self.bind.late.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = late.unwaited.remove(&sequence) {
            return Some(answer.answer(ids.to_vec()));
        }
        if late.expected.len() < MAX_LATE {
            let (contact, attempt) = (message.contact, message.attempt);
            late.expected.insert(sequence, Expected { contact, attempt, ids: ids.to_vec() });
        }
        None
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // The place must be free before anybody is told so.
        drop(self.place.take());
        self.shared.changed.notify_waiters();
    }
}

/// Keeps a connection bound until told to stop.
pub(crate) async fn supervise(number: u64, bind: Arc<Bind>, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut failures = 0;
    while !*stop.borrow() {
        let connected = tokio::select! {
            connected = connect(&shared) => connected,
            _ = stop.changed() => break,
        };
        match connected {
            Ok((client, events)) => {
                let since = Instant::now();
                bind.set(Some(client.clone()));
                shared.count("bound");
                shared.changed.notify_waiters();
                let ended = tokio::select! {
                    ended = incoming::listen(&bind, &shared, &client, events) => ended,
                    _ = stop.changed() => break,
                };
                bind.set(None);
                shared.fail("disconnected", ended);
                // A centre that closes after every bind is waited for like one that cannot be reached.
                let lived = since.elapsed() > Duration::from_millis(shared.config.reconnect_ms);
                failures = if lived { 1 } else { failures + 1 };
            }
            Err((what, error)) => {
                failures += 1;
                shared.fail(what, error);
            }
        }
        let jitter =
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(failures).wrapping_mul(0x2545_f491_4f6c_dd1d);
        let wait = backoff(shared.config.reconnect_ms as i64, LONGEST_WAIT_MS, failures, jitter >> 7);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())) => {}
            _ = stop.changed() => break,
        }
    }
}

/// Drives a connection to its end. `rusmppc` 0.4.0 takes five actions of its queue at a poll and, when there are more, goes
/// to sleep without asking to be woken for them: a full window and some receipts to acknowledge would wait for ever for
/// one another. So it is polled until a burst is through, and in any case every few milliseconds.
async fn driven(connection: impl Future<Output = ()>) {
    let mut connection = std::pin::pin!(connection);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    std::future::poll_fn(|cx| {
        while tick.poll_tick(cx).is_ready() {}
        (0..POLLS)
            .find_map(|_| connection.as_mut().poll(cx).is_ready().then_some(Poll::Ready(())))
            .unwrap_or(Poll::Pending)
    })
    .await;
}

type Events = std::pin::Pin<Box<dyn Stream<Item = Event> + Send>>;

async fn connect(shared: &Shared) -> Result<(Client, Events), (&'static str, String)> {
    let config = &shared.config;
    let longest = Duration::from_millis(config.response_ms);
    let stream = match timeout(longest, TcpStream::connect(&config.address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(("unreachable", format!("cannot connect: {}", error.kind()))),
        Err(_) => return Err(("unreachable", "cannot connect in time".into())),
    };
    // Small messages wait for nobody.
    let _ = stream.set_nodelay(true);
    let (client, events, connection) = ConnectionBuilder::new()
        .max_command_length(MAX_COMMAND)
        .enquire_link_interval(Duration::from_millis(config.enquire_ms))
        .enquire_link_response_timeout(longest)
        .response_timeout(longest)
        .disable_interface_version_check()
        .no_spawn()
        .connected(stream);
    tokio::spawn(driven(connection));
    let short = |_| ("bad-config", "system id, password or system type is too long".to_owned());
    let request = BindTransceiver::builder()
        .system_id(COctetString::from_vec([config.system_id.as_bytes(), &[0]].concat()).map_err(short)?)
        .password(COctetString::from_vec([shared.password.as_bytes(), &[0]].concat()).map_err(short)?)
        .system_type(COctetString::from_vec([config.system_type.as_bytes(), &[0]].concat()).map_err(short)?)
        .interface_version(InterfaceVersion::Smpp3_4)
        .build();
    match timeout(longest * 2, client.bind_transceiver(request)).await {
        Ok(Ok(_)) => Ok((client, Box::pin(events))),
        Ok(Err(Error::UnexpectedResponse { response })) => {
            let status = u32::from(response.status());
            // Bind failed, invalid password, invalid system id.
            let what = if matches!(status, 0x0D..=0x0F) { "credentials-refused" } else { "bind-refused" };
            Err((what, format!("bind refused with status 0x{status:08X}; check system_id and the password")))
        }
        Ok(Err(Error::ResponseTimeout { .. })) | Err(_) => Err(("bind-unanswered", "no answer to the bind".into())),
        Ok(Err(_)) => Err(("bind-cut", "the link was cut during the bind".into())),
    }
}
