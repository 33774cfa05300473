//! Disasters: an alert drafts an area, a duty officer activates what was approved, an update or a cancel replaces the
//! area or ends it. An alert alone never sends anything; it may only stop.

mod cap;
mod schema;

use crate::campaign::NewCampaign;
use crate::live::Places;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::contact::ContactId;
use care_domain::disaster::{AlertKey, DisasterState, Place, Point, Shape, Step, places_in, step};
use care_domain::field::FieldType;
use care_domain::key::Bucket;
use care_domain::person::{Act, Actor};
use care_domain::region;
use care_domain::standby::Bounds;
use care_domain::text::Finding;
use care_domain::time;
use care_population::Snapshot;
use care_population::reference::ReferenceTable;
use care_store::Disaster;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The reference table of administrative places: `adcode`, `name`, `longitude`, `latitude`.
const PLACES: &str = "places";
/// Where the field of a customer's whereabouts is.
const VISITED: &str = "visited-adcode";
/// The parameter that says when a disaster began.
const ONSET: &str = "onset";
/// The parameter that names its area to those who do not stand in it.
const AREA: &str = "area";
/// S1: the last phase ends 142 days after the onset (2008-05-12 to 2008-10-01).
const LAST_DAY: i32 = 141;

/// What became of an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertTaken {
    /// What follows: `draft`, `replaced`, `ended`, `known` or `nothing`.
    pub follows: &'static str,
    /// Why nothing follows; empty otherwise.
    pub because: String,
    /// The disasters concerned.
    pub disasters: Vec<i64>,
    /// Codes of the places in the area.
    pub areas: Vec<String>,
    /// Waiting contacts that it stopped.
    pub stopped: u64,
}

/// A daily report of a disaster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DisasterReport {
    /// The disaster.
    pub disaster: Disaster,
    /// The day, `2008-05-14`.
    pub date: String,
    /// Day after the onset, from 0.
    pub day: i32,
    /// Customers whom the newest snapshot sees in the area.
    pub customers: u64,
    /// Contacts by template and state.
    pub contacts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Customers contacted by the last outcome: `safe`, `unreachable`, `possibly-missing`, `deceased` …; under an empty
    /// name those of whom nothing is known yet.
    pub outcomes: BTreeMap<String, u64>,
}

impl Engine {
    /// Takes an alert of the Common Alerting Protocol. It drafts a disaster, draws one anew, or ends it.
    pub async fn take_alert(&self, document: &[u8], by: &str, at: i64) -> Result<AlertTaken, EngineError> {
        let actor = self.authorise(by, Act::DraftDisaster, None, at).await?;
        let alert = cap::read(document).map_err(EngineError::Refused)?;
        let known = self.store.disasters().await?;
        let drawn: Vec<(i64, DisasterState, Vec<AlertKey>)> =
            known.iter().map(|d| (d.id, d.state, d.alerts.clone())).collect();
        let follows = step(&alert, &drawn).map_err(EngineError::Refused)?;
        let areas = match follows {
            Step::Draft | Step::Replace(_) => self.areas_of(&alert.shapes).await?,
            Step::End(_) | Step::Nothing(_) => Vec::new(),
        };
        let digest = canonical::digest(document);
        let detail = json!({"kind": alert.kind, "digest": digest, "areas": areas});
        let entry = Entry::of(&actor, "alert-taken", format!("alert {}", alert.key.identifier), detail);
        let mut taken =
            AlertTaken { follows: "known", because: String::new(), disasters: Vec::new(), areas, stopped: 0 };
        if !self.store.keep_alert(&alert, &entry).await? {
            taken.because = "it came before".into();
            return Ok(taken);
        }
        match follows {
            Step::Nothing(because) => (taken.follows, taken.because) = ("nothing", because.into()),
            Step::Draft => {
                let new = Disaster {
                    id: 0,
                    name: alert.event.clone(),
                    onset: time::today(alert.onset),
                    until: None,
                    state: DisasterState::Draft,
                    areas: taken.areas.clone(),
                    alerts: vec![alert.key.clone()],
                    campaign: None,
                    activated_by: None,
                };
                taken.follows = "draft";
                taken.disasters.push(self.note_disaster(&new, "disaster-drafted", &actor).await?);
            }
            Step::Replace(ids) => {
                taken.follows = "replaced";
                for disaster in known.into_iter().filter(|d| ids.contains(&d.id)) {
                    taken.disasters.push(disaster.id);
                    taken.stopped += self.redraw(disaster, &taken.areas, alert.key.clone(), &actor).await?;
                }
            }
            Step::End(ids) => {
                taken.follows = "ended";
                for disaster in known.into_iter().filter(|d| ids.contains(&d.id)) {
                    taken.disasters.push(disaster.id);
                    taken.stopped += self.finish_disaster(disaster, &actor).await?;
                }
            }
        }
        Ok(taken)
    }

