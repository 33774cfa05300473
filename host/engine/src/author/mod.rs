//! An author's workbench: an activity that nobody has uploaded yet, tried in the real sandbox under the limits that it
//! asks for, on cases of its author or on a whole population. It needs no data folder, writes nothing but machine code
//! into a cache, and prints nothing.

mod ask;
mod case_file;
mod cases;
mod compare;
mod customers;
mod fold;
mod functions;
mod planned;
mod profile;
mod record;
mod simulate;
mod workbench;

pub use ask::{FaultTold, StageCost};
pub use care_sandbox::Place;
pub use case_file::CaseFile;
pub use cases::{CaseRun, Difference, RowResult};
pub use customers::{CustomerSource, Customers, sample_csv};
pub use functions::{FunctionFuel, StageFunctions, Telling};
pub use planned::{Answer, Otherwise, PlannedBatch, Reanswered, Recalled};
pub(crate) use planned::{answers, kept, read_while_deciding};
pub use profile::{StageProfile, Work};
pub use record::{Changed, Recorded, Replayed};
pub use simulate::{Contacted, Simulated, Trial};
pub use workbench::{MessageTold, TableFile, Workbench, Workplace};
