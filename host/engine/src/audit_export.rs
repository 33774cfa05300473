//! The audit log as it leaves: all lines, and its head signed by the host, so that somebody without the data folder can
//! tell whether a line was changed, left out or added.

use crate::signing::open_with;
use crate::{Engine, EngineError};
use care_domain::audit::{self, Head, Line};
use care_domain::dsse::{self, Envelope};
use care_domain::{canonical, time};
use serde::{Deserialize, Serialize};

/// The log with what proves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditExport {
    /// When it was taken, RFC 3339.
    pub taken_at: String,
    /// Number and hash of the last line.
    pub head: Head,
    /// The host's signature over the head.
    pub signature: Envelope,
    /// The host's public key: Ed25519, 64 hexadecimal digits. Compare it with the one that was told elsewhere.
    pub host_key: String,
    /// All lines, in order.
    pub lines: Vec<Line>,
}

impl Engine {
    /// The whole log, if it stands as it was written.
    pub async fn export_audit(&self, at: i64) -> Result<AuditExport, EngineError> {
        self.verify_audit(None).await?;
        let (head, signature) = self.store.audit_head().await?;
        let lines = self.store.audit_lines(None).await?.into_iter().filter(|line| line.number <= head.number).collect();
        let signature = serde_json::from_str(&signature).map_err(|_| {
            let hint = "Do something that is audited first";
            EngineError::refused("audit-unsigned", "the audit log has no signed head yet", hint)
        })?;
        let host_key = self.host_key.public_hex();
        Ok(AuditExport { taken_at: time::write_instant(at), head, signature, host_key, lines })
    }
}

/// Checks an export, without a data folder. `host_key` is the public key that was told elsewhere, where it was.
pub fn check_audit_export(export: &AuditExport, host_key: Option<&str>) -> Result<(), EngineError> {
    let broken = |what: String| {
        let hint = "Ask for the export again, and for the host's key by another way";
        Err(EngineError::refused("audit-broken", format!("the export does not stand: {what}"), hint))
    };
    if host_key.is_some_and(|known| known != export.host_key) {
        return broken("it is signed by another key".into());
    }
    let payload = open_with(&export.host_key, &export.signature, dsse::AUDIT_HEAD);
    let signed = payload.is_some_and(|p| canonical::json(&export.head).is_ok_and(|text| text.as_bytes() == p));
    if !signed {
        return broken("its head is not signed by its key".into());
    }
    match audit::verify(&export.lines, &export.head, None) {
        Ok(()) => Ok(()),
        Err(error) => broken(error.to_string()),
    }
}
