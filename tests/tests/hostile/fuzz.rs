//! Inputs by the thousand from fixed seeds: damaged activities, made-up modules and components, and modules that
//! look like an activity and are made up inside. None may bring the host down, and what the gate lets through is
//! run: it answers, or ends in a fault of its own.

use crate::memory::say;
use crate::wat_guest::{SANDBOX, Wat, customers, dictionary, embed, facts, grants, manifest_json};
use arbitrary::Unstructured;
use care_domain::field::{Dictionary, Stage};
use care_domain::manifest::Limits;
use care_engine::{DEFAULT_FIELDS, parse_dictionary};
use care_sandbox::{Broken, CONTRACTS, Grants, inspect, package};
use care_tests::{ACTIVITIES, plugin};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of damaged activities that are still valid, one in so many is compiled and run: compiling is what takes long.
const RUN_ONE_IN: u64 = 16;
/// Little, so that endless loops end soon.
const LIMITS: Limits = Limits { fuel_base: 200_000, fuel_per_row: 100, memory_mib: 32 };

/// A stream of numbers that a seed determines (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(count).collect()
    }
}

/// What is tried on the gate, and how often each thing happened.
struct Trial {
    activities: Vec<Vec<u8>>,
    /// The imports and exports of an activity.
    shape: Vec<u8>,
    fields: Dictionary,
    tiny: Dictionary,
    seen: BTreeMap<&'static str, u64>,
}

impl Trial {
    fn new() -> Self {
        let read = |(name, _): (&str, _)| std::fs::read(plugin(name)).expect("a built plugin");
        Self {
            activities: ACTIVITIES.map(read).into(),
            shape: Wat::new().core(),
            fields: parse_dictionary(DEFAULT_FIELDS).expect("the default dictionary"),
            tiny: dictionary(),
            seen: BTreeMap::new(),
        }
    }

    fn input(&mut self, number: u64) {
        let mut dice = Dice(number);
        match number % 8 {
            0..=4 => self.damaged(&mut dice),
            5 => self.made_up_component(&mut dice),
            6 => self.made_up_module(&mut dice),
            _ => self.made_up_activity(&mut dice),
        }
    }

    /// A real activity with bytes changed, cut out, doubled, or cut off.
    fn damaged(&mut self, dice: &mut Dice) {
        let which = dice.below(self.activities.len());
        let mut bytes = self.activities[which].clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            let until = (at + 1 + dice.below(64)).min(bytes.len());
            match dice.below(8) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..until)),
                2 => {
                    let doubled = bytes[at..until].to_vec();
                    bytes.splice(at..at, doubled);
                }
                3 => {
                    let noise = dice.bytes(until - at);
                    bytes[at..until].copy_from_slice(&noise);
                }
                _ => bytes[at] ^= 1 << dice.below(8),
            }
        }
        let report = inspect(&bytes, &self.fields);
        self.note(if report.accepted { "damaged, valid" } else { "damaged, refused" });
        let Some(manifest) = report.manifest.filter(|_| report.accepted) else { return };
        if dice.next().is_multiple_of(RUN_ONE_IN) {
            let granted = Grants { manifest: Arc::new(manifest), ..grants() };
            self.run(&bytes, granted);
        }
    }

    fn made_up_component(&mut self, dice: &mut Dice) {
        let noise = dice.bytes(4_096);
        let made = wasm_smith::Component::new(wasm_smith::Config::default(), &mut Unstructured::new(&noise));
        let Ok(component) = made else { return self.note("nothing made") };
        let bytes = component.to_bytes();
        let named = package::with_manifest(&bytes, manifest_json().to_string().as_bytes()).expect("a component");
        for bytes in [bytes, named] {
            assert!(!inspect(&bytes, &self.tiny).accepted, "a component of no world");
        }
        self.note("made-up component");
    }

    fn made_up_module(&mut self, dice: &mut Dice) {
        let noise = dice.bytes(4_096);
        let made = wasm_smith::Module::new(wasm_smith::Config::default(), &mut Unstructured::new(&noise));
        let Ok(module) = made else { return self.note("nothing made") };
        let mut bytes = module.to_bytes();
        assert!(!inspect(&bytes, &self.tiny).accepted, "a core module");
        embed(&mut bytes, CONTRACTS[0].wit, "activity");
        // Whether it becomes a component does not matter here, only that asking does no harm.
        let packed = package::component_from_core(&bytes).is_ok();
        self.note(if packed { "made-up module, packed" } else { "made-up module, refused" });
    }

    /// The imports and exports of an activity, and any code.
    fn made_up_activity(&mut self, dice: &mut Dice) {
        let noise = dice.bytes(2_048);
        let config = wasm_smith::Config {
            module_shape: Some(self.shape.clone()),
            max_memory32_bytes: 16 << 20,
            gc_enabled: false,
            exceptions_enabled: false,
            reference_types_enabled: false,
            memory64_enabled: false,
            relaxed_simd_enabled: false,
            tail_call_enabled: false,
            threads_enabled: false,
            ..Default::default()
        };
        let Ok(module) = wasm_smith::Module::new(config, &mut Unstructured::new(&noise)) else {
            return self.note("nothing made");
        };
        let mut core = module.to_bytes();
        embed(&mut core, CONTRACTS[0].wit, "activity");
        let Ok(component) = package::component_from_core(&core) else { return self.note("made-up activity, refused") };
        let bytes = package::with_manifest(&component, manifest_json().to_string().as_bytes()).expect("a component");
        let report = inspect(&bytes, &self.tiny);
        if report.accepted {
            self.run(&bytes, grants());
        } else {
            self.note("made-up activity, refused");
        }
    }

    /// It answers, or breaks by a fault of its own.
    fn run(&mut self, bytes: &[u8], granted: Grants) {
        let plugin = SANDBOX.compile(bytes).expect("what the gate accepts compiles");
        let granted = Grants { limits: LIMITS, ..granted };
        let guest = |stage| plugin.guest(stage, facts(), granted.clone());
        let answers = [
            guest(Stage::Select).select(customers(20)).map(drop),
            guest(Stage::Schedule).schedule(customers(3), &[0; 3]).map(drop),
            guest(Stage::Compose).compose(customers(3), &[0; 3]).map(drop),
            guest(Stage::Observe).merge(b"left", b"right").map(drop),
            guest(Stage::Observe).report(b"state").map(drop),
        ];
        for answer in answers {
            match answer {
                Ok(()) => self.note("call answered"),
                Err(Broken::Fault(_)) => self.note("call ended in a fault of the guest"),
                // The test supplies no column that only the real activities ask for.
                Err(Broken::Machine(care_sandbox::MachineError::NotSupplied { .. })) => self.note("call not supplied"),
                Err(Broken::Machine(error)) => panic!("a fault of the machine: {error:?}"),
            }
        }
    }

    fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }
}

fn inputs(count: u64) {
    let mut trial = Trial::new();
    (0..count).for_each(|number| trial.input(number));
    say(&format!("{count} inputs without a panic: {:?}", trial.seen));
    for what in ["damaged, refused", "damaged, valid", "made-up component", "call ended in a fault of the guest"] {
        assert!(trial.seen.contains_key(what), "no {what} in {count} inputs");
    }
}

#[test]
fn fifteen_hundred_inputs_hurt_nobody() {
    inputs(1_500);
}

#[test]
#[ignore = "takes minutes: `make fuzz` runs it"]
fn ten_thousand_inputs_hurt_nobody() {
    inputs(10_000);
}
