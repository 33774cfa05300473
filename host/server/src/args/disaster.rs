//! What disasters are drawn and activated with.

use super::date;
use care_domain::disaster::Point;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum DisasterCommand {
    /// Take an alert (CAP 1.1 or 1.2): it drafts a disaster, draws one anew, or ends it. It never starts anything.
    Alert {
        /// The document.
        file: PathBuf,
    },
    /// Draft a disaster by hand.
    Draft {
        /// What happened.
        name: String,
        /// Its first day.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        onset: i32,
        /// The middle of the area, in degrees north and east.
        #[arg(long, value_parser = point, value_name = "LAT,LON", allow_hyphen_values = true)]
        around: Option<Point>,
        /// How far the area reaches from there.
        #[arg(long, default_value_t = 100.0, value_name = "KM")]
        km: f64,
        /// Places in the area, by administrative code.
        #[arg(long, value_delimiter = ',', value_name = "ADCODE")]
        areas: Vec<String>,
    },
    /// Activate a draft: what was approved on standby is started, and its area is on. The duty officer's alone.
    Activate {
        /// The disaster.
        id: i64,
        /// The activity.
        #[arg(long, default_value = "disaster-response")]
        activity: String,
        /// Last day on which its area is on; 142 days from its first when absent.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        until: Option<i32>,
        /// Why; the province reviews it within 24 hours.
        #[arg(long)]
        reason: String,
    },
    /// End a disaster: its area is off, what waits is withdrawn.
    End {
        /// The disaster.
        id: i64,
    },
    /// List the disasters.
    List,
    /// What a day of a disaster came to.
    Report {
        /// The disaster.
        id: i64,
        /// The day; today when absent.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: Option<i32>,
    },
}

fn point(text: &str) -> Result<Point, String> {
    let degrees =
        text.split_once(',').and_then(|(lat, lon)| Some((lat.trim().parse().ok()?, lon.trim().parse().ok()?)));
    match degrees {
        Some((lat, lon)) if f64::abs(lat) <= 90.0 && f64::abs(lon) <= 180.0 => Ok(Point { lat, lon }),
        _ => Err("a point is written 31.002,103.322: degrees north and east".into()),
    }
}
