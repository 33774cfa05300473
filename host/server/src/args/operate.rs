//! What may be typed about operating an installation: backups, its health, forgetting a person.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// A folder that does not exist yet. It holds keys, names and numbers: keep it as secret as the data folder.
    pub(crate) folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// A folder that `care backup` made.
    pub(crate) backup: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EraseArgs {
    /// The operator's customer id, or a key.
    pub(crate) customer: String,
    /// Why, such as the number of the request.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}
