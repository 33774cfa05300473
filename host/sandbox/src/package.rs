//! Making plugins: from a core module to a component, and the manifest into it.
//! Where the manifest comes from (`activity.toml`, the compiler) is the builder's business.

use crate::contract;
use crate::sections::Surface;
use care_domain::manifest::{DECLARATION_SECTION, SECTION};
use semver::Version;
use std::error::Error;
use wit_component::ComponentEncoder;

/// A plugin that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The compiler's output is no module, or imports something that is not in its world.
    #[error("the module cannot be made a component; does it import something beside care:activity?")]
    Encode(#[source] Box<dyn Error + Send + Sync>),
    /// Not WebAssembly.
    #[error("these bytes are no WebAssembly: byte {offset}")]
    Invalid {
        /// Where reading stopped.
        offset: usize,
        /// What was found there.
        #[source]
        source: wasmparser::BinaryReaderError,
    },
    /// A manifest belongs to a component.
    #[error("these bytes are a core module; make it a component first")]
    CoreModule,
    /// Its imports and exports name no version of the contract, several, or one that does not exist.
    #[error("the code is built for no one released version of care:activity: it names {named}, and there are {known}")]
    Contract {
        /// The versions that it names.
        named: String,
        /// Those that exist.
        known: String,
    },
}

/// Makes a core module a component. The world comes from the module itself: binding generators write it
/// into a custom section.
pub fn component_from_core(core: &[u8]) -> Result<Vec<u8>, PackageError> {
    let encode = || ComponentEncoder::default().module(core)?.validate(true).encode();
    encode().map_err(|e| PackageError::Encode(e.into()))
}

/// The component with `manifest` (JSON) as its one manifest, replacing any. A declaration of the code
/// inside is copied to the component's own level, where tools find it without looking into modules.
pub fn with_manifest(component: &[u8], manifest: &[u8]) -> Result<Vec<u8>, PackageError> {
    let surface = read(component)?;
    if !surface.is_component {
        return Err(PackageError::CoreModule);
    }
    let mut bytes = Vec::with_capacity(component.len() + manifest.len() + 64);
    let mut copied = 0;
    for old in surface.own(SECTION) {
        bytes.extend_from_slice(&component[copied..old.span.start]);
        copied = old.span.end;
    }
    bytes.extend_from_slice(&component[copied..]);
    append(&mut bytes, SECTION, manifest);
    if surface.own(DECLARATION_SECTION).next().is_none()
        && let Some(declaration) = surface.anywhere(DECLARATION_SECTION).first()
    {
        append(&mut bytes, DECLARATION_SECTION, declaration);
    }
    Ok(bytes)
}

/// The component with what its code declares (JSON), where the code itself cannot write it: other languages than Rust.
/// One that is there already stays.
pub fn with_declaration(component: &[u8], declaration: &[u8]) -> Result<Vec<u8>, PackageError> {
    let surface = read(component)?;
    if !surface.is_component {
        return Err(PackageError::CoreModule);
    }
    let mut bytes = component.to_vec();
    if surface.own(DECLARATION_SECTION).next().is_none() {
        append(&mut bytes, DECLARATION_SECTION, declaration);
    }
    Ok(bytes)
}

/// In what a build keeps beside a component: the folder of its sources, as the line tables spell it.
pub const SOURCE_SECTION: &str = "care-source";

/// A core module without what only its author needs: names, line tables and the compiler's notes. The code stays as it is.
pub fn stripped(core: &[u8]) -> Result<Vec<u8>, PackageError> {
    let surface = read(core)?;
    let mut bytes = Vec::with_capacity(core.len());
    let mut copied = 0;
    for custom in surface.customs.iter().filter(|custom| custom.outermost) {
        if is_debug(custom.name) || ["name", "producers", "target_features"].contains(&custom.name) {
            bytes.extend_from_slice(&core[copied..custom.span.start]);
            copied = custom.span.end;
        }
    }
    bytes.extend_from_slice(&core[copied..]);
    Ok(bytes)
}

/// Whether a section holds line tables and the like.
pub(crate) fn is_debug(section: &str) -> bool {
    section.starts_with(".debug")
}

/// A core module to be kept beside its component, for [`crate::Symbols`]: with the folder of its sources, as the line tables
/// spell it.
pub fn with_sources(core: &[u8], folder: &str) -> Vec<u8> {
    let mut bytes = core.to_vec();
    append(&mut bytes, SOURCE_SECTION, folder.as_bytes());
    bytes
}

/// Name of the custom section that holds a branch's signature over everything else.
pub const SIGNATURE_SECTION: &str = "care-signature";

/// The component with a branch's signature (a signed envelope as JSON) as its last section.
pub fn with_signature(component: &[u8], envelope: &[u8]) -> Result<Vec<u8>, PackageError> {
    if !read(component)?.is_component {
        return Err(PackageError::CoreModule);
    }
    let mut bytes = component.to_vec();
    append(&mut bytes, SIGNATURE_SECTION, envelope);
    Ok(bytes)
}

/// The component without its signature, and the signature. Only a last section is one: what stands before it was signed
/// as it is. Bytes that cannot be read have none.
pub fn split_signature(bytes: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let Ok(surface) = read(bytes) else { return (bytes.to_vec(), None) };
    match surface.own(SIGNATURE_SECTION).last() {
        Some(section) if section.span.end == bytes.len() => {
            (bytes[..section.span.start].to_vec(), Some(section.data.to_vec()))
        }
        _ => (bytes.to_vec(), None),
    }
}

/// The JSON in which a module or component built with the Rust SDK declares what its code uses.
pub fn declaration(wasm: &[u8]) -> Result<Option<Vec<u8>>, PackageError> {
    Ok(read(wasm)?.anywhere(DECLARATION_SECTION).first().map(|json| json.to_vec()))
}

/// The version of the contract that a component was built for, by its imports and exports.
pub fn contract_version(component: &[u8]) -> Result<Version, PackageError> {
    let surface = read(component)?;
    let no_contract = || PackageError::Contract { named: contract::list(surface.names()), known: contract::known() };
    contract::of(surface.names()).and_then(|c| Version::parse(c.version).ok()).ok_or_else(no_contract)
}

/// The JSON of a component's manifest.
pub fn manifest_bytes(component: &[u8]) -> Result<Option<Vec<u8>>, PackageError> {
    Ok(read(component)?.own(SECTION).next().map(|custom| custom.data.to_vec()))
}

fn read(wasm: &[u8]) -> Result<Surface<'_>, PackageError> {
    Surface::read(wasm).map_err(|source| PackageError::Invalid { offset: source.offset(), source })
}

fn append(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::with_capacity(name.len() + data.len() + 4);
    leb128(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    bytes.push(0);
    leb128(bytes, content.len());
    bytes.extend_from_slice(&content);
}

fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
