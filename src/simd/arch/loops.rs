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

/// Registers by name and element: columns and temporaries in s0 to s19, constants behind them.
macro_rules! register {
    (p 0) => {
        "s0"
    };
    (p 1) => {
        "s1"
    };
    (p 2) => {
        "s2"
    };
    (p 3) => {
        "s3"
    };
    (g 0) => {
        "s4"
    };
    (g 1) => {
        "s5"
    };
    (g 2) => {
        "s6"
    };
    (g 3) => {
        "s7"
    };
    (m 0) => {
        "s8"
    };
    (m 1) => {
        "s9"
    };
    (m 2) => {
        "s10"
    };
    (m 3) => {
        "s11"
    };
    (v 0) => {
        "s12"
    };
    (v 1) => {
        "s13"
    };
    (v 2) => {
        "s14"
    };
    (v 3) => {
        "s15"
    };
    (t 0) => {
        "s16"
    };
    (t 1) => {
        "s17"
    };
    (t 2) => {
        "s18"
    };
    (t 3) => {
        "s19"
    };
    (weight $_:tt) => {
        "s20"
    };
    (gain $_:tt) => {
        "s21"
    };
    (beta $_:tt) => {
        "s22"
    };
    (lr $_:tt) => {
        "s23"
    };
    (inside $_:tt) => {
        "s24"
    };
    (outside $_:tt) => {
        "s25"
    };
    (share $_:tt) => {
        "s26"
    };
    (scale $_:tt) => {
        "s27"
    };
    (slope $_:tt) => {
        "s28"
    };
    (loss $_:tt) => {
        "s29"
    };
}

/// One instruction for each element.
macro_rules! each {
    (4 $name:literal $($register:ident)+) => {
        concat!(each!(@ 0 $name $($register)+), each!(@ 1 $name $($register)+),
            each!(@ 2 $name $($register)+), each!(@ 3 $name $($register)+))
    };
    (1 $name:literal $($register:ident)+) => { each!(@ 0 $name $($register)+) };
    (@ $k:tt $name:literal $to:ident $a:ident) => {
        concat!($name, ".f32 ", register!($to $k), ", ", register!($a $k), "\n")
    };
    (@ $k:tt $name:literal $to:ident $a:ident $b:ident) => {
        concat!($name, ".f32 ", register!($to $k), ", ", register!($a $k), ", ", register!($b $k), "\n")
    };
}

