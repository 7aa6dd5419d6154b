//! The loops that keep or drop elements by a mask of one bit each.
#![allow(unsafe_code, reason = "pointers")]

use super::arch::SMALL;
use super::exec::Exec;
use super::isa::{Assembler, Isa, Kernel};
use super::level::Level;
use super::reduce::{BLOCK, Fold, reduce};
use super::streams::Streams;
use super::sweep::{Columns, head};
use super::vector::{Element, Vector};
use crate::cut::cut;
use crate::error::{Argument, Error, same_length};
use core::marker::PhantomData;

/// Words of a mask over `len` elements; of the last one some bits may have no element.
#[inline]
#[must_use]
pub const fn mask_words(len: usize) -> usize {
    len.div_ceil(32)
}

/// Where a pass reads and writes: one slice in place, or two of the same length.
///
/// ```
/// use gradus::noise::{Dropout, Masks};
/// let mut masks = Masks::new(1);
/// let (x, mut y) = ([1.0_f32; 3], [0.0; 3]);
/// Dropout::drop_prob(0.0).forward((&x, &mut y), &mut masks)?; // from x to y
/// assert_eq!(y, x);
/// Dropout::drop_prob(1.0).forward(&mut y, &mut masks)?; // y in place
/// assert_eq!(y, [0.0; 3]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
pub struct InOut<'a, T = f32> {
    from: *const T,
    from_len: usize,
    to: *mut T,
    to_len: usize,
    slices: PhantomData<(&'a [T], &'a mut [T])>,
}

impl<T> InOut<'_, T> {
    /// The length that both slices have.
    fn len(&self) -> Result<usize, Error> {
        same_length(Argument::Output, self.from_len, self.to_len)?;
        Ok(self.to_len)
    }
}

impl<'a, T: Element> InOut<'a, T> {
    /// For rules that compute `x` from a column they read: what is there before is not used.
    #[inline]
    pub(crate) fn columns(self) -> Result<Columns<'a, 0, 1, T>, Error> {
        let len = self.len()?;
        // SAFETY: both point to len elements for 'a; in place, a register is read before it is written.
        Ok(unsafe { Columns::from_pointers(self.to, Streams::from_pointers(len, [self.from], [])) })
    }

    /// The same with `R` more columns to read, `N = R + 1` in all.
    #[inline]
    pub(crate) fn columns_with<const R: usize, const N: usize>(
        self,
        others: [&'a [T]; R],
    ) -> Result<Columns<'a, 0, N, T>, Error> {
        let len = self.len()?;
        let read = self.read(len, others)?;
        // SAFETY: all point to len elements for 'a; in place, a register is read before it is written.
        Ok(unsafe { Columns::from_pointers(self.to, Streams::from_pointers(len, read, [])) })
    }

    /// The same for a kernel that writes a column of state.
    #[inline]
    pub(super) fn streams<const R: usize, const N: usize>(
        self,
        others: [&'a [T]; R],
    ) -> Result<Streams<'a, 1, N, T>, Error> {
        let len = self.len()?;
        let read = self.read(len, others)?;
        // SAFETY: all point to len elements for 'a; in place, a register is read before it is written.
        Ok(unsafe { Streams::from_pointers(len, read, [self.to]) })
    }

    /// Where the columns to read begin: the one that is passed over, and others of the same length.
    #[inline]
    fn read<const R: usize, const N: usize>(
        &self,
        len: usize,
        others: [&'a [T]; R],
    ) -> Result<[*const T; N], Error> {
        const { assert!(N == R + 1, "the column that is passed over, and the others") };
        let mut read = [self.from; N];
        for (column, other) in read.iter_mut().skip(1).zip(others) {
            same_length(Argument::Read, len, other.len())?;
            *column = other.as_ptr();
        }
        Ok(read)
    }

    /// A part of both; what lies beyond their ends is left out.
    #[inline]
    pub(crate) fn get(&mut self, range: core::ops::Range<usize>) -> InOut<'_, T> {
        let (from_len, to_len) = (range.end.min(self.from_len), range.end.min(self.to_len));
        let start = range.start.min(from_len).min(to_len);
        // SAFETY: start is at most the length of both.
        let (from, to) = unsafe { (self.from.add(start), self.to.add(start)) };
        InOut { from, from_len: from_len - start, to, to_len: to_len - start, slices: PhantomData }
    }
}

