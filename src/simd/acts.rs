//! What transforms do, one act after the other: for loops that run each act over a block.

use super::transform::Transform;

/// Takes what a chain of transforms does to gradients and parameters, in its order.
///
/// With registers full of elements a chain is one formula around the rule, and nobody asks it for this list. Where a
/// register holds one number and the rule has a loop in assembly, each act is a loop of its own over a block, or a
/// constant in the rule's loop. Where a constant is one that such a loop does not know (NaN, a negative limit), the
/// transform itself is asked, element by element, so that an act names it too.
pub trait Acts {
    /// `g = factor * g`
    fn scale(&mut self, factor: f32);
    /// `g` within `[-limit, limit]`
    fn clip<T: Transform>(&mut self, limit: f32, transform: &T);
    /// `g = g + slope * p`, unless the slope is 0
    fn add_params(&mut self, slope: f32);
    /// `g = g + factor * sign(p)`, unless the factor is 0
    fn add_signs<T: Transform>(&mut self, factor: f32, transform: &T);
    /// `g = g + factor * (slope * p + sign(p))`, unless the factor is 0; the slope is above 0
    fn add_slopes(&mut self, factor: f32, slope: f32);
    /// `p = p - loss * old`, unless the loss is 0
    fn decay(&mut self, loss: f32);
    /// `p = sign(p) * max(|p| - threshold, 0)`
    fn shrink<T: Transform>(&mut self, threshold: f32, transform: &T);
    /// `p` within `[-limit, limit]`
    fn clamp<T: Transform>(&mut self, limit: f32, transform: &T);
    /// Anything else.
    fn other<T: Transform>(&mut self, transform: &T);
}
