//! What dispatch decides: how a gateway's answer moves a contact, when to try again, when to leave a gateway alone, whose
//! turn it is, what a receipt and a reply say. Nothing here sends anything; the channels and the engine carry it out.

mod answer;
mod breaker;
mod fallback;
mod receipt;
mod recheck;
mod reply;
mod share;

pub use answer::{Answer, Next, Retry, smpp_status};
pub use breaker::{Breaker, TRIP_AFTER, backoff};
pub use fallback::{Standing, next_channel};
pub use receipt::{Delivery, MessageState, Receipt, delivery_of, newer};
pub use recheck::{Meanwhile, pointless};
pub use reply::{Meaning, REPLIED, Replies, refusal_outcomes};
pub use share::{Bucket, Line, allot, fair};
