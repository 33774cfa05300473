//! What may be typed about customers, reference tables and named lists.

use super::{date, share};
use clap::Subcommand;
use std::path::PathBuf;

/// The business date of made-up populations: every activity has targets on it.
const DEFAULT_DATE: &str = "2026-07-29";

#[derive(Debug, Subcommand)]
pub(crate) enum PopulationCommand {
    /// Import a CSV or Parquet file by a mapping.
    Import {
        /// The file.
        file: PathBuf,
        /// The mapping: which column fills which field (see examples/).
        #[arg(long, value_name = "FILE")]
        mapping: PathBuf,
        /// The date that the values speak of.
        #[arg(long, value_parser = date, default_value = DEFAULT_DATE, value_name = "YYYY-MM-DD")]
        date: i32,
        /// Refuse the file when more rows than this are bad: 1%, or 0.01.
        #[arg(long, value_parser = share, value_name = "SHARE")]
        max_bad: Option<f64>,
    },
    /// Make up a population, for trials: the same seed gives the same people.
    Generate {
        /// How many customers.
        #[arg(long, default_value_t = 10_000, value_name = "N")]
        customers: u64,
        /// The seed.
        #[arg(long, default_value_t = 1, value_name = "S")]
        seed: u64,
        /// The date that the values speak of.
        #[arg(long, value_parser = date, default_value = DEFAULT_DATE, value_name = "YYYY-MM-DD")]
        date: i32,
    },
    /// Show the snapshots, one of them, or one customer in it.
    Show {
        /// The snapshot, by the beginning of its id.
        snapshot: Option<String>,
        /// One customer: the operator's id or a key. Names and numbers are not shown.
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TableCommand {
    /// Import a reference table from CSV; plans from now on read it.
    Import {
        /// The name under which plugins read it.
        name: String,
        /// The CSV file.
        file: PathBuf,
        /// TOML: `[fields]` with a type for each column.
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
    },
    /// Show the tables.
    Show,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Import numbers, one a line; plugins read it as field `list.NAME`.
    Import {
        /// Name of the list.
        name: String,
        /// The file.
        file: PathBuf,
        /// Who answers for it.
        #[arg(long)]
        owner: String,
        /// Last date on which it may be used.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        expires: i32,
    },
    /// Show the lists.
    Show,
}
