//! What the stories share: a dictionary, a keyer, files.

use crate::PopulationError;
use crate::import::{ImportOptions, Imported, Mapping, import};
use crate::keyer::Keyer;
use care_domain::field::Dictionary;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) fn dictionary() -> Dictionary {
    toml::from_str(include_str!("../../../../examples/fields.toml")).expect("the dictionary")
}

pub(crate) fn keyer() -> Keyer {
    Keyer::new(b"a secret for tests only").expect("a keyer")
}

/// 29 July 2026.
pub(crate) fn business_date() -> i32 {
    care_domain::time::parse_date("2026-07-29").expect("a date")
}

/// A folder with a source in it and a place for snapshots.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) max_bad: Option<f64>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), max_bad: None }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("snapshots")
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    pub(crate) fn import(&self, source: &Path, mapping: &str) -> Result<Imported, PopulationError> {
        let mapping = Mapping::parse(mapping, &dictionary())?;
        let options = ImportOptions {
            source,
            source_name: "test",
            mapping: &mapping,
            keyer: &keyer(),
            out_root: &self.root(),
            business_date: business_date(),
            max_bad: self.max_bad,
        };
        import(&options, &mut |_| {})
    }

    /// Imports a CSV text.
    pub(crate) fn csv(&self, text: impl AsRef<[u8]>, mapping: &str) -> Result<Imported, PopulationError> {
        let path = self.file("customers.csv", text.as_ref());
        self.import(&path, mapping)
    }

    /// What lies where snapshots are kept, by name.
    pub(crate) fn kept(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.root()) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A mapping with a key column `id` and a balance in yuan.
pub(crate) const BALANCE: &str = r#"
format = "csv"
key = "id"
[fields.balance]
column = "balance"
unit = "yuan"
"#;
