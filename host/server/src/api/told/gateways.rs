//! By which gateway each channel goes and how dispatch adds up, as answers hold it.

use super::live::Words;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The gateways in force. A channel that is not named is written to files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::api) struct GatewaysInForce {
    /// Short messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<ChannelGateway>,
    /// E-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<ChannelGateway>,
    /// Calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    call_list: Option<ChannelGateway>,
    /// What is said when a customer comes by.
    #[serde(skip_serializing_if = "Option::is_none")]
    touchpoint: Option<ChannelGateway>,
    /// What account managers bring up.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_manager: Option<ChannelGateway>,
    /// Requests to departments.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<ChannelGateway>,
    /// At the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<ChannelGateway>,
    /// What customers' replies mean.
    replies: Replies,
    /// The words around a short message.
    wording: Frame,
    /// Whether, and after how long, what did not arrive goes on to the next channel.
    fallback: Fallback,
}

/// A channel. At most one of the gateways is named; without one it is written to files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ChannelGateway {
    /// Contacts a second on the whole channel; 0 for no limit.
    rate: u32,
    /// Contacts a second of each campaign; 0 for no limit.
    campaign_rate: u32,
    /// Contacts a second of single campaigns, instead of that.
    campaign_rates: BTreeMap<String, u32>,
    /// How patiently.
    retry: Retrying,
    /// A short-message centre.
    smpp: Option<Smpp>,
    /// A mail server.
    smtp: Option<Smtp>,
    /// Another system.
    webhook: Option<WebhookGateway>,
    /// People of our own, who take their work from a list.
    desk: Option<Desk>,
}

/// Attempts and waits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Retrying {
    /// Attempts after which a contact is given up.
    attempts: u32,
    /// Wait after the first failure, in milliseconds.
    base_ms: i64,
    /// The longest wait, in milliseconds.
    most_ms: i64,
}

/// A short-message centre by SMPP 3.4.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Smpp {
    /// Host and port.
    address: String,
    /// Who we are there.
    system_id: String,
    /// The file that holds the password.
    password_file: String,
    /// System type.
    system_type: String,
    /// The number that customers see and answer to.
    source: String,
    /// Put before every number.
    prefix: String,
    /// Connections.
    binds: u64,
    /// Messages without an answer on each connection.
    window: u64,
    /// Segments a second on each connection; 0 for no limit.
    bind_rate: u32,
    /// How long an answer may take, in milliseconds.
    response_ms: u64,
    /// How often the link is asked whether it lives, in milliseconds.
    enquire_ms: u64,
    /// First wait before connecting again, in milliseconds.
    reconnect_ms: u64,
    /// How long a message waits for a connection, in milliseconds.
    connect_ms: u64,
    /// Pause when the centre asks for a slower pace, in milliseconds.
    throttle_ms: u64,
    /// Whether to tell the centre until when a message is useful.
    validity: bool,
}

/// A mail server by SMTP.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Smtp {
    /// Host and port.
    address: String,
    /// none, starttls or tls.
    security: String,
    /// Who we are there; empty where the server asks nobody.
    user: String,
    /// The file that holds the password.
    password_file: Option<String>,
    /// The sender's address.
    from: String,
    /// The sender's name.
    from_name: String,
    /// Where a reader can say that it is enough.
    unsubscribe: String,
    /// Connections.
    connections: u64,
    /// How long an answer may take, in milliseconds.
    response_ms: u64,
}

/// Another system by signed requests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WebhookGateway {
    /// Where.
    url: String,
    /// The file that holds the secret.
    secret_file: String,
    /// Requests without an answer.
    window: u64,
    /// How long an answer may take, in milliseconds.
    response_ms: u64,
}

/// Work that people take from a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Desk {
    /// For how long a person has what was handed out, in minutes.
    hold_minutes: u32,
}

/// What customers' replies mean.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Replies {
    /// Words that refuse.
    refusal: Vec<String>,
    /// Whole messages that are outcomes of a kind.
    outcomes: BTreeMap<String, String>,
    /// Activities whose messages ask for a score, each with the kind of outcome that it is.
    surveys: BTreeMap<String, String>,
}

/// What stands around every short message.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageFrame)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Frame {
    /// Put before the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Words>,
    /// Put behind a commercial text.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal_hint: Option<Words>,
}

/// Whether contacts go on along the channels of their reason.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Fallback {
    /// Whether at all.
    on: bool,
    /// By channel: how many minutes a receipt or a visit is waited for.
    after_minutes: BTreeMap<String, u32>,
}

/// How the gateways are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct GatewaysHealth {
    /// Each channel's.
    gateways: Vec<GatewayState>,
}

/// How the gateway of a channel is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct GatewayState {
    /// The channel.
    channel: String,
    /// smpp, smtp, webhook, desk or file.
    gateway: String,
    /// How it is; null for files and desks.
    health: Option<GatewayHealth>,
}

/// How a gateway is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct GatewayHealth {
    /// Connections that work now.
    up: u64,
    /// Connections that should.
    of: u64,
    /// What went wrong last; empty when nothing did.
    last_error: String,
    /// What happened how often, by name.
    counts: BTreeMap<String, u64>,
}

/// How dispatch adds up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct DispatchStatus {
    /// Contacts by channel and state.
    channels: BTreeMap<String, BTreeMap<String, u64>>,
    /// What receipts say.
    receipts: ReceiptsNoted,
    /// Given up, and not replayed.
    dead_letters: u64,
}

/// Receipts by what is known of their messages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ReceiptsNoted {
    /// Contacts of which everything arrived.
    delivered: u64,
    /// Contacts of which something never will.
    undelivered: u64,
    /// Contacts that were accepted, and of which nobody said the last.
    awaited: u64,
    /// Messages with a receipt that no answer names.
    unmatched: u64,
    /// Receipts that came more than once.
    repeated: u64,
}

/// What was given up and goes out again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Replayed {
    /// Contacts.
    replayed: u64,
}
