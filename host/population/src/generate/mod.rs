//! Made-up populations for demonstrations, load tests and tests of activities: plausible together, the same for
//! the same seed, and nobody real. Customer i depends on the seed and i alone.

mod customer;
mod dice;
mod person;
mod places;
mod sample;

use crate::error::PopulationError;
use crate::identity::{Identities, IdentitySpool, to_json};
use crate::keyer::Keyer;
use crate::snapshot::{About, Counts, Origin, SnapshotWriter};
use care_domain::field::{Dictionary, FieldType};
use care_domain::text::Finding;
use customer::{Customer, FIELDS};
use dice::Dice;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use sample::write_csv;

/// More would run out of made-up numbers.
pub const MAX_CUSTOMERS: u64 = 99_999_999;
/// Sets the dice of later fields apart from those of the first.
const MORE: u64 = 0x6d6f_7265_2064_6963;
/// How often progress is told, in customers.
const PROGRESS_ROWS: u64 = 10_000;

/// Which population to make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateOptions {
    /// How many customers, 1 to `MAX_CUSTOMERS`.
    pub customers: u64,
    /// Another seed gives other people.
    pub seed: u64,
    /// The date its values speak of, days since 1970-01-01.
    pub business_date: i32,
}

/// A made-up population.
#[derive(Debug)]
pub struct Generated {
    /// The snapshot's id.
    pub id: String,
    /// The snapshot's folder.
    pub folder: PathBuf,
    /// Customers in it.
    pub rows: u64,
    /// Who the customers are, in the order of keys.
    pub identities: Identities,
}

/// Makes up a population and writes its snapshot to `<out_root>/<id>`. `progress` is told the customers so far.
pub fn generate(
    options: GenerateOptions,
    keyer: &Keyer,
    dictionary: &Dictionary,
    out_root: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<Generated, PopulationError> {
    let GenerateOptions { customers, seed, business_date } = options;
    if !(1..=MAX_CUSTOMERS).contains(&customers) {
        let message = format!("cannot make up {customers} customers");
        return Err(PopulationError::refused("customers", message, format!("Ask for 1 to {MAX_CUSTOMERS}")));
    }
    let mut writer = SnapshotWriter::new(out_root, checked_fields(dictionary)?)?;
    for number in 0..customers {
        let mut dice = Dice::new(seed, number);
        let mut more = Dice::new(seed ^ MORE, number);
        let customer = Customer::draw(number, business_date, &mut dice, &mut more);
        let identity = person::draw(number, customer.close_contacts, keyer, &mut dice);
        let origin = Origin { key: identity.key, line: number + 1, bad: false };
        writer.push(origin, &customer.cells(), &to_json(&identity)?)?;
        if (number + 1).is_multiple_of(PROGRESS_ROWS) {
            progress(number + 1);
        }
    }
    let mut spool = IdentitySpool::new(out_root)?;
    // Two ids with one key would need a collision of 128 bits of the hash.
    let draft = writer.finish(&mut spool, |_| Ok(()))?;
    let rows = draft.rows();
    let source = format!("generated: {customers} customers, seed {seed}");
    let counts = Counts { read: customers, ..Counts::default() };
    let (id, folder) = draft.seal(out_root, &About { source: &source, business_date, counts })?;
    progress(customers);
    Ok(Generated { id, folder, rows, identities: spool.finish()? })
}

/// The fields that are made up, if the dictionary knows them all with the same types.
fn checked_fields(dictionary: &Dictionary) -> Result<BTreeMap<String, FieldType>, PopulationError> {
    let mut findings = Vec::new();
    for (name, ty) in FIELDS {
        if dictionary.fields.get(name).is_none_or(|field| field.ty != ty) {
            let message = format!("the dictionary has no field {name} of type {}", ty.name());
            findings.push(Finding::error("unknown-field", message, "Use the dictionary in examples/fields.toml"));
        }
    }
    if !findings.is_empty() {
        return Err(PopulationError::Refused(findings));
    }
    Ok(FIELDS.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect())
}
