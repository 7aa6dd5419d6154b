//! The elementwise loop of all updates; passes with a mask have theirs in `mask.rs`.
#![allow(unsafe_code, reason = "pointers")]

use super::acts::Acts;
use super::isa::{Assembler, Isa, Kernel};
use super::stored::Stored;
use super::streams::Streams;
use super::subnormal::{Decaying, PERIOD};
use super::vector::{Element, Vector};
use super::width::{ColumnSet, Width};
use crate::error::Error;

/// One element of a fused update: the formula, without a loop, a pointer or a cfg.
///
/// A rule updates a column `x` and `S` columns of state from `R` columns that it only reads.
/// For an optimizer `x` are the parameters, the state its running averages, and it reads the
/// gradients (`R` is 1 unless stated). [`run`](super::run) applies it to whole slices.
///
/// Mark `apply` `#[inline(always)]` and write it without closures: on targets where the
/// instruction set is chosen at run time, both cost a function call for each register.
///
/// ```
/// use gradus::{Columns, Exec, Vector, Rule, Width, run};
///
/// /// The sign of the gradient alone: `p -= lr` where `g > 0`, `p += lr` where `g < 0`.
/// struct SignSgd {
///     lr: f32,
/// }
///
/// impl Rule for SignSgd {
///     type Columns = Width<0>;
///     #[inline(always)]
///     fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
///         let (zero, lr) = (V::splat(isa, 0.0), V::splat(isa, self.lr));
///         let down = g.select_gt(zero, lr, zero);
///         let up = zero.select_gt(g, lr, zero);
///         (p - down + up, [])
///     }
/// }
///
/// let mut params = [1.0, 1.0, 1.0];
/// let grads = [3.0, -0.1, 0.0];
/// run(Exec::new(), &SignSgd { lr: 0.5 }, Columns::new(&mut params, [&grads], [])?);
/// assert_eq!(params, [0.5, 1.5, 1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Rule<const R: usize = 1, T: Element = f32>: Send + Sync {
    /// The columns of state: `Width<2>` for two.
    type Columns: ColumnSet;

    /// Whether it squares what it reads, so that not only an infinite gradient fills the state with infinities, but a
    /// finite one above 1.8e19 too: [`step_if_finite`](crate::Optimizer::step_if_finite) counts it then.
    const SQUARES: bool = false;

    /// The new `x` and the new state of one element, for a register full of elements.
    fn apply<V: Vector<T>>(
        &self,
        isa: V::Isa,
        x: V,
        read: [V; R],
        state: Of<Self::Columns, V>,
    ) -> (V, Of<Self::Columns, V>);

    /// What changes the columns to read before [`core`](Self::core); nothing, but for [`With`](crate::With).
    #[doc(hidden)]
    #[inline(always)]
    fn before<V: Vector<T>>(&self, _isa: V::Isa, _x: V, read: [V; R]) -> [V; R] {
        read
    }

    /// The rule without what stands before and after it.
    #[doc(hidden)]
    #[inline(always)]
    fn core<V: Vector<T>>(
        &self,
        isa: V::Isa,
        x: V,
        read: [V; R],
        state: Of<Self::Columns, V>,
    ) -> (V, Of<Self::Columns, V>) {
        self.apply(isa, x, read, state)
    }

    /// What changes the new `x` after [`core`](Self::core); nothing, but for [`With`](crate::With).
    #[doc(hidden)]
    #[inline(always)]
    fn after<V: Vector<T>>(&self, _isa: V::Isa, _old: V, new: V) -> V {
        new
    }

    /// The columns of state that decay to nothing where gradients are 0.
    #[doc(hidden)]
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::NONE
    }

    /// Whether anything may stand before or after [`core`](Self::core).
    #[doc(hidden)]
    const TRANSFORMED: bool = false;

    /// Whether what stands there is known at run time only.
    #[doc(hidden)]
    const CHOSEN: bool = false;

    /// What stands before and after [`core`](Self::core), one act after the other.
    #[doc(hidden)]
    #[inline(always)]
    fn acts<A: Acts>(&self, _acts: &mut A) {}

    /// The loop in assembly that computes [`core`](Self::core), where the crate has one.
    #[doc(hidden)]
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        None
    }
}

/// `[T; 2]` for the columns `Width<2>`.
pub type Of<C, T> = <C as ColumnSet>::Of<T>;

