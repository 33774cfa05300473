//! Columns between spooled rows, Arrow arrays and the domain's `Column`.

use super::partition::fixed;
use super::{CATEGORIES, KEY_COLUMN};
use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowNativeType, ArrowPrimitiveType, DataType, Field, Float64Type, Int32Type, Int64Type, Schema, UInt8Type,
    UInt32Type,
};
use arrow::error::ArrowError;
use care_domain::column::{Column, Shared, Values};
use care_domain::field::{FieldType, Wire};
use care_domain::key::CustomerKey;
use std::collections::HashMap;
use std::sync::Arc;

/// A field of a snapshot as it is written: its type, and for a category its values.
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) ty: FieldType,
    /// In alphabetical order.
    pub(crate) categories: Vec<String>,
    /// From the spool's codes to places in `categories`.
    pub(crate) place: Vec<u32>,
}

impl ColumnPlan {
    fn field(&self) -> Field {
        let ty = match self.ty.wire() {
            Wire::S64 => DataType::Int64,
            Wire::S32 => DataType::Int32,
            Wire::F64 => DataType::Float64,
            Wire::Boolean => DataType::UInt8,
            Wire::Codes => DataType::UInt32,
            Wire::Texts => DataType::Utf8,
        };
        let field = Field::new(&self.name, ty, true);
        if self.ty.wire() != Wire::Codes {
            return field;
        }
        let categories = serde_json::Value::from(self.categories.clone()).to_string();
        field.with_metadata(HashMap::from([(CATEGORIES.to_owned(), categories)]))
    }

    fn filler(&self) -> Filler {
        match self.ty.wire() {
            Wire::S64 => Filler::S64(Vec::new()),
            Wire::S32 => Filler::S32(Vec::new()),
            Wire::F64 => Filler::F64(Vec::new()),
            Wire::Boolean => Filler::Boolean(Vec::new()),
            Wire::Codes => Filler::Codes(Vec::new()),
            Wire::Texts => Filler::Texts { ends: vec![0], bytes: Vec::new() },
        }
    }
}

/// A column that grows row by row.
enum Filler {
    S64(Vec<i64>),
    S32(Vec<i32>),
    F64(Vec<f64>),
    Boolean(Vec<u8>),
    Codes(Vec<u32>),
    Texts { ends: Vec<i32>, bytes: Vec<u8> },
}

impl Filler {
    /// Adds the value at the head of a payload and returns the rest. Values were checked when they were spooled,
    /// so that every cast fits.
    fn push<'a>(&mut self, payload: &'a [u8], plan: &ColumnPlan) -> (&'a [u8], bool) {
        let (present, rest) = (payload[0] == 1, &payload[1..]);
        if let Self::Texts { ends, bytes } = self {
            let rest = if present {
                let length = u32::from_le_bytes(fixed(rest, 0)) as usize;
                bytes.extend_from_slice(&rest[4..4 + length]);
                &rest[4 + length..]
            } else {
                rest
            };
            ends.push(bytes.len() as i32);
            return (rest, present);
        }
        // Eight zero bytes are the zero of every type.
        let raw = if present { fixed(rest, 0) } else { [0; 8] };
        let whole = i64::from_le_bytes(raw);
        match self {
            Self::S64(values) => values.push(whole),
            Self::S32(values) => values.push(whole as i32),
            Self::F64(values) => values.push(f64::from_le_bytes(raw)),
            Self::Boolean(values) => values.push(whole as u8),
            Self::Codes(values) if present => values.push(plan.place[whole as usize]),
            Self::Codes(values) => values.push(0),
            Self::Texts { .. } => {}
        }
        (if present { &rest[8..] } else { rest }, present)
    }

    fn array(self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        fn numbers<T: ArrowPrimitiveType>(
            values: Vec<T::Native>,
            nulls: Option<NullBuffer>,
        ) -> Result<ArrayRef, ArrowError> {
            Ok(Arc::new(PrimitiveArray::<T>::try_new(values.into(), nulls)?))
        }
        match self {
            Self::S64(values) => numbers::<Int64Type>(values, nulls),
            Self::S32(values) => numbers::<Int32Type>(values, nulls),
            Self::F64(values) => numbers::<Float64Type>(values, nulls),
            Self::Boolean(values) => numbers::<UInt8Type>(values, nulls),
            Self::Codes(values) => numbers::<UInt32Type>(values, nulls),
            Self::Texts { ends, bytes } => {
                let offsets = OffsetBuffer::new(ends.into());
                Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?))
            }
        }
    }
}

