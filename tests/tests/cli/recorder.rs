//! A gateway that records: other systems' requests by their key, which it takes once. What comes again under a known key
//! is answered and not taken.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So long it thinks about each request: a killed dispatcher leaves some without an answer.
const THINKS: Duration = Duration::from_millis(3);

/// By key: what was asked for, as often as it differed. More than one is a message too many.
type Taken = BTreeMap<String, BTreeSet<String>>;

/// The gateway; it listens until the process ends.
pub(crate) struct Recorder {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Recorder {
    /// Starts one, on threads of its own.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("its port");
        let taken: Arc<Mutex<Taken>> = Arc::default();
        let app = Router::new().route("/contacts", post(record)).with_state(Arc::clone(&taken));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, app).await.expect("it serves");
            });
        });
        Self { address, taken }
    }

    /// Where requests go.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/contacts", self.address)
    }

    /// How many different messages came under each key since the last call.
    pub(crate) fn take(&self) -> BTreeMap<String, u64> {
        let taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        taken.into_iter().map(|(key, messages)| (key, messages.len() as u64)).collect()
    }
}

async fn record(State(taken): State<Arc<Mutex<Taken>>>, Json(mut request): Json<Value>) -> StatusCode {
    let data = &mut request["data"];
    // The only thing in which a repeated request may differ.
    data["attempt"] = Value::Null;
    let key = data["contact"].as_str().expect("a key").to_owned();
    taken.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().insert(data.to_string());
    tokio::time::sleep(THINKS).await;
    StatusCode::NO_CONTENT
}
