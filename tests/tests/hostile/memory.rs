//! What this process takes of the machine's memory.

use std::io::Write;

/// The largest resident memory so far and what is resident now, in megabytes.
pub(crate) struct Resident {
    pub(crate) peak: u64,
    pub(crate) now: u64,
}

impl Resident {
    pub(crate) fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
            line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse::<u64>().expect("kilobytes") / 1_000
        };
        Self { peak: megabytes("VmHWM"), now: megabytes("VmRSS") }
    }
}

/// Says something that is meant to be read although the test passes, which the test harness would swallow.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error");
}
