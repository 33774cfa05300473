//! Long work that nobody waits for at a desk: plans give way to touchpoints and events on the same cores.

use std::future::Future;
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How much nicer than what answers: it is put off at once where an answer is due, and keeps a tenth of a busy core.
const NICER: libc::c_int = 10;

/// The server's threads for such work.
static THREADS: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let not_made = |error: &std::io::Error| tracing::error!("plans run among what answers: {error}");
    let mut threads = Builder::new_multi_thread();
    threads.enable_all().thread_name("care-background").on_thread_start(give_way);
    threads.build().inspect_err(not_made).ok()
});

/// Makes this thread, and those that it begins from now on, give way.
#[allow(unsafe_code, reason = "the standard library has no call for it")]
pub(crate) fn give_way() {
    // SAFETY: the call takes a number and reads or writes no memory. If it is refused, the work goes on as before.
    unsafe { libc::nice(NICER) };
}

/// Does something on threads that give way.
pub(crate) fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match &*THREADS {
        Some(threads) => threads.spawn(work),
        None => tokio::spawn(work),
    }
}
