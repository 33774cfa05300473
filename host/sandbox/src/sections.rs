//! The outside of a component: what it imports, exports and carries in custom sections. Runs and compiles nothing.

use std::collections::BTreeSet;
use std::ops::Range;
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload, WasmFeatures};

/// What guests may use of WebAssembly. No garbage collector, threads, exceptions, 64-bit memories, tail calls or
/// relaxed SIMD: less to attack, and nothing whose result depends on the machine. Validation and the engine share it.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL)
    .difference(WasmFeatures::GC_TYPES);

/// A custom section.
pub(crate) struct Custom<'a> {
    pub(crate) name: &'a str,
    pub(crate) data: &'a [u8],
    /// The whole section with its header; only of use at the outermost level.
    pub(crate) span: Range<usize>,
    /// Whether it belongs to the component itself rather than to a module inside.
    pub(crate) outermost: bool,
}

/// The outside of a component or module.
pub(crate) struct Surface<'a> {
    pub(crate) is_component: bool,
    pub(crate) imports: Vec<&'a str>,
    pub(crate) exports: Vec<&'a str>,
    pub(crate) customs: Vec<Custom<'a>>,
}

impl<'a> Surface<'a> {
    /// Reads it off bytes that need not be valid.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, BinaryReaderError> {
        let mut surface = Self { is_component: false, imports: Vec::new(), exports: Vec::new(), customs: Vec::new() };
        let mut depth = 0usize;
        // Where the section at hand begins: sections follow each other without gaps.
        let mut section_start = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::Version { encoding, range, .. } => {
                    depth += 1;
                    if depth == 1 {
                        surface.is_component = *encoding == Encoding::Component;
                        section_start = range.end;
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports.clone() {
                        surface.imports.push(import?.name.name);
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports.clone() {
                        surface.exports.push(export?.name.name);
                    }
                }
                Payload::CustomSection(custom) => surface.customs.push(Custom {
                    name: custom.name(),
                    data: custom.data(),
                    span: section_start..custom.range().end,
                    outermost: depth == 1,
                }),
                _ => {}
            }
            if let (1, Some((_, range))) = (depth, payload.as_section()) {
                section_start = range.end;
            }
        }
        Ok(surface)
    }

    /// The custom sections of that name on the outermost level.
    pub(crate) fn own(&self, name: &'a str) -> impl Iterator<Item = &Custom<'a>> {
        self.customs.iter().filter(move |c| c.outermost && c.name == name)
    }

    /// What sections of that name say, wherever they stand; a copy of another counts once.
    pub(crate) fn anywhere(&self, name: &str) -> BTreeSet<&'a [u8]> {
        self.customs.iter().filter(|c| c.name == name).map(|c| c.data).collect()
    }
}
