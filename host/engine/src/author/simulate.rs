//! An activity over a whole population: what it decides, what policy makes of it, what it costs to run.

use super::ask::{Crew, FaultTold, StageCost};
use super::customers::Customers;
use super::workbench::{MessageTold, Workbench, morning};
use crate::EngineError;
use crate::evidence::alone;
use crate::evidence::stage::SIMULATED as TRIED;
use crate::plan::{self, BatchView, BucketOutcome, DEFAULT_BATCH, Due, Lists, MAX_ATTEMPTS, World};
use crate::reference::LoadedTables;
use crate::wording::Wording;
use care_domain::approval::Approval;
use care_domain::contact::Channel;
use care_domain::evidence::Evidence;
use care_domain::field::{Stage, is_supplied};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::manifest::FieldUse;
use care_domain::plan::Pins;
use care_domain::policy::Policy;
use care_domain::sms::Frame;
use care_domain::text::{Finding, nearest_hint};
use care_domain::verdict::Verdict;
use care_population::BucketData;
use care_sandbox::{Grants, RunFacts};
use care_store::History;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What to try.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Business date, in days; the customers' date when absent.
    pub date: Option<i32>,
    /// What guests see as now, Unix milliseconds; 09:00 in the province when absent.
    pub now: Option<i64>,
    /// Parameters that differ from their defaults.
    pub params: Map<String, Value>,
    /// How many customers to tell one by one.
    pub show: usize,
}

/// What a trial came to.
#[derive(Debug, Clone, Serialize)]
pub struct Simulated {
    /// The numbers that an approver would see, on the default policy and without anybody's past.
    pub evidence: Evidence,
    /// The first candidates by their keys, each with its verdict.
    pub who: Vec<Contacted>,
    /// What the stages cost. Composing is asked for all that were chosen, not only for the winners.
    pub costs: [StageCost; 3],
    /// How it broke, with the customers on whom: each kind of fault once, and how many customers.
    pub faults: Vec<Broken>,
    /// What is odd, but no mistake.
    pub warnings: Vec<Finding>,
}

/// How an activity broke, and on whom first.
#[derive(Debug, Clone, Serialize)]
pub struct Broken {
    /// What the file calls the first customer.
    pub customer: String,
    /// How many customers broke it in the same way.
    pub customers: u64,
    /// What the activity reads of the first customer in that stage.
    pub read: BTreeMap<String, String>,
    /// How.
    #[serde(flatten)]
    pub fault: FaultTold,
}

/// A candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contacted {
    /// What the file calls the customer.
    pub customer: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The rule that said so.
    pub rule: String,
    /// Why it was chosen.
    pub reason: String,
    /// What the contact is about.
    pub occasion: i64,
    /// How much it is needed.
    pub score: f32,
    /// From when it is useful, Unix milliseconds.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// When it would go out.
    pub planned_at: Option<i64>,
    /// By which channel.
    pub channel: Option<Channel>,
    /// What would be said.
    pub messages: Vec<MessageTold>,
}

impl Workbench {
    /// Tries the activity on customers. `clock` tells how long something has been going on.
    pub fn simulate(
        &self,
        customers: &Customers,
        trial: &Trial,
        clock: &dyn Fn() -> Duration,
    ) -> Result<Simulated, EngineError> {
        let today = trial.date.unwrap_or_else(|| customers.date());
        let now = trial.now.map_or_else(|| morning(today), Ok)?;
        self.check_fields(customers)?;
        let tables = self.tables(today)?;
        let params = self.params(&trial.params)?;
        let (facts, grants) = self.terms((today, now), params.clone(), &tables)?;
        let world = self.world(customers, (today, now), &params, &tables, (&facts, &grants))?;
        let wording = Wording::new(&self.manifest, tables.labels(), Frame::default())?;
        let stage = alone::stage(&world, &self.manifest, tables.labels())?;
        let locate = self.locate();
        let mut crew = Crew::new(&self.plugin, (&facts, &grants), clock, &locate);
        let mut told = Told { workbench: self, customers, wording, broken: BTreeMap::new(), who: Vec::new() };
        let mut evidence = stage.empty();
        for bucket in Bucket::all(customers.snapshot.manifest().bits) {
            let data = customers.snapshot.bucket(bucket)?;
            told.ask(&mut crew, &data, &grants)?;
            let outcome = decided(&world, &data)?;
            told.list(&outcome, trial.show)?;
            evidence.merge(&alone::of_bucket(&stage, data, outcome)?);
        }
        let warnings = self.warnings(customers, &evidence);
        Ok(Simulated {
            evidence,
            who: told.who,
            costs: crew.costs(),
            faults: told.broken.into_values().collect(),
            warnings,
        })
    }

