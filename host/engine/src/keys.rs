//! Branch keys: who vouches for a component before anybody looks at it. A branch keeps its key itself; the host knows the
//! public half, whose it is and for which region. A key's secret never enters the data folder, but in a rehearsal.

use crate::signing::SigningPair;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::dsse::{self, Envelope, SignedComponent};
use care_domain::manifest::Manifest;
use care_domain::person::Act;
use care_domain::text::{Finding, is_person};
use care_domain::{canonical, region};
use care_sandbox::package;
use care_store::BranchKey;
use serde_json::json;

/// Signs a component with a branch's key (64 hexadecimal digits, as `new_branch_key` makes it); a signature that is
/// there already is replaced.
pub fn sign_component(component: &[u8], secret: &str) -> Result<Vec<u8>, EngineError> {
    let pair = SigningPair::from_hex(secret).ok_or_else(bad_key)?;
    let (bare, _) = package::split_signature(component);
    let payload = canonical::json(&SignedComponent { component: canonical::digest(&bare) });
    let envelope = pair.sign(dsse::COMPONENT, payload.map_err(EngineError::internal)?.as_bytes());
    let envelope = serde_json::to_vec(&envelope).map_err(EngineError::internal)?;
    package::with_signature(&bare, &envelope).map_err(|error| {
        let hint = "Sign the .wasm file that `care plugin build` wrote";
        EngineError::refused("not-a-component", error.to_string(), hint)
    })
}

/// A new key for a branch: the secret half and the public half, 64 hexadecimal digits each.
pub fn new_branch_key() -> Result<(String, String), EngineError> {
    let secret = hex::encode(Engine::new_secret()?);
    let public = SigningPair::from_hex(&secret).ok_or_else(bad_key)?.public_hex();
    Ok((secret, public))
}

fn bad_key() -> EngineError {
    EngineError::refused("bad-key", "that is no key", "A key is 64 hexadecimal digits, as `care key new` wrote them")
}

impl Engine {
    /// Registers the public half of a branch's key: whose it is, and for which region it may vouch. Returns its id.
    pub async fn add_key(
        &self,
        public: &str,
        owner: &str,
        region: &str,
        by: &str,
        at: i64,
    ) -> Result<String, EngineError> {
        let actor = self.authorise(by, Act::ManageKeys, Some(region), at).await?;
        let public = public.trim().to_ascii_lowercase();
        let id = crate::signing::key_id(&public).ok_or_else(bad_key)?;
        if !is_person(owner) || !region::is_code(region) {
            let message = format!("{owner:?} in {region:?} cannot own a key");
            return Err(EngineError::refused("bad-owner", message, "Name a person and an administrative code"));
        }
        let key = BranchKey {
            id: id.clone(),
            public,
            owner: owner.to_owned(),
            region: region.to_owned(),
            added_at: at,
            revoked_at: None,
            revoked_because: None,
        };
        let entry = Entry::of(&actor, "key-added", format!("key {id}"), json!({"owner": owner, "region": region}));
        if self.store.add_key(&key, &entry).await? {
            return Ok(id);
        }
        Err(EngineError::refused("known-key", format!("key {id} is registered already"), "See `care key list`"))
    }

    /// Revokes a key: it vouches for nothing new, and what it signed is flagged. Returns the versions that it signed.
    pub async fn revoke_key(&self, id: &str, reason: &str, by: &str, at: i64) -> Result<Vec<String>, EngineError> {
        let found = self.store.keys().await?.into_iter().find(|key| key.id == id);
        let unknown = || EngineError::refused("unknown-key", format!("there is no key {id}"), "See `care key list`");
        let found = found.ok_or_else(unknown)?;
        let actor = self.authorise(by, Act::ManageKeys, Some(&found.region), at).await?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(EngineError::refused("no-reason", "a revocation needs a reason", "Say why with --reason"));
        }
        let entry = Entry::of(&actor, "key-revoked", format!("key {id}"), json!({})).because(reason);
        if !self.store.revoke_key(id, &entry).await? {
            return Err(EngineError::refused("revoked-key", format!("key {id} is revoked already"), "Nothing to do"));
        }
        let signed = self.store.submissions().await?.into_iter().filter(|s| s.version.key == id);
        Ok(signed.map(|s| format!("{} {}", s.version.manifest.name, s.version.manifest.version)).collect())
    }

    /// All branch keys.
    pub async fn keys(&self) -> Result<Vec<BranchKey>, EngineError> {
        Ok(self.store.keys().await?)
    }

    /// The registered, unrevoked key that signed exactly this component for its region, or why there is none.
    pub(crate) async fn signer_of(
        &self,
        component: &str,
        signature: Option<&[u8]>,
        manifest: &Manifest,
    ) -> Result<BranchKey, EngineError> {
        let refused = |code, message: String, hint: &str| EngineError::Refused(Finding::error(code, message, hint));
        let sign = "Sign it with `care plugin sign FILE --key KEY`";
        let Some(signature) = signature else {
            return Err(refused("unsigned", "no branch signed it".into(), sign));
        };
        let Ok(envelope) = serde_json::from_slice::<Envelope>(signature) else {
            return Err(refused("wrong-signature", "its signature cannot be read".into(), sign));
        };
        let id = &envelope.signatures[0].keyid;
        let Some(key) = self.store.keys().await?.into_iter().find(|key| key.id == *id) else {
            let hint = "An administrator registers it with `care key add`";
            return Err(refused("unknown-key", format!("key {id:?} that signed it is not registered here"), hint));
        };
        let signed = crate::signing::open_with(&key.public, &envelope, dsse::COMPONENT);
        let signed = signed.and_then(|payload| serde_json::from_slice::<SignedComponent>(&payload).ok());
        if signed.is_none_or(|signed| signed.component != component) {
            return Err(refused("wrong-signature", format!("key {id} did not sign these bytes"), sign));
        }
        if key.revoked_at.is_some() {
            let message = format!("key {id} of {} is revoked", key.owner);
            return Err(refused("revoked-key", message, "Make another with `care key new`, and have it registered"));
        }
        if !region::covers(&key.region, &manifest.owner_region) {
            let message = format!("key {id} vouches for {}, and this belongs to {}", key.region, manifest.owner_region);
            return Err(refused("other-region", message, "Sign it with a key of that region"));
        }
        Ok(key)
    }
}
