//! How many columns of state a rule has, as a type: users name no number.
#![allow(unsafe_code, reason = "pointers")]

use super::exec::{Exec, run, run_parts};
use super::level::Level;
use super::stored::{Stored, Zero};
use super::streams::Streams;
use super::sweep::{AtStep, Columns, Rule};
use crate::error::{Argument, Error, same_length};
use core::fmt::Debug;

/// The number of columns of state, `Width<0>` to any, as a type: see [`Width`].
///
/// Sealed: the crate implements it.
pub trait ColumnSet: Sealed {
    /// How many.
    const COUNT: usize;
    /// One value a column: `[T; K]`.
    type Of<T>: AsRef<[T]> + AsMut<[T]>;
    /// The columns themselves: `[[M; N]; K]`.
    type Arrays<M: Stored, const N: usize>: Zero
        + Clone
        + PartialEq
        + Debug
        + AsRef<[[M; N]]>
        + AsMut<[[M; N]]>;
    /// A view of each column: `[&mut [M]; K]`.
    type Views<'a, M: Stored>: AsRef<[&'a mut [M]]> + AsMut<[&'a mut [M]]> + Send + Sync;
    /// The slices of one pass, their lengths checked.
    type Pass<'a, M: Stored>: Send + AtStep;

    #[doc(hidden)]
    fn arrays_mut<M: Stored, const N: usize>(arrays: &mut Self::Arrays<M, N>) -> Self::Views<'_, M>;
    #[doc(hidden)]
    fn slices_mut<T: AsMut<[M]>, M: Stored>(columns: &mut Self::Of<T>) -> Self::Views<'_, M>;
    #[doc(hidden)]
    fn reborrow<'a, M: Stored>(views: &'a mut Self::Views<'_, M>) -> Self::Views<'a, M>;
    #[doc(hidden)]
    fn views<'a, M: Stored>(f: impl FnMut(usize) -> &'a mut [M]) -> Self::Views<'a, M>;
    #[doc(hidden)]
    fn repeat<T>(f: impl FnMut() -> T) -> Self::Of<T>;
    #[doc(hidden)]
    fn pass<'a, 's: 'a, M: Stored>(
        params: &'a mut [f32],
        grads: &'a [f32],
        state: Self::Views<'s, M>,
    ) -> Result<Self::Pass<'a, M>, Error>;
    #[doc(hidden)]
    fn pass_arrays<'a, M: Stored, const N: usize>(
        params: &'a mut [f32; N],
        grads: &'a [f32; N],
        state: &'a mut Self::Arrays<M, N>,
    ) -> Self::Pass<'a, M>;
    /// The pass over `n` elements of each, where the columns of state lie one after the other.
    ///
    /// # Safety
    /// For `'a`, `params` is valid for writes of `n` elements, `grads` for reads, `state` for writes of `COUNT * n`.
    #[doc(hidden)]
    unsafe fn pass_columns<'a, M: Stored>(
        n: usize,
        params: *mut f32,
        grads: *const f32,
        state: *mut M,
    ) -> Self::Pass<'a, M>;
    #[doc(hidden)]
    fn run<M: Stored, R: Rule<Columns = Self>>(exec: Exec, rule: &R, pass: Self::Pass<'_, M>);
    #[doc(hidden)]
    fn run_parts<M: Stored, R: Rule<Columns = Self>>(
        level: Level,
        rule: &R,
        pass: Self::Pass<'_, M>,
        parts: usize,
    );
}

/// `K` columns of state.
#[derive(Clone, Copy, Debug)]
pub struct Width<const K: usize>;

pub trait Sealed: Sized {}
impl<const K: usize> Sealed for Width<K> {}

impl<const K: usize> ColumnSet for Width<K> {
    const COUNT: usize = K;
    type Of<T> = [T; K];
    type Arrays<M: Stored, const N: usize> = [[M; N]; K];
    type Views<'a, M: Stored> = [&'a mut [M]; K];
    type Pass<'a, M: Stored> = Columns<'a, K, 1, f32, M>;

    #[inline]
    fn arrays_mut<M: Stored, const N: usize>(arrays: &mut [[M; N]; K]) -> [&mut [M]; K] {
        arrays.each_mut().map(|column| column.as_mut_slice())
    }
    #[inline]
    fn slices_mut<T: AsMut<[M]>, M: Stored>(columns: &mut [T; K]) -> [&mut [M]; K] {
        columns.each_mut().map(T::as_mut)
    }
    #[inline]
    fn reborrow<'a, M: Stored>(views: &'a mut [&mut [M]; K]) -> [&'a mut [M]; K] {
        views.each_mut().map(|view| &mut **view)
    }
    #[inline]
    fn views<'a, M: Stored>(f: impl FnMut(usize) -> &'a mut [M]) -> [&'a mut [M]; K] {
        core::array::from_fn(f)
    }
    #[inline]
    fn repeat<T>(mut f: impl FnMut() -> T) -> [T; K] {
        core::array::from_fn(|_| f())
    }
    #[inline]
    fn pass<'a, 's: 'a, M: Stored>(
        params: &'a mut [f32],
        grads: &'a [f32],
        state: [&'s mut [M]; K],
    ) -> Result<Columns<'a, K, 1, f32, M>, Error> {
        same_length(Argument::Grads, params.len(), grads.len())?;
        Columns::stored(params, [grads], state)
    }
    #[inline]
    fn pass_arrays<'a, M: Stored, const N: usize>(
        params: &'a mut [f32; N],
        grads: &'a [f32; N],
        state: &'a mut [[M; N]; K],
    ) -> Columns<'a, K, 1, f32, M> {
        Columns::stored_arrays(params, [grads], state)
    }
    #[inline(always)]
    unsafe fn pass_columns<'a, M: Stored>(
        n: usize,
        params: *mut f32,
        grads: *const f32,
        state: *mut M,
    ) -> Columns<'a, K, 1, f32, M> {
        // SAFETY: the caller's promise is that of both.
        unsafe { Columns::from_pointers(params, Streams::from_columns(n, [grads], state)) }
    }
    #[inline]
    fn run<M: Stored, R: Rule<Columns = Self>>(exec: Exec, rule: &R, pass: Columns<'_, K, 1, f32, M>) {
        run(exec, rule, pass);
    }
    #[inline]
    fn run_parts<M: Stored, R: Rule<Columns = Self>>(
        level: Level,
        rule: &R,
        pass: Columns<'_, K, 1, f32, M>,
        parts: usize,
    ) {
        run_parts(level, rule, pass, parts);
    }
}
