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

/// The columns of state that a sweep may change, a bit each: those of a rule that decay where gradients are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decaying {
    /// Columns whose subnormals are too small to matter, whatever the others hold.
    pub alone: u8,
    /// Columns that matter as long as one of `alone` is not 0: a second moment under a small first one.
    pub after: u8,
}

impl Decaying {
    /// No column.
    pub const NONE: Self = Self { alone: 0, after: 0 };

    /// A first moment, and a second one after it.
    pub const MOMENTS: Self = Self { alone: 0b01, after: 0b10 };

    /// Columns that are swept by themselves.
    pub const fn alone(columns: u8) -> Self {
        Self { alone: columns, after: 0 }
    }

    #[inline(always)]
    pub fn any(self) -> bool {
        self != Self::NONE
    }
}

/// A pass over the columns of state alone.
struct Sweep<'a, const S: usize, T: Element, M: Stored<T>>(Streams<'a, S, 0, T, M>);

impl<const S: usize, T: Element, M: Stored<T>> Kernel<Decaying> for Sweep<'_, S, T, M> {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, decaying: &Decaying) {
        let (n, mut i) = (self.0.len(), 0);
        let width = <T::In<I> as Vector<T>>::WIDTH;
        while n - i >= width {
            // SAFETY: the loop condition gives i + WIDTH <= n, the length of every column.
            unsafe {
                let ([], state) = self.0.load::<T::In<I>>(isa, i);
                self.0.store(i, decaying.swept(isa, state));
            }
            i += width;
        }
        if width > 1 && i < n {
            // SAFETY: fewer than WIDTH elements are left.
            unsafe {
                let ([], state) = self.0.load_partial::<T::In<I>>(isa, i, n - i);
                self.0.store_partial(i, n - i, decaying.swept(isa, state));
            }
        }
    }
}

impl Decaying {
    /// The state of a register full of elements after a sweep. What stays has the same bits, also as a `Bf16`.
    #[inline(always)]
    fn swept<const S: usize, T: Element, V: Vector<T>>(self, isa: V::Isa, mut state: [V; S]) -> [V; S] {
        const { assert!(S <= 8, "as many as each! unrolls") };
        let mut rest = V::splat(isa, T::ZERO);
        each!(
            k < S,
            if self.alone >> k & 1 == 1 {
                state[k] = state[k].flush(isa);
                rest = rest + state[k].abs();
            }
        );
        each!(
            k < S,
            if S > 1 && self.after >> k & 1 == 1 {
                // A NaN in the others is no reason to sweep: the comparison is false for it.
                let swept = state[k].flush(isa);
                state[k] = V::splat(isa, T::MIN_POSITIVE).select_gt(rest, swept, state[k]);
            }
        );
        state
    }
}

/// Sweeps the columns of one part.
#[inline(never)]
pub(super) fn sweep<const S: usize, T: Element, M: Stored<T>>(
    level: Level,
    decaying: Decaying,
    state: Streams<'_, S, 0, T, M>,
) {
    level.dispatch(&decaying, Sweep(state));
}