/// Statements as instructions for `$n` elements.
macro_rules! formula {
    ($n:tt;) => { "" };
    ($n:tt; $to:ident = $a:ident * $b:ident; $($rest:tt)*) => {
        concat!(each!($n "vmul" $to $a $b), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident = $a:ident + $b:ident; $($rest:tt)*) => {
        concat!(each!($n "vadd" $to $a $b), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident = $a:ident - $b:ident; $($rest:tt)*) => {
        concat!(each!($n "vsub" $to $a $b), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident = $a:ident / $b:ident; $($rest:tt)*) => {
        concat!(each!($n "vdiv" $to $a $b), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident = sqrt $a:ident; $($rest:tt)*) => {
        concat!(each!($n "vsqrt" $to $a), formula!($n; $($rest)*))
    };
    // A product that is added or subtracted, and the register that may hold it.
    ($n:tt; $to:ident += $a:ident * $b:ident in $t:ident; $($rest:tt)*) => {
        concat!(fused!($n "vmla" "vadd" $to $a $b $t), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident -= $a:ident * $b:ident in $t:ident; $($rest:tt)*) => {
        concat!(fused!($n "vmls" "vsub" $to $a $b $t), formula!($n; $($rest)*))
    };
    // The elements of this turn are counted: between instructions that the FPU is busy with.
    (4; count; $($rest:tt)*) => { concat!("subs {n}, {n}, #4\n", formula!(4; $($rest)*)) };
    (1; count; $($rest:tt)*) => { concat!("subs {n}, {n}, #1\n", formula!(1; $($rest)*)) };
    // The next column: read from memory, or written and passed.
    (4; load p; $($rest:tt)*) => { concat!("vldmia {p}, {{s0-s3}}\n", formula!(4; $($rest)*)) };
    (4; load g; $($rest:tt)*) => { concat!("vldmia {g}!, {{s4-s7}}\n", formula!(4; $($rest)*)) };
    (4; load m; $($rest:tt)*) => { concat!("vldmia {m}, {{s8-s11}}\n", formula!(4; $($rest)*)) };
    (4; load v; $($rest:tt)*) => { concat!("vldmia {v}, {{s12-s15}}\n", formula!(4; $($rest)*)) };
    (4; load old; $($rest:tt)*) => { concat!("vldmia {p}, {{s4-s7}}\n", formula!(4; $($rest)*)) };
    (4; store p; $($rest:tt)*) => { concat!("vstmia {p}!, {{s0-s3}}\n", formula!(4; $($rest)*)) };
    (4; store m; $($rest:tt)*) => { concat!("vstmia {m}!, {{s8-s11}}\n", formula!(4; $($rest)*)) };
    (4; store v; $($rest:tt)*) => { concat!("vstmia {v}!, {{s12-s15}}\n", formula!(4; $($rest)*)) };
    (1; load p; $($rest:tt)*) => { concat!("vldmia {p}, {{s0}}\n", formula!(1; $($rest)*)) };
    (1; load g; $($rest:tt)*) => { concat!("vldmia {g}!, {{s4}}\n", formula!(1; $($rest)*)) };
    (1; load m; $($rest:tt)*) => { concat!("vldmia {m}, {{s8}}\n", formula!(1; $($rest)*)) };
    (1; load v; $($rest:tt)*) => { concat!("vldmia {v}, {{s12}}\n", formula!(1; $($rest)*)) };
    (1; load old; $($rest:tt)*) => { concat!("vldmia {p}, {{s4}}\n", formula!(1; $($rest)*)) };
    (1; store p; $($rest:tt)*) => { concat!("vstmia {p}!, {{s0}}\n", formula!(1; $($rest)*)) };
    (1; store m; $($rest:tt)*) => { concat!("vstmia {m}!, {{s8}}\n", formula!(1; $($rest)*)) };
    (1; store v; $($rest:tt)*) => { concat!("vstmia {v}!, {{s12}}\n", formula!(1; $($rest)*)) };
}

#[cfg(gradus_level = "m7")]
macro_rules! fused {
    ($n:tt $fused:literal $add:literal $to:ident $a:ident $b:ident $t:ident) => { each!($n $fused $to $a $b) };
}
#[cfg(not(gradus_level = "m7"))]
macro_rules! fused {
    ($n:tt $fused:literal $add:literal $to:ident $a:ident $b:ident $t:ident) => {
        concat!(each!($n "vmul" $t $a $b), each!($n $add $to $to $t))
    };
}

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
/// The loop over four knows the first form alone. With the second all elements go through the other loop, where the
/// weight as a word stands in the register that the constants came by: it is above 0 where the number is.
macro_rules! mean {
    (4) => {
        formula! { 4; t = g - m; m += t * weight in t; }
    };
    (1) => {
        concat!(
            formula! { 1; t = g - m; t = t * weight; },
            "cmp {constants}, #0\n", "ite gt\n", each!(1 "vaddgt" m m t), each!(1 "vaddle" m g t),
        )
    };
}
/// The registers of constants, from the first to the last.
macro_rules! constants {
    ($first:ident $last:ident) => { concat!("{{", register!($first 0), "-", register!($last 0), "}}") };
}
/// What stands in front of the loops: nothing, or the question for the form of a mean.
macro_rules! enter {
    (first) => {
        ""
    };
    (mean first) => {
        "vmov {constants}, s20"
    };
    (then) => {
        ""
    };
    (mean then) => {
        "cmp {constants}, #0\n ble 3f"
    };
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
    (@ $kind:ident [$($operand:tt)*] $rule:ident ($($mean:ident)?) ($first:ident $last:ident) [$($state:ident)*]
        $n:ident $constants:ident $p:ident $g:ident) => {
        asm!(
            concat!("vldmia {constants}!, ", constants!($first $last)),
            around!($kind),
            enter!($($mean)? first),
            "subs {n}, {n}, #4",
            "blo 3f",
            enter!($($mean)? then),
            "2:",
            formula!(4; load g; $(load $state;)* load p;),
            before!($kind 4), $rule!(4), after!($kind 4),
            formula!(4; $(store $state;)* store p;),
            "bhs 2b",
            "3:",
            "adds {n}, {n}, #4",
            "beq 5f",
            "4:",
            formula!(1; load g; $(load $state;)* load p;),
            before!($kind 1), $rule!(1), after!($kind 1),
            formula!(1; $(store $state;)* store p;),
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
    ($($assembly:ident ($($range:ident)+) [$($state:ident)*] $rule:ident $($mean:ident)?;)*) => {
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
                        run!(plain $rule ($($mean)?) ($($range)+) [$($state)*] n constants p g);
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
                        run!(folded folded $rule ($($mean)?) ($($range)+) [$($state)*] n constants p g);
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

rules! {
    Sgd (lr lr) [] sgd;
    Momentum (gain lr) [m] momentum;
    Nesterov (beta lr) [m] nesterov;
    AdaGrad (lr outside) [v] adagrad;
    RmsProp (gain outside) [v] rmsprop;
    RmsPropMomentum (gain share) [v m] rmsprop_momentum;
    Adam (weight outside) [m v] adam mean;
    Nadam (weight share) [m v] nadam mean;
}

#[path = "halves.rs"]
mod halves;
pub(super) use halves::halved;
