//! Loops in assembly for the single-precision FPU of Cortex-M4F, M7 and M33.
//!
//! LLVM moves one number per instruction, and takes the operand of a square root through the core
//! registers. VLDM and VSTM move several numbers, and VSQRT needs no move. A loop computes its rule's
//! own formula, operation by operation: VMLA and VMLS round the product before they add it, so that
//! the bits are those of [`Level::SCALAR`](crate::Level::SCALAR).
#![allow(unsafe_code, reason = "assembly")]

use crate::simd::isa::{Assembler, Kernel};
use crate::simd::mask::{Gate, Gated};
use crate::simd::product::Grid;
use crate::simd::stored::Stored;
use crate::simd::sweep::{Assembly, Columns, Rule};
use crate::simd::vector::{Element, Plain};
use crate::simd::width::Width;
use core::arch::asm;

#[macro_use]
mod statements;

mod blocks;
#[cfg(gradus_level = "helium")]
mod helium;
mod loops;
mod products;

use blocks::{Folded, Loops, transformed};

/// The token of the FPU, which a hard-float target has at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fpu;

impl Fpu {
    pub(crate) fn detect() -> Option<Self> {
        Some(Self)
    }
}

impl Loops for Fpu {
    const FOLD: bool = true;

    #[inline(always)]
    unsafe fn run<const S: usize, const R: usize, T: Element, M: Stored<T>>(
        rule: Assembly,
        folded: Folded,
        columns: &Columns<'_, S, R, T, M>,
    ) {
        // SAFETY: the caller vouches for f32.
        unsafe { loops::folded(rule, folded, columns) };
    }
    #[inline(always)]
    unsafe fn run_plain<const S: usize, const R: usize, T: Element, M: Stored<T>>(
        rule: Assembly,
        columns: &Columns<'_, S, R, T, M>,
    ) {
        // SAFETY: the caller vouches for f32.
        unsafe { loops::plain(rule, columns) };
    }
}

/// Whether the columns of state take half the memory.
#[inline(always)]
const fn halves<const S: usize, T, M>() -> bool {
    S > 0 && size_of::<M>() < size_of::<T>()
}

/// All elements in assembly, or none where the rule has no loop.
///
/// # Safety
/// The columns hold `f32`.
#[inline(always)]
unsafe fn swept<
    'a,
    L: Loops,
    const S: usize,
    const R: usize,
    T: Element,
    M: Stored<T>,
    K: Rule<R, T, Columns = Width<S>>,
>(
    rule: &K,
    columns: Columns<'a, S, R, T, M>,
) -> Columns<'a, S, R, T, M> {
    if size_of::<T>() != size_of::<f32>() {
        return columns;
    }
    if K::TRANSFORMED {
        // SAFETY: elements have the size of f32, and the caller vouches for the rest.
        return unsafe { transformed::<L, S, R, T, M, K>(rule, columns) };
    }
    match rule.assembly() {
        // SAFETY: elements have the size of f32, and the caller vouches for the rest.
        Some(assembly) if halves::<S, T, M>() => unsafe {
            let done = loops::halved(assembly, &columns);
            columns.split_at(done).1
        },
        Some(assembly) => {
            // SAFETY: elements have the size of f32, and the caller vouches for the rest.
            unsafe { L::run_plain(assembly, &columns) };
            let n = columns.len();
            columns.split_at(n).1
        }
        None => columns,
    }
}

impl Assembler for Fpu {
    #[inline(always)]
    fn sweep<
        'a,
        const S: usize,
        const R: usize,
        T: Element,
        M: Stored<T>,
        K: Rule<R, T, Columns = Width<S>>,
    >(
        self,
        rule: &K,
        columns: Columns<'a, S, R, T, M>,
    ) -> Columns<'a, S, R, T, M> {
        // SAFETY: of other sizes there is no loop.
        unsafe { swept::<Self, S, R, T, M, K>(rule, columns) }
    }

    #[inline(always)]
    fn masked<'a, 'm, const R: usize, T: Element, G: Gate<R, T>>(
        self,
        gate: &G,
        mask: &'m [u32],
        columns: Gated<'a, R, T>,
    ) -> (&'m [u32], Gated<'a, R, T>) {
        if let Some(factor) = gate.factor()
            && size_of::<T>() == size_of::<f32>()
            && let Some((words, others)) = mask.split_at_checked(columns.len() / 32)
        {
            let (whole, rest) = columns.split_at(32 * words.len());
            let (from, to) = whole.pointers();
            // SAFETY: both hold 32 numbers of f32 for each word.
            unsafe { keep(factor, words, from, to) };
            return (others, rest);
        }
        (mask, columns)
    }

    #[inline(always)]
    fn product<T: Element>(self, mut grid: Grid<T>) -> Grid<T> {
        if size_of::<T>() == size_of::<f32>() {
            // SAFETY: a grid fits; elements have the size of f32.
            let n = unsafe { products::columns(&grid) };
            grid.cols -= n;
            grid.skip_columns(n);
        }
        grid
    }
}

