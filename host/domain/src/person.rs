//! Who may do what: persons, their roles and regions (domain.md section 6), and the one list of acts.
//! How a person proves who they are does not live here.

use crate::region;
use crate::text::is_person;
use serde::{Deserialize, Serialize};

/// A part that a person plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Registers persons and their roles; decides about no activity.
    Administrator,
    /// 地市发起人, or a department of the province: writes activities and submits them.
    Initiator,
    /// 地市客响: reviews what its city initiates.
    CityReviewer,
    /// 客服中心: calls customers, and records what came of it.
    CustomerService,
    /// 省市场部: grants, refuses, suspends, retires, withdraws.
    ProvincialApprover,
    /// 信息系统部: reference tables, credit changes.
    InformationSystems,
    /// 集团大客户部: named lists.
    KeyAccounts,
    /// Populations, campaigns, plans, dispatch, outcomes.
    Operator,
    /// Stops what must be stopped at once, activates what was approved on standby.
    DutyOfficer,
    /// Reads everything, changes nothing.
    Auditor,
    /// 信令监测、计费等系统: another system, which reports what happens to customers.
    EventSource,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Administrator,
        Self::Initiator,
        Self::CityReviewer,
        Self::CustomerService,
        Self::ProvincialApprover,
        Self::InformationSystems,
        Self::KeyAccounts,
        Self::Operator,
        Self::DutyOfficer,
        Self::Auditor,
        Self::EventSource,
    ];

    /// As stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Initiator => "initiator",
            Self::CityReviewer => "city-reviewer",
            Self::CustomerService => "customer-service",
            Self::ProvincialApprover => "provincial-approver",
            Self::InformationSystems => "information-systems",
            Self::KeyAccounts => "key-accounts",
            Self::Operator => "operator",
            Self::DutyOfficer => "duty-officer",
            Self::Auditor => "auditor",
            Self::EventSource => "event-source",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Whatever changes something. Reading is no act: whoever may read the data folder may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Upload a version and submit it.
    Upload,
    /// Pass a city's activity on to the province.
    ReviewForCity,
    /// Say that an activity was tried out (S3: 前端预审).
    ReviewForTrial,
    /// Simulate a submission; nothing is sent, the evidence is kept.
    Simulate,
    /// Grant, or refuse.
    Decide,
    /// Take one's own undecided submission back.
    TakeBack,
    /// End an approval.
    WithdrawApproval,
    /// Hold a version, or let it go on.
    Suspend,
    /// End a version for good.
    Retire,
    /// Throw a kill switch.
    Stop,
    /// Lift a kill switch.
    LiftStop,
    /// Start, stop or re-point a campaign.
    RunCampaigns,
    /// Run or resume a plan, and its tasks.
    RunPlans,
    /// Pause a plan, or call it off.
    HaltPlans,
    /// Hand contacts to the gateways.
    Dispatch,
    /// Import or generate a population.
    ImportPopulation,
    /// Import a reference table.
    ImportTable,
    /// Import a named list.
    ImportList,
    /// Record outcomes.
    RecordOutcomes,
    /// Register an experiment that was run elsewhere.
    ImportExperiment,
    /// Keep an evaluation, so that it stays as it was told.
    KeepEvaluation,
    /// Say when complaints hold a version.
    SetBrake,
    /// Open a finding that somebody is to follow up.
    OpenFinding,
    /// Say that a finding is mended, or was none.
    DecideFinding,
    /// Collect, open, analyse a need.
    StudyNeed,
    /// Publish a need.
    PublishNeed,
    /// Name an activity as the answer to a need.
    AnswerNeed,
    /// Activate what was approved on standby.
    Activate,
    /// Uphold or end an activation.
    ReviewActivation,
    /// Set what the gate asks beyond its states.
    SetGateRules,
    /// Propose a contact policy.
    ProposePolicy,
    /// Put a proposed contact policy in force, or refuse it.
    DecidePolicy,
    /// Import the calendar of a year.
    ImportCalendar,
    /// Register persons and give or take roles.
    ManagePersons,
    /// Register and revoke branch keys.
    ManageKeys,
    /// Say by which gateways the channels go.
    ManageGateways,
    /// Register staff who get test messages and copies of what campaigns send.
    ManageStaff,
    /// Send a submission's messages to registered staff.
    SendTest,
    /// Read what was sent to a customer.
    ReadMessages,
    /// Open and close calling windows.
    OpenCalls,
    /// Take calls or requests to one's department, and report what came of them.
    Work,
    /// Add a model's column to a snapshot.
    RunModels,
    /// Report what happened to customers.
    SendEvents,
    /// Take an alert, or draw the area of a disaster.
    DraftDisaster,
    /// Ask what a customer at the desk or on the line needs now, and say how they answered.
    UseTouchpoint,
    /// Make and revoke tokens of programs.
    ManageTokens,
    /// Copy the whole installation.
    BackUp,
    /// Forget who a customer is.
    Erase,
    /// Take a batch of a plan home, as one's own activity was asked about it.
    RecordBatch,
    /// Say which other systems are told of plans, submissions and campaigns.
    ManageHooks,
    /// Say how long records are kept, and delete what is older.
    Retain,
}

