//! Disasters: alerts as they come in, the area that they draw, and what becomes of a disaster when one follows another.
//! An alert alone drafts, replaces or ends; it never starts anything.

use crate::text::Finding;
use serde::{Deserialize, Serialize};

/// Mean radius of the earth, in kilometres.
const EARTH_KM: f64 = 6_371.0;

/// A place on the earth, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// North of the equator.
    pub lat: f64,
    /// East of Greenwich.
    pub lon: f64,
}

/// An administrative place with its seat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Six digits.
    pub adcode: String,
    /// Its name.
    pub name: String,
    /// Where its seat is.
    pub seat: Point,
}

/// What an alert draws on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// So many kilometres around a point.
    Circle {
        /// The middle.
        center: Point,
        /// Kilometres.
        radius_km: f64,
    },
    /// A ring; the last point joins the first.
    Polygon(Vec<Point>),
    /// A place by its code, and everything in it.
    Code(String),
}

/// What an alert does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// Something new.
    Alert,
    /// Replaces those that it names.
    Update,
    /// Takes back those that it names.
    Cancel,
    /// Acknowledges, or reports an error: nothing follows.
    Other,
}

/// By what an alert is known: sender, identifier and when it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    /// Who sent it.
    pub sender: String,
    /// The sender's name for it.
    pub identifier: String,
    /// When, Unix milliseconds.
    pub sent: i64,
}

/// An alert, whatever protocol it came by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// By what it is known.
    pub key: AlertKey,
    /// What it does.
    pub kind: AlertKind,
    /// Whether it is meant: no exercise, test or draft.
    pub actual: bool,
    /// The alerts that it replaces or takes back.
    pub references: Vec<AlertKey>,
    /// What happened, in the sender's words.
    pub event: String,
    /// When it begins, Unix milliseconds.
    pub onset: i64,
    /// Where.
    pub shapes: Vec<Shape>,
}

/// How far a disaster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisasterState {
    /// An alert drew it; nothing follows before a person activates it.
    Draft,
    /// A duty officer activated the activity.
    Active,
    /// Taken back or over.
    Ended,
}

/// What follows from an alert.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A new draft.
    Draft,
    /// The area of these disasters is drawn anew.
    Replace(Vec<i64>),
    /// These disasters end.
    End(Vec<i64>),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// What follows from an alert; `known` are disasters with the alerts that drew them.
pub fn step(alert: &Alert, known: &[(i64, DisasterState, Vec<AlertKey>)]) -> Result<Step, Finding> {
    if !alert.actual {
        return Ok(Step::Nothing("it is an exercise, a test or a draft"));
    }
    let named: Vec<i64> = known
        .iter()
        .filter(|(_, state, keys)| {
            *state != DisasterState::Ended && keys.iter().any(|key| alert.references.iter().any(|r| is_same(r, key)))
        })
        .map(|(id, ..)| *id)
        .collect();
    match alert.kind {
        AlertKind::Other => Ok(Step::Nothing("it acknowledges or reports an error")),
        AlertKind::Cancel if named.is_empty() => {
            let hint = "Nothing was changed; check the identifiers under <references>";
            Err(Finding::error("unknown-alert", "the alert takes back what never was, or has ended", hint))
        }
        AlertKind::Cancel => Ok(Step::End(named)),
        AlertKind::Alert | AlertKind::Update if alert.shapes.is_empty() => {
            let hint = "Name the area by hand with `care disaster draft`";
            Err(Finding::error("no-area", "the alert draws no area: no polygon, circle or code of ours", hint))
        }
        AlertKind::Update if !named.is_empty() => Ok(Step::Replace(named)),
        // An update to something that never reached us is news all the same.
        AlertKind::Alert | AlertKind::Update => Ok(Step::Draft),
    }
}

/// References often round the instant; sender and identifier are what an alert is known by.
fn is_same(a: &AlertKey, b: &AlertKey) -> bool {
    a.sender == b.sender && a.identifier == b.identifier
}

/// Great-circle distance in kilometres (haversine).
pub fn distance_km(a: Point, b: Point) -> f64 {
    let (dlat, dlon) = ((b.lat - a.lat).to_radians() / 2.0, (b.lon - a.lon).to_radians() / 2.0);
    let h = dlat.sin().powi(2) + a.lat.to_radians().cos() * b.lat.to_radians().cos() * dlon.sin().powi(2);
    2.0 * EARTH_KM * h.sqrt().min(1.0).asin()
}

/// Codes of the places whose seat lies in one of the shapes, in the order of the places. A place whose seat lies
/// outside of a drawn area is not in it †: an area that must be held wider is drawn wider.
pub fn places_in(shapes: &[Shape], places: &[Place]) -> Vec<String> {
    let inside = |place: &&Place| shapes.iter().any(|shape| shape.holds(place));
    places.iter().filter(inside).map(|place| place.adcode.clone()).collect()
}

impl Shape {
    fn holds(&self, place: &Place) -> bool {
        match self {
            Self::Circle { center, radius_km } => distance_km(*center, place.seat) <= *radius_km,
            Self::Polygon(ring) => is_inside(place.seat, ring),
            Self::Code(code) => crate::region::covers(code, &place.adcode),
        }
    }
}

