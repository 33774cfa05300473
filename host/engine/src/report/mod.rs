//! Reports: the daily report of an activity (S1: the disaster centre's daily report 日报) and the monthly service-quality
//! meeting. What a report says is put together here; `html` prints it.

mod daily;
mod html;
mod monthly;

use serde::Serialize;

/// A report, ready to be shown: as text, JSON or a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// `daily` or `monthly`.
    pub kind: &'static str,
    /// What it is about, in both languages.
    pub title: String,
    /// The time it speaks of.
    pub period: String,
    /// Its parts, in their order.
    pub sections: Vec<Section>,
}

/// A part of a report: a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// What it shows, in both languages.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    fn new(title: &str, columns: &[&str]) -> Self {
        Self { title: title.to_owned(), columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows: Vec::new() }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl Report {
    /// As a page that prints on A4: one file, no script, nothing fetched from anywhere.
    pub fn page(&self) -> String {
        html::page(self)
    }
}

/// A share as people read it.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
