//! `care`: the command line and the server of the host for customer-care activities.
//!
//! This crate reads the clock, arguments and files, calls one engine function a command, and prints its answer.
//! No rule lives here.

mod answer;
mod api;
mod args;
mod background;
mod clock;
mod commands;
mod connections;
mod console;
mod metrics;
mod plugin;
mod progress;
mod serve;
mod settings;
mod telemetry;
mod trace;
mod views;
mod worker;

use answer::{Answer, report};
use args::{Args, Command, ConfigCommand, ServeArgs, WorkerCommand};
use care_engine::EngineError;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use settings::Settings;
use std::process::ExitCode;
use std::time::Duration;

/// The request was refused, or failed.
const REFUSED: u8 = 1;
/// How long threads that are blocked are waited for at the end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let matches = Args::command().get_matches();
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // Whoever reads the log may go away; complaining about that on the same closed pipe would end the request.
        .log_internal_errors(false)
        .with_env_filter(filter(&args.log))
        .init();
    if is_long(&args.command) {
        background::give_way();
    }
    let json = args.json;
    match run(args, &matches) {
        Ok(answer) => {
            answer.print(json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            report(&error, json);
            ExitCode::from(REFUSED)
        }
    }
}

/// What is logged, whatever is asked for: never what the protocol libraries see, which is numbers and texts.
fn filter(level: &str) -> tracing_subscriber::EnvFilter {
    let silent = ["rusmpp", "rusmppc", "lettre", "reqwest", "hyper"].map(|name| format!(",{name}=off"));
    tracing_subscriber::EnvFilter::new(format!("{level}{}", silent.concat()))
}

/// A clock that was set is believed in a rehearsal alone: elsewhere it would backdate decisions.
fn set_clock(args: &Args) -> Result<(), EngineError> {
    let Some(instant) = args.clock else { return Ok(()) };
    let begins = matches!(args.command, Command::Init { rehearsal: true, .. });
    if begins || args.data.join(care_engine::REHEARSAL_MARK).exists() {
        clock::rehearse(instant);
    } else if args.data.join("care.db").exists() {
        let message = format!("{} is no rehearsal, so its clock cannot be set", args.data.display());
        return Err(EngineError::refused("no-rehearsal", message, "Leave --clock and CARE_CLOCK away"));
    }
    Ok(())
}

/// The settings of a command, which knows by its own matches what was typed and what was in the environment.
fn settings(wanted: &ServeArgs, args: &Args, all: &ArgMatches, path: &[&str]) -> Result<Settings, EngineError> {
    let own = path.iter().try_fold(all, |matches, name| matches.subcommand_matches(name)).unwrap_or(all);
    Settings::of(wanted, own, &args.data)
}

/// Whether a command works through whole populations, beside a server on the same machine that answers people.
fn is_long(command: &Command) -> bool {
    matches!(command, Command::Plan(_) | Command::Replay { .. } | Command::Model(_) | Command::Population(_))
        || matches!(command, Command::Worker(WorkerCommand::Task))
}

