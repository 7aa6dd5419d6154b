//! The rules' loops over a state in half the memory: those of `loops.rs` between two conversions, four elements a turn.
//!
//! A word holds two numbers. Reading it is a shift and a cleared half. Writing adds the dither of each, which `UXTAH`
//! takes from any half of `u`, and packs the upper halves of both by `PKHTB`. These are instructions of the DSP
//! extension, which each Cortex-M4 and M7 has, and Cortex-M33 with an FPU have in practice.
//!
//! While the loop runs, the FPU makes each NaN the default one, whose rounding is the one that is wanted; other NaNs
//! could wrap around to 0. What may round to infinity leaves the loop before its turn has written anything, and the
//! plain loop goes on from there. Numbers of 2^65 and more are asked no further: all have bits 30 and 29 of their
//! exponent set. Most of the time not even bit 30 is set in any number of the turn, which is asked first.
//! Less than four elements are left to the plain loop too.

use crate::simd::stored::{Bf16, PLACE, Stored};
use crate::simd::sweep::{Assembly, Columns};
use crate::simd::vector::Element;
use core::arch::asm;

/// Four numbers of a column, to registers of the FPU.
macro_rules! load {
    (m) => { load!(@ "m" "s8, s9" "s10, s11") };
    (v) => { load!(@ "v" "s12, s13" "s14, s15") };
    (@ $column:literal $first:literal $second:literal) => {
        concat!(
            "ldr {w0}, [{", $column, "}]\n", "ldr {w1}, [{", $column, "}, #4]\n",
            "lsl r0, {w0}, #16\n", "bfc {w0}, #0, #16\n", "vmov ", $first, ", r0, {w0}\n",
            "lsl r0, {w1}, #16\n", "bfc {w1}, #0, #16\n", "vmov ", $second, ", r0, {w1}\n",
        )
    };
}

/// Two numbers of each column, rounded, to a word of each. Both columns take their dithers from the same `u`.
macro_rules! pair {
    ($first:ident; $k:tt; $word:literal) => {
        concat!(
            "vmov {", $word, "}, r0, ", pair!(@ $first $k), "\n",
            "uxtah {", $word, "}, {", $word, "}, {u}\n", "add {u}, {u}, {place}\n",
            "uxtah r0, r0, {u}\n", "add {u}, {u}, {place}\n",
            "pkhtb {", $word, "}, r0, {", $word, "}, asr #16\n",
        )
    };
    ($first:ident $second:ident; $k:tt; $word:literal $other:literal) => {
        concat!(
            "vmov {", $word, "}, r0, ", pair!(@ $first $k), "\n",
            "vmov {", $other, "}, {b}, ", pair!(@ $second $k), "\n",
            "uxtah {", $word, "}, {", $word, "}, {u}\n",
            "uxtah {", $other, "}, {", $other, "}, {u}, ror #16\n",
            "add {u}, {u}, {place}\n",
            "uxtah r0, r0, {u}\n",
            "uxtah {b}, {b}, {u}, ror #16\n",
            "add {u}, {u}, {place}\n",
            "pkhtb {", $word, "}, r0, {", $word, "}, asr #16\n",
            "pkhtb {", $other, "}, {b}, {", $other, "}, asr #16\n",
        )
    };
    (@ m 0) => { "s8, s9" };
    (@ m 1) => { "s10, s11" };
    (@ v 0) => { "s12, s13" };
    (@ v 1) => { "s14, s15" };
}

/// Whether bits 14 and 13 of a half of any word are set, to r0.
macro_rules! large {
    ($first:literal $($word:literal)*) => {
        concat!(
            "and r0, {", $first, "}, {", $first, "}, lsl #1\n",
            $("and {b}, {", $word, "}, {", $word, "}, lsl #1\n", "orr r0, r0, {b}\n",)*
            "and r0, r0, #0x40004000\n",
        )
    };
}

/// What depends on the number of columns: rounding, the two questions, the words' way to memory, their registers.
macro_rules! columns {
    (round $a:ident) => { concat!(pair!($a; 0; "w0"), pair!($a; 1; "w1")) };
    (round $a:ident $b:ident) => { concat!(pair!($a $b; 0; "w0" "w2"), pair!($a $b; 1; "w1" "w3")) };
    (any $a:ident) => { "orr r0, {w0}, {w1}\n" };
    (any $a:ident $b:ident) => { "orr r0, {w0}, {w1}\n orr r0, r0, {w2}\n orr r0, r0, {w3}\n" };
    (large $a:ident) => { large!("w0" "w1") };
    (large $a:ident $b:ident) => { large!("w0" "w1" "w2" "w3") };
    (store $a:ident) => {
        concat!("str {w0}, [{", stringify!($a), "}], #4\n", "str {w1}, [{", stringify!($a), "}], #4\n")
    };
    (store $a:ident $b:ident) => {
        concat!(
            columns!(store $a),
            "str {w2}, [{", stringify!($b), "}], #4\n", "str {w3}, [{", stringify!($b), "}], #4\n",
        )
    };
}

