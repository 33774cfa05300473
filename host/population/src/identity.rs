//! Names, numbers and close contacts on their way from a source to the identity store. They are spooled to an
//! unnamed temporary file, which vanishes with its owner or with the process; no snapshot holds them.

use crate::error::PopulationError;
use care_domain::identity::Identity;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Identities of one batch, at most.
pub const IDENTITY_BATCH: usize = 5_000;

/// As it is spooled.
pub(crate) fn to_json(identity: &Identity) -> Result<Vec<u8>, PopulationError> {
    serde_json::to_vec(identity)
        .map_err(|e| PopulationError::io("encode an identity for", Path::new("the spool"))(e.into()))
}

const COMPOUND_SURNAMES: [&str; 12] =
    ["欧阳", "司马", "上官", "诸葛", "司徒", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "端木"];

/// The surname of a whole name: the first character or compound surname of a Chinese one, else the last word.
pub fn surname_of(name: &str) -> &str {
    let name = name.trim();
    let first = name.chars().next().map_or(0, char::len_utf8);
    if name.is_ascii() || first < 3 {
        return name.rsplit(' ').next().unwrap_or(name);
    }
    COMPOUND_SURNAMES.into_iter().find(|s| name.starts_with(s) && name.len() > s.len()).unwrap_or(&name[..first])
}

/// The identities of an import or a made-up population: an iterator over batches in the order of keys.
#[derive(Debug)]
pub struct Identities {
    file: BufReader<File>,
    folder: PathBuf,
    left: u64,
}

impl Identities {
    /// How many are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn read_one(&mut self) -> std::io::Result<Identity> {
        let mut length = [0u8; 4];
        self.file.read_exact(&mut length)?;
        let mut json = vec![0u8; u32::from_le_bytes(length) as usize];
        self.file.read_exact(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
    }
}

impl Iterator for Identities {
    type Item = Result<Vec<Identity>, PopulationError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let count = self.left.min(IDENTITY_BATCH as u64);
        let batch: std::io::Result<Vec<Identity>> = (0..count).map(|_| self.read_one()).collect();
        // After an error nothing more can be read from the spool.
        self.left = if batch.is_ok() { self.left - count } else { 0 };
        Some(batch.map_err(PopulationError::io("read the identity spool in", &self.folder)))
    }
}

/// Takes identities, already as JSON, one after the other.
pub(crate) struct IdentitySpool {
    file: BufWriter<File>,
    folder: PathBuf,
    count: u64,
}

impl IdentitySpool {
    pub(crate) fn new(folder: &Path) -> Result<Self, PopulationError> {
        let file = tempfile::tempfile_in(folder).map_err(PopulationError::io("create a spool in", folder))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), folder: folder.to_owned(), count: 0 })
    }

    pub(crate) fn push(&mut self, json: &[u8]) -> Result<(), PopulationError> {
        self.count += 1;
        // A JSON text came out of the row spool, which holds its length in 32 bits.
        self.file
            .write_all(&(json.len() as u32).to_le_bytes())
            .and_then(|()| self.file.write_all(json))
            .map_err(PopulationError::io("write the identity spool in", &self.folder))
    }

    pub(crate) fn finish(self) -> Result<Identities, PopulationError> {
        let Self { file, folder, count } = self;
        let rewound = file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|mut file| {
            file.rewind()?;
            Ok(file)
        });
        let file = rewound.map_err(PopulationError::io("rewind the identity spool in", &folder))?;
        Ok(Identities { file: BufReader::with_capacity(1 << 16, file), folder, left: count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::identity::CloseContact;
    use care_domain::key::CustomerKey;

    #[test]
    fn surnames_of_both_scripts() {
        for (name, surname) in [
            ("陈晓东", "陈"),
            ("欧阳娜", "欧阳"),
            ("欧阳", "欧"),
            ("Mary Ann Smith", "Smith"),
            ("Zoë", "Zoë"),
            ("", ""),
        ] {
            assert_eq!(surname_of(name), surname, "{name}");
        }
    }

    #[test]
    fn identities_come_back_in_batches_and_debug_output_tells_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = IdentitySpool::new(folder.path()).expect("a spool");
        let identity = Identity {
            key: CustomerKey([7; 16]),
            external_id: "C1".into(),
            surname: "陈".into(),
            name: "陈晓".into(),
            msisdn: "10000000001".into(),
            email: String::new(),
            close_contacts: vec![CloseContact { name: "林".into(), msisdn: "10100000001".into() }],
        };
        assert!(!format!("{identity:?}").contains("陈"));
        let json = serde_json::to_vec(&identity).expect("json");
        for _ in 0..IDENTITY_BATCH + 1 {
            spool.push(&json).expect("a push");
        }
        let batches: Vec<Vec<Identity>> = spool.finish().expect("identities").map(|b| b.expect("a batch")).collect();
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [IDENTITY_BATCH, 1]);
        assert_eq!(batches[1][0], identity);
        assert_eq!(std::fs::read_dir(folder.path()).expect("entries").count(), 0);
    }
}
