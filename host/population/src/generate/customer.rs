//! What is known of a made-up customer: the fields hang together as those of real ones do.

use super::dice::Dice;
use super::places::{ABA, ELSEWHERE, HOMES};
use crate::snapshot::Cell;
use care_domain::field::FieldType;
use care_domain::time;

/// The fields that are made up, in alphabetical order as `Customer::cells` gives them.
pub(crate) const FIELDS: [(&str, FieldType); 48] = [
    ("arpu", FieldType::Fen),
    ("balance", FieldType::Fen),
    ("bill-change", FieldType::Ratio),
    ("bill-day", FieldType::Small),
    ("bill-m1", FieldType::Fen),
    ("bill-m2", FieldType::Fen),
    ("bill-m3", FieldType::Fen),
    ("bill-queries", FieldType::Count),
    ("bill-sensitivity", FieldType::Category),
    ("birth-calendar", FieldType::Category),
    ("birth-day", FieldType::Small),
    ("birth-month", FieldType::Small),
    ("brand", FieldType::Category),
    ("close-contacts", FieldType::Small),
    ("consent-commercial", FieldType::Boolean),
    ("data-mb-left", FieldType::Count),
    ("data-mb-m1", FieldType::Count),
    ("data-mb-m2", FieldType::Count),
    ("data-mb-m3", FieldType::Count),
    ("home-adcode", FieldType::Category),
    ("language", FieldType::Category),
    ("last-bill-query-on", FieldType::Date),
    ("last-top-up-on", FieldType::Date),
    ("life-stage", FieldType::Category),
    ("list-mark", FieldType::Category),
    ("long-distance-minutes", FieldType::Count),
    ("low-balance-since", FieldType::Date),
    ("minutes-left", FieldType::Count),
    ("open-complaint", FieldType::Boolean),
    ("package", FieldType::Category),
    ("paperless-bill", FieldType::Boolean),
    ("points", FieldType::Count),
    ("points-expire-on", FieldType::Date),
    ("points-expiring", FieldType::Count),
    ("points-redeemed-on", FieldType::Date),
    ("roaming-minutes", FieldType::Count),
    ("spend-d1", FieldType::Fen),
    ("spend-d2", FieldType::Fen),
    ("spend-d3", FieldType::Fen),
    ("stopped", FieldType::Boolean),
    ("tenure-months", FieldType::Small),
    ("tier", FieldType::Category),
    ("time-zone", FieldType::Category),
    ("uses-12593", FieldType::Boolean),
    ("visited-adcode", FieldType::Category),
    ("voice-minutes-m1", FieldType::Count),
    ("voice-minutes-m2", FieldType::Count),
    ("voice-minutes-m3", FieldType::Count),
];

/// One customer.
pub(crate) struct Customer {
    pub(crate) close_contacts: i64,
    plan: Contract,
    account: Account,
    points: Points,
    birthday: Option<(&'static str, i64, i64)>,
    bill: Bill,
    whereabouts: Whereabouts,
    usage: Usage,
    list_mark: &'static str,
    language: &'static str,
    consent_commercial: bool,
    open_complaint: bool,
}

struct Contract {
    brand: &'static str,
    tier: &'static str,
    life_stage: &'static str,
    tenure_months: i64,
    arpu: i64,
}

struct Account {
    spend: [Option<i64>; 3],
    balance: i64,
    low_since: Option<i64>,
    topped_up: i64,
    stopped: bool,
}

struct Points {
    held: i64,
    expiring: Option<(i64, i64)>,
    redeemed: Option<i64>,
}

struct Bill {
    sensitivity: &'static str,
    day: i64,
    change: Option<i64>,
    queried: Option<i64>,
    paperless: bool,
}

struct Usage {
    package: &'static str,
    voice: [i64; 3],
    data: [i64; 3],
    bill: [i64; 3],
    /// Minutes and megabytes of the package that are not used up yet.
    left: (i64, i64),
    roaming: i64,
    long_distance: i64,
    saves: bool,
    queries: i64,
}

struct Whereabouts {
    home: &'static str,
    visited: &'static str,
    time_zone: Option<&'static str>,
}

impl Customer {
    /// Draws customer `number` as of a business date. What was added later has dice of its own, `more`, so that
    /// everything else stays as it was.
    pub(crate) fn draw(number: u64, business_date: i32, dice: &mut Dice, more: &mut Dice) -> Self {
        let today = i64::from(business_date);
        let plan = Contract::draw(dice);
        Self {
            account: Account::draw(today, plan.arpu, dice),
            points: Points::draw(today, &plan, dice),
            birthday: birthday(number, business_date, dice),
            bill: Bill::draw(today, plan.brand, dice),
            whereabouts: Whereabouts::draw(number, dice),
            usage: Usage::draw(plan.arpu, more),
            list_mark: dice.weighted(&[("ordinary", 985), ("red", 10), ("black", 5)]).unwrap_or("ordinary"),
            language: if dice.permille(8) { "en" } else { "zh" },
            consent_commercial: dice.permille(600),
            open_complaint: dice.permille(10),
            close_contacts: dice.weighted(&[(0, 40), (1, 20), (2, 15), (3, 10), (4, 8), (5, 7)]).unwrap_or(0),
            plan,
        }
    }

