//! The loops of one row alone, and of a single term.

use super::{Grid, Line};
use core::arch::asm;

/// A term of one row and sixteen columns.
macro_rules! sixteen {
    () => {
        concat!(
            "vldmia {b}!, {{s17-s24}}\n",
            "vldr s16, [{a}]\n",
            "add {a}, {next}\n",
            add!(0 += 16 * 17 in 17; 1 += 16 * 18 in 18; 2 += 16 * 19 in 19; 3 += 16 * 20 in 20;
                4 += 16 * 21 in 21; 5 += 16 * 22 in 22; 6 += 16 * 23 in 23; 7 += 16 * 24 in 24;),
            "vldmia {b}, {{s17-s24}}\n",
            "add {b}, {step}\n",
            add!(8 += 16 * 17 in 17; 9 += 16 * 18 in 18; 10 += 16 * 19 in 19; 11 += 16 * 20 in 20;
                12 += 16 * 21 in 21; 13 += 16 * 22 in 22; 14 += 16 * 23 in 23; 15 += 16 * 24 in 24;),
        )
    };
}

/// One row by sixteen columns that lie side by side.
///
/// # Safety
/// All terms of the first row and the columns are there, at least one.
#[inline(never)]
pub(super) unsafe fn row<T>(line: &mut Line<T>) {
    // SAFETY: the block reads as many terms as it counts, and writes sixteen sums a tile.
    unsafe {
        tiles!(line [
            begin_row!("15" zeros!(16)),
            "ldr {a}, [{line}]",
            "ldr {b}, [{line}, #80]",
            "ldr {step}, [{line}, #88]",
            "sub {step}, #32", // eight columns ahead already
            "ldr {next}, [{line}, #100]",
            "ldr {n}, [{line}, #96]",
            "tst {n}, #1",
            "beq 2f",
            "add {n}, #1",
            "b 3f",
            "2:",
            sixteen!(),
            "3:",
            sixteen!(),
            "subs {n}, #2",
            "bne 2b",
            "ldr {a}, [{line}, #4]",
            "add {a}, {col}",
            "vstmia {a}, {{s0-s15}}",
            "add {col}, #64",
        ] step = out(reg) _, next = out(reg) _,);
    }
}

/// One row by four columns that lie side by side.
///
/// # Safety
/// All terms of the first row and the columns are there, at least one.
#[inline(never)]
pub(super) unsafe fn row_of_four<T>(line: &mut Line<T>) {
    // SAFETY: the block reads as many terms as it counts, and writes four sums a tile.
    unsafe {
        tiles!(line [
            begin_row!("3" zeros!(4)),
            "ldr {a}, [{line}]",
            "ldr {b}, [{line}, #80]",
            "ldr {step}, [{line}, #88]",
            "ldr {next}, [{line}, #100]",
            "ldr {n}, [{line}, #96]",
            "2:",
            "vldmia {b}, {{s4-s7}}",
            "add {b}, {step}",
            "vldr s8, [{a}]",
            "add {a}, {next}",
            add!(0 += 8 * 4 in 4; 1 += 8 * 5 in 5; 2 += 8 * 6 in 6; 3 += 8 * 7 in 7;),
            "subs {n}, #1",
            "bne 2b",
            "ldr {a}, [{line}, #4]",
            "add {a}, {col}",
            "vstmia {a}, {{s0-s3}}",
            "add {col}, #16",
        ] step = out(reg) _, next = out(reg) _,);
    }
}

/// One row by four columns whose terms lie side by side.
///
/// # Safety
/// All terms of the first row and the columns are there, at least one.
#[inline(never)]
pub(super) unsafe fn row_turned<T>(line: &mut Line<T>) {
    // SAFETY: the block reads as many terms as it counts, and writes four sums a tile.
    unsafe {
        tiles!(line [
            begin_row!("3" zeros!(4)),
            "ldr {a}, [{line}]",
            "ldr {b}, [{line}, #80]",
            "ldr {b3}, [{line}, #88]",
            "add {b1}, {b}, {b3}",
            "add {b2}, {b1}, {b3}",
            "add {b3}, {b2}, {b3}",
            "ldr {n}, [{line}, #96]",
            "subs {n}, #4",
            "blo 3f",
            "2:",
            "vldmia {a}!, {{s4-s7}}",
            "vldmia {b}!, {{s8-s11}}",
            "vldmia {b1}!, {{s12-s15}}",
            "vldmia {b2}!, {{s16-s19}}",
            "vldmia {b3}!, {{s20-s23}}",
            add!(0 += 4 * 8 in 8; 1 += 4 * 12 in 12; 2 += 4 * 16 in 16; 3 += 4 * 20 in 20;),
            add!(0 += 5 * 9 in 9; 1 += 5 * 13 in 13; 2 += 5 * 17 in 17; 3 += 5 * 21 in 21;),
            add!(0 += 6 * 10 in 10; 1 += 6 * 14 in 14; 2 += 6 * 18 in 18; 3 += 6 * 22 in 22;),
            add!(0 += 7 * 11 in 11; 1 += 7 * 15 in 15; 2 += 7 * 19 in 19; 3 += 7 * 23 in 23;),
            "subs {n}, #4",
            "bhs 2b",
            "3:",
            "adds {n}, #4",
            "beq 5f",
            "4:",
            "vldmia {a}!, {{s4}}",
            "vldmia {b}!, {{s8}}",
            "vldmia {b1}!, {{s12}}",
            "vldmia {b2}!, {{s16}}",
            "vldmia {b3}!, {{s20}}",
            add!(0 += 4 * 8 in 8; 1 += 4 * 12 in 12; 2 += 4 * 16 in 16; 3 += 4 * 20 in 20;),
            "subs {n}, #1",
            "bne 4b",
            "5:",
            "ldr {a}, [{line}, #4]",
            "add {a}, {col}",
            "vstmia {a}, {{s0-s3}}",
            "add {col}, #16",
        ] b1 = out(reg) _, b2 = out(reg) _, b3 = out(reg) _,);
    }
}

