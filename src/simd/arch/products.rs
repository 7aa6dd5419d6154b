//! Matrix products in assembly for the single-precision FPU of Cortex-M4F, M7 and M33.
//!
//! A tile is four rows by four columns, whose sums stay in s0 to s15 over all terms: 16 products a term for 8 numbers
//! that are loaded. One row alone takes sixteen columns, or four where `b` is transposed; a single term, as the
//! gradient of the weights has at a batch of one, takes eight columns of all rows.
//!
//! Each product is rounded and then added, term after term, so that the bits are those of the plain loop. VMUL and VADD
//! take two cycles, VMLA three; `--cfg gradus_level="m7"` takes VMLA.
//!
//! A loop goes over a line of tiles, which lies in memory with all that it needs: the core has too few registers.
#![allow(unsafe_code, reason = "assembly")]

use crate::simd::product::{Grid, Row, TILE};
use crate::simd::vector::Element;
use core::arch::asm;

/// Tiles side by side; the loops know where its fields lie.
#[repr(C)]
struct Line<T> {
    /// Rows of a tile; where there are fewer, the first one again.
    rows: [Row<T>; TILE],
    /// At 80: the columns of the first tile, whose terms lie ahead.
    b: *const T,
    /// At 84: bytes from a tile's columns to the next one's.
    b_next: usize,
    /// At 88: bytes from term to term of `b`, or from column to column where its terms lie side by side.
    b_step: usize,
    /// At 92: terms, in pairs where they lie side by side in `a`.
    pairs: usize,
    /// At 96: the others.
    terms: usize,
    /// At 100: bytes from term to term of `a`.
    a_step: usize,
    /// At 104: bytes from a row's beginning to its column of the first tile.
    col: usize,
    /// At 108: how many tiles.
    tiles: usize,
}

/// `sums += a * b` for registers by number; the products of VMUL go to `t`, which may be `b`.
#[cfg(gradus_level = "m7")]
macro_rules! add {
    ($($sum:literal += $a:literal * $b:literal in $t:literal;)+) => {
        concat!($("vmla.f32 s", $sum, ", s", $a, ", s", $b, "\n",)+)
    };
}
#[cfg(not(gradus_level = "m7"))]
macro_rules! add {
    ($($sum:literal += $a:literal * $b:literal in $t:literal;)+) => {
        concat!(
            $("vmul.f32 s", $t, ", s", $a, ", s", $b, "\n",)+
            $("vadd.f32 s", $sum, ", s", $sum, ", s", $t, "\n",)+
        )
    };
}

/// A block of assembly over a [`Line`]: `8` is where a tile begins, `9` where it ends. All FPU registers are its own.
macro_rules! tiles {
    ($line:ident [$($text:expr),+ $(,)?] $($operand:tt)*) => {
        asm!(
            "ldr {col}, [{line}, #104]",
            "8:",
            $($text,)+
            "ldr {a}, [{line}, #80]",
            "ldr {b}, [{line}, #84]",
            "add {a}, {b}",
            "str {a}, [{line}, #80]",
            "ldr {a}, [{line}, #108]",
            "subs {a}, #1",
            "str {a}, [{line}, #108]",
            "bne 8b",
            line = in(reg) $line, col = out(reg) _, a = out(reg) _, b = out(reg) _, n = out(reg) _,
            $($operand)*
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _, out("s14") _,
            out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _,
            out("s22") _, out("s23") _, out("s24") _, out("s25") _, out("s26") _, out("s27") _, out("s28") _,
            out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        )
    };
}

/// The sums of four rows begin: at the start of each, or with 0 where there is none.
macro_rules! begin {
    () => {
        concat!(
            "ldr {a}, [{line}, #8]\n",
            "cmp {a}, #0\n",
            "beq 6f\n",
            "add {a}, {col}\nvldmia {a}, {{s0-s3}}\n",
            "ldr {a}, [{line}, #28]\nadd {a}, {col}\nvldmia {a}, {{s4-s7}}\n",
            "ldr {a}, [{line}, #48]\nadd {a}, {col}\nvldmia {a}, {{s8-s11}}\n",
            "ldr {a}, [{line}, #68]\nadd {a}, {col}\nvldmia {a}, {{s12-s15}}\n",
            "b 7f\n",
            "6:\n",
            zeros!(16),
            "7:\n",
        )
    };
}

