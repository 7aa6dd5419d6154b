//! The statements of a formula as instructions of the FPU of Cortex-M, for the rules' loops.

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
    // Of a half state alone, whose loops have nothing folded into them.
    (u 0) => {
        "s28"
    };
    (u 1) => {
        "s29"
    };
    (u 2) => {
        "s30"
    };
    (u 3) => {
        "s31"
    };
    (weight $_:tt) => {
        "s20"
    };
    (gain $_:tt) => {
        "s21"
    };
    (floor $_:tt) => {
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
    (decay $_:tt) => {
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

/// One instruction for each element: of a half state there are always four.
macro_rules! each {
    (half $($rest:tt)+) => { each!(4 $($rest)+) };
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

/// What depends on a comparison: an instruction under one condition, or under two, and no branch.
macro_rules! compared {
    (half $($rest:tt)+) => { compared!(4 $($rest)+) };
    (4 $($rest:tt)+) => {
        concat!(compared!(@ 0 $($rest)+), compared!(@ 1 $($rest)+), compared!(@ 2 $($rest)+), compared!(@ 3 $($rest)+))
    };
    (1 $($rest:tt)+) => { compared!(@ 0 $($rest)+) };
    // The other one where this is not larger, or one of them is NaN.
    (@ $k:tt $to:ident max $other:ident) => {
        concat!(
            each!(@ $k "vcmp" $to $other), "vmrs APSR_nzcv, fpscr\n it le\n", each!(@ $k "vmovle" $to $other),
        )
    };
    // 0 where a number is below it.
    (@ $k:tt $to:ident above $zero:literal) => {
        concat!(
            "vcmp.f32 ", register!($to $k), ", #0\n vmrs APSR_nzcv, fpscr\n it mi\n",
            "vmovmi ", register!($to $k), ", ", $zero, "\n",
        )
    };
    // 1 or -1; 0 and NaN stay.
    (@ $k:tt sign $to:ident) => {
        concat!(
            "vcmp.f32 ", register!($to $k), ", #0\n vmrs APSR_nzcv, fpscr\n",
            "it gt\n vmovgt.f32 ", register!($to $k), ", #1.0\n",
            "it mi\n vmovmi.f32 ", register!($to $k), ", #-1.0\n",
        )
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
    ($n:tt; $to:ident = abs $a:ident; $($rest:tt)*) => {
        concat!(each!($n "vabs" $to $a), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident = max $other:ident; $($rest:tt)*) => {
        concat!(compared!($n $to max $other), formula!($n; $($rest)*))
    };
    (half; $to:ident = max 0; $($rest:tt)*) => {
        concat!("mov r0, #0\n", compared!(4 $to above "r0"), formula!(half; $($rest)*))
    };
    ($n:tt; $to:ident = max 0; $($rest:tt)*) => {
        concat!("mov {constants}, #0\n", compared!($n $to above "{constants}"), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident = sign; $($rest:tt)*) => {
        concat!(compared!($n sign $to), formula!($n; $($rest)*))
    };
    // A product that is added or subtracted, and the register that may hold it.
    ($n:tt; $to:ident += $a:ident * $b:ident in $t:ident; $($rest:tt)*) => {
        concat!(fused!($n "vmla" "vadd" $to $a $b $t), formula!($n; $($rest)*))
    };
    ($n:tt; $to:ident -= $a:ident * $b:ident in $t:ident; $($rest:tt)*) => {
        concat!(fused!($n "vmls" "vsub" $to $a $b $t), formula!($n; $($rest)*))
    };
    // The elements of this turn are counted: between instructions that the FPU is busy with.
    (half; count; $($rest:tt)*) => { concat!("subs {n}, {n}, #4\n", formula!(half; $($rest)*)) };
    (4; count; $($rest:tt)*) => { concat!("subs {n}, {n}, #4\n", formula!(4; $($rest)*)) };
    (1; count; $($rest:tt)*) => { concat!("subs {n}, {n}, #1\n", formula!(1; $($rest)*)) };
    // The next column: read from memory, or written and passed. A third one takes registers that are free by then.
    (4; load p; $($rest:tt)*) => { concat!("vldmia {p}, {{s0-s3}}\n", formula!(4; $($rest)*)) };
    (4; load g; $($rest:tt)*) => { concat!("vldmia {g}!, {{s4-s7}}\n", formula!(4; $($rest)*)) };
    (4; load m; $($rest:tt)*) => { concat!("vldmia {m}, {{s8-s11}}\n", formula!(4; $($rest)*)) };
    (4; load v; $($rest:tt)*) => { concat!("vldmia {v}, {{s12-s15}}\n", formula!(4; $($rest)*)) };
    (4; load old; $($rest:tt)*) => { concat!("vldmia {p}, {{s4-s7}}\n", formula!(4; $($rest)*)) };
    (4; load x; $($rest:tt)*) => { concat!("vldmia {x}, {{s16-s19}}\n", formula!(4; $($rest)*)) };
    (4; load w; $($rest:tt)*) => { concat!("vldmia {w}, {{s8-s11}}\n", formula!(4; $($rest)*)) };
    (4; store x; $($rest:tt)*) => { concat!("vstmia {x}!, {{s16-s19}}\n", formula!(4; $($rest)*)) };
    (4; store w; $($rest:tt)*) => { concat!("vstmia {w}!, {{s8-s11}}\n", formula!(4; $($rest)*)) };
    (4; store p; $($rest:tt)*) => { concat!("vstmia {p}!, {{s0-s3}}\n", formula!(4; $($rest)*)) };
    (4; store m; $($rest:tt)*) => { concat!("vstmia {m}!, {{s8-s11}}\n", formula!(4; $($rest)*)) };
    (4; store v; $($rest:tt)*) => { concat!("vstmia {v}!, {{s12-s15}}\n", formula!(4; $($rest)*)) };
    (1; load p; $($rest:tt)*) => { concat!("vldmia {p}, {{s0}}\n", formula!(1; $($rest)*)) };
    (1; load g; $($rest:tt)*) => { concat!("vldmia {g}!, {{s4}}\n", formula!(1; $($rest)*)) };
    (1; load m; $($rest:tt)*) => { concat!("vldmia {m}, {{s8}}\n", formula!(1; $($rest)*)) };
    (1; load v; $($rest:tt)*) => { concat!("vldmia {v}, {{s12}}\n", formula!(1; $($rest)*)) };
    (1; load old; $($rest:tt)*) => { concat!("vldmia {p}, {{s4}}\n", formula!(1; $($rest)*)) };
    (1; load x; $($rest:tt)*) => { concat!("vldmia {x}, {{s16}}\n", formula!(1; $($rest)*)) };
    (1; load w; $($rest:tt)*) => { concat!("vldmia {w}, {{s8}}\n", formula!(1; $($rest)*)) };
    (1; store x; $($rest:tt)*) => { concat!("vstmia {x}!, {{s16}}\n", formula!(1; $($rest)*)) };
    (1; store w; $($rest:tt)*) => { concat!("vstmia {w}!, {{s8}}\n", formula!(1; $($rest)*)) };
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