/// A rule that has loops in assembly, with its constants.
///
/// In this order, as far as a rule has them: `weight` of a first moment; `gain`, or a `floor`; `beta` of a running
/// average; `lr`; `inside` of the root, or a `decay`; `outside` of it; and `share`, a second factor. Outside of the crate
/// it cannot be named, which keeps [`Rule::assembly`] to the crate's rules.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the optimizers' own names")]
pub enum Assembly {
    Sgd([f32; 1]),
    Momentum([f32; 3]),
    Nesterov([f32; 2]),
    AdaGrad([f32; 3]),
    Adadelta([f32; 4]),
    RmsProp([f32; 5]),
    CenteredRmsProp([f32; 6]),
    RmsPropMomentum([f32; 6]),
    CenteredRmsPropMomentum([f32; 7]),
    Adam([f32; 6]),
    Adamax([f32; 4]),
    AmsGrad([f32; 6]),
    Nadam([f32; 7]),
    RAdam([f32; 7]),
    Lion([f32; 5]),
}

/// The slices that a [`Rule`] runs over: all of one length, which is checked once, here.
#[derive(Debug)]
pub struct Columns<'a, const S: usize, const R: usize = 1, T: Element = f32, M: Stored<T> = T> {
    x: *mut T,
    streams: Streams<'a, S, R, T, M>,
    /// Whether the pass ends with a sweep of subnormals.
    pub(super) sweep: bool,
}

// SAFETY: besides the streams, Columns holds one more `&mut [T]`.
unsafe impl<const S: usize, const R: usize, T: Element, M: Stored<T>> Send for Columns<'_, S, R, T, M> {}

impl<'a, const S: usize, const R: usize, T: Element> Columns<'a, S, R, T> {
    /// Bundles a column to update, columns to read, and columns of state.
    ///
    /// # Errors
    /// [`Error::Length`] if one of them is not as long as `x`.
    #[inline]
    pub fn new(x: &'a mut [T], read: [&'a [T]; R], state: [&'a mut [T]; S]) -> Result<Self, Error> {
        let streams = Streams::new(x.len(), read, state)?;
        Ok(Self { x: x.as_mut_ptr(), streams, sweep: false })
    }

    /// Bundles arrays, whose lengths the compiler has checked.
    #[inline]
    pub fn from_arrays<const N: usize>(
        x: &'a mut [T; N],
        read: [&'a [T; N]; R],
        state: &'a mut [[T; N]; S],
    ) -> Self {
        Self { x: x.as_mut_ptr(), streams: Streams::from_arrays(read, state), sweep: false }
    }
}

impl<'a, const S: usize, const R: usize, T: Element, M: Stored<T>> Columns<'a, S, R, T, M> {
    /// [`new`](Columns::new) with a state of any memory.
    #[inline]
    pub(super) fn stored(x: &'a mut [T], read: [&'a [T]; R], state: [&'a mut [M]; S]) -> Result<Self, Error> {
        let streams = Streams::new(x.len(), read, state)?;
        Ok(Self { x: x.as_mut_ptr(), streams, sweep: false })
    }

    /// [`from_arrays`](Columns::from_arrays) with a state of any memory.
    #[inline]
    pub(super) fn stored_arrays<const N: usize>(
        x: &'a mut [T; N],
        read: [&'a [T; N]; R],
        state: &'a mut [[M; N]; S],
    ) -> Self {
        Self { x: x.as_mut_ptr(), streams: Streams::from_arrays(read, state), sweep: false }
    }

    /// # Safety
    /// For `'a`, `x` is valid for reads and writes of as many elements as the streams.
    #[inline]
    pub(super) unsafe fn from_pointers(x: *mut T, streams: Streams<'a, S, R, T, M>) -> Self {
        Self { x, streams, sweep: false }
    }

    /// Length of every column.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether the columns have no element.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same columns for a shorter time.
    #[inline(always)]
    pub(super) fn reborrow(&mut self) -> Columns<'_, S, R, T, M> {
        // SAFETY: the columns of self, which is borrowed as long.
        unsafe { Columns::from_pointers(self.x, self.streams.again()) }
    }

    /// The columns of state alone.
    #[inline(always)]
    pub(super) fn into_state(self) -> Streams<'a, S, 0, T, M> {
        // SAFETY: columns of self, for as long.
        unsafe { Streams::from_pointers(self.streams.len(), [], self.streams.state) }
    }

    /// Where `x`, the read columns and the state begin.
    #[allow(dead_code, reason = "for loops in assembly")]
    #[inline(always)]
    pub(super) fn pointers(&self) -> (*mut T, [*const T; R], [*mut M; S]) {
        (self.x, self.streams.read, self.streams.state)
    }

