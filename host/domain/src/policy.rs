//! The contact policy as data: the class × rule table of domain.md section 10, caps, hours, control.
//! The province edits it; a plan pins its digest. How it is applied lives in `decide` and `arbitration`.

use crate::contact::Channel;
use crate::control::SHARE_WHOLE;
use crate::manifest::Cap;
use crate::text::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The class of an activity: which rules hold for its contacts. Earlier ranks higher in arbitration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Rank 1: disaster response.
    Disaster,
    /// Rank 2: stop or fraud notices.
    Safety,
    /// Rank 3: about the customer's own account.
    Service,
    /// Rank 4: care.
    Care,
    /// Rank 5: offers.
    Commercial,
}

impl Class {
    /// All of them by rank.
    pub const ALL: [Self; 5] = [Self::Disaster, Self::Safety, Self::Service, Self::Care, Self::Commercial];

    /// As written in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disaster => "disaster",
            Self::Safety => "safety",
            Self::Service => "service",
            Self::Care => "care",
            Self::Commercial => "commercial",
        }
    }
}

/// What a class asks of the customer's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentRule {
    /// Neither consent nor refusal matters.
    NotNeeded,
    /// A refusal of this very activity is respected.
    RefusablePerActivity,
    /// Any refusal that covers it is respected: of the activity, of its class, of everything.
    RefusalRespected,
    /// Consent is needed, and a refusal stops it.
    Needed,
}

impl ConsentRule {
    /// Whether "nothing more, please" covers the class.
    pub fn respects_refusal_of_all(self) -> bool {
        matches!(self, Self::RefusalRespected | Self::Needed)
    }
}

/// Whether quiet hours hold contacts of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuietRule {
    /// Never.
    Exempt,
    /// Unless the customer's own event caused the contact just now.
    HeldUnlessOwnEvent,
    /// Always.
    Held,
}

/// The rules of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRules {
    /// Consent and refusal.
    pub consent: ConsentRule,
    /// Whether its contacts count towards, and are stopped by, the global cap.
    pub global_cap: bool,
    /// Whether the activity's own cap holds.
    pub own_cap: bool,
    /// Quiet hours.
    pub quiet: QuietRule,
    /// Whether hours forbidden for calls hold.
    pub forbidden_call_hours: bool,
    /// Whether a control group may be held out.
    pub control: bool,
    /// Held while the customer has an open complaint or stands in an active disaster area.
    pub held_in_trouble: bool,
    /// Refused to customers on the black list: no benefits and no commercial contact (domain.md section 9).
    pub black_list: bool,
    /// Customers on the red list get it at the VIP desk only, on no mass channel.
    pub red_list_desk_only: bool,
}

/// A window of the day in minutes from midnight, half-open; one that ends before it starts goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// First minute inside.
    pub from_minute: u16,
    /// First minute outside again.
    pub to_minute: u16,
}

impl Hours {
    /// Whether a minute of the day lies inside.
    pub fn contains(self, minute: u16) -> bool {
        if self.from_minute <= self.to_minute {
            (self.from_minute..self.to_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.to_minute
        }
    }
}

/// The contact policy of the province.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What people call this version.
    pub name: String,
    /// Rules by class.
    pub classes: BTreeMap<Class, ClassRules>,
    /// The cap that all classes with `global_cap` share.
    pub global_cap: Cap,
    /// When nobody is disturbed who did not ask for it.
    pub quiet: Hours,
    /// When nobody is called (S3: 12:00–14:00 and after 22:00; before 08:00 is ours).
    pub forbidden_call: Vec<Hours>,
    /// Share of customers held out per activity, in parts of 10,000.
    pub control_share: u16,
    /// Salt of the control groups; another salt draws other groups.
    pub control_salt: String,
    /// The most contacts of one plan by channel; none for no limit.
    #[serde(default)]
    pub capacity: BTreeMap<Channel, u64>,
    /// What a message costs by channel, in fen: a short message by the segment. A channel that is not named costs nothing.
    #[serde(default = "default_prices")]
    pub prices_fen: BTreeMap<Channel, u32>,
}

/// A segment of a short message costs 5 fen †.
fn default_prices() -> BTreeMap<Channel, u32> {
    BTreeMap::from([(Channel::Sms, 5)])
}

