//! The contact policy as data: the class × rule table of domain.md section 10, caps, hours, control.
//! The province edits it; a plan pins its digest. How it is applied lives in `decide` and `arbitration`.

use crate::calendar::{self, Calendar};
use crate::caps::CapRule;
use crate::catalogue;
use crate::contact::Channel;
use crate::control::SHARE_WHOLE;
use crate::hours;
use crate::manifest::Cap;
use crate::region;
use crate::text::{Finding, is_kebab};
use crate::time;
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

/// Whether days off (weekends and public holidays, not make-up workdays) hold contacts of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DaysOffRule {
    /// They are days like others.
    #[default]
    Open,
    /// Nobody is called.
    NoCalls,
    /// Nobody is disturbed.
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
    /// Whether days off hold it.
    #[serde(default)]
    pub days_off: DaysOffRule,
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

/// Customers whom an account manager looks after: what would go to them on a mass channel goes to the manager's list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountManaged {
    /// Their tiers; none for nobody.
    pub tiers: Vec<String>,
    /// The classes that the manager brings up.
    pub classes: Vec<Class>,
}

impl AccountManaged {
    /// Whether the account manager brings up something of a class with customers of a tier.
    pub fn covers(&self, tier: &str, class: Class) -> bool {
        self.classes.contains(&class) && self.tiers.iter().any(|t| t == tier)
    }
}

/// Wherever no narrower code names a zone.
pub const ANYWHERE: &str = "*";

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
    /// The most contacts of a business date by channel, which its waves share; none for no limit.
    #[serde(default)]
    pub capacity: BTreeMap<Channel, u64>,
    /// What a message costs by channel, in fen: a short message by the segment. A channel that is not named costs nothing.
    #[serde(default = "default_prices")]
    pub prices_fen: BTreeMap<Channel, u32>,
    /// Further caps: each of them holds.
    #[serde(default)]
    pub caps: Vec<CapRule>,
    /// Share of customers held out of every activity that may have a control group, in parts of 10,000.
    #[serde(default)]
    pub global_control_share: u16,
    /// VIP tiers, those that go first at release and on call lists before the others; who has none comes last.
    #[serde(default = "default_tiers")]
    pub tiers: Vec<String>,
    /// Whom an account manager looks after.
    #[serde(default)]
    pub account_manager: AccountManaged,
    /// Quiet hours on days off, where they differ.
    #[serde(default)]
    pub quiet_on_days_off: Option<Hours>,
    /// IANA zones by administrative code, the narrowest holds; `*` for wherever none is named. Where a customer's own
    /// zone is not known, that of the region where the customer is holds, else that of the home region.
    #[serde(default = "default_zones")]
    pub zones: BTreeMap<String, String>,
    /// Days off, as far as they are known. No part of the document: whoever decides by the policy puts in the calendar
    /// that holds.
    #[serde(skip)]
    pub calendar: Calendar,
}

/// A segment of a short message costs 5 fen †.
fn default_prices() -> BTreeMap<Channel, u32> {
    BTreeMap::from([(Channel::Sms, 5)])
}

/// The tiers of S0, by rank.
fn default_tiers() -> Vec<String> {
    ["diamond", "gold", "silver", "standard", "ten-year"].map(str::to_owned).to_vec()
}