/// Who may do what. A new act is one line here; what is not listed is nobody's.
const RIGHTS: [(Act, &[Role]); 51] = {
    use Role::{
        Administrator, CityReviewer, CustomerService, DutyOfficer, EventSource, InformationSystems, Initiator,
        KeyAccounts, Operator, ProvincialApprover,
    };
    [
        (Act::Upload, &[Initiator]),
        (Act::ReviewForCity, &[CityReviewer]),
        (Act::ReviewForTrial, &[CustomerService]),
        (Act::Simulate, &[Initiator, CityReviewer, CustomerService, ProvincialApprover]),
        (Act::Decide, &[ProvincialApprover]),
        (Act::TakeBack, &[Initiator]),
        (Act::WithdrawApproval, &[ProvincialApprover]),
        (Act::Suspend, &[ProvincialApprover, DutyOfficer]),
        (Act::Retire, &[ProvincialApprover]),
        (Act::Stop, &[ProvincialApprover, DutyOfficer]),
        (Act::LiftStop, &[ProvincialApprover]),
        (Act::RunCampaigns, &[Operator]),
        (Act::RunPlans, &[Operator]),
        (Act::HaltPlans, &[Operator, DutyOfficer]),
        (Act::Dispatch, &[Operator]),
        (Act::ImportPopulation, &[Operator]),
        (Act::ImportTable, &[Operator, InformationSystems]),
        (Act::ImportList, &[Operator, KeyAccounts]),
        (Act::RecordOutcomes, &[Operator, CustomerService]),
        (Act::ImportExperiment, &[Operator]),
        (Act::KeepEvaluation, &[Operator, CityReviewer, ProvincialApprover]),
        (Act::SetBrake, &[ProvincialApprover]),
        (Act::OpenFinding, &[CustomerService, CityReviewer, ProvincialApprover]),
        (Act::DecideFinding, &[CityReviewer, ProvincialApprover]),
        (Act::StudyNeed, &[CustomerService, CityReviewer, ProvincialApprover]),
        (Act::PublishNeed, &[ProvincialApprover]),
        (Act::AnswerNeed, &[Initiator, CityReviewer, ProvincialApprover]),
        (Act::Activate, &[DutyOfficer]),
        (Act::ReviewActivation, &[ProvincialApprover]),
        (Act::SetGateRules, &[Administrator]),
        (Act::ProposePolicy, &[ProvincialApprover, Operator]),
        (Act::DecidePolicy, &[ProvincialApprover]),
        (Act::ImportCalendar, &[Operator, InformationSystems]),
        (Act::ManagePersons, &[Administrator]),
        (Act::ManageKeys, &[Administrator]),
        (Act::ManageGateways, &[Administrator]),
        (Act::ManageStaff, &[Administrator]),
        (Act::SendTest, &[Initiator, CityReviewer, CustomerService, ProvincialApprover]),
        (Act::ReadMessages, &[CustomerService]),
        (Act::OpenCalls, &[CustomerService]),
        (Act::Work, &[CustomerService, InformationSystems, KeyAccounts]),
        (Act::RunModels, &[Operator]),
        (Act::SendEvents, &[EventSource, Operator]),
        (Act::DraftDisaster, &[EventSource, Operator, DutyOfficer]),
        (Act::UseTouchpoint, &[CustomerService, Operator]),
        (Act::ManageTokens, &[Administrator]),
        (Act::BackUp, &[Administrator, Operator]),
        (Act::Erase, &[Administrator]),
        (Act::RecordBatch, &[Initiator]),
        (Act::ManageHooks, &[Administrator]),
        (Act::Retain, &[Administrator]),
    ]
};

