//! What pages are made of: facts, tables, charts, forms. A table is shown and leaves as CSV from the same cells; a chart
//! stands beside the table of its figures.

use super::form::Form;
use care_domain::desk::{CSV_MARK, csv_line};

/// A part of a page.
pub(super) enum Block {
    /// A heading between parts.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Something that must not be overlooked.
    Warning(String),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// Messages as their readers see them: where, and the text.
    Messages(Vec<(String, String)>),
    /// Where else to look: what is called so, and its address.
    Links(Vec<(String, String)>),
    Table(Table),
    Bars(Bars),
    Intervals(Intervals),
    Progress(Progress),
    Form(Box<Form>),
    /// A word by which the page is asked again.
    Search {
        label: String,
        value: String,
        submit: String,
    },
    /// One of several words by which it is.
    Filter {
        label: String,
        value: String,
        choices: Vec<(String, String)>,
        submit: String,
    },
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<Form> for Block {
    fn from(form: Form) -> Self {
        Self::Form(Box::new(form))
    }
}

impl From<Bars> for Block {
    fn from(bars: Bars) -> Self {
        Self::Bars(bars)
    }
}

/// A cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Where it leads.
    pub(super) to: Option<String>,
    pub(super) is_figure: bool,
    /// It must not be overlooked.
    pub(super) is_loud: bool,
}

impl Cell {
    pub(super) fn link(text: impl Into<String>, to: impl Into<String>) -> Self {
        Self { text: text.into(), to: Some(to.into()), ..Self::default() }
    }

    /// A figure that is no whole number.
    pub(super) fn figure(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_figure: true, ..Self::default() }
    }

    pub(super) fn loud(mut self, is_loud: bool) -> Self {
        self.is_loud = is_loud;
        self
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::figure(figure(number))
    }
}

/// A number as people read it: `1,204`.
pub(super) fn figure(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// A share as people read it: `12.3 %`.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// A table.
pub(super) struct Table {
    /// Names it in addresses: `?csv=ID`.
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Where its next page is.
    pub(super) next: Option<String>,
    /// It stands in an answer that is given once, so that no address leads to it as CSV.
    pub(super) once: bool,
}

impl Table {
    pub(super) fn new<const N: usize>(id: &'static str, title: impl Into<String>, columns: [&str; N]) -> Self {
        let columns = columns.map(str::to_owned).to_vec();
        Self { id, title: title.into(), columns, rows: Vec::new(), next: None, once: false }
    }

    /// Of an answer that is given once.
    pub(super) fn shown_once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The names of its columns, and whether figures stand below.
    pub(super) fn heads(&self) -> Vec<(&str, bool)> {
        let figures = |place| self.rows.iter().any(|row| row.get(place).is_some_and(|cell: &Cell| cell.is_figure));
        self.columns.iter().enumerate().map(|(place, name)| (name.as_str(), figures(place))).collect()
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.to_vec());
    }

    /// As a spreadsheet reads it: figures without their separators.
    pub(super) fn csv(&self) -> String {
        let mut csv = CSV_MARK.to_owned() + &csv_line(self.columns.iter().map(String::as_str));
        for row in &self.rows {
            let plain = |cell: &Cell| if cell.is_figure { cell.text.replace(',', "") } else { cell.text.clone() };
            let cells: Vec<String> = row.iter().map(plain).collect();
            csv += &csv_line(cells.iter().map(String::as_str));
        }
        csv
    }
}

/// A page of what was made one after the other, the newest first, and where the next page is. A cursor counts from the
/// oldest, so that what is made meanwhile moves nothing.
pub(super) fn newest_first<T>(
    all: &[T],
    after: Option<i64>,
    size: usize,
) -> (impl Iterator<Item = &T>, Option<String>) {
    let end = after.and_then(|after| usize::try_from(after).ok()).unwrap_or(all.len()).min(all.len());
    let start = end.saturating_sub(size);
    let next = (start > 0).then(|| format!("?after={start}"));
    (all[start..end].iter().rev(), next)
}

/// Bars beside each other, with their figures in a table.
pub(super) struct Bars {
    pub(super) title: String,
    pub(super) bars: Vec<Bar>,
}

/// A bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) told: String,
    /// Of a hundred.
    pub(super) width: u32,
    /// Where it stands, from above.
    pub(super) top: usize,
}

/// From one bar to the next, in the picture's units.
const STEP: usize = 28;

impl Bars {
    /// Of figures: the largest is a whole bar.
    pub(super) fn of(title: impl Into<String>, figures: &[(String, u64)]) -> Self {
        let largest = figures.iter().map(|(_, figure)| *figure).max().unwrap_or(0).max(1);
        let bar = |(place, (label, number)): (usize, &(String, u64))| Bar {
            label: label.clone(),
            told: figure(*number),
            width: (number * 100 / largest) as u32,
            top: place * STEP,
        };
        Self { title: title.into(), bars: figures.iter().enumerate().map(bar).collect() }
    }

