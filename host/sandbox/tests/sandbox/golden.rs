//! The golden batch: what it makes of guests that answer by the batch, by what was asked before, or not at all.

use crate::support::{COMPOSE, MERGE, OBSERVE, REPORT, SANDBOX, SCHEDULE, SELECT, Wat, dictionary, manifest};
use care_domain::manifest::Limits;
use care_domain::text::Finding;
use care_sandbox::{Sandbox, SandboxConfig, golden};

fn tried(guest: &Wat) -> Vec<Finding> {
    let plugin = SANDBOX.compile(&guest.component()).expect("it compiles");
    golden(&plugin, &manifest(), &dictionary()).expect("a machine that works")
}

fn codes(findings: &[Finding]) -> Vec<(&str, bool)> {
    findings.iter().map(|f| (f.code.as_str(), f.refuses())).collect()
}

/// A list of zeros of 64 entries of so many bytes.
fn zeros(wat: &mut Wat, size: usize) -> u32 {
    wat.put(&vec![0; 64 * size])
}

/// Chooses the first `count` rows of the batch, which `count` leaves on the stack.
fn choosing_the_first(count: &str) -> Wat {
    let mut wat = Wat::new();
    let rows: Vec<u8> = (0..64_u32).flat_map(u32::to_le_bytes).collect();
    let table = wat.text("customers");
    let rows = wat.put(&rows);
    let lists = [zeros(&mut wat, 2), zeros(&mut wat, 8), zeros(&mut wat, 4)];
    let words: Vec<u8> =
        [0, rows, 0, lists[0], 0, lists[1], 0, lists[2], 0].iter().flat_map(|w| w.to_le_bytes()).collect();
    let answer = wat.put(&words);
    let lengths: String =
        (0..4).map(|slot| format!("(i32.store offset={} (i32.const {answer}) (local.get $n))", 8 + slot * 8)).collect();
    let count = count.replace("ROWS", &format!("(call $rows {table})"));
    wat.body(SELECT, format!("(local $n i32) (local.set $n {count}) {lengths} (i32.const {answer})"))
}

/// Useful moments for as many rows as there are.
fn scheduling(mut wat: Wat) -> Wat {
    let list = zeros(&mut wat, 8);
    let words: Vec<u8> = [0, list, 0, list, 0].iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    let answer = wat.put(&words);
    let lengths: String =
        [8, 16].map(|offset| format!("(i32.store offset={offset} (i32.const {answer}) (local.get 1))")).concat();
    wat.body(SCHEDULE, format!("{lengths} (i32.const {answer})"))
}

/// Messages need one slot column each, all empty.
fn silent(mut wat: Wat) -> Wat {
    let offsets = wat.put(&[0; 4]);
    let column: Vec<u8> = [offsets, 1, 0, 0].iter().flat_map(|w| w.to_le_bytes()).collect();
    let columns = wat.put(&column.repeat(4));
    let answer = wat.ok(&[0, 0, 0, 0, columns, 4]);
    wat.body(COMPOSE, answer)
}

#[test]
fn who_chooses_nobody_is_only_warned_about() {
    let findings = tried(&Wat::new());
    assert_eq!(codes(&findings), [("golden-nobody", false)]);
}

#[test]
fn who_chooses_everybody_is_only_warned_about() {
    let findings = tried(&silent(scheduling(choosing_the_first("ROWS"))));
    assert_eq!(codes(&findings), [("golden-everybody", false)], "{findings:#?}");
}

#[test]
fn who_goes_by_the_place_in_the_batch_depends_on_it() {
    let findings = tried(&silent(scheduling(choosing_the_first("(i32.const 1)"))));
    assert_eq!(codes(&findings), [("batch-dependent", true)], "{findings:#?}");
    assert!(findings[0].message.contains("halves of the batch"), "{}", findings[0]);
}

#[test]
fn who_remembers_what_was_asked_before_leaks_state() {
    let mut guest = silent(scheduling(choosing_the_first(
        "(if (result i32) (global.get $asked) (then ROWS) (else (global.set $asked (i32.const 1)) (i32.const 0)))",
    )));
    guest.fields = "(global $asked (mut i32) (i32.const 0))".into();
    let findings = tried(&guest);
    assert_eq!(codes(&findings), [("state-leak", true), ("golden-nobody", false)], "{findings:#?}");
}

