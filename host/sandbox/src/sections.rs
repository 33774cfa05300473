//! The outside of a component: what it imports, exports and carries in custom sections. Runs and compiles nothing.

use std::collections::BTreeSet;
use std::ops::Range;
use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Parser, Payload, WasmFeatures,
};

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

/// A component or module that is being read.
#[derive(Default)]
struct Level {
    is_component: bool,
    /// Instances, those inside of instances included.
    instances: usize,
    /// The instances inside of each of its components, by index.
    components: Vec<usize>,
}

fn add(open: &mut [Level], instances: usize) {
    if let Some(innermost) = open.last_mut() {
        innermost.instances = innermost.instances.saturating_add(instances);
    }
}

fn know(open: &mut [Level], inside: usize) {
    if let Some(innermost) = open.last_mut() {
        innermost.components.push(inside);
    }
}

impl<'a> Surface<'a> {
    /// Reads it off bytes that need not be valid.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, BinaryReaderError> {
        let mut surface = Self::default();
        // Each component or module that is still open, outermost first.
        let mut open: Vec<Level> = Vec::new();
        // Where the section at hand begins: sections follow each other without gaps.
        let mut section_start = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Payload::Version { encoding, range, .. } = &payload {
                open.push(Level { is_component: *encoding == Encoding::Component, ..Level::default() });
                if open.len() == 1 {
                    surface.is_component = *encoding == Encoding::Component;
                    section_start = range.end;
                }
            }
            surface.measure(&payload, &mut open)?;
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
    fn measure(&mut self, payload: &Payload<'_>, open: &mut Vec<Level>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::CodeSectionEntry(body) => self.longest_function = self.longest_function.max(body.range().len()),
            Payload::InstanceSection(section) => add(open, section.count() as usize),
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    let inside = match instance? {
                        ComponentInstance::Instantiate { component_index, .. } => self.inside(open, 0, component_index),
                        ComponentInstance::FromExports(_) => 0,
                    };
                    add(open, inside.saturating_add(1));
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases.clone() {
                    match alias? {
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                            let inside = self.inside(open, count as usize, index);
                            know(open, inside);
                        }
                        // Which one that is, is not told here; it was closed before, so it is none beyond the largest.
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                            know(open, self.parts);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    // Whatever comes in from outside may be of any size.
                    if let ComponentTypeRef::Component(_) = import?.ty {
                        know(open, usize::MAX);
                    }
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        let inside = self.inside(open, 0, export.index);
                        know(open, inside);
                    }
                }
            }
            Payload::End(_) => {
                let ended = open.pop().unwrap_or_default();
                self.parts = self.parts.max(ended.instances);
                if ended.is_component {
                    know(open, ended.instances);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The instances inside of a component by its index, so many levels out. One that nobody knows is taken for the
    /// largest.
    fn inside(&self, open: &[Level], out: usize, index: u32) -> usize {
        let level = open.len().checked_sub(out + 1).and_then(|at| open.get(at));
        level.and_then(|level| level.components.get(index as usize)).copied().unwrap_or(self.parts)
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
