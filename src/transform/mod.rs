//! What composes with an optimizer in the same pass: before it on gradients, after it on parameters.
//!
//! Transforms work in registers. They never write to the caller's gradient, and an optimizer
//! without them pays nothing. A tuple of transforms is a transform: its members act in order.
//!
//! ```
//! use gradus::{Momentum, MomentumState, Optimizer};
//! use gradus::transform::{ClipValue, L2, MaxNorm, Scale};
//!
//! let momentum = Momentum::new(0.5).with((Scale(0.25), ClipValue(1.0), L2::new(0.125), MaxNorm(2.0)));
//! let (mut params, mut state) = ([1.0, 0.0], MomentumState::new());
//! momentum.step(&mut params, &[8.0, -4.0], &mut state); // g = 1 + 0.25 and -1
//! assert_eq!(params, [0.375, 0.5]);
//! ```

mod clip;
mod decay;
mod penalty;

pub use clip::{ClipNorm, ClipValue, MaxNorm, Scale, limit_row_norms};
pub use decay::{Decay, ProxL1};
pub use penalty::{ElasticNet, L1, L2};

use crate::error::Error;
use crate::optim::{Clock, Optimizer};
use crate::simd::{Assembly, Of, Rule, Vector};

/// A change of the gradient before the rule, or of the parameter after it, in registers.
///
/// Both methods default to no change; implement the one that is needed, `#[inline(always)]`.
pub trait Transform: Copy + Send + Sync {
    /// Whether it never changes anything, so that a loop without it serves too.
    #[doc(hidden)]
    const NOTHING: bool = false;

    /// The gradient that the rule sees, given the parameter `p`.
    #[inline(always)]
    fn before<V: Vector>(&self, _isa: V::Isa, _p: V, g: V) -> V {
        g
    }

    /// The parameter that is stored, given its `old` value and the `new` one of the rule.
    #[inline(always)]
    fn after<V: Vector>(&self, _isa: V::Isa, _old: V, new: V) -> V {
        new
    }

    /// This transform for a step with learning rate `lr`; most do not depend on it.
    #[must_use]
    fn at(self, _lr: f32) -> Self {
        self
    }

    /// Whether its parameters lie in their ranges at learning rate `lr`.
    ///
    /// # Errors
    /// [`Error::Range`] names the one that does not.
    fn check(&self, lr: f32) -> Result<(), Error>;
}

/// An optimizer with transforms: made by [`Optimizer::with`], itself an [`Optimizer`].
///
/// It has the state of the optimizer inside.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct With<O, T> {
    /// The optimizer.
    pub optimizer: O,
    /// What acts before and after it.
    pub transform: T,
}

impl<O: Optimizer, T: Transform> Optimizer for With<O, T> {
    type Family = O::Family;
    type Rule = With<O::Rule, T>;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> Self::Rule {
        With { optimizer: self.optimizer.rule(clock), transform: self.transform.at(self.optimizer.lr()) }
    }
    fn lr(&self) -> f32 {
        self.optimizer.lr()
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { optimizer: self.optimizer.with_lr(lr), ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.optimizer.check()?;
        self.transform.check(self.optimizer.lr())
    }
}

impl<R: Rule, T: Transform> Rule for With<R, T> {
    type Columns = R::Columns;
    #[inline(always)]
    fn apply<V: Vector>(
        &self,
        isa: V::Isa,
        p: V,
        [g]: [V; 1],
        state: Of<R::Columns, V>,
    ) -> (V, Of<R::Columns, V>) {
        let g = self.transform.before(isa, p, g);
        let (new, state) = self.optimizer.apply(isa, p, [g], state);
        (self.transform.after(isa, p, new), state)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        if T::NOTHING { self.optimizer.assembly() } else { None }
    }
}

/// A transform that is there or not, decided at run time: a branch per element, the same for all.
impl<T: Transform> Transform for Option<T> {
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
        match self {
            Some(transform) => transform.before(isa, p, g),
            None => g,
        }
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
        match self {
            Some(transform) => transform.after(isa, old, new),
            None => new,
        }
    }
    fn at(self, lr: f32) -> Self {
        self.map(|transform| transform.at(lr))
    }
    fn check(&self, lr: f32) -> Result<(), Error> {
        self.map_or(Ok(()), |transform| transform.check(lr))
    }
}

macro_rules! tuple {
    ($($t:ident)*) => {
        impl<$($t: Transform),*> Transform for ($($t,)*) {
            const NOTHING: bool = true $(&& $t::NOTHING)*;
            #[inline(always)]
            #[allow(non_snake_case, unused_variables)]
            fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
                let ($($t,)*) = self;
                $(let g = $t.before(isa, p, g);)*
                g
            }
            #[inline(always)]
            #[allow(non_snake_case, unused_variables)]
            fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
                let ($($t,)*) = self;
                $(let new = $t.after(isa, old, new);)*
                new
            }
            #[allow(non_snake_case, unused_variables, clippy::unused_unit)]
            fn at(self, lr: f32) -> Self {
                let ($($t,)*) = self;
                ($($t.at(lr),)*)
            }
            #[allow(non_snake_case, unused_variables)]
            fn check(&self, lr: f32) -> Result<(), Error> {
                let ($($t,)*) = self;
                $($t.check(lr)?;)*
                Ok(())
            }
        }
    };
}

tuple!();
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
