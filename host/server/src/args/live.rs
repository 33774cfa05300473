//! What events and touchpoints are asked with.

use care_engine::FollowUp;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PromptCommand {
    /// The customer likes it: the outbound contact is stopped.
    Accept {
        /// The prompt.
        id: String,
        /// What to send after the call: sms or task.
        #[arg(long, value_parser = follow_up, value_name = "KIND")]
        follow_up: Option<FollowUp>,
    },
    /// The customer does not.
    Decline {
        /// The prompt.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// Send CloudEvents in JSON: one, an array, or one a line.
    Send {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// Show a batch of events with what was decided; the newest when absent.
    Show {
        /// Its number.
        batch: Option<i64>,
    },
}

fn follow_up(text: &str) -> Result<FollowUp, String> {
    match text {
        "sms" => Ok(FollowUp::Sms),
        "task" => Ok(FollowUp::Task),
        _ => Err("a follow-up is sms or task".into()),
    }
}
