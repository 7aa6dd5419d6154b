//! The only matrix product of the crate, and with it every dense and convolutional layer.
//!
//! The order of a sum is part of its definition:
//!
//! ```text
//! y[r][c] = start;  for k = 0, 1, ..: y[r][c] += a[r][k] * b[k][c]
//! ```
//!
//! Registers span columns, whose sums do not know of each other, so that no width, tile or thread changes a bit.
//!
//! A tile of the result stays in registers over all terms: [`TILE`] rows by two registers, by four numbers where a
//! register is one number. A term then loads two registers of `b` and four numbers of `a` for eight sums. Where a
//! register has 512 bits a product takes its number of `a` from memory itself, and eight rows by one register are faster
//! (1.35 times on a Zen 4). A convolution is a product too: a row of the result is a place of an image, its terms are the places under the kernel,
//! line by line; rows and terms count in three digits therefore.
//!
//! The gradient of the inputs takes `b` transposed. There a register of columns would be loaded from as many lines of
//! memory, so that a panel of `b`, as wide as a tile, is turned on the stack first.
#![allow(unsafe_code, reason = "pointers")]

use super::arch::{PRODUCTS, SMALL};
use super::exec::Exec;
#[cfg(feature = "rayon")]
use super::exec::join;
use super::isa::{Assembler, Isa, Kernel};
use super::level::Level;
use super::product_small;
use super::transpose::transpose;
use super::vector::{Element, Vector};
use core::mem::MaybeUninit;

/// Rows of a tile.
pub(super) const TILE: usize = 4;

/// Rows of a tile of the widest registers, and where a result is narrower than two registers: as many sums.
const TALL: usize = 8;

/// Terms of a panel.
const TERMS: usize = 64;

/// Columns of the widest panel: two of the widest registers.
const PANEL: usize = 32;

/// What a sum begins with.
pub(crate) enum Start<'a, T> {
    /// The number of its column.
    Row(&'a [T]),
    /// What the result holds.
    Add,
    /// 0.
    Zero,
}

/// The loop that goes round more often, so that what it walks along stays in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// For each tile of columns all rows: `b` is large.
    Rows,
    /// For each tile of rows all columns: the result is large.
    Columns,
}

/// A number with three digits, or a distance for each of them. Rows and terms of a convolution are an image, a row of it
/// and a column; those of a dense layer have the last digit alone.
pub(crate) type Three = [usize; 3];

/// `y = start + a b`: element `(r, k)` of `a` lies at `a_rows * r + a_terms * k`, digit by digit.
pub(crate) struct Product<'a, T> {
    /// How many rows.
    pub rows: Three,
    /// How many terms.
    pub terms: Three,
    /// How many columns.
    pub cols: usize,
    pub a: &'a [T],
    pub a_rows: Three,
    pub a_terms: Three,
    pub b: &'a [T],
    pub b_terms: Three,
    /// From column to column of `b`: 1, or another distance where terms lie side by side.
    pub b_cols: usize,
    pub y: &'a mut [T],
    /// Rows of the result do not overlap; its columns lie side by side.
    pub y_rows: Three,
    pub start: Start<'a, T>,
    pub inner: Inner,
}

/// How many places.
const fn count([a, b, c]: Three) -> usize {
    a * b * c
}

