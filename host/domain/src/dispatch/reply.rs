//! What a customer's own message says: a refusal, which stops messages at once, or a reply.

use crate::outcome::score;
use crate::policy::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a message from a customer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing more, please.
    Refusal,
    /// An outcome of this kind.
    Outcome(String),
    /// An answer to a survey: an outcome of this kind with a score from 1 to 10.
    Score(String, i64),
}

/// The words that mean something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replies {
    /// Words that refuse. One in Latin letters must begin the message and stand alone or before digits (`TD`, `td01`);
    /// a Chinese one may stand anywhere †: to stop too much harms less than to go on.
    pub refusal: Vec<String>,
    /// Whole messages that are outcomes of a kind: `1 = "safe"`.
    pub outcomes: BTreeMap<String, String>,
    /// Activities whose messages ask for a score from 1 to 10, each with the kind of outcome that it is:
    /// `festival = "satisfied"`. A score that answers one is taken before whole messages are.
    pub surveys: BTreeMap<String, String>,
}

impl Default for Replies {
    fn default() -> Self {
        let words = ["TD", "T", "STOP", "退订", "取消订阅", "拒收"];
        Self { refusal: words.map(str::to_owned).to_vec(), outcomes: BTreeMap::new(), surveys: BTreeMap::new() }
    }
}

/// The kind of a reply that nobody gave a meaning to.
pub const REPLIED: &str = "replied";

impl Replies {
    /// What a message means that answers one of `activity`.
    pub fn meaning(&self, text: &str, activity: Option<&str>) -> Meaning {
        let said = plain(text);
        if self.refusal.iter().any(|word| refuses(&said, &plain(word))) {
            return Meaning::Refusal;
        }
        let survey = activity.and_then(|activity| self.surveys.get(activity));
        if let Some((kind, score)) = survey.zip(score(&said)) {
            return Meaning::Score(kind.to_owned(), score);
        }
        let found = self.outcomes.iter().find(|(word, _)| plain(word) == said);
        Meaning::Outcome(found.map_or(REPLIED, |(_, kind)| kind).to_owned())
    }
}

/// What a refusal says as outcomes, kind and activity: whatever respects a refusal ends; and where it answers a service
/// message, which only a refusal of its own activity ends, that activity too †. `last` is the activity and class of the
/// message before it.
pub fn refusal_outcomes(last: Option<(&str, Class)>) -> Vec<(&'static str, Option<String>)> {
    let own =
        last.filter(|(_, class)| *class == Class::Service).map(|(activity, _)| ("refused", Some(activity.to_owned())));
    [("refused", None)].into_iter().chain(own).collect()
}

fn refuses(said: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    if !word.is_ascii() {
        return said.contains(word);
    }
    said.strip_prefix(word).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}

/// Upper case, full-width letters and digits narrowed, everything but letters and digits left out.
fn plain(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.chars().map(narrow).filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_heard_however_they_are_written_and_other_replies_are_not_taken_for_one() {
        let replies = Replies { outcomes: BTreeMap::from([("1".into(), "safe".into())]), ..Replies::default() };
        for refusal in
            ["TD", "td", " Td ", "ＴＤ", "TD。", "TD01", "t", "退订", "我要退订!", "请取消订阅", "stop", "【TD】"]
        {
            assert_eq!(replies.meaning(refusal, None), Meaning::Refusal, "{refusal}");
        }
        for (text, kind) in
            [("1", "safe"), ("１", "safe"), ("12", "replied"), ("today", "replied"), ("谢谢", "replied")]
        {
            assert_eq!(replies.meaning(text, None), Meaning::Outcome(kind.into()), "{text}");
        }
        assert_eq!(replies.meaning("TDX", None), Meaning::Outcome("replied".into()));
        assert_eq!(replies.meaning("", None), Meaning::Outcome("replied".into()));
        let none = Replies { refusal: vec![String::new()], ..Replies::default() };
        assert_eq!(none.meaning("hello", None), Meaning::Outcome("replied".into()), "an empty word refuses nothing");
    }

    #[test]
    fn a_score_answers_the_survey_that_was_sent_last_and_nothing_else() {
        let replies = Replies {
            outcomes: BTreeMap::from([("1".into(), "safe".into())]),
            surveys: BTreeMap::from([("festival".into(), "satisfied".into())]),
            ..Replies::default()
        };
        let score = |n| Meaning::Score("satisfied".into(), n);
        for (text, meaning) in [("9", score(9)), ("１０", score(10)), ("8分", score(8)), ("1", score(1))] {
            assert_eq!(replies.meaning(text, Some("festival")), meaning, "{text}");
        }
        for text in ["11", "0", "very good", "9 of 10"] {
            assert_eq!(replies.meaning(text, Some("festival")), Meaning::Outcome(REPLIED.into()), "{text}");
        }
        assert_eq!(replies.meaning("TD", Some("festival")), Meaning::Refusal);
        assert_eq!(replies.meaning("1", Some("birthday")), Meaning::Outcome("safe".into()));
        assert_eq!(replies.meaning("9", None), Meaning::Outcome(REPLIED.into()));
    }
}
