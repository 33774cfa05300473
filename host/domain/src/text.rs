//! Words for people: the two languages of the product, names and findings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The languages people read. Chinese is the default everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Chinese (中文).
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// As stored and written in fields.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

/// A text in both languages; neither may be blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// The text in one language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Refuses what was offered.
    Error,
    /// Worth a look; refuses nothing.
    Warning,
}

/// One thing that a check found: a stable code, what and where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable, kebab-case: programs may match on it.
    pub code: String,
    /// Whether it refuses.
    pub severity: Severity,
    /// What is wrong, and where.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Finding {
    /// A finding that refuses.
    pub fn error(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.into(), severity: Severity::Error, message: message.into(), hint: hint.into() }
    }

    /// A finding that only warns.
    pub fn warning(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.into(), severity: Severity::Warning, message: message.into(), hint: hint.into() }
    }

    /// Whether it refuses.
    pub fn refuses(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.code, self.message, self.hint)
    }
}

/// Whether `name` is a lower-case kebab name (`points-expiry`), at most 64 bytes long.
pub fn is_kebab(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether it can be a person's name: four eyes compare names, so none may look like another.
pub fn is_person(name: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
    };
    !name.is_empty() && name.len() <= 128 && name.trim() == name && !name.chars().any(hidden)
}

/// The known names nearest to a mistyped one, for hints: at most three, best first.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .map(|k| (edit_distance(wrong, k), k))
        .filter(|(d, k)| *d <= (k.len().max(wrong.len()) / 2).max(1))
        .collect();
    scored.sort_unstable();
    scored.into_iter().take(3).map(|(_, k)| k).collect()
}

/// `. Nearest: balance, brand` for the end of a hint; empty when nothing is near.
pub fn nearest_hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(wrong, known);
    if near.is_empty() { String::new() } else { format!(". Nearest: {}", near.join(", ")) }
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_names_are_lower_case_words_joined_by_single_hyphens() {
        for good in ["a", "points-expiry", "spend-d1", "x9"] {
            assert!(is_kebab(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "9a", "生日", &"a".repeat(65)] {
            assert!(!is_kebab(bad), "{bad}");
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_its_neighbours() {
        assert_eq!(nearest("balanse", ["balance", "brand", "points"]), ["balance"]);
        assert_eq!(nearest_hint("balanse", ["balance", "points"]), ". Nearest: balance");
        assert_eq!(nearest_hint("zzzzzz", ["balance"]), "");
    }
}
