//! The released versions of the contract and their worlds, read from the published WIT itself.
//! A new version is one entry in `CONTRACTS` and, where its imports differ, one adapter in `host`.
//!
//! wasmtime takes any 1.x for another, in imports and in exports: what it calls compatible, we match exactly,
//! before it is asked to link anything.

use crate::host::{self, State};
use care_domain::manifest::World;
use semver::Version;
use std::collections::BTreeSet;
use wasmtime::component::Linker;
use wit_parser::{Resolve, WorldId};

/// A released version of `care:activity`.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// `major.minor.patch`
    pub version: &'static str,
    /// The text as published.
    pub wit: &'static str,
    /// Its adapter: gives a linker the imports of exactly this version.
    pub(crate) link: fn(&mut Linker<State>, &str) -> wasmtime::Result<()>,
}

/// All released versions, newest last. A plugin names one of them exactly.
pub const CONTRACTS: &[Contract] = &[
    Contract {
        version: "1.0.0",
        wit: include_str!("../../../wit/care-activity-1.0.0/activity.wit"),
        link: host::link_1_0,
    },
    Contract {
        version: "1.1.0",
        wit: include_str!("../../../wit/care-activity-1.1.0/activity.wit"),
        link: host::link_1_1,
    },
];

/// What every name of the contract begins with.
const PACKAGE: &str = "care:activity/";

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

/// The versions of the contract that these imports and exports name, as written: a component is built for one.
pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let version = |name: &'a str| name.strip_prefix(PACKAGE)?.split_once('@').map(|(_, version)| version);
    names.into_iter().filter_map(version).collect()
}

/// The same as words.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let named: Vec<&str> = named(names).into_iter().collect();
    if named.is_empty() { "none".to_owned() } else { named.join(" and ") }
}

/// The contract that these imports and exports name, if they name one released version and no other.
pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'static Contract> {
    let named = named(names);
    let version = named.first().filter(|_| named.len() == 1)?;
    CONTRACTS.iter().find(|c| c.version == *version)
}

/// The name of an interface in some version.
pub(crate) fn interface(name: &str, version: &str) -> String {
    format!("{PACKAGE}{name}@{version}")
}

/// The versions that exist, for hints.
pub(crate) fn known() -> String {
    CONTRACTS.iter().map(|c| c.version).collect::<Vec<_>>().join(", ")
}

impl Contract {
    /// The name of one of its interfaces, such as `care:activity/tables@1.0.0`.
    pub(crate) fn interface(&self, name: &str) -> String {
        interface(name, self.version)
    }

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
            let name = |interface: &str| contract.interface(interface);
            assert_eq!(activity.imports, ["tables", "run"].map(name));
            assert_eq!(activity.exports, ["targeting", "timing", "content", "evaluation"].map(name));
            assert_eq!(contract.target(World::Model).exports, [name("derivation")]);
        }
    }
    #[test]
    fn a_component_is_built_for_the_one_version_that_all_its_names_have() {
        let built_for = |names: &[&'static str]| of(names.iter().copied()).map(|contract| contract.version);
        let (old, new) = ("care:activity/tables@1.0.0", "care:activity/targeting@1.1.0");
        assert_eq!(built_for(&[old, "wasi:clocks/wall-clock@1.1.0"]), Some("1.0.0"), "another package's is no matter");
        assert_eq!(built_for(&[new, "care:activity/run@1.1.0", "memory"]), Some("1.1.0"));
        assert_eq!(built_for(&[old, new]), None);
        for none in ["care:activity/tables@1.2.0", "care:activity/tables@1", "care:activity/tables", "tables@1.0.0"] {
            assert_eq!(built_for(&[none]), None, "{none}");
        }
    }

    #[test]
    fn what_grows_from_version_to_version_is_imports_alone() {
        let exports = |contract: &Contract, world| -> Vec<String> {
            contract.target(world).exports.iter().map(|e| e.replace(contract.version, "")).collect()
        };
        for pair in CONTRACTS.windows(2) {
            for world in [World::Activity, World::Model] {
                assert_eq!(exports(&pair[0], world), exports(&pair[1], world));
            }
        }
    }
}