impl<T: Element> Product<'_, T> {
    /// Whether all that it reads and writes lies in its slices, and each number is written once.
    fn fits(&self) -> bool {
        let start = match self.start {
            Start::Row(row) => row.len() >= self.cols,
            Start::Add | Start::Zero => true,
        };
        let [images, lines, _] = self.terms;
        let turned = self.b_cols == 1 || images == 1 && lines == 1 && self.b_terms[2] == 1;
        let none = self.terms.contains(&0); // not by their product, which may come round to 0
        let inside = |[a, b, y]: [usize; 3]| {
            (none || a < self.a.len() && b < self.b.len()) && y < self.y.len() && start && turned
        };
        self.last().is_some_and(inside)
    }

    /// The last place of `a`, `b` and the result, if rows are apart: a step of each digit leads behind all that the digits
    /// behind it reach.
    fn last(&self) -> Option<[usize; 3]> {
        /// `n` places further on, the first of them here.
        fn reach(at: usize, n: usize, stride: usize) -> Option<usize> {
            (n - 1).checked_mul(stride)?.checked_add(at)
        }
        let cols = self.cols.checked_sub(1)?;
        let (mut a, mut b, mut y) = (0, cols.checked_mul(self.b_cols)?, cols);
        for ((n, a_step), y_step) in self.rows.iter().zip(&self.a_rows).zip(&self.y_rows).rev() {
            if *n > 1 {
                if *y_step <= y {
                    return None;
                }
                a = reach(a, *n, *a_step)?;
                y = reach(y, *n, *y_step)?;
            }
        }
        for ((n, a_step), b_step) in self.terms.iter().zip(&self.a_terms).zip(&self.b_terms) {
            if *n > 1 {
                a = reach(a, *n, *a_step)?;
                b = reach(b, *n, *b_step)?;
            }
        }
        Some([a, b, y])
    }

    /// Computes it. What does not fit into its slices is left undone; a layer has checked that it does.
    pub(crate) fn run(self, exec: Exec) {
        if count(self.rows) == 0 || self.cols == 0 {
            return;
        }
        let fits = self.fits();
        debug_assert!(fits, "a product beyond its slices");
        if !fits {
            return;
        }
        let y = self.y.as_mut_ptr();
        let start = match self.start {
            Start::Row(row) => row.as_ptr(),
            Start::Add => y.cast_const(),
            Start::Zero => core::ptr::null(),
        };
        if SMALL || !self.fast(exec, start, y) {
            // SAFETY: it fits.
            unsafe { product_small::rows(&self, 0, self.a.as_ptr(), start, y) };
        }
    }

    /// Computes it in tiles or in assembly. `false` if it is left, where the other products are in assembly: tiles for a few
    /// would be 3 KB.
    #[inline(always)]
    fn fast(&self, exec: Exec, start: *const T, y: *mut T) -> bool {
        let start_rows = if matches!(self.start, Start::Add) { self.y_rows } else { [0; 3] };
        let Self { rows, terms, cols, a_rows, a_terms, b_terms, b_cols, y_rows, inner, .. } = *self;
        let (a, b) = (self.a.as_ptr(), self.b.as_ptr());
        let all = Grid {
            rows,
            terms,
            cols,
            a,
            a_rows,
            a_terms,
            b,
            b_terms,
            b_cols,
            y,
            y_rows,
            start,
            start_rows,
            inner,
        };
        // A second thread wakes up for as much time as a pass over GRAIN elements takes: some products each.
        let products = (count(rows) * cols / 4).saturating_mul(count(terms));
        run_parts(exec.level().narrowed(cols * size_of::<T>()), all, exec.parts(products))
    }
}

/// In a number of parts, a thread each.
fn run_parts<T: Element>(level: Level, all: Grid<T>, parts: usize) -> bool {
    #[cfg(feature = "rayon")]
    if parts > 1 {
        let half = parts / 2;
        if let Some((left, right)) = all.split(half, parts) {
            join(move || run_parts(level, left, half), move || run_parts(level, right, parts - half));
            return true; // no target of microcontrollers has threads
        }
    }
    let _ = parts;
    T::multiply(level, all)
}

/// A grid at a level, in code that lies in this crate for `f32`: else every crate with a layer would compile its tiles
/// anew, half of what a network compiles to. Few train in `f64`, and they compile theirs.
pub trait Multiply: Sized {
    /// The products of a grid that fits; `false` if they are left.
    fn multiply(level: Level, grid: Grid<Self>) -> bool;
}

impl Multiply for f32 {
    fn multiply(level: Level, grid: Grid<Self>) -> bool {
        level.dispatch(&(), grid)
    }
}

impl Multiply for f64 {
    #[inline]
    fn multiply(level: Level, grid: Grid<Self>) -> bool {
        level.dispatch(&(), grid)
    }
}

/// A [`Product`] that fits, as pointers.
#[derive(Clone, Copy, Debug)]
pub struct Grid<T> {
    pub rows: Three,
    pub terms: Three,
    pub cols: usize,
    pub a: *const T,
    pub a_rows: Three,
    pub a_terms: Three,
    pub b: *const T,
    pub b_terms: Three,
    pub b_cols: usize,
    pub y: *mut T,
    pub y_rows: Three,
    /// Where sums begin, null for 0.
    pub start: *const T,
    pub start_rows: Three,
    pub inner: Inner,
}

