//! What answers hold, as the description promises it to whoever writes a program against the API. Handlers answer with
//! the engine's own values; every answer that a story or schemathesis gets is compared with what stands here, in which
//! nothing else may be, so that a field is not renamed or added by accident. A new field is one line here.
#![allow(dead_code, reason = "these types describe answers; nothing is made of them")]

mod gate;
mod learnt;
mod live;
mod messages;
mod operation;
mod reference;
mod work;

pub(super) use gate::{
    Activity, Appointment, Approved, AuditHead, AuditLine, Decided, Key, NewToken, Pushed, Simulation, SimulationShown,
    Stands, Submission, SubmissionShown, Token, Version,
};
pub(super) use learnt::{ContactPressure, Distribution, Evaluation, Execution, KeptEvaluation, OutcomesRecorded};
pub(super) use live::{
    DeadLetter, Disaster, Dispatched, EventsTaken, PromptAnswered, Prompts, Taken, Window, WindowOpened, WorkRecorded,
};
pub(super) use messages::{Aside, ExperimentImported, ModelRun, Previews, Staff, StaffRegistered, TestsSent};
pub(super) use operation::{Delivery, Hook, HookSecret, Periods, RetentionReport, RetentionRun};
pub(super) use reference::{Imported, Policy, Population, PopulationShown, Table, TableSet};
pub(super) use work::{
    Campaign, CampaignShown, CampaignStopped, Contact, Customer, Explanation, Message, Plan, PlanBegun, PlanCancelled,
    PlanPaused, PlanStatus, PlanSummary, Ramp, Started, Thrown, Wishes,
};
