//! Loops in assembly for the single-precision FPU of Cortex-M4F, M7 and M33.
//!
//! LLVM moves one number per instruction, and takes the operand of a square root through the core
//! registers. VLDM and VSTM move several numbers, and VSQRT needs no move. A loop computes its rule's
//! own formula, operation by operation: VMLA and VMLS round the product before they add it, so that
//! the bits are those of [`Level::SCALAR`](crate::Level::SCALAR).
#![allow(unsafe_code)]

use crate::simd::isa::{Assembler, Kernel};
use crate::simd::mask::{Gate, Gated};
use crate::simd::stored::Stored;
use crate::simd::sweep::{Assembly, Columns, Rule};
use crate::simd::vector::{Element, Plain};
use crate::simd::width::Width;
use core::arch::asm;

#[cfg(gradus_level = "helium")]
mod helium;

/// The token of the FPU, which a hard-float target has at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fpu;

impl Fpu {
    pub fn detect() -> Option<Self> {
        Some(Self)
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
        match rule.assembly() {
            Some(assembly) if size_of::<T>() == size_of::<f32>() && size_of::<M>() == size_of::<f32>() => {
                assembled(assembly, columns)
            }
            _ => columns,
        }
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
    pub fn dispatch<F, K: Kernel<F>>(self, formula: &F, kernel: K) -> K::Out {
        let rest = match self {
            #[cfg(gradus_level = "helium")]
            Self::Helium(helium) => kernel.assemble(helium, formula),
            Self::Fpu(fpu) => kernel.assemble(fpu, formula),
            Self::Plain(_) => kernel,
        };
        rest.run(Plain, formula)
    }
}

pub const WIDE: bool = false;
#[inline(always)]
pub fn prefetch<T>(_: *const T) {}

/// A loop over `$count` times as many elements as its text handles. Constants go to s16 and up;
/// each read column is loaded and passed, each updated column loaded, stored and passed.
macro_rules! assembly {
    (
        $count:ident, $constants:ident in $last:literal,
        $($text:expr),+;
        $($name:ident),+
    ) => {
        asm!(
            concat!("vldmia {constants}, {{s16-", $last, "}}"),
            "2:",
            $($text,)+
            "subs {count}, #1",
            "bne 2b",
            count = inout(reg) $count => _,
            constants = in(reg) $constants.as_ptr(),
            $($name = inout(reg) $name => _,)+
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _,
            out("s13") _, out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _,
            out("s19") _, out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            options(nostack),
        )
    };
}

/// Instructions on numbers: operation, result, operands.
macro_rules! code {
    ($($operation:ident $to:ident $a:ident $($b:ident)?;)*) => {
        concat!($(
            stringify!($operation), ".f32 ", stringify!($to), ", ", stringify!($a), $(", ", stringify!($b),)? "\n",
        )*)
    };
}

/// `v = rho * v + gain * g; p -= lr * v`.
macro_rules! momentum {
    ($p:ident $g:ident $v:ident) => {
        code! {
            vmul $v $v s16; // rho * v
            vmla $v $g s17; // + gain * g
            vmls $p $v s18; // p - lr * v
        }
    };
}

/// `s = rho * s + gain * g * g; p -= lr * g / (sqrt(s + inside) + outside)`.
macro_rules! rmsprop {
    ($p:ident $g:ident $s:ident $t:ident) => {
        code! {
            vmul $t $g s17; // gain * g
            vmul $s $s s16; // rho * s
            vmla $s $t $g;  // + (gain * g) * g
            vadd $t $s s18; // s + inside
            vsqrt $t $t;
            vmul $g $g s20; // lr * g
            vadd $t $t s19; // + outside
            vdiv $t $g $t;
            vsub $p $p $t;
        }
    };
}

/// `m += weight * (g - m); v = beta2 * v + gain2 * g * g; p -= lr * m / (sqrt(v + inside) + outside)`.
macro_rules! adam {
    ($p:ident $g:ident $m:ident $v:ident $t:ident) => {
        code! {
            vmul $t $g s18; // gain2 * g
            vmul $v $v s17; // beta2 * v
            vmla $v $t $g;  // + (gain2 * g) * g
            vadd $t $v s19; // v + inside
            vsqrt $t $t;
            vsub $g $g $m;  // g - m
            vmla $m $g s16; // m + weight * (g - m)
            vmul $g $m s21; // lr * m
            vadd $t $t s20; // + outside
            vdiv $t $g $t;
            vsub $p $p $t;
        }
    };
}

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

/// Does the elements that fill a turn of the loop, and returns the others.
#[inline(always)]
fn assembled<'a, const S: usize, const R: usize, T: Element, M: Stored<T>>(
    assembly: Assembly,
    columns: Columns<'a, S, R, T, M>,
) -> Columns<'a, S, R, T, M> {
    let (p, read, state) = columns.pointers();
    let n = columns.len();
    let turns = match assembly {
        Assembly::Momentum(_) => n / 4,
        Assembly::RmsProp(_) | Assembly::Adam(_) => n / 2,
    };
    if turns == 0 {
        return columns;
    }
    // SAFETY: turns times the elements of a turn are at most the length of every column of f32.
    let done = unsafe {
        match (assembly, &read[..], &state[..]) {
            (Assembly::Momentum(c), &[g], &[v]) => {
                assembly!(turns, c in "s18",
                    "vldmia {g}!, {{s4-s7}}", "vldmia {v}, {{s8-s11}}", "vldmia {p}, {{s0-s3}}",
                    momentum!(s0 s4 s8), momentum!(s1 s5 s9),
                    momentum!(s2 s6 s10), momentum!(s3 s7 s11),
                    "vstmia {v}!, {{s8-s11}}", "vstmia {p}!, {{s0-s3}}";
                    p, g, v
                );
                turns * 4
            }
            (Assembly::RmsProp(c), &[g], &[s]) => {
                assembly!(turns, c in "s20",
                    "vldmia {g}!, {{s2-s3}}", "vldmia {s}, {{s4-s5}}", "vldmia {p}, {{s0-s1}}",
                    rmsprop!(s0 s2 s4 s6), rmsprop!(s1 s3 s5 s6),
                    "vstmia {s}!, {{s4-s5}}", "vstmia {p}!, {{s0-s1}}";
                    p, g, s
                );
                turns * 2
            }
            (Assembly::Adam(c), &[g], &[m, v]) => {
                assembly!(turns, c in "s21",
                    "vldmia {g}!, {{s2-s3}}", "vldmia {v}, {{s6-s7}}", "vldmia {m}, {{s4-s5}}",
                    "vldmia {p}, {{s0-s1}}",
                    adam!(s0 s2 s4 s6 s8), adam!(s1 s3 s5 s7 s8),
                    "vstmia {v}!, {{s6-s7}}", "vstmia {m}!, {{s4-s5}}", "vstmia {p}!, {{s0-s1}}";
                    p, g, m, v
                );
                turns * 2
            }
            _ => return columns,
        }
    };
    columns.split_at(done).1
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
        )
    }
}