/// Turns spooled rows into the columns of a bucket. Each row is its key and its payload, whose rest (the identity)
/// is handed to `identity`.
pub(crate) fn build<'a, E: From<ArrowError>>(
    plans: &[ColumnPlan],
    rows: impl Iterator<Item = (CustomerKey, &'a [u8])>,
    mut identity: impl FnMut(&'a [u8]) -> Result<(), E>,
) -> Result<RecordBatch, E> {
    let mut keys: Vec<u8> = Vec::new();
    let mut fillers: Vec<(Filler, Vec<bool>)> = plans.iter().map(|p| (p.filler(), Vec::new())).collect();
    for (key, payload) in rows {
        keys.extend_from_slice(&key.0);
        let mut rest = payload;
        for ((filler, gaps), plan) in fillers.iter_mut().zip(plans) {
            let present;
            (rest, present) = filler.push(rest, plan);
            gaps.push(present);
        }
        identity(rest)?;
    }
    Ok(batch(plans, keys, fillers)?)
}

fn batch(plans: &[ColumnPlan], keys: Vec<u8>, fillers: Vec<(Filler, Vec<bool>)>) -> Result<RecordBatch, ArrowError> {
    let mut fields = vec![Field::new(KEY_COLUMN, DataType::FixedSizeBinary(16), false)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(keys), None)?)];
    for (plan, (filler, present)) in plans.iter().zip(fillers) {
        fields.push(plan.field());
        let gaps = present.contains(&false).then(|| NullBuffer::from(present));
        arrays.push(filler.array(gaps)?);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// A column of a bucket as the domain's, without a copy. `None` for an array of a type that no snapshot holds.
pub(crate) fn column(field: &Field, array: &ArrayRef) -> Option<Column> {
    let values = match array.data_type() {
        DataType::Int64 => Values::S64(shared(array.as_primitive::<Int64Type>().values().clone())),
        DataType::Int32 => Values::S32(shared(array.as_primitive::<Int32Type>().values().clone())),
        DataType::Float64 => Values::F64(shared(array.as_primitive::<Float64Type>().values().clone())),
        DataType::UInt8 => Values::Boolean(shared(array.as_primitive::<UInt8Type>().values().clone())),
        DataType::UInt32 => {
            let categories: Vec<String> = serde_json::from_str(field.metadata().get(CATEGORIES)?).ok()?;
            let codes = shared(array.as_primitive::<UInt32Type>().values().clone());
            Values::Codes { codes, categories: categories.into() }
        }
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            // Arrow's offsets are signed but never negative: the same bits are the contract's unsigned ones.
            let offsets = texts.offsets().inner().inner().clone();
            let bytes = texts.values().clone();
            let length = bytes.len();
            Values::Texts {
                offsets: shared(ScalarBuffer::<u32>::new(offsets, 0, texts.len() + 1)),
                bytes: shared(ScalarBuffer::<u8>::new(bytes, 0, length)),
            }
        }
        _ => return None,
    };
    let present = array.nulls().filter(|n| n.null_count() > 0).map(|nulls| gaps(nulls, array.len()));
    Some(Column { values, present })
}

fn gaps(nulls: &NullBuffer, rows: usize) -> Shared<u8> {
    let bits = nulls.inner();
    if bits.offset() != 0 {
        return care_domain::column::bits(bits.iter());
    }
    shared(ScalarBuffer::<u8>::new(bits.inner().clone(), 0, rows.div_ceil(8)))
}

fn shared<T: ArrowNativeType + Send + Sync>(values: ScalarBuffer<T>) -> Shared<T> {
    Shared::new(Arc::new(values))
}
