//! Stories over whole imports and populations.

mod files;
mod generated;
mod importing;
mod snapshots;
mod telco;

pub(crate) use files::dictionary;
