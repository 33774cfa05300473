//! What wit-bindgen makes of the world of models; its imports are those of `bindings`.
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
    world: "model",
    pub_export_macro: true,
    export_macro_name: "export_model_component",
    with: {
        "care:activity/tables@1.0.0": crate::bindings::care::activity::tables,
        "care:activity/run@1.0.0": crate::bindings::care::activity::run,
    },
});

#[cfg(feature = "wit-1-1")]
wit_bindgen::generate!({
    path: "wit/care-activity-1.1.0",
    world: "model",
    pub_export_macro: true,
    export_macro_name: "export_model_component",
    with: {
        "care:activity/tables@1.1.0": crate::bindings::care::activity::tables,
        "care:activity/run@1.1.0": crate::bindings::care::activity::run,
    },
});
