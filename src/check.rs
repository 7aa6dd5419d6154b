//! Checks of hyper-parameters that several rooms share.

use crate::error::{Error, Hyper, require};

/// A stabiliser that is added to what is not negative: finite, and not so small that the sum may be 0.
pub(crate) fn check_stabiliser(eps: f32) -> Result<(), Error> {
    require(eps >= f32::MIN_POSITIVE && eps < f32::INFINITY, Hyper::Epsilon)
}

/// A learning rate.
pub(crate) fn check_lr(lr: f32) -> Result<(), Error> {
    require(lr >= 0.0 && lr < f32::INFINITY, Hyper::LearningRate)
}

/// The largest decay of a running average, about 0.999999. Nearer to 1 the `f32` beside it is further than 3 % of
/// `1 - decay` away: the average would forget at another rate than the one that was written.
pub(crate) const MOST_DECAY: f64 = 1.0 - 1.0 / (1 << 20) as f64;

/// Decay of a running average.
pub(crate) fn check_decay(decay: f64, hyper: Hyper) -> Result<(), Error> {
    // Bits compare like positive numbers, and a sign is larger than all of them.
    require(decay.to_bits() <= MOST_DECAY.to_bits(), hyper)
}

/// Decoupled weight decay: the factor `1 - lr * weight_decay` must stay above 0.
pub(crate) fn check_weight_decay(lr: f32, weight_decay: f32) -> Result<(), Error> {
    require(
        weight_decay >= 0.0 && weight_decay < f32::INFINITY && lr * weight_decay < 1.0,
        Hyper::WeightDecay,
    )
}
