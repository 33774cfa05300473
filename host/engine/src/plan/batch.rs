//! One batch as plugins see it: the granted columns of a run of rows, lent from the snapshot without a copy,
//! and the host's own columns computed beside them.

use super::due::Lists;
use care_domain::column::{Column, Table};
use care_domain::contact::ContactState;
use care_domain::decide::Past;
use care_domain::field::{EVENT_PREFIX, LIST_PREFIX, OWN_PREFIX};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::manifest::FieldUse;
use care_population::BucketData;
use care_store::History;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Where a batch's customers stand.
enum Place<'a> {
    /// One after the other in a bucket: lent without a copy.
    Run(&'a BucketData, Range<usize>),
    /// Anywhere: picked together.
    Scattered(&'a [(Arc<BucketData>, usize)]),
}

/// Customers, with what the ledger knows of them, and what events say.
pub(crate) struct BatchView<'a> {
    place: Place<'a>,
    /// Fields of events, one row a row of the batch.
    events: Option<&'a Table>,
    pub(crate) keys: Vec<CustomerKey>,
    pub(super) history: &'a History,
    pub(super) lists: &'a Lists,
}

impl<'a> BatchView<'a> {
    pub(crate) fn new(bucket: &'a BucketData, rows: Range<usize>, history: &'a History, lists: &'a Lists) -> Self {
        let keys = rows.clone().filter_map(|row| bucket.key(row)).collect();
        Self { place: Place::Run(bucket, rows), events: None, keys, history, lists }
    }

    /// Customers anywhere, one of them perhaps more than once.
    pub(super) fn scattered(
        places: &'a [(Arc<BucketData>, usize)],
        events: &'a Table,
        history: &'a History,
        lists: &'a Lists,
    ) -> Self {
        let keys = places.iter().filter_map(|(bucket, row)| bucket.key(*row)).collect();
        Self { place: Place::Scattered(places), events: Some(events), keys, history, lists }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The columns of `fields` for the whole batch, or for some of its rows in their order.
    pub(crate) fn table(&self, activity: &str, fields: &[FieldUse], rows: Option<&[u32]>) -> Table {
        let pick = |column: Column| rows.map_or_else(|| column.clone(), |rows| column.gather(rows));
        let columns = fields.iter().map(|f| (f.name.clone(), pick(self.column(activity, f)))).collect();
        let rows = rows.map_or(self.len(), <[u32]>::len);
        Table { rows: rows as u32, columns }
    }

    /// A column of the snapshot for the whole batch; `None` when the snapshot lacks it.
    pub(super) fn stored(&self, name: &str) -> Option<Column> {
        match &self.place {
            Place::Run(bucket, rows) => bucket.column(name).map(|column| column.slice(rows.clone())),
            Place::Scattered(places) => {
                let mut columns: HashMap<Bucket, Column> = HashMap::new();
                let mut cells = Vec::with_capacity(places.len());
                for (bucket, row) in *places {
                    let column = match columns.get(&bucket.bucket()) {
                        Some(column) => column.clone(),
                        None => bucket.column(name)?,
                    };
                    columns.entry(bucket.bucket()).or_insert_with(|| column.clone());
                    cells.push((column, *row));
                }
                Column::collect(&cells)
            }
        }
    }

    fn column(&self, activity: &str, field: &FieldUse) -> Column {
        if let Some(list) = field.name.strip_prefix(LIST_PREFIX) {
            let members = self.lists.get(list);
            return Column::boolean(self.keys.iter().map(|k| Some(members.is_some_and(|m| m.contains(k)))));
        }
        if field.name.starts_with(OWN_PREFIX) {
            return self.own(activity, field);
        }
        if field.name.starts_with(EVENT_PREFIX) {
            let told = self.events.and_then(|events| events.columns.get(&field.name)).cloned();
            return told.unwrap_or_else(|| Column::absent(field.ty, self.len()));
        }
        self.stored(&field.name).unwrap_or_else(|| Column::absent(field.ty, self.len()))
    }

    fn own(&self, activity: &str, field: &FieldUse) -> Column {
        let own: Vec<Own<'_>> = self.keys.iter().map(|key| Own::of(&self.history.contacts, *key, activity)).collect();
        match field.name.as_str() {
            "own.last-contact-at" => Column::s64(own.iter().map(|o| o.last_contact_at)),
            "own.contacts" => Column::s64(own.iter().map(|o| Some(o.contacts))),
            "own.round" => Column::s32(own.iter().map(|o| o.round)),
            "own.last-outcome" => Column::categories(own.iter().map(|o| o.last_outcome)),
            _ => Column::absent(field.ty, self.len()),
        }
    }
}

/// What an activity may know of its own past with a customer, as of the task's mark.
#[derive(Default)]
struct Own<'a> {
    last_contact_at: Option<i64>,
    contacts: i64,
    round: Option<i32>,
    last_outcome: Option<&'a str>,
}

impl<'a> Own<'a> {
    fn of(history: &'a HashMap<CustomerKey, Vec<Past>>, key: CustomerKey, activity: &str) -> Self {
        let past = history.get(&key).map_or(&[][..], Vec::as_slice);
        let mut own = Self::default();
        let mut seen = HashSet::new();
        for contact in past
            .iter()
            .filter(|p| p.activity == activity && !matches!(p.state, ContactState::Cancelled | ContactState::Lost))
        {
            own.contacts += i64::from(seen.insert((contact.occasion, contact.round)));
            if own.last_contact_at.is_none_or(|at| contact.planned_at >= at) {
                own.last_contact_at = Some(contact.planned_at);
                own.round = Some(i32::from(contact.round));
                own.last_outcome = contact.outcome.as_deref();
            }
        }
        own
    }
}
