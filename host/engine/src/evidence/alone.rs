//! The evidence of one activity by itself, as its author sees it: no other campaign, nobody's past.

use super::stage::Stage;
use super::{Decided, bucket};
use crate::EngineError;
use crate::plan::{BucketOutcome, World};
use care_domain::evidence::Evidence;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_population::BucketData;
use care_store::History;

/// What a world with one campaign is compared with: nothing.
pub(crate) fn stage(world: &World, manifest: &Manifest, labels: Labels) -> Result<Stage, EngineError> {
    Stage::alone(world, manifest, labels)
}

/// What a bucket adds.
pub(crate) fn of_bucket(stage: &Stage, data: BucketData, after: BucketOutcome) -> Result<Evidence, EngineError> {
    let decided = Decided { data, history: History::default(), before: BucketOutcome::default(), after };
    bucket::gather(stage, &decided)
}
