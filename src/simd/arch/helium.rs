//! Loops in assembly for Helium, the vector unit of Cortex-M55 and M85: four numbers per instruction.
//!
//! Helium flushes subnormal operands and results to zero. Where none occurs, a loop has the bits of
//! [`Level::SCALAR`](crate::Level::SCALAR): the rule's own formula, operation by operation, none of
//! them fused. It has no root and no quotient; both are scalar instructions on the quarters of a
//! register. The last turn stores as many elements as are left, so that a bit does not depend on the place
//! of its element.
#![allow(unsafe_code, reason = "assembly")]

use super::blocks::{Folded, Loops};
use super::{Fpu, loops};
use crate::simd::isa::Assembler;
use crate::simd::mask::{Gate, Gated};
use crate::simd::product::Grid;
use crate::simd::stored::Stored;
use crate::simd::sweep::{Assembly, Columns, Rule};
use crate::simd::vector::Element;
use crate::simd::width::Width;
use core::arch::asm;

/// The token of Helium, which a cfg promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Helium;

impl Helium {
    pub(crate) fn detect() -> Option<Self> {
        Some(Self)
    }
}

impl Loops for Helium {
    const FOLD: bool = false;

    #[inline(always)]
    unsafe fn run<const S: usize, const R: usize, T: Element, M: Stored<T>>(
        rule: Assembly,
        _: Folded,
        columns: &Columns<'_, S, R, T, M>,
    ) {
        // SAFETY: the caller vouches for f32.
        unsafe { Self::run_plain(rule, columns) };
    }
    #[inline(always)]
    unsafe fn run_plain<const S: usize, const R: usize, T: Element, M: Stored<T>>(
        rule: Assembly,
        columns: &Columns<'_, S, R, T, M>,
    ) {
        // SAFETY: the caller vouches for f32.
        unsafe { assembled(rule, columns) };
    }
}

impl Assembler for Helium {
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
        unsafe { super::swept::<Self, S, R, T, M, K>(rule, columns) }
    }

    #[inline(always)]
    fn masked<'a, 'm, const R: usize, T: Element, G: Gate<R, T>>(
        self,
        gate: &G,
        mask: &'m [u32],
        columns: Gated<'a, R, T>,
    ) -> (&'m [u32], Gated<'a, R, T>) {
        Fpu.masked(gate, mask, columns)
    }

    #[inline(always)]
    fn product<T: Element>(self, grid: Grid<T>) -> Grid<T> {
        Fpu.product(grid)
    }
}

/// A loop over `$n` elements, four a turn. The first three constants go to q5, q6 and q7, one to
/// each register that is named.
///
/// The assembler is told the processor here, so that a program for any ARMv8-M may hold the loop.
macro_rules! assembly {
    (
        $n:ident, $constants:ident, [$($constant:ident)*];
        $($text:expr),+;
        $($name:ident),+
    ) => {
        asm!(
            ".cpu cortex-m55",
            "ldr lr, [{constants}], #4", "vdup.32 q5, lr",
            "ldr lr, [{constants}], #4", "vdup.32 q6, lr",
            "ldr lr, [{constants}], #4", "vdup.32 q7, lr",
            $(concat!("ldr {", stringify!($constant), "}, [{constants}], #4"),)*
            "wlstp.32 lr, {n}, 3f",
            "2:",
            $($text,)+
            "letp lr, 2b",
            "3:",
            n = in(reg) $n,
            constants = inout(reg) $constants.as_ptr() => _,
            $($constant = out(reg) _,)*
            $($name = inout(reg) $name => _,)+
            out("lr") _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _,
            out("s13") _, out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _,
            out("s19") _, out("s20") _, out("s21") _, out("s22") _, out("s23") _, out("s24") _,
            out("s25") _, out("s26") _, out("s27") _, out("s28") _, out("s29") _, out("s30") _,
            out("s31") _,
            options(nostack),
        )
    };
}

/// The roots of q4.
macro_rules! sqrt {
    () => {
        "vsqrt.f32 s16, s16\n vsqrt.f32 s17, s17\n vsqrt.f32 s18, s18\n vsqrt.f32 s19, s19\n"
    };
}