    /// Drafts a disaster by hand: around a point, or by codes.
    pub async fn draft_disaster(
        &self,
        name: &str,
        onset: i32,
        shapes: &[Shape],
        by: &str,
        at: i64,
    ) -> Result<Disaster, EngineError> {
        let actor = self.authorise(by, Act::DraftDisaster, None, at).await?;
        let areas = self.areas_of(shapes).await?;
        let new = Disaster {
            id: 0,
            name: name.to_owned(),
            onset,
            until: None,
            state: DisasterState::Draft,
            areas,
            alerts: Vec::new(),
            campaign: None,
            activated_by: None,
        };
        let id = self.note_disaster(&new, "disaster-drafted", &actor).await?;
        Ok(Disaster { id, ..new })
    }

    /// Activates a disaster: starts what was approved on standby for it, within the approval's bounds, and puts its area
    /// on, from its first day until the last one asked for (S1: 142 days). The duty officer's alone; the province reviews
    /// it within 24 hours.
    pub async fn activate_disaster(
        &self,
        id: i64,
        activity: &str,
        (until, reason): (Option<i32>, &str),
        by: &str,
        at: i64,
    ) -> Result<Disaster, EngineError> {
        let actor = self.authorise(by, Act::Activate, None, at).await?;
        let disaster = self.disaster(id).await?;
        if disaster.state != DisasterState::Draft {
            let message = format!("disaster {id} is no draft any more");
            return Err(EngineError::refused("not-a-draft", message, "See `care disaster list`"));
        }
        let mut params = Map::new();
        params.insert(ONSET.to_owned(), Value::from(time::write_date(disaster.onset)));
        if self.asks_for_area(activity).await?
            && let Some(area) = disaster.areas.first()
        {
            params.insert(AREA.to_owned(), Value::from(area.as_str()));
        }
        let requirement = semver::VersionReq::STAR;
        let new = NewCampaign { activity: activity.to_owned(), requirement, params, ..NewCampaign::default() };
        let until = until.unwrap_or(disaster.onset.saturating_add(LAST_DAY));
        let bounds = Bounds { areas: disaster.areas.clone(), from: disaster.onset, until };
        let started = self.activate_standby(&new, &bounds, reason, by, at).await?;
        let active = Disaster {
            until: Some(until),
            state: DisasterState::Active,
            campaign: Some(started.campaign),
            activated_by: Some(actor.person.clone()),
            ..disaster
        };
        self.set_areas(&active, true, &actor).await?;
        self.note_disaster(&active, "disaster-activated", &actor).await?;
        Ok(active)
    }

    /// Whether an activity names the area to those who do not stand in it.
    async fn asks_for_area(&self, activity: &str) -> Result<bool, EngineError> {
        let all = self.store.submissions().await?;
        let asks = |params: &Value| params["properties"].get(AREA).is_some();
        Ok(all.iter().any(|s| {
            let granted = s.submission.may_start() && s.version.manifest.name == activity;
            granted && asks(&s.version.manifest.params)
        }))
    }

    /// Ends a disaster: its area is off, its campaign stops, what waits is withdrawn. Returns how many contacts that were.
    pub async fn end_disaster(&self, id: i64, by: &str, at: i64) -> Result<u64, EngineError> {
        let actor = self.authorise(by, Act::Activate, None, at).await?;
        let disaster = self.disaster(id).await?;
        if disaster.state == DisasterState::Ended {
            let message = format!("disaster {id} has ended");
            return Err(EngineError::refused("ended", message, "Nothing to do"));
        }
        self.finish_disaster(disaster, &actor).await
    }

    /// A disaster by its number.
    pub async fn disaster(&self, id: i64) -> Result<Disaster, EngineError> {
        let found = self.store.disasters().await?.into_iter().find(|d| d.id == id);
        found.ok_or_else(|| {
            EngineError::refused("unknown-disaster", format!("there is no disaster {id}"), "See `care disaster list`")
        })
    }

    /// All disasters.
    pub async fn disasters(&self) -> Result<Vec<Disaster>, EngineError> {
        Ok(self.store.disasters().await?)
    }

