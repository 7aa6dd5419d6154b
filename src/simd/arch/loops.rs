//! The rules' loops in assembly for the single-precision FPU of Cortex-M4F, M7 and M33.
//!
//! A rule is written as its formula, a statement an operation. Each statement becomes one instruction for each of four
//! elements, so that no instruction waits for the one before it: a result can be used one cycle later at the earliest.
//! What is left of four is done one by one, by the same statements.
//!
//! `to += a * b` is VMUL and VADD, two cycles, where VMLA takes three on Cortex-M4 and M33. Both round the product
//! before they add it. `--cfg gradus_level="m7"` says that the processor is a Cortex-M7, where VMLA is faster.

use super::blocks::Folded;
use crate::simd::stored::Stored;
use crate::simd::sweep::{Assembly, Columns};
use crate::simd::vector::Element;
use core::arch::asm;

macro_rules! sgd {
    ($n:tt) => {
        formula! { $n; count; p -= g * lr in g; }
    };
}
macro_rules! momentum {
    ($n:tt) => {
        formula! { $n; count; m = m * beta; m += g * gain in g; p -= m * lr in g; }
    };
}
macro_rules! nesterov {
    ($n:tt) => {
        formula! { $n; count; m = m * beta; m = m + g; g += m * beta in t; p -= g * lr in g; }
    };
}
/// The quotient by the root of `v`: `p -= g / (sqrt(v + inside) + outside)`.
macro_rules! divided {
    ($n:tt) => {
        formula! { $n;
            t = v + inside; t = sqrt t; t = t + outside;
            t = g / t;
            count;
            p = p - t;
        }
    };
}
macro_rules! adagrad {
    ($n:tt) => {
        concat!(formula! { $n; v += g * g in t; g = g * lr; }, divided!($n))
    };
}
/// A mean of squares: `v = beta * v + (gain * g) * g`.
macro_rules! square {
    ($n:tt) => {
        formula! { $n; t = g * gain; v = v * beta; v += t * g in t; }
    };
}
macro_rules! rmsprop {
    ($n:tt) => {
        concat!(square!($n), formula! { $n; g = g * lr; }, divided!($n))
    };
}
/// The velocity stands in `m`, its share in `share`.
macro_rules! rmsprop_momentum {
    ($n:tt) => {
        concat!(
            square!($n),
            formula! { $n;
                t = v + inside; t = sqrt t; t = t + outside;
                t = g / t;
                count;
                m = m * share; m = m + t;
                p -= m * lr in g;
            }
        )
    };
}
/// A mean: `m += weight * (g - m)`, or `m = g + weight * (g - m)` where the weight is not above 0.
///
/// The loop over four knows the first form alone. With the second all elements go through the other loop. As a word the
/// weight is above 0 where the number is; the register that the constants came by takes it.
macro_rules! mean {
    (1) => {
        concat!(
            formula! { 1; t = g - m; t = t * weight; },
            "vmov {constants}, s20\n cmp {constants}, #0\n ite gt\n",
            each!(1 "vaddgt" m m t), each!(1 "vaddle" m g t),
        )
    };
    ($n:tt) => {
        formula! { $n; t = g - m; m += t * weight in t; }
    };
}
/// What stands in front of the loop over four: nothing, or the question for the form of a mean.
macro_rules! enter {
    () => {
        ""
    };
    (mean) => {
        "vmov {constants}, s20\n cmp {constants}, #0\n ble 3f"
    };
}
macro_rules! amsgrad {
    ($n:tt) => {
        concat!(
            mean!($n),
            square!($n),
            formula! { $n;
                store v; load x;
                t = max v;
                store x;
                g = m * lr; t = t + inside; t = sqrt t; t = t + outside;
                t = g / t;
                count;
                p = p - t;
            }
        )
    };
}
/// Without a share of the second moment the denominator is 1: `p -= g`.
macro_rules! radam {
    ($n:tt) => {
        concat!(
            mean!($n),
            square!($n),
            formula! { $n; g = m * lr; },
            "vcmp.f32 s26, #0\n vmrs APSR_nzcv, fpscr\n beq 8f\n",
            formula! { $n; t = v + inside; t = sqrt t; t = t + outside; g = g / t; },
            "8:\n",
            formula! { $n; count; p = p - g; }
        )
    };
}
/// The largest gradient stands in `v`, its stabiliser in `floor`.
macro_rules! adamax {
    ($n:tt) => {
        concat!(
            mean!($n),
            formula! { $n;
                g = abs g; v = v * beta; g = g + floor; t = m * lr;
                v = max g;
                t = t / v;
                count;
                p = p - t;
            }
        )
    };
}
/// The mean square of steps stands in `m`, the stabiliser of both in `inside`.
macro_rules! adadelta {
    (half) => { concat!(square!(half), adadelta!(half u)) };
    ($n:tt) => { concat!(square!($n), formula! { $n; store v; }, adadelta!($n v)) };
    ($n:tt $other:ident) => {
        formula! { $n;
            t = m + inside; $other = v + inside; t = sqrt t; $other = sqrt $other;
            t = t / $other;
            count;
            t = t * g; m = m * beta;
            g = t * gain; g = g * t; m = m + g;
            p -= t * lr in t;
        }
    };
}
/// The mean stands in `m`, the variance about it in `t`, and then its root.
macro_rules! centered {
    ($n:tt) => {
        concat!(
            square!($n),
            mean!($n),
            formula! { $n; t = m * m; t = v - t; t = max 0; t = t + inside; t = sqrt t; t = t + outside; }
        )
    };
}
macro_rules! centered_rmsprop {
    ($n:tt) => {
        concat!(centered!($n), formula! { $n; g = g * lr; t = g / t; count; p = p - t; })
    };
}
/// The velocity comes where the mean was.
macro_rules! centered_rmsprop_momentum {
    ($n:tt) => {
        concat!(
            centered!($n),
            formula! { $n; store m; load w; t = g / t; count; m = m * share; m = m + t; store w; p -= m * lr in g; }
        )
    };
}
/// Without a decay above 0 nothing is added: 0 times an infinite parameter is NaN.
macro_rules! lion {
    ($n:tt) => {
        concat!(
            formula! { $n; t = m * beta; t += g * gain in v; t = sign; },
            "vcmp.f32 s24, #0\n vmrs APSR_nzcv, fpscr\n ble 8f\n",
            formula! { $n; v = p * decay; t = t + v; },
            "8:\n",
            formula! { $n; p -= t * lr in t; },
            mean!($n),
            formula! { $n; count; }
        )
    };
}

