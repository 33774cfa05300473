//! Hostile bytes by the thousand: the specification's own malformed and invalid binaries, and plugins with damage.
//! None hurts the host.

use crate::support::{SANDBOX, Wat, base64, dictionary, manifest_json, plugin};
use care_sandbox::inspect;
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/wasm/spec-invalid.jsonl");

#[test]
fn every_invalid_binary_of_the_specification_is_refused_as_invalid_wasm() {
    let Ok(corpus) = std::fs::read_to_string(CORPUS) else {
        eprintln!("SKIPPED: no corpus at {CORPUS}");
        return;
    };
    let dictionary = dictionary();
    let mut odd = Vec::new();
    let mut count = 0;
    for line in corpus.lines().take(1_018) {
        let case: Value = serde_json::from_str(line).expect("a line of the corpus");
        let bytes = base64(case["wasm_b64"].as_str().expect("bytes"));
        assert_eq!(Some(bytes.len() as u64), case["bytes"].as_u64());
        let report = inspect(&bytes, &dictionary);
        let first = report.findings.first().map(|f| f.code.as_str());
        if report.accepted || first != Some("invalid-wasm") {
            odd.push(format!("{} {}: {first:?}", case["name"], case["spec_text"]));
        }
        count += 1;
    }
    assert_eq!(count, 1_018);
    assert!(odd.is_empty(), "{} of {count}: {odd:#?}", odd.len());
}

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| plugin(&Wat::new(), &manifest_json()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The gate and the engine agree on what WebAssembly is.
    #[test]
    fn a_damaged_plugin_never_hurts_the_gate_and_what_it_accepts_compiles(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keep in any::<prop::sample::Index>(),
        cut in prop::bool::weighted(0.2),
    ) {
        let mut bytes = GOOD.clone();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        let report = inspect(&bytes, &dictionary());
        prop_assert_eq!(report.accepted, report.findings.iter().all(|f| !f.refuses()));
        if report.accepted {
            prop_assert!(SANDBOX.compile(&bytes).is_ok());
        }
    }
}
