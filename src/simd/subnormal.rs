//! Running averages that have decayed below the normal numbers become 0.
//!
//! Where gradients stay 0, a running average decays until rounding no longer changes it, and stays subnormal from then
//! on: `0.9 * 6e-45` rounds to `6e-45`. Most CPUs compute subnormals in microcode, ten times as slowly. After every
//! [`PERIOD`]th step a second pass therefore ends them, by definition on every target.

use super::level::Level;
use super::reduce::{Block, Fold};
use super::streams::Streams;
use super::vector::{Element, Vector};

/// Steps from one sweep to the next.
pub(crate) const PERIOD: u32 = 64;

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

impl<const S: usize, T: Element> Fold<0, S, 0, T> for Decaying {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        _: [V; 0],
        _: [V; 0],
        mut state: [V; S],
    ) -> ([V; 0], [V; S]) {
        let zero = V::splat(isa, T::ZERO);
        let mut rest = zero;
        let mut k = 0;
        while k < S {
            if self.alone >> k & 1 == 1 {
                state[k] = state[k].flush(isa);
                rest = rest + state[k].abs();
            }
            k += 1;
        }
        k = 0;
        while k < S {
            if self.after >> k & 1 == 1 {
                // A NaN in the others is no reason to sweep: the comparison is false for it.
                let swept = state[k].flush(isa);
                state[k] = V::splat(isa, T::MIN_POSITIVE).select_gt(rest, swept, state[k]);
            }
            k += 1;
        }
        ([], state)
    }
}

/// Sweeps the columns of one part.
#[inline(never)]
pub(super) fn sweep<const S: usize, T: Element>(level: Level, columns: Decaying, state: Streams<'_, S, 0, T>) {
    level.dispatch(&columns, Block::<0, S, 0, T>(state));
}