/// The sums of one row begin.
macro_rules! begin_row {
    ($last:literal $zeros:expr) => {
        concat!(
            "ldr {a}, [{line}, #8]\n",
            "cmp {a}, #0\n",
            "beq 6f\n",
            "add {a}, {col}\nvldmia {a}, {{s0-s",
            $last,
            "}}\n",
            "b 7f\n",
            "6:\n",
            $zeros,
            "7:\n",
        )
    };
}

/// Sixteen sums of 0, or four.
macro_rules! zeros {
    (4) => {
        "vmov d0, {a}, {a}\nvmov d1, {a}, {a}\n"
    };
    (16) => {
        concat!(
            zeros!(4),
            "vmov d2, {a}, {a}\nvmov d3, {a}, {a}\n",
            "vmov d4, {a}, {a}\nvmov d5, {a}, {a}\nvmov d6, {a}, {a}\nvmov d7, {a}, {a}\n",
        )
    };
}

/// The sums of four rows are written, and the next columns begin.
macro_rules! end {
    () => {
        concat!(
            "ldr {a}, [{line}, #4]\nadd {a}, {col}\nvstmia {a}, {{s0-s3}}\n",
            "ldr {a}, [{line}, #24]\nadd {a}, {col}\nvstmia {a}, {{s4-s7}}\n",
            "ldr {a}, [{line}, #44]\nadd {a}, {col}\nvstmia {a}, {{s8-s11}}\n",
            "ldr {a}, [{line}, #64]\nadd {a}, {col}\nvstmia {a}, {{s12-s15}}\n",
            "add {col}, #16\n",
        )
    };
}

/// A term of four rows and the columns in s24 to s27.
macro_rules! rows {
    ($a:literal $b:literal $c:literal $d:literal) => {
        concat!(
            add!(0 += $a * 24 in 28; 1 += $a * 25 in 29; 2 += $a * 26 in 30; 3 += $a * 27 in 31;),
            add!(4 += $b * 24 in 28; 5 += $b * 25 in 29; 6 += $b * 26 in 30; 7 += $b * 27 in 31;),
            add!(8 += $c * 24 in 28; 9 += $c * 25 in 29; 10 += $c * 26 in 30; 11 += $c * 27 in 31;),
            add!(12 += $d * 24 in 28; 13 += $d * 25 in 29; 14 += $d * 26 in 30; 15 += $d * 27 in 31;),
        )
    };
}

/// Columns lie side by side in `b`, and mostly terms of a row in `a`: the forward pass.
///
/// # Safety
/// All terms of the line's rows and columns are there, at least one.
#[inline(never)]
unsafe fn across<T>(line: &mut Line<T>) {
    // SAFETY: the block reads as many terms as it counts, and writes sixteen sums a tile.
    unsafe {
        tiles!(line [
            begin!(),
            "ldr {a}, [{line}]",
            "ldr {a1}, [{line}, #20]",
            "ldr {a2}, [{line}, #40]",
            "ldr {a3}, [{line}, #60]",
            "ldr {b}, [{line}, #80]",
            "ldr {step}, [{line}, #88]",
            "ldr {next}, [{line}, #100]",
            "ldr {n}, [{line}, #92]",
            "cmp {n}, #0",
            "beq 3f",
            "2:",
            "vldmia {b}, {{s24-s27}}",
            "add {b}, {step}",
            "vldmia {a}!, {{s16-s17}}",
            "vldmia {a1}!, {{s18-s19}}",
            "vldmia {a2}!, {{s20-s21}}",
            "vldmia {a3}!, {{s22-s23}}",
            rows!(16 18 20 22),
            "vldmia {b}, {{s24-s27}}",
            "add {b}, {step}",
            rows!(17 19 21 23),
            "subs {n}, #1",
            "bne 2b",
            "3:",
            "ldr {n}, [{line}, #96]",
            "cmp {n}, #0",
            "beq 5f",
            "4:",
            "vldmia {b}, {{s24-s27}}",
            "add {b}, {step}",
            "vldr s16, [{a}]",
            "vldr s18, [{a1}]",
            "vldr s20, [{a2}]",
            "vldr s22, [{a3}]",
            "add {a}, {next}",
            "add {a1}, {next}",
            "add {a2}, {next}",
            "add {a3}, {next}",
            rows!(16 18 20 22),
            "subs {n}, #1",
            "bne 4b",
            "5:",
            end!(),
        ] a1 = out(reg) _, a2 = out(reg) _, a3 = out(reg) _, step = out(reg) _, next = out(reg) _,);
    }
}

