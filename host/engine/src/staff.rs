//! Messages to our own staff: what a submission would say, before anybody decides about it, and a copy of what every
//! campaign sends. And what a customer was sent, for those who may read it.

use crate::render::Renderer;
use crate::{Engine, EngineError};
use care_channels::{FileGateway, Gateway, Outgoing};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::contact::{Addressee, Channel, ContactId};
use care_domain::dispatch::Answer;
use care_domain::evidence::made_up;
use care_domain::identity::Identity;
use care_domain::key::CustomerKey;
use care_domain::person::Act;
use care_domain::preview::{Preview, previews};
use care_domain::text::{Language, nearest_hint};
use care_domain::time::{self, DAY_MS};
use care_store::{Aside, NewAside, Staff, StoredContact, StoredSubmission};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// The most test messages about one submission in a day †: a test is read by people.
const MOST_TESTS: usize = 100;

/// Which messages of a submission go to whom.
#[derive(Debug, Clone)]
pub struct TestSend {
    /// The submission.
    pub submission: i64,
    /// Registered staff, by name.
    pub to: Vec<String>,
    /// The channel.
    pub channel: Channel,
    /// The language; both when absent.
    pub language: Option<Language>,
}

/// What became of test messages, by the gateway's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestSent {
    /// Template.
    pub template: String,
    /// Language.
    pub language: Language,
    /// To whom.
    pub staff: String,
    /// `accepted`, or why not.
    pub answer: String,
    /// More about it; empty when it was accepted.
    pub note: String,
}

/// A contact as its customer got it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SentMessage {
    /// The contact.
    pub contact: String,
    /// The campaign.
    pub campaign: String,
    /// The channel that it went by.
    pub channel: Channel,
    /// To whom.
    pub addressee: Addressee,
    /// Number or address, masked.
    pub to: String,
    /// Where it stands.
    pub state: &'static str,
    /// When it last went on its way, RFC 3339; nothing when it never did.
    pub sent_at: Option<String>,
    /// As read.
    pub text: String,
}

// Debug output ends in logs: it names the contact only.
impl std::fmt::Debug for SentMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SentMessage({})", self.contact)
    }
}

