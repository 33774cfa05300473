//! The exports of a component, each one line to `batch`.

use crate::activity::Activity;
use crate::batch;
use crate::bindings::exports::care::activity::{content, evaluation, targeting, timing};
use crate::host::Imported;
use std::marker::PhantomData;

/// Has a panic say where and why before it becomes a trap, which says nothing: a line for the activity's author.
fn told<T>(call: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| crate::bindings::care::activity::run::log(&panic.to_string())));
    call()
}

/// An activity as a component of the world `activity`; `export!` makes it.
pub struct Component<A>(PhantomData<A>);

impl<A: Activity> targeting::Guest for Component<A> {
    fn select() -> Result<targeting::Selection, String> {
        told(|| batch::select::<A>(&Imported))
    }
}

impl<A: Activity> timing::Guest for Component<A> {
    fn schedule(reasons: Vec<u16>) -> Result<timing::Moments, String> {
        told(|| batch::schedule::<A>(&Imported, &reasons))
    }
}

impl<A: Activity> content::Guest for Component<A> {
    fn compose(reasons: Vec<u16>) -> Result<content::Messages, String> {
        told(|| batch::compose::<A>(&Imported, &reasons))
    }
}

impl<A: Activity> evaluation::Guest for Component<A> {
    fn observe(state: Vec<u8>) -> Result<Vec<u8>, String> {
        told(|| batch::observe::<A>(&Imported, &state))
    }

    fn merge(left: Vec<u8>, right: Vec<u8>) -> Result<Vec<u8>, String> {
        batch::merge(&left, &right)
    }

    fn report(state: Vec<u8>) -> Result<Vec<evaluation::Metric>, String> {
        batch::report(&state)
    }
}
