//! The released versions of the contract and their worlds, read from the published WIT itself.
//! A new version is one line in `CONTRACTS` and, where its imports differ, one linker.

use care_domain::manifest::World;
use semver::Version;
use wit_parser::{Resolve, WorldId};

/// A released version of `care:activity`.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// `major.minor.patch`
    pub version: &'static str,
    /// The text as published.
    pub wit: &'static str,
}

/// All released versions, newest last. A plugin names one of them exactly.
pub const CONTRACTS: &[Contract] =
    &[Contract { version: "1.0.0", wit: include_str!("../../../wit/care-activity-1.0.0/activity.wit") }];

/// A world of a contract, resolved.
pub(crate) struct Target {
    pub(crate) resolve: Resolve,
    pub(crate) world: WorldId,
    /// Names that a component may import, such as `care:activity/tables@1.0.0`.
    pub(crate) imports: Vec<String>,
    /// Names that a component must export.
    pub(crate) exports: Vec<String>,
}

/// The contract of exactly that version.
pub(crate) fn find(version: &Version) -> Option<&'static Contract> {
    CONTRACTS.iter().find(|c| c.version == version.to_string())
}

/// The versions that exist, for hints.
pub(crate) fn known() -> String {
    CONTRACTS.iter().map(|c| c.version).collect::<Vec<_>>().join(", ")
}

impl Contract {
    /// Resolves one of its worlds.
    #[allow(clippy::expect_used, reason = "the text is compiled in; a test resolves every world of every version")]
    pub(crate) fn target(&self, world: World) -> Target {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("activity.wit", self.wit).expect("a published contract parses");
        let name = match world {
            World::Activity => "activity",
            World::Model => "model",
        };
        let world = resolve.select_world(&[package], Some(name)).expect("a published contract has both worlds");
        let names = |keys: Vec<&wit_parser::WorldKey>| keys.into_iter().map(|k| resolve.name_world_key(k)).collect();
        let imports = names(resolve.worlds[world].imports.keys().collect());
        let exports = names(resolve.worlds[world].exports.keys().collect());
        Target { resolve, world, imports, exports }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_world_of_every_released_version_resolves() {
        for contract in CONTRACTS {
            let activity = contract.target(World::Activity);
            let name = |interface: &str| format!("care:activity/{interface}@{}", contract.version);
            assert_eq!(activity.imports, ["tables", "run"].map(name));
            assert_eq!(activity.exports, ["targeting", "timing", "content", "evaluation"].map(name));
            assert_eq!(contract.target(World::Model).exports, [name("derivation")]);
        }
    }
}