impl Engine {
    /// Registers a member of staff, or changes what is known of one.
    pub async fn register_staff(&self, one: &Staff, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::ManageStaff, None, at).await?;
        let refused = |what: String, hint| Err(EngineError::refused("bad-staff", what, hint));
        if one.name.is_empty() || one.name.chars().any(char::is_whitespace) {
            return refused(format!("{:?} is no name", one.name), "One word, such as li.wei");
        }
        if one.msisdn.is_empty() && one.email.is_empty() {
            return refused(format!("{} has neither number nor address", one.name), "Name --msisdn, --email, or both");
        }
        if !one.msisdn.is_empty() && !(5..=15).contains(&one.msisdn.len())
            || !one.msisdn.chars().all(|c| c.is_ascii_digit())
        {
            return refused(format!("the number of {} is none", one.name), "5 to 15 digits, as gateways take them");
        }
        if !one.email.is_empty() && !one.email.contains('@') {
            return refused(format!("the address of {} is none", one.name), "Such as li.wei@example.com");
        }
        let detail = json!({"staff": one.name, "seed": one.seed});
        Ok(self.store.put_staff(one, &Entry::of(&actor, "staff-registered", "staff", detail)).await?)
    }

    /// Forgets a member of staff.
    pub async fn forget_staff(&self, name: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::ManageStaff, None, at).await?;
        let unknown =
            || EngineError::refused("unknown-staff", format!("{name:?} is not registered"), "See `care staff list`");
        // Asked first: names stand in another database than the audit log, which tells of nothing that was not done.
        if !self.store.staff().await?.iter().any(|one| one.name == name) {
            return Err(unknown());
        }
        let entry = Entry::of(&actor, "staff-forgotten", "staff", json!({"staff": name}));
        if self.store.drop_staff(name, &entry).await? { Ok(()) } else { Err(unknown()) }
    }

    /// Registered staff, with numbers and addresses masked.
    pub async fn staff(&self) -> Result<Vec<Staff>, EngineError> {
        let masked = |one: Staff| Staff { msisdn: mask(&one.msisdn), email: mask(&one.email), ..one };
        Ok(self.store.staff().await?.into_iter().map(masked).collect())
    }

    /// What a submission's templates read like, with example values and at their longest.
    pub async fn preview(&self, submission: i64, today: i32) -> Result<Vec<Preview>, EngineError> {
        let found = self.submission(submission).await?;
        self.preview_of(&found, today).await
    }

    async fn preview_of(&self, found: &StoredSubmission, today: i32) -> Result<Vec<Preview>, EngineError> {
        let tables = self.load_tables(today).await?;
        let manifest = &found.version.manifest;
        let frame = self.gateways()?.wording;
        previews(manifest, manifest.class, &tables.labels(), &frame, today).map_err(EngineError::internal)
    }

    /// Sends a submission's messages, with example values, to registered staff. No customer gets anything.
    pub async fn send_test(&self, asked: &TestSend, by: &str, at: i64) -> Result<Vec<TestSent>, EngineError> {
        let found = self.submission(asked.submission).await?;
        let region = found.version.manifest.owner_region.as_str();
        let actor = self.authorise(by, Act::SendTest, Some(region), at).await?;
        let staff = self.named_staff(&asked.to).await?;
        let today = time::today(at);
        let fits = |p: &Preview| p.channel == asked.channel && asked.language.is_none_or(|l| l == p.language);
        let shown: Vec<Preview> = self.preview_of(&found, today).await?.into_iter().filter(fits).collect();
        if shown.is_empty() {
            let what = format!("submission {} says nothing on {}", asked.submission, asked.channel.name());
            return Err(EngineError::refused("nothing-to-send", what, "See `care submission preview`"));
        }
        let subject = format!("submission {}", asked.submission);
        let before = self.store.asides(&subject).await?.into_iter().filter(|a| a.at > at - DAY_MS).count();
        if before + shown.len() * staff.len() > MOST_TESTS {
            let what = format!("{before} test messages went out about it within a day");
            return Err(EngineError::refused("too-many-tests", what, "At most 100 a day: name fewer people, or wait"));
        }
        let (title, campaign) = (&found.version.manifest.title, subject.clone());
        let mut asides = Vec::new();
        for (one, preview) in staff.iter().flat_map(|one| shown.iter().map(move |preview| (one, preview))) {
            let parts = ["test", &subject, &preview.template, asked.channel.name(), preview.language.name(), &one.name];
            let id = id_of(&[&parts[..], &[&at.to_string(), &before.to_string()]].concat());
            let aside = NewAside {
                id,
                kind: "test",
                subject: subject.clone(),
                plan: String::new(),
                template: preview.template.clone(),
                channel: asked.channel,
                language: preview.language,
                staff: one.name.clone(),
                person: by.to_owned(),
            };
            let to = number_of(one, asked.channel).ok_or_else(|| no_number(&one.name, asked.channel))?;
            asides.push((aside, outgoing(id, &campaign, to, preview, title.get(preview.language), at)));
        }
        let detail = json!({"submission": asked.submission, "staff": asked.to, "channel": asked.channel,
            "messages": asides.len()});
        let entry = Entry::of(&actor, "test-sent", subject.clone(), detail);
        self.store.note(&entry).await?;
        self.send_aside(asked.channel, &asides, at).await
    }

    /// What went to staff about a submission.
    pub async fn tests_of(&self, submission: i64) -> Result<Vec<Aside>, EngineError> {
        Ok(self.store.asides(&format!("submission {submission}")).await?)
    }

    async fn named_staff(&self, names: &[String]) -> Result<Vec<Staff>, EngineError> {
        let staff = self.store.staff().await?;
        let found = |name: &String| {
            staff.iter().find(|one| one.name == *name).cloned().ok_or_else(|| {
                let hint = nearest_hint(name, staff.iter().map(|one| one.name.as_str()));
                let what = format!("{name:?} is not registered");
                EngineError::refused("unknown-staff", what, format!("See `care staff list`{hint}"))
            })
        };
        names.iter().collect::<BTreeSet<_>>().into_iter().map(found).collect()
    }

    /// Hands messages to staff over by the gateway of their channel, each once.
    async fn send_aside(
        &self,
        channel: Channel,
        asides: &[(NewAside, Outgoing)],
        at: i64,
    ) -> Result<Vec<TestSent>, EngineError> {
        let config = self.gateways()?.of(channel);
        if config.desk.is_some() {
            let what = format!("channel {} is worked off by people here", channel.name());
            return Err(EngineError::refused("no-gateway", what, "Test on sms or email"));
        }
        let gateway = Gateway::open(&config, &self.folder, mpsc::channel(64).0)?;
        let intents: Vec<NewAside> = asides.iter().map(|(aside, _)| aside.clone()).collect();
        let new = self.store.intend_asides(&intents, at).await?;
        let mut sent = Vec::with_capacity(asides.len());
        for (aside, message) in asides.iter().filter(|(aside, _)| new.contains(&aside.id)) {
            let answer = match &gateway {
                Some(gateway) => gateway.send(message).await,
                None => self.to_file(message)?,
            };
            self.store.answer_aside(aside.id, answer.name(), answer.why()).await?;
            sent.push(TestSent {
                template: aside.template.clone(),
                language: aside.language,
                staff: aside.staff.clone(),
                answer: answer.name().to_owned(),
                note: answer.why().to_owned(),
            });
        }
        if let Some(gateway) = gateway {
            gateway.close().await;
        }
        Ok(sent)
    }

    fn to_file(&self, message: &Outgoing) -> Result<Answer, EngineError> {
        let id = message.contact.to_string();
        let line = json!({"staff": id, "campaign": message.campaign, "channel": message.channel, "to": message.to,
            "text": message.text});
        let outbox = FileGateway::new(self.folder.join("outbox-staff"));
        outbox.write(message.channel, &id, format!("{line}\n").as_bytes())?;
        Ok(Answer::Accepted { ids: Vec::new() })
    }

    /// Copies of what these contacts say, for those of the staff who are seeds: one of each template, channel and language
    /// that a plan sends for a campaign, addressed to a person who does not exist. `known` holds what was looked at before.
    pub(crate) async fn copies(
        &self,
        contacts: &[StoredContact],
        renderer: &Renderer,
        known: &mut BTreeSet<String>,
        at: i64,
    ) -> Result<Vec<Outgoing>, EngineError> {
        let mut first = Vec::new();
        for contact in contacts.iter().filter(|c| is_copied(c)) {
            if known.insert(copied_key(contact)) {
                first.push(contact);
            }
        }
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let seeds: Vec<Staff> = self.store.staff().await?.into_iter().filter(|one| one.seed).collect();
        let mut asides = Vec::new();
        let mut messages = Vec::new();
        for (contact, one) in first.into_iter().flat_map(|c| seeds.iter().map(move |one| (c, one))) {
            let planned = &contact.planned;
            let Some(to) = number_of(one, contact.via) else { continue };
            let id = id_of(&["seed", &copied_key(contact), &one.name]);
            let manifest = renderer.manifest(planned);
            messages.push(Outgoing {
                contact: id,
                attempt: 1,
                channel: contact.via,
                addressee: planned.addressee,
                campaign: planned.campaign.clone(),
                to: to.to_owned(),
                text: renderer.text(contact, Some(&nobody(planned.language)))?,
                subject: manifest.map_or(String::new(), |m| m.title.get(planned.language).to_owned()),
                not_after: planned.not_after,
            });
            asides.push(NewAside {
                id,
                kind: "seed",
                subject: planned.campaign.clone(),
                plan: contact.plan.clone(),
                template: planned.template.clone(),
                channel: contact.via,
                language: planned.language,
                staff: one.name.clone(),
                person: "dispatch".into(),
            });
        }
        let new = self.store.intend_asides(&asides, at).await?;
        messages.retain(|message| new.contains(&message.contact));
        Ok(messages)
    }

    /// Hands copies over; they are not tried again, and hold nothing up.
    pub(crate) async fn send_copies(
        &self,
        copies: Vec<Outgoing>,
        gateway: Option<&Gateway>,
    ) -> Result<(), EngineError> {
        for message in copies {
            let answer = match gateway {
                Some(gateway) => gateway.send(&message).await,
                None => self.to_file(&message)?,
            };
            self.store.answer_aside(message.contact, answer.name(), answer.why()).await?;
        }
        Ok(())
    }

    /// Copies that staff got of what a campaign sent.
    pub async fn copies_of(&self, campaign: &str) -> Result<Vec<Aside>, EngineError> {
        Ok(self.store.asides(campaign).await?)
    }

    /// What was sent to a customer, or would be, for somebody who may read it. Who read it is audited.
    pub async fn sent_message(&self, contact: &str, by: &str, at: i64) -> Result<SentMessage, EngineError> {
        let unknown = || {
            let hint = "Contact ids stand in `care why`: 32 hexadecimal digits";
            EngineError::refused("unknown-contact", format!("there is no contact {contact:?}"), hint)
        };
        let id = ContactId::parse(contact).ok_or_else(unknown)?;
        let found = self.store.contacts_by_id(&[id]).await?.pop().ok_or_else(unknown)?;
        let region = Some(found.planned.region.as_str()).filter(|region| !region.is_empty());
        let actor = self.authorise(by, Act::ReadMessages, region, at).await?;
        self.store.note(&Entry::of(&actor, "message-read", "contacts", json!({"contact": contact}))).await?;
        let identities = self.store.identities(&[found.planned.customer]).await?;
        let identity = identities.get(&found.planned.customer);
        let sent_at = self.store.sent_at(&[id]).await?.get(&id).copied();
        let renderer = self.renderer(std::slice::from_ref(&found)).await?;
        Ok(SentMessage {
            contact: contact.to_owned(),
            campaign: found.planned.campaign.clone(),
            channel: found.via,
            addressee: found.planned.addressee,
            to: crate::dispatch::address(&found, identity).map_or(String::new(), mask),
            state: found.state.name(),
            sent_at: sent_at.map(time::write_instant),
            text: renderer.text_as_sent(&found, identity, sent_at)?,
        })
    }
}

