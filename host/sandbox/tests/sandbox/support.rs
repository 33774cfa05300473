//! Guests written by hand: a core module around a few lines of WebAssembly text, made a real component.

use care_domain::column::{Column, Table};
use care_domain::field::{Dictionary, Stage};
use care_domain::manifest::{Limits, Manifest};
use care_domain::text::Bilingual;
use care_sandbox::{CONTRACTS, Contract, Grants, Guest, RunFacts, Sandbox, SandboxConfig, package};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use wit_component::StringEncoding;

/// Where a guest's data begins; 64 zero bytes come first, which read as an empty answer of any kind.
const BASE: u32 = 1_024;

pub(crate) const SELECT: &str = "care:activity/targeting@1.0.0#select";
pub(crate) const SCHEDULE: &str = "care:activity/timing@1.0.0#schedule";
pub(crate) const COMPOSE: &str = "care:activity/content@1.0.0#compose";
pub(crate) const OBSERVE: &str = "care:activity/evaluation@1.0.0#observe";
pub(crate) const MERGE: &str = "care:activity/evaluation@1.0.0#merge";
pub(crate) const REPORT: &str = "care:activity/evaluation@1.0.0#report";
/// Where the host gets memory for a list; without a body of its own a guest hands out what is free.
pub(crate) const REALLOC: &str = "cabi_realloc";

/// Every export with its parameters.
const EXPORTS: [(&str, &str); 6] = [
    (SELECT, ""),
    (SCHEDULE, "(param i32 i32)"),
    (COMPOSE, "(param i32 i32)"),
    (OBSERVE, "(param i32 i32)"),
    (MERGE, "(param i32 i32 i32 i32)"),
    (REPORT, "(param i32 i32)"),
];