// SAFETY: a grid reads shared slices and writes numbers of its own, which are Send and Sync for these T.
unsafe impl<T: Send + Sync> Send for Grid<T> {}

impl<T: Element> Grid<T> {
    /// `half` of `parts` shares and the others: by rows where there are enough of them, else by columns.
    #[cfg(feature = "rayon")]
    fn split(self, half: usize, parts: usize) -> Option<(Self, Self)> {
        let (mut left, mut right) = (self, self);
        let [images, lines, rows] = self.rows;
        let (digit, tile) = match (images, lines) {
            (1, 1) => (2, TILE),
            (1, _) => (1, 1),
            _ => (0, 1),
        };
        if [images, lines, rows][digit] >= tile * parts {
            let middle = self.rows[digit] / tile * half / parts * tile;
            left.rows[digit] = middle;
            right.rows[digit] -= middle;
            right.skip_rows(middle, digit);
        } else if self.cols >= PANEL * parts {
            let middle = self.cols / PANEL * half / parts * PANEL;
            left.cols = middle;
            right.cols -= middle;
            right.skip_columns(middle);
        } else {
            return None;
        }
        Some((left, right))
    }

    #[cfg(feature = "rayon")]
    fn skip_rows(&mut self, n: usize, digit: usize) {
        self.a = self.a.wrapping_add(n * self.a_rows[digit]);
        self.y = self.y.wrapping_add(n * self.y_rows[digit]);
        self.start = self.start.wrapping_add(n * self.start_rows[digit]);
    }

    #[inline(always)]
    pub(super) fn skip_columns(&mut self, n: usize) {
        self.b = self.b.wrapping_add(n * self.b_cols);
        self.y = self.y.wrapping_add(n);
        if !self.start.is_null() {
            self.start = self.start.wrapping_add(n);
        }
    }
}

impl<T: Element> Kernel<()> for Grid<T> {
    type Out = bool;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, _: &()) -> bool {
        if PRODUCTS {
            return self.cols == 0;
        }
        // SAFETY: a grid is made by Product::run, which has asked whether it fits.
        unsafe { panels::<T, T::In<I>>(isa, self) };
        true
    }

    #[inline(always)]
    fn assemble<A: Assembler>(self, assembler: A, _: &()) -> Self {
        assembler.product(self)
    }
}

/// The whole grid; where `b` is transposed and registers are wide, by panels of it.
///
/// # Safety
/// The grid fits.
#[inline(always)]
unsafe fn panels<T: Element, V: Vector<T>>(isa: V::Isa, all: Grid<T>) {
    let turned = V::WIDTH > 1 && all.b_cols != 1;
    let wide = 2 * V::WIDTH;
    let mut panel = MaybeUninit::<[T; TERMS * PANEL]>::uninit();
    let panel = panel.as_mut_ptr().cast::<T>();
    let (mut part, mut col, mut term) = (all, 0, 0);
    loop {
        if turned {
            let cols = if all.cols - col < wide { all.cols - col } else { wide };
            let terms = if all.terms[2] - term < TERMS { all.terms[2] - term } else { TERMS };
            part = all;
            part.skip_columns(col);
            // SAFETY: the panel has PANEL >= wide columns and TERMS rows; what is read lies in `b`.
            unsafe { transpose::<T, V>(isa, part.b.add(term), all.b_cols, [cols, terms], panel, wide) };
            (part.cols, part.terms, part.b, part.b_terms, part.b_cols) =
                (cols, [1, 1, terms], panel, [0, 0, wide], 1);
            part.a = part.a.wrapping_add(term * all.a_terms[2]);
            if term > 0 {
                (part.start, part.start_rows) = (part.y, part.y_rows);
            }
            term += terms;
            if term >= all.terms[2] {
                (term, col) = (0, col + cols);
            }
        }
        // SAFETY: the grid fits, and so does a part of it.
        unsafe { tiles::<T, V>(isa, &part) };
        if !turned || col >= all.cols {
            return;
        }
    }
}

/// The row that a loop has come to. Loops in assembly know where its pointers lie.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Row<T> {
    pub a: *const T,
    pub y: *mut T,
    pub start: *const T,
    /// Its digits behind the first.
    line: usize,
    place: usize,
}

impl<T> Row<T> {
    /// The first row.
    #[inline(always)]
    pub(super) fn first(grid: &Grid<T>) -> Self {
        Self { a: grid.a, y: grid.y, start: grid.start, line: 0, place: 0 }
    }

