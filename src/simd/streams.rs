//! The slices a kernel walks along, as pointers of one checked length.
#![allow(unsafe_code, reason = "pointers")]

use super::arch::prefetch;
use super::stored::Stored;
use super::vector::{Element, Vector};
use crate::error::{Argument, Error, same_length};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// Runs `$body` for `$k` = 0, 1, .. below the constant `$n`, unrolled in the source.
///
/// At opt-level s and z LLVM keeps a loop over two or three columns, and the registers with it in
/// memory: three times as many instructions per parameter for Adam on a Cortex-M4F.
macro_rules! each {
    ($k:ident < $n:ident, $body:expr) => {{
        each!(@ 0 1 2 3, $k < $n, $body);
        let mut $k = 4;
        while $k < $n {
            $body;
            $k += 1;
        }
    }};
    (@ $($i:literal)*, $k:ident < $n:ident, $body:expr) => {
        $(if $n > $i {
            let $k = $i;
            $body;
        })*
    };
}

/// How far ahead memory is asked for, in bytes. A page has 64 lines, and the prefetcher of the CPU stops at its end.
const AHEAD: usize = 192;

/// `R` slices to read and `S` slices to update, all of length `len`.
#[derive(Debug)]
pub(crate) struct Streams<'a, const S: usize, const R: usize, T: Element, M: Stored<T> = T> {
    len: usize,
    pub(super) read: [*const T; R],
    pub(super) state: [*mut M; S],
    pub(super) dither: M::Dither,
    slices: PhantomData<(&'a [T], &'a mut [M])>,
}

// SAFETY: Streams is a bundle of `&mut [T]` and `&[T]`, which are Send for these T.
unsafe impl<const S: usize, const R: usize, T: Element, M: Stored<T>> Send for Streams<'_, S, R, T, M> {}

impl<'a, const S: usize, const R: usize, T: Element, M: Stored<T>> Streams<'a, S, R, T, M> {
    #[inline]
    pub(crate) fn new(len: usize, read: [&'a [T]; R], state: [&'a mut [M]; S]) -> Result<Self, Error> {
        for column in &read {
            same_length(Argument::Read, len, column.len())?;
        }
        for column in &state {
            same_length(Argument::State, len, column.len())?;
        }
        Ok(Self {
            len,
            read: read.map(<[T]>::as_ptr),
            state: state.map(<[M]>::as_mut_ptr),
            dither: M::Dither::default(),
            slices: PhantomData,
        })
    }

    /// # Safety
    /// For `'a`, each pointer of `read` is valid for reads of `len` elements, and each of `state` for
    /// writes too.
    #[inline]
    pub(crate) unsafe fn from_pointers(len: usize, read: [*const T; R], state: [*mut M; S]) -> Self {
        Self { len, read, state, dither: M::Dither::default(), slices: PhantomData }
    }

    /// Columns of state that lie one after the other, from `state` on.
    ///
    /// # Safety
    /// For `'a`, each pointer of `read` is valid for reads of `len` elements, and `state` for writes of `S * len`.
    #[inline(always)]
    pub(crate) unsafe fn from_columns(len: usize, read: [*const T; R], state: *mut M) -> Self {
        let mut columns = [state; S];
        each!(k < S, columns[k] = state.wrapping_add(k * len));
        // SAFETY: as above: column k ends at (k + 1) * len.
        unsafe { Self::from_pointers(len, read, columns) }
    }