    /// Its cells in the order of `FIELDS`.
    pub(crate) fn cells(&self) -> [Option<Cell<'static>>; FIELDS.len()] {
        let Self { plan, account, points, bill, whereabouts, birthday, usage, .. } = self;
        [
            whole(plan.arpu),
            whole(account.balance),
            bill.change.map(|thousandths| Cell::Ratio(thousandths as f64 / 1_000.0)),
            whole(bill.day),
            whole(usage.bill[0]),
            whole(usage.bill[1]),
            whole(usage.bill[2]),
            whole(usage.queries),
            text(bill.sensitivity),
            birthday.map(|(calendar, ..)| Cell::Text(calendar)),
            birthday.map(|(_, _, day)| Cell::Whole(day)),
            birthday.map(|(_, month, _)| Cell::Whole(month)),
            text(plan.brand),
            whole(self.close_contacts),
            yes(self.consent_commercial),
            whole(usage.left.1),
            whole(usage.data[0]),
            whole(usage.data[1]),
            whole(usage.data[2]),
            text(whereabouts.home),
            text(self.language),
            bill.queried.map(Cell::Whole),
            whole(account.topped_up),
            text(plan.life_stage),
            text(self.list_mark),
            whole(usage.long_distance),
            account.low_since.map(Cell::Whole),
            whole(usage.left.0),
            yes(self.open_complaint),
            text(usage.package),
            yes(bill.paperless),
            whole(points.held),
            points.expiring.map(|(_, on)| Cell::Whole(on)),
            points.expiring.map(|(expiring, _)| Cell::Whole(expiring)),
            points.redeemed.map(Cell::Whole),
            whole(usage.roaming),
            account.spend[0].map(Cell::Whole),
            account.spend[1].map(Cell::Whole),
            account.spend[2].map(Cell::Whole),
            yes(account.stopped),
            whole(plan.tenure_months),
            text(plan.tier),
            whereabouts.time_zone.map(Cell::Text),
            yes(usage.saves),
            text(whereabouts.visited),
            whole(usage.voice[0]),
            whole(usage.voice[1]),
            whole(usage.voice[2]),
        ]
    }
}

fn whole(value: i64) -> Option<Cell<'static>> {
    Some(Cell::Whole(value))
}

fn yes(value: bool) -> Option<Cell<'static>> {
    Some(Cell::Whole(i64::from(value)))
}

