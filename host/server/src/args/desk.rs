//! What may be typed about lists of work.

use std::path::PathBuf;

/// Which work is listed.
#[derive(Debug, clap::Args)]
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