#[test]
fn a_fault_on_plausible_data_refuses_in_each_stage_that_has_one() {
    let findings = tried(&Wat::new().body(SELECT, "unreachable").body(OBSERVE, "unreachable"));
    assert_eq!(codes(&findings), [("golden-fault", true); 2]);
    assert!(
        findings[0].message.starts_with("select breaks") && findings[0].message.contains("trap"),
        "{}",
        findings[0]
    );
    assert!(findings[1].message.starts_with("observe"), "{}", findings[1]);
    // Everybody is chosen, and nobody given a moment.
    let findings = tried(&choosing_the_first("ROWS"));
    assert_eq!(codes(&findings), [("golden-everybody", false), ("golden-fault", true)]);
    assert!(findings[1].message.contains("invalid-output"), "{}", findings[1]);
}

#[test]
fn who_refuses_in_words_may_know_better() {
    let mut wat = Wat::new();
    let text = wat.put(b"no such calendar");
    let refusal: Vec<u8> = [1, text, 16].iter().flat_map(|w| w.to_le_bytes()).collect();
    let refusal = wat.put(&refusal);
    let findings = tried(&wat.body(SELECT, format!("(i32.const {refusal})")));
    assert_eq!(codes(&findings), [("golden-fault", false)]);
    assert!(findings[0].message.contains("no such calendar"), "{}", findings[0]);
}

#[test]
fn a_guest_that_outlives_the_clock_asks_for_too_much() {
    let hasty = Sandbox::new(SandboxConfig { deadline_ticks: 3, traces: false }).expect("a sandbox");
    let endless = Wat::new().body(SELECT, "(loop $again (br $again)) unreachable");
    let mut manifest = manifest();
    manifest.limits = Limits { fuel_base: u64::MAX, ..Limits::default() };
    let plugin = hasty.compile(&endless.component()).expect("it compiles");
    let findings = golden(&plugin, &manifest, &dictionary()).expect("a machine that works");
    assert_eq!(codes(&findings), [("golden-limit", true)]);
}

#[test]
fn a_fold_that_loses_what_it_merges_depends_on_the_batch() {
    let mut wat = Wat::new();
    let table = wat.text("outcomes");
    let name = wat.put(b"goal");
    let metric: Vec<u8> = [name, 4, 0, 0, 1, 0, 64, 0, 0, 0, 0, 0, 0, 0].iter().flat_map(|w| w.to_le_bytes()).collect();
    let metric = wat.put(&metric);
    let one = wat.ok(&[metric, 1]);
    let state = wat.put(&[0; 12]);
    let bytes = zeros(&mut wat, 1);
    let answer = |length: &str| {
        format!(
            "(i32.store offset=4 (i32.const {state}) (i32.const {bytes}))
            (i32.store offset=8 (i32.const {state}) {length}) (i32.const {state})"
        )
    };
    let observe = answer(&format!("(call $rows {table})"));
    let report =
        format!("(if (result i32) (i32.eq (local.get 1) (i32.const 64)) (then {one}) (else (i32.const 1024)))");
    let guest = wat.body(OBSERVE, observe).body(MERGE, answer("(local.get 1)")).body(REPORT, report);
    let findings = tried(&guest);
    assert_eq!(codes(&findings), [("golden-nobody", false), ("batch-dependent", true)], "{findings:#?}");
    assert!(findings[1].message.contains("merged"), "{}", findings[1]);
}

#[test]
fn machine_code_belongs_to_one_engine_and_every_engine_of_this_build_is_the_same() {
    let other = Sandbox::new(SandboxConfig { deadline_ticks: 7, traces: false }).expect("a sandbox");
    assert_eq!(other.code_id(), SANDBOX.code_id(), "deadlines are no matter of code");
    assert_eq!(SANDBOX.code_id().len(), 64);
    let code = SANDBOX.precompile(&Wat::new().component()).expect("it compiles");
    assert!(other.load(&code).is_ok());
}
