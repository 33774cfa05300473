//! The audit log as people ask for it: its lines, and whether all of it still stands as it was written.

use crate::signing::SigningPair;
use crate::{Engine, EngineError};
use care_domain::audit::{self, Broken, Head, Line};
use care_domain::{canonical, dsse};
use care_store::HeadSigner;
use std::sync::Arc;

impl Engine {
    /// The lines of the audit log; only those about a subject (`submission 7`), when one is given.
    pub async fn audit_lines(&self, subject: Option<&str>) -> Result<Vec<Line>, EngineError> {
        Ok(self.store.audit_lines(subject).await?)
    }

    /// Checks the whole log, its signed head, and a head that somebody kept elsewhere. Returns the head.
    pub async fn verify_audit(&self, expected: Option<&Head>) -> Result<Head, EngineError> {
        let lines = self.store.audit_lines(None).await?;
        let (head, signature) = self.store.audit_head().await?;
        let checked = if head == Head::genesis() || is_signed(&self.host_key, &head, &signature) {
            audit::verify(&lines, &head, expected)
        } else {
            Err(Broken::Signature)
        };
        checked.map(|()| head).map_err(|broken| {
            let hint =
                "Somebody changed the database; compare it with a backup and with the signed heads kept elsewhere";
            EngineError::refused("audit-broken", format!("the audit log does not stand: {broken}"), hint)
        })
    }

    /// The state in which the audit log left a submission.
    pub(crate) async fn audited_state(&self, submission: i64) -> Result<Option<String>, EngineError> {
        let lines = self.store.audit_lines(Some(&format!("submission {submission}"))).await?;
        Ok(lines.iter().rev().find_map(|line| line.entry.detail["state"].as_str().map(str::to_owned)))
    }
}

/// Signs heads with the host's key.
pub(crate) fn signer(key: &SigningPair) -> HeadSigner {
    let key = key.clone();
    Arc::new(move |head| {
        let signed = canonical::json(head).map(|payload| key.sign(dsse::AUDIT_HEAD, payload.as_bytes()));
        signed.and_then(|envelope| serde_json::to_string(&envelope)).unwrap_or_default()
    })
}

fn is_signed(key: &SigningPair, head: &Head, signature: &str) -> bool {
    let payload = serde_json::from_str(signature).ok().and_then(|e| key.open_envelope(&e, dsse::AUDIT_HEAD));
    payload.is_some_and(|payload| canonical::json(head).is_ok_and(|text| text.as_bytes() == payload))
}
