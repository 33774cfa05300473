//! Writes care activities (关怀活动) in Rust: an activity is a plain struct with three rules (whom, when, what),
//! customers are plain structs, and everything else (columns, encoding, the component's exports, what the manifest
//! must declare) is done here.
//!
//! `#[derive(Row)] struct Target { balance: Fen, spend_d1: Option<Fen> }` says what is read of a customer,
//! `impl Activity` holds the rules, and `care_sdk::export!(MyActivity)` makes the component.
//!
//! A plugin is built for `care:activity` 1.0.0, with the feature `wit-1-1` for 1.1.0, which has the host's join:
//! `tariff: Joined<Tariff>` is the row of the reference table that a customer's field names.
//!
//! Nothing here knows a rule of an activity, and nothing here depends on the host's crates: the contract
//! (`care:activity`) is all that the two sides share.

// The derive macros write `::care_sdk::…`, in this crate too.
extern crate self as care_sdk;

mod activity;
pub mod batch;
pub mod bindings;
mod component;
mod declaration;
mod host;
#[cfg(feature = "wit-1-1")]
mod join;
mod model;
pub mod model_bindings;
mod row;
mod say;
mod tally;
pub mod testing;
mod units;
mod value;

pub use activity::{Activity, Choice, Moments, NoSlots, Run, Selected};
pub use care_sdk_derive::{Category, Choice, Row};
pub use component::Component;
pub use declaration::{Declaration, declaration};
pub use host::Host;
#[cfg(feature = "wit-1-1")]
pub use join::Joined;
pub use model::{Model, ModelComponent, derive, model_declaration};
pub use row::{Row, Table, Tables};
pub use say::{Message, Messages};
pub use tally::{Outcome, Tally};
pub use units::{Date, Fen, Instant};
pub use value::{Category, Codes, Field, Join, Label, Value};

/// Exports an activity: the component's functions, and the custom section `care-declaration` that tells
/// `care plugin build` which fields, tables, reasons, templates and slots the code uses. Once per crate.
#[macro_export]
macro_rules! export {
    ($activity:ty) => {
        $crate::exported!($crate::declaration::<$activity>(), $crate::Component<$activity>, bindings, export_component);
    };
}

/// Exports a model: the component's function, and the custom section `care-declaration`. Once per crate.
#[macro_export]
macro_rules! export_model {
    ($model:ty) => {
        $crate::exported!(
            $crate::model_declaration::<$model>(),
            $crate::ModelComponent<$model>,
            model_bindings,
            export_model_component
        );
    };
}

/// What `export!` and `export_model!` have in common.
#[doc(hidden)]
#[macro_export]
macro_rules! exported {
    ($declaration:expr, $component:ty, $bindings:ident, $export:ident) => {
        const _: () = {
            const DECLARATION: $crate::Declaration = $declaration;

            #[allow(unsafe_code, reason = "a custom section can only be written by a linker attribute")]
            #[used]
            #[cfg_attr(target_arch = "wasm32", unsafe(link_section = "care-declaration"))]
            static SECTION: [u8; DECLARATION.len()] = DECLARATION.bytes();

            #[cfg(target_arch = "wasm32")]
            #[allow(unsafe_code, reason = "exports of a component are unmangled symbols, which the bindings write")]
            const _: () = {
                type Exported = $component;
        $crate::$bindings::$export!(Exported with_types_in $crate::$bindings);
            };
        };
    };
}
