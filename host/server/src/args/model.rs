//! What models are run with.

use super::param;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Add a model's column to a snapshot: the newest approved version, on the newest snapshot.
    Run {
        /// Name of the model.
        name: String,
        /// Which versions will do, such as ^1.2.
        #[arg(long, default_value = "*", value_name = "VERSIONS")]
        require: semver::VersionReq,
        /// Parameters that differ from their defaults.
        #[arg(long = "param", value_parser = param, value_name = "NAME=JSON")]
        params: Vec<(String, serde_json::Value)>,
        /// Derive from this snapshot.
        #[arg(long, value_name = "ID")]
        snapshot: Option<String>,
    },
}
