//! The rules of customer care: what an activity is, what it may do, who is contacted and why not.
//!
//! Everything here is pure: no clock, randomness, file, network, SQL or WebAssembly. Time and ids
//! come in as arguments; the crates around this one read, ask here, and carry out the answer.
//! Rules cite the documents in `ARCHITECTURE.md` (S0–S4) by section.

pub mod approval;
pub mod arbitration;
pub mod audit;
pub mod brake;
pub mod calendar;
pub mod canonical;
pub mod caps;
pub mod catalogue;
pub mod column;
pub mod contact;
pub mod control;
pub mod decide;
pub mod desk;
pub mod diff;
pub mod disaster;
pub mod dispatch;
pub mod displace;
pub mod dsse;
pub mod event;
pub mod evidence;
pub mod export;
pub mod field;
pub mod follow_up;
pub mod gate;
pub mod governance;
pub mod hook;
mod hours;
pub mod identity;
pub mod key;
pub mod manifest;
pub mod need;
pub mod outcome;
pub mod person;
pub mod plan;
pub mod policy;
pub mod policy_version;
pub mod preview;
pub mod ramp;
pub mod region;
pub mod render;
pub mod retention;
pub mod schedule;
pub mod sms;
pub mod standby;
pub mod stats;
pub mod switch;
pub mod task;
pub mod text;
pub mod time;
pub mod variant;
pub mod verdict;
