//! A real activity between the hostile ones, whose answer is known.

use crate::wat_guest::SANDBOX;
use care_domain::approval::CEILING;
use care_domain::column::{Column, Table};
use care_domain::field::{FieldType, Stage};
use care_domain::manifest::Manifest;
use care_sandbox::{Grants, Guest, Plugin, RunFacts, package};
use care_tests::plugin;
use std::sync::Arc;

/// The balance reminder, as built and shipped.
pub(crate) struct Good {
    plugin: Plugin,
    manifest: Arc<Manifest>,
    /// One that has worked since the beginning.
    warm: Guest,
}

impl Good {
    pub(crate) fn new() -> Self {
        let bytes = std::fs::read(plugin("balance-reminder")).expect("a built plugin");
        let manifest = package::manifest_bytes(&bytes).expect("a component").expect("a manifest");
        let manifest = Arc::new(Manifest::from_json(&manifest).expect("its own schema"));
        let plugin = SANDBOX.compile(&bytes).expect("it compiles");
        Self { warm: guest(&plugin, &manifest), plugin, manifest }
    }

    /// The next batch is served rightly, by a guest at work and by a new one.
    pub(crate) fn serves_the_next_batch(&mut self) {
        for guest in [&mut self.warm, &mut guest(&self.plugin, &self.manifest)] {
            let chosen = guest.select(customers()).expect("an answer");
            assert_eq!(chosen.rows, [0, 2], "who has at most three days' spend left and is not stopped");
            assert_eq!((chosen.reasons, chosen.occasions), (vec![0, 0], vec![20_000, 20_002]));
            assert_eq!(chosen.scores, [0.5, 1.0]);
        }
    }
}

fn guest(plugin: &Plugin, manifest: &Arc<Manifest>) -> Guest {
    let facts = RunFacts { today: 20_010, now: 1_728_864_000_000, params: "{}".into() };
    let grants =
        Grants { manifest: Arc::clone(manifest), limits: CEILING, tables: Arc::default(), labels: Arc::default() };
    plugin.guest(Stage::Select, facts, grants)
}

fn customers() -> Table {
    let spend = || Column::s64([500, 500, 100, 500].map(Some));
    let columns = [
        ("balance", Column::s64([750, 5_000, 0, 0].map(Some))),
        ("spend-d1", spend()),
        ("spend-d2", spend()),
        ("spend-d3", spend()),
        ("low-balance-since", Column::s32([20_000, 20_001, 20_002, 20_003].map(Some))),
        ("stopped", Column::boolean([None, Some(false), Some(false), Some(true)])),
        // No event: the nightly pass.
        ("event.balance", Column::absent(FieldType::Fen, 4)),
        ("event.time", Column::absent(FieldType::Instant, 4)),
    ];
    Table { rows: 4, columns: columns.map(|(name, column)| (name.to_owned(), column)).into() }
}
