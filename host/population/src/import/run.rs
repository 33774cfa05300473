//! The import itself.

use super::faults::{Fault, FaultClass, Faults};
use super::mapping::{Key, Mapped, Mapping, Origin as From};
use super::source::{Source, Step};
use crate::error::PopulationError;
use crate::identity::{Identities, IdentitySpool, surname_of, to_json};
use crate::keyer::Keyer;
use crate::snapshot::{About, Cell, Counts, Origin, SnapshotWriter};
use care_domain::identity::{CloseContact, Identity};
use care_domain::key::CustomerKey;
use std::path::{Path, PathBuf};

/// How often progress is told, in rows.
const PROGRESS_ROWS: u64 = 10_000;

/// What to import, and how.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions<'a> {
    /// The file.
    pub source: &'a Path,
    /// What people call it; goes into the manifest.
    pub source_name: &'a str,
    /// Which column fills which field.
    pub mapping: &'a Mapping,
    /// Makes keys of customer ids.
    pub keyer: &'a Keyer,
    /// The folder of snapshots; the new one becomes `<out_root>/<id>`.
    pub out_root: &'a Path,
    /// The date its values speak of, days since 1970-01-01.
    pub business_date: i32,
    /// The greatest share of bad rows (0 to 1) that is accepted; any when absent.
    pub max_bad: Option<f64>,
}

/// A finished import.
#[derive(Debug)]
pub struct Imported {
    /// The snapshot's id.
    pub id: String,
    /// The snapshot's folder.
    pub folder: PathBuf,
    /// Customers in it.
    pub rows: u64,
    /// What became of the source's rows.
    pub counts: Counts,
    /// The reject file, CSV: every rejected row and bad cell with line, class, field, value and reason.
    /// `None` when there was none.
    pub rejects: Option<PathBuf>,
    /// The first twenty of them.
    pub first_faults: Vec<Fault>,
    /// Who the customers are, in the order of keys.
    pub identities: Identities,
}

/// Imports a file as a snapshot. `progress` is told the rows read so far, now and then.
/// A refused file leaves nothing behind.
pub fn import(options: &ImportOptions<'_>, progress: &mut dyn FnMut(u64)) -> Result<Imported, PopulationError> {
    if let Some(share) = options.max_bad.filter(|share| !(0.0..=1.0).contains(share)) {
        let message = format!("{share} is no share of bad rows");
        return Err(PopulationError::refused("max-bad", message, "Give a share between 0 and 1, such as 0.01"));
    }
    let wanted = options.mapping.columns();
    let mut source = Source::open(options.source, options.mapping, &wanted)?;
    let intake = Intake::new(options.mapping, options.keyer, &wanted);
    let mut writer = SnapshotWriter::new(options.out_root, options.mapping.field_types())?;
    let mut faults = Faults::new(options.out_root)?;
    intake.read_all(&mut source, &mut writer, &mut faults, progress)?;
    if faults.counts.read == 0 {
        return Err(PopulationError::refused("empty", "the file has a header but no rows", "Offer a file with rows"));
    }
    let mut spool = IdentitySpool::new(options.out_root)?;
    let draft = writer.finish(&mut spool, |row| {
        // Its bad cells already made it a bad row.
        faults.counts.bad_rows += u64::from(!row.bad);
        faults.rejected(row.line, FaultClass::RepeatedKey, "an earlier row has the same key")
    })?;
    faults.check_share(options.max_bad)?;
    let rows = draft.rows();
    if rows == 0 {
        return Err(PopulationError::refused(
            "no-rows",
            "every row was rejected",
            "Check the mapping's key against the file",
        ));
    }
    let counts = faults.counts;
    let about = About { source: options.source_name, business_date: options.business_date, counts };
    let (id, folder) = draft.seal(options.out_root, &about)?;
    let (rejects, first_faults) = faults.keep(&options.out_root.join(format!("{id}.rejects.csv")))?;
    progress(counts.read);
    Ok(Imported { id, folder, rows, counts, rejects, first_faults, identities: spool.finish()? })
}

/// A mapping bound to the places of its columns in a source.
struct Intake<'a> {
    keyer: &'a Keyer,
    key: Option<usize>,
    fields: Vec<BoundField<'a>>,
    surname: Option<usize>,
    name: Option<usize>,
    msisdn: Option<usize>,
    email: Option<usize>,
    close_contacts: Vec<(Option<usize>, Option<usize>)>,
}

