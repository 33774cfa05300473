//! A task as it is handed about: a descriptor in, a manifest of counts and digests out. Neither holds a row of a
//! customer nor a path of a machine, so whoever has the store and the snapshot may do it (architecture section 7).
//! Who has a task, and until when, is the store's; what a task does is the engine's.

use crate::canonical;
use crate::key::Bucket;
use crate::plan::TaskResult;
use serde::{Deserialize, Serialize};

/// The layout of descriptors and manifests.
pub const FORMAT: u32 = 1;
/// log2 of the most buckets that a snapshot has.
const MAX_BITS: u8 = 16;
/// Digits of a plan's id.
const PLAN_DIGITS: usize = 32;

/// One bucket of one plan, and the attempt at it. The mark up to which the ledger is read is not in it: it is taken when
/// the work begins, so that a descriptor does not grow stale while it travels, and stands in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Layout: `FORMAT`.
    pub format: u32,
    /// The plan; its id is the hash of everything that decides.
    pub plan: String,
    /// log2 of the snapshot's buckets.
    pub bits: u8,
    /// Which bucket, from 0.
    pub bucket: u32,
    /// The attempt, from 1: once a newer one has begun, nothing of this one is committed.
    pub epoch: i64,
}

/// What a finished task answers: the same for whoever asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskManifest {
    /// What was asked for.
    pub task: Descriptor,
    /// Counts, the ledger mark, and the digest of the decision log.
    pub result: TaskResult,
    /// SHA-256 over the canonical JSON of the two above.
    pub digest: String,
}

/// A descriptor that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// Not the JSON of a descriptor.
    #[error("it is no task descriptor: {0}")]
    Json(String),
    /// Of a layout that this version does not know.
    #[error("its format is {0}, and this version knows {FORMAT}")]
    Format(u32),
    /// A value out of its bounds.
    #[error("its {field} is {found}; it must be {wanted}")]
    Field {
        /// Which one.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: String,
    },
}

impl Descriptor {
    /// An attempt at a bucket of a plan.
    pub fn of(plan: &str, bucket: Bucket, epoch: i64) -> Self {
        Self { format: FORMAT, plan: plan.to_owned(), bits: bucket.bits, bucket: bucket.index, epoch }
    }

    /// Reads one, and refuses what cannot be meant.
    pub fn parse(json: &str) -> Result<Self, DescriptorError> {
        let read: Self = serde_json::from_str(json).map_err(|error| DescriptorError::Json(error.to_string()))?;
        if read.format != FORMAT {
            return Err(DescriptorError::Format(read.format));
        }
        let field = |field, found: String, wanted: String| Err(DescriptorError::Field { field, found, wanted });
        if read.plan.len() != PLAN_DIGITS || !read.plan.bytes().all(|b| b.is_ascii_hexdigit()) {
            return field("plan", format!("{:?}", read.plan), format!("{PLAN_DIGITS} hexadecimal digits"));
        }
        if read.bits > MAX_BITS {
            return field("bits", read.bits.to_string(), format!("0 to {MAX_BITS}"));
        }
        if read.bucket >> read.bits != 0 {
            return field("bucket", read.bucket.to_string(), format!("below 2^{}", read.bits));
        }
        if read.epoch < 1 {
            return field("epoch", read.epoch.to_string(), "1 or more".to_owned());
        }
        Ok(read)
    }

    /// The bucket.
    pub fn bucket(&self) -> Bucket {
        Bucket { bits: self.bits, index: self.bucket }
    }
}

impl TaskManifest {
    /// The manifest of a finished task.
    pub fn of(task: Descriptor, result: TaskResult) -> Result<Self, serde_json::Error> {
        let digest = canonical::digest_of(&(&task, &result))?;
        Ok(Self { task, result, digest })
    }
}

/// Customers a second over the last `window` milliseconds; `done` holds when each task was done and how many customers
/// were in it. `None` while nothing can be said: nothing done in the window, or a clock that was set back.
pub fn pace(done: &[(i64, u64)], now: i64, window: i64) -> Option<f64> {
    let recent = || done.iter().filter(|(at, _)| (0..=window).contains(&(now - at)));
    let first = recent().map(|(at, _)| *at).min()?;
    // The first one's own customers were decided before it was done.
    let customers: u64 = recent().filter(|(at, _)| *at > first).map(|(_, customers)| customers).sum();
    let seconds = (now - first) as f64 / 1_000.0;
    (customers > 0 && seconds > 0.0).then(|| customers as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const PLAN: &str = "0123456789abcdef0123456789abcdef";

    proptest! {
        #[test]
        fn a_descriptor_is_read_as_it_was_written(bits in 0u8..=16, at in any::<u32>(), epoch in 1i64..1 << 50) {
            let bucket = Bucket { bits, index: at % (1 << bits) };
            let descriptor = Descriptor::of(PLAN, bucket, epoch);
            let json = canonical::json(&descriptor).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(Descriptor::parse(&json), Ok(descriptor.clone()));
            prop_assert_eq!(descriptor.bucket(), bucket);
        }

        #[test]
        fn no_text_makes_parsing_panic(text in "\\PC*") {
            prop_assert!(Descriptor::parse(&text).is_err());
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_field_that_is_wrong() {
        let good = serde_json::json!({"format": 1, "plan": PLAN, "bits": 2, "bucket": 3, "epoch": 1});
        assert!(Descriptor::parse(&good.to_string()).is_ok());
        for (field, value, told) in [
            ("format", serde_json::json!(2), "its format is 2"),
            ("plan", "../../etc".into(), "its plan is"),
            ("bits", 17.into(), "its bits is 17"),
            ("bucket", 4.into(), "its bucket is 4; it must be below 2^2"),
            ("epoch", 0.into(), "its epoch is 0"),
            ("path", "/tmp/x".into(), "unknown field `path`"),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            let error = Descriptor::parse(&bad.to_string()).expect_err(field).to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_manifest_s_digest_covers_the_task_and_all_its_counts() {
        let result = TaskResult {
            mark: 1,
            log: "a".into(),
            customers: 2,
            tallies: BTreeMap::new(),
            contacts: 3,
            faults: BTreeMap::new(),
            carried: 0,
            clashes: BTreeMap::new(),
            late: crate::plan::Late::default(),
        };
        let task = Descriptor::of(PLAN, Bucket { bits: 0, index: 0 }, 1);
        let digest = |task: &Descriptor, result: &TaskResult| {
            TaskManifest::of(task.clone(), result.clone()).expect("a manifest").digest
        };
        let whole = digest(&task, &result);
        assert_eq!(digest(&task, &result), whole);
        assert_ne!(digest(&Descriptor { epoch: 2, ..task.clone() }, &result), whole);
        assert_ne!(digest(&task, &TaskResult { contacts: 4, ..result }), whole);
    }

    #[test]
    fn the_pace_is_that_of_the_last_minute() {
        assert_eq!(pace(&[], 5, 60_000), None);
        assert_eq!(pace(&[(1_000, 7)], 3_000, 60_000), None, "when the first began is not known");
        assert_eq!(pace(&[(1_000, 7), (2_000, 100)], 3_000, 60_000), Some(50.0));
        assert_eq!(pace(&[(0, 9_000), (100_000, 30), (110_000, 60)], 120_000, 30_000), Some(3.0));
        assert_eq!(pace(&[(9_000, 7), (9_500, 7)], 3_000, 60_000), None, "the clock was set back");
    }
}
