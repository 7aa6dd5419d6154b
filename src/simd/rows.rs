//! The only loop down the columns of a matrix: what belongs to a column stays in registers while the rows pass by.
#![allow(unsafe_code, reason = "pointers")]

use super::isa::{Isa, Kernel};
use super::level::Level;
use super::mask::InOut;
use super::streams::Streams;
use super::vector::{Element, Vector};
use crate::error::{Error, ensure};

/// One element of a pass over rows: the formula, without a loop.
///
/// It reads `R` numbers of the element and `C` of its column, writes `W` numbers of the element, and adds to `A` sums of its
/// column. The rows come in their order.
pub(crate) trait RowRule<const R: usize, const W: usize, const C: usize, const A: usize, T: Element = f32>:
    Sync
{
    fn apply<V: Vector<T>>(
        &self,
        isa: V::Isa,
        read: [V; R],
        column: [V; C],
        sums: [V; A],
    ) -> ([V; W], [V; A]);
}

/// Part of a matrix, or of several of one shape: `rows` rows, each `stride` elements behind the one before.
#[derive(Debug)]
pub(crate) struct Rows<'a, const R: usize, const W: usize, T: Element> {
    rows: usize,
    stride: usize,
    elements: Streams<'a, W, R, T>,
}

impl<'a, const R: usize, T: Element> Rows<'a, R, 0, T> {
    /// Matrices that are only read; the first row begins each.
    #[inline]
    pub(crate) fn read(rows: usize, stride: usize, read: [&'a [T]; R]) -> Result<Self, Error> {
        let len = read.first().map_or(0, |matrix| matrix.len());
        Ok(Self { rows, stride, elements: Streams::new(len, read, [])? })
    }
}

impl<'a, const R: usize, T: Element> Rows<'a, R, 1, T> {
    /// A matrix that is written, from itself or another one, and `R - 1` more that are read.
    #[inline]
    pub(crate) fn write<const O: usize>(
        rows: usize,
        stride: usize,
        in_out: InOut<'a, T>,
        others: [&'a [T]; O],
    ) -> Result<Self, Error> {
        Ok(Self { rows, stride, elements: in_out.streams(others)? })
    }
}

/// Applies `rule` to every element of the rows: each is as long as the numbers of the columns.
///
/// # Errors
/// [`Error::Length`] if those differ in length, [`Error::Shape`] if the rows leave their memory.
#[inline]
pub(crate) fn run_rows<const R: usize, const W: usize, const C: usize, const A: usize, T, K>(
    level: Level,
    rule: &K,
    rows: Rows<'_, R, W, T>,
    columns: [&[T]; C],
    sums: [&mut [T]; A],
) -> Result<(), Error>
where
    T: Element,
    K: RowRule<R, W, C, A, T>,
{
    let width = match (columns.first(), sums.first()) {
        (Some(column), _) => column.len(),
        (None, Some(sums)) => sums.len(),
        (None, None) => 0,
    };
    let columns = Streams::new(width, columns, sums)?;
    if rows.rows == 0 {
        return Ok(());
    }
    let end = (rows.rows - 1).saturating_mul(rows.stride).saturating_add(width);
    ensure(end <= rows.elements.len(), Error::Shape)?;
    level.dispatch(rule, Pass { rows, columns });
    Ok(())
}

/// Rows with the numbers of their columns.
struct Pass<'a, 'c, const R: usize, const W: usize, const C: usize, const A: usize, T: Element> {
    rows: Rows<'a, R, W, T>,
    columns: Streams<'c, A, C, T>,
}

impl<const R: usize, const W: usize, const C: usize, const A: usize, T, K> Kernel<K>
    for Pass<'_, '_, R, W, C, A, T>
where
    T: Element,
    K: RowRule<R, W, C, A, T>,
{
    type Out = ();

    /// The loop over columns: four registers side by side, so that no addition waits for the one before it, then one, then
    /// what is left. One position at a time needs no neighbours.
    #[inline(always)]
    fn run<I: Isa>(self, isa: I, rule: &K) {
        let (width, step) = (self.columns.len(), <T::In<I> as Vector<T>>::WIDTH);
        let mut i = 0;
        while step > 1 && width - i >= 4 * step {
            // SAFETY: i + 4 * WIDTH <= width.
            unsafe { self.strip::<T::In<I>, K, 4>(isa, rule, i) };
            i += 4 * step;
        }
        while width - i >= step {
            // SAFETY: i + WIDTH <= width.
            unsafe { self.strip::<T::In<I>, K, 1>(isa, rule, i) };
            i += step;
        }
        if step > 1 && i < width {
            // SAFETY: fewer than WIDTH columns are left.
            unsafe { self.rest::<T::In<I>, K>(isa, rule, i, width - i) };
        }
    }
}

impl<const R: usize, const W: usize, const C: usize, const A: usize, T: Element> Pass<'_, '_, R, W, C, A, T> {
    /// All rows of `N` registers of columns from column `i` on.
    ///
    /// # Safety
    /// `i + N * WIDTH` is at most the number of columns.
    #[inline(always)]
    unsafe fn strip<V: Vector<T>, K: RowRule<R, W, C, A, T>, const N: usize>(
        &self,
        isa: V::Isa,
        rule: &K,
        i: usize,
    ) {
        let zero = V::splat(isa, T::ZERO);
        let (mut column, mut sums) = ([[zero; C]; N], [[zero; A]; N]);
        let mut k = 0;
        while k < N {
            // SAFETY: the caller keeps i + N * WIDTH within the columns.
            (column[k], sums[k]) = unsafe { self.columns.load::<V>(isa, i + k * V::WIDTH) };
            k += 1;
        }
        let (mut at, mut row) = (i, 0);
        while row < self.rows.rows {
            let mut k = 0;
            while k < N {
                let place = at + k * V::WIDTH;
                // SAFETY: of the last row place + WIDTH <= (rows - 1) * stride + width, which `run_rows` has checked.
                unsafe {
                    let (read, _) = self.rows.elements.load::<V>(isa, place);
                    let (new, sum) = rule.apply(isa, read, column[k], sums[k]);
                    self.rows.elements.store(place, new);
                    sums[k] = sum;
                }
                k += 1;
            }
            at += self.rows.stride;
            row += 1;
        }
        let mut k = 0;
        while k < N {
            // SAFETY: the caller keeps i + N * WIDTH within the columns.
            unsafe { self.columns.store(i + k * V::WIDTH, sums[k]) };
            k += 1;
        }
    }

    /// All rows of the `n < WIDTH` columns from column `i` on.
    ///
    /// # Safety
    /// `i + n` is at most the number of columns, and `n < WIDTH`.
    #[inline(always)]
    unsafe fn rest<V: Vector<T>, K: RowRule<R, W, C, A, T>>(
        &self,
        isa: V::Isa,
        rule: &K,
        i: usize,
        n: usize,
    ) {
        // SAFETY: the caller keeps i + n within the columns, and `run_rows` has checked the last row.
        unsafe {
            let (column, mut sums) = self.columns.load_partial::<V>(isa, i, n);
            let (mut at, mut row) = (i, 0);
            while row < self.rows.rows {
                let (read, _) = self.rows.elements.load_partial::<V>(isa, at, n);
                let (new, sum) = rule.apply(isa, read, column, sums);
                self.rows.elements.store_partial(at, n, new);
                sums = sum;
                at += self.rows.stride;
                row += 1;
            }
            self.columns.store_partial(i, n, sums);
        }
    }
}
