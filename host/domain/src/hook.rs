//! What other systems are told by webhooks: which lines of the audit log they hear of, in which words, and how patiently.
//! An event is a line of the audit log about a plan, a submission or a campaign; its number names it, for whoever hears
//! it twice. Who listens, how it is signed and sent, does not live here.

use crate::audit::Line;
use crate::time::write_instant;
use serde_json::{Value, json};

/// What was done, and what it is called outside. A new one is a line here.
const KINDS: [(&str, &str); 27] = [
    ("version-submitted", "submission.submitted"),
    ("variant-submitted", "submission.submitted"),
    ("submission-simulated", "submission.simulated"),
    ("city-review-passed", "submission.city-reviewed"),
    ("trial-passed", "submission.tried"),
    ("approval-proposed", "submission.proposed"),
    ("submission-approved", "submission.approved"),
    ("submission-rejected", "submission.rejected"),
    ("submission-taken-back", "submission.taken-back"),
    ("submission-merged", "submission.merged"),
    ("version-activated", "submission.activated"),
    ("version-suspended", "submission.suspended"),
    ("version-resumed", "submission.resumed"),
    ("version-retired", "submission.retired"),
    ("approval-withdrawn", "submission.withdrawn"),
    ("campaign-started", "campaign.started"),
    ("standby-activated", "campaign.started"),
    ("activation-reviewed", "campaign.reviewed"),
    ("campaign-repointed", "campaign.repointed"),
    ("campaign-paused", "campaign.paused"),
    ("campaign-resumed", "campaign.resumed"),
    ("campaign-stopped", "campaign.stopped"),
    ("plan-opened", "plan.opened"),
    ("plan-paused", "plan.paused"),
    ("plan-resumed", "plan.resumed"),
    ("plan-released", "plan.released"),
    ("plan-cancelled", "plan.cancelled"),
];
/// What is sent when somebody tries an endpoint out.
pub const PING: &str = "webhook.ping";

/// How long is waited after each failed attempt, in milliseconds: from a second to ten hours, over about two days †.
const WAITS_MS: [i64; 10] =
    [1_000, 10_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000, 36_000_000];
/// Attempts after which an event is given up.
pub const ATTEMPTS: u32 = WAITS_MS.len() as u32 + 1;

/// An event as it is told, the same bytes in every attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Names it: whoever knows the id knows the event.
    pub id: String,
    /// What happened: `campaign.started` …
    pub kind: &'static str,
    /// The whole body.
    pub body: String,
}

/// All kinds of events, each once.
pub fn kinds() -> Vec<&'static str> {
    let mut all: Vec<&str> = KINDS.iter().map(|(_, kind)| *kind).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a wish names something: a kind, or a family of kinds such as `campaign`.
pub fn is_wish(wish: &str) -> bool {
    kinds().iter().any(|kind| covers(wish, kind))
}

/// Whether an event of this kind is wanted; whoever names nothing wants everything.
pub fn wants(wishes: &[String], kind: &str) -> bool {
    kind == PING || wishes.is_empty() || wishes.iter().any(|wish| covers(wish, kind))
}

fn covers(wish: &str, kind: &str) -> bool {
    kind == wish || kind.split_once('.').is_some_and(|(family, _)| family == wish)
}

/// What is told of a line of the audit log; nothing of most.
pub fn told(line: &Line) -> Option<Told> {
    let entry = &line.entry;
    let (_, kind) = KINDS.iter().find(|(deed, _)| *deed == entry.deed)?;
    let (what, id) = entry.subject.split_once(' ')?;
    // A number stays a number.
    let named = id.parse::<i64>().map_or_else(|_| Value::from(id), Value::from);
    let mut data = json!({
        "href": format!("/v1/{what}s/{id}"), "line": line.number, "by": entry.person, "role": entry.role,
        "region": entry.region, "reason": entry.reason, "detail": entry.detail,
    });
    data[what] = named;
    Some(Told { id: event_id(line), kind, body: body(kind, entry.at, &data) })
}

/// What an endpoint hears when somebody tries it out.
pub fn ping(line: &Line, hook: &str) -> Told {
    let data = json!({"webhook": hook, "line": line.number, "by": line.entry.person});
    Told { id: event_id(line), kind: PING, body: body(PING, line.entry.at, &data) }
}

/// The number alone would be another event's in another installation.
fn event_id(line: &Line) -> String {
    format!("evt_{}_{}", line.number, line.hash.get(..12).unwrap_or_default())
}

