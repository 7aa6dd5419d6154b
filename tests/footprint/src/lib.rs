//! A step of each rule as firmware in Rust calls it: constants known, arrays of one size.
#![no_std]
#![allow(non_snake_case)] // the names of the rules

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
