//! Tables as they leave for business analysis, page by page.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::export::{Cell, CellType, Table};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Where the next page begins: what the first column of the last row was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The statement of each table: the cursor first, then the columns in the order of `care_domain::export::TABLES`.
const STATEMENTS: [(&str, &str); 35] = [
    (
        "contacts",
        "SELECT seq, lower(hex(id)), plan, campaign, activity, component, lower(hex(customer)), class, weight, score, \
         reason, occasion, round, addressee, ordinal, template, channel, language, region, planned_at, not_after, state \
         FROM contacts WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    ),
    (
        "contact-log",
        "SELECT seq, lower(hex(contact)), lower(hex(customer)), state, at FROM contact_log WHERE seq > ?1 \
         ORDER BY seq LIMIT ?2",
    ),
    (
        "controls",
        "SELECT seq, plan, campaign, lower(hex(customer)), occasion, planned_at FROM controls WHERE seq > ?1 \
         ORDER BY seq LIMIT ?2",
    ),
    (
        "outcomes",
        "SELECT seq, lower(hex(customer)), kind, value, at, activity, source, lower(hex(contact)) FROM outcomes \
         WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    ),
    ("wishes", "SELECT seq, lower(hex(customer)), wish, at FROM wishes WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
    (
        "assignments",
        "SELECT experiment || ' ' || hex(customer), experiment, lower(hex(customer)), arm, at FROM assignments \
         WHERE experiment || ' ' || hex(customer) > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "versions",
        "SELECT s.id, v.activity, v.version, v.component, s.state, json_extract(v.manifest, '$.title.zh'), \
         json_extract(v.manifest, '$.title.en'), json_extract(v.manifest, '$.owner_region'), \
         coalesce(json_extract(s.approval, '$.class'), json_extract(v.manifest, '$.class')), \
         json_extract(v.manifest, '$.goal.outcome'), v.uploaded_at FROM submissions s \
         JOIN versions v ON v.component = s.component WHERE s.id > ?1 ORDER BY s.id LIMIT ?2",
    ),
    (
        "campaigns",
        "SELECT id, id, activity, component, state, params, started_at FROM campaigns WHERE id > ?1 ORDER BY id LIMIT ?2",
    ),
    ("plans", "SELECT id, id, date, wave, state, created_at FROM plans WHERE id > ?1 ORDER BY id LIMIT ?2"),
    (
        "plan-verdicts",
        "SELECT p.id || ' ' || c.key || ' ' || v.key, p.id, c.key, v.key, v.value FROM plans p, json_each(p.tallies) c, \
         json_each(c.value) v WHERE p.id || ' ' || c.key || ' ' || v.key > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "evaluations",
        "SELECT id, id, campaign, activity, component, metric, json_extract(document, '$.measure'), \
         json_extract(document, '$.unit'), json_extract(document, '$.treated.count'), \
         json_extract(document, '$.control.count'), json_extract(document, '$.treated_mean'), \
         json_extract(document, '$.control_mean'), json_extract(document, '$.effect.difference'), \
         json_extract(document, '$.effect.ci95[0]'), json_extract(document, '$.effect.ci95[1]'), \
         json_extract(document, '$.effect.p'), at FROM evaluations WHERE id > ?1 ORDER BY id LIMIT ?2",
    ),
    (
        "findings",
        "SELECT id, id, activity, json_extract(document, '$.version'), json_extract(document, '$.what'), \
         json_extract(document, '$.evaluation'), json_extract(document, '$.due'), state, \
         json_extract(document, '$.state.by_version') FROM findings WHERE id > ?1 ORDER BY id LIMIT ?2",
    ),
    (
        "need-records",
        "SELECT id, source, entry, region, at, score FROM need_records WHERE id > ?1 ORDER BY id LIMIT ?2",
    ),
    (
        "needs",
        "SELECT n.id || ' ' || coalesce(a.activity, ''), n.id, n.entry, json_extract(n.document, '$.title'), n.state, \
         a.activity FROM needs n LEFT JOIN need_answers a ON a.need = n.id \
         WHERE n.id || ' ' || coalesce(a.activity, '') > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "activations",
        "SELECT campaign, campaign, json_extract(bounds, '$.areas'), json_extract(bounds, '$.from'), \
         json_extract(bounds, '$.until'), reason, json_extract(review, '$.review') FROM activations WHERE campaign \
         > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "alerts",
        "SELECT sender || ' ' || identifier || ' ' || sent, sender, identifier, sent, taken_at FROM alerts WHERE \
         sender || ' ' || identifier || ' ' || sent > ?1 ORDER BY 1 LIMIT ?2",
    ),
    ("calendars", "SELECT year, year, digest, days, imported_at FROM calendars WHERE year > ?1 ORDER BY 1 LIMIT ?2"),
    (
        "calling-windows",
        "SELECT id, id, opened_at, closes_at, seats, calls_an_hour FROM calling_windows WHERE id > ?1 ORDER BY 1 \
         LIMIT ?2",
    ),
    ("calls", "SELECT id, id, lower(hex(customer)), at, channel, topic FROM calls WHERE id > ?1 ORDER BY 1 LIMIT ?2"),
    (
        "carried",
        "SELECT seq, plan, date, campaign, lower(hex(customer)), occasion, reason, score, not_before, not_after, \
         open FROM carried WHERE seq > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "copies",
        "SELECT hex(id), kind, subject, plan, template, channel, language, at, answer FROM asides WHERE id > \
         unhex(?1) ORDER BY id LIMIT ?2",
    ),
    (
        "dead-letters",
        "SELECT hex(contact) || ' ' || at, lower(hex(contact)), at, gateway, replayed_at FROM dead_letters WHERE \
         hex(contact) || ' ' || at > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "deliveries",
        "SELECT hex(contact), lower(hex(contact)), lower(hex(customer)), delivery, at FROM deliveries WHERE \
         contact > unhex(?1) ORDER BY contact LIMIT ?2",
    ),
    (
        "disasters",
        "SELECT id, id, json_extract(document, '$.name'), json_extract(document, '$.onset'), \
         json_extract(document, '$.until'), json_extract(document, '$.state'), json_extract(document, '$.areas'), \
         json_extract(document, '$.campaign') FROM disasters WHERE id > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "event-batches",
        "SELECT number, number, instant, mark, world, json_array_length(events) FROM event_batches WHERE number > \
         ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "handouts",
        "SELECT hex(contact) || ' ' || attempt, lower(hex(contact)), attempt, lower(hex(customer)), campaign, \
         channel, at, back_at, window, result, result_at FROM handouts WHERE (contact, attempt) > \
         (unhex(substr(?1, 1, 32)), CAST(substr(?1, 34) AS INTEGER)) ORDER BY contact, attempt LIMIT ?2",
    ),
    (
        "named-lists",
        "SELECT name, name, (SELECT COUNT(*) FROM named_list_members m WHERE m.list = l.name), expires_on, \
         imported_at FROM named_lists l WHERE name > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "policies",
        "SELECT number, number, digest, base, state, document FROM policy_versions WHERE number > ?1 ORDER BY 1 \
         LIMIT ?2",
    ),
    (
        "prompts",
        "SELECT id, id, call, lower(hex(customer)), world, activity, occasion, state, answered_at FROM prompts \
         WHERE id > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "reference-tables",
        "SELECT name, name, digest, imported_at FROM reference_tables WHERE name > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "release-cuts",
        "SELECT plan || ' ' || campaign || ' ' || hex(customer) || ' ' || occasion || ' ' || round, plan, \
         campaign, lower(hex(customer)), occasion, round, rule FROM release_cuts WHERE plan || ' ' || campaign || \
         ' ' || hex(customer) || ' ' || occasion || ' ' || round > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "sends",
        "SELECT hex(contact) || ' ' || attempt, lower(hex(contact)), attempt, lower(hex(customer)), channel, \
         gateway, started_at, answered_at, answer FROM sends WHERE (contact, attempt) > (unhex(substr(?1, 1, \
         32)), CAST(substr(?1, 34) AS INTEGER)) ORDER BY contact, attempt LIMIT ?2",
    ),
    (
        "simulations",
        "SELECT s.id, s.id, s.submission, v.activity, v.version, s.business_date, s.evidence, s.at FROM \
         simulations s JOIN submissions u ON u.id = s.submission JOIN versions v ON v.component = u.component \
         WHERE s.id > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "snapshots",
        "SELECT id, id, business_date, customers, imported_at FROM snapshots WHERE id > ?1 ORDER BY 1 LIMIT ?2",
    ),
    (
        "switches",
        "SELECT scope || ' ' || target, scope, target, at FROM switches WHERE scope || ' ' || target > ?1 ORDER \
         BY 1 LIMIT ?2",
    ),
];

/// Tables whose cursor is a number.
const NUMBERED: [&str; 15] = [
    "contacts",
    "contact-log",
    "controls",
    "outcomes",
    "wishes",
    "versions",
    "evaluations",
    "findings",
    "calendars",
    "calling-windows",
    "carried",
    "disasters",
    "event-batches",
    "policies",
    "simulations",
];

impl Store {
    /// The rows of a table after `after`, at most `limit`, and where the next page begins; `None` at the end.
    pub async fn export_page(
        &self,
        table: &Table,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Option<(Vec<Vec<Cell>>, Cursor)>, StoreError> {
        let doing = "exporting a table";
        let statement = STATEMENTS.iter().find(|(name, _)| *name == table.name).map(|(_, sql)| *sql);
        let statement = statement.ok_or_else(|| StoreError::impossible("export", "table", table.name))?;
        let numbered = NUMBERED.contains(&table.name);
        let query = match after {
            Some(Cursor::Number(number)) => sqlx::query(statement).bind(*number),
            Some(Cursor::Text(text)) => sqlx::query(statement).bind(text.clone()),
            None if numbered => sqlx::query(statement).bind(i64::MIN),
            None => sqlx::query(statement).bind(String::new()),
        };
        let rows = query.bind(limit).fetch_all(&self.readers).await.during(doing)?;
        let Some(last) = rows.last() else { return Ok(None) };
        let cursor = match numbered {
            true => Cursor::Number(last.try_get(0).during(doing)?),
            false => Cursor::Text(last.try_get(0).during(doing)?),
        };
        let cells = rows.iter().map(|row| cells_of(row, table)).collect::<Result<_, _>>()?;
        Ok(Some((cells, cursor)))
    }
}

fn cells_of(row: &SqliteRow, table: &Table) -> Result<Vec<Cell>, StoreError> {
    let cell = |(at, (_, ty)): (usize, &(&str, CellType))| {
        let at = at + 1;
        let cell = match ty {
            CellType::Text => row.try_get::<Option<String>, _>(at).map(|v| v.map_or(Cell::None, Cell::Text)),
            CellType::Real => row.try_get::<Option<f64>, _>(at).map(|v| v.map_or(Cell::None, Cell::Real)),
            _ => row.try_get::<Option<i64>, _>(at).map(|v| v.map_or(Cell::None, Cell::Whole)),
        };
        cell.during("exporting a table")
    };
    table.columns.iter().enumerate().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::export::{DECISIONS, EVENTS, TABLES};
    use sqlx::{Executor, SqlSafeStr, Statement};

    /// What stays behind, and why.
    const STAYING: &[(&str, &str)] = &[
        ("sequence", "a counter"),
        ("activities", "in versions"),
        ("submissions", "in versions"),
        ("submission_steps", "the rules themselves"),
        ("tasks", "in plan-verdicts"),
        ("appointments", "people and their rights"),
        ("branch_keys", "people and their rights"),
        ("tokens", "people and their rights"),
        ("passwords", "people and their rights"),
        ("audit", "leaves signed, by `care audit export`"),
        ("audit_head", "leaves signed, by `care audit export`"),
        ("gate_rules", "in the audit log"),
        ("parts", "ids of gateways"),
        ("receipts", "in deliveries"),
        ("rates", "counters of dispatch"),
        ("frames", "words around messages"),
        ("notices", "letters to people"),
        ("brakes", "in the audit log"),
        ("experiments", "in assignments and evaluations"),
        ("imported_campaigns", "in assignments and evaluations"),
        ("need_answers", "in needs"),
        ("event_worlds", "pins, for replays"),
        ("event_sources", "in events"),
        ("event_names", "in events"),
        ("event_candidates", "in decisions"),
        ("stays", "in events"),
        ("requests", "answers kept for a day"),
        ("named_list_members", "counted in named-lists"),
        ("hooks", "addresses of other systems"),
        ("hook_deliveries", "in the audit log"),
        ("retention", "in the audit log"),
        ("retention_runs", "in the audit log"),
        ("forgetting", "empty but within a transaction"),
        ("forgetting_contacts", "empty but within a transaction"),
    ];

    #[tokio::test]
    async fn every_table_leaves_or_says_why_it_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("a store");
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
             AND name <> '_sqlx_migrations' ORDER BY name",
        )
        .fetch_all(&store.readers)
        .await
        .expect("tables");
        let other_name = |name: &str| match name {
            "submissions" => "versions".to_owned(),
            "asides" => "copies".to_owned(),
            "policy_versions" => "policies".to_owned(),
            name => name.replace('_', "-"),
        };
        for name in names {
            let leaves = TABLES.iter().any(|table| table.name == other_name(&name));
            let stays = STAYING.iter().any(|(known, _)| *known == name);
            assert!(leaves || stays, "{name} neither leaves nor says why it stays");
        }
    }

    #[tokio::test]
    async fn every_statement_yields_the_columns_of_its_table() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("a store");
        for table in TABLES {
            assert!(![DECISIONS.name, EVENTS.name].contains(&table.name));
            assert_eq!(store.export_page(&table, None, 10).await.expect("a page").map(|page| page.0.len()), None);
            let (_, statement) = STATEMENTS.iter().find(|(name, _)| *name == table.name).expect("a statement");
            let described = (&store.readers).prepare((*statement).into_sql_str()).await.expect("a sound statement");
            assert_eq!(described.columns().len(), table.columns.len() + 1, "{}", table.name);
        }
    }
}
