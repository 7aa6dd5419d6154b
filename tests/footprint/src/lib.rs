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

macro_rules! step {
    ($name:ident, $rule:expr, $state:ident) => {
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(params: &mut [f32; 64], grads: &[f32; 64], state: &mut $state<64>) {
            $rule.step(params, grads, state);
        }
    };
}

step!(Sgd, Sgd::new(1e-3), SgdState);
step!(Momentum, Momentum::new(1e-3), MomentumState);
step!(Nesterov, Nesterov::new(1e-3), NesterovState);
step!(AdaGrad, AdaGrad::new(1e-3), AdaGradState);
step!(RmsProp, RmsProp::new(1e-3), RmsPropState);
step!(CenteredRmsProp, RmsProp::new(1e-3).centered(), CenteredRmsPropState);
step!(RmsPropMomentum, RmsProp::new(1e-3).with_momentum(0.9), RmsPropMomentumState);
step!(
    CenteredRmsPropMomentum,
    RmsProp::new(1e-3).centered().with_momentum(0.9),
    CenteredRmsPropMomentumState
);
step!(Adam, Adam::new(1e-3), AdamState);
step!(AdamW, AdamW::new(1e-3), AdamWState);
step!(AmsGrad, AmsGrad::new(1e-3), AmsGradState);
step!(Nadam, Nadam::new(1e-3), NadamState);
step!(Lion, Lion::new(1e-3), LionState);
