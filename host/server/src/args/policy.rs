//! What may be typed about the contact policy and calendars.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show the policy in force, or another version, as JSON that `propose` takes.
    Show {
        /// Its number.
        number: Option<i64>,
    },
    /// Propose a policy; somebody else puts it in force.
    Propose {
        /// JSON as `show` prints it.
        file: PathBuf,
        /// What changes, and why.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Put a proposed policy in force for plans to come; whoever wrote it cannot.
    Approve {
        /// Its number.
        number: i64,
    },
    /// Refuse a proposed policy, or take one's own back.
    Reject {
        /// Its number.
        number: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List all versions with who wrote and who decided.
    History,
    /// In what a version differs from the one in force when it was proposed, or from another one.
    Diff {
        /// Number of the version.
        number: i64,
        /// Number of the version to compare it with.
        #[arg(long, value_name = "N")]
        with: Option<i64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Import years, each a JSON file in the format of holiday-cn: public holidays and make-up workdays.
    Import {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Show the years.
    Show,
}