fn body(kind: &str, at: i64, data: &Value) -> String {
    json!({"type": kind, "timestamp": write_instant(at), "data": data}).to_string()
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// HTTP status; none when nothing came back.
    pub status: Option<u16>,
    /// In a few words of ours; never what the other side wrote.
    pub why: &'static str,
}

/// What follows for the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Delivered,
    /// It is tried again, not before this instant.
    Again(i64),
    /// It was tried often enough; somebody may have it sent again.
    GivenUp,
    /// The endpoint says that it is gone for good (410): it is told nothing any more.
    Gone,
}

/// What follows from an answer to attempt `attempt` (from 1) at `now`, Unix milliseconds. Whatever is no success is tried
/// again: an endpoint that refuses today may be mended tomorrow.
pub fn next(heard: &Heard, attempt: u32, now: i64) -> Next {
    match heard.status {
        Some(200..=299) => Next::Delivered,
        Some(410) => Next::Gone,
        _ => match WAITS_MS.get(attempt.saturating_sub(1) as usize) {
            Some(wait) => Next::Again(now.saturating_add(*wait)),
            None => Next::GivenUp,
        },
    }
}

/// What is kept of an answer, for people.
pub fn written(heard: &Heard) -> String {
    heard.status.map_or_else(|| heard.why.to_owned(), |status| format!("HTTP {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Entry, Head};
    use std::collections::BTreeSet;

    fn line(deed: &str, subject: &str) -> Line {
        let entry = Entry {
            at: 1_785_000_000_000,
            person: "operator".into(),
            role: "operator".into(),
            region: "350000".into(),
            deed: deed.into(),
            subject: subject.into(),
            reason: String::new(),
            detail: json!({"state": "active"}),
        };
        Head::genesis().next(entry).expect("a line")
    }

    #[test]
    fn a_line_is_told_by_its_own_name_and_others_are_nobodys_business() {
        let started = told(&line("campaign-started", "campaign birthday-1")).expect("told");
        let body: Value = serde_json::from_str(&started.body).expect("JSON");
        assert_eq!((started.kind, &body["type"]), ("campaign.started", &json!("campaign.started")));
        assert_eq!(
            (&body["data"]["campaign"], &body["data"]["href"]),
            (&json!("birthday-1"), &json!("/v1/campaigns/birthday-1"))
        );
        let approved = told(&line("submission-approved", "submission 7")).expect("told");
        let body: Value = serde_json::from_str(&approved.body).expect("JSON");
        assert_eq!(body["data"]["submission"], 7);
        for deed in ["person-erased", "token-made", "message-read", "outcomes-recorded"] {
            assert_eq!(told(&line(deed, "customer 00ff")), None, "{deed}");
        }
        assert_ne!(started.id, approved.id, "two events, two ids");
    }

    #[test]
    fn whoever_names_a_family_hears_all_of_it() {
        let wish = |text: &str| vec![text.to_owned()];
        assert!(wants(&[], "plan.released") && wants(&wish("plan"), "plan.released"));
        assert!(wants(&wish("plan.released"), "plan.released") && !wants(&wish("plan.released"), "plan.opened"));
        assert!(!wants(&wish("pla"), "plan.opened") && wants(&wish("campaign"), PING));
        assert!(is_wish("submission") && is_wish("campaign.stopped") && !is_wish("campaign.") && !is_wish("contact"));
        let deeds: BTreeSet<&str> = KINDS.iter().map(|(deed, _)| *deed).collect();
        assert_eq!(deeds.len(), KINDS.len(), "a deed is told under two names");
    }

    #[test]
    fn an_event_is_tried_longer_and_longer_and_comes_to_an_end() {
        let (down, mut now, mut waits) = (Heard { status: None, why: "cannot connect" }, 0, Vec::new());
        for attempt in 1..ATTEMPTS {
            let Next::Again(at) = next(&down, attempt, now) else { panic!("it ends after {attempt}") };
            waits.push(at - now);
            now = at;
        }
        assert!(waits.is_sorted() && now > 86_400_000, "{waits:?}");
        assert_eq!(next(&down, ATTEMPTS, now), Next::GivenUp);
        let status = |status| Heard { status: Some(status), why: "" };
        assert_eq!(next(&status(204), 1, 0), Next::Delivered);
        assert_eq!(next(&status(410), 1, 0), Next::Gone);
        for refused in [302, 400, 404, 429, 500] {
            assert_eq!(next(&status(refused), 1, 0), Next::Again(1_000), "{refused}");
        }
    }
}
