//! The built components decide what the documents say: a few customers each, straight through the sandbox.

use crate::care::{Care, OPERATOR, text};
use care_domain::canonical;
use care_domain::column::{Column, Table};
use care_domain::field::Stage;
use care_domain::manifest::{Manifest, defaults};
use care_domain::text::Bilingual;
use care_domain::time::{DAY_MS, parse_date, parse_instant};
use care_sandbox::package::manifest_bytes;
use care_sandbox::{Grants, Plugin, RunFacts, Sandbox, SandboxConfig};
use care_tests::{ACTIVITIES, DATE, plugin};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

type Columns = Vec<(&'static str, Column)>;

/// What was decided for one chosen customer.
#[derive(Debug, PartialEq)]
struct Decided {
    row: u32,
    reason: String,
    occasion: i64,
    score: f32,
    /// Unix milliseconds.
    moments: (i64, i64),
    /// Template and slots of each message.
    said: Vec<(String, Vec<String>)>,
}

/// An activity at work on 2026-07-29.
struct Activity {
    plugin: Plugin,
    facts: RunFacts,
    grants: Grants,
}

impl Activity {
    fn new(name: &str, params: Value, tables: BTreeMap<String, Table>) -> Self {
        let bytes = std::fs::read(plugin(name)).expect("a built plugin");
        let json = manifest_bytes(&bytes).expect("a component").expect("a manifest");
        let manifest = Manifest::from_json(&json).expect("a manifest of this release");
        let given: Map<String, Value> = params.as_object().expect("an object").clone();
        let params = defaults(&manifest.params, &given).expect("parameters");
        let params = serde_json::to_string(&params).expect("JSON").into();
        let aba = Bilingual { zh: "四川省阿坝州".into(), en: "Aba, Sichuan".into() };
        let labels = [("disaster-areas".to_owned(), BTreeMap::from([("513200".to_owned(), aba)]))];
        let sandbox = Sandbox::new(SandboxConfig::default()).expect("a sandbox");
        Self {
            plugin: sandbox.compile(&bytes).expect("it compiles"),
            facts: RunFacts { today: today(), now: at_nine(), params },
            grants: Grants {
                limits: manifest.limits,
                manifest: Arc::new(manifest),
                tables: Arc::new(tables),
                labels: Arc::new(BTreeMap::from(labels)),
            },
        }
    }

    /// What it decides about customers of whom the given fields are known, and no others.
    fn decide(&self, known: &Columns) -> Vec<Decided> {
        let guest = |stage| self.plugin.guest(stage, self.facts.clone(), self.grants.clone());
        let chosen = guest(Stage::Select).select(self.batch(Stage::Select, known, None)).expect("a selection");
        let of_chosen = |stage| self.batch(stage, known, Some(&chosen.rows));
        let moments = guest(Stage::Schedule).schedule(of_chosen(Stage::Schedule), &chosen.reasons).expect("moments");
        let said = guest(Stage::Compose).compose(of_chosen(Stage::Compose), &chosen.reasons).expect("messages");
        let manifest = &self.grants.manifest;
        (0..chosen.rows.len())
            .map(|at| Decided {
                row: chosen.rows[at],
                reason: manifest.reasons[usize::from(chosen.reasons[at])].name.clone(),
                occasion: chosen.occasions[at],
                score: chosen.scores[at],
                moments: (moments.not_before[at], moments.not_after[at]),
                said: said
                    .iter()
                    .filter(|message| message.row as usize == at)
                    .map(|message| {
                        let template = manifest.templates[usize::from(message.template)].name.clone();
                        (template, message.slots.iter().map(|(slot, value)| format!("{slot}={value}")).collect())
                    })
                    .collect(),
            })
            .collect()
    }

    /// The fields of a stage; those of which nothing is known have no values.
    fn batch(&self, stage: Stage, known: &Columns, rows: Option<&[u32]>) -> Table {
        let all: Vec<u32> = (0..known[0].1.rows() as u32).collect();
        let rows = rows.unwrap_or(&all);
        let fields = self.grants.manifest.fields_of(stage).iter();
        let column = |name: &str| known.iter().find(|(field, _)| *field == name).map(|(_, column)| column.gather(rows));
        let columns = fields
            .map(|f| (f.name.clone(), column(&f.name).unwrap_or_else(|| Column::absent(f.ty, rows.len()))))
            .collect();
        Table { rows: rows.len() as u32, columns }
    }
}

fn today() -> i32 {
    parse_date(DATE).expect("a date")
}

fn at_nine() -> i64 {
    parse_instant("2026-07-29T09:00:00+08:00").expect("an instant")
}

/// The last millisecond of a day so many days after today, in the province.
fn end_of_day(days: i64) -> i64 {
    parse_instant("2026-07-30T00:00:00+08:00").expect("an instant") - 1 + days * DAY_MS
}

fn no_tables() -> BTreeMap<String, Table> {
    BTreeMap::new()
}

/// A message of a template with its slots.
fn says(template: &str, slots: &[&str]) -> (String, Vec<String>) {
    (template.to_owned(), slots.iter().map(|slot| (*slot).to_owned()).collect())
}

/// Rows, reasons and first templates.
fn chosen(decided: &[Decided]) -> Vec<(u32, &str, &str)> {
    decided.iter().map(|d| (d.row, d.reason.as_str(), d.said[0].0.as_str())).collect()
}

#[test]
fn the_gate_accepts_every_activity_of_this_repository() {
    let care = Care::bare();
    for (name, _) in ACTIVITIES {
        let report = care.ok(OPERATOR, &["plugin", "check", &text(&plugin(name))]);
        let parts: Vec<&String> = report.as_object().expect("a report").keys().collect();
        assert_eq!(parts, ["accepted", "digest", "findings", "manifest"]);
        let digest = canonical::digest(&std::fs::read(plugin(name)).expect("a built plugin"));
        assert_eq!((&report["accepted"], &report["digest"]), (&json!(true), &json!(digest)));
        assert_eq!((&report["findings"], &report["manifest"]["name"]), (&json!([]), &json!(name)));
    }
}

#[test]
fn birthday_wishes_on_the_day_in_either_calendar_and_in_the_brand_s_own_way() {
    let lunar = Table {
        rows: 1,
        columns: BTreeMap::from([
            ("date".to_owned(), Column::s32([Some(today())])),
            ("month".to_owned(), Column::s32([Some(6)])),
            ("day".to_owned(), Column::s32([Some(16)])),
            ("leap".to_owned(), Column::boolean([Some(false)])),
            ("last".to_owned(), Column::boolean([Some(false)])),
        ]),
    };
    let tables = BTreeMap::from([("lunar-days".to_owned(), lunar)]);
    let activity = Activity::new("birthday", json!({"call_vip": true}), tables);
    let solar = Some("solar");
    let known = vec![
        ("birth-month", Column::s32([Some(7), Some(7), Some(7), Some(6), Some(7), None, Some(7)])),
        ("birth-day", Column::s32([Some(29), Some(29), Some(30), Some(16), Some(29), Some(29), Some(29)])),
        ("birth-calendar", Column::categories([solar, None, solar, Some("lunar"), Some("lunar"), solar, solar])),
        (
            "brand",
            Column::categories(["gotone", "easyown", "easyown", "m-zone", "gotone", "gotone", "gotone"].map(Some)),
        ),
        ("tier", Column::categories(["silver", "none", "none", "none", "none", "none", "diamond"].map(Some))),
    ];
    let decided = activity.decide(&known);
    let wanted = [(0, "desk-prompt", "desk-wish"), (1, "sms", "wish"), (3, "sms", "wish"), (6, "vip-call", "vip-wish")];
    assert_eq!(chosen(&decided), wanted);
    assert!(decided.iter().all(|d| d.occasion == 2026 && d.moments.1 == end_of_day(0)));
    assert_eq!(decided[0].moments.0, end_of_day(-1) + 1, "the desk wishes from midnight on");
    assert_eq!(decided[1].moments.0, at_nine());
}

#[test]
fn balance_reminder_tells_who_has_at_most_three_days_left() {
    let activity = Activity::new("balance-reminder", json!({}), no_tables());
    let three_days = || Column::s64([300, 300, 500, 300, 0, 300, 300].map(Some));
    let known = vec![
        ("balance", Column::s64([900, 901, -148, 100, 0, 100, 450].map(Some))),
        ("spend-d1", three_days()),
        ("spend-d2", three_days()),
        ("spend-d3", Column::s64([Some(300), Some(300), Some(500), None, Some(0), Some(300), Some(300)])),
        ("low-balance-since", Column::s32([0, 0, -2, 0, 0, 0, -1].map(|days| Some(today() + days)))),
        ("stopped", Column::boolean([false, false, false, false, false, true, false].map(Some))),
    ];
    let decision = |row, since: i32, score, days, said| Decided {
        row,
        reason: "low-balance".into(),
        occasion: i64::from(today() + since),
        score,
        moments: (at_nine(), end_of_day(days)),
        said: vec![said],
    };
    let wanted = [
        decision(0, 0, 0.0, 3, says("days-left", &["balance=900", "days-left=3"])),
        decision(2, -2, 1.0, 0, says("used-up-today", &["balance=-148"])),
        decision(6, -1, 0.5, 1, says("days-left", &["balance=450", "days-left=1"])),
    ];
    assert_eq!(activity.decide(&known), wanted);
}

#[test]
fn green_bill_tells_each_level_of_sensitivity_of_its_own_way_at_its_own_moment() {
    let activity = |params| Activity::new("green-bill", params, no_tables());
    let stages = ["growth", "growth", "maturity", "acquisition", "growth", "growth", "growth"];
    let levels = ["high", "high", "high", "low", "initial", "medium", "medium"];
    let spend = || Column::s64([None, None, None, Some(300), None, None, None]);
    let known = vec![
        ("paperless-bill", Column::boolean([true, false, false, false, false, false, false].map(Some))),
        ("life-stage", Column::categories(stages.map(Some))),
        ("bill-sensitivity", Column::categories(levels.map(Some))),
        ("bill-day", Column::s32([30, 30, 30, 1, 1, 1, 1].map(Some))),
        ("bill-change", Column::f64([0.0, 0.0, 0.0, 0.0, 0.0, -0.3, 0.29].map(Some))),
        ("last-bill-query-on", Column::s32([None, None, None, None, Some(today() - 1), None, None])),
        ("balance", Column::s64([None, None, None, Some(900), None, None, None])),
        ("spend-d1", spend()),
        ("spend-d2", spend()),
        ("spend-d3", spend()),
    ];
    let decided = activity(json!({})).decide(&known);
    let wanted = [
        (1, "paperless", "paperless"),
        (3, "dial-up", "dial-up"),
        (4, "hotline", "hotline"),
        (5, "paperless", "paperless"),
    ];
    assert_eq!(chosen(&decided), wanted);
    let this_month = 2026 * 12 + 7;
    assert!(decided.iter().all(|d| d.occasion == this_month && d.moments == (at_nine(), end_of_day(1))));
    let everyone = activity(json!({"everyone": true})).decide(&known);
    assert_eq!(everyone.iter().map(|d| d.row).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6], "all but who has it");
}

