//! What guests use: for their authors, who are told what their code costs.

use serde::{Deserialize, Serialize};

/// What the calls of a guest used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Calls of its exports.
    pub calls: u64,
    /// Rows of all those calls; a fold's state counts as rows too.
    pub rows: u64,
    /// Fuel, starting the guest included.
    pub fuel: u64,
    /// The most linear memory that one of its stores had, in bytes.
    pub memory_bytes: u64,
}

impl Usage {
    /// Adds what further calls used.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.rows += other.rows;
        self.fuel = self.fuel.saturating_add(other.fuel);
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
    }
}
