//! What stands before and after a rule, in its registers; the transforms themselves are in `transform`.

use super::acts::Acts;
use super::vector::Vector;
use crate::error::Error;

/// A change of the gradient before the rule, or of the parameter after it, in registers.
///
/// Both methods default to no change; implement the one that is needed, `#[inline(always)]`.
pub trait Transform: Copy + Send + Sync {
    /// Whether it never changes anything, so that a loop without it serves too.
    #[doc(hidden)]
    const NOTHING: bool = false;

    /// Whether it is known at run time only what it does.
    #[doc(hidden)]
    const CHOSEN: bool = false;

    /// What it does, for loops that run over blocks.
    #[doc(hidden)]
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.other(self);
    }

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

    /// Checks that its parameters lie in their ranges at learning rate `lr`.
    ///
    /// # Errors
    /// [`Error::Range`] names the one that does not.
    fn check(&self, lr: f32) -> Result<(), Error>;
}

/// A transform that is there or not, decided at run time: a branch per element, the same for all.
impl<T: Transform> Transform for Option<T> {
    const CHOSEN: bool = true;
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        if let Some(transform) = self {
            transform.acts(acts);
        }
    }
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
            const CHOSEN: bool = false $(|| $t::CHOSEN)*;
            #[inline(always)]
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
            fn acts<Act: Acts>(&self, acts: &mut Act) {
                let ($($t,)*) = self;
                $($t.acts(acts);)*
            }
            #[inline(always)]
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
            fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
                let ($($t,)*) = self;
                $(let g = $t.before(isa, p, g);)*
                g
            }
            #[inline(always)]
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
            fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
                let ($($t,)*) = self;
                $(let new = $t.after(isa, old, new);)*
                new
            }
            #[allow(non_snake_case, unused_variables, clippy::unused_unit, reason = "a name is that of its type; the empty tuple uses nothing")]
            fn at(self, lr: f32) -> Self {
                let ($($t,)*) = self;
                ($($t.at(lr),)*)
            }
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
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
