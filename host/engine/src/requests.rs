//! Requests that name an idempotency key: asked again, they are answered as they were, and done once.

use crate::{Engine, EngineError};
use care_domain::time::DAY_MS;
use care_store::{Begun, KeptAnswer, Keyed};

/// So long a key means the same request †.
const KEPT_MS: i64 = DAY_MS;

impl Engine {
    /// Begins a request under its key, unless it was begun within the last day.
    pub async fn begin_request(&self, asked: Keyed<'_>, at: i64) -> Result<Begun, EngineError> {
        Ok(self.store.begin_request(asked, at, at.saturating_sub(KEPT_MS)).await?)
    }

    /// Keeps what was answered; `None` where nothing was changed, so that the key is free again.
    pub async fn end_request(&self, asked: Keyed<'_>, answered: Option<&KeptAnswer>) -> Result<(), EngineError> {
        Ok(self.store.end_request(asked, answered).await?)
    }
}
