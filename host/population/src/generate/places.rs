//! Where made-up customers live and roam.

/// Home cities with their population in units of 10,000 (census of 2020, rounded).
pub(crate) const HOMES: [(&str, i64); 9] = [
    ("350100", 829),
    ("350200", 516),
    ("350300", 321),
    ("350400", 249),
    ("350500", 878),
    ("350600", 505),
    ("350700", 268),
    ("350800", 272),
    ("350900", 315),
];

/// Prefecture and counties of Aba (阿坝) in Sichuan, where the earthquake of 2008 was; Wenchuan is 513221.
pub(crate) const ABA: [&str; 13] = [
    "513221", "513222", "513223", "513224", "513225", "513226", "513227", "513228", "513230", "513231", "513232",
    "513233", "513201",
];

/// Where people from Fujian travel.
pub(crate) const ELSEWHERE: [(&str, i64); 16] = [
    ("110105", 10),
    ("310115", 14),
    ("330100", 9),
    ("330300", 5),
    ("360100", 9),
    ("361100", 6),
    ("440100", 14),
    ("440300", 14),
    ("441300", 4),
    ("320100", 6),
    ("420100", 5),
    ("430100", 5),
    ("510100", 5),
    ("500103", 4),
    ("610100", 3),
    ("460200", 3),
];
