//! The product where flash counts before speed: one element of the result at a time, in the order that
//! [`product`](super::product) defines.
#![allow(unsafe_code, reason = "pointers")]

use super::product::Grid;
use super::vector::Element;

/// The rows of a digit and those behind it, where `a`, the starts and the result have come to.
///
/// # Safety
/// The grid fits, and its rows lie within it.
pub(super) unsafe fn rows<T: Element>(grid: &Grid<T>, digit: usize, a: *const T, start: *const T, y: *mut T) {
    let (mut a, mut start, mut y) = (a, start, y);
    let [(n, a_step), (start_step, y_step)] = match digit {
        0 => [(grid.rows[0], grid.a_rows[0]), (grid.start_rows[0], grid.y_rows[0])],
        1 => [(grid.rows[1], grid.a_rows[1]), (grid.start_rows[1], grid.y_rows[1])],
        _ => [(grid.rows[2], grid.a_rows[2]), (grid.start_rows[2], grid.y_rows[2])],
    };
    let mut left = n;
    while left > 0 {
        // SAFETY: as many rows are left.
        unsafe {
            if digit < 2 {
                rows(grid, digit + 1, a, start, y);
            } else {
                row(grid, a, start, y);
            }
        }
        a = a.wrapping_add(a_step);
        start = start.wrapping_add(start_step);
        y = y.wrapping_add(y_step);
        left -= 1;
    }
}

/// A row.
///
/// # Safety
/// It lies within the grid.
#[inline(always)]
unsafe fn row<T: Element>(grid: &Grid<T>, a: *const T, start: *const T, y: *mut T) {
    let (mut col, mut first) = (0, grid.b);
    while col < grid.cols {
        // SAFETY: the place of a sum's start lies in the slice of starts.
        let mut sum = if start.is_null() { T::ZERO } else { unsafe { *start.add(col) } };
        let (mut a_image, mut b_image, mut images) = (a, first, grid.terms[0]);
        while images > 0 {
            let (mut a_line, mut b_line, mut lines) = (a_image, b_image, grid.terms[1]);
            while lines > 0 {
                let (mut a, mut b, mut terms) = (a_line, b_line, grid.terms[2]);
                while terms > 0 {
                    // SAFETY: the term lies in `a` and in `b`.
                    sum = sum + unsafe { *a * *b };
                    a = a.wrapping_add(grid.a_terms[2]);
                    b = b.wrapping_add(grid.b_terms[2]);
                    terms -= 1;
                }
                a_line = a_line.wrapping_add(grid.a_terms[1]);
                b_line = b_line.wrapping_add(grid.b_terms[1]);
                lines -= 1;
            }
            a_image = a_image.wrapping_add(grid.a_terms[0]);
            b_image = b_image.wrapping_add(grid.b_terms[0]);
            images -= 1;
        }
        // SAFETY: row and column lie in the result.
        unsafe { *y.add(col) = sum };
        first = first.wrapping_add(grid.b_cols);
        col += 1;
    }
}
