//! What may be typed about the gate: submissions, variants, standby.

use super::message::TestArgs;
use super::{cap, class, date, param, share};
use care_domain::contact::Addressee;
use care_domain::gate::Principle;
use care_domain::policy::Class;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum SubmissionCommand {
    /// List submissions.
    List,
    /// Show a submission with what it asks for.
    Show {
        /// Its number.
        id: i64,
    },
    /// Try a submission on the newest snapshot, every rule on and nothing sent; the evidence is kept.
    Simulate {
        #[command(flatten)]
        conditions: ApproveArgs,
        /// A parameter that differs from its default: name=value, the value as JSON or plain text.
        #[arg(long = "param", value_parser = param, value_name = "NAME=VALUE")]
        params: Vec<(String, serde_json::Value)>,
    },
    /// Show the newest simulation of a submission, or another one.
    Evidence {
        /// Number of the submission.
        id: i64,
        /// Number of the simulation.
        #[arg(long, value_name = "N")]
        simulation: Option<i64>,
    },
    /// Show what the messages read like: with example values, at their longest, and what short messages come to.
    Preview {
        /// Its number.
        id: i64,
    },
    /// Send the messages, with example values, to registered staff; no customer gets anything.
    TestSend(TestArgs),
    /// What went to staff about it.
    Tests {
        /// Its number.
        id: i64,
    },
    /// In what two simulations differ.
    Compare {
        /// Number of a simulation.
        before: i64,
        /// Number of another one.
        after: i64,
    },
    /// Grant a submission. What is not named is granted as asked; it must have been simulated on the same conditions.
    Approve {
        #[command(flatten)]
        conditions: ApproveArgs,
        #[command(flatten)]
        ticks: TickArgs,
    },
    /// As a second person, grant what the first approver proposed: asked for above a reach.
    Confirm {
        /// Its number.
        id: i64,
        #[command(flatten)]
        ticks: TickArgs,
    },
    #[command(flatten)]
    Step(StepCommand),
}

