//! What may be typed about webhooks: other systems that are told what happens.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Register an endpoint. The secret that its events are signed with is shown this one time.
    Add {
        /// Where events go: an http or https address.
        url: String,
        /// Only these events, such as campaign.started, or families: plan, submission, campaign.
        #[arg(long = "kind", value_name = "KIND")]
        kinds: Vec<String>,
        /// Whose it is and what for.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List endpoints with how their events stand and what they answered last.
    List,
    /// Show what an endpoint was told, the newest first.
    Show {
        /// Its id, as `list` shows it.
        id: String,
        /// Only events that stand there: waiting, delivered, given-up, dropped.
        #[arg(long)]
        state: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Tell an endpoint nothing any more.
    Close {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Sign with another secret from now on; shown this one time.
    Renew {
        /// Its id.
        id: String,
    },
    /// Have `webhook.ping` sent to an endpoint.
    Ping {
        /// Its id.
        id: String,
    },
    /// Let an event go out again, under the same id.
    Replay {
        /// The endpoint's id.
        id: String,
        /// The event's number, as `show` lists it.
        delivery: i64,
    },
    /// Send what is due now, as `care serve` does by itself.
    Deliver,
}
