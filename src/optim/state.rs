//! What an optimizer remembers: all zero bits at the start.

use super::Stateful;
#[cfg(feature = "alloc")]
use crate::simd::Of;
use crate::simd::{ColumnSet, Width, Zero};
#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::fmt;
use core::marker::PhantomData;

/// The count of steps, and one more number: the part of a state that does not grow with the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Clock {
    /// Steps taken; it stays at the largest `u32` once there.
    pub t: u32,
    /// One number that a rule carries from step to step; 0 at the start. Nadam and the schedule-free rule need it.
    pub carry: f32,
}

impl Clock {
    /// A clock at the start: no step has been taken.
    #[must_use]
    pub const fn new() -> Self {
        Self { t: 0, carry: 0.0 }
    }

    /// One step more.
    #[inline]
    pub(crate) fn tick(&mut self) -> &mut Self {
        self.t = self.t.saturating_add(1);
        self
    }
}

/// The state of optimizer `O` for `N` parameters: `K` columns and the clock, in one plain block.
///
/// All zero bits at the start: a `static` of it lies in `.bss` and costs no flash.
///
/// ```
/// use gradus::AdamState;
/// static STATE: AdamState<64> = AdamState::new();
/// assert_eq!(size_of::<AdamState<64>>(), 2 * 64 * 4 + 8);
/// ```
#[repr(C)]
pub struct State<O: Stateful, const N: usize> {
    /// The columns, in the order that the optimizer's documentation names.
    pub columns: <O::Columns as ColumnSet>::Arrays<O::Memory, N>,
    /// Steps taken.
    pub clock: Clock,
    optimizer: PhantomData<fn() -> O>,
}

impl<O: Stateful, const N: usize> State<O, N> {
    /// The initial state: all zero bits.
    #[must_use]
    pub const fn new() -> Self {
        Self { columns: Zero::ZERO_BITS, clock: Clock::new(), optimizer: PhantomData }
    }

    /// Steps taken.
    #[must_use]
    pub const fn t(&self) -> u32 {
        self.clock.t
    }

    /// A view for the calls on slices.
    #[inline]
    pub fn as_mut(&mut self) -> StateMut<'_, O> {
        StateMut::of(O::Columns::arrays_mut(&mut self.columns), &mut self.clock)
    }

    /// Sets the initial state again, in place, without a copy of it on the stack.
    pub fn reset(&mut self) {
        self.as_mut().reset();
    }
}

/// A view of a state in any memory: `K` slices and the clock.
///
/// ```
/// use gradus::{Adam, Clock, Optimizer, StateMut};
///
/// let (mut m, mut v, mut clock) = ([0.0; 3], [0.0; 3], Clock::new());
/// let mut params = [1.0, 2.0, 3.0];
/// let state = StateMut::new([&mut m, &mut v], &mut clock);
/// Adam::new(0.1).step_slices(&mut params, &[1.0, 0.0, -1.0], state)?;
/// assert_eq!(clock.t, 1);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct StateMut<'a, O: Stateful> {
    /// The columns, in the order that the optimizer's documentation names.
    pub columns: <O::Columns as ColumnSet>::Views<'a, O::Memory>,
    /// Steps taken.
    pub clock: &'a mut Clock,
    /// Which element of its tensor the first one is: 0, unless the tensor is stepped in pieces. Only the rounding of
    /// [half states](super::Half) asks.
    pub first: u32,
    optimizer: PhantomData<fn() -> O>,
}

impl<'a, O: Stateful> StateMut<'a, O> {
    /// A state in borrowed memory. New columns are filled with zeros.
    pub const fn new<const K: usize>(columns: [&'a mut [O::Memory]; K], clock: &'a mut Clock) -> Self
    where
        O: Stateful<Columns = Width<K>>,
    {
        Self { columns, clock, first: 0, optimizer: PhantomData }
    }

    pub(crate) const fn of(
        columns: <O::Columns as ColumnSet>::Views<'a, O::Memory>,
        clock: &'a mut Clock,
    ) -> Self {
        Self { columns, clock, first: 0, optimizer: PhantomData }
    }

    /// The same view for a shorter time.
    pub fn reborrow(&mut self) -> StateMut<'_, O> {
        StateMut { first: self.first, ..StateMut::of(O::Columns::reborrow(&mut self.columns), self.clock) }
    }

