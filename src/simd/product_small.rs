//! One loop for the products of all layers, in the order that [`product`](super::product) defines. It computes all of them
//! where flash counts before speed, and elsewhere those that the loops in assembly leave.
//!
//! A block of the result stays in registers over the terms of a line. The block is a row by two columns. Products that
//! assembly leaves have fewer than four columns, so that four rows by one column need fewer loads, where there are so many rows.
#![allow(unsafe_code, reason = "pointers")]

use super::arch::SMALL;
use super::product::{Product, TILE};
use super::vector::Element;

/// The rows of a digit and those behind it, where `a`, what the sums begin with and the result have come to.
///
/// # Safety
/// The product fits. Sums begin with the result, if `start` is that, or with a row, or with 0, if it is null.
pub(super) unsafe fn rows<T: Element>(
    product: &Product<'_, T>,
    digit: usize,
    a: *const T,
    start: *const T,
    y: *mut T,
) {
    let Product { rows: [first, second, third], a_rows, y_rows, .. } = product;
    let (left, a_step, y_step) = match digit {
        0 => (first, a_rows[0], y_rows[0]),
        1 => (second, a_rows[1], y_rows[1]),
        _ => (third, a_rows[2], y_rows[2]),
    };
    let start_step = if start == y.cast_const() { y_step } else { 0 };
    let (mut a, mut start, mut y, mut left) = (a, start, y, *left);
    while left > 0 {
        let n = if digit < 2 || SMALL || left < TILE { 1 } else { TILE };
        // SAFETY: as many rows are left.
        unsafe {
            if digit < 2 {
                rows(product, digit + 1, a, start, y);
            } else {
                lines(product, n, start_step, a, start, y);
            }
        }
        a = a.wrapping_add(n * a_step);
        start = start.wrapping_add(n * start_step);
        y = y.wrapping_add(n * y_step);
        left -= n;
    }
}

/// `n` rows: one, or [`TILE`] of them. All their columns take the terms of a line before the next line, which adds to what
/// they have come to.
///
/// # Safety
/// They lie within the product.
#[inline(always)]
unsafe fn lines<T: Element>(
    product: &Product<'_, T>,
    n: usize,
    start_step: usize,
    a: *const T,
    start: *const T,
    y: *mut T,
) {
    let Product { terms: [images, lines, terms], a_terms, b_terms, y_rows, .. } = product;
    let terms = if *images == 0 || *lines == 0 { 0 } else { *terms };
    let (mut start, mut start_step, mut image) = (start, start_step, 0);
    loop {
        let mut line = 0;
        loop {
            let a = a.wrapping_add(image * a_terms[0] + line * a_terms[1]);
            let b = product.b.as_ptr().wrapping_add(image * b_terms[0] + line * b_terms[1]);
            // SAFETY: image and line lie within the product.
            unsafe {
                if SMALL || n == 1 {
                    columns::<T, 1, 2>(product, terms, start_step, [a, b, start], y);
                } else {
                    columns::<T, TILE, 1>(product, terms, start_step, [a, b, start], y);
                }
            }
            (start, start_step) = (y, y_rows[2]);
            line += 1;
            if line >= *lines {
                break;
            }
        }
        image += 1;
        if image >= *images {
            break;
        }
    }
}

/// All columns of `R` rows, `C` of them at a time, at most two. A last one without another is taken twice.
///
/// # Safety
/// As many terms lie in `a` and `b`, all columns in the result and, if it is not null, from `start` on.
#[inline(always)]
unsafe fn columns<T: Element, const R: usize, const C: usize>(
    product: &Product<'_, T>,
    terms: usize,
    start_step: usize,
    [a, b, start]: [*const T; 3],
    y: *mut T,
) {
    let Product { a_rows, y_rows, .. } = product;
    let (mut col, mut b) = (0, b);
    while col < product.cols {
        let (next, stride) = if product.cols - col > 1 { (col + 1, product.b_cols) } else { (col, 0) };
        let place = |c: usize| if c == 0 { col } else { next };
        let mut sums = [[T::ZERO; C]; R];
        if !start.is_null() {
            each!(
                r < R,
                each!(c < C, {
                    // SAFETY: all columns of the block have a start, which is read before any is written.
                    sums[r][c] = unsafe { *start.add(r * start_step + place(c)) };
                })
            );
        }
        let (mut from, mut to, mut left) = ([a; R], b, terms);
        each!(r < R, from[r] = a.wrapping_add(r * a_rows[2]));
        while left > 0 {
            let mut w = [T::ZERO; C];
            each!(c < C, {
                // SAFETY: the term lies in `b` for each column.
                w[c] = unsafe { *to.wrapping_add(c * stride) };
            });
            each!(r < R, {
                // SAFETY: the term lies in `a` for each row.
                let x = unsafe { *from[r] };
                each!(c < C, sums[r][c] = sums[r][c] + x * w[c]);
                from[r] = from[r].wrapping_add(product.a_terms[2]);
            });
            to = to.wrapping_add(product.b_terms[2]);
            left -= 1;
        }
        each!(
            r < R,
            each!(c < C, {
                // SAFETY: the block lies in the result.
                unsafe { *y.add(r * y_rows[2] + place(c)) = sums[r][c] };
            })
        );
        b = b.wrapping_add(C * product.b_cols);
        col += C;
    }
}