impl Act {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        RIGHTS.into_iter().map(|(act, _)| act)
    }

    /// The roles that may do it.
    pub fn roles(self) -> &'static [Role] {
        RIGHTS.iter().find(|(act, _)| *act == self).map_or(&[], |(_, roles)| roles)
    }

    /// As written in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::ReviewForCity => "review-for-city",
            Self::ReviewForTrial => "review-for-trial",
            Self::Simulate => "simulate",
            Self::Decide => "decide",
            Self::TakeBack => "take-back",
            Self::WithdrawApproval => "withdraw-approval",
            Self::Suspend => "suspend",
            Self::Retire => "retire",
            Self::Stop => "stop",
            Self::LiftStop => "lift-stop",
            Self::RunCampaigns => "run-campaigns",
            Self::RunPlans => "run-plans",
            Self::HaltPlans => "halt-plans",
            Self::Dispatch => "dispatch",
            Self::ImportPopulation => "import-population",
            Self::ImportTable => "import-table",
            Self::ImportList => "import-list",
            Self::RecordOutcomes => "record-outcomes",
            Self::ImportExperiment => "import-experiment",
            Self::KeepEvaluation => "keep-evaluation",
            Self::SetBrake => "set-brake",
            Self::OpenFinding => "open-finding",
            Self::DecideFinding => "decide-finding",
            Self::StudyNeed => "study-need",
            Self::PublishNeed => "publish-need",
            Self::AnswerNeed => "answer-need",
            Self::Activate => "activate",
            Self::ReviewActivation => "review-activation",
            Self::SetGateRules => "set-gate-rules",
            Self::ProposePolicy => "propose-policy",
            Self::DecidePolicy => "decide-policy",
            Self::ImportCalendar => "import-calendar",
            Self::ManagePersons => "manage-persons",
            Self::ManageKeys => "manage-keys",
            Self::ManageGateways => "manage-gateways",
            Self::ManageStaff => "manage-staff",
            Self::SendTest => "send-test",
            Self::ReadMessages => "read-messages",
            Self::OpenCalls => "open-calls",
            Self::Work => "work",
            Self::RunModels => "run-models",
            Self::SendEvents => "send-events",
            Self::DraftDisaster => "draft-disaster",
            Self::UseTouchpoint => "use-touchpoint",
            Self::ManageTokens => "manage-tokens",
            Self::BackUp => "back-up",
            Self::Erase => "erase",
            Self::RecordBatch => "record-batch",
            Self::ManageHooks => "manage-hooks",
            Self::Retain => "retain",
        }
    }
}

/// A role that a person has, in a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Appointment {
    /// Who.
    pub person: String,
    /// As what.
    pub role: Role,
    /// Where: an administrative code, and everything below it.
    pub region: String,
}

/// Somebody who is allowed to do what they are about to do: whom the audit log names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub person: String,
    /// The role that allows it.
    pub role: Role,
    /// Where that role holds.
    pub region: String,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// An act that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody of that name has any role.
    #[error("{person:?} is not registered here")]
    Unknown {
        /// Who tried.
        person: String,
    },
    /// None of the person's roles allows it.
    #[error("{person} may not {act}; these may: {allowed}")]
    Role {
        /// Who tried.
        person: String,
        /// What.
        act: &'static str,
        /// Names of the roles that may.
        allowed: String,
    },
    /// Allowed, but not there.
    #[error("{person} may {act} in {own} alone, and this belongs to {region}")]
    Region {
        /// Who tried.
        person: String,
        /// What.
        act: &'static str,
        /// Where the person may.
        own: String,
        /// Where it was tried.
        region: String,
    },
}

/// Whether `person` may do something that concerns `region` (or the whole installation, when absent).
/// `appointments` may hold other people's.
pub fn authorise(
    appointments: &[Appointment],
    person: &str,
    act: Act,
    region: Option<&str>,
    at: i64,
) -> Result<Actor, Denied> {
    let mine: Vec<&Appointment> = appointments.iter().filter(|a| a.person == person).collect();
    if mine.is_empty() {
        return Err(Denied::Unknown { person: person.to_owned() });
    }
    let able: Vec<&Appointment> = mine.into_iter().filter(|a| act.roles().contains(&a.role)).collect();
    if able.is_empty() {
        let allowed: Vec<&str> = act.roles().iter().map(|role| role.name()).collect();
        return Err(Denied::Role { person: person.to_owned(), act: act.name(), allowed: allowed.join(", ") });
    }
    let here = |a: &&&Appointment| region.is_none_or(|region| region::covers(&a.region, region));
    match able.iter().find(here) {
        Some(found) => Ok(Actor { person: person.to_owned(), role: found.role, region: found.region.clone(), at }),
        None => Err(Denied::Region {
            person: person.to_owned(),
            act: act.name(),
            own: able.iter().map(|a| a.region.as_str()).collect::<Vec<_>>().join(", "),
            region: region.unwrap_or_default().to_owned(),
        }),
    }
}