fn default_zones() -> BTreeMap<String, String> {
    BTreeMap::from([(ANYWHERE.to_owned(), time::PROVINCE_ZONE.to_owned())])
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
            days_off: DaysOffRule::Open,
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
            caps: Vec::new(),
            global_control_share: 0,
            tiers: default_tiers(),
            account_manager: AccountManaged::default(),
            quiet_on_days_off: None,
            zones: default_zones(),
            calendar: Calendar::default(),
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
        let quiet = [("quiet", Some(&self.quiet)), ("quiet_on_days_off", self.quiet_on_days_off.as_ref())];
        let quiet = quiet.into_iter().filter_map(|(name, hours)| Some((name, hours?)));
        for (name, hours) in self.forbidden_call.iter().map(|h| ("forbidden_call", h)).chain(quiet) {
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
        for (name, share) in
            [("control_share", self.control_share), ("global_control_share", self.global_control_share)]
        {
            let hint = "Hold out at most half, 5000 parts of 10000";
            must(share <= SHARE_WHOLE / 2, format!("{name} of {share}"), hint);
        }
        must(
            !self.control_salt.is_empty(),
            "control_salt is empty".into(),
            "Write any text; another one draws other groups",
        );
        findings.extend(self.check_caps());
        findings.extend(self.check_places());
        findings
    }

    /// What a message costs, in fen; `segments` of a short message.
    pub fn price_fen(&self, channel: Channel, segments: u32) -> u64 {
        let price = u64::from(self.prices_fen.get(&channel).copied().unwrap_or(0));
        if channel == Channel::Sms { price * u64::from(segments) } else { price }
    }

    fn check_caps(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut must = |holds: bool, what: String, hint: &str| {
            if !holds {
                findings.push(Finding::error("bad-policy", what, hint));
            }
        };
        for (i, cap) in self.caps.iter().enumerate() {
            let name = &cap.name;
            must(is_kebab(name), format!("a cap is named {name:?}"), "Use a kebab-case name");
            let twice = self.caps[..i].iter().any(|other| other.name == *name);
            must(!twice, format!("two caps are named {name:?}"), "The decision log tells them apart by their names");
            let bounds = "Allow at least 1 contact in 1 to 400 days";
            must(cap.is_sound(), format!("cap {name:?}: {} contacts, {:?}", cap.contacts, cap.window), bounds);
            for channel in cap.channels.iter().filter(|c| !c.disturbs()) {
                let what = format!("cap {name:?} names channel {}, which disturbs nobody", channel.name());
                must(false, what, "Cap sms, email, call-list or account-manager");
            }
            for category in cap.categories.iter().filter(|c| !catalogue::is_category(c)) {
                let what = format!("cap {name:?} names {category:?}, which is no category of the catalogue");
                must(false, what, "Use one such as bill-information, or other");
            }
            for tier in cap.tiers.iter().filter(|t| !self.tiers.contains(t)) {
                must(
                    false,
                    format!("cap {name:?} names tier {tier:?}, which is not in `tiers`"),
                    "Name it there first",
                );
            }
        }
        findings
    }

    fn check_places(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for tier in self.account_manager.tiers.iter().filter(|t| !self.tiers.contains(t)) {
            let what = format!("account_manager names tier {tier:?}, which is not in `tiers`");
            findings.push(Finding::error("bad-policy", what, "Name it there first"));
        }
        for (code, zone) in &self.zones {
            if code != ANYWHERE && !region::is_code(code) {
                let what = format!("zones names {code:?}, which is no administrative code");
                findings.push(Finding::error(
                    "bad-policy",
                    what,
                    "Use six digits such as 350200, or * for anywhere else",
                ));
            }
            if time::zone(zone).is_none() {
                let what = format!("zones gives {code} the zone {zone:?}, which does not exist");
                findings.push(Finding::error("bad-policy", what, "Use an IANA name such as Asia/Shanghai"));
            }
        }
        findings
    }

    /// The quiet hours of a day.
    pub(crate) fn quiet_on(&self, day_off: bool) -> Hours {
        self.quiet_on_days_off.filter(|_| day_off).unwrap_or(self.quiet)
    }

    /// Whether it must be known which days are off, before a channel may be used for a class.
    pub(crate) fn asks_for_days_off(&self, channel: Channel, rules: ClassRules) -> bool {
        let closed =
            rules.days_off == DaysOffRule::Held || (rules.days_off == DaysOffRule::NoCalls && channel.is_call());
        let quieter = self.quiet_on_days_off.is_some() && rules.quiet != QuietRule::Exempt;
        channel.disturbs() && (closed || quieter)
    }

    /// Whether some rule of these classes asks which days are off, so that a calendar decides.
    pub fn needs_calendar(&self, classes: impl IntoIterator<Item = Class>) -> bool {
        let asks = |class: Class| Channel::ALL.iter().any(|c| self.asks_for_days_off(*c, self.rules(class)));
        classes.into_iter().any(asks)
    }

    /// The years whose calendars decide about a plan of a date (in days): contacts may be moved on by a month.
    pub fn calendar_years(date: i32) -> Vec<i16> {
        let mut years: Vec<i16> = [date, date.saturating_add(31)].into_iter().filter_map(calendar::year_of).collect();
        years.dedup();
        years
    }

    /// The rank of a tier, 0 the first; what it does not name comes last.
    pub fn tier_rank(&self, tier: &str) -> u8 {
        let place = self.tiers.iter().position(|t| t == tier).unwrap_or(usize::from(u8::MAX));
        u8::try_from(place).unwrap_or(u8::MAX)
    }

    /// The name of the zone of a region; `None` when the policy gives it none.
    pub fn zone_of(&self, region: &str) -> Option<&str> {
        let covering = self.zones.iter().filter(|(code, _)| region::covers(code, region));
        // The narrower of two codes that cover a region has fewer zeros at its end.
        let narrowest = covering.min_by_key(|(code, _)| code.len() - code.trim_end_matches("00").len());
        narrowest.map(|(_, zone)| zone).or_else(|| self.zones.get(ANYWHERE)).map(String::as_str)
    }

    /// Whether anything of a class could go out on a channel within a month of `now`, at any place where the policy
    /// knows the hours.
    pub fn leaves_room(&self, class: Class, channel: Channel, now: i64) -> bool {
        let rules = self.rules(class);
        let open = |zone| hours::permitted(now, channel, rules, self, &zone) != Err(hours::Closed::NoHour);
        self.capacity.get(&channel) != Some(&0) && self.zones.values().filter_map(|zone| time::zone(zone)).any(open)
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
            days_off: DaysOffRule::Open,
        });
        rules.control &= !matches!(class, Class::Disaster | Class::Safety);
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps::Window;

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

    #[test]
    fn the_example_is_sound_and_asks_for_a_calendar() {
        let example: Policy = serde_json::from_str(include_str!("../../../examples/policy.json")).expect("a policy");
        assert_eq!(example.check(), []);
        assert!(example.needs_calendar([Class::Care]) && !example.needs_calendar([Class::Disaster]));
    }

    #[test]
    fn caps_tiers_and_zones_that_cannot_be_meant_are_told() {
        let cap = |name: &str| CapRule {
            name: name.into(),
            contacts: 1,
            window: Window::CalendarDays(1),
            classes: Vec::new(),
            channels: Vec::new(),
            categories: Vec::new(),
            activities: Vec::new(),
            tiers: Vec::new(),
        };
        let with = |caps: Vec<CapRule>| Policy { caps, ..Policy::default() }.check().len();
        assert_eq!(with(vec![cap("a-day"), cap("another")]), 0);
        assert_eq!(with(vec![cap("a-day"), cap("a-day"), cap("A Day")]), 2);
        assert_eq!(with(vec![CapRule { contacts: 0, ..cap("none") }]), 1);
        assert_eq!(with(vec![CapRule { channels: vec![Channel::Touchpoint], ..cap("desk") }]), 1);
        assert_eq!(with(vec![CapRule { categories: vec!["bills".into()], ..cap("bills") }]), 1);
        assert_eq!(with(vec![CapRule { tiers: vec!["platinum".into()], ..cap("platinum") }]), 1);
        let mut policy = Policy::default();
        policy.account_manager.tiers.push("platinum".into());
        policy.zones.insert("Fujian".into(), "Asia/Nowhere".into());
        assert_eq!(policy.check().len(), 3);
    }

    #[test]
    fn the_narrowest_region_that_is_named_gives_the_zone() {
        let mut policy = Policy::default();
        assert_eq!(policy.zone_of("650100"), Some("Asia/Shanghai"));
        policy.zones = [("650000", "Asia/Urumqi"), ("650100", "Asia/Shanghai")]
            .map(|(code, zone)| (code.to_owned(), zone.to_owned()))
            .into();
        assert_eq!(policy.zone_of("650102"), Some("Asia/Shanghai"));
        assert_eq!(policy.zone_of("653101"), Some("Asia/Urumqi"));
        assert_eq!(policy.zone_of("350200"), None);
    }

    #[test]
    fn a_policy_that_forbids_everything_leaves_no_room_anywhere() {
        let now = time::parse_instant("2026-07-29T09:00").expect("an instant");
        let all = |policy: &Policy| {
            let pairs = Class::ALL.into_iter().flat_map(|class| Channel::ALL.map(|channel| (class, channel)));
            pairs.filter(|(class, channel)| policy.leaves_room(*class, *channel, now)).count()
        };
        assert_eq!(all(&Policy::default()), 35);
        let always = Hours { from_minute: 0, to_minute: 1_440 };
        let quiet = Policy { quiet: always, ..Policy::default() };
        assert!(
            !quiet.leaves_room(Class::Care, Channel::Sms, now) && quiet.leaves_room(Class::Safety, Channel::Sms, now)
        );
        assert!(quiet.leaves_room(Class::Care, Channel::Touchpoint, now));
        let mute = Policy { capacity: Channel::ALL.map(|c| (c, 0)).into(), ..Policy::default() };
        assert_eq!(all(&mute), 0);
    }
}
