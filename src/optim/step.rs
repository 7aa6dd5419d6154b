//! The rule of one training step.

use crate::simd::acts::Acts;
use crate::simd::{Assembly, Decaying, Of, PERIOD, Rule, Vector};

/// The rule of one training step: what [`Optimizer::advance`](super::Optimizer::advance) returns, itself a [`Rule`].
///
/// Every pass of the step takes it: over all parameters, or over one tensor after the other. After a step whose count
/// is a multiple of 64 each pass ends with a sweep of its state: a running average that has decayed below the normal
/// numbers becomes 0, since it would stay subnormal for ever, and slow on most CPUs.
#[derive(Clone, Copy, Debug)]
pub struct Step<R> {
    rule: R,
    sweep: bool,
}

impl<R> Step<R> {
    /// The step that makes the count `t`.
    #[inline]
    pub(super) const fn new(rule: R, t: u32) -> Self {
        Self { rule, sweep: t.is_multiple_of(PERIOD) }
    }
}

impl<R: Rule> Rule for Step<R> {
    type Columns = R::Columns;

    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, g: [V; 1], s: Of<R::Columns, V>) -> (V, Of<R::Columns, V>) {
        self.rule.apply(isa, p, g, s)
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: [V; 1]) -> [V; 1] {
        self.rule.before(isa, p, g)
    }
    #[inline(always)]
    fn core<V: Vector>(&self, isa: V::Isa, p: V, g: [V; 1], s: Of<R::Columns, V>) -> (V, Of<R::Columns, V>) {
        self.rule.core(isa, p, g, s)
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
        self.rule.after(isa, old, new)
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        if self.sweep { self.rule.decaying() } else { Decaying::NONE }
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        self.rule.assembly()
    }
    const TRANSFORMED: bool = R::TRANSFORMED;
    const CHOSEN: bool = R::CHOSEN;
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        self.rule.acts(acts);
    }
}
