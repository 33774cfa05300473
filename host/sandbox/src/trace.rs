//! Where a guest stood when it broke, for its author. Never for verdicts, which must be the same for every build.

use wasmtime::{FrameInfo, WasmBacktrace};

/// Frames that are kept of a trace.
pub(crate) const MAX_FRAMES: usize = 32;

/// A function that was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number in its module.
    pub function: u32,
    /// Where in the function it stood, in bytes from the function's beginning.
    pub offset: Option<usize>,
    /// What the module's name section calls it.
    pub name: Option<String>,
}

/// A question that a guest asked its host, and how much fuel its call had used by then: what lies between two steps is
/// the guest's own work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The function, and what of which table it asked for.
    pub asked: String,
    /// Fuel that was left of the call's.
    pub fuel_left: u64,
}

/// Steps that are kept of a guest: some dozens for each of the customers of a profile.
pub(crate) const MAX_STEPS: usize = 50_000;

/// The frames of a call's error, innermost first.
pub(crate) fn of(error: &wasmtime::Error) -> Vec<Frame> {
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    frames.iter().filter(|info| !is_glue(info)).map(frame).collect()
}

/// Modules that the making of a component adds, whose functions are numbered on their own.
fn is_glue(info: &FrameInfo) -> bool {
    info.module().name().is_some_and(|name| name.starts_with("wit-component:"))
}

fn frame(info: &FrameInfo) -> Frame {
    Frame { function: info.func_index(), offset: info.func_offset(), name: info.func_name().map(str::to_owned) }
}
