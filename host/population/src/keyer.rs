//! Pseudonyms: how an operator's customer id becomes a key.

use crate::error::PopulationError;
use care_domain::key::CustomerKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Shorter secrets could be guessed, and with them every customer id.
const MIN_SECRET_BYTES: usize = 16;

/// Turns customer ids into keys with a secret of the installation. The same secret and id give the same key,
/// whatever file the id comes from; without the secret a key says nothing about its customer.
#[derive(Clone)]
pub struct Keyer(Hmac<Sha256>);

impl Keyer {
    /// A keyer with a secret of at least 16 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, PopulationError> {
        let refused = || {
            let message = format!("the key secret has {} bytes, fewer than {MIN_SECRET_BYTES}", secret.len());
            PopulationError::refused("key-secret", message, "Use 32 random bytes and keep them apart from the data")
        };
        if secret.len() < MIN_SECRET_BYTES {
            return Err(refused());
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| refused())
    }

    /// The key of a customer: the first 16 bytes of HMAC-SHA256 of the operator's id.
    pub fn key_of(&self, external_id: &str) -> CustomerKey {
        let mut mac = self.0.clone();
        mac.update(external_id.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut key = [0u8; 16];
        key.copy_from_slice(&digest[..16]);
        CustomerKey(key)
    }
}

impl std::fmt::Debug for Keyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_head_of_the_keyed_hash() {
        let keyer = Keyer::new(b"0123456789abcdef").expect("a keyer");
        // Computed with Python's hmac module.
        assert_eq!(keyer.key_of("7590-VHVEG").to_string(), "cc943f133b79991b262f82bb97733839");
        assert_ne!(keyer.key_of("a"), Keyer::new(b"0123456789abcdeF").expect("a keyer").key_of("a"));
    }

    #[test]
    fn a_guessable_secret_is_refused_without_being_shown() {
        let error = Keyer::new(b"hunter2").expect_err("too short").to_string();
        assert!(error.contains("7 bytes") && !error.contains("hunter2"), "{error}");
    }
}
