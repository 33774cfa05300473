//! Rows on their way from the order of the source to the order of keys, in flat memory: encoded, cut into
//! 256 parts by the first byte of the key, each part spilled to an unnamed temporary file when it grows.

use super::Cell;
use crate::error::PopulationError;
use care_domain::key::CustomerKey;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Number of parts: few enough to keep a file open for each.
pub(crate) const PARTS: usize = 256;
/// Spilled at this size: 256 parts hold at most 16 MiB.
const SPILL_BYTES: usize = 1 << 16;
/// key, line, whether it had bad cells, payload length.
const HEAD: usize = 16 + 8 + 1 + 4;
/// More distinct values are not a category.
const MAX_CATEGORIES: usize = 65_536;

/// What the source says of a row beside its values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) key: CustomerKey,
    /// Line of the source, for messages about repeated keys.
    pub(crate) line: u64,
    /// Whether a cell of it could not be read.
    pub(crate) bad: bool,
}

/// A row in a loaded part: where its payload lies.
pub(crate) struct Entry {
    pub(crate) origin: Origin,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Default)]
struct Part {
    buffer: Vec<u8>,
    file: Option<File>,
}

/// All parts.
pub(crate) struct Partition {
    parts: Vec<Part>,
    folder: PathBuf,
    scratch: Vec<u8>,
}

impl Partition {
    pub(crate) fn new(folder: &Path) -> Self {
        let parts = (0..PARTS).map(|_| Part::default()).collect();
        Self { parts, folder: folder.to_owned(), scratch: Vec::new() }
    }

    /// Adds a row: its cells in the order of the snapshot's fields, and its identity as JSON.
    pub(crate) fn push(
        &mut self,
        origin: Origin,
        cells: &[Option<Cell<'_>>],
        categories: &mut [Option<Interner>],
        identity: &[u8],
    ) -> Result<(), PopulationError> {
        self.scratch.clear();
        for (cell, interner) in cells.iter().zip(categories) {
            encode(&mut self.scratch, *cell, interner.as_mut())?;
        }
        self.scratch.extend_from_slice(identity);
        let part = &mut self.parts[usize::from(origin.key.0[0])];
        part.buffer.extend_from_slice(&origin.key.0);
        part.buffer.extend_from_slice(&origin.line.to_le_bytes());
        part.buffer.push(u8::from(origin.bad));
        part.buffer.extend_from_slice(&(self.scratch.len() as u32).to_le_bytes());
        part.buffer.extend_from_slice(&self.scratch);
        if part.buffer.len() >= SPILL_BYTES {
            part.spill(&self.folder).map_err(PopulationError::io("spill rows to", &self.folder))?;
        }
        Ok(())
    }

    /// Takes the rows of some parts, as bytes and as entries in the order of key and line.
    pub(crate) fn take(&mut self, parts: std::ops::Range<usize>) -> Result<(Vec<u8>, Vec<Entry>), PopulationError> {
        let mut bytes = Vec::new();
        for part in &mut self.parts[parts] {
            let part = std::mem::take(part);
            if let Some(mut file) = part.file {
                let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
                read.map_err(PopulationError::io("read spilled rows of", &self.folder))?;
            }
            bytes.extend_from_slice(&part.buffer);
        }
        let mut entries = index(&bytes);
        entries.sort_unstable_by_key(|e| (e.origin.key, e.origin.line));
        Ok((bytes, entries))
    }
}

impl Part {
    fn spill(&mut self, folder: &Path) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(folder)?),
        };
        file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn encode(into: &mut Vec<u8>, cell: Option<Cell<'_>>, interner: Option<&mut Interner>) -> Result<(), PopulationError> {
    let Some(cell) = cell else {
        into.push(0);
        return Ok(());
    };
    into.push(1);
    match (cell, interner) {
        (Cell::Whole(value), _) => into.extend_from_slice(&value.to_le_bytes()),
        (Cell::Ratio(value), _) => into.extend_from_slice(&value.to_le_bytes()),
        (Cell::Text(text), Some(interner)) => into.extend_from_slice(&i64::from(interner.code(text)?).to_le_bytes()),
        (Cell::Text(text), None) => {
            into.extend_from_slice(&(text.len() as u32).to_le_bytes());
            into.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

fn index(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + HEAD) {
        let key = CustomerKey(fixed(head, 0));
        let line = u64::from_le_bytes(fixed(head, 16));
        let length = u32::from_le_bytes(fixed(head, 25)) as usize;
        let start = at + HEAD;
        entries.push(Entry { origin: Origin { key, line, bad: head[24] == 1 }, start, end: start + length });
        at = start + length;
    }
    entries
}

/// A number's bytes at a place; the caller knows that they are there.
pub(crate) fn fixed<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut value = [0u8; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}

/// Numbers the values of a category field in the order in which they appear.
pub(crate) struct Interner {
    field: String,
    codes: HashMap<String, u32>,
}

impl Interner {
    pub(crate) fn new(field: &str) -> Self {
        Self { field: field.to_owned(), codes: HashMap::new() }
    }

    fn code(&mut self, text: &str) -> Result<u32, PopulationError> {
        if let Some(code) = self.codes.get(text) {
            return Ok(*code);
        }
        if self.codes.len() == MAX_CATEGORIES {
            let message = format!("the category field {} has more than {MAX_CATEGORIES} distinct values", self.field);
            let hint = "Check the column that the mapping names, or make the field a text in the dictionary";
            return Err(PopulationError::refused("too-many-categories", message, hint));
        }
        let code = self.codes.len() as u32;
        self.codes.insert(text.to_owned(), code);
        Ok(code)
    }

    /// The values in alphabetical order, and for each code of appearance its place in that order.
    pub(crate) fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut values: Vec<(String, u32)> = self.codes.into_iter().collect();
        values.sort_unstable();
        let mut place = vec![0; values.len()];
        for (at, (_, code)) in values.iter().enumerate() {
            place[*code as usize] = at as u32;
        }
        (values.into_iter().map(|(value, _)| value).collect(), place)
    }
}