impl<'a, T> From<&'a mut [T]> for InOut<'a, T> {
    #[inline]
    fn from(x: &'a mut [T]) -> Self {
        let (to, len) = (x.as_mut_ptr(), x.len());
        Self { from: to, from_len: len, to, to_len: len, slices: PhantomData }
    }
}

impl<'a, T> From<(&'a [T], &'a mut [T])> for InOut<'a, T> {
    #[inline]
    fn from((x, y): (&'a [T], &'a mut [T])) -> Self {
        let (from, to) = (x.as_ptr(), y.as_mut_ptr());
        Self { from, from_len: x.len(), to, to_len: y.len(), slices: PhantomData }
    }
}

impl<'a, T, const N: usize> From<&'a mut [T; N]> for InOut<'a, T> {
    #[inline]
    fn from(x: &'a mut [T; N]) -> Self {
        Self::from(x.as_mut_slice())
    }
}

impl<'a, T, const N: usize> From<(&'a [T; N], &'a mut [T; N])> for InOut<'a, T> {
    #[inline]
    fn from((x, y): (&'a [T; N], &'a mut [T; N])) -> Self {
        Self::from((x.as_slice(), y.as_mut_slice()))
    }
}

/// One element of a pass with a mask: the formula, without a loop.
pub trait Gate<const R: usize, T: Element = f32>: Sync {
    /// What is written, from `x` and from columns that are only read.
    ///
    /// Bit `i` of `bits` belongs to position `i`; those past the register belong to others.
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, read: [V; R], bits: u32) -> V;

    /// The factor, where the formula is `keep ? x * factor : 0`: the crate has a loop in assembly for that.
    #[inline(always)]
    fn factor(&self) -> Option<T> {
        None
    }
}

/// The slices of a pass with a mask, their lengths checked.
#[derive(Debug)]
pub struct Gated<'a, const R: usize, T: Element = f32> {
    to: *mut T,
    from: *const T,
    read: Streams<'a, 0, R, T>,
}

// SAFETY: Gated is a bundle of `&mut [T]` and `&[T]`, which are Send for these T.
unsafe impl<const R: usize, T: Element> Send for Gated<'_, R, T> {}

impl<'a, const R: usize, T: Element> Gated<'a, R, T> {
    /// Bundles them.
    #[inline]
    pub fn new(in_out: InOut<'a, T>, read: [&'a [T]; R]) -> Result<Self, Error> {
        let read = Streams::new(in_out.len()?, read, [])?;
        Ok(Self { to: in_out.to, from: in_out.from, read })
    }

    /// Length of every column.
    #[inline]
    pub const fn len(&self) -> usize {
        self.read.len()
    }

    /// Where `x` is read, and where it is written.
    #[inline]
    #[allow(dead_code, reason = "for loops in assembly")]
    pub(super) const fn pointers(&self) -> (*const T, *mut T) {
        (self.from, self.to)
    }

    /// The first `mid` elements and the rest; everything and nothing if `mid` lies beyond the end.
    #[inline]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        let (left, right) = self.read.split_at(mid);
        // SAFETY: left.len() is at most the length of both.
        let (to, from) = unsafe { (self.to.add(left.len()), self.from.add(left.len())) };
        (Self { read: left, ..self }, Self { to, from, read: right })
    }
}

impl<const R: usize, T: Element> Gated<'_, R, T> {
    /// Applies `gate` to the `n < WIDTH` elements from `i` on.
    ///
    /// # Safety
    /// `i + n <= len`, and `n < WIDTH`.
    #[inline(always)]
    unsafe fn partial<V: Vector<T>, G: Gate<R, T>>(
        &self,
        isa: V::Isa,
        gate: &G,
        i: usize,
        n: usize,
        bits: u32,
    ) {
        // SAFETY: the caller keeps i + n within the columns.
        unsafe {
            let (read, []) = self.read.load_partial::<V>(isa, i, n);
            let x = V::load_partial(isa, self.from.add(i), n);
            gate.apply(isa, x, read, bits).store_partial(self.to.add(i), n);
        }
    }
}