/// Rows lie side by side in `a`, columns in `b`: the gradient of the weights.
///
/// # Safety
/// All terms of the line's rows and columns are there, at least one.
#[inline(never)]
unsafe fn down<T>(line: &mut Line<T>) {
    // SAFETY: the block reads as many terms as it counts, and writes sixteen sums a tile.
    unsafe {
        tiles!(line [
            begin!(),
            "ldr {a}, [{line}]",
            "ldr {b}, [{line}, #80]",
            "ldr {step}, [{line}, #88]",
            "ldr {next}, [{line}, #100]",
            "ldr {n}, [{line}, #96]",
            // An odd number of terms begins in the middle of a turn.
            "tst {n}, #1",
            "beq 2f",
            "add {n}, #1",
            "b 3f",
            "2:",
            "vldmia {b}, {{s24-s27}}",
            "add {b}, {step}",
            "vldmia {a}, {{s16-s19}}",
            "add {a}, {next}",
            rows!(16 17 18 19),
            "3:",
            "vldmia {b}, {{s24-s27}}",
            "add {b}, {step}",
            "vldmia {a}, {{s16-s19}}",
            "add {a}, {next}",
            rows!(16 17 18 19),
            "subs {n}, #2",
            "bne 2b",
            end!(),
        ] step = out(reg) _, next = out(reg) _,);
    }
}

/// Terms lie side by side in both: the gradient of the inputs.
///
/// # Safety
/// All terms of the line's rows and columns are there, at least one.
#[inline(never)]
unsafe fn turned<T>(line: &mut Line<T>) {
    // SAFETY: the block reads as many terms as it counts, and writes sixteen sums a tile.
    unsafe {
        tiles!(line [
            begin!(),
            "ldr {a}, [{line}]",
            "ldr {a1}, [{line}, #20]",
            "ldr {a2}, [{line}, #40]",
            "ldr {a3}, [{line}, #60]",
            "ldr {b}, [{line}, #80]",
            "ldr {b3}, [{line}, #88]",
            "add {b1}, {b}, {b3}",
            "add {b2}, {b1}, {b3}",
            "add {b3}, {b2}, {b3}",
            "ldr {n}, [{line}, #92]",
            "cmp {n}, #0",
            "beq 3f",
            "2:",
            "vldmia {a}!, {{s16-s17}}",
            "vldmia {a1}!, {{s18-s19}}",
            "vldmia {a2}!, {{s20-s21}}",
            "vldmia {a3}!, {{s22-s23}}",
            "vldmia {b}!, {{s24-s25}}",
            add!(0 += 16 * 24 in 28; 4 += 18 * 24 in 29; 8 += 20 * 24 in 30; 12 += 22 * 24 in 31;),
            add!(0 += 17 * 25 in 28; 4 += 19 * 25 in 29; 8 += 21 * 25 in 30; 12 += 23 * 25 in 31;),
            "vldmia {b1}!, {{s26-s27}}",
            add!(1 += 16 * 26 in 28; 5 += 18 * 26 in 29; 9 += 20 * 26 in 30; 13 += 22 * 26 in 31;),
            add!(1 += 17 * 27 in 28; 5 += 19 * 27 in 29; 9 += 21 * 27 in 30; 13 += 23 * 27 in 31;),
            "vldmia {b2}!, {{s24-s25}}",
            add!(2 += 16 * 24 in 28; 6 += 18 * 24 in 29; 10 += 20 * 24 in 30; 14 += 22 * 24 in 31;),
            add!(2 += 17 * 25 in 28; 6 += 19 * 25 in 29; 10 += 21 * 25 in 30; 14 += 23 * 25 in 31;),
            "vldmia {b3}!, {{s26-s27}}",
            add!(3 += 16 * 26 in 28; 7 += 18 * 26 in 29; 11 += 20 * 26 in 30; 15 += 22 * 26 in 31;),
            add!(3 += 17 * 27 in 28; 7 += 19 * 27 in 29; 11 += 21 * 27 in 30; 15 += 23 * 27 in 31;),
            "subs {n}, #1",
            "bne 2b",
            "3:",
            "ldr {n}, [{line}, #96]",
            "cmp {n}, #0",
            "beq 5f",
            "vldr s16, [{a}]",
            "vldr s18, [{a1}]",
            "vldr s20, [{a2}]",
            "vldr s22, [{a3}]",
            "vldr s24, [{b}]",
            "vldr s25, [{b1}]",
            "vldr s26, [{b2}]",
            "vldr s27, [{b3}]",
            rows!(16 18 20 22),
            "5:",
            end!(),
        ] a1 = out(reg) _, a2 = out(reg) _, a3 = out(reg) _, b1 = out(reg) _, b2 = out(reg) _, b3 = out(reg) _,);
    }
}

