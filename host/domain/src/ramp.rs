//! Ramp-up: a campaign begins with a small share of the customers whom it was granted, takes more of them as days pass, and
//! is held by the host where what went out did harm. Shares are nested: whoever was in a smaller one is in every larger.

use crate::brake::{Brake, Reaction};
use crate::control::SHARE_WHOLE;
use crate::text::Finding;
use serde::{Deserialize, Serialize};

/// More steps are a table that nobody reads.
const MOST_STEPS: usize = 10;
/// A step of more days than a month is no step.
const MOST_DAYS: u16 = 31;
/// With fewer messages one failure or complaint says little †.
const LEAST: u64 = 50;
/// Messages of a hundred that may fail before a campaign is held †.
const MOST_FAILED: u64 = 5;

/// The steps of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Shares in parts of 10,000 of the customers that were granted, rising to all of them.
    pub shares: Vec<u16>,
    /// Business dates that each share is planned for before the next.
    pub days: u16,
}

/// What a campaign sent since it was started or resumed, and what came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tried {
    /// Messages that were handed to a gateway or failed before.
    pub handed: u64,
    /// Those of them that failed, or of which nobody knows whether they arrived.
    pub failed: u64,
    /// What customers said about them.
    pub reaction: Reaction,
}

impl Ramp {
    /// Reads shares as people write them: `1%, 10%, 100%`; the last is everybody.
    pub fn parse(text: &str, days: u16) -> Result<Self, Finding> {
        let words = text.split([',', ' ', '，', '、']).filter(|word| !word.is_empty());
        let shares = words.map(part_of).collect::<Result<Vec<u16>, Finding>>()?;
        let ramp = Self { shares, days };
        ramp.check().map(|()| ramp)
    }

    /// Whether its shares rise to everybody, in steps of days.
    pub fn check(&self) -> Result<(), Finding> {
        let rises = self.shares.windows(2).all(|pair| pair[0] < pair[1]) && self.shares.first().is_some_and(|s| *s > 0);
        if !rises || self.shares.last() != Some(&SHARE_WHOLE) || self.shares.len() > MOST_STEPS {
            let message = "the shares do not rise from above 0 to 100 %, in at most 10 steps";
            return Err(Finding::error("bad-ramp", message, "Write 1%, 10%, 100%"));
        }
        if !(1..=MOST_DAYS).contains(&self.days) {
            let message = format!("{} days a step are not within 1 to {MOST_DAYS}", self.days);
            return Err(Finding::error("bad-ramp_days", message, "One day a step is usual"));
        }
        Ok(())
    }

    /// The share for a date, in parts of 10,000: `planned` counts the business dates before it on which the campaign was
    /// planned, so that days on which it was held do not count.
    pub fn share(&self, planned: u32) -> u16 {
        let step = planned / u32::from(self.days.max(1));
        let at = usize::try_from(step).unwrap_or(usize::MAX).min(self.shares.len().saturating_sub(1));
        self.shares.get(at).copied().unwrap_or(SHARE_WHOLE)
    }
}

fn part_of(word: &str) -> Result<u16, Finding> {
    let bad = || Finding::error("bad-ramp", format!("{word:?} is no share"), "Write 1%, 10%, 100%");
    let percent: f64 = word.trim_end_matches(['%', '％']).parse().map_err(|_| bad())?;
    let parts = (percent * 100.0).round();
    if (1.0..=f64::from(SHARE_WHOLE)).contains(&parts) { Ok(parts as u16) } else { Err(bad()) }
}

/// Why a campaign that ramps up is to be held, if it is: too much of it failed, or customers complain. It is held sooner
/// than the brake would hold a version that everybody gets.
pub fn harm(tried: &Tried, brake: &Brake) -> Option<String> {
    let Tried { handed, failed, reaction } = tried;
    if *handed >= LEAST && failed * 100 > handed * MOST_FAILED {
        return Some(format!("{failed} of {handed} messages failed or may not have arrived"));
    }
    let score = Brake { least: LEAST, ..*brake }.score(reaction);
    let Reaction { messages, complaints, enquiries } = reaction;
    score.holds.then(|| format!("{complaints} complaints and {enquiries} enquiries about {messages} messages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(text: &str, days: u16) -> Result<Ramp, String> {
        Ramp::parse(text, days).map_err(|finding| finding.code)
    }

    #[test]
    fn shares_are_written_as_people_write_them_and_rise_to_everybody() {
        let shares = vec![100, 1_000, 10_000];
        assert_eq!(ramp("1%,10%,100%", 2), Ok(Ramp { shares: shares.clone(), days: 2 }));
        assert_eq!(ramp("1 10，100％", 2), Ok(Ramp { shares, days: 2 }));
        for bad in ["", "10%,1%,100%", "1%,10%", "0%,100%", "half", "101%", "1% 1% 100%", "-1% 100%", "NaN 100%"] {
            assert_eq!(ramp(bad, 1), Err("bad-ramp".to_owned()), "{bad}");
        }
        assert_eq!(ramp("1%,100%", 0), Err("bad-ramp_days".to_owned()));
        assert_eq!(ramp("1%,100%", 32), Err("bad-ramp_days".to_owned()));
    }

    #[test]
    fn a_step_lasts_its_days_and_the_last_for_ever() {
        let ramp = ramp("1%,10%,100%", 2).expect("a ramp");
        let shares: Vec<u16> = (0..7).map(|planned| ramp.share(planned)).collect();
        assert_eq!(shares, [100, 100, 1_000, 1_000, 10_000, 10_000, 10_000]);
        assert_eq!(ramp.share(u32::MAX), 10_000);
    }

    #[test]
    fn failures_and_complaints_hold_it_once_enough_went_out() {
        let brake = Brake::default();
        let of = |handed, failed, complaints| {
            let reaction = Reaction { messages: handed, complaints, enquiries: 0 };
            harm(&Tried { handed, failed, reaction }, &brake)
        };
        assert_eq!(of(49, 49, 49), None, "too few say little");
        assert_eq!(of(100, 5, 0), None, "the bound itself is allowed");
        assert_eq!(of(100, 6, 0).as_deref(), Some("6 of 100 messages failed or may not have arrived"));
        assert_eq!(of(100, 0, 1), None);
        assert_eq!(of(100, 0, 2).as_deref(), Some("2 complaints and 0 enquiries about 100 messages"));
        assert!(!brake.score(&Reaction { messages: 100, complaints: 2, enquiries: 0 }).holds, "sooner than the brake");
    }
}
