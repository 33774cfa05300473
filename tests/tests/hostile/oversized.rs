//! Files whose size is the weapon, made here since nobody would want to read them: each is refused at once, by name.

use crate::memory::Resident;
use crate::wat_guest::{self, SANDBOX, Wat, dictionary, facts, grants, manifest_json, plugin};
use care_domain::field::Stage;
use care_sandbox::{Broken, inspect, package};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What the gate may take for any of them.
const AT_ONCE: Duration = Duration::from_secs(5);

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's own text parses")
}

/// The gate refuses it by name, quickly.
#[allow(clippy::disallowed_methods, reason = "the test is about how long the gate takes")]
fn refused(bytes: &[u8], code: &str) {
    let begin = Instant::now();
    let report = inspect(bytes, &dictionary());
    let taken = begin.elapsed();
    let codes: Vec<&str> = report.findings.iter().map(|f| f.code.as_str()).collect();
    assert!(!report.accepted && codes.contains(&code), "not {code} but {:?}", report.findings);
    assert!(taken < AT_ONCE, "{code} took {taken:?}");
    let length: usize = report.findings.iter().map(|f| f.message.len() + f.hint.len()).sum();
    assert!(length < 20_000, "what is said of {code} has {length} bytes");
}

/// A guest with one function of so many bytes of code.
fn with_function(bytes: usize) -> Wat {
    let mut wat = Wat::new();
    // Four bytes each time.
    wat.fields = format!("(func (param i32) {})", "(local.set 0 (local.get 0))".repeat(bytes / 4));
    wat
}

/// A component in which each of `levels` components instantiates the one before it ten times.
fn tenfold(levels: usize) -> Vec<u8> {
    let mut text = "(component (component $c0)".to_owned();
    for level in 1..=levels {
        let ten = format!("(instance (instantiate $c{})) ", level - 1).repeat(10);
        write!(text, "(component $c{level} {ten})").expect("a string takes everything");
    }
    write!(text, "(instance (instantiate $c{levels})))").expect("a string takes everything");
    component(&text)
}

/// A good activity with a module of ninety memories in it, set up so many times.
fn with_ninety_memories(times: u8) -> Vec<u8> {
    let module = component(&format!("(module {})", "(memory 0)".repeat(90)));
    let good = Wat::new().component();
    let with = |index: u8| {
        // Two sections: the module, and core instances of it (`instantiate`, 0) without arguments.
        let instances = [&[times][..], &[0, index, 0].repeat(usize::from(times))].concat();
        [good.as_slice(), &section(1, &module), &section(2, &instances)].concat()
    };
    // How many modules there are before it is the encoder's business; it is the last one.
    let found = (0..8).rev().map(with).find(|bytes| SANDBOX.compile(bytes).is_ok());
    found.expect("one of the indices is the new module's")
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let length = [(content.len() & 0x7f) as u8 | 0x80, (content.len() >> 7) as u8];
    [&[id], &length[..], content].concat()
}

#[test]
fn a_manifest_of_ten_megabytes_is_refused_unread() {
    let mut manifest = manifest_json();
    manifest["summary"]["zh"] = "长".repeat(10 << 20).into();
    refused(&plugin(&Wat::new(), &manifest), "manifest-too-large");
    let deep = "[".repeat(10 << 20);
    refused(
        &package::with_manifest(&Wat::new().component(), deep.as_bytes()).expect("a component"),
        "manifest-too-large",
    );
}

#[test]
fn a_deeply_nested_manifest_is_refused_and_no_stack_overflows() {
    let deep = "[".repeat(100_000);
    let bytes = package::with_manifest(&Wat::new().component(), deep.as_bytes()).expect("a component");
    refused(&bytes, "manifest-schema");
}

#[test]
fn a_thousand_exports_are_too_many() {
    let exports: String = (0..1_000).map(|n| format!("(export \"e{n}\" (func $f))")).collect();
    let code = "(core module $m (func (export \"f\"))) (core instance $c (instantiate $m))";
    let text = format!("(component {code} (func $f (canon lift (core func $c \"f\"))) {exports})");
    refused(&component(&text), "too-many-exports");
}

#[test]
fn a_thousand_forbidden_imports_are_refused_in_a_few_words() {
    let imports: String = (0..1_000).map(|n| format!("(import \"wasi:made-up/i{n}@0.2.0\" (instance))")).collect();
    refused(&component(&format!("(component {imports})")), "forbidden-import");
}

#[test]
fn compile_bombs_are_refused_before_anybody_compiles_them() {
    let before = Resident::read();
    refused(&tenfold(12), "too-many-parts");
    refused(&plugin(&with_function(2 << 20), &manifest_json()), "function-too-long");
    let after = Resident::read();
    // Generous, since other tests may share the process.
    assert!(after.peak < before.now + 400, "{} MB at first, at most {} MB", before.now, after.peak);
}

/// The longest function that the gate lets through: compiling it stays within what a child process is given.
#[test]
#[allow(clippy::disallowed_methods, reason = "the test is about how long compiling takes")]
fn what_the_gate_lets_through_compiles_in_bounded_time() {
    let bytes = plugin(&with_function(500 << 10), &manifest_json());
    let report = inspect(&bytes, &dictionary());
    assert!(report.accepted, "{:?}", report.findings);
    let begin = Instant::now();
    SANDBOX.compile(&bytes).expect("it compiles");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

/// It would be a fault of the machine otherwise, which stops the plan of everybody else.
#[test]
fn more_memories_than_a_guest_may_have_are_its_own_fault() {
    let select = |times| {
        let plugin = SANDBOX.compile(&with_ninety_memories(times)).expect("it compiles");
        plugin.guest(Stage::Select, facts(), grants()).select(wat_guest::customers(1))
    };
    match select(12) {
        Err(Broken::Fault(fault)) => assert_eq!(fault.code.name(), "memory", "{fault}"),
        other => panic!("no fault of the guest but {other:?}"),
    }
    select(10).expect("an answer");
}
