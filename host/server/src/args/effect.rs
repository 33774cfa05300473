//! What may be typed about outcomes and effects.

use super::{instant, measure, source};
use care_engine::Measure;
use care_engine::OutcomeSource;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The campaign, or a campaign of an imported experiment.
    pub(crate) campaign: String,
    /// Another outcome kind than the activity's goal.
    #[arg(long, value_name = "KIND")]
    pub(crate) outcome: Option<String>,
    /// What is compared: reached (a rate), value (a mean over everybody), answer (a mean of those who answered).
    #[arg(long, value_parser = measure)]
    pub(crate) measure: Option<Measure>,
    /// Another window than the goal's, in days after the contact.
    #[arg(long, value_name = "DAYS")]
    pub(crate) window: Option<u32>,
    /// Split by region, tier or another field that may be observed.
    #[arg(long, value_name = "FIELD")]
    pub(crate) by: Option<String>,
    /// Say how many customers it takes to find this difference; the observed one when absent.
    #[arg(long, value_name = "DIFFERENCE")]
    pub(crate) detect: Option<f64>,
    /// What a customer who reached the goal is worth, in yuan.
    #[arg(long, value_name = "YUAN")]
    pub(crate) each: Option<f64>,
    /// Show the interval that stays right when results are watched while they come.
    #[arg(long)]
    pub(crate) watching: bool,
    /// Leave the plugin's own numbers away.
    #[arg(long)]
    pub(crate) host_only: bool,
    /// Keep it as it is told, for the knowledge base.
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExperimentCommand {
    /// Register an experiment: whom it contacted and whom it held out stands in a file, one row a customer.
    Import {
        /// The CSV or Parquet file.
        file: PathBuf,
        /// The mapping: arms, goal, campaigns (see examples/).
        #[arg(long, value_name = "FILE")]
        mapping: PathBuf,
    },
    /// Show what can be evaluated.
    Show,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutcomeCommand {
    /// Import outcomes: customer,kind,at[,value][,unit][,activity][,contact][,id].
    Import {
        /// The CSV file; with a mapping any table with one row a customer.
        file: PathBuf,
        /// Which column tells what (see examples/).
        #[arg(long, value_name = "FILE", conflicts_with = "source")]
        mapping: Option<PathBuf>,
        /// How they were told: file, api, receipt, reply, call.
        #[arg(long, value_parser = source, default_value = "file")]
        source: OutcomeSource,
    },
    /// How outcomes of a kind are distributed: the last one of each customer, scores one by one.
    Show {
        /// The kind, such as satisfied.
        kind: String,
        /// Split by region, tier or another field that may be observed.
        #[arg(long, value_name = "FIELD")]
        by: Option<String>,
        /// Only from this instant on.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        from: Option<i64>,
        /// Only before this instant.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        until: Option<i64>,
    },
    /// Make up plausible outcomes of a campaign as CSV, for trials. They are not real.
    Simulate {
        /// The campaign.
        campaign: String,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// They happen a day after this instant.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        from: i64,
        /// Where to write the CSV.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}