/// What moves a submission on.
#[derive(Debug, Subcommand)]
pub(crate) enum StepCommand {
    /// Pass a city's activity on to the province.
    Review {
        /// Its number.
        id: i64,
        /// What the city has to say about it.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Pass what was tried out on to the province.
    Trial {
        /// Its number.
        id: i64,
        /// What the trial has to say about it.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Fold a submission, decided or not, into an activity of the province that answers the same need.
    Merge {
        /// Its number.
        id: i64,
        /// The activity that takes its place.
        #[arg(long, value_name = "ACTIVITY")]
        into: String,
        /// Why, for the author.
        #[arg(long)]
        reason: String,
    },
    /// Refuse a submission.
    Reject {
        /// Its number.
        id: i64,
        /// What the author should change.
        #[arg(long)]
        reason: String,
        /// It is no care at all: it aims at a business figure rather than at a need.
        #[arg(long)]
        not_care: bool,
    },
    /// Take one's own undecided submission back.
    TakeBack(BecauseArgs),
    /// Hold a version: nothing of it is planned or sent until it is resumed.
    Suspend(BecauseArgs),
    /// Let a suspended version go on.
    Resume(BecauseArgs),
    /// End a version in good order; its campaigns stop.
    Retire(BecauseArgs),
    /// End an approval; its campaigns stop at once.
    Withdraw(BecauseArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct BecauseArgs {
    /// Number of the submission.
    pub(crate) id: i64,
    /// Why.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ApproveArgs {
    /// Its number.
    pub(crate) id: i64,
    /// Another class than asked.
    #[arg(long, value_parser = class)]
    pub(crate) class: Option<Class>,
    /// Another weight than asked, 0 to 1000.
    #[arg(long, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) weight: Option<u16>,
    /// Another cap than asked: contacts/days, such as 1/7.
    #[arg(long, value_parser = cap, value_name = "N/DAYS")]
    pub(crate) cap: Option<care_domain::manifest::Cap>,
    /// Only these regions, by administrative code.
    #[arg(long, value_delimiter = ',', value_name = "ADCODE")]
    pub(crate) regions: Vec<String>,
    /// Only this share of customers (canary): 10%, or 0.1.
    #[arg(long, value_parser = share, value_name = "SHARE")]
    pub(crate) share: Option<f64>,
    /// First business date.
    #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<i32>,
    /// Last business date.
    #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<i32>,
    /// Only these addressees: customer, close-contacts, information-systems, key-accounts, customer-service.
    #[arg(long, value_delimiter = ',', value_parser = addressee, value_name = "NAME")]
    pub(crate) addressees: Vec<Addressee>,
    /// Only these requests to departments, such as credit-rating; none for no request at all.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) requests: Vec<String>,
    /// What its contacts may cost in all, in fen.
    #[arg(long, value_name = "FEN")]
    pub(crate) budget: Option<u64>,
    /// Approve ahead: a duty officer activates it, for areas within these, by administrative code.
    #[arg(long, value_delimiter = ',', requires = "standby_days", value_name = "ADCODE")]
    pub(crate) standby_areas: Vec<String>,
    /// The longest activation, in days.
    #[arg(long, requires = "standby_areas", value_name = "DAYS")]
    pub(crate) standby_days: Option<u16>,
}

/// The principles of the gate (S1) that an approver found to hold.
#[derive(Debug, clap::Args)]
pub(crate) struct TickArgs {
    /// Principles that hold: proactive and customer-oriented (is it care?), feasible, useful, important, innovative
    /// (should it open?).
    #[arg(long = "tick", value_delimiter = ',', value_parser = principle, value_name = "PRINCIPLE")]
    pub(crate) ticks: Vec<Principle>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VariantCommand {
    /// Propose a variant of an approved activity: other parameters, words, region or dates, no code.
    Propose {
        /// What it changes, as TOML.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum StandbyCommand {
    /// Activate what was approved ahead, for the customers who stand in an area.
    Activate {
        /// The activity.
        activity: String,
        /// Which versions will do.
        #[arg(long, default_value = "*", value_name = "REQ")]
        version: semver::VersionReq,
        /// Where, by administrative code.
        #[arg(long = "areas", value_delimiter = ',', required = true, value_name = "ADCODE")]
        areas: Vec<String>,
        /// First business date.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        from: i32,
        /// Last business date.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        until: i32,
        /// A parameter: name=value, the value as JSON or plain text.
        #[arg(long = "param", value_parser = param, value_name = "NAME=VALUE")]
        params: Vec<(String, serde_json::Value)>,
        /// Why, for whoever reviews it within 24 hours.
        #[arg(long)]
        reason: String,
    },
    /// List what was activated, and whether it was reviewed.
    List,
    /// Uphold an activation, or end it: then its campaign stops.
    Review {
        /// The campaign that it started.
        campaign: String,
        /// End it.
        #[arg(long)]
        end: bool,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// Show what the gate asks beyond its states.
    Show,
    /// Set it, as an administrator. What is not named stays.
    Set {
        /// Whether the customer-service centre tries out every activity before the province decides.
        #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set)]
        trial_review: Option<bool>,
        /// Selected customers above which a second person approves; never for no bound.
        #[arg(long, value_parser = bound, value_name = "N")]
        second_above: Option<Bound>,
        /// Whether an activity must answer a published need; otherwise its catalogue entry stands for one.
        #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set)]
        published_need: Option<bool>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// A bound that may be none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound(pub(crate) Option<u64>);

fn bound(text: &str) -> Result<Bound, String> {
    if text == "never" {
        return Ok(Bound(None));
    }
    text.parse().map(|n| Bound(Some(n))).map_err(|_| "a bound is a number of customers, or never".into())
}

fn addressee(text: &str) -> Result<Addressee, String> {
    Addressee::from_name(text)
        .ok_or_else(|| format!("addressees are {}", Addressee::ALL.map(Addressee::name).join(", ")))
}

fn principle(text: &str) -> Result<Principle, String> {
    Principle::from_name(text)
        .ok_or_else(|| format!("principles are {}", Principle::ALL.map(Principle::name).join(", ")))
}