/// Even-odd rule on longitude and latitude: good for areas that cross neither a pole nor the date line.
fn is_inside(point: Point, ring: &[Point]) -> bool {
    let mut inside = false;
    for (index, a) in ring.iter().enumerate() {
        let b = ring[(index + ring.len() - 1) % ring.len()];
        let crosses = (a.lat > point.lat) != (b.lat > point.lat);
        if crosses && point.lon < (b.lon - a.lon) * (point.lat - a.lat) / (b.lat - a.lat) + a.lon {
            inside = !inside;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> AlertKey {
        AlertKey { sender: "cenc".into(), identifier: id.into(), sent: 0 }
    }

    fn alert(kind: AlertKind, references: &[&str]) -> Alert {
        Alert {
            key: key("new"),
            kind,
            actual: true,
            references: references.iter().map(|id| key(id)).collect(),
            event: "地震".into(),
            onset: 0,
            shapes: vec![Shape::Code("513200".into())],
        }
    }

    #[test]
    fn an_alert_drafts_an_update_replaces_and_a_cancel_ends() {
        let known = [
            (1, DisasterState::Active, vec![key("a")]),
            (2, DisasterState::Draft, vec![key("b")]),
            (3, DisasterState::Ended, vec![key("c")]),
        ];
        let after = |kind, references: &[&str]| step(&alert(kind, references), &known);
        assert_eq!(after(AlertKind::Alert, &[]), Ok(Step::Draft));
        assert_eq!(after(AlertKind::Update, &["a", "b"]), Ok(Step::Replace(vec![1, 2])));
        assert_eq!(after(AlertKind::Update, &["unheard"]), Ok(Step::Draft));
        assert_eq!(after(AlertKind::Cancel, &["a"]), Ok(Step::End(vec![1])));
        for gone in [&["c"][..], &["unheard"], &[]] {
            assert!(after(AlertKind::Cancel, gone).is_err_and(|f| f.code == "unknown-alert"), "{gone:?}");
        }
        assert!(matches!(after(AlertKind::Other, &["a"]), Ok(Step::Nothing(_))));
    }

    #[test]
    fn an_exercise_starts_nothing_and_an_alert_without_area_is_told_so() {
        let drill = Alert { actual: false, ..alert(AlertKind::Alert, &[]) };
        assert!(matches!(step(&drill, &[]), Ok(Step::Nothing(_))));
        let nowhere = Alert { shapes: Vec::new(), ..alert(AlertKind::Alert, &[]) };
        assert!(step(&nowhere, &[]).is_err_and(|f| f.code == "no-area"));
    }

    /// The codes of the data: `adcode,name,longitude,latitude`; those without coordinates are left out.
    fn china() -> Option<Vec<Place>> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/disaster/china_adcodes_lonlat.csv");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("SKIPPED: no {path}");
            return None;
        };
        let place = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            let (lon, lat) = (cells.get(2)?.trim().parse().ok()?, cells.get(3)?.trim().parse().ok()?);
            let adcode = cells.first()?.trim().chars().take(6).collect();
            Some(Place { adcode, name: (*cells.get(1)?).to_owned(), seat: Point { lat, lon } })
        };
        Some(text.lines().filter_map(place).collect())
    }

    #[test]
    fn wenchuan_lies_where_the_data_says_and_twenty_five_county_seats_within_a_hundred_kilometres() {
        let Some(places) = china() else { return };
        let epicentre = Point { lat: 31.002, lon: 103.322 };
        let away = |code: &str| {
            let place = places.iter().find(|p| p.adcode == code).expect("a place");
            (distance_km(epicentre, place.seat) * 10.0).round() / 10.0
        };
        let cities = [("510100", 85.7), ("510600", 103.4), ("511800", 113.4), ("511400", 114.5), ("510700", 139.0)];
        for (code, expected) in cities {
            assert!((away(code) - expected).abs() < 0.15, "{code}: {}", away(code));
        }
        let circle = Shape::Circle { center: epicentre, radius_km: 100.0 };
        let within = places_in(&[circle], &places);
        let counties = within.iter().filter(|code| !code.ends_with("00")).count();
        assert_eq!(counties, 25, "{within:?}");
        assert!(within.iter().any(|code| code == "513221"), "汶川 itself");
    }

    #[test]
    fn a_ring_holds_what_lies_in_it_and_a_code_what_lies_below_it() {
        let square = [(30.0, 100.0), (30.0, 110.0), (35.0, 110.0), (35.0, 100.0)];
        let ring = Shape::Polygon(square.iter().map(|(lat, lon)| Point { lat: *lat, lon: *lon }).collect());
        let place = |code: &str, lat, lon| Place { adcode: code.into(), name: String::new(), seat: Point { lat, lon } };
        let places = [place("513221", 31.0, 103.0), place("110000", 39.9, 116.4), place("513200", 31.9, 102.2)];
        assert_eq!(places_in(&[ring], &places), ["513221", "513200"]);
        assert_eq!(places_in(&[Shape::Code("513200".into())], &places), ["513221", "513200"]);
        assert_eq!(places_in(&[Shape::Polygon(Vec::new())], &places), Vec::<String>::new());
    }
}