#[test]
fn disaster_response_calls_who_is_in_the_area_wherever_they_live() {
    let areas = Table { rows: 1, columns: BTreeMap::from([("key".to_owned(), Column::texts([Some("513200")]))]) };
    let tables = BTreeMap::from([("disaster-areas".to_owned(), areas)]);
    let activity = Activity::new("disaster-response", json!({"onset": "2026-07-28"}), tables);
    let outcomes = [None, None, Some("safe"), Some("safe"), Some("deceased"), Some("unreachable")];
    let known = vec![
        ("visited-adcode", Column::categories(["513221", "350100", "513221", "513221", "513221", "513200"].map(Some))),
        ("close-contacts", Column::s32([Some(2), Some(5), Some(5), Some(5), Some(5), Some(7)])),
        ("own.last-outcome", Column::categories(outcomes)),
        ("own.last-contact-at", Column::s64([None, None, None, Some(at_nine()), None, Some(at_nine())])),
    ];
    let decided = activity.decide(&known);
    let area = ["area=513200"];
    let said = |template: &str, times: usize| vec![says(template, &area); times];
    let wanted = [
        (0, [said("call-customer", 1), said("call-close-contacts", 2), said("credit-rating", 1)].concat()),
        // Safe, and never contacted: only the request is made.
        (2, said("credit-rating", 1)),
        // Unreachable: called again with at most five close contacts; the request was made before.
        (5, [said("call-customer", 1), said("call-close-contacts", 5)].concat()),
    ];
    let found: Vec<_> = decided.iter().map(|d| (d.row, d.said.clone())).collect();
    assert_eq!(found, wanted);
    let onset = i64::from(today()) - 1;
    assert!(
        decided.iter().all(|d| d.reason == "rescue" && d.occasion == onset && d.moments == (at_nine(), end_of_day(2)))
    );
}