/// Applies `gate` to every element: bit `i mod 32` of word `i / 32` belongs to element `i`.
///
/// # Errors
/// [`Error::Length`] if `mask` has not [`mask_words`] words.
#[inline]
pub(crate) fn run_masked<const R: usize, T: Element, G: Gate<R, T>>(
    exec: Exec,
    gate: &G,
    mask: &[u32],
    columns: Gated<'_, R, T>,
) -> Result<(), Error> {
    same_length(Argument::Mask, mask_words(columns.len()), mask.len())?;
    let parts = exec.parts(columns.len());
    run_masked_parts(exec.level(), gate, Masked { mask, columns }, parts);
    Ok(())
}

/// The same in a number of parts, a thread each.
#[inline]
fn run_masked_parts<const R: usize, T: Element, G: Gate<R, T>>(
    level: Level,
    gate: &G,
    masked: Masked<'_, '_, R, T>,
    parts: usize,
) {
    #[cfg(feature = "rayon")]
    if parts > 1 {
        let half = parts / 2;
        let words = masked.mask.len() / parts * half;
        let (left, right) = masked.split_at(words);
        super::exec::join(
            || run_masked_parts(level, gate, left, half),
            || run_masked_parts(level, gate, right, parts - half),
        );
        return;
    }
    debug_assert!(parts == 1, "one part without threads");
    level.dispatch(gate, masked);
}

/// The slices of a pass with their mask.
struct Masked<'a, 'm, const R: usize, T: Element> {
    mask: &'m [u32],
    columns: Gated<'a, R, T>,
}

#[cfg(feature = "rayon")]
impl<const R: usize, T: Element> Masked<'_, '_, R, T> {
    /// The elements of the first `words` words of the mask, and the rest.
    fn split_at(self, words: usize) -> (Self, Self) {
        let (left, right) = self.mask.split_at(words);
        let (first, others) = self.columns.split_at(32 * words);
        (Self { mask: left, columns: first }, Self { mask: right, columns: others })
    }
}

impl<const R: usize, T: Element, G: Gate<R, T>> Kernel<G> for Masked<'_, '_, R, T> {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, gate: &G) {
        masked::<R, T, T::In<I>, G>(isa, gate, self.mask, self.columns);
    }

    #[inline(always)]
    fn assemble<A: Assembler>(self, assembler: A, gate: &G) -> Self {
        let (mask, columns) = assembler.masked(gate, self.mask, self.columns);
        Self { mask, columns }
    }
}

