//! What may be typed about campaigns and plans.

use super::{batch, date, instant, param};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum CampaignCommand {
    /// Start a campaign with the newest approved version that fits.
    Start(StartArgs),
    /// What a campaign would do on the newest population: customers by verdict, messages, cost; nothing is started.
    Estimate {
        /// The activity.
        activity: String,
        /// Which versions will do.
        #[arg(long, default_value = "*", value_name = "REQ")]
        version: semver::VersionReq,
        /// The variant of this name, rather than the activity as it was uploaded.
        #[arg(long, value_name = "NAME")]
        variant: Option<String>,
        /// A parameter: name=value, the value as JSON or plain text.
        #[arg(long = "param", value_parser = param, value_name = "NAME=VALUE")]
        params: Vec<(String, serde_json::Value)>,
    },
    /// Show campaigns, or one.
    Show {
        /// The campaign.
        campaign: Option<String>,
    },
    /// Point a campaign at another approved version, for plans to come: a newer one, or back to an older one.
    Repoint {
        /// The campaign.
        campaign: String,
        /// Which versions will do.
        #[arg(long, value_name = "REQ")]
        version: semver::VersionReq,
        /// A parameter: name=value, the value as JSON or plain text. What is not named has the version's default.
        #[arg(long = "param", value_parser = param, value_name = "NAME=VALUE")]
        params: Vec<(String, serde_json::Value)>,
    },
    /// Pause a campaign: nothing of it is planned or sent until it is resumed.
    Pause {
        /// The campaign.
        campaign: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Let a paused campaign go on.
    Resume {
        /// The campaign.
        campaign: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Stop a campaign; what waits of it is withdrawn.
    Stop {
        /// The campaign.
        campaign: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// The activity.
    pub(crate) activity: String,
    /// Which versions will do.
    #[arg(long, default_value = "*", value_name = "REQ")]
    pub(crate) version: semver::VersionReq,
    /// The variant of this name, rather than the activity as it was uploaded.
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// A parameter: name=value, the value as JSON or plain text.
    #[arg(long = "param", value_parser = param, value_name = "NAME=VALUE")]
    pub(crate) params: Vec<(String, serde_json::Value)>,
    /// Parameters as a JSON file.
    #[arg(long = "params", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The oldest snapshot that it may run on, in days before the business date; 7 when absent.
    #[arg(long, value_parser = clap::value_parser!(u16).range(0..=400), value_name = "DAYS")]
    pub(crate) max_snapshot_days: Option<u16>,
    /// Begin with a share of its customers and take more in steps, such as 1%,10%,100%; the host holds it where what
    /// went out fails or draws complaints.
    #[arg(long, value_name = "SHARES")]
    pub(crate) ramp: Option<String>,
    /// Planned dates of a step.
    #[arg(long, requires = "ramp", default_value_t = 1, value_name = "DAYS")]
    pub(crate) ramp_days: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Run a plan to its release, or go on where it stopped. Several processes may run the same plan at once.
    Run {
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        work: WorkArgs,
    },
    /// Plan what cron expressions say is due today and was not planned yet, all of it in one pass; asked again, it adds
    /// nothing. What was interrupted of it goes on first.
    Due {
        /// Tasks at once; one a core when absent.
        #[arg(long, value_name = "N")]
        workers: Option<usize>,
    },
    /// Go on with an interrupted or paused plan as it pinned the world, whatever was changed since.
    Resume {
        /// The plan, by the beginning of its id.
        plan: String,
        #[command(flatten)]
        work: WorkArgs,
    },
    /// Hold a plan up, whoever runs it: no further task begins, nothing is released.
    Pause {
        /// The plan, by the beginning of its id.
        plan: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Call a plan off for good before its release: nothing of it is sent, and another plan may plan the same.
    Cancel {
        /// The plan, by the beginning of its id.
        plan: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// How far a plan is, at which pace, and who is at work; the newest when absent.
    Status {
        /// The plan, by the beginning of its id.
        plan: Option<String>,
    },
    /// Take all free tasks of a plan for another engine, and print their descriptors, one a line, for `care worker task`;
    /// `care plan resume` releases the plan when they are done.
    HandOut {
        #[command(flatten)]
        plan: PlanArgs,
        /// What is not done within so many seconds is free again.
        #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS")]
        lease: u64,
    },
    /// Keep a batch as one's own activity was asked about it, for `care plugin replay`: customers of one's own region, under
    /// numbers, without what is sensitive.
    Record(RecordArgs),
    /// Show a plan in figures; the newest when absent.
    Show {
        /// The plan, by the beginning of its id.
        plan: Option<String>,
        /// List all plans.
        #[arg(long)]
        all: bool,
    },
}

/// What a plan stands on.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Business date; that of the newest snapshot when absent.
    #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<i32>,
    /// Wave of that date.
    #[arg(long, default_value_t = 1)]
    pub(crate) wave: u32,
    /// The plan's instant; 09:00 of the date in the province when absent.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) at: Option<i64>,
    /// The snapshot, by the beginning of its id; the newest of the date or before when absent.
    #[arg(long, value_name = "ID")]
    pub(crate) snapshot: Option<String>,
    /// Customers a batch.
    #[arg(long, value_parser = batch, value_name = "N")]
    pub(crate) batch: Option<u32>,
}

/// Which batch of a plan, as which activity was asked about it.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The plan, by the beginning of its id.
    pub(crate) plan: String,
    /// The activity, or its campaign.
    #[arg(long, value_name = "NAME")]
    pub(crate) activity: String,
    /// Bucket of the snapshot.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) bucket: u32,
    /// Batch of the bucket, from 0.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) batch: u32,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// How this process takes part in a plan.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// Tasks at once; one a core when absent.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Others take this process's tasks over when it gave no sign of life for so long.
    #[arg(long, default_value_t = care_engine::DEFAULT_LEASE.as_secs(), value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS")]
    pub(crate) lease: u64,
}
