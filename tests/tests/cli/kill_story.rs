//! Nothing is sent twice and nothing is lost: `kill -9` of the real program, then the same command again. `make
//! crash-loop N=200` does the same for longer.

use crate::crash_loop::{CrashLoop, Outcome};

#[tokio::test]
async fn plans_and_their_dispatch_killed_again_and_again_end_as_if_undisturbed() {
    let kills = 12;
    // Enough for two buckets.
    let crashes = CrashLoop { kills, seed: 20_260_729, customers: 100_000 };
    let outcome = crashes.run(&|line| println!("{line}")).await;
    let rounds = outcome.rounds;
    assert!(outcome.is_sound(), "{outcome:?}");
    assert_eq!(outcome, Outcome { kills, rounds, ..Outcome::default() });
}
