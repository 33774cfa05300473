//! Who a customer is: what the identity store holds, apart from snapshots and never within reach of a guest.

use crate::key::CustomerKey;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who a customer is. Texts are empty where the source says nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The pseudonym.
    pub key: CustomerKey,
    /// The operator's own customer id.
    pub external_id: String,
    /// What a message calls the customer by.
    pub surname: String,
    /// Whole name.
    pub name: String,
    /// Mobile number.
    pub msisdn: String,
    /// E-mail address.
    pub email: String,
    /// The people closest to the customer (亲友), closest first.
    pub close_contacts: Vec<CloseContact>,
}

/// Somebody to ask when a customer cannot be reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseContact {
    /// Whole name; empty when unknown.
    pub name: String,
    /// Mobile number.
    pub msisdn: String,
}

// Debug output ends in logs: it names the pseudonym only.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.key)
    }
}

impl fmt::Debug for CloseContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloseContact")
    }
}
