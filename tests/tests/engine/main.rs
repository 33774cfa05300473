//! The engine as a library, with the really built plugins: what a plan promises, whatever interrupts it.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod all_at_once;
mod capacity_story;
mod carry_story;
mod channels;
mod close_contacts_story;
mod cron_story;
mod desk_activities_story;
mod desk_story;
mod dispatch_story;
mod event_desk_story;
mod event_limits;
mod event_story;
mod evidence_story;
mod fault_story;
mod figures;
mod follow_up_story;
mod gate_story;
mod halt_story;
mod loop_back_story;
mod machine_code_story;
mod mail_and_hooks_story;
mod model_story;
mod peers;
mod plan_inputs_story;
mod policy_story;
mod policy_versions_story;
mod resume_story;
mod retention_story;
mod same_bytes;
mod sms_story;
mod standby_story;
mod stop_and_resume;
mod support;
mod tampering_story;
mod touchpoint_story;
mod two_at_once;
mod two_contracts_story;
mod variant_story;
#[path = "../../../host/sandbox/tests/sandbox/support.rs"]
#[allow(dead_code, reason = "the sandbox's own tests use the rest")]
mod wat_guest;
mod wenchuan_story;
mod whole_gate_story;
mod wishes_story;
