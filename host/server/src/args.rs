//! What may be typed.

mod access;
mod author;
pub(crate) mod desk;
mod disaster;
mod live;
mod message;
mod model;
mod operate;
mod review;
mod serve;

pub(crate) use access::TokenCommand;
pub(crate) use author::{CacheArgs, CasesArgs, PluginCommand, ReferenceTopic, SimulateArgs};
pub(crate) use disaster::DisasterCommand;
pub(crate) use live::{EventCommand, PromptCommand};
pub(crate) use message::{MessageCommand, StaffCommand, TestArgs};
pub(crate) use model::ModelCommand;
pub(crate) use operate::{BackupArgs, EraseArgs, RestoreArgs};
pub(crate) use review::{
    ApproveArgs, BecauseArgs, Bound, GateCommand, StandbyCommand, StepCommand, SubmissionCommand, TickArgs,
    VariantCommand,
};
pub(crate) use serve::{ConfigCommand, ServeArgs};

use care_domain::audit::Head;
use care_domain::manifest::LifeStage;
use care_domain::person::Role;
use care_domain::policy::Class;
use care_engine::{Form, Measure, OutcomeSource};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

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

#[derive(Debug, Subcommand)]
pub(crate) enum FindingCommand {
    /// Open a finding about a version; its owner is told.
    Open {
        /// The activity.
        activity: String,
        /// The version; the newest that ran when absent.
        #[arg(long)]
        version: Option<semver::Version>,
        /// What was found, in a sentence.
        #[arg(long)]
        what: String,
        /// Who answers for it; the version's author when absent.
        #[arg(long, value_parser = person, value_name = "USER")]
        owner: Option<String>,
        /// Last date on which it is in time.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        due: i32,
        /// The kept evaluation that shows it.
        #[arg(long, value_name = "N")]
        evaluation: Option<i64>,
    },
    /// Close it: a newer, approved version mends it.
    Close {
        /// Its number.
        id: i64,
        /// The version.
        #[arg(long)]
        version: semver::Version,
    },
    /// Drop it: it was none.
    Drop {
        /// Its number.
        id: i64,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// List them.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NeedCommand {
    /// Collect records: id,source,entry,region,at[,score]; the source is complaint, enquiry or survey.
    Collect {
        /// The CSV file.
        file: PathBuf,
    },
    /// Open a need over the records of a catalogue entry.
    Open {
        /// The entry, such as green-bill.
        entry: String,
        /// What people call it.
        #[arg(long)]
        title: String,
        /// Records from this instant on.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        from: i64,
        /// Records before this instant.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        until: i64,
    },
    /// Count its records and find where it is weak.
    Analyse {
        /// Its number.
        id: i64,
    },
    /// Publish it: activities may answer it.
    Publish {
        /// Its number.
        id: i64,
    },
    /// Name an activity as its answer.
    Answer {
        /// Its number.
        id: i64,
        /// The activity.
        activity: String,
    },
    /// Show needs, or one.
    Show {
        /// Its number.
        id: Option<i64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KnowledgeCommand {
    /// Versions that fit, beside each other.
    Search {
        /// That answer a need, by its number.
        #[arg(long, value_name = "N")]
        need: Option<i64>,
        /// Of a category or entry of the catalogue.
        #[arg(long)]
        category: Option<String>,
        /// For a life-cycle stage: acquisition, growth, maturity, decline.
        #[arg(long, value_parser = stage)]
        stage: Option<LifeStage>,
        /// With this in name, title or summary.
        #[arg(long)]
        text: Option<String>,
    },
    /// Everything about an activity, its versions beside each other.
    Show {
        /// The activity.
        activity: String,
        /// Only this version.
        #[arg(long)]
        version: Option<semver::Version>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BrakeCommand {
    /// Show when versions are held, and the score of every live one.
    Show,
    /// Say when versions are held; what is not named stays.
    Set {
        /// A complaint counts against a contact of at most so many days before.
        #[arg(long)]
        days: Option<u32>,
        /// More than this share of messages holds a version: 1%, or 0.01.
        #[arg(long, value_parser = share, value_name = "SHARE")]
        share: Option<f64>,
        /// How much an enquiry weighs against a complaint, 0 to 1.
        #[arg(long)]
        enquiry: Option<f64>,
        /// With fewer messages nothing is held.
        #[arg(long, value_name = "MESSAGES")]
        least: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// The daily report of an activity; of every disaster activity when none is named.
    Daily {
        /// The date; today when absent.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: Option<i32>,
        /// The activity.
        #[arg(long)]
        activity: Option<String>,
        /// Write it as a page that prints, too.
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
    /// The report for the monthly service-quality meeting.
    Monthly {
        /// A date of the month; this month when absent.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: Option<i32>,
        /// Write it as a page that prints, too.
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
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
pub(crate) enum PopulationCommand {
    /// Import a CSV or Parquet file by a mapping.
    Import {
        /// The file.
        file: PathBuf,
        /// The mapping: which column fills which field (see examples/).
        #[arg(long, value_name = "FILE")]
        mapping: PathBuf,
        /// The date that the values speak of.
        #[arg(long, value_parser = date, default_value = crate::args::DEFAULT_DATE, value_name = "YYYY-MM-DD")]
        date: i32,
        /// Refuse the file when more rows than this are bad: 1%, or 0.01.
        #[arg(long, value_parser = share, value_name = "SHARE")]
        max_bad: Option<f64>,
    },
    /// Make up a population, for trials: the same seed gives the same people.
    Generate {
        /// How many customers.
        #[arg(long, default_value_t = 10_000, value_name = "N")]
        customers: u64,
        /// The seed.
        #[arg(long, default_value_t = 1, value_name = "S")]
        seed: u64,
        /// The date that the values speak of.
        #[arg(long, value_parser = date, default_value = crate::args::DEFAULT_DATE, value_name = "YYYY-MM-DD")]
        date: i32,
    },
    /// Show the snapshots, one of them, or one customer in it.
    Show {
        /// The snapshot, by the beginning of its id.
        snapshot: Option<String>,
        /// One customer: the operator's id or a key. Names and numbers are not shown.
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
    },
}

/// The business date of made-up populations: every activity has targets on it.
pub(crate) const DEFAULT_DATE: &str = "2026-07-29";

#[derive(Debug, Subcommand)]
pub(crate) enum TableCommand {
    /// Import a reference table from CSV; plans from now on read it.
    Import {
        /// The name under which plugins read it.
        name: String,
        /// The CSV file.
        file: PathBuf,
        /// TOML: `[fields]` with a type for each column.
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
    },
    /// Show the tables.
    Show,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Import numbers, one a line; plugins read it as field `list.NAME`.
    Import {
        /// Name of the list.
        name: String,
        /// The file.
        file: PathBuf,
        /// Who answers for it.
        #[arg(long)]
        owner: String,
        /// Last date on which it may be used.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        expires: i32,
    },
    /// Show the lists.
    Show,
}

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

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Give somebody a role.
    Add(UserArgs),
    /// Take a role away.
    Remove(UserArgs),
    /// List who has which role.
    List,
    /// Give somebody a one-time password for logging in; shown this one time.
    Password {
        /// Who.
        #[arg(value_parser = person)]
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct UserArgs {
    /// Who.
    #[arg(value_parser = person)]
    pub(crate) name: String,
    /// As what.
    #[arg(long, value_parser = role)]
    pub(crate) role: Role,
    /// Where: an administrative code, and everything below it.
    #[arg(long, value_name = "ADCODE")]
    pub(crate) region: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key for a branch: FILE, which the branch keeps to itself, and FILE.pub. Needs no data folder.
    New {
        /// Where to write it; what exists is not overwritten.
        file: PathBuf,
    },
    /// Register the public half of a key.
    Add {
        /// FILE.pub of `care key new`.
        file: PathBuf,
        /// Whose it is.
        #[arg(long, value_parser = person, value_name = "USER")]
        owner: String,
        /// Where it may vouch: an administrative code, and everything below it.
        #[arg(long, value_name = "ADCODE")]
        region: String,
    },
    /// Revoke a key: it vouches for nothing new, and what it signed is flagged.
    Revoke {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// List the keys.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SwitchCommand {
    /// Stop it at once; what waits goes on waiting.
    On(SwitchArgs),
    /// Let it go on.
    Off(SwitchArgs),
    /// List what is stopped.
    List,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SwitchArgs {
    /// everything, activity, version, region or channel.
    pub(crate) scope: String,
    /// Which one: a name, a digest, an administrative code, a channel.
    #[arg(default_value = "")]
    pub(crate) target: String,
    /// Why.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the lines.
    Show {
        /// Only those about this, such as "submission 7".
        #[arg(long)]
        subject: Option<String>,
    },
    /// Write all lines with the signed head, for somebody without the data folder.
    Export {
        /// Where to.
        file: PathBuf,
    },
    /// Check what `export` wrote. Needs no data folder.
    Check {
        /// The file.
        file: PathBuf,
        /// The host's public key, as it was told elsewhere.
        #[arg(long, value_name = "HEX")]
        host_key: Option<String>,
    },
    /// Check every line, the signed head, and a head that was kept elsewhere.
    Verify {
        /// A head as an earlier `verify` printed it.
        #[arg(long, value_parser = head, value_name = "HEAD")]
        expect: Option<Head>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// Task descriptors in, one a line; their manifests of counts and digests out, one a line. Exit codes: 0 done, 75 try
    /// again, 65 never. A descriptor that was done already is answered with the same manifest.
    Task,
    /// A component in, machine code out.
    #[command(hide = true)]
    Compile(WorkerBounds),
    /// Manifest, dictionary and machine code in, findings on the golden batch out.
    #[command(hide = true)]
    Smoke(WorkerBounds),
}

/// What a worker forbids itself before it reads anything.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerBounds {
    /// Processor time of all its threads.
    #[arg(long)]
    pub(crate) cpu_seconds: u64,
    /// Memory that it may write to, in MiB.
    #[arg(long)]
    pub(crate) memory_mib: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CampaignCommand {
    /// Start a campaign with the newest approved version that fits.
    Start {
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
        /// Parameters as a JSON file.
        #[arg(long = "params", value_name = "FILE")]
        file: Option<PathBuf>,
        /// The oldest snapshot that it may run on, in days before the business date; 7 when absent.
        #[arg(long, value_parser = clap::value_parser!(u16).range(0..=400), value_name = "DAYS")]
        max_snapshot_days: Option<u16>,
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
#[derive(Debug, clap::Args)]
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

/// How this process takes part in a plan.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkArgs {
    /// Tasks at once; one a core when absent.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Others take this process's tasks over when it gave no sign of life for so long.
    #[arg(long, default_value_t = care_engine::DEFAULT_LEASE.as_secs(), value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS")]
    pub(crate) lease: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DispatchCommand {
    /// How contacts and receipts add up by channel.
    Status,
    /// List what was given up after several attempts.
    Dead,
    /// Let what was given up go out again.
    Replay {
        /// Only of this campaign.
        #[arg(long, value_name = "CAMPAIGN")]
        campaign: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CallsCommand {
    /// Open a calling window: numbers are handed out until it closes or is full.
    Open {
        /// Agents.
        #[arg(long, value_name = "N")]
        seats: u32,
        /// Calls that each makes in an hour.
        #[arg(long, default_value_t = 12, value_name = "N")]
        calls_an_hour: u32,
        /// Until when: RFC 3339, or a date and time in the province.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        until: i64,
    },
    /// Close the window that is open.
    Close,
    /// List the newest windows.
    List,
    /// List the calls themselves: what waits, who has what, what came of it.
    Queue(desk::ListArgs),
    /// Take calls to make, the most urgent first.
    Take(TakeArgs),
    /// Record what came of calls, from CSV: contact,result[,score][,note]; a score is what the customer said of the service,
    /// 1 to 10.
    Record {
        /// The list that was handed out, filled in.
        file: PathBuf,
    },
    /// The report of a day: calls and requests, and what came of them.
    Report {
        /// The day.
        #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
        date: i32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RequestsCommand {
    /// List the requests to one's own department: what waits, who has what, what was done.
    List(desk::ListArgs),
    /// Take requests to one's own department.
    Take(TakeArgs),
    /// Record what was done, from CSV: contact,result[,note]; results are done and declined.
    Record {
        /// The list that was handed out, filled in.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct TakeArgs {
    /// At most so many.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) count: u64,
    /// Write a list that spreadsheets open, to be filled in and given back.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Put gateways in force (see examples/gateways.toml). Secrets stand in files of their own.
    Set {
        /// The configuration.
        file: PathBuf,
    },
    /// Show the gateways in force.
    Show,
    /// Try whether each gateway is there and takes us for who we say we are. Nothing is sent.
    Check,
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

/// Four eyes compare names: one that only differs by blanks is no other person.
fn person(text: &str) -> Result<String, String> {
    let written = care_domain::text::is_person(text);
    written.then(|| text.to_owned()).ok_or_else(|| "a user has a name, without blanks around it".into())
}

fn date(text: &str) -> Result<i32, String> {
    care_domain::time::parse_date(text).ok_or_else(|| "a date is written 2026-07-29".into())
}

fn instant(text: &str) -> Result<i64, String> {
    let hint = "an instant is written 2026-07-29T09:00:00+08:00, or without zone for the province's";
    care_domain::time::parse_instant(text).ok_or_else(|| hint.into())
}

fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 0.01));
    let share = number.trim().parse::<f64>().map(|n| n * scale).map_err(|_| "a share is written 1% or 0.01")?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share lies between 0 and 100%".into()) }
}

fn cap(text: &str) -> Result<care_domain::manifest::Cap, String> {
    let numbers = text.split_once('/').and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
    match numbers.map(|(contacts, days)| care_domain::manifest::Cap { contacts, days }) {
        Some(cap) if cap.is_sound() => Ok(cap),
        _ => Err("a cap is written contacts/days, such as 1/7, within 1 to 400 days".into()),
    }
}

fn batch(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(n) if (8..=65_536).contains(&n) && n % 8 == 0 => Ok(n),
        _ => Err("a batch holds 8 to 65536 customers, a multiple of 8".into()),
    }
}

fn stage(text: &str) -> Result<LifeStage, String> {
    serde_json::from_value(text.into()).map_err(|_| "stages are acquisition, growth, maturity, decline".into())
}

fn form(text: &str) -> Result<Form, String> {
    Form::ALL.into_iter().find(|form| form.name() == text).ok_or_else(|| "formats are parquet and csv".into())
}

fn source(text: &str) -> Result<OutcomeSource, String> {
    let known = OutcomeSource::ALL.into_iter().find(|source| source.name() == text);
    known.ok_or_else(|| format!("sources are {}", OutcomeSource::ALL.map(OutcomeSource::name).join(", ")))
}

fn measure(text: &str) -> Result<Measure, String> {
    let known = Measure::ALL.into_iter().find(|measure| measure.name() == text);
    known.ok_or_else(|| format!("measures are {}", Measure::ALL.map(Measure::name).join(", ")))
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| format!("roles are {}", Role::ALL.map(Role::name).join(", ")))
}

fn head(text: &str) -> Result<Head, String> {
    Head::parse(text).ok_or_else(|| "a head is written 12-3fa9…, as `care audit verify` prints it".into())
}

fn class(text: &str) -> Result<Class, String> {
    let known = Class::ALL.into_iter().find(|c| c.name() == text);
    known.ok_or_else(|| format!("classes are {}", Class::ALL.map(Class::name).join(", ")))
}

fn param(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is written name=value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| serde_json::Value::from(value));
    Ok((name.to_owned(), value))
}
