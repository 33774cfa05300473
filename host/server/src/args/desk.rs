//! What may be typed about what goes out: dispatch, calls, requests, gateways.

use super::{date, instant};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum DispatchCommand {
    /// How contacts and receipts add up by channel.
    Status,
    /// List what was given up after several attempts.
    Dead,
    /// Let what was given up go out again.
    Replay {
        /// Only of this campaign.
        #[arg(long, value_name = "CAMPAIGN")]
        campaign: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CallsCommand {
    /// Open a calling window: numbers are handed out until it closes or is full.
    Open {
        /// Agents.
        #[arg(long, value_name = "N")]
        seats: u32,
        /// Calls that each makes in an hour.
        #[arg(long, default_value_t = 12, value_name = "N")]
        calls_an_hour: u32,
        /// Until when: RFC 3339, or a date and time in the province.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        until: i64,
    },
    /// Close the window that is open.
    Close,
    /// List the newest windows.
    List,
    /// List the calls themselves: what waits, who has what, what came of it.
    Queue(ListArgs),
    /// Take calls to make, the most urgent first.
    Take(TakeArgs),
    /// Record what came of calls, from CSV: contact,result[,score][,note]; a score is what the customer said of the service,
    /// 1 to 10.
    Record {
        /// The list that was handed out, filled in.
        file: PathBuf,
    },
    /// The report of a day: calls and requests, and what came of them.
    Report {
        /// The day.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: i32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RequestsCommand {
    /// List the requests to one's own department: what waits, who has what, what was done.
    List(ListArgs),
    /// Take requests to one's own department.
    Take(TakeArgs),
    /// Record what was done, from CSV: contact,result[,note]; results are done and declined.
    Record {
        /// The list that was handed out, filled in.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TakeArgs {
    /// At most so many.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) count: u64,
    /// Write a list that spreadsheets open, to be filled in and given back.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Put gateways in force (see examples/gateways.toml). Secrets stand in files of their own.
    Set {
        /// The configuration.
        file: PathBuf,
    },
    /// Show the gateways in force.
    Show,
    /// Try whether each gateway is there and takes us for who we say we are. Nothing is sent.
    Check,
}

/// Which work is listed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only what stands so: planned, waiting, handed-out, a result, or how it ended without one.
    #[arg(long, value_name = "STANDING")]
    pub(crate) standing: Option<String>,
    /// Only of this campaign.
    #[arg(long, value_name = "CAMPAIGN")]
    pub(crate) campaign: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) count: u32,
    /// Write a list that spreadsheets open.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
