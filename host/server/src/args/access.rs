//! What may be typed about who gets in: tokens.

use super::{person, role};
use care_domain::person::Role;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for a program. Its secret is shown this one time.
    New {
        /// For whom it acts: somebody registered with `care user add`.
        #[arg(value_parser = person)]
        name: String,
        /// In which of their roles.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Where: an administrative code, and everything below it.
        #[arg(long, value_name = "ADCODE")]
        region: String,
        /// For how many days it holds.
        #[arg(long, default_value_t = 90, value_name = "N")]
        days: u16,
    },
    /// End a token at once.
    Revoke {
        /// Its id, as `list` shows it.
        id: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// List the tokens; secrets are not kept.
    List,
}
