//! What may be typed about what was learnt: findings, needs, the knowledge base, the brake, reports.

use super::{date, instant, person, share, stage};
use care_domain::manifest::LifeStage;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum FindingCommand {
    /// Open a finding about a version; its owner is told.
    Open {
        /// The activity.
        activity: String,
        /// The version; the newest that ran when absent.
        #[arg(long)]
        version: Option<semver::Version>,
        /// What was found, in a sentence.
        #[arg(long)]
        what: String,
        /// Who answers for it; the version's author when absent.
        #[arg(long, value_parser = person, value_name = "USER")]
        owner: Option<String>,
        /// Last date on which it is in time.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        due: i32,
        /// The kept evaluation that shows it.
        #[arg(long, value_name = "N")]
        evaluation: Option<i64>,
    },
    /// Close it: a newer, approved version mends it.
    Close {
        /// Its number.
        id: i64,
        /// The version.
        #[arg(long)]
        version: semver::Version,
    },
    /// Drop it: it was none.
    Drop {
        /// Its number.
        id: i64,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// List them.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NeedCommand {
    /// Collect records: id,source,entry,region,at[,score]; the source is complaint, enquiry or survey.
    Collect {
        /// The CSV file.
        file: PathBuf,
    },
    /// Open a need over the records of a catalogue entry.
    Open {
        /// The entry, such as green-bill.
        entry: String,
        /// What people call it.
        #[arg(long)]
        title: String,
        /// Records from this instant on.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        from: i64,
        /// Records before this instant.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        until: i64,
    },
    /// Count its records and find where it is weak.
    Analyse {
        /// Its number.
        id: i64,
    },
    /// Publish it: activities may answer it.
    Publish {
        /// Its number.
        id: i64,
    },
    /// Name an activity as its answer.
    Answer {
        /// Its number.
        id: i64,
        /// The activity.
        activity: String,
    },
    /// Show needs, or one.
    Show {
        /// Its number.
        id: Option<i64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KnowledgeCommand {
    /// Versions that fit, beside each other.
    Search {
        /// That answer a need, by its number.
        #[arg(long, value_name = "N")]
        need: Option<i64>,
        /// Of a category or entry of the catalogue.
        #[arg(long)]
        category: Option<String>,
        /// For a life-cycle stage: acquisition, growth, maturity, decline.
        #[arg(long, value_parser = stage)]
        stage: Option<LifeStage>,
        /// With this in name, title or summary.
        #[arg(long)]
        text: Option<String>,
    },
    /// Everything about an activity, its versions beside each other.
    Show {
        /// The activity.
        activity: String,
        /// Only this version.
        #[arg(long)]
        version: Option<semver::Version>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BrakeCommand {
    /// Show when versions are held, and the score of every live one.
    Show,
    /// Say when versions are held; what is not named stays.
    Set {
        /// A complaint counts against a contact of at most so many days before.
        #[arg(long)]
        days: Option<u32>,
        /// More than this share of messages holds a version: 1%, or 0.01.
        #[arg(long, value_parser = share, value_name = "SHARE")]
        share: Option<f64>,
        /// How much an enquiry weighs against a complaint, 0 to 1.
        #[arg(long)]
        enquiry: Option<f64>,
        /// With fewer messages nothing is held.
        #[arg(long, value_name = "MESSAGES")]
        least: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// The daily report of an activity; of every disaster activity when none is named.
    Daily {
        /// The date; today when absent.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: Option<i32>,
        /// The activity.
        #[arg(long)]
        activity: Option<String>,
        /// Write it as a page that prints, too.
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
    /// The report for the monthly service-quality meeting.
    Monthly {
        /// A date of the month; this month when absent.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: Option<i32>,
        /// Write it as a page that prints, too.
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
}