/// What customers read themselves, by machine.
fn is_copied(contact: &StoredContact) -> bool {
    contact.planned.addressee == Addressee::Customer && matches!(contact.via, Channel::Sms | Channel::Email)
}

fn copied_key(contact: &StoredContact) -> String {
    let planned = &contact.planned;
    let (channel, language) = (contact.via.name(), planned.language.name());
    format!("{} {} {} {channel} {language}", contact.plan, planned.campaign, planned.template)
}

fn outgoing(id: ContactId, campaign: &str, to: &str, preview: &Preview, subject: &str, at: i64) -> Outgoing {
    Outgoing {
        contact: id,
        attempt: 1,
        channel: preview.channel,
        addressee: preview.addressee,
        campaign: campaign.to_owned(),
        to: to.to_owned(),
        text: preview.text.clone(),
        subject: subject.to_owned(),
        not_after: at + DAY_MS,
    }
}

/// Where a member of staff is reached on a channel.
fn number_of(one: &Staff, channel: Channel) -> Option<&str> {
    let text = if channel == Channel::Email { &one.email } else { &one.msisdn };
    (!text.is_empty()).then_some(text.as_str())
}

fn no_number(name: &str, channel: Channel) -> EngineError {
    let what = format!("{name} cannot be reached by {}", channel.name());
    EngineError::refused("bad-staff", what, "Register the number or address with `care staff add`")
}

