//! Machine code: what the compiler makes of a component, and the seal under which the host keeps it. Loading foreign
//! machine code would be running it outside of any sandbox, so a [`MachineCode`] comes from our compiler or from
//! under a seal, and from nowhere else. Where it is kept is the engine's business.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a sealed file begins with; another format gets another word.
const MAGIC: &[u8; 8] = b"care-mc1";
const MAC_BYTES: usize = 32;

/// Machine code of one component, made by this program's compiler.
#[derive(Debug)]
pub struct MachineCode(pub(crate) Vec<u8>);

/// Seals machine code with a secret of the installation (HMAC-SHA256).
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl Seal {
    /// A seal with a secret that nobody else may read.
    pub fn new(secret: &[u8; 32]) -> Self {
        // HMAC itself pads a key with zeros to the length of a block.
        let mut key = [0; 64];
        key[..secret.len()].copy_from_slice(secret);
        Self(Hmac::new(&key.into()))
    }

    /// The bytes to keep: bound to the component (its digest) and to the engine that they were made for
    /// ([`crate::Sandbox::code_id`]).
    pub fn close(&self, component: &str, engine: &str, code: &MachineCode) -> Vec<u8> {
        let mac = self.mac(component, engine, &code.0).finalize().into_bytes();
        [MAGIC.as_slice(), mac.as_slice(), &code.0].concat()
    }

    /// The machine code, if exactly these bytes were sealed for this component and engine.
    pub fn open(&self, component: &str, engine: &str, mut sealed: Vec<u8>) -> Option<MachineCode> {
        let (head, code) = sealed.split_at_checked(MAGIC.len() + MAC_BYTES)?;
        let mac = head.strip_prefix(MAGIC)?;
        self.mac(component, engine, code).verify_slice(mac).ok()?;
        sealed.drain(..MAGIC.len() + MAC_BYTES);
        Some(MachineCode(sealed))
    }

    /// Every part is led by its length, so that none runs into the next.
    fn mac(&self, component: &str, engine: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [MAGIC, component.as_bytes(), engine.as_bytes(), code] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed() -> Vec<u8> {
        Seal::new(&[7; 32]).close("component", "engine", &MachineCode(b"some machine code".to_vec()))
    }

    #[test]
    fn what_was_sealed_opens_for_its_component_its_engine_and_its_secret_alone() {
        let seal = Seal::new(&[7; 32]);
        assert_eq!(seal.open("component", "engine", sealed()).expect("our own").0, b"some machine code");
        assert!(seal.open("another", "engine", sealed()).is_none());
        assert!(seal.open("component", "another", sealed()).is_none());
        assert!(seal.open("componente", "ngine", sealed()).is_none(), "parts do not run into each other");
        assert!(Seal::new(&[8; 32]).open("component", "engine", sealed()).is_none());
        assert!(seal.open("component", "engine", Vec::new()).is_none());
    }

    proptest! {
        #[test]
        fn no_flipped_bit_and_no_other_length_opens(at in 0..sealed().len(), bit in 0..8u8, keep in 0..sealed().len()) {
            let seal = Seal::new(&[7; 32]);
            let mut flipped = sealed();
            flipped[at] ^= 1 << bit;
            prop_assert!(seal.open("component", "engine", flipped).is_none());
            prop_assert!(seal.open("component", "engine", sealed()[..keep].to_vec()).is_none());
            prop_assert!(seal.open("component", "engine", [sealed(), vec![0]].concat()).is_none());
        }
    }
}