/// The registers of constants, from the first to the last.
macro_rules! constants {
    ($first:ident $last:ident) => { concat!("{{", register!($first 0), "-", register!($last 0), "}}") };
}
macro_rules! adam {
    ($n:tt) => {
        concat!(mean!($n), square!($n), formula! { $n; g = m * lr; }, divided!($n))
    };
}
macro_rules! nadam {
    ($n:tt) => {
        concat!(mean!($n), square!($n), formula! { $n; g = g * lr; t = m * share; g = g + t; }, divided!($n))
    };
}

/// What acts in front of a rule: nothing, or `g = scale * g` and `g += slope * p`.
///
/// The second is there where r2 is not 0: a slope of 0 would turn an infinite parameter into NaN.
macro_rules! before {
    (plain $n:tt) => { "" };
    (folded $n:tt) => {
        concat!(formula!($n; g = g * scale;), "cbz r2, 6f\n", formula!($n; g += p * slope in t;), "6:\n")
    };
}

/// The constants of what acts around a rule, which stand behind its own.
macro_rules! around {
    (plain) => { "" };
    (folded) => { concat!("vldmia {constants}, ", constants!(scale loss)) };
}

/// What acts behind it: nothing, or `p = new - loss * old` where r3 is not 0.
macro_rules! after {
    (plain $n:tt) => { "" };
    (folded $n:tt) => { concat!("cbz r3, 7f\n", formula!($n; load old; p -= g * loss in g;), "7:\n") };
}

