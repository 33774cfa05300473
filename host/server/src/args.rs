//! What may be typed.

mod access;
mod author;
mod desk;
mod disaster;
mod effect;
mod hook;
mod learnt;
mod live;
mod message;
mod model;
mod operate;
mod people;
mod plan;
mod policy;
mod population;
mod retention;
mod review;
mod serve;
mod value;
mod worker;

pub(crate) use access::TokenCommand;
pub(crate) use author::{CacheArgs, CasesArgs, PluginCommand, ReferenceTopic, SimulateArgs};
pub(crate) use desk::{CallsCommand, DispatchCommand, GatewayCommand, ListArgs, RequestsCommand, TakeArgs};
pub(crate) use disaster::DisasterCommand;
pub(crate) use effect::{EvaluateArgs, ExperimentCommand, OutcomeCommand};
pub(crate) use hook::HookCommand;
pub(crate) use learnt::{BrakeCommand, FindingCommand, KnowledgeCommand, NeedCommand, ReportCommand};
pub(crate) use live::{EventCommand, PromptCommand};
pub(crate) use message::{MessageCommand, StaffCommand, TestArgs};
pub(crate) use model::ModelCommand;
pub(crate) use operate::{BackupArgs, EraseArgs, RestoreArgs};
pub(crate) use people::{AuditCommand, KeyCommand, SwitchArgs, SwitchCommand, UserArgs, UserCommand};
pub(crate) use plan::{CampaignCommand, PlanArgs, PlanCommand, RecordArgs, StartArgs};
pub(crate) use policy::{CalendarCommand, PolicyCommand};
pub(crate) use population::{ListCommand, PopulationCommand, TableCommand};
pub(crate) use retention::RetentionCommand;
pub(crate) use review::{
    ApproveArgs, BecauseArgs, Bound, GateCommand, StandbyCommand, StepCommand, SubmissionCommand, TickArgs,
    VariantCommand,
};
pub(crate) use serve::{ConfigCommand, ServeArgs};
pub(crate) use worker::{WorkerBounds, WorkerCommand};

use care_engine::Form;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use value::{batch, cap, class, date, form, head, instant, measure, param, person, role, share, source, stage};

