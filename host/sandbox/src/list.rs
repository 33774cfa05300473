//! Columns on their way into a guest: lowered from whoever owns them straight into its memory, in one copy.

use care_domain::column::Shared;
use std::mem::MaybeUninit;
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LowerContext};
use wasmtime::component::{ComponentType, Lower};

/// A column's slice as the contract's `list<T>`.
pub(crate) struct List<T: 'static>(pub(crate) Shared<T>);

#[allow(unsafe_code, reason = "the traits are unsafe to implement; everything here is what `[T]` says of itself")]
// SAFETY: representation, size and type check are those of `[T]`, which wasmtime implements.
unsafe impl<T: ComponentType> ComponentType for List<T> {
    type Lower = <[T] as ComponentType>::Lower;
    const ABI: CanonicalAbiInfo = <[T] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <[T] as ComponentType>::typecheck(ty, types)
    }
}

#[allow(unsafe_code, reason = "the traits are unsafe to implement; everything here is what `[T]` does itself")]
// SAFETY: both methods hand on to `[T]`, whose representation this type shares.
unsafe impl<T: Lower> Lower for List<T> {
    fn linear_lower_to_flat<U>(
        &self,
        cx: &mut LowerContext<'_, U>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> wasmtime::Result<()> {
        <[T] as Lower>::linear_lower_to_flat(&self.0, cx, ty, dst)
    }

    fn linear_lower_to_memory<U>(
        &self,
        cx: &mut LowerContext<'_, U>,
        ty: InterfaceType,
        offset: usize,
    ) -> wasmtime::Result<()> {
        <[T] as Lower>::linear_lower_to_memory(&self.0, cx, ty, offset)
    }
}

/// The contract's `texts`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct TextsOut {
    pub(crate) offsets: List<u32>,
    pub(crate) bytes: List<u8>,
}
