//! The audit log as a chain: every line holds the hash of the one before, so that none can be changed, left out or
//! put in without every later hash changing. Where lines are kept, and who signs the head, does not live here.

use crate::canonical;
use crate::person::Actor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the first line holds as the hash before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, Unix milliseconds.
    pub at: i64,
    /// Who.
    pub person: String,
    /// In which role; empty for the host itself.
    pub role: String,
    /// Where that role holds.
    pub region: String,
    /// What was done: `submission-approved`, `campaign-started` …
    pub deed: String,
    /// To what: `submission 7`, `campaign birthday-1` …
    pub subject: String,
    /// Why, in the person's words; empty where none are asked for.
    pub reason: String,
    /// Figures and digests; never personal data of customers.
    pub detail: Value,
}

impl Entry {
    /// What an actor did, without a reason.
    pub fn of(actor: &Actor, deed: &str, subject: impl Into<String>, detail: Value) -> Self {
        Self {
            at: actor.at,
            person: actor.person.clone(),
            role: actor.role.name().to_owned(),
            region: actor.region.clone(),
            deed: deed.to_owned(),
            subject: subject.into(),
            reason: String::new(),
            detail,
        }
    }

    /// With the person's words.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }
}

/// A kept line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1, without gaps.
    pub number: i64,
    /// What was done.
    pub entry: Entry,
    /// Hash of the line before.
    pub before: String,
    /// Hash of this one.
    pub hash: String,
}

/// The last line's number and hash: whoever keeps it elsewhere can prove later that nothing before it was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last line; 0 when there is none.
    pub number: i64,
    /// Its hash.
    pub hash: String,
}

impl Head {
    /// The head of an empty log.
    pub fn genesis() -> Self {
        Self { number: 0, hash: GENESIS.to_owned() }
    }

    /// As people copy it: `12-3fa9…`.
    pub fn written(&self) -> String {
        format!("{}-{}", self.number, self.hash)
    }

    /// Reads what `written` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, hash) = text.trim().split_once('-')?;
        let sound = hash.len() == GENESIS.len() && hash.bytes().all(|b| b.is_ascii_hexdigit());
        Some(Self { number: number.parse().ok()?, hash: sound.then(|| hash.to_ascii_lowercase())? })
    }

    /// The line that comes next.
    pub fn next(&self, entry: Entry) -> Result<Line, serde_json::Error> {
        let number = self.number + 1;
        let hash = hash(number, &self.hash, &entry)?;
        Ok(Line { number, entry, before: self.hash.clone(), hash })
    }
}

impl Line {
    /// Itself as a head.
    pub fn head(&self) -> Head {
        Head { number: self.number, hash: self.hash.clone() }
    }
}

fn hash(number: i64, before: &str, entry: &Entry) -> Result<String, serde_json::Error> {
    canonical::digest_of(&("care-audit-1", number, before, entry))
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing or stands twice.
    #[error("line {wanted} is missing: line {found} follows")]
    Gap {
        /// The number that should come.
        wanted: i64,
        /// The number that comes.
        found: i64,
    },
    /// A line's content does not fit its hash, or its hash does not fit the line before.
    #[error("line {0} was changed, or a line before it was")]
    Changed(i64),
    /// The log ends before its head.
    #[error("lines after {last} are missing: the head is line {head}")]
    Truncated {
        /// The last line that there is.
        last: i64,
        /// The number of the head.
        head: i64,
    },
    /// There is more than the head vouches for.
    #[error("lines after {head} were added behind the head's back")]
    Beyond {
        /// The number of the head.
        head: i64,
    },
    /// The head is not signed by this installation.
    #[error("the head is not signed by this installation's key")]
    Signature,
    /// What somebody kept elsewhere does not lie on this chain.
    #[error("line {0} has another hash than the one that was expected")]
    Unexpected(i64),
}

