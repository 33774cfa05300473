//! What may be typed about messages to our own staff, and about what customers were sent.

use super::person;
use care_domain::contact::Channel;
use care_domain::text::Language;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum StaffCommand {
    /// Register a member of staff, or change what is known of one.
    Add {
        /// What the member is called here.
        #[arg(value_parser = person, value_name = "NAME")]
        name: String,
        /// Mobile number.
        #[arg(long, default_value = "", value_name = "NUMBER")]
        msisdn: String,
        /// E-mail address.
        #[arg(long, default_value = "", value_name = "ADDRESS")]
        email: String,
        /// Send a copy of whatever campaigns send.
        #[arg(long)]
        seed: bool,
    },
    /// Forget a member of staff.
    Remove {
        /// What the member is called here.
        name: String,
    },
    /// List registered staff; numbers are masked.
    List,
    /// Copies that staff got of what a campaign sent.
    Copies {
        /// The campaign.
        campaign: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MessageCommand {
    /// Show what was sent to a customer, or would be; who asked is audited.
    Show {
        /// The contact, as `care why` names it.
        contact: String,
    },
}

/// Test messages of a submission.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Number of the submission.
    pub(crate) id: i64,
    /// Registered staff who get them; may be repeated.
    #[arg(long, required = true, value_name = "NAME")]
    pub(crate) to: Vec<String>,
    /// The channel: sms or email.
    #[arg(long, default_value = "sms", value_parser = channel, value_name = "CHANNEL")]
    pub(crate) channel: Channel,
    /// zh or en alone.
    #[arg(long, value_parser = language, value_name = "LANGUAGE")]
    pub(crate) language: Option<Language>,
}

pub(super) fn channel(text: &str) -> Result<Channel, String> {
    let found = Channel::ALL.into_iter().find(|channel| channel.name() == text);
    found.ok_or_else(|| format!("channels: {}", Channel::ALL.map(Channel::name).join(", ")))
}

fn language(text: &str) -> Result<Language, String> {
    let found = [Language::Zh, Language::En].into_iter().find(|language| language.name() == text);
    found.ok_or_else(|| "languages: zh, en".to_owned())
}