    /// What a day of a disaster came to.
    pub async fn disaster_report(&self, id: i64, date: i32) -> Result<DisasterReport, EngineError> {
        let disaster = self.disaster(id).await?;
        let snapshot = self.snapshot(None, Some(date)).await?;
        let areas = disaster.areas.clone();
        let counted = tokio::task::spawn_blocking(move || customers_in(&snapshot, &areas));
        let customers = counted.await.map_err(EngineError::internal)??;
        let mut contacts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut outcomes = BTreeMap::new();
        if let Some(campaign) = &disaster.campaign {
            for ((template, state), count) in self.store.campaign_progress(campaign).await? {
                contacts.entry(template).or_default().insert(state, count);
            }
            let until = time::day_begins(date.saturating_add(1)).unwrap_or(i64::MAX);
            outcomes = self.store.last_outcomes(campaign, until).await?;
        }
        let day = date - disaster.onset;
        Ok(DisasterReport { disaster, date: time::write_date(date), day, customers, contacts, outcomes })
    }

    async fn note_disaster(&self, disaster: &Disaster, deed: &str, actor: &Actor) -> Result<i64, EngineError> {
        if !self.store.tables().await?.contains_key(crate::reference::DISASTER_TABLE) {
            // The activity reads the table already when it is simulated, before any area is on.
            self.put_areas(&empty_areas(), json!({"disaster": disaster.id}), actor).await?;
        }
        let detail = json!({"areas": disaster.areas, "campaign": disaster.campaign});
        Ok(self.store.keep_disaster(disaster, Entry::of(actor, deed, "", detail)).await?)
    }

    /// Codes of the places in some shapes, by the reference table of places. Codes need no table.
    async fn areas_of(&self, shapes: &[Shape]) -> Result<Vec<String>, EngineError> {
        let codes = shapes.iter().filter_map(|shape| match shape {
            Shape::Code(code) => Some(code.clone()),
            _ => None,
        });
        let mut areas: Vec<String> = codes.collect();
        if areas.len() < shapes.len() {
            areas.extend(places_in(shapes, &self.places().await?));
        }
        areas.sort_unstable();
        areas.dedup();
        if areas.is_empty() {
            let finding = Finding::error("no-area", "no place of ours lies in the area", "Name it by its codes");
            return Err(EngineError::Refused(finding));
        }
        Ok(areas)
    }

    /// The places of the reference table; those without coordinates lie nowhere.
    async fn places(&self) -> Result<Vec<Place>, EngineError> {
        let tables = self.store.tables().await?;
        let wanted: BTreeMap<String, String> = tables.into_iter().filter(|(name, _)| name.as_str() == PLACES).collect();
        let loaded = self.tables_of(&wanted)?;
        let table = loaded.named([PLACES.to_owned()].iter()).remove(PLACES).ok_or_else(|| {
            let hint = "Import administrative codes with coordinates: `care table import places FILE --schema \
                        examples/places.toml`";
            EngineError::refused("no-places", "there is no table of places, so no area can be drawn", hint)
        })?;
        let (code, name) = (table.columns.get("adcode"), table.columns.get("name"));
        let (lon, lat) = (table.columns.get("longitude"), table.columns.get("latitude"));
        let place = |row: usize| {
            let adcode: String = code?.text(row)?.chars().take(6).collect();
            let seat = Point { lat: lat?.ratio(row)?, lon: lon?.ratio(row)? };
            let name = name.and_then(|c| c.text(row)).unwrap_or_default().to_owned();
            region::is_code(&adcode).then_some(Place { adcode, name, seat })
        };
        Ok((0..table.rows as usize).filter_map(place).collect())
    }

    /// Writes the area into the table that the activity and the policy read: on from the onset until its last day, or off.
    async fn set_areas(&self, disaster: &Disaster, on: bool, actor: &Actor) -> Result<(), EngineError> {
        let tables = self.store.tables().await?;
        let name = crate::reference::DISASTER_TABLE;
        let mut table = match tables.get(name) {
            Some(digest) => serde_json::from_slice(&self.store.blobs().get(digest)?).map_err(EngineError::internal)?,
            None => empty_areas(),
        };
        let names: BTreeMap<String, String> = match self.places().await {
            Ok(places) => places.into_iter().map(|place| (place.adcode, place.name)).collect(),
            Err(_) => BTreeMap::new(),
        };
        let old = self.disaster_areas_of(disaster).await?;
        table.rows.retain(|row| {
            let code = cell(&table.fields, row, "adcode");
            !code.is_some_and(|code| disaster.areas.iter().chain(&old).any(|area| area == code))
        });
        if on {
            let until = disaster.until.unwrap_or(disaster.onset.saturating_add(LAST_DAY));
            for area in &disaster.areas {
                let label = names.get(area).map_or(area.as_str(), String::as_str);
                let row = table.fields.keys().map(|field| match field.as_str() {
                    "key" | "adcode" => json!(area),
                    "label-zh" | "label-en" => json!(label),
                    "from" => json!(disaster.onset),
                    "until" => json!(until),
                    _ => Value::Null,
                });
                let row = row.collect();
                table.rows.push(row);
            }
        }
        self.put_areas(&table, json!({"disaster": disaster.id, "on": on}), actor).await
    }

