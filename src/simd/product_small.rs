//! The product where flash counts before speed: one loop for all layers, in the order that [`product`](super::product)
//! defines.
#![allow(unsafe_code, reason = "pointers")]

use super::product::Product;
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
        // SAFETY: as many rows are left.
        unsafe {
            if digit < 2 {
                rows(product, digit + 1, a, start, y);
            } else {
                row(product, a, start, y);
            }
        }
        a = a.wrapping_add(a_step);
        start = start.wrapping_add(start_step);
        y = y.wrapping_add(y_step);
        left -= 1;
    }
}

/// A row. All its columns take the terms of a line before the next line, which adds to what they have come to.
///
/// # Safety
/// It lies within the product.
#[inline(always)]
unsafe fn row<T: Element>(product: &Product<'_, T>, a: *const T, start: *const T, y: *mut T) {
    let Product { terms: [images, lines, terms], a_terms, b_terms, .. } = product;
    let terms = if *images == 0 || *lines == 0 { 0 } else { *terms };
    let (mut start, mut image) = (start, 0);
    loop {
        let mut line = 0;
        loop {
            let a = a.wrapping_add(image * a_terms[0] + line * a_terms[1]);
            let b = product.b.as_ptr().wrapping_add(image * b_terms[0] + line * b_terms[1]);
            // SAFETY: image and line lie within the product.
            unsafe { columns(product, terms, a, b, start, y) };
            start = y;
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

/// The columns of a row, two at a time: a term of `a` is loaded once for both. A last one without another is taken twice.
///
/// # Safety
/// As many terms lie in `a` and `b`, all columns in the result and, if it is not null, from `start` on.
#[inline(always)]
unsafe fn columns<T: Element>(
    product: &Product<'_, T>,
    terms: usize,
    a: *const T,
    b: *const T,
    start: *const T,
    y: *mut T,
) {
    let (mut col, mut b) = (0, b);
    while col < product.cols {
        let (next, stride) = if product.cols - col > 1 { (col + 1, product.b_cols) } else { (col, 0) };
        let mut sums = [T::ZERO; 2];
        if !start.is_null() {
            // SAFETY: both columns have a start, which is read before either is written.
            sums = unsafe { [*start.add(col), *start.add(next)] };
        }
        let (mut from, mut to, mut left) = (a, b, terms);
        while left > 0 {
            // SAFETY: the term lies in `a`, and in `b` for both columns.
            let (x, w) = unsafe { (*from, [*to, *to.wrapping_add(stride)]) };
            sums = [sums[0] + x * w[0], sums[1] + x * w[1]];
            from = from.wrapping_add(product.a_terms[2]);
            to = to.wrapping_add(product.b_terms[2]);
            left -= 1;
        }
        // SAFETY: both columns lie in the result.
        unsafe { (*y.add(col), *y.add(next)) = (sums[0], sums[1]) };
        b = b.wrapping_add(2 * product.b_cols);
        col += 2;
    }
}
