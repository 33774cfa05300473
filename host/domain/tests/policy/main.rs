//! The contact policy told in stories: one for each rule of domain.md sections 8 to 10.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod competing;
mod displacing;
mod further;
mod screening;
mod support;
