//! An optimizer with transforms.

use super::{Clock, Optimizer};
use crate::error::Error;
use crate::simd::{Assembly, Decaying, Exec, Of, Rule, Vector};
use crate::transform::{Acts, Transform};

/// An optimizer with transforms: made by [`Optimizer::with`], itself an [`Optimizer`].
///
/// It has the state of the optimizer inside. Transforms act in the order in which they are written, on the gradient
/// before the rule and on the parameter after it; those of an optimizer act before those of a [`Tensor`](super::Tensor).
///
/// ```
/// use gradus::{Optimizer, Sgd, transform::{ClipValue, Scale}};
/// let sgd = Sgd::new(0.1).with(Scale(1.0 / 1024.0)).with(ClipValue(1.0));
/// let (mut params, mut state) = ([0.0], sgd.state());
/// sgd.step(&mut params, &[512.0], &mut state); // scaled to 0.5, and then not clipped
/// assert_eq!(params, [-0.05]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct With<O, T> {
    /// The optimizer.
    pub inner: O,
    /// What acts before and after it.
    pub transform: T,
}

impl<O: Optimizer, T: Transform> Optimizer for With<O, T> {
    type Family = O::Family;
    type Rule = With<O::Rule, T>;
    const HALVES: bool = O::HALVES;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> Self::Rule {
        With { inner: self.inner.rule(clock), transform: self.transform.at(self.inner.lr()) }
    }
    fn lr(&self) -> f32 {
        self.inner.lr()
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { inner: self.inner.with_lr(lr), ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.inner.check()?;
        self.transform.check(self.inner.lr())
    }
    #[inline(always)]
    fn exec(&self) -> Exec {
        self.inner.exec()
    }
}

/// The transforms of a chain stand around the rule as in `before(A), before(B), rule, after(A), after(B)`: the inner
/// ones act first on both sides, so that a chain is more than one function around another.
impl<R: Rule, T: Transform> Rule for With<R, T> {
    type Columns = R::Columns;
    const SQUARES: bool = R::SQUARES;
    #[inline(always)]
    fn apply<V: Vector>(
        &self,
        isa: V::Isa,
        p: V,
        g: [V; 1],
        state: Of<R::Columns, V>,
    ) -> (V, Of<R::Columns, V>) {
        let g = self.before(isa, p, g);
        let (new, state) = self.core(isa, p, g, state);
        (self.after(isa, p, new), state)
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: [V; 1]) -> [V; 1] {
        let [g] = self.inner.before(isa, p, g);
        [self.transform.before(isa, p, g)]
    }
    #[inline(always)]
    fn core<V: Vector>(
        &self,
        isa: V::Isa,
        p: V,
        g: [V; 1],
        state: Of<R::Columns, V>,
    ) -> (V, Of<R::Columns, V>) {
        self.inner.core(isa, p, g, state)
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
        self.transform.after(isa, old, self.inner.after(isa, old, new))
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        self.inner.decaying()
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        self.inner.assembly()
    }
    const TRANSFORMED: bool = R::TRANSFORMED || !T::NOTHING;
    const CHOSEN: bool = R::CHOSEN || T::CHOSEN;
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        self.inner.acts(acts);
        if T::CHOSEN {
            chosen(&self.transform, acts);
        } else {
            self.transform.acts(acts);
        }
    }
}

/// What was chosen at run time, in one function for all rules.
#[inline(never)]
fn chosen<T: Transform, A: Acts>(transform: &T, acts: &mut A) {
    transform.acts(acts);
}