/// A loop over all elements but the last three at most, and those from a number on that may round to infinity.
macro_rules! run {
    ($range:tt $rule:ident [$a:ident] $($of:ident)*) => { run!(@ $range $rule [$a] [] $($of)*) };
    ($range:tt $rule:ident [$a:ident $b:ident] $($of:ident)*) => {
        run!(@ $range $rule [$a $b] [w2 = out(reg) _, w3 = out(reg) _,] $($of)*)
    };
    (@ ($($range:ident)+) $rule:ident [$($state:ident)*] [$($words:tt)*] $n:ident $u:ident $constants:ident $p:ident $g:ident) => {
        asm!(
            ".cpu cortex-m4", // to the assembler of a Cortex-M33, which may have no DSP extension
            concat!("vldmia {w0}, ", constants!($($range)+)),
            "vmrs r0, fpscr",
            "vmov s27, r0",
            "orr r0, r0, #0x2000000",
            "vmsr fpscr, r0",
            "subs {n}, {n}, #4",
            "blo 3f",
            "2:",
            concat!("vldmia {g}!, {{s4-s7}}\n", $(load!($state),)* "vldmia {p}, {{s0-s3}}"),
            $rule!(half),
            columns!(round $($state)*),
            columns!(any $($state)*),
            "and r0, r0, #0x40004000",
            "cbnz r0, 6f",
            "7:",
            columns!(store $($state)*),
            "vstmia {p}!, {{s0-s3}}",
            "bhs 2b",
            "b 3f",
            "6:",
            columns!(large $($state)*),
            "cbnz r0, 8f",
            "mvn r0, {n}", // the carry of the count once more: whether n is not negative
            "lsls r0, r0, #1",
            "b 7b",
            "8:",
            "add {n}, {n}, #4",
            "3:",
            "vmov r0, s27",
            "vmsr fpscr, r0",
            place = in(reg) PLACE,
            w0 = inout(reg) $constants => _,
            w1 = out(reg) _,
            $($words)*
            b = out(reg) _,
            n = inout(reg) $n,
            u = inout(reg) $u => _,
            p = inout(reg) $p => _,
            g = inout(reg) $g => _,
            $($state = inout(reg) $state => _,)*
            out("r0") _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _,
            out("s21") _, out("s22") _, out("s23") _, out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            out("s28") _, out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        )
    };
}

/// Rules with their columns of state, in the order of their dithers.
///
/// Each loop is a function of its own: it needs every register that LLVM may give away.
macro_rules! rules {
    ($($assembly:ident $range:tt [$($state:ident)*] $rule:ident $($mean:ident)?;)*) => {
        $(
            /// The loop of a rule; returns how many elements it leaves.
            ///
            /// # Safety
            /// Each column has `n` elements.
            #[inline(never)]
            unsafe fn $rule(
                constants: *const f32,
                mut n: usize,
                u: u32,
                p: *mut f32,
                g: *const f32,
                $($state: *mut Bf16,)*
            ) -> usize {
                // SAFETY: a turn counts what it reads and writes.
                unsafe { run!($range $rule [$($state)*] n u constants p g) };
                n.wrapping_add(4) // the loop counts four ahead
            }
        )*

        /// A rule over the first elements, by as many as it returns.
        ///
        /// # Safety
        /// The columns hold `f32`, and those of state [`Bf16`](crate::Bf16).
        #[inline(always)]
        pub(in super::super) unsafe fn halved<const S: usize, const R: usize, T: Element, M: Stored<T>>(
            rule: Assembly,
            columns: &Columns<'_, S, R, T, M>,
        ) -> usize {
            let (p, read, state) = columns.pointers();
            let (n, u) = (columns.len(), columns.dither());
            // SAFETY: each column has n elements.
            let left = unsafe {
                match (rule, &read[..], &state[..]) {
                    $((Assembly::$assembly(constants), &[g], &[$($state),*]) $(if $mean(constants))? => {
                        $rule(constants.as_ptr(), n, u, p.cast(), g.cast(), $($state.cast()),*)
                    })*
                    _ => n,
                }
            };
            n - left
        }
    };
}

rules! {
    Momentum (gain lr) [m] momentum;
    Nesterov (beta lr) [m] nesterov;
    AdaGrad (lr outside) [v] adagrad;
    Adadelta (gain inside) [v m] adadelta;
    RmsProp (gain outside) [v] rmsprop;
    CenteredRmsProp (weight outside) [v m] centered_rmsprop mean;
    RmsPropMomentum (gain share) [v m] rmsprop_momentum;
    Adam (weight outside) [m v] adam mean;
    Adamax (weight lr) [m v] adamax mean;
    Nadam (weight share) [m v] nadam mean;
    RAdam (weight share) [m v] radam mean;
    Lion (weight decay) [m] lion mean;
}

/// Whether a mean has the form `m += weight * (g - m)`, which alone the loop over four knows.
#[inline(always)]
fn mean<const N: usize>(constants: [f32; N]) -> bool {
    constants.first().is_some_and(|weight| *weight > 0.0)
}
