//! What an author may type: projects of activities, their cases and trials.

use super::{date, instant, param};
use crate::plugin::Language;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Write a new activity that builds, tests and simulates at once.
    New {
        /// Its name, such as local-festival.
        name: String,
        /// The folder in which its folder is made.
        #[arg(long, default_value = ".", value_name = "DIR")]
        into: PathBuf,
        /// In which language.
        #[arg(long, value_enum, default_value = "rust")]
        lang: Language,
    },
    /// Build an activity: compiler, component, manifest.
    Build {
        /// The activity's folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Where to write the component.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        cache: CacheArgs,
    },
    /// Check a component as the gate would, keeping nothing.
    Check {
        /// The component.
        file: PathBuf,
    },
    /// Build an activity and run its cases in the sandbox.
    Test(CasesArgs),
    /// Try an activity on many customers, with every rule on and nothing sent: who, when, why, what, and at what cost.
    Simulate(SimulateArgs),
    /// Ask about recorded customers again, and tell what is decided otherwise than it was.
    Replay {
        /// The record, as `care plugin simulate --record` or `care plan record` wrote it.
        record: PathBuf,
        /// The activity's folder, or a component.
        #[arg(default_value = ".")]
        plugin: PathBuf,
        #[command(flatten)]
        cache: CacheArgs,
    },
    /// Run the cases again whenever a file of the project is saved, and mark what changed.
    Watch(CasesArgs),
    /// What an author may look up, as Markdown: the contract, the manifest, fields, outcomes, findings.
    Reference {
        /// Only this.
        topic: Option<ReferenceTopic>,
    },
    /// Sign a component with a branch's key.
    Sign {
        /// The component; a signature that is there already is replaced.
        file: PathBuf,
        /// The key, as `care key new` wrote it.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where to write the signed component; in place when absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Upload a signed component and submit it for approval.
    Push {
        /// The component.
        file: PathBuf,
        /// Sign it with this key first.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// The published need that it answers; the newest of an entry of its catalogue when absent.
        #[arg(long, value_name = "N")]
        need: Option<i64>,
    },
    /// List uploaded activities with their versions.
    List,
}

/// What may be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferenceTopic {
    /// The contract as published.
    Wit,
    /// Every key of activity.toml.
    Manifest,
    /// What may be read of a customer.
    Fields,
    /// What is recorded of customers.
    Events,
    /// What the gate and the tools may say is wrong.
    Findings,
}

impl ReferenceTopic {
    /// All of them, in the order in which they are told.
    pub(crate) const ALL: [Self; 5] = [Self::Manifest, Self::Fields, Self::Events, Self::Findings, Self::Wit];
}

/// Where machine code and builders are kept.
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    /// The folder in which machine code and builders are kept; by default `care` below the user's cache folder.
    #[arg(long, env = "CARE_CACHE", value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// The user's cache folder, as desktops name it.
    #[arg(long, env = "XDG_CACHE_HOME", hide = true, value_name = "DIR")]
    pub(crate) user_cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CasesArgs {
    /// The activity's folder, or a component.
    #[arg(default_value = ".")]
    pub(crate) plugin: PathBuf,
    /// The case file; by default `cases.toml` of the folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: Option<PathBuf>,
    /// Also run the tests that the project has in its own language; always done where it has no case file.
    #[arg(long)]
    pub(crate) native: bool,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The activity's folder, or a component.
    #[arg(default_value = ".")]
    pub(crate) plugin: PathBuf,
    /// The customers: CSV whose columns are named as the fields, or a file with a mapping. By default those that
    /// `simulate.toml` of the folder names.
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    pub(crate) customers: Option<PathBuf>,
    /// A mapping as `care population import` reads it.
    #[arg(long, value_name = "FILE", requires = "customers")]
    pub(crate) mapping: Option<PathBuf>,
    /// The customers of a snapshot: its folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Business date; by default the one of `simulate.toml`, else that of the customers.
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub(crate) date: Option<i32>,
    /// What the activity sees as now; 09:00 of the date in the province when absent.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) now: Option<i64>,
    /// A parameter that differs from its default: name=value, the value as JSON or plain text.
    #[arg(long = "param", value_parser = param, value_name = "NAME=VALUE")]
    pub(crate) params: Vec<(String, serde_json::Value)>,
    /// How many customers to tell one by one.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) show: usize,
    /// Also keep customers and decisions in this file, for `care plugin replay`.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Also tell where the fuel goes, stage by stage and by the author's functions, on the first batch.
    #[arg(long)]
    pub(crate) profile: bool,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}
