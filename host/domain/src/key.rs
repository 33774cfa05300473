//! Customer keys: pseudonyms that say nothing about the customer and are spread evenly.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A pseudonymous customer key: 16 bytes of a keyed hash of the operator's own customer id.
/// Sorting by key is sorting by hash, so a bucket is a contiguous range of keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerKey(pub [u8; 16]);

/// A bucket of a population cut into `2^bits` parts by the leading bits of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bucket {
    /// log2 of the number of buckets, at most 16.
    pub bits: u8,
    /// 0 .. 2^bits.
    pub index: u32,
}

impl CustomerKey {
    /// The first 64 bits, big-endian: the order of keys.
    pub fn prefix(self) -> u64 {
        let mut head = [0u8; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(head)
    }

    /// The bucket it falls into.
    pub fn bucket(self, bits: u8) -> Bucket {
        let index = if bits == 0 { 0 } else { (self.prefix() >> (64 - u32::from(bits))) as u32 };
        Bucket { bits, index }
    }
}

impl Bucket {
    /// All buckets of a population.
    pub fn all(bits: u8) -> impl Iterator<Item = Self> {
        (0..1u32 << bits).map(move |index| Self { bits, index })
    }

    /// The least and greatest key it can hold, both inclusive.
    pub fn bounds(self) -> (CustomerKey, CustomerKey) {
        let shift = 64 - u32::from(self.bits);
        let (low, high) = if self.bits == 0 {
            (0, u64::MAX)
        } else {
            let low = u64::from(self.index) << shift;
            (low, low | (u64::MAX >> self.bits))
        };
        let mut first = [0u8; 16];
        let mut last = [0xff; 16];
        first[..8].copy_from_slice(&low.to_be_bytes());
        last[..8].copy_from_slice(&high.to_be_bytes());
        (CustomerKey(first), CustomerKey(last))
    }
}

impl fmt::Display for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no customer key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a customer key is 32 hexadecimal digits")]
pub struct NotAKey;

impl FromStr for CustomerKey {
    type Err = NotAKey;
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut bytes = [0u8; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotAKey)?;
        Ok(Self(bytes))
    }
}

impl Serialize for CustomerKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CustomerKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_all_keys_without_overlap() {
        for bits in [0u8, 1, 3, 8] {
            let mut next = Some(0u64);
            for bucket in Bucket::all(bits) {
                let (low, high) = bucket.bounds();
                assert_eq!(Some(low.prefix()), next);
                assert_eq!((low.bucket(bits), high.bucket(bits)), (bucket, bucket));
                next = high.prefix().checked_add(1);
            }
            assert_eq!(next, None);
        }
    }
}
