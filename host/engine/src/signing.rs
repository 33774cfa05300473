//! The host's key: what it signs approvals and the audit log's head with. It lies in `keys/`, apart from the database,
//! so that whoever can only write the database can forge neither.

use crate::{EngineError, keep_private};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use care_domain::canonical;
use care_domain::dsse::{self, Envelope, Signature};
use ed25519_dalek::{Signer, SigningKey};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const KEY_FILE: &str = "host.ed25519";

/// The host's signing key. Cheap to clone; never printed.
#[derive(Clone)]
pub(crate) struct HostKey {
    key: Arc<SigningKey>,
    id: String,
}

impl HostKey {
    /// The key of a data folder; makes it if there is none.
    pub(crate) fn open(data: &Path) -> Result<Self, EngineError> {
        let path = data.join("keys").join(KEY_FILE);
        if !path.exists() {
            keep_private(&path, hex::encode(crate::Engine::new_secret()?).as_bytes())?;
        }
        let bad = || {
            let hint = "Restore it from a backup: what it signed cannot be checked without it";
            EngineError::refused("bad-key", format!("{} holds no key", path.display()), hint)
        };
        let text = fs::read_to_string(&path).map_err(EngineError::file(&path, "reading"))?;
        let secret: [u8; 32] = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
        let key = SigningKey::from_bytes(&secret);
        let mut id = canonical::digest(key.verifying_key().as_bytes());
        id.truncate(16);
        Ok(Self { key: Arc::new(key), id })
    }

    /// Signs a document of a type.
    pub(crate) fn sign(&self, payload_type: &str, payload: &[u8]) -> Envelope {
        let signature = self.key.sign(&dsse::pre_authentication(payload_type, payload));
        Envelope {
            payload_type: payload_type.to_owned(),
            payload: BASE64.encode(payload),
            signatures: [Signature { keyid: self.id.clone(), sig: BASE64.encode(signature.to_bytes()) }],
        }
    }

    /// The document, if this key signed it as of this type.
    pub(crate) fn open_envelope(&self, envelope: &Envelope, payload_type: &str) -> Option<Vec<u8>> {
        let payload = BASE64.decode(&envelope.payload).ok()?;
        let [signature] = &envelope.signatures;
        let signature = BASE64.decode(&signature.sig).ok()?;
        let signature = ed25519_dalek::Signature::from_slice(&signature).ok()?;
        let signed = dsse::pre_authentication(payload_type, &payload);
        let sound = envelope.payload_type == payload_type
            && self.key.verifying_key().verify_strict(&signed, &signature).is_ok();
        sound.then_some(payload)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn key() -> (tempfile::TempDir, HostKey) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("keys")).expect("a folder");
        let key = HostKey::open(folder.path()).expect("a key");
        (folder, key)
    }

    #[test]
    fn a_signature_holds_for_its_document_its_type_and_its_key_alone() {
        let (folder, key) = key();
        let envelope = key.sign(dsse::APPROVAL, b"granted");
        assert_eq!(key.open_envelope(&envelope, dsse::APPROVAL), Some(b"granted".to_vec()));
        let again = HostKey::open(folder.path()).expect("the same key");
        assert!(again.open_envelope(&envelope, dsse::APPROVAL).is_some());
        assert!(key.open_envelope(&envelope, dsse::AUDIT_HEAD).is_none(), "of another type");
        let relabelled = Envelope { payload_type: dsse::AUDIT_HEAD.into(), ..envelope.clone() };
        assert!(key.open_envelope(&relabelled, dsse::AUDIT_HEAD).is_none(), "relabelled");
        let forged = Envelope { payload: BASE64.encode(b"granted more"), ..envelope.clone() };
        assert!(key.open_envelope(&forged, dsse::APPROVAL).is_none(), "another document");
        assert!(self::key().1.open_envelope(&envelope, dsse::APPROVAL).is_none(), "another installation's");
    }
}
