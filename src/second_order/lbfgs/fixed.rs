//! L-BFGS in fixed memory, without a heap.

use super::machine::{Core, Machine};
use super::path::Given;
use super::settings::LbfgsSettings;
use super::two_loop::{History, Pair};
use super::walk::{InOrder, Totals};
use crate::error::Error;
use crate::second_order::{Real, Report};

type Pairs<T, const N: usize, const M: usize> = [Pair<[T; N], [T; M]>; M];

impl<T: Real, const N: usize, const M: usize> Pair<[T; N], [T; M]> {
    const ZERO: Self = Self { s: [T::ZERO; N], y: [T::ZERO; N], products: [T::ZERO; M] };
}

/// L-BFGS for `N` parameters with `M` correction pairs, in fixed memory: it asks for values and gradients, and is told
/// them.
///
/// There is no callback: the caller evaluates wherever and whenever it likes, a microcontroller in its own loop.
/// All bits are zero at the start, so that a `static` lies in `.bss`.
///
/// The curvature is measured by squares of steps and gradients, which must be numbers of the type: for `f32`, gradients
/// between about 1e-17 and 1e17. Beyond that it descends along the gradient alone, slowly: multiply the objective by a
/// power of 2, which changes no bit of the points inside the range.
///
/// ```
/// use gradus::second_order::{Lbfgs, LbfgsSettings, Stop};
///
/// let mut solver = Lbfgs::<2, 5, f32>::new();
/// solver.start(&LbfgsSettings::new(), &[-1.2, 1.0])?;
/// while let Some((x, g)) = solver.ask() {
///     let (u, v) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
///     *g = [-40.0 * u * x[0] - 2.0 * v, 20.0 * u];
///     solver.tell(u * u + v * v);
/// }
/// assert_eq!(solver.report().stop, Stop::Gradient);
/// assert!((solver.x()[0] - 1.0).abs() < 1e-4);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "quasi-newton")]
#[doc(alias = "l-bfgs")]
pub struct Lbfgs<const N: usize, const M: usize, T = f32> {
    pub(super) machine: Machine<T, [T; N], [T; M], Pairs<T, N, M>>,
}

impl<const N: usize, const M: usize, T: Real> Lbfgs<N, M, T> {
    /// A solver at rest: call [`start`](Self::start) to begin a run.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(M > 0, "at least one pair") };
        let (zeros, row) = ([T::ZERO; N], [T::ZERO; M]);
        let history = History { pairs: [Pair::ZERO; M], alpha: row, totals: Totals::zero(row, row) };
        let machine = Machine {
            core: Core::REST,
            history,
            x: zeros,
            x0: zeros,
            g: zeros,
            start_grad: zeros,
            direction: zeros,
            scratch: row,
        };
        Self { machine }
    }

    /// Resets it to a new one, in place, without a copy of it on the stack.
    ///
    /// A start needs none: it begins anew in the same memory.
    pub fn reset(&mut self) {
        self.machine.reset();
    }

    /// Starts a run from `x`.
    ///
    /// # Errors
    /// [`Error::Range`] or [`Error::Shape`] if a setting is out of range: see [`LbfgsSettings::check`].
    pub fn start(&mut self, settings: &LbfgsSettings<T>, x: &[T; N]) -> Result<(), Error> {
        settings.check()?;
        self.machine.x = *x;
        self.machine.start(settings);
        Ok(())
    }

    /// Where to evaluate next, and where to write the gradient; `None` at rest.
    #[must_use]
    pub fn ask(&mut self) -> Option<(&[T; N], &mut [T; N])> {
        if self.machine.asks() { Some((&self.machine.x, &mut self.machine.g)) } else { None }
    }

    /// Tells the value at the point asked for, whose gradient has been written. Without effect at rest.
    pub fn tell(&mut self, f: T) {
        self.machine.tell(&mut InOrder, f, &Given::new());
    }

    /// As [`tell`](Self::tell), with a preconditioner or with bounds.
    ///
    /// A start outside of the bounds is moved to the nearest point inside, and evaluated there; NaN stays. A run that is
    /// stopped early, or loaded from a file, has no bounds but those that are given.
    ///
    /// ```
    /// use gradus::second_order::{Given, Lbfgs, LbfgsSettings};
    ///
    /// let mut solver = Lbfgs::<2, 5, f32>::new();
    /// solver.start(&LbfgsSettings::new(), &[0.5, 0.5])?;
    /// while let Some((x, g)) = solver.ask() {
    ///     *g = [2.0 * (x[0] - 2.0), 2.0 * (x[1] + 1.0)];
    ///     let f = (x[0] - 2.0) * (x[0] - 2.0) + (x[1] + 1.0) * (x[1] + 1.0);
    ///     solver.tell_with(f, &Given::new().bounds(&[0.0; 2], &[1.0; 2]))?;
    /// }
    /// assert_eq!(solver.x(), &[1.0, 0.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] if something is not as long as the parameters are many, [`Error::Range`] if an element of the
    /// preconditioner is not positive and finite, if bounds are none (see [`Bounds::check`](super::Bounds::check)) or
    /// stand beside an L1 penalty: nothing was told.
    pub fn tell_with(&mut self, f: T, given: &Given<'_, T>) -> Result<(), Error> {
        given.check(N, self.machine.core.settings.l1)?;
        self.machine.tell(&mut InOrder, f, given);
        Ok(())
    }

    /// Stops early, with the best point so far.
    pub fn stop(&mut self) {
        self.machine.stop();
    }

    /// What has been reached so far.
    #[must_use]
    pub const fn report(&self) -> Report<T> {
        self.machine.core.report
    }

    /// The point to evaluate while it asks, the best point afterwards.
    #[must_use]
    pub const fn x(&self) -> &[T; N] {
        &self.machine.x
    }
}

impl<const N: usize, const M: usize, T: Real> Default for Lbfgs<N, M, T> {
    fn default() -> Self {
        Self::new()
    }
}
