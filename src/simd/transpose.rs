//! Columns of a matrix become lines, for a product with its transpose.
#![allow(unsafe_code, reason = "pointers")]

use super::vector::{Element, Vector};

/// `to[t][c] = from[c][t]` for `cols` lines of `terms` numbers, `stride` apart.
///
/// Squares of registers are turned by zips. A zip of the first half of all registers with the second turns the digits
/// of a number's place, register and position together, by one; after `log2(WIDTH)` of them register and position have
/// changed places.
///
/// # Safety
/// `from` is valid for `cols` lines, `to` for `terms` lines of `wide`, and `cols <= wide`.
#[inline(always)]
pub(super) unsafe fn transpose<T: Element, V: Vector<T>>(
    isa: V::Isa,
    from: *const T,
    stride: usize,
    [cols, terms]: [usize; 2],
    to: *mut T,
    wide: usize,
) {
    let mut c = 0;
    while c < cols {
        let mut t = 0;
        if cols - c >= V::WIDTH {
            while terms - t >= V::WIDTH {
                // SAFETY: WIDTH lines from c on and WIDTH terms from t on are there.
                unsafe { turn::<T, V>(isa, from.add(c * stride + t), stride, to.add(t * wide + c), wide) };
                t += V::WIDTH;
            }
        }
        let width = if cols - c < V::WIDTH { cols - c } else { V::WIDTH };
        while t < terms {
            let mut k = 0;
            while k < width {
                // SAFETY: c + k < cols and t < terms.
                unsafe { *to.add(t * wide + c + k) = *from.add((c + k) * stride + t) };
                k += 1;
            }
            t += 1;
        }
        c += width;
    }
}

/// A square of `WIDTH` lines.
///
/// # Safety
/// `from` and `to` are valid for `WIDTH` lines of `WIDTH` numbers.
#[inline(always)]
unsafe fn turn<T: Element, V: Vector<T>>(
    isa: V::Isa,
    from: *const T,
    stride: usize,
    to: *mut T,
    wide: usize,
) {
    let mut rows = [V::splat(isa, T::ZERO); 16]; // an array length cannot be WIDTH
    let mut k = 0;
    while k < V::WIDTH {
        // SAFETY: the caller vouches for WIDTH lines.
        rows[k] = unsafe { V::load(isa, from.add(k * stride)) };
        k += 1;
    }
    let mut rounds = V::WIDTH;
    while rounds > 1 {
        let old = rows;
        let mut k = 0;
        while k < V::WIDTH / 2 {
            let [first, second] = old[k].zip(old[k + V::WIDTH / 2]);
            (rows[2 * k], rows[2 * k + 1]) = (first, second);
            k += 1;
        }
        rounds /= 2;
    }
    let mut k = 0;
    while k < V::WIDTH {
        // SAFETY: the caller vouches for WIDTH lines.
        unsafe { rows[k].store(to.add(k * wide)) };
        k += 1;
    }
}
