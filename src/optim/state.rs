//! What an optimizer remembers: all zero bits at the start.

use core::fmt;
use core::marker::PhantomData;

/// The part of a state that does not grow with the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Clock {
    /// Steps taken; it stays at `u32::MAX` once there.
    pub t: u32,
    /// One number that a rule carries from step to step; 0 at the start. Nadam needs it.
    pub carry: f32,
}

impl Clock {
    /// Steps taken: none.
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
pub struct State<O, const K: usize, const N: usize> {
    /// The columns, in the order that the optimizer's documentation names.
    pub columns: [[f32; N]; K],
    /// Steps taken.
    pub clock: Clock,
    optimizer: PhantomData<fn() -> O>,
}

impl<O, const K: usize, const N: usize> State<O, K, N> {
    /// The initial state: all zero bits.
    #[must_use]
    pub const fn new() -> Self {
        Self { columns: [[0.0; N]; K], clock: Clock::new(), optimizer: PhantomData }
    }

    /// Steps taken.
    #[must_use]
    pub const fn t(&self) -> u32 {
        self.clock.t
    }

    /// A view for the calls on slices.
    #[inline]
    pub fn as_mut(&mut self) -> StateMut<'_, O, K> {
        StateMut::new(self.columns.each_mut().map(|column| column.as_mut_slice()), &mut self.clock)
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
pub struct StateMut<'a, O, const K: usize> {
    /// The columns, in the order that the optimizer's documentation names.
    pub columns: [&'a mut [f32]; K],
    /// Steps taken.
    pub clock: &'a mut Clock,
    optimizer: PhantomData<fn() -> O>,
}

impl<'a, O, const K: usize> StateMut<'a, O, K> {
    /// A state in borrowed memory. New columns are filled with zeros.
    pub const fn new(columns: [&'a mut [f32]; K], clock: &'a mut Clock) -> Self {
        Self { columns, clock, optimizer: PhantomData }
    }
}

/// A state on the heap, for a number of parameters known at run time.
///
/// ```
/// use gradus::{Adam, Optimizer, StateVec};
///
/// let adam = Adam::new(1e-3);
/// let mut params = vec![0.5; 1000];
/// let mut state = StateVec::<Adam, 2>::new(params.len());
/// adam.step_slices(&mut params, &vec![1.0; 1000], state.as_mut())?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[cfg(feature = "std")]
pub struct StateVec<O, const K: usize> {
    columns: [Vec<f32>; K],
    /// Steps taken.
    pub clock: Clock,
    optimizer: PhantomData<fn() -> O>,
}

#[cfg(feature = "std")]
impl<O, const K: usize> StateVec<O, K> {
    /// The initial state of `n` parameters: zeros.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let columns = core::array::from_fn(|_| vec![0.0; n]);
        Self { columns, clock: Clock::new(), optimizer: PhantomData }
    }

    /// Steps taken.
    #[must_use]
    pub const fn t(&self) -> u32 {
        self.clock.t
    }

    /// One column, to read or to fill.
    pub fn columns_mut(&mut self) -> [&mut [f32]; K] {
        self.columns.each_mut().map(Vec::as_mut_slice)
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> [&[f32]; K] {
        self.columns.each_ref().map(Vec::as_slice)
    }

    /// A view for the calls on slices.
    pub fn as_mut(&mut self) -> StateMut<'_, O, K> {
        StateMut::new(self.columns.each_mut().map(Vec::as_mut_slice), &mut self.clock)
    }
}

// Written by hand: derives would ask the same of `O`, which is only a name here.
macro_rules! plain_traits {
    ($name:ident [$($n:tt)*] [$($use:tt)*]) => {
        impl<O, const K: usize, $($n)*> Clone for $name<O, K, $($use)*> {
            fn clone(&self) -> Self {
                Self { columns: self.columns.clone(), clock: self.clock, optimizer: PhantomData }
            }
        }
        impl<O, const K: usize, $($n)*> PartialEq for $name<O, K, $($use)*> {
            fn eq(&self, other: &Self) -> bool {
                self.columns == other.columns && self.clock == other.clock
            }
        }
        impl<O, const K: usize, $($n)*> fmt::Debug for $name<O, K, $($use)*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self { columns, clock, .. } = self;
                f.debug_struct(stringify!($name)).field("columns", columns).field("clock", clock).finish()
            }
        }
    };
}

plain_traits!(State [const N: usize] [N]);
#[cfg(feature = "std")]
plain_traits!(StateVec [] []);

impl<O, const K: usize, const N: usize> Default for State<O, K, N> {
    fn default() -> Self {
        Self::new()
    }
}
