//! What may be typed about how long records are kept.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Show how long records are kept, and the last runs.
    Show,
    /// Say how long records are kept, in days. What is not named is kept for ever.
    Set {
        /// What was said in a contact or a prompt; 30 or more.
        #[arg(long, value_name = "DAYS")]
        messages: Option<u32>,
        /// Contacts with what became of them; at least as long as decision logs.
        #[arg(long, value_name = "DAYS")]
        contacts: Option<u32>,
        /// Calls and visits with the prompts that were shown; 30 or more.
        #[arg(long, value_name = "DAYS")]
        calls: Option<u32>,
        /// Events as they came; 31 or more.
        #[arg(long, value_name = "DAYS")]
        events: Option<u32>,
        /// Why somebody was contacted, or not; 30 or more.
        #[arg(long, value_name = "DAYS")]
        decision_logs: Option<u32>,
        /// Files of the outbox; 30 or more.
        #[arg(long, value_name = "DAYS")]
        outbox: Option<u32>,
        /// What other systems were told; 30 or more.
        #[arg(long, value_name = "DAYS")]
        webhooks: Option<u32>,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Delete what is too old, as `care serve` does once a day.
    Run {
        /// Look only, and tell what would go.
        #[arg(long)]
        dry_run: bool,
    },
}