    /// The next row; behind the last one its pointers are not followed.
    #[inline(always)]
    pub(super) fn next(self, grid: &Grid<T>) -> Self {
        let mut next = self;
        next.place += 1;
        next.walk(grid, 2, 1);
        if next.place == grid.rows[2] {
            next.walk(grid, 2, next.place.wrapping_neg());
            next.place = 0;
            next.line += 1;
            next.walk(grid, 1, 1);
            if next.line == grid.rows[1] {
                next.walk(grid, 1, next.line.wrapping_neg());
                next.line = 0;
                next.walk(grid, 0, 1);
            }
        }
        next
    }

    /// `n` steps of a digit; a negative number wraps.
    #[inline(always)]
    fn walk(&mut self, grid: &Grid<T>, digit: usize, n: usize) {
        self.a = self.a.wrapping_add(n.wrapping_mul(grid.a_rows[digit]));
        self.y = self.y.wrapping_add(n.wrapping_mul(grid.y_rows[digit]));
        self.start = self.start.wrapping_add(n.wrapping_mul(grid.start_rows[digit]));
    }
}

/// All tiles: blocks of columns, in each of them rows, in each of these columns again. A block is as wide as a tile or
/// as the result, by which of both loops is to be the inner one.
///
/// # Safety
/// The grid fits; its columns lie side by side where registers are wide.
#[inline(always)]
unsafe fn tiles<T: Element, V: Vector<T>>(isa: V::Isa, grid: &Grid<T>) {
    let count = grid.rows[0] * grid.rows[1] * grid.rows[2];
    let first = Row::first(grid);
    if V::WIDTH > 1 && grid.terms == [1; 3] {
        // SAFETY: as the caller's.
        return unsafe { outer::<T, V>(isa, grid, first, count) };
    }
    let block = if grid.inner == Inner::Columns || count < TILE { grid.cols } else { pair::<T, V>() };
    let tall = size_of::<V>() == 64 || V::WIDTH >= 8 && grid.cols < pair::<T, V>();
    let mut begin = 0;
    while begin < grid.cols {
        let end = if grid.cols - begin < block { grid.cols } else { begin + block };
        let (mut row, mut at) = (0, first);
        while row < count {
            // SAFETY: as many rows are left, and the columns lie within the grid.
            unsafe {
                if tall && count - row >= TALL {
                    at = strip::<T, V, TALL>(isa, grid, at, [begin, end]);
                    row += TALL;
                } else if count - row >= TILE {
                    at = strip::<T, V, TILE>(isa, grid, at, [begin, end]);
                    row += TILE;
                } else {
                    at = strip::<T, V, 1>(isa, grid, at, [begin, end]);
                    row += 1;
                }
            }
        }
        begin = end;
    }
}

/// A product of a single term, as the gradient of weights is from one sample: the result passes by once, row by row.
///
/// # Safety
/// The grid fits, `count` rows from `at` on; its columns lie side by side.
#[inline(always)]
unsafe fn outer<T: Element, V: Vector<T>>(isa: V::Isa, grid: &Grid<T>, mut at: Row<T>, count: usize) {
    let mut row = 0;
    while row < count {
        // SAFETY: the row lies in `a`.
        let x = V::splat(isa, unsafe { *at.a });
        let mut col = 0;
        while col < grid.cols {
            let left = grid.cols - col;
            let n = if left < V::WIDTH { left } else { V::WIDTH };
            // SAFETY: n columns are left, of `b`, of the starts and of the result.
            unsafe {
                let start = match grid.start.is_null() {
                    true => V::splat(isa, T::ZERO),
                    false => load(isa, at.start.add(col), n),
                };
                let sum: V = start + x * load(isa, grid.b.add(col), n);
                store(sum, at.y.add(col), n);
            }
            col += n;
        }
        at = at.next(grid);
        row += 1;
    }
}

/// Columns of a tile: two registers make eight sums with four rows; where a register is one number, there are always four.
#[inline(always)]
const fn pair<T: Element, V: Vector<T>>() -> usize {
    if V::WIDTH == 1 { 4 } else { 2 * V::WIDTH }
}

