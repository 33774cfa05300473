//! Signatures: pairs of keys, and envelopes signed with them. The host's own key signs approvals and the audit log's head;
//! it lies in `keys/`, apart from the database, so that whoever can only write the database can forge neither.

use crate::{EngineError, keep_private};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use care_domain::canonical;
use care_domain::dsse::{self, Envelope, Signature};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const KEY_FILE: &str = "host.ed25519";

/// A pair of Ed25519 keys. Cheap to clone; never printed.
#[derive(Clone)]
pub(crate) struct SigningPair {
    key: Arc<SigningKey>,
    id: String,
}

impl SigningPair {
    /// The pair of a secret, 64 hexadecimal digits.
    pub(crate) fn from_hex(secret: &str) -> Option<Self> {
        let secret: [u8; 32] = hex::decode(secret.trim()).ok()?.try_into().ok()?;
        let key = SigningKey::from_bytes(&secret);
        let id = id_of(key.verifying_key().as_bytes());
        Some(Self { key: Arc::new(key), id })
    }

    /// The public half, 64 hexadecimal digits.
    pub(crate) fn public_hex(&self) -> String {
        hex::encode(self.key.verifying_key().as_bytes())
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
        opened(&self.key.verifying_key(), envelope, payload_type)
    }
}

/// The document, if the owner of a public key (64 hexadecimal digits) signed it as of this type.
pub(crate) fn open_with(public: &str, envelope: &Envelope, payload_type: &str) -> Option<Vec<u8>> {
    opened(&public_key(public)?, envelope, payload_type)
}

/// The id of a public key, if it is one.
pub(crate) fn key_id(public: &str) -> Option<String> {
    Some(id_of(public_key(public)?.as_bytes()))
}

fn public_key(public: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = hex::decode(public).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

fn id_of(public: &[u8]) -> String {
    let mut id = canonical::digest(public);
    id.truncate(16);
    id
}

fn opened(key: &VerifyingKey, envelope: &Envelope, payload_type: &str) -> Option<Vec<u8>> {
    let payload = BASE64.decode(&envelope.payload).ok()?;
    let [signature] = &envelope.signatures;
    let signature = ed25519_dalek::Signature::from_slice(&BASE64.decode(&signature.sig).ok()?).ok()?;
    let signed = dsse::pre_authentication(payload_type, &payload);
    let sound = envelope.payload_type == payload_type && key.verify_strict(&signed, &signature).is_ok();
    sound.then_some(payload)
}

/// The host's key of a data folder; makes it if there is none.
pub(crate) fn host_key(data: &Path) -> Result<SigningPair, EngineError> {
    let path = data.join("keys").join(KEY_FILE);
    if !path.exists() {
        keep_private(&path, hex::encode(crate::Engine::new_secret()?).as_bytes())?;
    }
    let text = fs::read_to_string(&path).map_err(EngineError::file(&path, "reading"))?;
    SigningPair::from_hex(&text).ok_or_else(|| {
        let hint = "Restore it from a backup: what it signed cannot be checked without it";
        EngineError::refused("bad-key", format!("{} holds no key", path.display()), hint)
    })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn key() -> (tempfile::TempDir, SigningPair) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("keys")).expect("a folder");
        let key = host_key(folder.path()).expect("a key");
        (folder, key)
    }

    #[test]
    fn a_signature_holds_for_its_document_its_type_and_its_key_alone() {
        let (folder, key) = key();
        let envelope = key.sign(dsse::APPROVAL, b"granted");
        assert_eq!(key.open_envelope(&envelope, dsse::APPROVAL), Some(b"granted".to_vec()));
        let again = host_key(folder.path()).expect("the same key");
        assert!(again.open_envelope(&envelope, dsse::APPROVAL).is_some());
        assert!(key.open_envelope(&envelope, dsse::AUDIT_HEAD).is_none(), "of another type");
        let relabelled = Envelope { payload_type: dsse::AUDIT_HEAD.into(), ..envelope.clone() };
        assert!(key.open_envelope(&relabelled, dsse::AUDIT_HEAD).is_none(), "relabelled");
        let forged = Envelope { payload: BASE64.encode(b"granted more"), ..envelope.clone() };
        assert!(key.open_envelope(&forged, dsse::APPROVAL).is_none(), "another document");
        assert!(self::key().1.open_envelope(&envelope, dsse::APPROVAL).is_none(), "another installation's");
    }
}