// Behind the macros that it uses.
mod row;
use row::{outer, row, row_of_four, row_turned};

/// How the numbers of a line lie.
#[derive(Clone, Copy)]
enum Shape {
    Across,
    Down,
    Turned,
    Row,
    RowOfFour,
    RowTurned,
}

impl<T: Element> Line<T> {
    /// The tiles from byte `col` on.
    ///
    /// # Safety
    /// All terms of its rows and columns are there, at least one.
    #[inline(always)]
    unsafe fn run(&mut self, shape: Shape) {
        // SAFETY: the caller vouches for all terms, rows and columns.
        unsafe {
            match shape {
                Shape::Across => across(self),
                Shape::Down => down(self),
                Shape::Turned => turned(self),
                Shape::Row => row(self),
                Shape::RowOfFour => row_of_four(self),
                Shape::RowTurned => row_turned(self),
            }
        }
    }

    /// All columns of some rows, at least four. The last tile begins earlier where columns are no multiple of its width,
    /// and computes some sums again: the same ones, but where a sum adds to what is there. So those that were ready are
    /// kept.
    ///
    /// # Safety
    /// All terms of its rows and columns are there, at least one; `b` is the first column.
    #[inline(never)]
    unsafe fn all(&mut self, shape: Shape, [rows, cols]: [usize; 2], b: *const T, b_cols: usize) {
        let (mut shape, mut done) = (shape, 0);
        if matches!(shape, Shape::Row) {
            (shape, done) = (Shape::RowOfFour, cols / 16 * 16);
            (self.b, self.b_next, self.col, self.tiles) = (b, 64, 0, cols / 16);
            if done > 0 {
                // SAFETY: the caller vouches for all.
                unsafe { row(self) };
            }
        }
        self.b_next = 4 * b_cols * size_of::<T>();
        self.b = b.wrapping_add(done * b_cols);
        (self.col, self.tiles) = (done * size_of::<T>(), (cols - done) / 4);
        if self.tiles > 0 {
            // SAFETY: the caller vouches for all.
            unsafe { self.run(shape) };
        }
        if cols % 4 > 0 {
            let (last, ready, mut kept) = (cols - 4, 4 - cols % 4, [T::ZERO; 16]);
            self.b = b.wrapping_add(last * b_cols);
            (self.col, self.tiles) = (last * size_of::<T>(), 1);
            // SAFETY: the last columns lie within the rows; a tile has sixteen sums.
            unsafe {
                self.keep([rows, last, ready], &mut kept, false);
                self.run(shape);
                self.keep([rows, last, ready], &mut kept, true);
            }
        }
    }