/// An appointment that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppointmentError {
    /// A name that could be mistaken for another.
    #[error("{0:?} is no name: four eyes compare names, so they have no blanks around them and no control characters")]
    Name(String),
    /// Not an administrative code.
    #[error("region {0:?} is no administrative code; use six digits such as 350200")]
    Region(String),
    /// A city's role for a whole province, or the reverse.
    #[error("{role} is a {wanted}'s role, and {region} is none")]
    Level {
        /// Which role.
        role: &'static str,
        /// `city` or `province`.
        wanted: &'static str,
        /// What was given.
        region: String,
    },
}

impl Appointment {
    /// Whether it can be meant.
    pub fn check(&self) -> Result<(), AppointmentError> {
        if !is_person(&self.person) {
            return Err(AppointmentError::Name(self.person.clone()));
        }
        if !region::is_code(&self.region) {
            return Err(AppointmentError::Region(self.region.clone()));
        }
        let wanted = match self.role {
            Role::CityReviewer if region::is_province(&self.region) => "city",
            Role::Administrator | Role::ProvincialApprover if !region::is_province(&self.region) => "province",
            _ => return Ok(()),
        };
        Err(AppointmentError::Level { role: self.role.name(), wanted, region: self.region.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appointed(person: &str, role: Role, region: &str) -> Appointment {
        Appointment { person: person.into(), role, region: region.into() }
    }

    #[test]
    fn every_act_is_listed_once_and_every_role_has_exactly_its_rights() {
        let acts: Vec<Act> = Act::all().collect();
        for (i, act) in acts.iter().enumerate() {
            assert!(!acts[..i].contains(act), "{act:?} stands twice");
            assert!(!act.roles().is_empty(), "{act:?} is nobody's");
        }
        for role in Role::ALL {
            let person = appointed("p", role, "350000");
            for act in &acts {
                let allowed = authorise(std::slice::from_ref(&person), "p", *act, None, 1);
                assert_eq!(allowed.is_ok(), act.roles().contains(&role), "{role:?} {act:?}");
            }
        }
        assert!(acts.iter().all(|act| !act.roles().contains(&Role::Auditor)), "an auditor changes nothing");
        let decides = |role: Role| Act::Decide.roles().contains(&role);
        assert!(!decides(Role::Initiator) && !decides(Role::Administrator) && !decides(Role::Operator));
    }

    #[test]
    fn a_role_ends_at_the_border_of_its_region() {
        let all = [
            appointed("xu", Role::CityReviewer, "350200"),
            appointed("lin", Role::CityReviewer, "350100"),
            appointed("lin", Role::Operator, "350000"),
        ];
        let review = |person, region| authorise(&all, person, Act::ReviewForCity, Some(region), 7);
        assert_eq!(review("xu", "350203").map(|actor| (actor.region, actor.at)), Ok(("350200".into(), 7)));
        assert!(matches!(review("xu", "350100"), Err(Denied::Region { .. })));
        assert!(review("lin", "350100").is_ok());
        assert!(matches!(review("nobody", "350100"), Err(Denied::Unknown { .. })));
        assert!(matches!(authorise(&all, "xu", Act::Dispatch, None, 7), Err(Denied::Role { .. })));
        assert_eq!(authorise(&all, "lin", Act::Dispatch, None, 7).map(|a| a.role), Ok(Role::Operator));
    }

    #[test]
    fn appointments_that_cannot_be_meant_are_refused() {
        assert_eq!(appointed("xu", Role::CityReviewer, "350200").check(), Ok(()));
        for bad in [
            appointed(" xu", Role::Operator, "350000"),
            appointed("", Role::Operator, "350000"),
            appointed("x\u{200b}u", Role::Operator, "350000"),
            appointed("xu", Role::Operator, "Xiamen"),
            appointed("xu", Role::CityReviewer, "350000"),
            appointed("xu", Role::ProvincialApprover, "350200"),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }
}
