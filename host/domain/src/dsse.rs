//! Signed envelopes (DSSE v1): what is signed is bound to its type, so that a signature on one kind of document never
//! passes for another. Keys and the signing itself do not live here.

use serde::{Deserialize, Serialize};

/// An approval.
pub const APPROVAL: &str = "application/vnd.care.approval+json";
/// A component, by its digest: what a branch signs.
pub const COMPONENT: &str = "application/vnd.care.component+json";
/// The head of the audit log.
pub const AUDIT_HEAD: &str = "application/vnd.care.audit-head+json";

/// A signed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What kind of document it is.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The document, base64.
    pub payload: String,
    /// One signature.
    pub signatures: [Signature; 1],
}

/// Who signed, and what came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Which key: the first 16 digits of the SHA-256 of the public key.
    pub keyid: String,
    /// Ed25519 over the pre-authentication encoding, base64.
    pub sig: String,
}

/// What a branch signs of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedComponent {
    /// SHA-256 of the component without its signature.
    pub component: String,
}

/// The bytes that are signed: `DSSEv1 <length> <type> <length> <payload>`.
pub fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::pre_authentication;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // The example of the DSSE specification, protocol.md.
        let bytes = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
