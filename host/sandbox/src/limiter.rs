//! How much memory a guest may take: a growth beyond it ends the call, whatever the guest would have made of `-1`,
//! so that the same guest with the same input always meets the same end.

use crate::fault::{Broken, Fault, FaultCode, MachineError};
use wasmtime::ResourceLimiter;

/// Table entries of all tables together; a Python guest has some ten thousand functions.
const MAX_TABLE_ENTRIES: usize = 1_000_000;
/// A component is made of core instances, memories and tables; a Python guest of some dozens.
pub(crate) const MAX_PARTS: usize = 1_000;

/// Counts what all memories and tables of a store take together.
pub(crate) struct Limiter {
    memory_mib: u32,
    memory_bytes: usize,
    table_entries: usize,
}

impl Limiter {
    pub(crate) fn new(memory_mib: u32) -> Self {
        Self { memory_mib, memory_bytes: 0, table_entries: 0 }
    }

    /// What its memories have by now.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > (self.memory_mib as usize) << 20 {
            let message =
                format!("it asks for {} MiB of memory and was granted {}", total.div_ceil(1 << 20), self.memory_mib);
            return Err(wasmtime::Error::new(Broken::Fault(Fault::new(FaultCode::Memory, message))));
        }
        // Beyond the guest's own maximum the answer is its own: -1.
        let allowed = maximum.is_none_or(|maximum| desired <= maximum);
        if allowed {
            self.memory_bytes = total;
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(Broken::Machine(MachineError::NoMemory(error.into()))))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_entries.saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ENTRIES {
            let message = format!("it asks for {total} table entries, more than {MAX_TABLE_ENTRIES}");
            return Err(wasmtime::Error::new(Broken::Fault(Fault::new(FaultCode::Memory, message))));
        }
        let allowed = maximum.is_none_or(|maximum| desired <= maximum);
        if allowed {
            self.table_entries = total;
        }
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_PARTS
    }
}