    /// Every field that is not optional must be there.
    fn check_fields(&self, customers: &Customers) -> Result<(), EngineError> {
        let stored = &customers.snapshot.manifest().fields;
        let mut findings: Vec<Finding> = Vec::new();
        for stage in [Stage::Select, Stage::Schedule, Stage::Compose] {
            let lacking = |f: &&FieldUse| !f.optional && !is_supplied(&f.name) && !stored.contains_key(&f.name);
            findings.extend(self.manifest.fields_of(stage).iter().filter(lacking).map(|field| {
                let near = nearest_hint(&field.name, stored.keys().map(String::as_str));
                let message =
                    format!("the customers have no {:?}, which the activity reads in {}", field.name, stage.name());
                Finding::error("field-missing", message, format!("Add the column, or make the field optional{near}"))
            }));
        }
        if findings.is_empty() { Ok(()) } else { Err(EngineError::Findings { what: "the trial".into(), findings }) }
    }

    /// A plan's world with this activity as its only campaign, granted what it asks for, on the default policy.
    fn world(
        &self,
        customers: &Customers,
        (date, instant): (i32, i64),
        params: &str,
        tables: &LoadedTables,
        (facts, grants): (&RunFacts, &Grants),
    ) -> Result<World, EngineError> {
        let approval = Approval::grant(&self.digest, &self.manifest, &Default::default(), "", 0);
        let approval = approval.map_err(EngineError::internal)?;
        let policy = Policy::default();
        let snapshot = customers.snapshot.clone();
        let manifest = Arc::new(approval.effective(&self.manifest));
        let pins = Pins {
            date,
            wave: 1,
            instant,
            snapshot: snapshot.id().to_owned(),
            bucket_bits: snapshot.manifest().bits,
            campaigns: vec![care_domain::plan::PinnedCampaign {
                campaign: TRIED.into(),
                activity: manifest.name.clone(),
                component: self.digest.clone(),
                approval: approval.digest().map_err(EngineError::internal)?,
                origin: manifest.name.clone(),
                params: params.to_owned(),
                areas: Vec::new(),
                share: None,
            }],
            policy: care_domain::canonical::digest_of(&policy).map_err(EngineError::internal)?,
            tables: tables.digests.clone(),
            calendar: BTreeMap::new(),
            scheduled_for: None,
            frame: Frame::default(),
            batch: DEFAULT_BATCH,
            engine: care_sandbox::ENGINE.to_owned(),
        };
        let due = Due {
            campaign: TRIED.into(),
            component: self.digest.clone(),
            terms: approval.terms(TRIED, &manifest.name, &manifest),
            rivals: [TRIED.to_owned()].into(),
            manifest,
            plugin: self.plugin.clone(),
            facts: facts.clone(),
            grants: grants.clone(),
            wording: None,
        };
        Ok(World {
            pins,
            due: vec![due],
            policy,
            snapshot,
            disaster_areas: tables.active_areas(date),
            lists: Vec::new(),
            blocked: Vec::new(),
            budgets: BTreeMap::new(),
        })
    }

    /// Choosing nobody or everybody is seldom what was meant.
    fn warnings(&self, customers: &Customers, evidence: &Evidence) -> Vec<Finding> {
        let all = customers.count();
        match evidence.selected() {
            0 => {
                let hint =
                    "Check the date, the parameters, and whether the customers have values in the fields it reads";
                let message = format!("it chooses none of {all} customers");
                vec![Finding::warning("selects-nobody", message, hint)]
            }
            chosen if chosen == all => {
                let hint = "An activity for everybody is a mass mailing; say in `select` who needs it";
                vec![Finding::warning("selects-everybody", format!("it chooses all of {all} customers"), hint)]
            }
            _ => Vec::new(),
        }
    }
}

