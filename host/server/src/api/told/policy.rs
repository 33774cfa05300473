//! The contact policy and the gate's rules, as answers hold them.

use super::manifest::Cap;
use super::work::Finding;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The contact policy of the province.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PolicyDocument {
    /// What people call this version.
    name: String,
    /// Rules by class: disaster, safety, service, care and commercial.
    classes: BTreeMap<String, ClassRules>,
    /// The cap that all classes with `global_cap` share.
    global_cap: Cap,
    /// When nobody is disturbed who did not ask for it.
    quiet: Hours,
    /// When nobody is called.
    forbidden_call: Vec<Hours>,
    /// Share of customers held out per activity, in parts of 10,000.
    control_share: u16,
    /// Salt of the control groups; another one draws other groups.
    control_salt: String,
    /// The most contacts of a business date by channel; no limit where none is named.
    capacity: BTreeMap<String, u64>,
    /// What a message costs by channel, in fen: a short message by the segment.
    prices_fen: BTreeMap<String, u32>,
    /// Further caps: each of them holds.
    caps: Vec<CapRule>,
    /// Share of customers held out of everything that may have a control group, in parts of 10,000.
    global_control_share: u16,
    /// VIP tiers, the first ones first.
    tiers: Vec<String>,
    /// Whom an account manager looks after.
    account_manager: AccountManaged,
    /// Quiet hours on days off, where they differ.
    quiet_on_days_off: Option<Hours>,
    /// IANA zones by administrative code; `*` for wherever none is named.
    zones: BTreeMap<String, String>,
}

/// The rules of a class.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ClassRules {
    /// not-needed, refusable-per-activity, refusal-respected or needed.
    consent: String,
    /// Whether the global cap counts and stops its contacts.
    global_cap: bool,
    /// Whether the activity's own cap holds.
    own_cap: bool,
    /// exempt, held-unless-own-event or held.
    quiet: String,
    /// Whether hours forbidden for calls hold.
    forbidden_call_hours: bool,
    /// Whether a control group may be held out.
    control: bool,
    /// Held while the customer has an open complaint or stands in an active disaster area.
    held_in_trouble: bool,
    /// Refused to customers on the black list.
    black_list: bool,
    /// Customers on the red list get it at the VIP desk only.
    red_list_desk_only: bool,
    /// open, no-calls or held.
    days_off: String,
}

/// A window of the day in minutes from midnight, half-open; one that ends before it starts goes over midnight.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Hours {
    /// First minute inside.
    from_minute: u16,
    /// First minute outside again.
    to_minute: u16,
}

/// A further cap. What it names must all hold; what is absent is not asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CapRule {
    /// What people call it.
    name: String,
    /// Contacts.
    contacts: u32,
    /// In what time.
    window: CapWindow,
    /// Classes; when absent, those that count towards the global cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    /// Channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<String>>,
    /// Categories of the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Vec<String>>,
    /// Activities.
    #[serde(skip_serializing_if = "Option::is_none")]
    activities: Option<Vec<String>>,
    /// Customers of these tiers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    tiers: Option<Vec<String>>,
}

/// Over what time contacts are counted: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::api) struct CapWindow {
    /// Any so many times 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolling_days: Option<u32>,
    /// Any so many days of the customer's own calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar_days: Option<u32>,
}

/// Customers whom an account manager looks after.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AccountManaged {
    /// Their tiers; nobody when empty.
    tiers: Vec<String>,
    /// The classes that the manager brings up.
    classes: Vec<String>,
}

/// In what two versions differ.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PolicyChanges {
    /// Each place.
    changes: Vec<PolicyChange>,
}

/// A place in which two versions differ.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PolicyChange {
    /// Where, such as `classes.care.quiet`.
    place: String,
    /// What stood there; null when nothing did.
    #[schema(value_type = Value)]
    before: Value,
    /// What stands there now; null when nothing does.
    #[schema(value_type = Value)]
    after: Value,
}

/// A policy that was proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PolicyProposed {
    /// Its number.
    policy: i64,
    /// In what it differs from the one in force.
    changes: Vec<PolicyChange>,
    /// What may not be meant: nothing of it is refused.
    warnings: Vec<Finding>,
}

/// A policy that was put in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PolicyApproved {
    /// Its number.
    policy: i64,
    /// Its digest.
    digest: String,
}

/// A policy that was refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PolicyRejected {
    /// Its number.
    policy: i64,
    /// rejected.
    state: String,
}

/// What the gate asks of every submission.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct GateRules {
    /// Whether the customer-service centre tries out every activity first.
    trial_review: bool,
    /// Customers selected in the evidence above which a second person must approve; never, when null.
    second_above: Option<u64>,
    /// Whether an activity must answer a published need.
    published_need: bool,
}

/// A year of holidays as published: the format of holiday-cn.
#[derive(Deserialize, ToSchema)]
pub(in crate::api) struct CalendarYear {
    /// The year.
    #[schema(minimum = 1970, maximum = 9999)]
    year: i16,
    /// Where it was published.
    papers: Option<Vec<String>>,
    /// The days on which a weekday is off, or a weekend day is worked.
    days: Vec<ListedDay>,
}

/// A day that differs from its weekday.
#[derive(Deserialize, ToSchema)]
pub(in crate::api) struct ListedDay {
    /// The holiday that it belongs to.
    name: String,
    /// The day.
    #[schema(format = Date)]
    date: String,
    /// Off, or a make-up workday.
    #[serde(rename = "isOffDay")]
    is_off_day: bool,
}