/// `R` rows from `at` on, of the columns from `begin` to `end`. Returns the row behind them.
///
/// # Safety
/// Rows and columns lie within the grid.
#[inline(always)]
unsafe fn strip<T: Element, V: Vector<T>, const R: usize>(
    isa: V::Isa,
    grid: &Grid<T>,
    at: Row<T>,
    [begin, end]: [usize; 2],
) -> Row<T> {
    let (mut lines, mut next) = ([at; R], at);
    each!(r < R, {
        lines[r] = next;
        next = next.next(grid);
    });
    let mut col = begin;
    while col < end {
        let left = end - col;
        // SAFETY: the tile lies within the grid.
        col += unsafe {
            if R == 1 {
                if left >= 4 * V::WIDTH {
                    tile::<T, V, R, 4>(isa, grid, &lines, col, left)
                } else {
                    tile::<T, V, R, 1>(isa, grid, &lines, col, left)
                }
            } else if left < pair::<T, V>() || R == TALL || size_of::<V>() == 64 {
                tile::<T, V, R, 1>(isa, grid, &lines, col, left)
            } else if V::WIDTH == 1 {
                tile::<T, V, R, 4>(isa, grid, &lines, col, left)
            } else {
                tile::<T, V, R, 2>(isa, grid, &lines, col, left)
            }
        };
    }
    next
}

/// `R` rows by `C` registers of columns, of which a single one may be a part. Returns how many columns they are.
///
/// # Safety
/// Lines and columns lie within the grid; from `col` on there are `left` of these, and `C` registers if `C` is not 1.
#[inline(always)]
unsafe fn tile<T: Element, V: Vector<T>, const R: usize, const C: usize>(
    isa: V::Isa,
    grid: &Grid<T>,
    lines: &[Row<T>; R],
    col: usize,
    left: usize,
) -> usize {
    let n = if left < V::WIDTH { left } else { V::WIDTH };
    let zero = V::splat(isa, T::ZERO);
    let mut sums = [[zero; C]; R];
    if !grid.start.is_null() {
        each!(
            r < R,
            each!(c < C, {
                // SAFETY: the place of a sum's start lies in the slice of starts.
                sums[r][c] = unsafe { load(isa, lines[r].start.add(col + c * V::WIDTH), n) };
            })
        );
    }
    let columns = grid.b.wrapping_add(col * grid.b_cols);
    let register = V::WIDTH * grid.b_cols;
    let mut image = 0;
    while image < grid.terms[0] {
        let mut line = 0;
        while line < grid.terms[1] {
            let mut a = image * grid.a_terms[0] + line * grid.a_terms[1];
            let mut b = columns.wrapping_add(image * grid.b_terms[0] + line * grid.b_terms[1]);
            let mut k = grid.terms[2];
            while k > 0 {
                let mut row = [zero; C];
                each!(c < C, {
                    // SAFETY: term and column lie in `b`.
                    row[c] = unsafe { load(isa, b.add(c * register), n) };
                });
                each!(r < R, {
                    // SAFETY: row and term lie in `a`.
                    let x = V::splat(isa, unsafe { *lines[r].a.add(a) });
                    each!(c < C, {
                        sums[r][c] = sums[r][c] + x * row[c];
                    });
                });
                a += grid.a_terms[2];
                b = b.wrapping_add(grid.b_terms[2]);
                k -= 1;
            }
            line += 1;
        }
        image += 1;
    }
    each!(
        r < R,
        each!(c < C, {
            // SAFETY: row and column lie in the result.
            unsafe { store(sums[r][c], lines[r].y.add(col + c * V::WIDTH), n) };
        })
    );
    if C == 1 { n } else { C * V::WIDTH }
}

/// # Safety
/// `src` is valid for reads of `n <= WIDTH` elements.
#[inline(always)]
pub(super) unsafe fn load<T: Element, V: Vector<T>>(isa: V::Isa, src: *const T, n: usize) -> V {
    // SAFETY: the caller vouches for n elements.
    unsafe { if n == V::WIDTH { V::load(isa, src) } else { V::load_partial(isa, src, n) } }
}

/// # Safety
/// `dst` is valid for writes of `n <= WIDTH` elements.
#[inline(always)]
pub(super) unsafe fn store<T: Element, V: Vector<T>>(x: V, dst: *mut T, n: usize) {
    // SAFETY: the caller vouches for n elements.
    unsafe { if n == V::WIDTH { x.store(dst) } else { x.store_partial(dst, n) } }
}
