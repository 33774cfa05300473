//! The decision log of one bucket: every candidate with its verdict, as an immutable file named by its digest.

use crate::arrow_file;
use crate::durable;
use crate::error::PopulationError;
use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, Float32Array, Int64Array, RecordBatch, StringArray, UInt8Array,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{Field, Float32Type, Int64Type, Schema, UInt8Type};
use arrow::error::ArrowError;
use care_domain::canonical;
use care_domain::contact::Channel;
use care_domain::key::CustomerKey;
use care_domain::verdict::{Decision, Verdict};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const EXTENSION: &str = "arrow";

/// A written log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// SHA-256 in hexadecimal; the file is `<digest>.arrow`.
    pub digest: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// Where a log lies.
pub fn path_of(folder: &Path, digest: &str) -> PathBuf {
    folder.join(digest).with_extension(EXTENSION)
}

/// The bytes of a log: the same decisions give the same bytes.
pub fn encode(decisions: &[Decision]) -> Result<Vec<u8>, PopulationError> {
    let encoded = batch(decisions).and_then(|batch| arrow_file::encode(&batch));
    encoded.map_err(PopulationError::columns("encode", Path::new("a decision log")))
}

/// Writes a log and syncs it with its folder, which must exist. The same decisions give the same file;
/// writing them again changes nothing.
pub fn write(folder: &Path, decisions: &[Decision]) -> Result<LogFile, PopulationError> {
    let bytes = encode(decisions)?;
    let log = LogFile { digest: canonical::digest(&bytes), bytes: bytes.len() as u64 };
    let path = path_of(folder, &log.digest);
    // Written aside and renamed, so that the name never stands for half a file.
    let aside = tempfile::Builder::new()
        .prefix(".partial-")
        .tempfile_in(folder)
        .map_err(PopulationError::io("create a file in", folder))?;
    durable::write_synced(aside.path(), &bytes)?;
    aside.persist(&path).map_err(|e| PopulationError::io("rename a log to", &path)(e.error))?;
    durable::sync_folder(folder)?;
    Ok(log)
}

/// Reads a log, checked against the digest in its name.
pub fn read(path: &Path) -> Result<Vec<Decision>, PopulationError> {
    let digest = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let batch = arrow_file::open(path, digest)?;
    let columns = LogColumns::of(&batch).map_err(PopulationError::columns("read", path))?;
    let unreadable = |row| PopulationError::damaged(path, format!("has a row {row} that this version cannot read"));
    (0..batch.num_rows()).map(|row| columns.decision(row).ok_or_else(|| unreadable(row))).collect()
}

fn batch(decisions: &[Decision]) -> Result<RecordBatch, ArrowError> {
    let keys: Vec<u8> = decisions.iter().flat_map(|d| d.customer.0).collect();
    let text =
        |of: fn(&Decision) -> &str| Arc::new(StringArray::from_iter_values(decisions.iter().map(of))) as ArrayRef;
    let maybe =
        |of: fn(&Decision) -> Option<&str>| Arc::new(decisions.iter().map(of).collect::<StringArray>()) as ArrayRef;
    let whole = |of: fn(&Decision) -> i64| Arc::new(Int64Array::from_iter_values(decisions.iter().map(of))) as ArrayRef;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("customer", Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(keys), None)?)),
        ("campaign", text(|d| &d.campaign)),
        ("activity", text(|d| &d.activity)),
        ("reason", text(|d| &d.reason)),
        ("occasion", whole(|d| d.occasion)),
        ("round", Arc::new(UInt8Array::from_iter_values(decisions.iter().map(|d| d.round)))),
        ("score", Arc::new(Float32Array::from_iter_values(decisions.iter().map(|d| d.score)))),
        ("not-before", whole(|d| d.not_before)),
        ("not-after", whole(|d| d.not_after)),
        ("planned-at", Arc::new(decisions.iter().map(|d| d.planned_at).collect::<Int64Array>())),
        ("channel", maybe(|d| d.channel.map(Channel::name))),
        ("verdict", text(|d| d.verdict.name())),
        ("rule", text(|d| &d.rule)),
        ("figures", text(|d| &d.figures)),
        ("winner", maybe(|d| d.winner.as_deref())),
    ];
    let optional = ["planned-at", "channel", "winner"];
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), optional.contains(name));
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect())
}

