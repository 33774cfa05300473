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
    /// Bytes of the longest function in any module inside.
    pub(crate) longest_function: usize,
    /// How many instances it can come to at most, those inside of instances included. A component that instantiates
    /// another ten times, which does the same, and so on, is small in bytes and endless to compile.
    pub(crate) parts: usize,
}

impl<'a> Surface<'a> {
    /// Reads it off bytes that need not be valid.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, BinaryReaderError> {
        let mut surface = Self {
            is_component: false,
            imports: Vec::new(),
            exports: Vec::new(),
            customs: Vec::new(),
            longest_function: 0,
            parts: 0,
        };
        let mut depth = 0usize;
        // Instances of each component or module that is still open, outermost first.
        let mut instances: Vec<usize> = Vec::new();
        // Where the section at hand begins: sections follow each other without gaps.
        let mut section_start = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::Version { encoding, range, .. } => {
                    depth += 1;
                    instances.push(0);
                    if depth == 1 {
                        surface.is_component = *encoding == Encoding::Component;
                        section_start = range.end;
                    }
                }
                Payload::End(_) => {
                    depth = depth.saturating_sub(1);
                    // Any component that was closed before may be the one that it instantiates each time.
                    let most = instances.pop().unwrap_or(0).saturating_mul(surface.parts.saturating_add(1));
                    surface.parts = surface.parts.max(most);
                }
                Payload::InstanceSection(section) => count(&mut instances, section.count()),
                Payload::ComponentInstanceSection(section) => count(&mut instances, section.count()),
                Payload::CodeSectionEntry(body) => {
                    surface.longest_function = surface.longest_function.max(body.range().len());
                }
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

fn count(instances: &mut [usize], more: u32) {
    if let Some(innermost) = instances.last_mut() {
        *innermost = innermost.saturating_add(more as usize);
    }
}