impl Default for Policy {
    /// The table of domain.md section 10.
    fn default() -> Self {
        let rules = |consent, global_cap, own_cap, quiet, forbidden_call_hours, control| ClassRules {
            consent,
            global_cap,
            own_cap,
            quiet,
            forbidden_call_hours,
            control,
            held_in_trouble: global_cap,
            black_list: matches!(consent, ConsentRule::Needed),
            red_list_desk_only: global_cap,
        };
        let classes = BTreeMap::from([
            (Class::Disaster, rules(ConsentRule::NotNeeded, false, false, QuietRule::Exempt, false, false)),
            (Class::Safety, rules(ConsentRule::NotNeeded, false, false, QuietRule::Exempt, true, false)),
            (
                Class::Service,
                rules(ConsentRule::RefusablePerActivity, false, true, QuietRule::HeldUnlessOwnEvent, true, true),
            ),
            (Class::Care, rules(ConsentRule::RefusalRespected, true, true, QuietRule::Held, true, true)),
            (Class::Commercial, rules(ConsentRule::Needed, true, true, QuietRule::Held, true, true)),
        ]);
        Self {
            name: "default".into(),
            classes,
            global_cap: Cap { contacts: 1, days: 7 },
            quiet: Hours { from_minute: 21 * 60, to_minute: 8 * 60 },
            forbidden_call: vec![
                Hours { from_minute: 12 * 60, to_minute: 14 * 60 },
                Hours { from_minute: 22 * 60, to_minute: 8 * 60 },
            ],
            control_share: 1_000,
            control_salt: "control-1".into(),
            capacity: BTreeMap::new(),
            prices_fen: default_prices(),
        }
    }
}

impl Policy {
    /// Everything in it that cannot be meant.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut must = |holds: bool, what: String, hint: &str| {
            if !holds {
                findings.push(Finding::error("bad-policy", what, hint));
            }
        };
        for class in Class::ALL {
            let known = self.classes.contains_key(&class);
            must(known, format!("class {} has no rules", class.name()), "Write a line for every class");
        }
        for (name, hours) in self.forbidden_call.iter().map(|h| ("forbidden_call", h)).chain([("quiet", &self.quiet)]) {
            let sound = hours.from_minute < 1_440 && hours.to_minute <= 1_440 && hours.from_minute != hours.to_minute;
            must(
                sound,
                format!("{name} from minute {} to {}", hours.from_minute, hours.to_minute),
                "Use minutes of a day, 0 to 1440",
            );
        }
        let Cap { contacts, days } = self.global_cap;
        must(
            self.global_cap.is_sound(),
            format!("global_cap of {contacts} in {days} days"),
            "Allow at least 1 contact in 1 to 400 days",
        );
        must(
            self.control_share <= SHARE_WHOLE / 2,
            format!("control_share of {}", self.control_share),
            "Hold out at most half, 5000 parts of 10000",
        );
        must(
            !self.control_salt.is_empty(),
            "control_salt is empty".into(),
            "Write any text; another one draws other groups",
        );
        findings
    }

    /// What a message costs, in fen; `segments` of a short message.
    pub fn price_fen(&self, channel: Channel, segments: u32) -> u64 {
        let price = u64::from(self.prices_fen.get(&channel).copied().unwrap_or(0));
        if channel == Channel::Sms { price * u64::from(segments) } else { price }
    }

    /// The rules of a class; a table that lacks one is answered with the strictest, `commercial`'s.
    /// Whatever the table says, nobody is held out of disaster response or safety notices (domain.md section 10).
    pub fn rules(&self, class: Class) -> ClassRules {
        let mut rules = self.classes.get(&class).copied().unwrap_or(ClassRules {
            consent: ConsentRule::Needed,
            global_cap: true,
            own_cap: true,
            quiet: QuietRule::Held,
            forbidden_call_hours: true,
            control: true,
            held_in_trouble: true,
            black_list: true,
            red_list_desk_only: true,
        });
        rules.control &= !matches!(class, Class::Disaster | Class::Safety);
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_table_is_sound_and_a_careless_edit_is_told() {
        assert_eq!(Policy::default().check(), []);
        let mut edited = Policy::default();
        edited.classes.remove(&Class::Disaster);
        edited.global_cap.days = 0;
        edited.quiet = Hours { from_minute: 1_300, to_minute: 2_000 };
        edited.control_share = 9_000;
        assert_eq!(edited.check().len(), 4);
    }
}
