//! Who the customers are: imports, snapshots, batches as columns, the look-up of one customer, made-up
//! populations, reference tables and the files of decision logs. Arrow and Parquet live here and nowhere else.
//!
//! No SQL, no sandbox and no rule of care lives here. Snapshots hold pseudonymous keys only; names and numbers
//! pass through as `Identity` on their way to the identity store and are never kept.

mod arrow_file;
mod durable;
mod error;

pub mod decision_log;
pub mod export;
pub mod generate;
pub mod identity;
pub mod import;
pub mod keyer;
pub mod reference;
pub mod rows;
pub mod snapshot;

#[cfg(test)]
mod tests;

pub use error::PopulationError;
pub use identity::Identities;
pub use keyer::Keyer;
pub use snapshot::{BucketData, Derived, DerivedColumn, Snapshot, SnapshotManifest, derive};