/// A loop over all elements: four a turn, then what is left of four.
macro_rules! run {
    (plain $($of:tt)*) => { run!(@ plain [] $($of)*) };
    (folded $folded:ident $($of:tt)*) => {
        run!(@ folded [in("r2") $folded.slope.to_bits(), in("r3") $folded.loss.to_bits(),] $($of)*)
    };
    (@ $kind:ident [$($operand:tt)*] $rule:ident ($($mean:ident)?) ($first:ident $last:ident)
        [$($state:ident)*] [$($load:ident)*] [$($store:ident)*] $n:ident $constants:ident $p:ident $g:ident) => {
        asm!(
            concat!("vldmia {constants}!, ", constants!($first $last)),
            around!($kind),
            "subs {n}, {n}, #4",
            "blo 3f",
            enter!($($mean)?),
            "2:",
            formula!(4; load g; $(load $load;)* load p;),
            before!($kind 4), $rule!(4), after!($kind 4),
            formula!(4; $(store $store;)* store p;),
            "bhs 2b",
            "3:",
            "adds {n}, {n}, #4",
            "beq 5f",
            "4:",
            formula!(1; load g; $(load $load;)* load p;),
            before!($kind 1), $rule!(1), after!($kind 1),
            formula!(1; $(store $store;)* store p;),
            "bne 4b",
            "5:",
            $($operand)*
            constants = inout(reg) &raw const $constants => _,
            n = inout(reg) $n => _,
            p = inout(reg) $p => _,
            g = inout(reg) $g => _,
            $($state = inout(reg) $state => _,)*
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _,
            out("s21") _, out("s22") _, out("s23") _, out("s24") _, out("s25") _, out("s26") _, out("s27") _,
            out("s28") _, out("s29") _,
            options(nostack),
        )
    };
}

/// Both functions: a rule by itself, and with what is folded into its loop.
macro_rules! rules {
    ($($assembly:ident ($($range:ident)+) [$($state:ident)*] $load:tt $store:tt $rule:ident $($mean:ident)?;)*) => {
        /// A rule over all elements.
        ///
        /// # Safety
        /// The columns hold `f32`.
        #[inline(always)]
        pub(super) unsafe fn plain<const S: usize, const R: usize, T: Element, M: Stored<T>>(rule: Assembly, columns: &Columns<'_, S, R, T, M>) {
            let (p, read, state) = columns.pointers();
            let n = columns.len();
            // SAFETY: each column has n elements; a turn counts what it reads and writes.
            unsafe {
                match (rule, &read[..], &state[..]) {
                    $((Assembly::$assembly(constants), &[g], &[$($state),*]) => {
                        run!(plain $rule ($($mean)?) ($($range)+) [$($state)*] $load $store n constants p g);
                    })*
                    _ => {}
                }
            }
        }

        /// A rule over all elements, with what is folded into its loop.
        ///
        /// # Safety
        /// The columns hold `f32`.
        #[inline(always)]
        pub(super) unsafe fn folded<const S: usize, const R: usize, T: Element, M: Stored<T>>(
            rule: Assembly,
            folded: Folded,
            columns: &Columns<'_, S, R, T, M>,
        ) {
            let (p, read, state) = columns.pointers();
            let n = columns.len();
            // SAFETY: each column has n elements; a turn counts what it reads and writes.
            unsafe {
                match (rule, &read[..], &state[..]) {
                    $((Assembly::$assembly(constants), &[g], &[$($state),*]) => {
                        let constants = Constants { own: constants, around: folded };
                        run!(folded folded $rule ($($mean)?) ($($range)+) [$($state)*] $load $store n constants p g);
                    })*
                    _ => {}
                }
            }
        }
    };
}

/// The constants of a rule, and of what acts around it.
#[repr(C)]
struct Constants<const N: usize> {
    own: [f32; N],
    around: Folded,
}

// Rules with their constants, their columns of state, those that are read at the start of a turn, and written at its end.
rules! {
    Sgd (lr lr) [] [] [] sgd;
    Momentum (gain lr) [m] [m] [m] momentum;
    Nesterov (beta lr) [m] [m] [m] nesterov;
    AdaGrad (lr outside) [v] [v] [v] adagrad;
    Adadelta (gain inside) [v m] [v m] [m] adadelta;
    RmsProp (gain outside) [v] [v] [v] rmsprop;
    CenteredRmsProp (weight outside) [v m] [v m] [v m] centered_rmsprop mean;
    RmsPropMomentum (gain share) [v m] [v m] [v m] rmsprop_momentum;
    CenteredRmsPropMomentum (weight share) [v m w] [v m] [v] centered_rmsprop_momentum mean;
    Adam (weight outside) [m v] [m v] [m v] adam mean;
    Adamax (weight lr) [m v] [m v] [m v] adamax mean;
    AmsGrad (weight outside) [m v x] [m v] [m] amsgrad mean;
    Nadam (weight share) [m v] [m v] [m v] nadam mean;
    RAdam (weight share) [m v] [m v] [m v] radam mean;
    Lion (weight decay) [m] [m] [m] lion mean;
}

#[path = "halves.rs"]
mod halves;
pub(super) use halves::halved;
