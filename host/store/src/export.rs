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
const STATEMENTS: [(&str, &str); 14] = [
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
];

/// Tables whose cursor is a number.
const NUMBERED: [&str; 8] =
    ["contacts", "contact-log", "controls", "outcomes", "wishes", "versions", "evaluations", "findings"];

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
