//! Progress bars on standard error, where it is a terminal and a person reads it.

use crate::args::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `total` of something; hidden for programs.
pub(crate) fn bar(args: &Args, total: Option<u64>, what: &'static str) -> ProgressBar {
    if args.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let form =
        if total.is_some() { "{msg} {wide_bar} {human_pos}/{human_len} {eta}" } else { "{msg} {human_pos} {spinner}" };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