struct BoundField<'a> {
    name: &'a str,
    mapped: &'a Mapped,
    from: Bound<'a>,
    /// Whether a bad cell may be repeated in a message.
    tell: bool,
}

enum Bound<'a> {
    Column(usize),
    Constant(&'a str),
}

impl<'a> Intake<'a> {
    fn new(mapping: &'a Mapping, keyer: &'a Keyer, wanted: &[&str]) -> Self {
        let find = |column: &str| wanted.binary_search(&column).ok();
        let of = |column: &Option<String>| column.as_deref().and_then(find);
        let personal = mapping.personal_columns();
        let bind = |(name, mapped): (&'a String, &'a Mapped)| {
            let (from, tell) = match &mapped.from {
                From::Column(column) => (Bound::Column(find(column)?), !personal.contains(&column.as_str())),
                From::Constant(value) => (Bound::Constant(value), true),
            };
            Some(BoundField { name, mapped, from, tell })
        };
        let identity = &mapping.identity;
        Self {
            keyer,
            key: if let Key::Column(column) = &mapping.key { find(column) } else { None },
            fields: mapping.fields.iter().filter_map(bind).collect(),
            surname: of(&identity.surname),
            name: of(&identity.name),
            msisdn: of(&identity.msisdn),
            email: of(&identity.email),
            close_contacts: identity.close_contacts.iter().map(|c| (find(&c.name), find(&c.msisdn))).collect(),
        }
    }

    fn read_all(
        &self,
        source: &mut Source,
        writer: &mut SnapshotWriter,
        faults: &mut Faults,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), PopulationError> {
        loop {
            let step = source.step()?;
            if matches!(step, Step::End) {
                return Ok(());
            }
            faults.counts.read += 1;
            match step {
                Step::Row { line } => self.take(line, source, writer, faults)?,
                Step::Broken { line, reason } => {
                    faults.counts.bad_rows += 1;
                    faults.rejected(line, FaultClass::RowWidth, reason)?;
                }
                Step::End => {}
            }
            if faults.counts.read.is_multiple_of(PROGRESS_ROWS) {
                progress(faults.counts.read);
            }
        }
    }

    fn take(
        &self,
        line: u64,
        source: &Source,
        writer: &mut SnapshotWriter,
        faults: &mut Faults,
    ) -> Result<(), PopulationError> {
        let external_id = match self.key {
            Some(at) => source.cell(at).trim().to_owned(),
            None => faults.counts.read.to_string(),
        };
        if external_id.is_empty() {
            faults.counts.bad_rows += 1;
            return faults.rejected(line, FaultClass::NoKey, "the key cell is blank");
        }
        let key = self.keyer.key_of(&external_id);
        let bad_before = faults.counts.bad_cells;
        let mut cells: Vec<Option<Cell<'_>>> = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let text = match field.from {
                Bound::Column(at) => source.cell(at),
                Bound::Constant(value) => value,
            };
            match field.mapped.rule.read(text) {
                Ok(cell) => cells.push(cell),
                Err(fault) => {
                    cells.push(None);
                    faults.bad_cell(line, field.name, field.tell.then_some(text), fault)?;
                }
            }
        }
        let bad = faults.counts.bad_cells > bad_before;
        faults.counts.bad_rows += u64::from(bad);
        let identity = self.identity(key, external_id, source);
        writer.push(Origin { key, line, bad }, &cells, &to_json(&identity)?)
    }

    fn identity(&self, key: CustomerKey, external_id: String, source: &Source) -> Identity {
        let cell = |at: Option<usize>| at.map_or("", |at| source.cell(at).trim());
        let name = cell(self.name);
        let surname = match cell(self.surname) {
            "" => surname_of(name),
            given => given,
        };
        let contact = |(name, msisdn): &(Option<usize>, Option<usize>)| CloseContact {
            name: cell(*name).to_owned(),
            msisdn: cell(*msisdn).to_owned(),
        };
        Identity {
            key,
            external_id,
            surname: surname.to_owned(),
            name: name.to_owned(),
            msisdn: cell(self.msisdn).to_owned(),
            email: cell(self.email).to_owned(),
            close_contacts: self.close_contacts.iter().map(contact).filter(|c| !c.msisdn.is_empty()).collect(),
        }
    }
}
