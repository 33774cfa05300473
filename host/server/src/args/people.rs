//! What may be typed about people, keys, kill switches and the audit log.

use super::{head, person, role};
use care_domain::audit::Head;
use care_domain::person::Role;
use clap::{Args, Subcommand};
use std::path::PathBuf;

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

#[derive(Debug, Args)]
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

#[derive(Debug, Args)]
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