    /// The initial state again: zeros.
    pub fn reset(&mut self) {
        for column in self.columns.as_mut() {
            column.fill(<O::Memory as Zero>::ZERO_BITS);
        }
        *self.clock = Clock::new();
    }

    /// The elements of a range, `None` where a column is too short: a part of a tensor.
    pub fn get(&mut self, range: core::ops::Range<usize>) -> Option<StateMut<'_, O>> {
        let mut short = false;
        let mut columns = self.columns.as_mut().iter_mut();
        let columns =
            O::Columns::views(|_| match columns.next().and_then(|column| column.get_mut(range.clone())) {
                Some(column) => column,
                None => {
                    short = true;
                    &mut []
                }
            });
        let first = self.first.wrapping_add(range.start as u32);
        if short { None } else { Some(StateMut { first, ..StateMut::of(columns, self.clock) }) }
    }
}

/// A state on the heap, for a number of parameters known at run time.
///
/// ```
/// use gradus::{Adam, Optimizer, StateVec};
///
/// let adam = Adam::new(1e-3);
/// let mut params = vec![0.5; 1000];
/// let mut state = StateVec::<Adam>::new(params.len());
/// adam.step_slices(&mut params, &vec![1.0; 1000], state.as_mut())?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[cfg(feature = "alloc")]
pub struct StateVec<O: Stateful> {
    columns: Of<O::Columns, Vec<O::Memory>>,
    /// Steps taken.
    pub clock: Clock,
    optimizer: PhantomData<fn() -> O>,
}

#[cfg(feature = "alloc")]
impl<O: Stateful> StateVec<O> {
    /// The initial state of `n` parameters: zeros.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let columns = O::Columns::repeat(|| vec![<O::Memory as Zero>::ZERO_BITS; n]);
        Self { columns, clock: Clock::new(), optimizer: PhantomData }
    }

    /// Steps taken.
    #[must_use]
    pub const fn t(&self) -> u32 {
        self.clock.t
    }

    /// The columns, to read or to fill.
    pub fn columns_mut(&mut self) -> <O::Columns as ColumnSet>::Views<'_, O::Memory> {
        O::Columns::slices_mut(&mut self.columns)
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Vec<O::Memory>] {
        self.columns.as_ref()
    }

    /// A view for the calls on slices.
    pub fn as_mut(&mut self) -> StateMut<'_, O> {
        StateMut::of(O::Columns::slices_mut(&mut self.columns), &mut self.clock)
    }

    /// The initial state again.
    pub fn reset(&mut self) {
        self.as_mut().reset();
    }
}

// Written by hand: derives would ask the same of `O`, which is only a name here.
impl<O: Stateful> fmt::Debug for StateMut<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateMut")
            .field("columns", &self.columns.as_ref())
            .field("clock", &self.clock)
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}
impl<O: Stateful, const N: usize> Clone for State<O, N> {
    fn clone(&self) -> Self {
        Self { columns: self.columns.clone(), clock: self.clock, optimizer: PhantomData }
    }
}
impl<O: Stateful, const N: usize> PartialEq for State<O, N> {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns && self.clock == other.clock
    }
}
impl<O: Stateful, const N: usize> fmt::Debug for State<O, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("columns", &self.columns).field("clock", &self.clock).finish()
    }
}
#[cfg(feature = "alloc")]
impl<O: Stateful> Clone for StateVec<O> {
    fn clone(&self) -> Self {
        let mut columns = self.columns.as_ref().iter();
        let columns = O::Columns::repeat(|| columns.next().cloned().unwrap_or_default());
        Self { columns, clock: self.clock, optimizer: PhantomData }
    }
}
#[cfg(feature = "alloc")]
impl<O: Stateful> PartialEq for StateVec<O> {
    fn eq(&self, other: &Self) -> bool {
        self.columns() == other.columns() && self.clock == other.clock
    }
}
#[cfg(feature = "alloc")]
impl<O: Stateful> fmt::Debug for StateVec<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateVec").field("columns", &self.columns()).field("clock", &self.clock).finish()
    }
}

impl<O: Stateful, const N: usize> Default for State<O, N> {
    fn default() -> Self {
        Self::new()
    }
}
