//! A step of each rule as firmware in Rust calls it: constants known, arrays of one size.
#![no_std]
#![allow(non_snake_case)] // the names of the rules

#[cfg(feature = "everything")]
mod awaited;
#[cfg(feature = "everything")]
mod halves;
#[cfg(feature = "everything")]
mod no_panic;

use gradus::*;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// A step of each optimizer of the list, under its name.
macro_rules! steps {
    (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $optimizer(params: &mut [f32; 64], grads: &[f32; 64], state: &mut State<$optimizer, 64>) {
            $optimizer::new(1e-3).step(params, grads, state);
        }
    )*};
}

gradus::__optimizers!(steps!());

/// The same with the transforms of most trainings: the mean of a batch, and a penalty.
macro_rules! steps_with_scale_and_l2 {
    ($($name:ident $optimizer:ident)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(params: &mut [f32; 64], grads: &[f32; 64], state: &mut State<$optimizer, 64>) {
            let transforms = (transform::Scale(1.0 / 32.0), transform::L2::weight_decay(1e-4));
            $optimizer::new(1e-3).with(transforms).step(params, grads, state);
        }
    )*};
}

steps_with_scale_and_l2!(SgdScaleL2 Sgd MomentumScaleL2 Momentum RmsPropScaleL2 RmsProp AdamScaleL2 Adam);
