//! The gate for uploaded bytes: everything that can be said without compiling or running them.
//! Signatures of branches, versions already uploaded and smoke runs do not live here.

use crate::contract::{self, CONTRACTS, Contract, Target};
use crate::limiter::MAX_PARTS;
use crate::sections::{FEATURES, Surface};
use care_domain::field::Dictionary;
use care_domain::manifest::{DECLARATION_SECTION, Declaration, Manifest, SECTION, World};
use care_domain::text::{Finding, nearest};
use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmparser::Validator;

/// No component is larger, in bytes: a Python guest has 18 MB.
pub const MAX_COMPONENT_BYTES: usize = 32 << 20;
/// A component exports no more: the world has four interfaces.
const MAX_EXPORTS: usize = 100;
/// No function is longer, in bytes: compiling costs more than its length grows. The main loops of interpreters have
/// some hundred kilobytes.
const MAX_FUNCTION_BYTES: usize = 512 << 10;
/// Of one kind of finding about hostile bytes, no more are listed.
const MAX_LISTED: usize = 20;

/// What the gate says of some bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether nothing refuses them.
    pub accepted: bool,
    /// SHA-256 of the bytes, hexadecimal.
    pub digest: String,
    /// Everything found, at once.
    pub findings: Vec<Finding>,
    /// The manifest, where there is one that fits its schema.
    pub manifest: Option<Manifest>,
}

/// Checks a component and its manifest against the field dictionary. Never runs or compiles them.
pub fn inspect(bytes: &[u8], dictionary: &Dictionary) -> Report {
    let mut findings = Vec::new();
    let manifest = match open(bytes) {
        Ok(surface) => check(bytes, &surface, dictionary, &mut findings),
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    Report {
        accepted: !findings.iter().any(Finding::refuses),
        digest: hex::encode(Sha256::digest(bytes)),
        findings,
        manifest,
    }
}

/// The outside of valid component bytes, or why there is none: nothing else can be said then.
fn open(bytes: &[u8]) -> Result<Surface<'_>, Finding> {
    if bytes.len() > MAX_COMPONENT_BYTES {
        let message = format!("the component has {} bytes, more than {MAX_COMPONENT_BYTES}", bytes.len());
        return Err(Finding::error(
            "too-large",
            message,
            "Build for release, stripped, or leave out what it does not need",
        ));
    }
    let invalid = |error: wasmparser::BinaryReaderError| {
        let said: Vec<&str> = error.message().split_whitespace().collect();
        let message = format!("no valid WebAssembly: byte {}: {}", error.offset(), said.join(" "));
        let hint = "Upload the .wasm file that `care plugin build` wrote, unchanged and in binary mode";
        Finding::error("invalid-wasm", message, hint)
    };
    Validator::new_with_features(FEATURES).validate_all(bytes).map_err(invalid)?;
    let surface = Surface::read(bytes).map_err(invalid)?;
    if !surface.is_component {
        let hint = "Make it a component: `care plugin build` does, and so does `wasm-tools component new`";
        return Err(Finding::error("core-module", "this is a core module, not a component", hint));
    }
    Ok(surface)
}

fn check(
    bytes: &[u8],
    surface: &Surface<'_>,
    dictionary: &Dictionary,
    findings: &mut Vec<Finding>,
) -> Option<Manifest> {
    check_size(surface, findings);
    findings.extend(foreign(surface));
    let manifest = read_manifest(surface, findings);
    let contract = match &manifest {
        Some(manifest) => known_contract(manifest, findings),
        None => contract::of(surface.names()).or(CONTRACTS.last()),
    };
    let contract = contract.map(|contract| built_for(surface, contract, findings));
    if let Some(contract) = contract {
        check_world(bytes, surface, contract, manifest.as_ref().map(|m| m.world), findings);
    }
    if let Some(manifest) = &manifest {
        findings.extend(manifest.check(dictionary));
        check_declarations(surface, manifest, findings);
    }
    manifest
}

/// What it is instead, if it is valid and plainly no activity.
fn foreign(surface: &Surface<'_>) -> Option<Finding> {
    let hint = "Upload the .wasm file that `care plugin build` wrote";
    let is_ours = |name: &&str| name.starts_with("care:activity/");
    if !surface.has_content {
        Some(Finding::error("empty-component", "this component is empty", hint))
    } else if surface.imports.is_empty() && surface.exports.is_empty() {
        let hint = "Export the interfaces of world `activity`; code that nothing calls does nothing";
        Some(Finding::error("no-exports", "this component imports and exports nothing", hint))
    } else if !surface.exports.is_empty() && !surface.exports_more_than_types {
        Some(Finding::error("wit-package", "these are interfaces in WIT without any code", hint))
    } else if !surface.exports.iter().any(is_ours) {
        let message = format!("it was built for another world: it exports {:?}", surface.exports.first());
        Some(Finding::error("foreign-world", message, hint))
    } else {
        None
    }
}

/// What would cost far more to compile and set up than an activity needs.
fn check_size(surface: &Surface<'_>, findings: &mut Vec<Finding>) {
    let sizes = [
        ("too-many-exports", "exports", surface.exports.len(), MAX_EXPORTS, "Export the interfaces of the world only"),
        (
            "function-too-long",
            "bytes in one function",
            surface.longest_function,
            MAX_FUNCTION_BYTES,
            "Split the function, or keep tables as data rather than as code",
        ),
        (
            "too-many-parts",
            "instances, counting those inside of others",
            surface.parts,
            MAX_PARTS,
            "Link the code into one module",
        ),
    ];
    for (code, what, found, most, hint) in sizes.into_iter().filter(|(_, _, found, most, _)| found > most) {
        findings.push(Finding::error(code, format!("it has {found} {what}, more than {most}"), hint));
    }
}

