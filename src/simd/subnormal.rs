//! Running averages that have decayed below the normal numbers become 0.
//!
//! Where gradients stay 0, a running average decays until rounding no longer changes it, and stays subnormal from then
//! on: `0.9 * 6e-45` rounds to `6e-45`. Most CPUs compute subnormals in microcode, ten times as slowly. After every
//! [`PERIOD`]th step a second pass therefore ends them, by definition on every target.
#![allow(unsafe_code, reason = "pointers")]

use super::isa::{Isa, Kernel};
use super::level::Level;
use super::stored::Stored;
use super::streams::Streams;
use super::vector::{Element, Vector};

/// Steps from one sweep to the next.
pub(super) const PERIOD: u32 = 64;

/// The columns of state that a sweep may change: those of a rule that decay where gradients are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decaying {
    /// Columns whose subnormals are too small to matter, whatever the others hold, a bit each.
    pub alone: u8,
    /// Whether the first two columns are moments, the second of which matters as long as the first is not 0.
    pub moments: bool,
}

impl Decaying {
    /// No column.
    pub const NONE: Self = Self::alone(0);

    /// A first moment, and a second one after it.
    pub const MOMENTS: Self = Self { alone: 0, moments: true };

    /// Columns that are swept by themselves.
    pub const fn alone(columns: u8) -> Self {
        Self { alone: columns, moments: false }
    }

    #[inline(always)]
    pub fn any(self) -> bool {
        self != Self::NONE
    }
}

/// What a sweep makes of the columns that it goes over.
trait Swept<const S: usize> {
    fn swept<T: Element, V: Vector<T>>(isa: V::Isa, state: [V; S]) -> [V; S];
}

/// A column by itself.
struct Alone;

impl Swept<1> for Alone {
    #[inline(always)]
    fn swept<T: Element, V: Vector<T>>(isa: V::Isa, [x]: [V; 1]) -> [V; 1] {
        [x.flush(isa)]
    }
}

/// A first moment, and the second one where nothing is left of it.
struct Moments;

impl Swept<2> for Moments {
    #[inline(always)]
    fn swept<T: Element, V: Vector<T>>(isa: V::Isa, [m, v]: [V; 2]) -> [V; 2] {
        let m = m.flush(isa);
        [m, v.flush_beside(isa, m)]
    }
}

/// A pass over columns of state. What stays has the same bits, also as a `Bf16`.
struct Sweep<'a, const S: usize, T: Element, M: Stored<T>>(Streams<'a, S, 0, T, M>);

impl<const S: usize, T: Element, M: Stored<T>, F: Swept<S>> Kernel<F> for Sweep<'_, S, T, M> {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, _: &F) {
        let (n, mut i) = (self.0.len(), 0);
        let width = <M::In<I> as Vector<T>>::WIDTH;
        while n - i >= width {
            // SAFETY: the loop condition gives i + WIDTH <= n, the length of every column.
            unsafe {
                let ([], state) = self.0.load::<M::In<I>>(isa, i);
                self.0.store(i, F::swept::<T, M::In<I>>(isa, state));
            }
            i += width;
        }
        if width > 1 && i < n {
            // SAFETY: fewer than WIDTH elements are left.
            unsafe {
                let ([], state) = self.0.load_partial::<M::In<I>>(isa, i, n - i);
                self.0.store_partial(i, n - i, F::swept::<T, M::In<I>>(isa, state));
            }
        }
    }
}

/// Sweeps some columns of one part: a function for any number of them, which all rules share.
#[inline(never)]
fn pass<const S: usize, T: Element, M: Stored<T>, F: Swept<S>>(
    level: Level,
    formula: &F,
    columns: Streams<'_, S, 0, T, M>,
) {
    level.dispatch(formula, Sweep(columns));
}

/// Sweeps the columns of one part.
#[inline(always)]
pub(super) fn sweep<const S: usize, T: Element, M: Stored<T>>(
    level: Level,
    decaying: Decaying,
    state: Streams<'_, S, 0, T, M>,
) {
    const { assert!(S <= 8, "as many as there are bits") };
    let n = state.len();
    if decaying.moments
        && let [m, v, ..] = state.state[..]
    {
        // SAFETY: two of the columns, which are borrowed as long.
        pass(level, &Moments, unsafe { Streams::<'_, 2, 0, T, M>::from_pointers(n, [], [m, v]) });
    }
    each!(
        k < S,
        if decaying.alone >> k & 1 == 1 {
            // SAFETY: one of the columns, as above.
            pass(level, &Alone, unsafe { Streams::<'_, 1, 0, T, M>::from_pointers(n, [], [state.state[k]]) });
        }
    );
}