fn id_of(parts: &[&str]) -> ContactId {
    let digest = canonical::digest(format!("care-staff-1\0{}", parts.join("\0")).as_bytes());
    let mut id = [0; 16];
    // The digest is hexadecimal and longer than an id.
    let _ = hex::decode_to_slice(&digest[..32], &mut id);
    ContactId(id)
}

/// A person who does not exist.
fn nobody(language: Language) -> Identity {
    let person = made_up(language);
    Identity {
        key: CustomerKey([0; 16]),
        external_id: String::new(),
        surname: person.surname,
        name: person.name,
        msisdn: String::new(),
        email: String::new(),
        close_contacts: Vec::new(),
    }
}

/// A number or address as it may be shown: its beginning and its end.
fn mask(text: &str) -> String {
    let count = text.chars().count();
    let shown = |at: usize| at < 3 || at + 2 >= count;
    if count < 6 {
        return "*".repeat(count);
    }
    text.chars().enumerate().map(|(at, c)| if shown(at) { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_by_their_ends_alone() {
        assert_eq!(mask("13800001234"), "138******34");
        assert_eq!(mask("110"), "***");
        assert_eq!(mask(""), "");
        assert_eq!(mask("li.wei@example.com"), "li.*************om");
    }

    #[test]
    fn every_part_makes_another_id() {
        assert_ne!(id_of(&["seed", "a", "b"]), id_of(&["seed", "ab", ""]));
        assert_eq!(id_of(&["seed", "a"]), id_of(&["seed", "a"]));
    }
}