/// A host for customer-care activities: plugins are uploaded, approved, planned over a population, sent and measured.
#[derive(Debug, Parser)]
#[command(name = "care", version)]
pub(crate) struct Args {
    /// The data folder.
    #[arg(long, global = true, env = "CARE_DATA", default_value = "./care-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Who acts: somebody registered with `care user add`. Whoever can write the data folder is trusted to say who
    /// they are; what they may do depends on their roles.
    #[arg(long = "as", global = true, env = "CARE_USER", default_value = "operator", value_parser = person, value_name = "USER")]
    pub(crate) user: String,
    /// Answer in JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// In a rehearsal (`care init --rehearsal`): act at this instant instead of now.
    #[arg(long, global = true, env = "CARE_CLOCK", value_parser = instant, value_name = "INSTANT")]
    pub(crate) clock: Option<i64>,
    /// How long to wait for a database that another process writes to.
    #[arg(long, global = true, default_value_t = care_engine::PATIENCE.as_secs(), value_name = "SECONDS")]
    pub(crate) patience: u64,
    /// What to log to standard error: error, warn, info, debug.
    #[arg(long, global = true, env = "CARE_LOG", default_value = "warn", value_name = "LEVEL")]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a data folder, or complete one.
    Init {
        /// A file with 64 hexadecimal digits: the key of another installation, for the same pseudonyms.
        #[arg(long, value_name = "FILE")]
        pseudonym_key: Option<PathBuf>,
        /// Name of the first administrator, who registers everybody else.
        #[arg(long, default_value = "administrator", value_parser = person, value_name = "USER")]
        administrator: String,
        /// The province, by administrative code.
        #[arg(long, default_value = "350000", value_name = "ADCODE")]
        province: String,
        /// For rehearsals and training: register one person of every role, named after it.
        #[arg(long)]
        rehearsal: bool,
    },
    /// Serve until stopped: the API under `/v1`, health checks, figures.
    Serve(ServeArgs),
    /// Copy the whole installation into a new folder, while others work with it.
    Backup(BackupArgs),
    /// Bring an installation back from a copy, into a data folder that does not exist yet.
    Restore(RestoreArgs),
    /// Whether the installation is well, and what to do where it is not.
    Doctor,
    /// Forget who a customer is, and tell what went and what stays.
    Erase(EraseArgs),
    /// How long records are kept, and deleting what is older.
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Settings of the server.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Customers: snapshots of a population.
    #[command(subcommand)]
    Population(PopulationCommand),
    /// Reference tables: tariffs, disaster areas.
    #[command(subcommand)]
    Table(TableCommand),
    /// Named lists of customers.
    #[command(subcommand)]
    List(ListCommand),
    /// The contact policy of the province.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Calendars: which days are off, and which are worked in their place.
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// Print the script that teaches a shell these commands.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual: a page for each command.
    Man {
        /// Into this folder.
        folder: PathBuf,
    },
    /// Plugins: write, build, check and upload activities.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// People and their roles.
    #[command(subcommand)]
    User(UserCommand),
    /// Branch keys: whose signature an upload needs.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Tokens: what a program shows when it asks over HTTP.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Webhooks: other systems that are told of plans, submissions and campaigns.
    #[command(subcommand)]
    Webhook(HookCommand),
    /// Kill switches: what may not go out, whatever was approved.
    #[command(subcommand)]
    Switch(SwitchCommand),
    /// The audit log: who did what, and whether it still stands as written.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The gate: what was uploaded, and what the province decides.
    #[command(subcommand)]
    Submission(SubmissionCommand),
    /// Variants without code of approved activities.
    #[command(subcommand)]
    Variant(VariantCommand),
    /// Disaster responses that were approved ahead.
    #[command(subcommand)]
    Standby(StandbyCommand),
    /// What the gate asks of every submission.
    #[command(subcommand)]
    Gate(GateCommand),
    /// Do a piece of work from standard input: what other engines, and the program itself, run as a child.
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Campaigns: approved activities at work.
    #[command(subcommand)]
    Campaign(CampaignCommand),
    /// Plans: decide for every customer whom to contact.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Decide a plan again from what it pinned, and compare with its decision logs byte for byte.
    Replay {
        /// The plan, by the beginning of its id; or a batch of events, such as event-7.
        plan: String,
        /// Only this bucket.
        #[arg(long, value_name = "N")]
        bucket: Option<u32>,
    },
    /// Hand what is due to the gateways; channels without one are files in the data folder's `outbox`.
    Dispatch {
        /// The instant to act at instead of now: RFC 3339, or a date and time in the province.
        #[arg(long, global = true, value_parser = instant, value_name = "INSTANT")]
        at: Option<i64>,
        /// Go on with whatever becomes due, and hear receipts and replies, until asked to stop.
        #[arg(long)]
        watch: bool,
        #[command(subcommand)]
        command: Option<DispatchCommand>,
    },
    /// Calls: windows, and numbers handed out to agents.
    #[command(subcommand)]
    Calls(CallsCommand),
    /// Requests to departments: credit ratings, fee waivers.
    #[command(subcommand)]
    Requests(RequestsCommand),
    /// Gateways: by what each channel goes out.
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Our own staff: they get test messages, and copies of what campaigns send.
    #[command(subcommand)]
    Staff(StaffCommand),
    /// What customers were sent, for those who may read it.
    #[command(subcommand)]
    Message(MessageCommand),
    /// Why a customer was contacted, or not.
    Why {
        /// The operator's customer id, or a pseudonymous key.
        customer: String,
        /// Only this business date.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: Option<i32>,
    },
    /// Models: columns that plugins add to a population.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Events: what other systems report of customers.
    #[command(subcommand)]
    Event(EventCommand),
    /// Disasters: alerts, areas, the duty officer's activation, the daily report.
    #[command(subcommand)]
    Disaster(DisasterCommand),
    /// What a customer at the desk or on the line needs now: at most three prompts.
    Touchpoint {
        /// The operator's customer id, a pseudonymous key, or tel: and a number.
        customer: String,
        /// Where: hotline, store or online.
        #[arg(long, default_value = "hotline")]
        channel: String,
        /// About what: bill, balance, package, roaming, points, complaint, cancel, disaster, other.
        #[arg(long, default_value = "other")]
        topic: String,
    },
    /// How a customer answered a prompt.
    #[command(subcommand)]
    Prompt(PromptCommand),
    /// What customers did.
    #[command(subcommand)]
    Outcome(OutcomeCommand),
    /// What a campaign did to its goal, against its control group: did it help?
    Evaluate(EvaluateArgs),
    /// How a campaign was carried out: planned, released, sent, delivered, failed, in time; was it done?
    Execution {
        /// The campaign.
        campaign: String,
    },
    /// Experiments that were run elsewhere, evaluated like campaigns.
    #[command(subcommand)]
    Experiment(ExperimentCommand),
    /// Findings to follow up: each with an owner and a deadline, closed by a new version.
    #[command(subcommand)]
    Finding(FindingCommand),
    /// Needs: collected from complaints, enquiries and surveys, analysed, published, answered by activities.
    #[command(subcommand)]
    Need(NeedCommand),
    /// The knowledge base: each version with what it did, to whom, and with what effect.
    #[command(subcommand)]
    Knowledge(KnowledgeCommand),
    /// Complaints as a brake: the score of every live version, and when one is held.
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// What the host has to tell you.
    Notices,
    /// Reports, as text, as JSON, or as a page that prints.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Write every table for business analysis; nothing in it tells who somebody is.
    Export {
        /// The folder to write into.
        folder: PathBuf,
        /// parquet, csv or both.
        #[arg(long = "format", value_delimiter = ',', value_parser = form, default_value = "parquet,csv")]
        forms: Vec<Form>,
    },
}
