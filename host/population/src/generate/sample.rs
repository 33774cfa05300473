//! A made-up population as a file that people can read and change: for authors who try an activity.

use super::{Customer, Dice, GenerateOptions, MAX_CUSTOMERS, MORE, checked_fields};
use crate::error::PopulationError;
use crate::snapshot::Cell;
use care_domain::field::{Dictionary, FieldType};
use care_domain::time;
use std::io::Write;
use std::path::Path;

/// The column of made-up ids.
const ID: &str = "customer";

/// Writes a population as CSV: a made-up id and the fields of the dictionary by their names, money in fen; no name and
/// no number of anybody. The same options give the same customers as a snapshot of them has.
pub fn write_csv(options: GenerateOptions, dictionary: &Dictionary, to: &mut dyn Write) -> Result<(), PopulationError> {
    let GenerateOptions { customers, seed, business_date } = options;
    if !(1..=MAX_CUSTOMERS).contains(&customers) {
        let message = format!("cannot make up {customers} customers");
        return Err(PopulationError::refused("customers", message, format!("Ask for 1 to {MAX_CUSTOMERS}")));
    }
    let fields = checked_fields(dictionary)?;
    let failed = |e: csv::Error| PopulationError::io("write", Path::new("the sample"))(e.into());
    let mut file = csv::Writer::from_writer(to);
    file.write_record([ID].into_iter().chain(fields.keys().map(String::as_str))).map_err(failed)?;
    for number in 0..customers {
        let mut dice = Dice::new(seed, number);
        let mut more = Dice::new(seed ^ MORE, number);
        let customer = Customer::draw(number, business_date, &mut dice, &mut more);
        let cells = customer.cells();
        let cells = fields.values().zip(&cells).map(|(ty, cell)| cell.map_or(String::new(), |cell| written(*ty, cell)));
        file.write_record([format!("sample-{:06}", number + 1)].into_iter().chain(cells)).map_err(failed)?;
    }
    file.flush().map_err(PopulationError::io("write", Path::new("the sample")))
}

/// A cell in the notation that an import without a mapping reads.
fn written(ty: FieldType, cell: Cell<'_>) -> String {
    match (cell, ty) {
        (Cell::Text(text), _) => text.to_owned(),
        (Cell::Ratio(ratio), _) => ratio.to_string(),
        (Cell::Whole(days), FieldType::Date) => i32::try_from(days).map_or_else(|_| String::new(), time::write_date),
        (Cell::Whole(ms), FieldType::Instant) => time::write_instant(ms),
        (Cell::Whole(yes), FieldType::Boolean) => if yes == 1 { "yes" } else { "no" }.to_owned(),
        (Cell::Whole(number), _) => number.to_string(),
    }
}