/// What is told of a trial, customer by customer.
struct Told<'a> {
    workbench: &'a Workbench,
    customers: &'a Customers,
    wording: Wording,
    broken: BTreeMap<(String, &'static str, String), Broken>,
    who: Vec<Contacted>,
}

impl Told<'_> {
    /// Asks about a bucket batch by batch, and notes what broke.
    fn ask(&mut self, crew: &mut Crew<'_>, data: &BucketData, grants: &Grants) -> Result<(), EngineError> {
        let (history, lists) = (History::default(), Lists::new());
        let activity = &self.workbench.manifest.name;
        let machine = |source| EngineError::Machine { activity: activity.clone(), attempts: 1, source };
        for start in (0..data.rows()).step_by(DEFAULT_BATCH as usize) {
            let end = (start + DEFAULT_BATCH as usize).min(data.rows());
            let view = BatchView::new(data, start..end, &history, &lists);
            let lend = |fields: &[FieldUse], rows: Option<&[u32]>| view.table(activity, fields, rows);
            let asked = crew.ask(view.len() as u32, grants, &lend).map_err(machine)?;
            for (rows, fault) in asked.broke {
                let Some(first) = rows.first() else { continue };
                let kind = (fault.stage.name().to_owned(), fault.code, kind(&fault));
                let of = rows.len() as u64;
                if let Some(known) = self.broken.get_mut(&kind) {
                    known.customers += of;
                    continue;
                }
                let key = view.keys[*first as usize];
                let known = self.customers.snapshot.find(key)?.unwrap_or_default();
                let fields = grants.manifest.fields_of(fault.stage);
                let read = known.into_iter().filter(|(name, _)| fields.iter().any(|f| f.name == *name)).collect();
                self.broken.insert(kind, Broken { customer: self.customers.name(key), customers: of, read, fault });
            }
        }
        Ok(())
    }

    /// Tells the first candidates.
    fn list(&mut self, outcome: &BucketOutcome, show: usize) -> Result<(), EngineError> {
        let mut said: HashMap<CustomerKey, Vec<MessageTold>> = HashMap::new();
        for contact in &outcome.contacts {
            let text = self.wording.read_both(contact)?;
            let message = MessageTold {
                template: contact.template.clone(),
                channel: contact.channel,
                slots: contact.slots.clone(),
                zh: text.zh,
                en: text.en,
            };
            said.entry(contact.customer).or_default().push(message);
        }
        for decision in &outcome.decisions {
            if self.who.len() >= show {
                break;
            }
            self.who.push(Contacted {
                customer: self.customers.name(decision.customer),
                verdict: decision.verdict,
                rule: decision.rule.clone(),
                reason: decision.reason.clone(),
                occasion: decision.occasion,
                score: decision.score,
                not_before: decision.not_before,
                not_after: decision.not_after,
                planned_at: decision.planned_at,
                channel: decision.channel,
                messages: said.remove(&decision.customer).unwrap_or_default(),
            });
        }
        Ok(())
    }
}

/// Faults are of one kind when they stood at the same line, and differ in numbers alone: rows and values.
fn kind(fault: &FaultTold) -> String {
    let words: String = fault.message.chars().filter(|c| !c.is_ascii_digit()).collect();
    let place = fault.places.first().map(|place| format!("{}:{}", place.file, place.line));
    words + &place.unwrap_or_default()
}

/// Decides a bucket as a plan does; a fault of the machine is tried again as often as there.
fn decided(world: &World, data: &BucketData) -> Result<BucketOutcome, EngineError> {
    let mut attempts = 0;
    loop {
        match plan::decide_bucket(world, data, &History::default(), &Lists::new(), &|_| ()) {
            Ok(outcome) => return Ok(outcome),
            Err(plan::MachineFault { activity, source }) => {
                attempts += 1;
                if attempts == MAX_ATTEMPTS {
                    return Err(EngineError::Machine { activity, attempts, source });
                }
            }
        }
    }
}
