//! The console in a real browser: Debian's Chromium, driven by WebDriver, finds what is on a page as a person does, by its
//! words. Every page that a story comes by is photographed and checked (`looks.rs`).
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod browser;
#[path = "../cli/care.rs"]
#[allow(dead_code, reason = "the other stories use the rest")]
mod care;
#[path = "../cli/described.rs"]
mod described;
mod driver;
#[path = "../cli/http.rs"]
#[allow(dead_code, reason = "the other stories use the rest")]
mod http;
mod keyboard_story;
mod looks;
mod story;
