//! What a guest may do while it runs, and what ends it.

use crate::support::{COMPOSE, SANDBOX, SCHEDULE, SELECT, Wat, customers, facts, grants};
use care_domain::column::Table;
use care_domain::field::Stage;
use care_domain::manifest::Limits;
use care_sandbox::{Broken, Fault, FaultCode, Guest, MAX_MESSAGE_CHARS, MachineError, Plugin, Sandbox, SandboxConfig};
use std::sync::Arc;

/// The real thing in miniature: reads balances and gaps, and chooses those known to be under 10 yuan.
fn low_balance() -> Wat {
    let mut guest = Wat::new();
    let (customers, balance) = (guest.text("customers"), guest.text("balance"));
    let values = guest.put(&[0; 8]);
    let present = guest.put(&[0; 8]);
    let answer = guest.put(&[0; 36]);
    let list = |slot: u32, size: u32| {
        format!(
            "(i32.store offset={} (i32.const {answer}) (call $alloc (i32.mul (local.get $n) (i32.const {size}))))",
            4 + slot * 8
        )
    };
    let lengths: String =
        (0..4).map(|slot| format!("(i32.store offset={} (i32.const {answer}) (local.get $k))", 8 + slot * 8)).collect();
    let at = |slot: u32, size: u32| {
        format!(
            "(i32.add (i32.load offset={} (i32.const {answer})) (i32.mul (local.get $k) (i32.const {size})))",
            4 + slot * 8
        )
    };
    let body = format!(
        "(local $n i32) (local $i i32) (local $k i32) (local $values i32) (local $present i32) (local $gaps i32)
        (call $s64s {customers} {balance} (i32.const {values}))
        (call $present {customers} {balance} (i32.const {present}))
        (local.set $values (i32.load (i32.const {values})))
        (local.set $n (i32.load offset=4 (i32.const {values})))
        (local.set $present (i32.load (i32.const {present})))
        (local.set $gaps (i32.load offset=4 (i32.const {present})))
        {} {} {} {}
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
            (block $skip
                (br_if $skip (i64.ge_s (i64.load (i32.add (local.get $values) (i32.mul (local.get $i) (i32.const 8)))) (i64.const 1000)))
                (if (local.get $gaps) (then
                    (br_if $skip (i32.eqz (i32.and (i32.const 1) (i32.shr_u
                        (i32.load8_u (i32.add (local.get $present) (i32.shr_u (local.get $i) (i32.const 3))))
                        (i32.and (local.get $i) (i32.const 7))))))))
                (i32.store {} (local.get $i))
                (i32.store16 {} (i32.const 0))
                (i64.store {} (i64.extend_i32_s (call $today)))
                (f32.store {} (f32.const 0.5))
                (local.set $k (i32.add (local.get $k) (i32.const 1))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
        {lengths}
        (i32.const {answer})",
        list(0, 4), list(1, 2), list(2, 8), list(3, 4), at(0, 4), at(1, 2), at(2, 8), at(3, 4)
    );
    guest.body(SELECT, body)
}

fn fault_of<T: std::fmt::Debug>(answer: Result<T, Broken>) -> Fault {
    match answer {
        Err(Broken::Fault(fault)) => fault,
        other => panic!("no fault of the guest: {other:?}"),
    }
}

fn select_fault(guest: &Wat) -> Fault {
    fault_of(guest.guest(Stage::Select).select(customers(10)))
}

#[test]
fn a_guest_reads_columns_with_their_gaps_and_chooses_rows() {
    let mut guest = low_balance().guest(Stage::Select);
    let chosen = guest.select(customers(20)).expect("an answer");
    assert_eq!(chosen.rows, [0, 1, 2, 3, 5, 6, 7, 8], "4 and 9 have no balance, 10 has 10 yuan");
    assert_eq!(chosen.occasions, [20_780; 8]);
    assert_eq!((chosen.reasons.len(), chosen.scores[0]), (8, 0.5));
}

#[test]
fn a_slice_of_a_column_reads_as_what_it_is() {
    let whole = customers(32);
    let columns = whole.columns.iter().map(|(name, column)| (name.clone(), column.slice(8..16))).collect();
    let chosen = low_balance().guest(Stage::Select).select(Table { rows: 8, columns }).expect("an answer");
    assert_eq!(chosen.rows, [0], "row 8 of the whole has 8 yuan; row 9 has no balance");
}

#[test]
fn a_warm_guest_a_fresh_one_and_one_after_a_fault_answer_alike() {
    let wat = low_balance();
    let plugin = SANDBOX.compile(&wat.component()).expect("it compiles");
    let mut warm = plugin.guest(Stage::Select, facts(), grants());
    let first = warm.select(customers(100)).expect("an answer");
    for rows in [0, 1, 100] {
        let fresh = plugin.guest(Stage::Select, facts(), grants()).select(customers(rows)).expect("an answer");
        assert_eq!(warm.select(customers(rows)).expect("an answer"), fresh);
    }
    let mut poor = grants();
    poor.limits = Limits { fuel_base: 20_000, fuel_per_row: 10, memory_mib: 1 };
    let mut guest = plugin.guest(Stage::Select, facts(), poor);
    assert_eq!(fault_of(guest.select(customers(2_000))).code, FaultCode::FuelExhausted);
    assert_eq!(guest.select(customers(100)).expect("a new store"), first);
}

#[test]
fn plugins_and_guests_move_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    fn moved<T: Send>(_: &T) {}
    let plugin: Plugin = SANDBOX.compile(&low_balance().component()).expect("it compiles");
    let guest: Guest = plugin.guest(Stage::Select, facts(), grants());
    shared(&plugin);
    shared(&*SANDBOX);
    moved(&guest);
}

#[test]
fn an_endless_loop_ends_when_its_fuel_does_at_the_same_point_every_time() {
    let guest = Wat::new().body(SELECT, "(loop $again (br $again)) unreachable");
    let fault = select_fault(&guest);
    assert_eq!(fault.code, FaultCode::FuelExhausted);
    assert_eq!(fault, select_fault(&guest));
}

#[test]
fn more_rows_bring_more_fuel() {
    let per_row = "(local $i i32) (local $n i32)
        (local.set $n (i32.mul (i32.const 1000) (call $rows TABLE)))
        (loop $next (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (i32.const 1024)";
    let mut wat = Wat::new();
    let table = wat.text("customers");
    let wat = wat.body(SELECT, per_row.replace("TABLE", &table));
    let run = |fuel_per_row, rows| {
        let mut grants = grants();
        grants.limits = Limits { fuel_base: 10_000, fuel_per_row, memory_mib: 8 };
        wat.guest_with(Stage::Select, grants).select(customers(rows))
    };
    assert!(run(10_000, 10).is_ok() && run(10_000, 1_000).is_ok());
    assert_eq!(fault_of(run(1_000, 1_000)).code, FaultCode::FuelExhausted);
}

#[test]
fn a_call_that_outlives_the_wall_clock_blames_the_machine() {
    let hasty = Sandbox::new(SandboxConfig { deadline_ticks: 3, traces: false }).expect("a sandbox");
    let wat = Wat::new().body(SELECT, "(loop $again (br $again)) unreachable");
    let mut grants = grants();
    grants.limits.fuel_base = u64::MAX;
    let mut guest = hasty.compile(&wat.component()).expect("it compiles").guest(Stage::Select, facts(), grants);
    let broken = guest.select(customers(1));
    assert!(matches!(broken, Err(Broken::Machine(MachineError::Deadline { .. }))), "{broken:?}");
}

#[test]
fn a_trap_is_a_fault_that_says_what_happened() {
    let fault = select_fault(&Wat::new().body(SELECT, "unreachable"));
    assert_eq!(fault.code, FaultCode::Trap);
    assert!(fault.message.contains("unreachable"), "{fault}");
    let fault = select_fault(&Wat::new().body(SELECT, "(i32.div_u (i32.const 1) (i32.const 0))"));
    assert!(fault.message.contains("divide by zero"), "{fault}");
}

#[test]
fn a_start_function_is_bounded_too() {
    let mut endless = Wat::new();
    endless.fields = "(func $spin (loop $again (br $again))) (start $spin)".into();
    assert_eq!(select_fault(&endless).code, FaultCode::FuelExhausted);
    let mut broken = Wat::new();
    broken.fields = "(func $die unreachable) (start $die)".into();
    assert_eq!(select_fault(&broken).code, FaultCode::Trap);
}

#[test]
fn memory_beyond_the_grant_is_refused_whatever_the_guest_makes_of_it() {
    // It ignores that growing failed, and would go on as if nothing had happened.
    let fault = select_fault(&Wat::new().body(SELECT, "(drop (memory.grow (i32.const 2000))) (i32.const 1024)"));
    assert_eq!(fault.code, FaultCode::Memory);
    assert!(fault.message.contains("64"), "{fault}");
    let mut large = Wat::new();
    large.extra_pages = 2_000;
    assert_eq!(select_fault(&large).code, FaultCode::Memory, "before the first instruction");
    let mut two = Wat::new();
    two.fields = "(memory 600)".into();
    two.extra_pages = 600;
    assert_eq!(select_fault(&two).code, FaultCode::Memory, "memories count together");
    let mut table = Wat::new();
    table.fields = "(table 2000000 funcref)".into();
    assert_eq!(select_fault(&table).code, FaultCode::Memory, "tables are bounded");
    let mut bounded = Wat::new();
    bounded.fields = "(memory $small 1 1)".into();
    let body = "(if (i32.ne (i32.const -1) (memory.grow $small (i32.const 1))) (then unreachable)) (i32.const 1024)";
    assert!(
        bounded.body(SELECT, body).guest(Stage::Select).select(customers(1)).is_ok(),
        "its own maximum is its own business"
    );
}

#[test]
fn what_the_manifest_does_not_name_for_the_stage_cannot_be_read() {
    let read = |stage: Stage, function: &str, table: &str, field: &str| {
        let mut wat = Wat::new();
        let (table, field) = (wat.text(table), wat.text(field));
        let at = wat.put(&[0; 16]);
        let body = format!("(call ${function} {table} {field} (i32.const {at})) (i32.const 1024)");
        let wat = wat.body(SELECT, body.clone()).body(SCHEDULE, body);
        let mut guest = wat.guest(stage);
        match stage {
            Stage::Schedule => guest.schedule(customers(0), &[]).map(|_| ()),
            _ => guest.select(customers(10)).map(|_| ()),
        }
    };
    for (function, table, field) in [
        ("s64s", "customers", "balance"),
        ("present", "customers", "balance"),
        ("s32s", "customers", "tenure"),
        ("codes", "customers", "brand"),
        ("categories", "customers", "brand"),
        ("texts-of", "customers", "town"),
        ("texts-of", "tariffs", "key"),
        ("s64s", "tariffs", "price"),
    ] {
        read(Stage::Select, function, table, field).unwrap_or_else(|e| panic!("{function} {field}: {e}"));
    }
    for (stage, table, field) in [
        (Stage::Select, "customers", "points"),
        (Stage::Select, "customers", "phone"),
        (Stage::Select, "outcomes", "balance"),
        (Stage::Select, "tariffs", "margin"),
        (Stage::Select, "staff", "name"),
        (Stage::Schedule, "customers", "balance"),
    ] {
        let fault = fault_of(read(stage, "s64s", table, field));
        assert_eq!(fault.code, FaultCode::FieldNotGranted);
        assert!([stage.name(), table, field].iter().all(|word| fault.message.contains(word)), "{fault}");
    }
    for (function, field) in [
        ("s32s", "balance"),
        ("f64s", "balance"),
        ("booleans", "tenure"),
        ("codes", "town"),
        ("texts-of", "brand"),
        ("categories", "town"),
    ] {
        let fault = fault_of(read(Stage::Select, function, "customers", field));
        assert_eq!(fault.code, FaultCode::WrongType);
        assert!(fault.message.contains(function) && fault.message.contains(field), "{fault}");
    }
}

#[test]
fn a_granted_column_that_the_engine_left_out_is_not_the_guests_fault() {
    let mut batch = customers(10);
    batch.columns.remove("balance");
    let broken = low_balance().guest(Stage::Select).select(batch);
    assert!(
        matches!(&broken, Err(Broken::Machine(MachineError::NotSupplied { field, .. })) if field == "balance"),
        "{broken:?}"
    );
}

#[test]
fn a_guest_cannot_make_the_host_copy_without_end() {
    let mut wat = Wat::new();
    let (customers_text, balance) = (wat.text("customers"), wat.text("balance"));
    let at = wat.put(&[0; 8]);
    // It takes each copy into the same place, so that memory never runs out.
    let body = format!(
        "(local $heap i32) (local.set $heap (global.get $heap))
        (loop $again (global.set $heap (local.get $heap)) (call $s64s {customers_text} {balance} (i32.const {at})) (br $again)) unreachable"
    );
    let fault = fault_of(wat.body(SELECT, body).guest(Stage::Select).select(customers(8_192)));
    assert_eq!(fault.code, FaultCode::TooMuchTraffic);
    let loud =
        Wat::new().body(SELECT, "(loop $again (call $log (i32.const 0) (i32.const 65000)) (br $again)) unreachable");
    assert_eq!(select_fault(&loud).code, FaultCode::TooMuchTraffic);
}

#[test]
fn a_pointer_outside_of_memory_hurts_only_the_guest() {
    let mut wat = Wat::new();
    let wild = wat.ok(&[0xffff_0000, 8, 0, 0, 0, 0, 0, 0]);
    let fault = select_fault(&wat.body(SELECT, wild));
    assert_eq!(fault.code, FaultCode::Trap);
    assert!(fault.message.contains("bounds"), "{fault}");
    let realloc = "(call $log (i32.const -8) (i32.const 4)) (i32.const 1024)";
    assert_eq!(select_fault(&Wat::new().body(SELECT, realloc)).code, FaultCode::Trap);
}

#[test]
fn a_guest_may_refuse_in_a_few_words() {
    let mut wat = Wat::new();
    let words = "余额表不可用".repeat(200);
    let text = wat.put(words.as_bytes());
    let refusal: Vec<u8> = [1, text, words.len() as u32].iter().flat_map(|w| w.to_le_bytes()).collect();
    let refusal = wat.put(&refusal);
    let fault = select_fault(&wat.body(SELECT, format!("(i32.const {refusal})")));
    assert_eq!(fault.code, FaultCode::Refused);
    assert!(fault.message.starts_with("余额表不可用"));
    assert_eq!(fault.message.chars().count(), MAX_MESSAGE_CHARS);
}

#[test]
fn the_author_reads_the_first_hundred_lines_even_after_a_fault() {
    let mut wat = Wat::new();
    let line = wat.text(&"x".repeat(600));
    let body = format!(
        "(local $i i32) (loop $next (call $log {line}) (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60)))) unreachable"
    );
    let mut guest = wat.body(SELECT, body).guest(Stage::Select);
    assert_eq!(guest.log().len(), 0);
    fault_of(guest.select(customers(1)));
    assert_eq!(guest.log().len(), 60);
    fault_of(guest.select(customers(1)));
    assert_eq!(guest.log().len(), 100);
    assert!(guest.log().iter().all(|line| line.len() == 500));
}

#[test]
fn a_guest_serves_the_stage_it_was_made_for() {
    let mut guest = Wat::new().body(COMPOSE, "unreachable").guest(Stage::Select);
    let wrong = [guest.compose(customers(0), &[]).map(|_| ()), guest.schedule(customers(0), &[]).map(|_| ())];
    for answer in wrong {
        assert!(matches!(answer, Err(Broken::Machine(MachineError::Misuse(_)))), "{answer:?}");
    }
    let mut scheduler = Wat::new().guest(Stage::Schedule);
    let short = scheduler.schedule(customers(3), &[0]);
    assert!(matches!(short, Err(Broken::Machine(MachineError::Misuse(_)))), "{short:?}");
}

#[test]
fn parameters_and_the_runs_instant_arrive_as_they_are() {
    let mut wat = Wat::new();
    let at = wat.put(&[0; 8]);
    let body = format!(
        "(call $params (i32.const {at}))
        (call $log (i32.load (i32.const {at})) (i32.load offset=4 (i32.const {at})))
        (if (i64.ne (call $now) (i64.const 1795400000000)) (then unreachable))
        (i32.const 1024)"
    );
    let mut guest = wat.body(SELECT, body).guest(Stage::Select);
    guest.select(customers(1)).expect("an answer");
    assert_eq!(guest.log(), [r#"{"floor":500}"#]);
    assert_eq!(Arc::strong_count(&facts().params), 1);
}
