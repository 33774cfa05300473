//! Stories told with the real program and really built plugins, as people and other systems use them.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod api_access_story;
mod api_fuzz_story;
mod api_habits_story;
mod api_rules_story;
mod api_story;
mod author_guide;
mod author_languages;
mod author_plan_story;
mod author_sdks;
mod author_story;
mod bad_input;
mod bad_plugins;
mod care;
mod crash_loop;
mod effect_story;
mod event_story;
mod fault_story;
mod gate_story;
mod http;
mod kill_story;
mod learnt_story;
mod loop_story;
mod message_story;
mod operate_story;
mod plugins_story;
mod policy_story;
mod recorder;
mod serve_story;
mod task_story;
mod telco;
mod why_story;