fn run(args: Args, matches: &ArgMatches) -> anyhow::Result<Answer> {
    set_clock(&args)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(async {
        match args.command {
            Command::Init { ref pseudonym_key, ref administrator, ref province, rehearsal } => {
                let first = commands::setup::First { administrator, province, rehearsal };
                commands::setup::init(&args, pseudonym_key.as_deref(), first).await
            }
            Command::User(ref command) => commands::people::users(&args, command).await,
            Command::Key(ref command) => commands::key::run(&args, command).await,
            Command::Touchpoint { ref customer, ref channel, ref topic } => {
                commands::touchpoint::ask(&args, customer, channel, topic).await
            }
            Command::Prompt(ref command) => commands::touchpoint::answer(&args, command).await,
            Command::Disaster(ref command) => commands::disaster::run(&args, command).await,
            Command::Model(ref command) => commands::model::run(&args, command).await,
            Command::Event(ref command) => commands::event::run(&args, command).await,
            Command::Token(ref command) => commands::token::run(&args, command).await,
            Command::Webhook(ref command) => commands::hook::run(&args, command).await,
            Command::Switch(ref command) => commands::people::switches(&args, command).await,
            Command::Audit(ref command) => commands::people::audit(&args, command).await,
            Command::Serve(ref wanted) => serve::serve(&args.data, settings(wanted, &args, matches, &["serve"])?).await,
            Command::Backup(ref wanted) => commands::operate::backup(&args, wanted).await,
            Command::Restore(ref wanted) => commands::operate::restore(&args, wanted).await,
            Command::Doctor => commands::operate::doctor(&args).await,
            Command::Erase(ref wanted) => commands::operate::erase(&args, wanted).await,
            Command::Retention(ref command) => commands::retention::run(&args, command).await,
            Command::Config(ConfigCommand::Show(ref wanted)) => {
                commands::setup::show(&settings(wanted, &args, matches, &["config", "show"])?)
            }
            Command::Worker(ref command) => worker::run(&args, command).await,
            Command::Population(ref command) => commands::population::run(&args, command).await,
            Command::Table(ref command) => commands::population::table(&args, command).await,
            Command::List(ref command) => commands::population::list(&args, command).await,
            Command::Policy(ref command) => commands::policy::run(&args, command).await,
            Command::Calendar(ref command) => commands::policy::calendar(&args, command).await,
            Command::Completions { shell } => Ok(commands::shell::completions(shell)),
            Command::Man { ref folder } => commands::shell::man(folder),
            Command::Plugin(ref command) => commands::plugin::run(&args, command).await,
            Command::Submission(ref command) => commands::submission::run(&args, command).await,
            Command::Variant(ref command) => commands::gate::variant(&args, command).await,
            Command::Standby(ref command) => commands::gate::standby(&args, command).await,
            Command::Gate(ref command) => commands::gate::rules(&args, command).await,
            Command::Campaign(ref command) => commands::campaign::run(&args, command).await,
            Command::Plan(ref command) => commands::plan::run(&args, command).await,
            Command::Replay { ref plan, bucket } => commands::plan::replay(&args, plan, bucket).await,
            Command::Dispatch { at, watch, ref command } => {
                commands::gateway::dispatch(&args, at, watch, command.as_ref()).await
            }
            Command::Calls(ref command) => commands::desk::calls(&args, command).await,
            Command::Requests(ref command) => commands::desk::requests(&args, command).await,
            Command::Gateway(ref command) => commands::gateway::run(&args, command).await,
            Command::Staff(ref command) => commands::staff::run(&args, command).await,
            Command::Message(ref command) => commands::staff::message(&args, command).await,
            Command::Why { ref customer, date } => commands::plan::why(&args, customer, date).await,
            Command::Outcome(ref command) => commands::outcome::run(&args, command).await,
            Command::Evaluate(ref wanted) => commands::effect::evaluate(&args, wanted).await,
            Command::Execution { ref campaign } => commands::effect::execution(&args, campaign).await,
            Command::Experiment(ref command) => commands::effect::experiment(&args, command).await,
            Command::Finding(ref command) => commands::learnt::finding(&args, command).await,
            Command::Need(ref command) => commands::learnt::need(&args, command).await,
            Command::Knowledge(ref command) => commands::learnt::knowledge(&args, command).await,
            Command::Brake(ref command) => commands::learnt::brake(&args, command).await,
            Command::Notices => commands::learnt::notices(&args).await,
            Command::Report(ref command) => commands::learnt::report(&args, command).await,
            Command::Export { ref folder, ref forms } => commands::learnt::export(&args, folder, forms).await,
        }
    });
    // What a blocked thread still holds is crash-safe; whoever asked to stop is not kept waiting for it.
    runtime.shutdown_timeout(LAST_MOMENT);
    done
}
