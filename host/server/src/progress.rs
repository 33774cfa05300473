//! Progress on standard error: a bar with rate and time left on a terminal, a line now and then elsewhere, nothing for
//! programs that ask for JSON.

use crate::args::Args;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// After so long a silence a line says that it is still at work.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// How far something is.
pub(crate) struct Meter {
    bar: ProgressBar,
    /// What is said in lines, where there is no terminal.
    lines: Option<Arc<Mutex<Lines>>>,
}

struct Lines {
    told_at: Instant,
    told: u64,
}

/// A meter over `total` of something; hidden for programs.
pub(crate) fn bar(args: &Args, total: Option<u64>, what: &'static str) -> Meter {
    let on_terminal = std::io::stderr().is_terminal();
    let target = if args.json || !on_terminal { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(total, target);
    let form = if total.is_some() {
        "{msg} {wide_bar} {human_pos}/{human_len} {pace} {eta} left"
    } else {
        "{msg} {human_pos} {pace} {spinner}"
    };
    if let Ok(style) = ProgressStyle::with_template(form) {
        let pace = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
        };
        bar.set_style(style.with_key("pace", pace));
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_secs(1));
    let lines = (!args.json && !on_terminal).then(|| Arc::new(Mutex::new(Lines { told_at: now(), told: 0 })));
    if let Some(lines) = &lines {
        let (bar, lines) = (bar.clone(), Arc::downgrade(lines));
        std::thread::spawn(move || {
            while let Some(lines) = lines.upgrade() {
                tell(&bar, &lines, LONGEST_SILENCE);
                drop(lines);
                std::thread::sleep(Duration::from_secs(1));
            }
        });
    }
    Meter { bar, lines }
}

impl Meter {
    /// So many in all.
    pub(crate) fn set_length(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// So many more.
    pub(crate) fn inc(&self, more: u64) {
        self.bar.inc(more);
        self.tell();
    }

    /// So many by now.
    pub(crate) fn set_position(&self, by_now: u64) {
        self.bar.set_position(by_now);
        self.tell();
    }

    /// So many by now, by whomever: what is shown already does not shrink.
    pub(crate) fn at_least(&self, by_now: u64) {
        let shown = self.bar.position();
        if by_now <= shown {
            return;
        }
        self.bar.set_position(by_now);
        if shown == 0 {
            // What an earlier run did says nothing of the pace of this one.
            self.bar.reset_eta();
            self.restart(by_now);
        }
    }

    /// What it is about, from now on.
    pub(crate) fn say(&self, what: String) {
        self.bar.set_message(what);
        self.tell();
    }

    /// It is done.
    pub(crate) fn finish_and_clear(&self) {
        self.bar.finish_and_clear();
    }

    fn restart(&self, told: u64) {
        if let Some(lines) = &self.lines
            && let Ok(mut lines) = lines.lock()
        {
            *lines = Lines { told_at: now(), told };
        }
    }

    fn tell(&self) {
        if let Some(lines) = &self.lines {
            tell(&self.bar, lines, BETWEEN_LINES);
        }
    }
}

/// Says a line, if the last one was so long ago.
fn tell(bar: &ProgressBar, lines: &Mutex<Lines>, silence: Duration) {
    let Ok(mut lines) = lines.lock() else { return };
    let since = lines.told_at.elapsed();
    if since < silence || bar.is_finished() {
        return;
    }
    let by_now = bar.position();
    // It may begin again with something else.
    let pace = by_now.checked_sub(lines.told).unwrap_or(by_now) as f64 / since.as_secs_f64();
    *lines = Lines { told_at: now(), told: by_now };
    eprintln!("{}", line(&bar.message(), by_now, bar.length().filter(|total| *total > 0), pace));
}

fn line(what: &str, by_now: u64, total: Option<u64>, pace: f64) -> String {
    let mut line = format!("{what}: {}", HumanCount(by_now));
    if let Some(total) = total {
        line += &format!(" of {} ({:.1}%)", HumanCount(total), by_now as f64 * 100.0 / total as f64);
    }
    line += &format!(", {}/s", HumanCount(pace as u64));
    if let Some(total) = total.filter(|_| pace >= 1.0) {
        let left = Duration::from_secs_f64(total.saturating_sub(by_now) as f64 / pace);
        line += &format!(", {} left", HumanDuration(left));
    }
    line
}

#[allow(clippy::disallowed_methods, reason = "only what is shown depends on it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_of_what_at_which_pace_and_how_long_still() {
        assert_eq!(
            line("deciding", 2_500_000, Some(10_000_000), 150_000.4),
            "deciding: 2,500,000 of 10,000,000 (25.0%), 150,000/s, 50 seconds left"
        );
        assert_eq!(line("sending", 7, None, 0.0), "sending: 7, 0/s");
    }
}
