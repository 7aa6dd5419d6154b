//! L-BFGS in fixed memory, without a heap.

use super::machine::{Core, Machine};
use super::settings::{LbfgsSettings, check_preconditioner};
use super::two_loop::{History, Pair};
use super::walk::{InOrder, Totals};
use crate::error::Error;
use crate::second_order::{Real, Report, Stop};

type Pairs<T, const N: usize, const M: usize> = [Pair<[T; N], [T; M]>; M];

impl<T: Real, const N: usize, const M: usize> Pair<[T; N], [T; M]> {
    const ZERO: Self = Self { s: [T::ZERO; N], y: [T::ZERO; N], products: [T::ZERO; M] };
}

/// L-BFGS for `N` parameters with `M` correction pairs, in fixed memory: it asks, and is told.
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
pub struct Lbfgs<const N: usize, const M: usize, T = f32> {
    pub(super) machine: Machine<T, [T; N], [T; M], Pairs<T, N, M>>,
}

impl<const N: usize, const M: usize, T: Real> Lbfgs<N, M, T> {
    /// At rest.
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

    /// A new one again, in place: no copy of it stands on the stack meanwhile.
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

    /// The value at the point asked for, whose gradient has been written. Without effect at rest.
    pub fn tell(&mut self, f: T) {
        self.machine.tell(&mut InOrder, f, None);
    }

    /// As [`tell`](Self::tell), with a diagonal preconditioner: an estimate of the inverse Hessian's diagonal.
    ///
    /// # Errors
    /// [`Error::Range`] if an element is not positive and finite: nothing was told.
    pub fn tell_preconditioned(&mut self, f: T, h: &[T; N]) -> Result<(), Error> {
        check_preconditioner(h)?;
        self.machine.tell(&mut InOrder, f, Some(h));
        Ok(())
    }

    /// Stops early, with the best point so far.
    pub fn stop(&mut self) {
        self.machine.finish(Stop::Callback);
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
