//! Control groups: who is held out of an activity, so that its effect can be measured.
//! A salted, versioned hash of the activity's origin and the customer: the same at every plan and event,
//! whatever the activity is called today.

use crate::canonical::hash64;
use crate::key::CustomerKey;

/// Parts in which shares are given.
pub const SHARE_WHOLE: u16 = 10_000;

/// Whether the customer belongs to the control group of an activity.
/// `origin` is the name under which the activity was first uploaded; `share` is in parts of 10,000.
pub fn is_control(salt: &str, origin: &str, customer: CustomerKey, share: u16) -> bool {
    let drawn = hash64(&[b"care-control-1", salt.as_bytes(), origin.as_bytes(), &customer.0]);
    drawn % u64::from(SHARE_WHOLE) < u64::from(share)
}

/// Whether the customer belongs to the global control group: held out of every activity that may have a control group,
/// so that the effect of all care together can be measured.
pub fn is_global_control(salt: &str, customer: CustomerKey, share: u16) -> bool {
    let drawn = hash64(&[b"care-global-control-1", salt.as_bytes(), &customer.0]);
    drawn % u64::from(SHARE_WHOLE) < u64::from(share)
}

/// Whether the customer belongs to the share to which an approval is confined (canary).
pub fn is_in_share(origin: &str, customer: CustomerKey, share: u16) -> bool {
    let drawn = hash64(&[b"care-canary-1", origin.as_bytes(), &customer.0]);
    drawn % u64::from(SHARE_WHOLE) < u64::from(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(i: u32) -> CustomerKey {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&i.to_be_bytes());
        CustomerKey(bytes)
    }

    #[test]
    fn the_share_is_kept_and_another_salt_draws_other_customers() {
        let drawn: Vec<bool> = (0..20_000).map(|i| is_control("a", "origin", key(i), 1_000)).collect();
        let count = drawn.iter().filter(|d| **d).count();
        assert!((1_800..2_200).contains(&count), "{count}");
        let both = (0..20_000).filter(|i| drawn[*i as usize] && is_control("b", "origin", key(*i), 1_000)).count();
        assert!((120..280).contains(&both), "{both}");
        assert!((0..1_000).all(|i| !is_control("a", "o", key(i), 0) && is_control("a", "o", key(i), SHARE_WHOLE)));
    }
}