#[test]
fn points_expiry_reminds_sixty_thirty_and_seven_days_before() {
    let activity = Activity::new("points-expiry", json!({}), no_tables());
    let on = |days: i32| Some(today() + days);
    let known = vec![
        ("points-expiring", Column::s64([640, 640, 640, 499, 640, 500].map(Some))),
        ("points-expire-on", Column::s32([on(30), on(31), on(61), on(30), on(30), on(0)])),
        ("points-redeemed-on", Column::s32([None, None, None, None, on(-5), on(-90)])),
    ];
    let decision = |row, days: i32, reminder: i64, points: i64, until| {
        let expiry = today() + days;
        let (points, day) = (format!("points={points}"), format!("expire-on={expiry}"));
        Decided {
            row,
            reason: "expiring".into(),
            occasion: i64::from(expiry) * 1_000 + reminder,
            score: 1.0 - days as f32 / 61.0,
            moments: (at_nine(), end_of_day(until)),
            said: vec![says("expiring", &[&day, &points, "redeem-at=online"])],
        }
    };
    // Each reminder is useful until the next one is due; the last until the points lapse.
    let wanted = [decision(0, 30, 30, 640, 22), decision(1, 31, 60, 640, 0), decision(5, 0, 7, 500, 0)];
    assert_eq!(activity.decide(&known), wanted);
}