fn text(value: &'static str) -> Option<Cell<'static>> {
    Some(Cell::Text(value))
}

impl Contract {
    fn draw(dice: &mut Dice) -> Self {
        let brand = dice.weighted(&[("easyown", 550), ("m-zone", 250), ("gotone", 200)]).unwrap_or("easyown");
        let typical = match brand {
            "gotone" => 12_000,
            "m-zone" => 5_500,
            _ => 4_200,
        };
        // The product of two even draws has the long tail of revenues.
        let arpu = typical * dice.between(40, 180) * dice.between(50, 170) / 10_000;
        let tenure_months = dice.between(0, 240) * dice.between(10, 100) / 100;
        let tier = match (brand, arpu, tenure_months) {
            ("gotone", 24_000.., _) => "diamond",
            ("gotone", 17_000.., _) => "gold",
            ("gotone", 10_000.., _) => "silver",
            ("gotone", ..) | (_, 10_000.., _) => "standard",
            (_, _, 120..) => "ten-year",
            _ => "none",
        };
        let life_stage = match tenure_months {
            0..6 => "acquisition",
            12.. if dice.permille(90) => "decline",
            24.. if arpu >= 5_000 => "maturity",
            _ => "growth",
        };
        Self { brand, tier, life_stage, tenure_months, arpu }
    }
}

impl Account {
    fn draw(today: i64, arpu: i64, dice: &mut Dice) -> Self {
        let recorded = if dice.permille(30) { dice.between(0, 2) } else { 3 };
        let idle = dice.permille(20);
        let spend = [0, 1, 2].map(|day| {
            let spent = if idle || dice.permille(60) { 0 } else { arpu * dice.between(20, 180) / 3_000 };
            (day < recorded).then_some(spent)
        });
        let line: i64 = spend.iter().flatten().sum();
        let low = recorded == 3 && line > 0 && dice.permille(53);
        let topped_up = today - dice.between(1, 60);
        if !low {
            let balance = line + 1 + arpu * dice.between(10, 220) / 100;
            return Self { spend, balance, low_since: None, topped_up, stopped: false };
        }
        let since = dice.between(0, 10);
        let balance = line * dice.between(-25, 100) / 100;
        let stopped = balance < 0 && since > 2 && dice.permille(700);
        Self { spend, balance, low_since: Some(today - since), topped_up: topped_up - since, stopped }
    }
}

impl Points {
    fn draw(today: i64, plan: &Contract, dice: &mut Dice) -> Self {
        let rate = if plan.brand == "gotone" { 100 } else { 40 };
        let held = plan.arpu / 100 * plan.tenure_months.min(36) * dice.between(0, rate) / 100;
        let days = match dice.between(0, 99) {
            0..15 => dice.one_of(&[7, 30, 60]),
            15..60 => Some(dice.between(1, 300)),
            _ => None,
        };
        let expiring = days.filter(|_| held > 0).map(|days| (held * dice.between(10, 100) / 100, today + days));
        let redeemed = dice.permille(100).then(|| today - dice.between(0, 180));
        Self { held, expiring, redeemed }
    }
}

impl Bill {
    fn draw(today: i64, brand: &str, dice: &mut Dice) -> Self {
        // 动感地带 has most of the bill-sensitive (S1).
        let weights = match brand {
            "m-zone" => [10, 25, 30, 35],
            "easyown" => [35, 25, 25, 15],
            _ => [35, 37, 20, 8],
        };
        let levels = ["initial", "low", "medium", "high"];
        let choices = [0, 1, 2, 3].map(|level| (levels[level], weights[level]));
        let change = match dice.between(0, 99) {
            0..10 => None,
            10..15 => Some(dice.between(500, 2_500)),
            _ => Some(dice.between(-350, 350)),
        };
        let queried = match dice.between(0, 99) {
            0..2 => Some(today - dice.between(0, 1)),
            2..20 => Some(today - dice.between(2, 90)),
            _ => None,
        };
        Self {
            sensitivity: dice.weighted(&choices).unwrap_or("initial"),
            day: dice.one_of(&[1, 5, 10, 15, 20, 25, 28]).unwrap_or(1),
            change,
            queried,
            paperless: dice.permille(350),
        }
    }
}

/// Packages on sale, as `examples/packages.csv` has them: name, minutes, megabytes.
const PACKAGES: [(&str, i64, i64); 5] = [
    ("basic-18", 60, 200),
    ("talk-58", 350, 300),
    ("surf-58", 80, 2_000),
    ("all-88", 500, 3_000),
    ("all-158", 1_200, 10_000),
];

impl Usage {
    fn draw(arpu: i64, dice: &mut Dice) -> Self {
        let fits = match arpu {
            ..3_500 => 0,
            3_500..7_000 => 1 + usize::from(dice.permille(500)),
            7_000..13_000 => 3,
            _ => 4,
        };
        // One in four is on a package that never fitted, or does not any more.
        let chosen = if dice.permille(250) { dice.between(0, 4) as usize } else { fits };
        let (package, minutes, megabytes) = PACKAGES[chosen];
        let (_, talks, surfs) = PACKAGES[fits];
        let month = |dice: &mut Dice, typical: i64| [0, 1, 2].map(|_| typical * dice.between(50, 140) / 100);
        let (voice, data) = (month(dice, talks), month(dice, surfs));
        let bill = [0, 1, 2].map(|_| arpu * dice.between(80, 120) / 100);
        let spent = dice.between(70, 105);
        let left = ((minutes - voice[0] * spent / 100).max(0), (megabytes - data[0] * spent / 100).max(0));
        let roams = dice.permille(180);
        let roaming = if roams { dice.between(1, 60) } else { 0 };
        Self {
            package,
            voice,
            data,
            bill,
            left,
            roaming,
            long_distance: if dice.permille(400) { dice.between(1, 200) } else { 0 },
            saves: dice.permille(120),
            queries: dice.weighted(&[(0, 70), (1, 15), (2, 8), (4, 5), (9, 2)]).unwrap_or(0),
        }
    }
}

impl Whereabouts {
    fn draw(number: u64, dice: &mut Dice) -> Self {
        let home = dice.weighted(&HOMES).unwrap_or("350100");
        let visited = match dice.between(0, 999) {
            // Every small population has somebody there, for the disaster activity to look after.
            _ if number % 1_000 == 17 => Some("513221"),
            0..930 => Some(home),
            930..980 => dice.weighted(&HOMES),
            980..983 => dice.one_of(&ABA),
            _ => dice.weighted(&ELSEWHERE),
        };
        let time_zone =
            if dice.permille(3) { dice.one_of(&["Asia/Urumqi", "Asia/Tokyo", "Europe/London"]) } else { None };
        Self { home, visited: visited.unwrap_or(home), time_zone }
    }
}

/// Calendar, month and day; one in ten is not on record.
fn birthday(number: u64, business_date: i32, dice: &mut Dice) -> Option<(&'static str, i64, i64)> {
    let drawn = match dice.between(0, 99) {
        0..10 => None,
        10..24 => Some(("lunar", dice.between(1, 12), dice.between(1, 29))),
        _ => {
            // Days of a leap year, so that 29 February occurs.
            let day = time::days_of(jiff::civil::date(2000, 1, 1)) + dice.between(0, 365) as i32;
            solar(day)
        }
    };
    // Every small population has somebody whose birthday it is.
    if number % 1_000 == 11 { solar(business_date) } else { drawn }
}

fn solar(day: i32) -> Option<(&'static str, i64, i64)> {
    time::date_of(day).map(|date| ("solar", i64::from(date.month()), i64::from(date.day())))
}
