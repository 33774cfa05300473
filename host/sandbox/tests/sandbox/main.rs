//! Stories about guests that behave and guests that do not.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod answers;
mod corpus;
mod folds;
mod gate;
mod golden;
mod running;
mod support;
mod versions;