/// Checks a whole log against its head and, where given, a head that somebody kept elsewhere. Names the first fault.
pub fn verify<'a>(
    lines: impl IntoIterator<Item = &'a Line>,
    head: &Head,
    expected: Option<&Head>,
) -> Result<(), Broken> {
    let mut last = Head::genesis();
    let mut met = expected.is_none_or(|e| *e == last);
    for line in lines {
        if line.number != last.number + 1 {
            return Err(Broken::Gap { wanted: last.number + 1, found: line.number });
        }
        let fits =
            line.before == last.hash && hash(line.number, &line.before, &line.entry).ok().as_ref() == Some(&line.hash);
        if !fits {
            return Err(Broken::Changed(line.number));
        }
        last = line.head();
        if let Some(expected) = expected.filter(|e| e.number == last.number) {
            if expected.hash != last.hash {
                return Err(Broken::Unexpected(last.number));
            }
            met = true;
        }
    }
    if last.number < head.number {
        return Err(Broken::Truncated { last: last.number, head: head.number });
    }
    if last.number > head.number {
        return Err(Broken::Beyond { head: head.number });
    }
    if last.hash != head.hash {
        return Err(Broken::Changed(last.number));
    }
    match expected {
        Some(expected) if !met => Err(Broken::Truncated { last: last.number, head: expected.number }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn log(length: i64) -> Vec<Line> {
        let mut head = Head::genesis();
        let mut lines = Vec::new();
        for n in 0..length {
            let entry = Entry {
                at: n,
                person: "lin".into(),
                role: "operator".into(),
                region: "350000".into(),
                deed: "plan-released".into(),
                subject: format!("plan {n}"),
                reason: String::new(),
                detail: json!({"contacts": n}),
            };
            let line = head.next(entry).expect("a line");
            head = line.head();
            lines.push(line);
        }
        lines
    }

    #[test]
    fn an_untouched_log_is_sound_and_its_heads_can_be_kept() {
        let lines = log(5);
        let head = lines[4].head();
        assert_eq!(verify(&lines, &head, None), Ok(()));
        for kept in lines.iter().map(Line::head).chain([Head::genesis()]) {
            assert_eq!(verify(&lines, &head, Some(&kept)), Ok(()));
            assert_eq!(Head::parse(&kept.written()), Some(kept));
        }
        assert_eq!(verify(&[], &Head::genesis(), None), Ok(()));
        assert_eq!(Head::parse("5-zz"), None);
    }

    #[test]
    fn whatever_is_done_to_a_line_the_first_broken_one_is_named() {
        let lines = log(5);
        let head = lines[4].head();
        let edits: [fn(&mut Entry); 7] = [
            |e| e.at += 1,
            |e| e.person = "xu".into(),
            |e| e.role = "auditor".into(),
            |e| e.deed = "plan-stopped".into(),
            |e| e.subject.push('1'),
            |e| e.reason.push('!'),
            |e| e.detail = json!({"contacts": 9}),
        ];
        for edit in edits {
            let mut edited = lines.clone();
            edit(&mut edited[2].entry);
            assert_eq!(verify(&edited, &head, None), Err(Broken::Changed(3)));
            // Whoever also mends the line's own hash breaks the next.
            edited[2] = edited[1].head().next(edited[2].entry.clone()).expect("a line");
            assert_eq!(verify(&edited, &head, None), Err(Broken::Changed(4)));
        }
        let mut gap = lines.clone();
        gap.remove(1);
        assert_eq!(verify(&gap, &head, None), Err(Broken::Gap { wanted: 2, found: 3 }));
        assert_eq!(verify(&lines[..3], &head, None), Err(Broken::Truncated { last: 3, head: 5 }));
        assert_eq!(verify(&lines, &lines[3].head(), None), Err(Broken::Beyond { head: 4 }));
    }

    #[test]
    fn a_log_that_was_written_anew_or_cut_with_its_head_is_found_by_a_head_kept_elsewhere() {
        let (lines, kept) = (log(5), log(5)[3].head());
        let cut = &lines[..2];
        assert_eq!(verify(cut, &cut[1].head(), Some(&kept)), Err(Broken::Truncated { last: 2, head: 4 }));
        let mut anew = lines[..3].to_vec();
        let mut entry = lines[3].entry.clone();
        entry.person = "somebody else".into();
        anew.push(anew[2].head().next(entry).expect("a line"));
        assert_eq!(verify(&anew, &anew[3].head(), Some(&kept)), Err(Broken::Unexpected(4)));
    }
}
