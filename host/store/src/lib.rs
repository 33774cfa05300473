//! host/store