/// The loop over elements and their bits.
///
/// A turn takes 32 elements. Where nothing is done to align memory, a turn takes one word of the mask, and a register of
/// `WIDTH` elements takes its lowest `WIDTH` bits, then the next ones: the width divides 32, so that no register needs bits of
/// two words.
///
/// A head disturbs this. The first `part` elements, fewer than a register, are done apart, so that the registers behind
/// them are aligned in the column that is written. They use up `part` bits of the first word, and from then on every
/// turn of 32 elements has its bits in two words: the rest of one, and the beginning of the next. `bits` is therefore a
/// window of 64 bits, whose lowest bit always belongs to element `i`:
///
/// ```text
/// words    |  word 0: bits 0 .. 31  |  word 1: bits 32 .. 63  |  word 2
/// turns    | head |        turn 0          |        turn 1          |
///          0      part                 part + 32
/// window          | left = 32 - part | next word |
/// ```
///
/// `left` is the number of bits that a turn begins with: 0 without a head, else `32 - part`. A turn puts the next word above
/// them, uses the lowest 32, and shifts them out; as many bits are left over as before. Behind the last turn there are
/// fewer than 32 elements, whose bits are those that are left and the next word. Where no word is left, zeros come in, for
/// elements that do not exist.
#[inline(always)]
fn masked<const R: usize, T: Element, V: Vector<T>, G: Gate<R, T>>(
    isa: V::Isa,
    gate: &G,
    mask: &[u32],
    columns: Gated<'_, R, T>,
) {
    let Gated { to, from, ref read } = columns;
    let n = read.len();
    let mut words = mask.iter();
    if SMALL {
        // One loop for all: registers are numbers.
        let (mut i, mut bits) = (0, 0);
        while i < n {
            bits = if i % 32 == 0 { word(&mut words) as u32 } else { bits >> 1 };
            // SAFETY: i < n, the length of every column.
            unsafe {
                let (read, []) = read.load::<V>(isa, i);
                gate.apply(isa, V::load(isa, from.add(i)), read, bits).store(to.add(i));
            }
            i += V::WIDTH;
        }
        return;
    }
    // The bits of the elements from `i` on: behind a head each turn begins with what is left of a word.
    let (mut i, mut bits, mut left) = (0, 0, 0);
    let part = head::<T, V>(to, n);
    if part > 0 {
        bits = word(&mut words);
        // SAFETY: part < WIDTH and part <= n, the length of every column.
        unsafe { columns.partial::<V, G>(isa, gate, 0, part, bits as u32) };
        (i, bits, left) = (part, bits >> part, 32 - part);
    }
    while n - i >= 32 {
        bits |= word(&mut words) << left;
        let mut k = 0;
        while k < 32 {
            // SAFETY: WIDTH divides 32, so that i + k + WIDTH <= n, the length of every column.
            unsafe {
                let (read, []) = read.load::<V>(isa, i + k);
                let x = V::load(isa, from.add(i + k));
                gate.apply(isa, x, read, bits as u32 >> k).store(to.add(i + k));
            }
            k += V::WIDTH;
        }
        i += 32;
        bits >>= 32;
    }
    let mut bits = (bits | word(&mut words) << left) as u32; // for fewer than 32 elements
    while n - i >= V::WIDTH {
        // SAFETY: the loop condition gives i + WIDTH <= n, the length of every column.
        unsafe {
            let (read, []) = read.load::<V>(isa, i);
            gate.apply(isa, V::load(isa, from.add(i)), read, bits).store(to.add(i));
        }
        bits >>= V::WIDTH;
        i += V::WIDTH;
    }
    let part = n - i;
    if V::WIDTH > 1 && part > 0 {
        // SAFETY: part < WIDTH and i + part <= n, the length of every column.
        unsafe { columns.partial::<V, G>(isa, gate, i, part, bits) };
    }
}

/// The next word of a mask; zeros behind the last.
#[inline(always)]
fn word(words: &mut core::slice::Iter<'_, u32>) -> u64 {
    words.next().copied().unwrap_or(0).into()
}

/// Sum of the products that a mask keeps, over one block.
struct MaskedDot<'a> {
    mask: &'a [u32],
}

impl<T: Element> Fold<2, 0, 1, T> for MaskedDot<'_> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        at: usize,
        [sum]: [V; 1],
        [x, y]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        // The register is within one word: its width divides 32, and so does the place of its start.
        let word = self.mask.get(at / 32).copied().unwrap_or(0);
        ([sum + (x * y).keep(word >> (at % 32))], [])
    }
}

/// Sum of the `x[i] * y[i]` that `mask` keeps, in the fixed order: as [`dot`](super::dot) with
/// zeros in place of the others.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length, or `mask` has not [`mask_words`] words.
pub(crate) fn masked_dot<T: Element>(exec: Exec, mask: &[u32], x: &[T], y: &[T]) -> Result<T, Error> {
    same_length(Argument::Input, x.len(), y.len())?;
    same_length(Argument::Mask, mask_words(x.len()), mask.len())?;
    let (mut mask, mut x, mut y, mut sum) = (mask, x, y, T::ZERO);
    while !x.is_empty() {
        let fold = MaskedDot { mask: cut(&mut mask, BLOCK / 32) };
        let (x, y) = (cut(&mut x, BLOCK), cut(&mut y, BLOCK));
        sum = sum + reduce(exec, &fold, x.len(), [x, y], [])?[0];
    }
    Ok(sum)
}