    /// The same columns, with others to read.
    ///
    /// # Safety
    /// For `'a`, each pointer is valid for reads of as many elements.
    #[allow(dead_code, reason = "for loops in assembly")]
    #[inline(always)]
    pub(super) unsafe fn with_read(mut self, read: [*const T; R]) -> Self {
        self.streams.read = read;
        self
    }

    /// The dither of the first element.
    #[allow(dead_code, reason = "for loops in assembly")]
    #[inline(always)]
    pub(super) fn dither(&self) -> u32 {
        M::word(self.streams.dither)
    }

    /// Two bundles, split at `mid`, or at the end if `mid` lies beyond it.
    #[inline]
    #[must_use]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        let (left, right) = self.streams.split_at(mid);
        // SAFETY: left.len() is at most the length of the column.
        let x = unsafe { self.x.add(left.len()) };
        (Self { streams: left, ..self }, Self { x, streams: right, ..self })
    }
}

/// What a pass depends on beside its rule: the rounding of [`Bf16`](super::Bf16), and whether subnormals are swept.
pub trait AtStep {
    /// The same columns at step `t`, the first of them element `first` of its tensor.
    #[must_use]
    fn at_step(self, t: u32, first: u32) -> Self;
}

impl<const S: usize, const R: usize, T: Element, M: Stored<T>> AtStep for Columns<'_, S, R, T, M> {
    #[inline]
    fn at_step(mut self, t: u32, first: u32) -> Self {
        self.streams.dither = M::dither(t, first);
        self.sweep = t.is_multiple_of(PERIOD);
        self
    }
}

impl<const S: usize, const R: usize, T: Element, M: Stored<T>, K: Rule<R, T, Columns = Width<S>>> Kernel<K>
    for Columns<'_, S, R, T, M>
{
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, rule: &K) {
        sweep::<S, R, T, M, M::In<I>, K>(isa, rule, self);
    }

    #[inline(always)]
    fn assemble<A: Assembler>(self, assembler: A, rule: &K) -> Self {
        assembler.sweep(rule, self)
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// Elements from which on a first partial register, to align the others, pays for itself.
const LONG: usize = 256;

/// How many of the first elements of `x` are done apart, so that the others are aligned: fewer than a register holds,
/// and none where that does not pay.
///
/// A large allocation often starts 16 bytes past a cache line. Every other 512-bit access would
/// touch two lines there; aligning the column that is written recovers the speed.
#[inline(always)]
pub(super) fn head<T: Element, V: Vector<T>>(x: *const T, n: usize) -> usize {
    // Two registers of AVX-512 are aligned as one.
    let register = if size_of::<V>() > LINE { LINE } else { size_of::<V>() };
    if register >= 32 && n >= LONG {
        // Below WIDTH, because x is aligned to its elements.
        (x.addr().wrapping_neg() % register) / size_of::<T>()
    } else {
        0
    }
}

/// The loop: a part of a register where that aligns `x`, whole registers, and what is left.
#[inline(always)]
fn sweep<
    const S: usize,
    const R: usize,
    T: Element,
    M: Stored<T>,
    V: Vector<T>,
    K: Rule<R, T, Columns = Width<S>>,
>(
    isa: V::Isa,
    rule: &K,
    columns: Columns<'_, S, R, T, M>,
) {
    let Columns { x: p, streams, .. } = columns;
    let n = streams.len();
    let mut part = head::<T, V>(p, n);
    let mut i = 0;
    loop {
        if part > 0 {
            // SAFETY: part < WIDTH, and i + part <= n: the head by n >= LONG, the tail by its value.
            unsafe {
                let (read, state) = streams.load_partial::<V>(isa, i, part);
                let (x, state) = rule.apply(isa, V::load_partial(isa, p.add(i), part), read, state);
                x.store_partial(p.add(i), part);
                streams.store_partial(i, part, state);
            }
            i += part;
        }
        while n - i >= V::WIDTH {
            // SAFETY: the loop condition gives i + WIDTH <= n, the length of every column.
            unsafe {
                let (read, state) = streams.load::<V>(isa, i);
                let (x, state) = rule.apply(isa, V::load(isa, p.add(i)), read, state);
                x.store(p.add(i));
                streams.store(i, state);
            }
            i += V::WIDTH;
        }
        part = n - i;
        if V::WIDTH == 1 || part == 0 {
            return;
        }
    }
}