    /// Moves `n` sums of each row, from column `col` on, to `kept`, or back from there.
    ///
    /// # Safety
    /// They lie within the rows; there are at most sixteen.
    #[inline(always)]
    unsafe fn keep(&self, [rows, col, n]: [usize; 3], kept: &mut [T; 16], back: bool) {
        let (mut row, mut to) = (0, kept.as_mut_ptr());
        while row < rows {
            let mut k = 0;
            while k < n {
                let y = self.rows[row & 3].y.wrapping_add(col + k);
                // SAFETY: the caller vouches for both places.
                unsafe { if back { *y = *to } else { *to = *y } };
                to = to.wrapping_add(1);
                k += 1;
            }
            row += 1;
        }
    }
}

/// A product of `f32`: how many columns were computed, of all rows: all or none.
///
/// # Safety
/// The grid fits and holds `f32`.
#[inline(never)]
pub(super) unsafe fn columns<T: Element>(grid: &Grid<T>) -> usize {
    let ([images, height, terms], cols) = (grid.terms, grid.cols);
    let one_digit = grid.rows[0] * grid.rows[1] == 1;
    let (count, all) = (grid.rows[0] * grid.rows[1] * grid.rows[2], images * height * terms);
    let (side_by_side, begun) = (grid.b_cols == 1, grid.start.is_null() || grid.start == grid.y);
    if all == 1 && one_digit && count > 1 && side_by_side && begun {
        // SAFETY: rows are a digit, and there is one term.
        unsafe { outer(grid) };
        return cols;
    }
    let whole = match (side_by_side, one_digit && grid.a_rows[2] == 1) {
        (true, true) => Shape::Down,
        (true, false) => Shape::Across,
        (false, _) if grid.a_terms[2] != 1 || grid.b_terms[2] != 1 => return 0,
        _ => Shape::Turned,
    };
    if all == 0 || cols < 4 {
        return 0;
    }
    let size = size_of::<T>();
    let b_step = if side_by_side { grid.b_terms[2] } else { grid.b_cols };
    let mut next = Row::first(grid);
    let mut line = Line {
        rows: [next; TILE],
        b: grid.b,
        b_next: 0,
        b_step: b_step * size,
        pairs: 0,
        terms,
        a_step: grid.a_terms[2] * size,
        col: 0,
        tiles: 0,
    };
    let mut left = count;
    while left > 0 {
        let mut rows = 0;
        while rows < TILE && left > 0 {
            line.rows[rows] = next;
            next = next.next(grid);
            (rows, left) = (rows + 1, left - 1);
        }
        let mut k = rows;
        while k < TILE {
            line.rows[k] = line.rows[0];
            k += 1;
        }
        let shape = match (whole, rows) {
            (Shape::Turned, 1) => Shape::RowTurned,
            (_, 1) => Shape::Row,
            (Shape::Down, 2 | 3) => Shape::Across,
            _ => whole,
        };
        let paired = matches!(shape, Shape::Across | Shape::Turned) && grid.a_terms[2] == 1;
        (line.pairs, line.terms) = if paired { (terms / 2, terms % 2) } else { (0, terms) };
        let (mut image, mut walked) = (0, 0);
        while image < images {
            let mut place = 0;
            while place < height {
                let ahead = image * grid.a_terms[0] + place * grid.a_terms[1];
                if image + place > 0 {
                    // What the terms before have left is added to.
                    let mut k = 0;
                    while k < TILE {
                        line.rows[k].a = line.rows[k].a.wrapping_add(ahead.wrapping_sub(walked));
                        line.rows[k].start = line.rows[k].y;
                        k += 1;
                    }
                }
                walked = ahead;
                let b = grid.b.wrapping_add(image * grid.b_terms[0] + place * grid.b_terms[1]);
                // SAFETY: rows, terms and columns lie within the grid.
                unsafe { line.all(shape, [rows, cols], b, grid.b_cols) };
                place += 1;
            }
            image += 1;
        }
    }
    cols
}
