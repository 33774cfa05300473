//! What wit-bindgen makes of the contract. Nothing is written by hand here, and only `host`, `batch`, `tally`
//! and `component` use it.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated"
)]

#[cfg(not(feature = "wit-1-1"))]
wit_bindgen::generate!({
    path: "wit/care-activity-1.0.0",
    world: "activity",
    pub_export_macro: true,
    export_macro_name: "export_component",
    generate_all,
});

#[cfg(feature = "wit-1-1")]
wit_bindgen::generate!({
    path: "wit/care-activity-1.1.0",
    world: "activity",
    pub_export_macro: true,
    export_macro_name: "export_component",
    generate_all,
});
