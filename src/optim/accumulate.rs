//! Gradients of several batches for one step.

use super::{State, StateMut, Stateful};
use crate::error::{Argument, Error, same_length};
use crate::simd::{Columns, Exec, Rule, Vector, Width, run};
use crate::store::{Family, Name};
use crate::transform::Scale;

/// Sums of gradients: one step for several batches, where memory has no room for a large one.
///
/// ```text
/// sum += g;   after k batches a step with sum / k
/// ```
///
/// The layers of this crate add to their gradients by themselves. State: the sum, and the number of batches in the clock;
/// zero bits at the start, saved and loaded like any other, so that a run may be interrupted between two batches.
///
/// ```
/// use gradus::{Accumulate, AccumulateState, Adam, AdamState, Exec, Optimizer};
///
/// let adam = Adam::new(0.1);
/// let (mut params, mut state) = ([1.0, 2.0], AdamState::new());
/// let mut sum = AccumulateState::new();
/// for grads in [[1.0, 0.0], [3.0, 0.5]] {
///     sum.add(Exec::new(), &grads);
/// }
/// adam.with(sum.mean()).step(&mut params, sum.sum(), &mut state); // as with [2.0, 0.25]
/// sum.reset();
/// # let (mut twin, mut other) = ([1.0, 2.0], AdamState::new());
/// # adam.step(&mut twin, &[2.0, 0.25], &mut other);
/// # assert_eq!((params, state), (twin, other));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "gradient accumulation")]
pub struct Accumulate;

/// The sum of [`Accumulate`] for `N` parameters.
pub type AccumulateState<const N: usize> = State<Accumulate, N>;

impl Stateful for Accumulate {
    type Columns = Width<1>;
    type Memory = f32;
}

impl Family for Accumulate {
    const NAME: Name = Name::new("accumulate");
}

impl<const N: usize> State<Accumulate, N> {
    /// Adds the gradients of one batch. Lengths are checked by the compiler: this cannot fail.
    pub fn add(&mut self, exec: impl Into<Exec>, grads: &[f32; N]) {
        let [sum] = &mut self.columns;
        run(exec, &Add, Columns::from_arrays(sum, [grads], &mut []));
        self.clock.tick();
    }

    /// The sum of the gradients: those of a step with [`mean`](Self::mean).
    #[must_use]
    pub const fn sum(&self) -> &[f32; N] {
        let [sum] = &self.columns;
        sum
    }

    /// The transform that makes a mean of the sum: `1 / k` after `k` batches, and 1 before the first.
    #[must_use]
    pub const fn mean(&self) -> Scale {
        Scale(1.0 / if self.clock.t == 0 { 1.0 } else { self.clock.t as f32 })
    }
}

impl StateMut<'_, Accumulate> {
    /// Adds the gradients of one batch, from a slice in any memory.
    ///
    /// # Errors
    /// [`Error::Length`] if there are not as many as in the sum; nothing was changed.
    pub fn add(self, exec: impl Into<Exec>, grads: &[f32]) -> Result<(), Error> {
        let StateMut { columns: [sum], clock, .. } = self;
        same_length(Argument::Grads, sum.len(), grads.len())?;
        run(exec, &Add, Columns::new(sum, [grads], [])?);
        clock.tick();
        Ok(())
    }
}

struct Add;

impl Rule for Add {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, sum: V, [g]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (sum + g, [])
    }
}
