//! One batch as plugins see it: the granted columns of a run of rows, lent from the snapshot without a copy,
//! and the host's own columns computed beside them.

use super::due::Lists;
use care_domain::column::{Column, Table};
use care_domain::contact::ContactState;
use care_domain::decide::Past;
use care_domain::field::{LIST_PREFIX, OWN_PREFIX};
use care_domain::key::CustomerKey;
use care_domain::manifest::FieldUse;
use care_population::BucketData;
use care_store::History;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Rows of a bucket, with what the ledger knows of their customers.
pub(super) struct BatchView<'a> {
    pub(super) bucket: &'a BucketData,
    pub(super) rows: Range<usize>,
    pub(super) keys: Vec<CustomerKey>,
    pub(super) history: &'a History,
    pub(super) lists: &'a Lists,
}

impl<'a> BatchView<'a> {
    pub(super) fn new(bucket: &'a BucketData, rows: Range<usize>, history: &'a History, lists: &'a Lists) -> Self {
        let keys = rows.clone().filter_map(|row| bucket.key(row)).collect();
        Self { bucket, rows, keys, history, lists }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The columns of `fields` for the whole batch, or for some of its rows in their order.
    pub(super) fn table(&self, activity: &str, fields: &[FieldUse], rows: Option<&[u32]>) -> Table {
        let pick = |column: Column| rows.map_or_else(|| column.clone(), |rows| column.gather(rows));
        let columns = fields.iter().map(|f| (f.name.clone(), pick(self.column(activity, f)))).collect();
        let rows = rows.map_or(self.len(), <[u32]>::len);
        Table { rows: rows as u32, columns }
    }

    /// A column of the snapshot for the whole batch; `None` when the snapshot lacks it.
    pub(super) fn stored(&self, name: &str) -> Option<Column> {
        self.bucket.column(name).map(|column| column.slice(self.rows.clone()))
    }

    fn column(&self, activity: &str, field: &FieldUse) -> Column {
        if let Some(list) = field.name.strip_prefix(LIST_PREFIX) {
            let members = self.lists.get(list);
            return Column::boolean(self.keys.iter().map(|k| Some(members.is_some_and(|m| m.contains(k)))));
        }
        if field.name.starts_with(OWN_PREFIX) {
            return self.own(activity, field);
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
        for contact in past.iter().filter(|p| p.activity == activity && p.state != ContactState::Cancelled) {
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