/// `q1 = q1 / q4`.
macro_rules! divide {
    () => {
        "vdiv.f32 s4, s4, s16\n vdiv.f32 s5, s5, s17\n vdiv.f32 s6, s6, s18\n vdiv.f32 s7, s7, s19\n"
    };
}

/// Does all elements: in Helium, or in the loop of the FPU where the rule has no other.
///
/// # Safety
/// The columns hold `f32`.
#[inline(always)]
unsafe fn assembled<const S: usize, const R: usize, T: Element, M: Stored<T>>(
    rule: Assembly,
    columns: &Columns<'_, S, R, T, M>,
) {
    let (p, read, state) = columns.pointers();
    let n = columns.len();
    // SAFETY: n is the length of every column of f32, and no loop touches more elements.
    unsafe {
        match (rule, &read[..], &state[..]) {
            // v = rho * v + gain * g; p -= lr * v
            (Assembly::Momentum([gain, rho, lr]), &[g], &[v]) => {
                let c = [rho, gain, lr];
                assembly!(
                    n, c, [];
                    "vldrw.32 q1, [{g}], #16", "vldrw.32 q2, [{v}]", "vldrw.32 q0, [{p}]",
                    "vmul.f32 q2, q2, q5", // rho * v
                    "vmul.f32 q1, q1, q6", // gain * g
                    "vadd.f32 q2, q2, q1",
                    "vmul.f32 q1, q2, q7", // lr * v
                    "vsub.f32 q0, q0, q1",
                    "vstrw.32 q2, [{v}], #16", "vstrw.32 q0, [{p}], #16";
                    p, g, v
                );
            }
            // s = rho * s + gain * g * g; p -= lr * g / (sqrt(s + inside) + outside)
            (Assembly::RmsProp([gain, rho, lr, inside, outside]), &[g], &[s]) => {
                let c = [rho, gain, inside, outside, lr];
                assembly!(
                    n, c, [outside lr];
                    "vldrw.32 q1, [{g}], #16", "vldrw.32 q2, [{s}]", "vldrw.32 q0, [{p}]",
                    "vmul.f32 q4, q1, q6", // gain * g
                    "vmul.f32 q2, q2, q5", // rho * s
                    "vmul.f32 q4, q4, q1", // (gain * g) * g
                    "vadd.f32 q2, q2, q4",
                    "vadd.f32 q4, q2, q7", // s + inside
                    sqrt!(),
                    "vmul.f32 q1, q1, {lr}",
                    "vadd.f32 q4, q4, {outside}",
                    divide!(),
                    "vsub.f32 q0, q0, q1",
                    "vstrw.32 q2, [{s}], #16", "vstrw.32 q0, [{p}], #16";
                    p, g, s
                );
            }
            // m += weight * (g - m); v = beta * v + gain * g * g; p -= lr * m / (sqrt(v + inside) + outside)
            (Assembly::Adam([weight, gain, beta, lr, inside, outside]), &[g], &[m, v]) if weight > 0.0 => {
                let c = [weight, beta, gain, inside, outside, lr];
                assembly!(
                    n, c, [inside outside lr];
                    "vldrw.32 q1, [{g}], #16", "vldrw.32 q3, [{v}]", "vldrw.32 q2, [{m}]", "vldrw.32 q0, [{p}]",
                    "vmul.f32 q4, q1, q7",       // gain * g
                    "vmul.f32 q3, q3, q6",       // beta * v
                    "vmul.f32 q4, q4, q1",       // (gain * g) * g
                    "vadd.f32 q3, q3, q4",
                    "vadd.f32 q4, q3, {inside}",
                    sqrt!(),
                    "vsub.f32 q1, q1, q2",       // g - m
                    "vmul.f32 q1, q1, q5",       // weight * (g - m)
                    "vadd.f32 q2, q2, q1",
                    "vmul.f32 q1, q2, {lr}",
                    "vadd.f32 q4, q4, {outside}",
                    divide!(),
                    "vsub.f32 q0, q0, q1",
                    "vstrw.32 q3, [{v}], #16", "vstrw.32 q2, [{m}], #16", "vstrw.32 q0, [{p}], #16";
                    p, g, m, v
                );
            }
            _ => loops::plain(rule, columns),
        }
    }
}
