//! E-mail by SMTP: text and HTML, the sender's name in any script, and a way to say that it is enough.
//! The steps of the protocol are taken one by one, since only they tell what surely did not reach the server.

use crate::config::{ConfigError, Security, SmtpConfig};
use crate::{Health, Outgoing, secret, tame};
use care_domain::dispatch::Answer;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest subject: one line.
const MAX_SUBJECT: usize = 120;

/// The gateway: connections that are kept while they work.
pub struct Smtp {
    config: SmtpConfig,
    from: Mailbox,
    credentials: Option<Credentials>,
    places: Semaphore,
    idle: tokio::sync::Mutex<Vec<AsyncSmtpConnection>>,
    last_error: Mutex<String>,
}

/// Where an attempt ended.
enum Step {
    /// Before the server had the message.
    Before(Error),
    /// While it was handed over, or after.
    After(Error),
    Unconnected(String),
    Timeout {
        handed: bool,
    },
}

impl Smtp {
    pub(crate) fn open(config: &SmtpConfig, folder: &Path) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError::Value { channel: "email", what };
        let address: Address =
            config.from.parse().map_err(|_| wrong(format!("from {:?} is no address", config.from)))?;
        let name = Some(config.from_name.clone()).filter(|name| !name.is_empty());
        let stop = &config.unsubscribe;
        if !stop.starts_with("mailto:") && !stop.starts_with("https://") {
            return Err(wrong(format!("unsubscribe {stop:?} is neither mailto: nor https://")));
        }
        let credentials = match &config.password_file {
            Some(file) => Some(Credentials::new(config.user.clone(), secret::read(folder, file)?)),
            None => None,
        };
        Ok(Self {
            from: Mailbox::new(name, address),
            credentials,
            places: Semaphore::new(config.connections),
            idle: tokio::sync::Mutex::default(),
            last_error: Mutex::default(),
            config: config.clone(),
        })
    }

    pub(crate) fn window(&self) -> usize {
        self.config.connections
    }

    pub(crate) fn longest_ms(&self) -> i64 {
        (self.config.response_ms * 4) as i64
    }

    pub(crate) fn health(&self) -> Health {
        let last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let up = self.config.connections * usize::from(last_error.is_empty());
        Health { up, of: self.config.connections, last_error, ..Health::default() }
    }

    pub(crate) async fn try_out(&self, patience: Duration) {
        let error = match timeout(patience, self.connect(patience)).await {
            Ok(Ok(connection)) => {
                self.keep(connection).await;
                String::new()
            }
            Ok(Err(step)) => answer_of(step).why().to_owned(),
            Err(_) => "cannot connect in time".to_owned(),
        };
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(crate) async fn close(&self) {
        for mut connection in self.idle.lock().await.drain(..) {
            let _ = timeout(Duration::from_secs(1), connection.quit()).await;
        }
    }

    pub(crate) async fn send(&self, message: &Outgoing) -> Answer {
        let Ok(to) = message.to.parse::<Address>() else {
            return Answer::Refused { why: "its address is none".into() };
        };
        let (envelope, bytes) = match self.compose(message, to) {
            Ok(composed) => composed,
            Err(why) => return Answer::Refused { why },
        };
        let Ok(_place) = self.places.acquire().await else {
            return Answer::Unreached { why: "the gateway is closing".into() };
        };
        let answer = match self.hand_over(&envelope, &bytes).await {
            Ok(()) => Answer::Accepted { ids: Vec::new() },
            Err(step) => answer_of(step),
        };
        let error = if answer.blames_gateway() { answer.why().to_owned() } else { String::new() };
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        answer
    }

    fn compose(&self, message: &Outgoing, to: Address) -> Result<(Envelope, Vec<u8>), String> {
        let bad = |what: &'static str| move |_| what.to_owned();
        let contact = message.contact.to_string();
        let stop = format!("<{}>", self.config.unsubscribe.replace("{contact}", &contact));
        let subject: String = message.subject.chars().filter(|c| !c.is_control()).take(MAX_SUBJECT).collect();
        let raw = |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(subject)
            .message_id(Some(format!("<{contact}.{}@{}>", message.attempt, self.from.email.domain())))
            .raw_header(raw("List-Unsubscribe", stop));
        if self.config.unsubscribe.starts_with("https://") {
            mail = mail.raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
        }
        let parts = MultiPart::alternative()
            .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(message.text.clone()))
            .singlepart(SinglePart::builder().header(ContentType::TEXT_HTML).body(html(&message.text)));
        let mail = mail.multipart(parts).map_err(bad("it cannot be composed"))?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to]).map_err(bad("it has no envelope"))?;
        Ok((envelope, mail.formatted()))
    }

    /// One message over one connection, which is kept if it still works.
    async fn hand_over(&self, envelope: &Envelope, bytes: &[u8]) -> Result<(), Step> {
        let longest = Duration::from_millis(self.config.response_ms);
        let mut connection = self.connection(longest).await?;
        let handed = async {
            let from = envelope.from().cloned();
            connection.command(Mail::new(from, Vec::new())).await.map_err(Step::Before)?;
            for to in envelope.to() {
                connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(Step::Before)?;
            }
            connection.command(Data).await.map_err(Step::Before)
        };
        match timeout(longest, handed).await {
            Ok(Ok(_)) => {}
            Ok(Err(step)) => {
                self.keep(connection).await;
                return Err(step);
            }
            Err(_) => return Err(Step::Timeout { handed: false }),
        }
        let answer = timeout(longest, connection.message(bytes)).await;
        match answer {
            Ok(Ok(_)) => {
                self.keep(connection).await;
                Ok(())
            }
            Ok(Err(error)) => {
                self.keep(connection).await;
                Err(Step::After(error))
            }
            Err(_) => Err(Step::Timeout { handed: true }),
        }
    }

    /// One that was kept and still works, or a new one.
    async fn connection(&self, longest: Duration) -> Result<AsyncSmtpConnection, Step> {
        let idle = self.idle.lock().await.pop();
        if let Some(mut kept) = idle
            // A server may have hung up meanwhile; a message must not find that out.
            && timeout(longest, kept.test_connected()).await == Ok(true)
        {
            return Ok(kept);
        }
        match timeout(longest, self.connect(longest)).await {
            Ok(connected) => connected,
            Err(_) => Err(Step::Unconnected("cannot connect in time".into())),
        }
    }

    async fn keep(&self, mut connection: AsyncSmtpConnection) {
        if !connection.has_broken() && connection.command(lettre::transport::smtp::commands::Rset).await.is_ok() {
            self.idle.lock().await.push(connection);
        }
    }

    async fn connect(&self, longest: Duration) -> Result<AsyncSmtpConnection, Step> {
        let failed = |error: Error| Step::Unconnected(told(&error));
        let (host, _) = self.config.address.rsplit_once(':').unwrap_or((&self.config.address, ""));
        let tls = || TlsParameters::new_rustls(host.to_owned()).map_err(failed);
        let wrapped = if self.config.security == Security::Tls { Some(tls()?) } else { None };
        let us = ClientId::Domain(self.from.email.domain().to_owned());
        let address = self.config.address.as_str();
        let connected = AsyncSmtpConnection::connect_tokio1(address, Some(longest), &us, wrapped, None).await;
        let mut connection = connected.map_err(failed)?;
        if self.config.security == Security::Starttls {
            connection.starttls(tls()?, &us).await.map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(failed)?;
        }
        Ok(connection)
    }
}

fn answer_of(step: Step) -> Answer {
    match step {
        Step::Unconnected(why) => Answer::Unreached { why },
        Step::Timeout { handed: false } => {
            Answer::Unreached { why: "no answer before the message was handed over".into() }
        }
        Step::Timeout { handed: true } => Answer::Lost { why: "no answer to the message".into() },
        Step::Before(error) | Step::After(error) if error.is_permanent() => Answer::Refused { why: told(&error) },
        Step::Before(error) | Step::After(error) if error.is_transient() => Answer::Busy { why: told(&error) },
        Step::Before(error) => Answer::Unreached { why: told(&error) },
        Step::After(error) => Answer::Lost { why: told(&error) },
    }
}

fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    tame(&text)
}

/// The text as a page: paragraphs, nothing else.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let lines: Vec<String> = escaped.lines().map(|line| format!("<p>{line}</p>")).collect();
    format!("<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body>{}</body></html>", lines.join(""))
}