fn read_manifest(surface: &Surface<'_>, findings: &mut Vec<Finding>) -> Option<Manifest> {
    let sections: Vec<&[u8]> = surface.own(SECTION).map(|c| c.data).collect();
    let hint = "Build with `care plugin build`, which writes it from activity.toml";
    match sections.as_slice() {
        [] => {
            findings.push(Finding::error("no-manifest", format!("there is no custom section {SECTION:?}"), hint));
            None
        }
        [one] => Manifest::from_json(one).map_err(|finding| findings.push(finding)).ok(),
        several => {
            let message = format!("there are {} custom sections {SECTION:?}, not one", several.len());
            findings.push(Finding::error("repeated-manifest", message, hint));
            None
        }
    }
}

fn known_contract(manifest: &Manifest, findings: &mut Vec<Finding>) -> Option<&'static Contract> {
    let contract = contract::find(&manifest.wit);
    if contract.is_none() {
        let message = format!("it was built for care:activity {}, which does not exist", manifest.wit);
        let hint = format!("Build for one of the released versions: {}", contract::known());
        findings.push(Finding::error("unknown-wit-version", message, hint));
    }
    contract
}

/// The contract to check a component against: the manifest's, or the one that the code was plainly built for instead.
/// All names must have one version, since what the linker would take for the same is not what was approved.
fn built_for(surface: &Surface<'_>, contract: &'static Contract, findings: &mut Vec<Finding>) -> &'static Contract {
    let named = contract::named(surface.names());
    let listed = contract::list(surface.names());
    if named.len() > 1 {
        let message = format!("its imports and exports are of several versions of care:activity: {listed}");
        let hint = format!("Generate all bindings from one folder, wit/care-activity-{}", contract.version);
        findings.push(Finding::error("mixed-wit-versions", message, hint));
        return contract;
    }
    if named.is_empty() || named.contains(contract.version) {
        return contract;
    }
    let version = contract.version;
    let Some(actual) = contract::of(surface.names()) else {
        let message = format!("the code was built for care:activity {listed}, which does not exist");
        let hint = format!("Build for one of the released versions: {}", contract::known());
        findings.push(Finding::error("unknown-wit-version", message, hint));
        return contract;
    };
    let message = format!("the manifest is for care:activity {version}, the code was built for {listed}");
    let hint = format!(
        "Write {listed} into the manifest, as `care plugin build` does, or generate the bindings from \
         wit/care-activity-{version}"
    );
    findings.push(Finding::error("wit-version-mismatch", message, hint));
    actual
}

/// Imports must be a subset of the world's and exports a superset; signatures are compared where names agree.
fn check_world(
    bytes: &[u8],
    surface: &Surface<'_>,
    contract: &Contract,
    world: Option<World>,
    findings: &mut Vec<Finding>,
) {
    let target = contract.target(world.unwrap_or_default());
    let before = findings.len();
    let is_forbidden = |name: &&&str| !target.imports.iter().any(|i| i == **name);
    for name in surface.imports.iter().filter(is_forbidden).take(MAX_LISTED) {
        findings.push(forbidden(name, &target));
    }
    // Without a manifest nobody knows which world was meant.
    if world.is_some() {
        for name in target.exports.iter().filter(|e| !surface.exports.contains(&e.as_str())) {
            let near = nearest(name, surface.exports.iter().take(MAX_LISTED).copied());
            let hint = match near.first() {
                Some(near) => format!("It exports {near:?}: build against wit/care-activity-{}", contract.version),
                None => format!("Implement every export of the world in wit/care-activity-{}", contract.version),
            };
            findings.push(Finding::error("wrong-world", format!("it does not export {name:?}"), hint));
        }
        if findings.len() == before
            && let Err(error) = wit_component::targets(&target.resolve, target.world, bytes)
        {
            let message = format!("a function or type differs from the contract: {}", error.root_cause());
            let hint = format!(
                "Generate the bindings again from wit/care-activity-{}; the released versions are {}",
                contract.version,
                contract::known()
            );
            findings.push(Finding::error("wrong-signature", message, hint));
        }
    }
}

fn forbidden(name: &str, target: &Target) -> Finding {
    let hint = if name.starts_with("wasi:") {
        "A guest has no clock, randomness, files or network: build for wasm32-unknown-unknown, or stub WASI out (`--stub-wasi`)".to_owned()
    } else {
        format!("Import nothing but {}", target.imports.join(" and "))
    };
    Finding::error("forbidden-import", format!("it imports {name:?}"), hint)
}

/// What the code says of itself, where its SDK wrote it down, must be what the manifest says of it.
fn check_declarations(surface: &Surface<'_>, manifest: &Manifest, findings: &mut Vec<Finding>) {
    for section in surface.anywhere(DECLARATION_SECTION).into_iter().take(MAX_LISTED) {
        match serde_json::from_slice::<Declaration>(section) {
            Ok(declaration) => findings.extend(manifest.check_declaration(&declaration)),
            Err(error) => {
                let message = format!("custom section {DECLARATION_SECTION:?} cannot be read: {error}");
                findings.push(Finding::error("declaration-schema", message, "Build with the SDK of this release"));
            }
        }
    }
}
