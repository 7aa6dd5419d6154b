//! Whole slices from [`Bf16`] and back: for gradients in half the memory.
#![allow(unsafe_code, reason = "pointers")]

use super::exec::Exec;
use super::isa::{Isa, Kernel};
use super::stored::{Bf16, Stored};
use super::vector::{Memory, Vector};

/// The column of a dither that belongs to sums of gradients.
const SUMS: usize = 3;

/// Reads the first numbers of `from`, as many as `to` has room for.
pub(crate) fn widen(exec: Exec, from: &[Bf16], to: &mut [f32]) {
    let n = if from.len() < to.len() { from.len() } else { to.len() };
    exec.level().dispatch(&(), Widen { from: from.as_ptr(), to: to.as_mut_ptr(), n });
}

/// Writes sums of gradients, rounded by the dither of pass `t`, the first of them element `first` of its tensor.
pub(crate) fn round_sums(exec: Exec, from: &[f32], to: &mut [Bf16], [t, first]: [u32; 2]) {
    let n = if from.len() < to.len() { from.len() } else { to.len() };
    let dither = <Bf16 as Stored>::dither(t, first);
    exec.level().dispatch(&(), Round { from: from.as_ptr(), to: to.as_mut_ptr(), n, dither });
}

/// `n` numbers of each.
struct Widen {
    from: *const Bf16,
    to: *mut f32,
    n: usize,
}

impl Kernel<()> for Widen {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, (): &()) {
        let Self { from, to, n } = self;
        let (width, mut i) = (<I::Halves as Vector>::WIDTH, 0);
        while n - i >= width {
            // SAFETY: the loop condition gives i + WIDTH <= n, which both slices have.
            unsafe { Bf16::load::<I::Halves>(isa, from.add(i)).store(to.add(i)) };
            i += width;
        }
        if width > 1 && i < n {
            // SAFETY: fewer than WIDTH numbers are left.
            unsafe {
                Bf16::load_partial::<I::Halves>(isa, from.add(i), n - i).store_partial(to.add(i), n - i);
            };
        }
    }
}

/// `n` numbers of each; the first has `dither`.
struct Round {
    from: *const f32,
    to: *mut Bf16,
    n: usize,
    dither: u32,
}

impl Kernel<()> for Round {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, (): &()) {
        let Self { from, to, n, dither } = self;
        let (width, mut i) = (<I::Halves as Vector>::WIDTH, 0);
        while n - i >= width {
            // SAFETY: the loop condition gives i + WIDTH <= n, which both slices have.
            unsafe {
                Bf16::store(I::Halves::load(isa, from.add(i)), to.add(i), Bf16::ahead(dither, i), SUMS);
            };
            i += width;
        }
        if width > 1 && i < n {
            // SAFETY: fewer than WIDTH numbers are left.
            unsafe {
                let x = I::Halves::load_partial(isa, from.add(i), n - i);
                Bf16::store_partial(x, to.add(i), n - i, Bf16::ahead(dither, i), SUMS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    /// Every number that a bf16 holds, and numbers of every exponent between them, at every level and length.
    #[test]
    fn both_ways_are_the_definition_at_every_level() {
        let halves: Vec<Bf16> = (0..=u16::MAX).map(Bf16::from_bits).collect();
        let numbers: Vec<f32> = (0..=u16::MAX)
            .map(|k| f32::from_bits(u32::from(k) << 16 | u32::from(k).wrapping_mul(40_503) & 0xFFFF))
            .collect();
        for level in Level::available() {
            let mut wide = vec![0.0; halves.len()];
            widen(level.into(), &halves, &mut wide);
            for (x, half) in wide.iter().zip(&halves) {
                assert_eq!(x.to_bits(), u32::from(half.to_bits()) << 16, "{level}");
            }
            for t in [1, 31, 32, 1 << 20] {
                for first in [0, 5] {
                    let mut sums = vec![Bf16::default(); numbers.len()];
                    round_sums(level.into(), &numbers, &mut sums, [t, first]);
                    for ((x, sum), i) in numbers.iter().zip(&sums).zip(first..) {
                        let u = <Bf16 as Stored>::dither(t, i);
                        assert_eq!(
                            *sum,
                            Bf16::dithered(*x, u.rotate_left(8) & 0xFFFF),
                            "{level} {t} {i} {x:e}"
                        );
                    }
                }
            }
            for n in 0..67 {
                let (mut wide, mut sums) = ([7.0; 67], [Bf16::from_bits(7); 67]);
                widen(level.into(), &halves[0x3F80..][..n], &mut wide);
                round_sums(level.into(), &wide[..n], &mut sums, [3, 0]);
                assert_eq!(sums[..n], halves[0x3F80..][..n], "{level} {n}");
                assert!(wide[n..].iter().all(|x| *x == 7.0) && sums[n..].iter().all(|x| x.to_bits() == 7));
            }
        }
    }
}
