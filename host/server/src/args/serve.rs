//! What may be typed about the server and its settings.

use super::person;
use clap::Subcommand;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Settings of the server. A flag goes before the environment, the environment before the file, the file before what is
/// usual.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ServeArgs {
    /// The file of settings; `care.toml` in the data folder when absent.
    #[arg(long, env = "CARE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address and port to listen on [usually: 127.0.0.1:8080].
    #[arg(long, env = "CARE_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Also plan, every minute and in this user's name, what cron expressions say is due.
    #[arg(long, env = "CARE_PLAN_AS", value_parser = person, value_name = "USER")]
    pub(crate) plan_as: Option<String>,
    /// Also dispatch, in this user's name, whatever becomes due, and hear what gateways report.
    #[arg(long, env = "CARE_DISPATCH_AS", value_parser = person, value_name = "USER")]
    pub(crate) dispatch_as: Option<String>,
    /// Requests a second that a token may go on with [usually: 100].
    #[arg(long, env = "CARE_REQUESTS_PER_SECOND", value_name = "N")]
    pub(crate) requests_per_second: Option<NonZeroU32>,
    /// Send spans of requests to this OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318.
    #[arg(long, env = "CARE_OTLP", value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting of the server with where it comes from.
    Show(ServeArgs),
}