/// What a row of [`outer`] does to eight columns, whose `b` is in s0 to s7.
macro_rules! eight {
    (zero) => {
        concat!(
            "vmul.f32 s17, s16, s0\nvmul.f32 s18, s16, s1\nvmul.f32 s19, s16, s2\nvmul.f32 s20, s16, s3\n",
            "vmul.f32 s21, s16, s4\nvmul.f32 s22, s16, s5\nvmul.f32 s23, s16, s6\nvmul.f32 s24, s16, s7\n",
            // The sum of 0 and -0 is 0.
            "vadd.f32 s17, s17, s25\nvadd.f32 s18, s18, s25\nvadd.f32 s19, s19, s25\nvadd.f32 s20, s20, s25\n",
            "vadd.f32 s21, s21, s25\nvadd.f32 s22, s22, s25\nvadd.f32 s23, s23, s25\nvadd.f32 s24, s24, s25\n",
            "vstmia {y}, {{s17-s24}}\n",
        )
    };
    (add) => {
        concat!(
            "vldmia {y}, {{s8-s15}}\n",
            add!(8 += 16 * 0 in 17; 9 += 16 * 1 in 18; 10 += 16 * 2 in 19; 11 += 16 * 3 in 20;
                12 += 16 * 4 in 21; 13 += 16 * 5 in 22; 14 += 16 * 6 in 23; 15 += 16 * 7 in 24;),
            "vstmia {y}, {{s8-s15}}\n",
        )
    };
}

/// The same for one column.
macro_rules! one {
    (zero) => { "vmul.f32 s17, s16, s0\nvadd.f32 s17, s17, s25\nvstr s17, [{y}]\n" };
    (add) => { concat!("vldr s8, [{y}]\n", add!(8 += 16 * 0 in 17;), "vstr s8, [{y}]\n") };
}

/// A single term: all rows and columns.
///
/// # Safety
/// The rows are a single digit, at least one; they begin with what they hold or with 0.
#[inline(never)]
pub(super) unsafe fn outer<T>(grid: &Grid<T>) {
    /// Half a turn: the next row.
    macro_rules! half {
        ($what:ident $kind:ident) => {
            concat!("vldr s16, [{a}]\n", "add {a}, {next}\n", $what!($kind), "add {y}, {width}\n")
        };
    }
    macro_rules! rows {
        ($what:ident $kind:ident $last:literal $col:ident) => {
            asm!(
                    concat!("vldmia {b}, {{s0-s", $last, "}}"),
                    "vmov s25, {zero}",
                    "lsrs {zero}, {rows}, #1",
                    "bcc 2f",
                    "add {rows}, #1",
                    "b 3f",
                    "2:",
                    half!($what $kind),
                    "3:",
                    half!($what $kind),
                    "subs {rows}, #2",
                    "bne 2b",
                zero = inout(reg) 0 => _, b = in(reg) grid.b.add($col), rows = inout(reg) grid.rows[2] => _,
                a = inout(reg) grid.a => _, next = in(reg) grid.a_rows[2] * size_of::<T>(),
                y = inout(reg) grid.y.add($col) => _, width = in(reg) grid.y_rows[2] * size_of::<T>(),
                out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
                out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _, out("s14") _,
                out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _,
                out("s22") _, out("s23") _, out("s24") _, out("s25") _,
                options(nostack),
            )
        };
    }
    let (mut col, fresh) = (0, grid.start.is_null());
    while col < grid.cols {
        // SAFETY: a block reads a number of `a` for each row, and writes eight of `y`, or one.
        unsafe {
            match (grid.cols - col >= 8, fresh) {
                (true, true) => rows!(eight zero "7" col),
                (true, false) => rows!(eight add "7" col),
                (false, true) => rows!(one zero "0" col),
                (false, false) => rows!(one add "0" col),
            }
        }
        col += if grid.cols - col >= 8 { 8 } else { 1 };
    }
}