    /// The same slices once more.
    ///
    /// # Safety
    /// Both are used one after the other.
    #[inline(always)]
    pub(super) unsafe fn again<'b>(&mut self) -> Streams<'b, S, R, T, M> {
        Streams {
            len: self.len,
            read: self.read,
            state: self.state,
            dither: self.dither,
            slices: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn from_arrays<const N: usize>(read: [&'a [T; N]; R], state: &'a mut [[M; N]; S]) -> Self {
        Self {
            len: N,
            read: read.map(|column| column.as_ptr()),
            state: state.each_mut().map(|column| column.as_mut_ptr()),
            dither: M::Dither::default(),
            slices: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The first `mid` elements and the rest; everything and nothing if `mid` lies beyond the end.
    #[inline]
    pub(crate) fn split_at(self, mid: usize) -> (Self, Self) {
        let mid = if mid < self.len { mid } else { self.len };
        let (mut read, mut state) = (self.read, self.state);
        // SAFETY: mid is at most the length of every column.
        unsafe {
            each!(k < R, {
                read[k] = read[k].add(mid);
            });
            each!(k < S, {
                state[k] = state[k].add(mid);
            });
        }
        let dither = M::ahead(self.dither, mid);
        let rest = Self { len: self.len - mid, read, state, dither, slices: PhantomData };
        (Self { len: mid, ..self }, rest)
    }
}

impl<const S: usize, const R: usize, T: Element, M: Stored<T>> Streams<'_, S, R, T, M> {
    /// A register of each column from element `i` on.
    ///
    /// # Safety
    /// `i + WIDTH <= len`.
    #[inline(always)]
    pub(crate) unsafe fn load<V: Vector<T>>(&self, isa: V::Isa, i: usize) -> ([V; R], [V; S]) {
        // `[zero; S]` would be one more loop at opt-level z.
        let (mut read, mut state) = (MaybeUninit::<[V; R]>::uninit(), MaybeUninit::<[V; S]>::uninit());
        // SAFETY: the caller keeps i + WIDTH within the columns; each place of both arrays is written.
        unsafe {
            each!(k < R, read.as_mut_ptr().cast::<V>().add(k).write(V::load(isa, self.read[k].add(i))));
            each!(k < S, state.as_mut_ptr().cast::<V>().add(k).write(M::load(isa, self.state[k].add(i))));
            (read.assume_init(), state.assume_init())
        }
    }

    /// Tells the CPU that the `n` elements of each column [`AHEAD`] bytes behind element `i` are read soon.
    #[inline(always)]
    pub(crate) fn fetch(&self, i: usize, n: usize) {
        let mut at = AHEAD;
        while at < AHEAD + n * size_of::<T>() {
            each!(k < R, prefetch(self.read[k].wrapping_add(i).wrapping_byte_add(at)));
            each!(k < S, prefetch(self.state[k].wrapping_add(i).wrapping_byte_add(at)));
            at += 64;
        }
    }

    /// Writes a register to each column of state from element `i` on.
    ///
    /// # Safety
    /// `i + WIDTH <= len`.
    #[inline(always)]
    pub(crate) unsafe fn store<V: Vector<T>>(&self, i: usize, state: [V; S]) {
        let dither = M::ahead(self.dither, i);
        each!(k < S, {
            // SAFETY: the caller keeps i + WIDTH within the column.
            unsafe { M::store(state[k], self.state[k].add(i), dither, k) };
        });
    }

    /// The `n < WIDTH` elements of each column from `i` on; zeros beyond them.
    ///
    /// # Safety
    /// `i + n <= len`, and `n < WIDTH`.
    #[inline(always)]
    pub(crate) unsafe fn load_partial<V: Vector<T>>(
        &self,
        isa: V::Isa,
        i: usize,
        n: usize,
    ) -> ([V; R], [V; S]) {
        let zero = V::splat(isa, T::ZERO);
        let (mut read, mut state) = ([zero; R], [zero; S]);
        each!(k < R, {
            // SAFETY: the caller keeps i + n within the column.
            read[k] = unsafe { V::load_partial(isa, self.read[k].add(i), n) };
        });
        each!(k < S, {
            // SAFETY: the caller keeps i + n within the column.
            state[k] = unsafe { M::load_partial(isa, self.state[k].add(i), n) };
        });
        (read, state)
    }

    /// Writes `n < WIDTH` elements to each column of state from `i` on.
    ///
    /// # Safety
    /// `i + n <= len`, and `n < WIDTH`.
    #[inline(always)]
    pub(crate) unsafe fn store_partial<V: Vector<T>>(&self, i: usize, n: usize, state: [V; S]) {
        let dither = M::ahead(self.dither, i);
        each!(k < S, {
            // SAFETY: the caller keeps i + n within the column.
            unsafe { M::store_partial(state[k], self.state[k].add(i), n, dither, k) };
        });
    }
}
