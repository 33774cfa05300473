//! What takes long to count is counted beside the page: a page waits for it a moment, shows what was counted before, or
//! says that it is being counted and is loaded again. What was quickly counted is counted again sooner. Each role and
//! region has its own figures.

use super::session::Visitor;
use super::show::{View, told};
use care_domain::evidence::Pressure;
use care_domain::text::Finding;
use care_engine::{EngineError, Evaluation, Execution, Learnt, PlanSummary};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Counting takes at most this part of the time.
const PART: u32 = 20;
/// Figures younger than this are not counted again, and older ones are.
const FRESH: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// How old they may be before they are thrown away.
const STALE: Duration = Duration::from_secs(3_600);
/// How long a page waits for them.
const PATIENCE: Duration = Duration::from_millis(60);

/// What was counted.
#[derive(Clone)]
pub(super) enum Counted {
    Execution(Arc<Execution>),
    Evaluation(Arc<Evaluation>),
    Knowledge(Arc<Vec<Learnt>>),
    Plan(Arc<PlanSummary>),
    Pressure(Arc<Pressure>),
    /// It cannot be: why.
    Refused(Vec<Finding>),
}

/// What a page knows of it.
pub(super) struct Told {
    /// As it was counted last; nothing while it is counted for the first time.
    pub(super) counted: Option<Counted>,
    /// Whether that is of a moment ago; else it is being counted anew.
    is_current: bool,
}

impl Told {
    /// A page that shows it: it says so, and is loaded again, where the figures are being counted.
    pub(super) fn mark(&self, visitor: &Visitor, view: View) -> View {
        if self.is_current { view } else { view.counting(visitor) }
    }
}

#[derive(Default)]
struct Figure {
    /// Until when it holds, and what came of it.
    known: Option<(Instant, Counted)>,
    /// Whether it is being counted.
    is_under_way: bool,
}

/// What this server counted.
#[derive(Clone, Default)]
pub(crate) struct Desk(Arc<Mutex<HashMap<String, Figure>>>);

impl Desk {
    fn figures(&self) -> MutexGuard<'_, HashMap<String, Figure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Figures under a name, as this visitor may see them: counted by `job` where nobody did within a minute.
    pub(super) async fn ask<F>(&self, visitor: &Visitor, name: &str, job: F) -> Told
    where
        F: Future<Output = Result<Counted, EngineError>> + Send + 'static,
    {
        let key = format!("{} {} {name}", visitor.principal.role.name(), visitor.principal.region);
        let before = {
            let mut figures = self.figures();
            figures.retain(|_, figure| {
                figure.is_under_way || figure.known.as_ref().is_some_and(|(until, _)| until.elapsed() < STALE)
            });
            let figure = figures.entry(key.clone()).or_default();
            let before = figure.known.clone();
            let is_fresh = before.as_ref().is_some_and(|(until, _)| Instant::now() < *until);
            if is_fresh || figure.is_under_way {
                return Told { counted: before.map(|(_, counted)| counted), is_current: is_fresh };
            }
            figure.is_under_way = true;
            before
        };
        let (desk, tongue, busy) = (self.clone(), visitor.tongue, visitor.api.busy());
        let counting = crate::background::spawn(async move {
            let (_busy, begun) = (busy, Instant::now());
            let counted = job.await.unwrap_or_else(|error| Counted::Refused(told(tongue, &error)));
            let fresh = (begun.elapsed() * PART).clamp(FRESH[0], FRESH[1]);
            let figure = Figure { known: Some((Instant::now() + fresh, counted.clone())), is_under_way: false };
            desk.figures().insert(key, figure);
            counted
        });
        match tokio::time::timeout(PATIENCE, counting).await {
            Ok(Ok(counted)) => Told { counted: Some(counted), is_current: true },
            _ => Told { counted: before.map(|(_, counted)| counted), is_current: false },
        }
    }
}
