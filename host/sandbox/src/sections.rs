//! The outside of a component: what it imports, exports and carries in custom sections. Runs and compiles nothing.

use std::collections::BTreeSet;
use std::ops::Range;
use wasmparser::{BinaryReaderError, ComponentExternalKind, Encoding, Parser, Payload, WasmFeatures};

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

/// The outside of a component or module, and how much there is inside.
#[derive(Default)]
pub(crate) struct Surface<'a> {
    pub(crate) is_component: bool,
    /// Whether there is anything beside custom sections.
    pub(crate) has_content: bool,
    pub(crate) imports: Vec<&'a str>,
    pub(crate) exports: Vec<&'a str>,
    /// Whether an export is more than the name of a type.
    pub(crate) exports_more_than_types: bool,
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
        let mut surface = Self::default();
        // Instances of each component or module that is still open, outermost first.
        let mut open: Vec<usize> = Vec::new();
        // Where the section at hand begins: sections follow each other without gaps.
        let mut section_start = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Payload::Version { encoding, range, .. } = &payload {
                open.push(0);
                if open.len() == 1 {
                    surface.is_component = *encoding == Encoding::Component;
                    section_start = range.end;
                }
            }
            surface.measure(&payload, &mut open);
            if let Payload::CustomSection(custom) = &payload {
                surface.customs.push(Custom {
                    name: custom.name(),
                    data: custom.data(),
                    span: section_start..custom.range().end,
                    outermost: open.len() == 1,
                });
            }
            if open.len() == 1 {
                surface.name(&payload)?;
                if let Some((_, range)) = payload.as_section() {
                    section_start = range.end;
                }
            }
        }
        Ok(surface)
    }

    /// Counts what is inside, on any level.
    fn measure(&mut self, payload: &Payload<'_>, open: &mut Vec<usize>) {
        let more = match payload {
            Payload::InstanceSection(section) => section.count(),
            Payload::ComponentInstanceSection(section) => section.count(),
            Payload::CodeSectionEntry(body) => {
                self.longest_function = self.longest_function.max(body.range().len());
                0
            }
            Payload::End(_) => {
                // Any component that was closed before may be the one that it instantiates each time.
                let most = open.pop().unwrap_or(0).saturating_mul(self.parts.saturating_add(1));
                self.parts = self.parts.max(most);
                0
            }
            _ => 0,
        };
        if let Some(innermost) = open.last_mut() {
            *innermost = innermost.saturating_add(more as usize);
        }
    }

    /// Notes what the outermost level says of itself.
    fn name(&mut self, payload: &Payload<'a>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    self.imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    self.exports.push(export.name.name);
                    self.exports_more_than_types |= export.kind != ComponentExternalKind::Type;
                }
            }
            _ => {}
        }
        let is_custom = matches!(payload, Payload::CustomSection(_));
        self.has_content |= payload.as_section().is_some() && !is_custom;
        Ok(())
    }

    /// What it imports and exports, by name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.imports.iter().chain(&self.exports).copied()
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