/// A log's columns by name.
struct LogColumns<'a> {
    customer: &'a FixedSizeBinaryArray,
    batch: &'a RecordBatch,
}

impl<'a> LogColumns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let customer = batch.column_by_name("customer").and_then(|a| a.as_fixed_size_binary_opt());
        let customer = customer.filter(|keys| keys.value_length() == 16);
        Ok(Self { customer: customer.ok_or_else(|| ArrowError::SchemaError("no customer column".into()))?, batch })
    }

    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        let texts = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row))
    }

    fn whole(&self, name: &str, row: usize) -> Option<i64> {
        let values = self.batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        values.is_valid(row).then(|| values.value(row))
    }

    fn decision(&self, row: usize) -> Option<Decision> {
        let mut key = [0u8; 16];
        key.copy_from_slice(self.customer.value(row));
        let channel = match self.text("channel", row) {
            Some(name) => Some(Channel::ALL.into_iter().find(|c| c.name() == name)?),
            None => None,
        };
        let owned = |name| self.text(name, row).map(str::to_owned);
        Some(Decision {
            customer: CustomerKey(key),
            campaign: owned("campaign")?,
            activity: owned("activity")?,
            reason: owned("reason")?,
            occasion: self.whole("occasion", row)?,
            round: self.batch.column_by_name("round")?.as_primitive_opt::<UInt8Type>()?.value(row),
            score: self.batch.column_by_name("score")?.as_primitive_opt::<Float32Type>()?.value(row),
            not_before: self.whole("not-before", row)?,
            not_after: self.whole("not-after", row)?,
            planned_at: self.whole("planned-at", row),
            channel,
            verdict: Verdict::from_name(self.text("verdict", row)?)?,
            rule: owned("rule")?,
            figures: owned("figures")?,
            winner: owned("winner"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions() -> Vec<Decision> {
        let cleared = Decision {
            customer: CustomerKey([3; 16]),
            campaign: "c1".into(),
            activity: "birthday".into(),
            reason: "on-the-day".into(),
            occasion: 2026,
            round: 1,
            score: 0.25,
            not_before: 1,
            not_after: 2,
            planned_at: Some(1),
            channel: Some(Channel::Sms),
            verdict: Verdict::Cleared,
            rule: "cleared".into(),
            figures: "0 of 1 in 7 days".into(),
            winner: None,
        };
        let mut lost = Decision {
            verdict: Verdict::Lost,
            planned_at: None,
            channel: None,
            winner: Some("c2".into()),
            ..cleared.clone()
        };
        lost.reason = String::new();
        vec![cleared, lost]
    }

    #[test]
    fn a_log_comes_back_as_it_went_and_its_name_is_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        for decisions in [decisions(), Vec::new()] {
            let log = write(folder.path(), &decisions).expect("a log");
            assert_eq!(write(folder.path(), &decisions).expect("again"), log);
            let path = path_of(folder.path(), &log.digest);
            assert_eq!(path.metadata().expect("a file").len(), log.bytes);
            assert_eq!(read(&path).expect("decisions"), decisions);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("entries").count(), 2);
    }

    #[test]
    fn a_changed_or_vanished_log_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = write(folder.path(), &decisions()).expect("a log");
        let path = path_of(folder.path(), &log.digest);
        let mut bytes = std::fs::read(&path).expect("bytes");
        bytes[200] ^= 1;
        std::fs::write(&path, bytes).expect("tampered");
        assert!(read(&path).expect_err("changed").to_string().contains(&log.digest));
        std::fs::remove_file(&path).expect("gone");
        assert!(read(&path).expect_err("gone").to_string().contains("is gone"));
    }
}