    async fn put_areas(&self, table: &ReferenceTable, detail: Value, actor: &Actor) -> Result<(), EngineError> {
        let name = crate::reference::DISASTER_TABLE;
        let bytes = canonical::json(table).map_err(EngineError::internal)?;
        let digest = self.store.blobs().put(bytes.as_bytes())?;
        let entry = Entry::of(actor, "table-imported", format!("table {name}"), detail);
        Ok(self.store.set_table(name, &digest, &entry).await?)
    }

    /// The area as it was kept before.
    async fn disaster_areas_of(&self, disaster: &Disaster) -> Result<Vec<String>, EngineError> {
        Ok(self.disaster(disaster.id).await?.areas)
    }

    /// Draws a disaster anew; what waits for customers who are not in it any more is stopped.
    async fn redraw(
        &self,
        disaster: Disaster,
        areas: &[String],
        alert: AlertKey,
        actor: &Actor,
    ) -> Result<u64, EngineError> {
        let mut drawn = Disaster { areas: areas.to_vec(), ..disaster };
        drawn.alerts.push(alert);
        if drawn.state == DisasterState::Active {
            self.set_areas(&drawn, true, actor).await?;
        }
        self.note_disaster(&drawn, "disaster-redrawn", actor).await?;
        let Some(campaign) = &drawn.campaign else { return Ok(0) };
        let places = Places::of(self.snapshot(None, None).await?);
        let mut outside: Vec<ContactId> = Vec::new();
        for (contact, customer) in self.store.waiting_of(campaign).await? {
            let place = places.find(customer)?;
            let visited = place.and_then(|(bucket, row)| bucket.column(VISITED)?.text(row).map(str::to_owned));
            if !visited.is_some_and(|at| areas.iter().any(|area| region::covers(area, &at))) {
                outside.push(contact);
            }
        }
        Ok(self.store.cancel_contacts(&outside, actor.at, "not in the area any more").await?)
    }

    async fn finish_disaster(&self, disaster: Disaster, actor: &Actor) -> Result<u64, EngineError> {
        let ended = Disaster { state: DisasterState::Ended, ..disaster };
        if ended.campaign.is_some() {
            self.set_areas(&ended, false, actor).await?;
        }
        self.note_disaster(&ended, "disaster-ended", actor).await?;
        let Some(campaign) = &ended.campaign else { return Ok(0) };
        let entry = Entry::of(actor, "campaign-stopped", format!("campaign {campaign}"), json!({"disaster": ended.id}));
        // Somebody may have stopped it by hand before.
        Ok(self.store.stop_campaign(campaign, &entry).await?.unwrap_or(0))
    }
}

fn empty_areas() -> ReferenceTable {
    let text = ["key", "adcode", "label-zh", "label-en"].map(|name| (name.to_owned(), FieldType::Text));
    let date = ["from", "until"].map(|name| (name.to_owned(), FieldType::Date));
    ReferenceTable {
        name: crate::reference::DISASTER_TABLE.into(),
        fields: text.into_iter().chain(date).collect(),
        rows: Vec::new(),
    }
}

fn cell<'a>(fields: &BTreeMap<String, FieldType>, row: &'a [Value], name: &str) -> Option<&'a str> {
    let at = fields.keys().position(|field| field == name)?;
    row.get(at)?.as_str()
}

fn customers_in(snapshot: &Snapshot, areas: &[String]) -> Result<u64, EngineError> {
    let mut count = 0;
    for bucket in Bucket::all(snapshot.manifest().bits) {
        let data = snapshot.bucket(bucket)?;
        let Some(visited) = data.column(VISITED) else { continue };
        let is_in = |row: &usize| visited.text(*row).is_some_and(|at| areas.iter().any(|a| region::covers(a, at)));
        count += (0..data.rows()).filter(is_in).count() as u64;
    }
    Ok(count)
}