const IMPORTS: &str = r#"
    (import "care:activity/tables@1.0.0" "rows" (func $rows (param i32 i32) (result i32)))
    (import "care:activity/tables@1.0.0" "s64s" (func $s64s (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "s32s" (func $s32s (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "f64s" (func $f64s (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "booleans" (func $booleans (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "codes" (func $codes (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "categories" (func $categories (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "texts-of" (func $texts-of (param i32 i32 i32 i32 i32)))
    (import "care:activity/tables@1.0.0" "present" (func $present (param i32 i32 i32 i32 i32)))
    (import "care:activity/run@1.0.0" "today" (func $today (result i32)))
    (import "care:activity/run@1.0.0" "now" (func $now (result i64)))
    (import "care:activity/run@1.0.0" "params" (func $params (param i32)))
    (import "care:activity/run@1.0.0" "log" (func $log (param i32 i32)))
"#;

/// What 1.1.0 has beside.
const ROWS_OF: &str = r#"
    (import "care:activity/tables@1.0.0" "rows-of" (func $rows-of (param i32 i32 i32 i32 i32 i32 i32)))
"#;

/// A guest in the making.
pub(crate) struct Wat {
    /// Every text here is written for 1.0.0; this says which version it is made for in the end.
    contract: &'static Contract,
    data: Vec<u8>,
    bodies: BTreeMap<&'static str, String>,
    /// Pages of memory beside its data.
    pub(crate) extra_pages: u32,
    /// More fields of the module.
    pub(crate) fields: String,
}

impl Wat {
    pub(crate) fn new() -> Self {
        let contract = &CONTRACTS[0];
        Self { contract, data: vec![0; 64], bodies: BTreeMap::new(), extra_pages: 1, fields: String::new() }
    }

    /// A guest of contract 1.1.0.
    pub(crate) fn v1_1() -> Self {
        Self { contract: &CONTRACTS[1], ..Self::new() }
    }

    /// The body of an export; without one it answers with nothing.
    pub(crate) fn body(mut self, export: &'static str, body: impl Into<String>) -> Self {
        self.bodies.insert(export, body.into());
        self
    }

    /// Puts bytes into the guest's memory, 8-aligned; their address.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u32 {
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        let address = BASE + self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        address
    }

    /// A text as two operands, pointer and length.
    pub(crate) fn text(&mut self, text: &str) -> String {
        format!("(i32.const {}) (i32.const {})", self.put(text.as_bytes()), text.len())
    }

    /// A successful answer: the words of its record.
    pub(crate) fn ok(&mut self, words: &[u32]) -> String {
        let all: Vec<u8> = [0].iter().chain(words).flat_map(|w| w.to_le_bytes()).collect();
        format!("(i32.const {})", self.put(&all))
    }

    pub(crate) fn core(&self) -> Vec<u8> {
        let end = BASE as usize + self.data.len();
        let pages = end.div_ceil(65_536) as u32 + self.extra_pages;
        let data: String = self.data.iter().map(|b| format!("\\{b:02x}")).collect();
        let exports: String = EXPORTS
            .iter()
            .map(|(name, params)| {
                let body = self.bodies.get(name).cloned().unwrap_or_else(|| format!("(i32.const {BASE})"));
                format!("(func (export \"{name}\") {params} (result i32) {body})\n")
            })
            .collect();
        let heap = end.next_multiple_of(8);
        let realloc = self.bodies.get(REALLOC).map_or("(call $alloc (local.get 3))", String::as_str);
        let more = if self.contract.version == "1.0.0" { "" } else { ROWS_OF };
        let text = format!(
            r#"(module {IMPORTS}{more}
            (memory (export "memory") {pages})
            (global $heap (mut i32) (i32.const {heap}))
            (func $alloc (param $size i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
                (global.set $heap (i32.add (local.get $at) (local.get $size)))
                (block $enough
                    (br_if $enough (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
                    (br_if $enough (i32.ne (i32.const -1) (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536))))))
                    unreachable)
                (local.get $at))
            (func (export "{REALLOC}") (param i32 i32 i32 i32) (result i32) {realloc})
            (data (i32.const {BASE}) "{data}")
            {}
            {exports})"#,
            self.fields
        );
        let text = text.replace("@1.0.0", &format!("@{}", self.contract.version));
        let mut core = wat::parse_str(&text).expect("the test's own text parses");
        embed(&mut core, self.contract.wit, "activity");
        core
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        package::component_from_core(&self.core()).expect("a component")
    }

    /// A guest with the test's manifest and grants.
    pub(crate) fn guest(&self, stage: Stage) -> Guest {
        self.guest_with(stage, grants())
    }

    pub(crate) fn guest_with(&self, stage: Stage, grants: Grants) -> Guest {
        SANDBOX.compile(&self.component()).expect("it compiles").guest(stage, facts(), grants)
    }
}

/// Joins, and chooses the rows that have a match; the occasion is the row of the table.
pub(crate) fn joining(field: &str, table: &str, key: &str) -> Wat {
    let mut wat = Wat::v1_1();
    let asked = [field, table, key].map(|text| wat.text(text)).join(" ");
    let found = wat.put(&[0; 8]);
    let answer = wat.put(&[0; 36]);
    let sizes = [4, 2, 8, 4];
    let list = |slot: usize| 4 + slot * 8;
    let take = |slot: usize| {
        format!(
            "(i32.store offset={} (i32.const {answer}) (call $alloc (i32.mul (local.get $n) (i32.const {}))))",
            list(slot),
            sizes[slot]
        )
    };
    let at = |slot: usize| {
        format!(
            "(i32.add (i32.load offset={} (i32.const {answer})) (i32.mul (local.get $k) (i32.const {})))",
            list(slot),
            sizes[slot]
        )
    };
    let length = |slot: usize| format!("(i32.store offset={} (i32.const {answer}) (local.get $k))", list(slot) + 4);
    let every = |part: &dyn Fn(usize) -> String| (0..4).map(part).collect::<String>();
    let body = format!(
        "(local $n i32) (local $i i32) (local $k i32) (local $found i32) (local $row i32)
        (call $rows-of {asked} (i32.const {found}))
        (local.set $found (i32.load (i32.const {found})))
        (local.set $n (i32.load offset=4 (i32.const {found})))
        {}
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
            (local.set $row (i32.load (i32.add (local.get $found) (i32.mul (local.get $i) (i32.const 4)))))
            (if (i32.ne (local.get $row) (i32.const -1)) (then
                (i32.store {} (local.get $i))
                (i32.store16 {} (i32.const 0))
                (i64.store {} (i64.extend_i32_u (local.get $row)))
                (f32.store {} (f32.const 0.5))
                (local.set $k (i32.add (local.get $k) (i32.const 1)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
        {}
        (i32.const {answer})",
        every(&take),
        at(0),
        at(1),
        at(2),
        at(3),
        every(&length)
    );
    wat.body(SELECT, body.clone()).body(SCHEDULE, body)
}

/// What a binding generator does: says in the module which world it is for.
pub(crate) fn embed(core: &mut Vec<u8>, wit: &str, world: &str) {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("test.wit", wit).expect("the contract parses");
    let world = resolve.select_world(&[package], Some(world)).expect("the world exists");
    wit_component::embed_component_metadata(core, &resolve, world, StringEncoding::UTF8).expect("metadata");
}

pub(crate) static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).expect("a sandbox"));

pub(crate) fn facts() -> RunFacts {
    RunFacts { today: 20_780, now: 1_795_400_000_000, params: r#"{"floor":500}"#.into() }
}

pub(crate) fn grants() -> Grants {
    let tariffs = Table {
        rows: 2,
        columns: [
            ("key".to_owned(), Column::texts([Some("basic"), Some("family")])),
            ("price".to_owned(), Column::s64([Some(1_900), Some(8_800)])),
        ]
        .into(),
    };
    let label = |zh: &str, en: &str| Bilingual { zh: zh.into(), en: en.into() };
    let labels = BTreeMap::from([("basic".to_owned(), label("基础套餐", "Basic"))]);
    Grants {
        manifest: Arc::new(manifest()),
        limits: Limits::default(),
        tables: Arc::new([("tariffs".to_owned(), tariffs)].into()),
        labels: Arc::new([("tariffs".to_owned(), labels)].into()),
    }
}

/// A batch with every kind of column.
pub(crate) fn customers(rows: u32) -> Table {
    let balance = Column::s64((0..i64::from(rows)).map(|row| (row % 5 != 4).then_some(row * 100)));
    Table {
        rows,
        columns: [
            ("balance".to_owned(), balance),
            ("tenure".to_owned(), Column::s32((0..rows as i32).map(Some))),
            (
                "brand".to_owned(),
                Column::categories((0..rows).map(|row| Some(if row % 2 == 0 { "gotone" } else { "easyown" }))),
            ),
            ("town".to_owned(), Column::texts((0..rows).map(|row| (row != 1).then_some("福州")))),
            // In the table, but not in the manifest: a guest must not reach it.
            ("points".to_owned(), Column::s64((0..rows).map(|_| Some(1)))),
        ]
        .into(),
    }
}

pub(crate) fn manifest() -> Manifest {
    serde_json::from_value(manifest_json()).expect("a manifest")
}

pub(crate) fn manifest_json() -> Value {
    let both = |text: &str| json!({"zh": text, "en": text});
    let field = |name: &str, ty: &str| json!({"name": name, "type": ty});
    let reason = |name: &str, templates: Value, most: u8| json!({"name": name, "title": both(name), "templates": templates, "channels": ["sms"], "max_messages": most});
    let template =
        |name: &str, body: &str| json!({"name": name, "addressee": "customer", "bodies": {"sms": both(body)}});
    let all =
        json!([field("balance", "fen"), field("tenure", "small"), field("brand", "category"), field("town", "text")]);
    json!({
        "name": "test-activity", "version": "1.0.0", "wit": "1.0.0",
        "title": both("t"), "summary": both("s"), "catalogue": ["balance-reminder"], "owner_region": "350000",
        "fields": {"select": all, "schedule": [], "compose": [], "observe": [field("treated", "boolean")]},
        "tables": {"tariffs": {"key": "text", "price": "fen"}},
        "reasons": [reason("low", json!(["remind"]), 1), reason("urgent", json!(["remind", "advise"]), 2)],
        "templates": [template("remind", "余额{balance}"), template("advise", "{tariff}{way}{day}")],
        "slots": [
            {"name": "balance", "kind": {"type": "money", "min": 0, "max": 100_000}},
            {"name": "tariff", "kind": {"type": "entry", "table": "tariffs"}},
            {"name": "way", "kind": {"type": "choice", "values": {"app": both("app")}}},
            {"name": "day", "kind": {"type": "date"}},
        ],
        "class": "service", "cap": {"contacts": 1, "days": 7},
        "goal": {"outcome": "topped-up", "window_days": 7, "better": "more"},
        "metrics": ["goal"],
        "principles": {
            "proactive": both("p"), "customer_oriented": both("p"), "feasible": both("p"),
            "useful": both("p"), "important": both("p"), "innovative": both("p"),
        },
    })
}

pub(crate) fn dictionary() -> Dictionary {
    let field = |ty: &str| {
        let text = json!({"zh": "x", "en": "x"});
        json!({"type": ty, "sensitivity": "internal", "stages": ["select", "schedule", "compose", "observe"], "title": text, "description": text})
    };
    let fields =
        json!({"balance": field("fen"), "tenure": field("small"), "brand": field("category"), "town": field("text")});
    serde_json::from_value(json!({"fields": fields})).expect("a dictionary")
}

/// A whole plugin: a guest and the test's manifest.
pub(crate) fn plugin(guest: &Wat, manifest: &Value) -> Vec<u8> {
    package::with_manifest(&guest.component(), manifest.to_string().as_bytes()).expect("a plugin")
}

/// The bytes that a text in base64 stands for.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|c| ALPHABET.iter().position(|a| *a == c));
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0usize, 0);
    for digit in digits {
        held = held << 6 | digit;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}
