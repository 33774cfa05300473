//! Guests that mean harm and files that are none of ours: each ends in a named fault or finding, and the host goes on.
//! The guests themselves lie in `tests/hostile/`, one file each; what is made by the thousand is made here.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod every_row;
mod foreign;
mod fuzz;
mod good;
mod guests;
#[path = "../engine/support.rs"]
#[allow(dead_code, reason = "the stories of the engine use the rest")]
mod installation;
mod memory;
mod oversized;
#[path = "../../../host/sandbox/tests/sandbox/support.rs"]
#[allow(dead_code, reason = "the sandbox's own tests use the rest")]
mod wat_guest;
