//! Checks of hyper-parameters that several rooms share.

use crate::error::{Error, Hyper, require};

/// Whether `x` is finite and at least 0, which -0 is too.
///
/// Asked of the bits: `0.0 <= x && x < f32::INFINITY` becomes a test of all kinds of numbers, 50 bytes on a microcontroller.
pub(crate) const fn is_finite_from_zero(x: f32) -> bool {
    x.to_bits() < f32::INFINITY.to_bits() || x.to_bits() == (-0.0_f32).to_bits()
}

/// A stabiliser that is added to what is not negative: finite, and not so small that the sum may be 0.
pub(crate) fn check_stabiliser(eps: f32) -> Result<(), Error> {
    require(eps >= f32::MIN_POSITIVE && eps < f32::INFINITY, Hyper::Epsilon)
}

/// A learning rate.
pub(crate) fn check_lr(lr: f32) -> Result<(), Error> {
    require(is_finite_from_zero(lr), Hyper::LearningRate)
}

/// The largest decay of a running average, about 0.999999. Nearer to 1 the `f32` beside it is further than 3 % of
/// `1 - decay` away: the average would forget at another rate than the one that was written.
pub(crate) const MOST_DECAY: f64 = 1.0 - 1.0 / (1 << 20) as f64;

/// Decay of a running average.
pub(crate) const fn check_decay(decay: f64, hyper: Hyper) -> Result<(), Error> {
    check_decay_up_to(MOST_DECAY, decay, hyper)
}

/// The same up to another decay.
pub(crate) const fn check_decay_up_to(most: f64, decay: f64, hyper: Hyper) -> Result<(), Error> {
    // Bits compare like positive numbers, and a sign is larger than all of them.
    require(decay.to_bits() <= most.to_bits(), hyper)
}

/// Decoupled weight decay: the factor `1 - lr * weight_decay` must stay above 0.
pub(crate) fn check_weight_decay(lr: f32, weight_decay: f32) -> Result<(), Error> {
    require(is_finite_from_zero(weight_decay) && lr * weight_decay < 1.0, Hyper::WeightDecay)
}
