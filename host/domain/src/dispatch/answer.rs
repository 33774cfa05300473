//! What a gateway said, and what follows for the contact.

use super::breaker::backoff;
use crate::contact::ContactState;

/// What came of handing a message to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took the message; receipts come under these ids, one a segment. Empty where there are no receipts.
    Accepted {
        /// The gateway's ids.
        ids: Vec<String>,
    },
    /// It will never take this message.
    Refused {
        /// Its reason, without a number or a name.
        why: String,
    },
    /// It asks for a slower pace and took nothing.
    Throttled {
        /// Its reason.
        why: String,
    },
    /// It took nothing, for a reason that may pass.
    Busy {
        /// Its reason.
        why: String,
    },
    /// The message surely never reached it.
    Unreached {
        /// Why.
        why: String,
    },
    /// The message, or a part of it, was handed over, and nobody can tell what became of it.
    Lost {
        /// How the answer was lost.
        why: String,
    },
}

impl Answer {
    /// As counted and stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::Throttled { .. } => "throttled",
            Self::Busy { .. } => "busy",
            Self::Unreached { .. } => "unreached",
            Self::Lost { .. } => "lost",
        }
    }

    /// The reason; empty where the message was accepted.
    pub fn why(&self) -> &str {
        match self {
            Self::Accepted { .. } => "",
            Self::Refused { why }
            | Self::Throttled { why }
            | Self::Busy { why }
            | Self::Unreached { why }
            | Self::Lost { why } => why,
        }
    }

    /// Whether it speaks against the gateway rather than against the message.
    pub fn blames_gateway(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unreached { .. } | Self::Lost { .. })
    }
}

/// What follows for the contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It ends here.
    Settle {
        /// `sent`, `failed` or `unknown`.
        state: ContactState,
        /// Whether somebody may replay it: it was given up, not refused.
        dead: bool,
        /// For people.
        note: String,
    },
    /// It waits and goes out again.
    Again {
        /// Not before this instant.
        at: i64,
        /// For people.
        note: String,
    },
}

/// How often and how patiently a gateway is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after which a contact is a dead letter. Attempts that never reached the gateway, and those it asked
    /// to slow down, do not count: a contact that waits for its gateway ends with its not-after.
    pub attempts: u32,
    /// Wait after the first failed attempt, in milliseconds; it doubles with each.
    pub base_ms: i64,
    /// The longest wait.
    pub most_ms: i64,
    /// Whether the gateway takes the same key once only, so that a message without an answer may go out again.
    pub deduplicates: bool,
}

impl Retry {
    /// What follows from an answer to attempt `attempt` (from 1) at `now`. `jitter` is any number, fixed for the attempt.
    pub fn next(self, answer: &Answer, attempt: u32, now: i64, jitter: u64) -> Next {
        let settle = |state, dead, note: &str| Next::Settle { state, dead, note: note.to_owned() };
        let later = |note: &str| Next::Again {
            at: now + backoff(self.base_ms, self.most_ms, attempt, jitter),
            note: note.to_owned(),
        };
        match answer {
            Answer::Accepted { .. } => settle(ContactState::Sent, false, ""),
            Answer::Refused { why } => settle(ContactState::Failed, false, why),
            Answer::Lost { why } if !self.deduplicates => settle(ContactState::Unknown, false, why),
            Answer::Throttled { why } | Answer::Unreached { why } => later(why),
            Answer::Busy { why } | Answer::Lost { why } if attempt < self.attempts => later(why),
            Answer::Busy { why } => settle(ContactState::Failed, true, &given_up(attempt, why)),
            // It may have arrived, so it counts; under the same key it may be tried again all the same.
            Answer::Lost { why } => settle(ContactState::Unknown, true, &given_up(attempt, why)),
        }
    }
}

fn given_up(attempt: u32, why: &str) -> String {
    format!("given up after {attempt} attempts: {why}")
}

/// What the status of a `submit_sm_resp` means (SMPP 3.4, 5.1.3). Codes that nobody knows are refusals: trying such a
/// message for ever would help nobody.
pub fn smpp_status(status: u32) -> Answer {
    let why = format!("SMPP status 0x{status:08X}");
    match status {
        0 => Answer::Accepted { ids: Vec::new() },
        // Message queue full, throttling error.
        0x14 | 0x58 => Answer::Throttled { why },
        // Incorrect bind status, already bound: the session is no good, the message was not looked at.
        0x04 | 0x05 => Answer::Unreached { why },
        // System error, submit failed, receiver temporary application error, delivery failure, unknown error.
        0x08 | 0x45 | 0x64 | 0xFE | 0xFF => Answer::Busy { why },
        _ => Answer::Refused { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMPP: Retry = Retry { attempts: 3, base_ms: 1_000, most_ms: 60_000, deduplicates: false };

    fn answers() -> [Answer; 6] {
        let why = || "x".to_owned();
        [
            Answer::Accepted { ids: vec!["1".into()] },
            Answer::Refused { why: why() },
            Answer::Throttled { why: why() },
            Answer::Busy { why: why() },
            Answer::Unreached { why: why() },
            Answer::Lost { why: why() },
        ]
    }

    fn told(retry: Retry, attempt: u32) -> Vec<String> {
        let one = |answer: &Answer| match retry.next(answer, attempt, 0, 0) {
            Next::Settle { state, dead, .. } => format!("{}{}", state.name(), if dead { " dead" } else { "" }),
            Next::Again { .. } => "again".to_owned(),
        };
        answers().iter().map(one).collect()
    }

    #[test]
    fn every_answer_moves_a_contact_in_one_way() {
        assert_eq!(told(SMPP, 1), ["sent", "failed", "again", "again", "again", "unknown"]);
        assert_eq!(told(SMPP, 3), ["sent", "failed", "again", "failed dead", "again", "unknown"]);
        let webhook = Retry { deduplicates: true, ..SMPP };
        assert_eq!(told(webhook, 1), ["sent", "failed", "again", "again", "again", "again"]);
        assert_eq!(told(webhook, 3), ["sent", "failed", "again", "failed dead", "again", "unknown dead"]);
    }

    #[test]
    fn a_message_without_an_answer_never_goes_out_again_where_the_gateway_would_send_it_twice() {
        for attempt in 1..100 {
            for answer in answers() {
                let next = SMPP.next(&answer, attempt, 0, 0);
                let again = matches!(next, Next::Again { .. });
                assert!(!(again && matches!(answer, Answer::Lost { .. } | Answer::Accepted { .. })), "{answer:?}");
            }
        }
    }

    #[test]
    fn statuses_are_told_apart() {
        for (status, name) in [
            (0x00, "accepted"),
            (0x58, "throttled"),
            (0x14, "throttled"),
            (0x08, "busy"),
            (0x45, "busy"),
            (0x04, "unreached"),
            (0x0A, "refused"),
            (0x0B, "refused"),
            (0x01, "refused"),
            (0x0499, "refused"),
        ] {
            assert_eq!(smpp_status(status).name(), name, "{status:#x}");
        }
    }
}