#[cfg(gradus_level = "helium")]
use helium::Helium;
#[cfg(gradus_level = "helium")]
native! {
    Helium 16 "helium",
    Fpu 4 "fpu",
}
#[cfg(not(gradus_level = "helium"))]
native! {
    Fpu 4 "fpu",
}

impl Native {
    /// The loop on plain numbers is there once: behind the assembly of any set, and without.
    #[inline(always)]
    pub(crate) fn dispatch<F, K: Kernel<F>>(self, formula: &F, kernel: K) -> K::Out {
        let rest = match self {
            #[cfg(gradus_level = "helium")]
            Self::Helium(helium) => kernel.assemble(helium, formula),
            Self::Fpu(fpu) => kernel.assemble(fpu, formula),
            Self::Plain(_) => kernel,
        };
        rest.run(Plain, formula)
    }
}

pub(crate) const WIDE: bool = false;
pub(crate) const PRODUCTS: bool = true;
#[inline(always)]
pub(crate) fn prefetch<T>(_: *const T) {}

/// `keep ? x * s16 : s17` for four numbers by the four bits in `{nibble}`: a jump to one of sixteen pieces
/// of four operations, 18 bytes each, behind a table of their distances in half-words.
macro_rules! four {
    ($a:literal $b:literal $c:literal $d:literal) => {
        concat!(
            "tbb [pc, {nibble}]\n",
            ".byte 8, 17, 26, 35, 44, 53, 62, 71, 80, 89, 98, 107, 116, 125, 134, 143\n",
            piece!(0 $a, 0 $b, 0 $c, 0 $d), piece!(1 $a, 0 $b, 0 $c, 0 $d), piece!(0 $a, 1 $b, 0 $c, 0 $d), piece!(1 $a, 1 $b, 0 $c, 0 $d),
            piece!(0 $a, 0 $b, 1 $c, 0 $d), piece!(1 $a, 0 $b, 1 $c, 0 $d), piece!(0 $a, 1 $b, 1 $c, 0 $d), piece!(1 $a, 1 $b, 1 $c, 0 $d),
            piece!(0 $a, 0 $b, 0 $c, 1 $d), piece!(1 $a, 0 $b, 0 $c, 1 $d), piece!(0 $a, 1 $b, 0 $c, 1 $d), piece!(1 $a, 1 $b, 0 $c, 1 $d),
            piece!(0 $a, 0 $b, 1 $c, 1 $d), piece!(1 $a, 0 $b, 1 $c, 1 $d), piece!(0 $a, 1 $b, 1 $c, 1 $d), piece!(1 $a, 1 $b, 1 $c, 1 $d),
            "4:"
        )
    };
}

/// The operations for one pattern of bits, and the way out.
macro_rules! piece {
    (0 $x:literal) => { concat!("vmov.f32 ", $x, ", s17\n") };
    (1 $x:literal) => { concat!("vmul.f32 ", $x, ", ", $x, ", s16\n") };
    ($($bit:tt $x:literal),+) => { concat!($(piece!($bit $x),)+ "b.n 4f\n") };
}

/// `keep ? x * factor : 0`, eight numbers to a load, four to a jump.
///
/// # Safety
/// `from` is valid for reads of 32 elements of f32 for each word, `to` for writes.
#[inline(always)]
unsafe fn keep<T: Element>(factor: T, words: &[u32], from: *const T, to: *mut T) {
    if words.is_empty() {
        return;
    }
    // SAFETY: each of the turns reads one word and 32 elements, and writes as many.
    unsafe {
        asm!(
            "vldr s16, [{word}]",
            "vmov s17, {nibble}",
            "2:",
            "ldr {word}, [{mask}], #4",
            "mov {bytes}, #4",
            "3:",
            "vldmia {from}!, {{s0-s7}}",
            "and {nibble}, {word}, #15",
            four!("s0" "s1" "s2" "s3"),
            "ubfx {nibble}, {word}, #4, #4",
            four!("s4" "s5" "s6" "s7"),
            "lsr {word}, {word}, #8",
            "vstmia {to}!, {{s0-s7}}",
            "subs {bytes}, #1",
            "bne 3b",
            "subs {turns}, #1",
            "bne 2b",
            turns = inout(reg) words.len() => _,
            mask = inout(reg) words.as_ptr() => _,
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            word = inout(reg) &raw const factor => _,
            nibble = inout(reg) 0 => _,
            bytes = out(reg) _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s16") _, out("s17") _,
            options(nostack),
        );
    }
}
