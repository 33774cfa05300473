//! What policy must know of the customers of a batch: columns of the snapshot, overlaid with the ledger.

use super::batch::BatchView;
use care_domain::column::Column;
use care_domain::decide::{Customer, ListMark, Wishes};
use care_domain::key::CustomerKey;
use care_domain::policy::Policy;
use care_domain::region;
use care_domain::text::Language;
use care_domain::time;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The named lists that a customer is on.
fn on_lists(view: &BatchView<'_>, key: CustomerKey) -> Vec<String> {
    view.lists.iter().filter(|(_, members)| members.contains(&key)).map(|(name, _)| name.clone()).collect()
}

/// The columns that policy reads; a snapshot may lack any of them.
pub(super) struct FactColumns<'p> {
    policy: &'p Policy,
    home: Option<Column>,
    visited: Option<Column>,
    list: Option<Column>,
    complaint: Option<Column>,
    consent: Option<Column>,
    language: Option<Column>,
    tier: Option<Column>,
    zone: Option<Column>,
    in_disaster_area: Vec<bool>,
    /// Named lists by row; empty where nobody reads one.
    lists: Vec<Vec<String>>,
    zones: HashMap<String, TimeZone>,
    province: TimeZone,
}

impl<'p> FactColumns<'p> {
    pub(super) fn read(view: &BatchView<'_>, policy: &'p Policy, disaster_areas: &[String]) -> Self {
        let visited = view.stored("visited-adcode");
        let stands_in = |row| {
            let at = visited.as_ref().filter(|_| !disaster_areas.is_empty()).and_then(|column| column.text(row));
            at.is_some_and(|at| disaster_areas.iter().any(|area| region::covers(area, at)))
        };
        let zone = view.stored("time-zone");
        let named = zone.iter().flat_map(|column| (0..view.len()).filter_map(|row| column.text(row)));
        let mut zones: HashMap<String, TimeZone> = HashMap::new();
        for name in named.chain(policy.zones.values().map(String::as_str)) {
            if !zones.contains_key(name)
                && let Some(zone) = time::zone(name)
            {
                zones.insert(name.to_owned(), zone);
            }
        }
        Self {
            policy,
            in_disaster_area: (0..view.len()).map(stands_in).collect(),
            lists: if view.lists.is_empty() {
                Vec::new()
            } else {
                view.keys.iter().map(|key| on_lists(view, *key)).collect()
            },
            visited,
            tier: view.stored("tier"),
            home: view.stored("home-adcode"),
            list: view.stored("list-mark"),
            complaint: view.stored("open-complaint"),
            consent: view.stored("consent-commercial"),
            language: view.stored("language"),
            province: time::zone(time::PROVINCE_ZONE).unwrap_or(TimeZone::UTC),
            zone,
            zones,
        }
    }

    /// The customer's wishes: what the ledger says, and where it says nothing, the snapshot.
    pub(super) fn wishes(&self, view: &BatchView<'_>, row: usize) -> Wishes {
        let mut wishes = view.history.wishes.get(&view.keys[row]).cloned().unwrap_or_default();
        wishes.commercial = wishes.commercial.or_else(|| self.consent.as_ref()?.yes(row));
        wishes
    }

    pub(super) fn customer<'a>(&'a self, view: &'a BatchView<'_>, row: usize, wishes: &'a Wishes) -> Customer<'a> {
        let key = view.keys[row];
        Customer {
            key,
            region: self.home(row),
            visited: self.visited.as_ref().and_then(|c| c.text(row)).unwrap_or_default(),
            tier: self.tier(row),
            list: match self.list.as_ref().and_then(|c| c.text(row)) {
                Some("red") => ListMark::Red,
                Some("black") => ListMark::Black,
                _ => ListMark::Ordinary,
            },
            // What events told of is newer than the snapshot.
            open_complaint: wishes.complaint.or_else(|| self.complaint.as_ref()?.yes(row)).unwrap_or(false),
            in_disaster_area: self.in_disaster_area.get(row).copied().unwrap_or(false),
            lists: self.lists.get(row).map_or(&[], Vec::as_slice),
            zone: self.zone(row),
            wishes,
            past: view.history.contacts.get(&key).map_or(&[], Vec::as_slice),
        }
    }

    fn home(&self, row: usize) -> &str {
        self.home.as_ref().and_then(|c| c.text(row)).unwrap_or_default()
    }

    fn tier(&self, row: usize) -> &str {
        self.tier.as_ref().and_then(|c| c.text(row)).unwrap_or_default()
    }

    /// The customer's own zone, else that of the region where the customer is, else that of the home region.
    fn zone(&self, row: usize) -> &TimeZone {
        let own = self.zone.as_ref().and_then(|column| self.zones.get(column.text(row)?));
        own.unwrap_or_else(|| {
            let visited = self.visited.as_ref().and_then(|column| column.text(row));
            let named = self.policy.zone_of(visited.unwrap_or_else(|| self.home(row)));
            named.and_then(|name| self.zones.get(name)).unwrap_or(&self.province)
        })
    }

    /// What a message must know of the customer; Chinese unless the snapshot says otherwise.
    pub(super) fn reader(&self, row: usize) -> Reader<'_> {
        let language = match self.language.as_ref().and_then(|c| c.text(row)) {
            Some("en") => Language::En,
            _ => Language::Zh,
        };
        Reader { language, region: self.home(row), tier: self.policy.tier_rank(self.tier(row)) }
    }
}

/// Whom a message is for.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The language in which the customer reads.
    pub(super) language: Language,
    /// Home region; empty when unknown.
    pub(super) region: &'a str,
    /// Rank of the tier, 0 the first.
    pub(super) tier: u8,
}
