//! Where in its author's source a guest stood: from the line tables that a build keeps beside the component. For authors
//! alone; nothing of it is uploaded, and nothing is decided by it.

use crate::package::{SOURCE_SECTION, is_debug};
use crate::sections::Surface;
use crate::trace::Frame;
use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use serde::Serialize;
use std::ops::Range;
use wasmparser::{Parser, Payload, TypeRef};

/// The component's core module as it came from the compiler, with names and line tables.
pub struct Symbols(Vec<u8>);

/// A line of the author's that was running.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Below the project's folder.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// The function, as the author named it.
    pub function: String,
}

/// Line tables that were read, for many questions.
pub struct Lines<'a> {
    context: Context<EndianSlice<'a, LittleEndian>>,
    layout: Layout<'a>,
}

/// Where the functions of a module are, and where its sources were.
#[derive(Default)]
struct Layout<'a> {
    /// Functions that it imports: they come first in the numbering.
    imported: usize,
    code: Range<usize>,
    /// The instructions of its own, each from where its body begins.
    bodies: Vec<(Range<usize>, usize)>,
    sources: &'a str,
}

impl Symbols {
    /// What a build kept beside `component`; nothing where it is of another build.
    pub fn of(kept: Vec<u8>, component: &[u8]) -> Option<Self> {
        let code = Layout::read(&kept)?.code;
        let code = kept.get(code)?;
        let holds = |payload: wasmparser::Result<Payload<'_>>| match payload {
            Ok(Payload::CodeSectionStart { range, .. }) => component.get(range).is_some_and(|own| own == code),
            _ => false,
        };
        Parser::new(0).parse_all(component).any(holds).then_some(Self(kept))
    }

    /// Reads the line tables; nothing where there are none.
    pub fn lines(&self) -> Option<Lines<'_>> {
        let layout = Layout::read(&self.0)?;
        let customs = Surface::read(&self.0).ok()?.customs;
        let section = |id: SectionId| {
            let data = customs.iter().find(|custom| custom.name == id.name()).map_or(&[][..], |custom| custom.data);
            Ok::<_, addr2line::gimli::Error>(EndianSlice::new(data, LittleEndian))
        };
        let context = Context::from_dwarf(Dwarf::load(section).ok()?).ok()?;
        customs.iter().any(|custom| is_debug(custom.name)).then_some(Lines { context, layout })
    }
}

impl Lines<'_> {
    /// The author's lines at a frame, innermost first: several where functions were put into each other, none where it
    /// stands in what others wrote.
    pub fn places(&self, frame: &Frame) -> Vec<Place> {
        let Some(address) = self.layout.address(frame) else { return Vec::new() };
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else { return Vec::new() };
        let mut places = Vec::new();
        while let Ok(Some(found)) = frames.next() {
            let name = found.function.as_ref().and_then(|f| f.demangle().ok().map(|name| short(&name)));
            let Some(location) = found.location.filter(|_| !name.as_deref().is_some_and(is_glue)) else { continue };
            if let (Some(file), Some(line)) = (location.file.and_then(|f| self.layout.own(f)), location.line) {
                places.push(Place { file, line, function: name.unwrap_or_default() });
            }
        }
        places
    }
}

impl<'a> Layout<'a> {
    fn read(module: &'a [u8]) -> Option<Self> {
        let mut layout = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::ImportSection(section) => {
                    let imports = section.into_imports().flatten();
                    layout.imported = imports.filter(|import| matches!(import.ty, TypeRef::Func(_))).count();
                }
                Payload::CodeSectionStart { range, .. } => layout.code = range,
                Payload::CodeSectionEntry(body) => {
                    let first = body.get_binary_reader_for_operators().ok()?.original_position();
                    layout.bodies.push((body.range(), first));
                }
                Payload::CustomSection(custom) if custom.name() == SOURCE_SECTION => {
                    layout.sources = std::str::from_utf8(custom.data()).ok()?;
                }
                _ => {}
            }
        }
        Some(layout)
    }

    /// Where line tables have a frame: from the beginning of the code. A frame at the entry of its function has no offset.
    fn address(&self, frame: &Frame) -> Option<u64> {
        let (body, first) = self.bodies.get((frame.function as usize).checked_sub(self.imported)?)?;
        let at = frame.offset.map_or(*first, |offset| body.start + offset.min(body.len().saturating_sub(1)));
        u64::try_from(at.checked_sub(self.code.start)?).ok()
    }

    /// A file below the project's folder that is not of the SDK beside it.
    fn own(&self, file: &str) -> Option<String> {
        let below = file.strip_prefix(self.sources)?.strip_prefix('/')?;
        let others = ["sdk/", "target/", "vendor/"].iter().any(|folder| below.starts_with(folder));
        (!others && !self.sources.is_empty()).then(|| below.to_owned())
    }
}

/// What the SDK's macro writes into the author's file.
fn is_glue(function: &str) -> bool {
    let exports = ["select", "schedule", "compose", "observe", "merge", "report", "derive"];
    function
        .trim_start_matches('_')
        .strip_prefix("export_")
        .is_some_and(|name| exports.contains(&name.trim_end_matches("_cabi")))
}

/// A function's own name: of `<my_festival::Festival as care_sdk::Activity>::select` it is `select`.
fn short(name: &str) -> String {
    let (mut depth, mut parts, mut part) = (0_usize, Vec::new(), String::new());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && chars.peek() == Some(&':') => {
                chars.next();
                parts.push(std::mem::take(&mut part));
            }
            c if depth == 0 => part.push(c),
            _ => {}
        }
    }
    parts.push(part);
    let named = parts.iter().rfind(|part| !part.is_empty() && !part.starts_with('{'));
    named.map_or_else(|| name.to_owned(), |part| part.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_functions_own_name_is_what_its_author_called_it() {
        for (mangled, own) in [
            ("<my_festival::Festival as care_sdk::activity::Activity>::select", "select"),
            ("my_festival::greeting", "greeting"),
            ("my_festival::rules::best::<my_festival::Reason>", "best"),
            ("<my_festival::Festival as care_sdk::activity::Activity>::select::{closure#0}", "select"),
            ("select", "select"),
        ] {
            assert_eq!(short(mangled), own);
        }
    }

    #[test]
    fn what_is_no_module_or_of_another_build_tells_nothing() {
        assert!(Symbols::of(b"no module".to_vec(), b"\0asm").is_none());
        let module = wat::parse_str("(module (func (unreachable)))").expect("a module");
        let other = wat::parse_str("(module (func nop))").expect("a module");
        assert!(Symbols::of(module.clone(), &other).is_none());
        assert!(
            Symbols::of(module.clone(), &module).is_some_and(|symbols| symbols.lines().is_none()),
            "no line tables"
        );
    }

    #[test]
    fn what_the_sdks_macro_writes_is_not_the_authors() {
        assert!(is_glue("export_select") && is_glue("_export_compose_cabi"));
        assert!(!is_glue("export_customers") && !is_glue("select"));
    }

    #[test]
    fn only_files_of_the_project_are_the_authors() {
        let layout = Layout { sources: "/home/work/mine", ..Layout::default() };
        assert_eq!(layout.own("/home/work/mine/src/lib.rs").as_deref(), Some("src/lib.rs"));
        for file in
            ["/home/work/mine/sdk/src/batch.rs", "/home/work/mine2/src/lib.rs", "/rustc/1/library/core/src/option.rs"]
        {
            assert_eq!(layout.own(file), None);
        }
        assert_eq!(Layout::default().own("/src/lib.rs"), None);
    }
}