    pub(super) fn height(&self) -> usize {
        self.bars.len() * STEP
    }
}

/// How far something is that goes on.
pub(super) struct Progress {
    pub(super) title: String,
    pub(super) done: u64,
    pub(super) of: u64,
    /// Where to follow it.
    pub(super) follow: String,
}

/// Differences with their intervals, beside a line where nothing differs.
pub(super) struct Intervals {
    pub(super) title: String,
    /// Where nothing differs, from the left.
    pub(super) zero: u32,
    pub(super) intervals: Vec<Interval>,
}

/// An interval.
pub(super) struct Interval {
    pub(super) label: String,
    pub(super) told: String,
    pub(super) left: u32,
    pub(super) width: u32,
    pub(super) middle: u32,
    pub(super) top: usize,
}

/// How wide the picture of intervals is, and where it begins, in its units.
const WIDE: f64 = 240.0;
const BEGINS: f64 = 110.0;

impl Intervals {
    /// Of differences by label, each with the ends of its interval. All are drawn to one measure, with nothing in it.
    pub(super) fn of(title: impl Into<String>, effects: &[(String, f64, [f64; 2])]) -> Self {
        let low = effects.iter().map(|(_, _, [low, _])| *low).fold(0.0, f64::min);
        let high = effects.iter().map(|(_, _, [_, high])| *high).fold(0.0, f64::max);
        let span = if high > low { high - low } else { 1.0 };
        let at = |value: f64| (BEGINS + (value - low) / span * WIDE).clamp(BEGINS, BEGINS + WIDE).round() as u32;
        let interval = |(place, (label, difference, [low, high])): (usize, &(String, f64, [f64; 2]))| Interval {
            label: label.clone(),
            told: format!("{difference:+.4} [{low:+.4}, {high:+.4}]"),
            left: at(*low),
            width: at(*high).saturating_sub(at(*low)).max(1),
            middle: at(*difference),
            top: place * STEP,
        };
        Self { title: title.into(), zero: at(0.0), intervals: effects.iter().enumerate().map(interval).collect() }
    }

    pub(super) fn height(&self) -> usize {
        self.intervals.len() * STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_easily_and_leave_plainly() {
        assert_eq!(["0", "999", "1,000", "1,234,567"].map(str::to_owned), [0, 999, 1_000, 1_234_567].map(figure));
        assert_eq!((share(1, 8), share(0, 0)), ("12.5 %".to_owned(), "–".to_owned()));
        let mut table = Table::new("t", "T", ["name", "n"]);
        table.row(["=1+1".into(), 1_204.into()]);
        assert_eq!(table.csv(), "\u{feff}name,n\r\n'=1+1,1204\r\n");
        assert_eq!(table.heads(), [("name", false), ("n", true)]);
    }

    #[test]
    fn pages_lead_from_the_newest_to_the_oldest_and_leave_nothing_out() {
        let all: Vec<u32> = (0..5).collect();
        let page = |after| {
            let (page, next) = newest_first(&all, after, 2);
            (page.copied().collect::<Vec<_>>(), next)
        };
        assert_eq!(page(None), (vec![4, 3], Some("?after=3".to_owned())));
        assert_eq!(page(Some(3)), (vec![2, 1], Some("?after=1".to_owned())));
        assert_eq!(page(Some(1)), (vec![0], None));
        assert_eq!((page(Some(99)), page(Some(-1)), page(Some(0)).0), (page(None), page(None), vec![]));
    }

    #[test]
    fn the_largest_figure_is_a_whole_bar() {
        let bars = Bars::of("", &[("a".to_owned(), 5), ("b".to_owned(), 20), ("c".to_owned(), 0)]);
        assert_eq!(bars.bars.iter().map(|bar| bar.width).collect::<Vec<_>>(), [25, 100, 0]);
        assert!(Bars::of("", &[("a".to_owned(), 0)]).bars[0].width == 0 && bars.height() == 84);
    }

    #[test]
    fn intervals_are_drawn_to_one_measure_around_nothing() {
        let effects = [("a".to_owned(), 0.1, [0.0, 0.2]), ("b".to_owned(), -0.1, [-0.2, 0.0])];
        let drawn = Intervals::of("", &effects);
        assert_eq!((drawn.zero, drawn.height()), (230, 56));
        let [a, b] = drawn.intervals.as_slice() else { panic!("two") };
        assert_eq!((a.left, a.width, a.middle), (230, 120, 290));
        assert_eq!((b.left, b.width, b.middle), (110, 120, 170));
        let flat = Intervals::of("", &[("a".to_owned(), 0.0, [0.0, 0.0])]);
        assert_eq!((flat.zero, flat.intervals[0].width), (110, 1), "nothing to divide by");
        let odd = Intervals::of("", &[("a".to_owned(), f64::NAN, [f64::NAN, f64::NAN])]);
        assert_eq!(odd.intervals[0].left, 0);
    }
}
