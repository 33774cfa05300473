//! Work that people do from a list: calls by agents, requests to departments. What may come of it, when calls may be
//! made, how many a calling window holds, and how lists are written so that a spreadsheet reads them.

use crate::contact::{Addressee, Channel, ContactState};
use crate::person::Role;
use crate::policy::{Class, Policy};
use crate::time;
use serde::{Deserialize, Serialize};

/// What came of a call, or of a request to a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkResult {
    /// 安全: the person is safe (S1).
    Safe,
    /// 无法联系: nobody answered; another round may follow (S1: up to three).
    Unreachable,
    /// 可能失踪 (S1).
    PossiblyMissing,
    /// 已遇难 (S1).
    Deceased,
    /// The person was spoken with, about nothing of the above.
    Reached,
    /// The person wants no such calls.
    Refused,
    /// The number is not the person's.
    WrongNumber,
    /// The department did what it was asked.
    Done,
    /// The department declined.
    Declined,
}

impl WorkResult {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Safe,
        Self::Unreachable,
        Self::PossiblyMissing,
        Self::Deceased,
        Self::Reached,
        Self::Refused,
        Self::WrongNumber,
        Self::Done,
        Self::Declined,
    ];

    /// As written in lists, and as the kind of the outcome.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unreachable => "unreachable",
            Self::PossiblyMissing => "possibly-missing",
            Self::Deceased => "deceased",
            Self::Reached => "reached",
            Self::Refused => "refused",
            Self::WrongNumber => "wrong-number",
            Self::Done => "done",
            Self::Declined => "declined",
        }
    }

    /// What it is called in Chinese (S1 for a disaster's).
    pub fn title_zh(self) -> &'static str {
        match self {
            Self::Safe => "安全",
            Self::Unreachable => "无法联系",
            Self::PossiblyMissing => "可能失踪",
            Self::Deceased => "已遇难",
            Self::Reached => "已接通",
            Self::Refused => "拒绝",
            Self::WrongNumber => "错号",
            Self::Done => "已办理",
            Self::Declined => "未办理",
        }
    }

    /// The result of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.name() == name)
    }

    /// Whether it can come of work on this channel.
    pub fn fits(self, channel: Channel) -> bool {
        let of_department = matches!(self, Self::Done | Self::Declined);
        of_department == (channel == Channel::Action)
    }

    /// What becomes of the contact. A person who was not reached was tried: the contact is over, and the next plan may
    /// propose another round.
    pub fn state(self) -> ContactState {
        match self {
            Self::WrongNumber | Self::Declined => ContactState::Failed,
            _ => ContactState::Sent,
        }
    }
}

/// Where work stands that has no result: not released yet, waiting to be taken, in somebody's hand, given away by file, or
/// over without one.
const WITHOUT_RESULT: [&str; 11] = [
    "planned",
    "waiting",
    "handed-out",
    "sending",
    "sent",
    "unknown",
    "failed",
    "cancelled",
    "withdrawn",
    "expired",
    "lost",
];

/// Every name of where a piece of work may stand.
pub fn standing_names() -> impl Iterator<Item = &'static str> {
    WITHOUT_RESULT.into_iter().chain(WorkResult::ALL.map(WorkResult::name))
}

/// Whether a contact of a class may be called at an instant: not in the forbidden hours of the policy, which are meant in
/// the province's zone, unless its class is exempt.
pub fn may_call(policy: &Policy, class: Class, at: i64) -> bool {
    if !policy.rules(class).forbidden_call_hours {
        return true;
    }
    let local = time::zone(time::PROVINCE_ZONE).and_then(|zone| time::local(at, &zone));
    local.is_some_and(|(_, minute)| !policy.forbidden_call.iter().any(|hours| hours.contains(minute)))
}

/// Calls that a window holds: seats × hours × calls an hour, over the whole window.
pub fn capacity(seats: u32, calls_an_hour: u32, from: i64, to: i64) -> u64 {
    let ms = (to - from).max(0) as u64;
    u64::from(seats) * u64::from(calls_an_hour) * ms / 3_600_000
}

/// Whether somebody in a role works off what goes to an addressee on a channel: calls are the customer-service centre's,
/// a department's requests its own.
pub fn works_on(role: Role, channel: Channel, addressee: Addressee) -> bool {
    match channel {
        Channel::CallList => role == Role::CustomerService,
        Channel::Action => role.name() == addressee.name(),
        _ => false,
    }
}

/// A line of CSV as spreadsheets read it: cells in quotes where they need them, lines ended by CR LF, and nothing that a
/// spreadsheet would take for a formula.
pub fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cell = |text: &str| {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!("'{text}") } else { text.to_owned() };
        if text.contains(['"', ',', '\n', '\r', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    cells.into_iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

/// What a file must begin with for a spreadsheet to read it as UTF-8.
pub const CSV_MARK: &str = "\u{feff}";

/// Splits a line of CSV into its cells; `None` when a quote is never closed.
pub fn csv_cells(line: &str) -> Option<Vec<String>> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    (!quoted).then(|| cells.into_iter().map(|cell| cell.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nobody_is_called_at_noon_or_at_night_but_after_a_disaster() {
        let policy = Policy::default();
        let at = |time: &str| time::parse_instant(&format!("2026-07-29T{time}:00")).expect("an instant");
        for (time, may) in [
            ("07:59", false),
            ("08:00", true),
            ("11:59", true),
            ("12:00", false),
            ("13:59", false),
            ("14:00", true),
            ("21:59", true),
            ("22:00", false),
        ] {
            assert_eq!(may_call(&policy, Class::Care, at(time)), may, "{time}");
            assert!(may_call(&policy, Class::Disaster, at(time)), "{time}");
        }
    }

    #[test]
    fn a_window_holds_seats_times_hours() {
        assert_eq!(capacity(20, 12, 0, 9_000_000), 600);
        assert_eq!((capacity(20, 12, 5, 5), capacity(20, 12, 9, 5)), (0, 0));
    }

    #[test]
    fn results_fit_their_channel() {
        for result in WorkResult::ALL {
            assert_eq!(WorkResult::from_name(result.name()), Some(result));
            assert!(result.fits(Channel::CallList) != result.fits(Channel::Action));
        }
        assert!(works_on(Role::InformationSystems, Channel::Action, Addressee::InformationSystems));
        assert!(!works_on(Role::KeyAccounts, Channel::Action, Addressee::InformationSystems));
        assert!(!works_on(Role::InformationSystems, Channel::CallList, Addressee::Customer));
    }

    #[test]
    fn work_stands_under_one_name() {
        let mut names: Vec<&str> = standing_names().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        // How a contact ends without a result is called as in the ledger.
        for state in ["planned", "sending", "sent", "unknown", "failed", "cancelled", "withdrawn", "expired", "lost"] {
            assert!(names.contains(&state) && ContactState::from_name(state).is_some(), "{state}");
        }
    }

    #[test]
    fn a_spreadsheet_reads_a_line_and_runs_nothing_in_it() {
        let line = csv_line(["a", "b,c", "say \"hi\"", "=1+1", "+86", ""]);
        assert_eq!(line, "a,\"b,c\",\"say \"\"hi\"\"\",'=1+1,'+86,\r\n");
        assert_eq!(csv_cells("\"a"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(cells in prop::collection::vec("[a-z,\"; 字]{0,8}", 1..6)) {
            let line = csv_line(cells.iter().map(String::as_str));
            let trimmed: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
            prop_assert_eq!(csv_cells(line.trim_end_matches(['\r', '\n'])), Some(trimmed));
        }
    }
}
