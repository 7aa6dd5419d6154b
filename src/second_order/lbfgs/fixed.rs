//! L-BFGS in fixed memory, without a heap.

use super::machine::Machine;
use super::settings::{LbfgsSettings, Report, Stop, check_preconditioner};
use super::two_loop::{History, Pair};
use super::walk::{InOrder, Totals};
use crate::error::Error;
use crate::second_order::Real;
use crate::simd::Level;

type Pairs<T, const N: usize, const M: usize> = heapless::Vec<Pair<[T; N], [T; M]>, M>;

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
        let (n, m) = ([T::ZERO; N], [T::ZERO; M]);
        let history = History::empty(heapless::Vec::new(), m, Totals::zero(m, m));
        Self { machine: Machine::rest(n, n, n, Pair { s: n, y: n, products: m }, history) }
    }

    /// Starts a run from `x`.
    ///
    /// # Errors
    /// [`Error::Range`] if a setting is out of range: see [`LbfgsSettings::check`].
    pub fn start(&mut self, settings: &LbfgsSettings<T>, x: &[T; N]) -> Result<(), Error> {
        self.start_at(Level::detect(), settings, x)
    }

    /// Starts a run on a chosen instruction set.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_at(&mut self, level: Level, settings: &LbfgsSettings<T>, x: &[T; N]) -> Result<(), Error> {
        settings.check()?;
        self.fill();
        self.machine.x = *x;
        self.machine.start(settings, level);
        Ok(())
    }

    /// Makes memory of zeros of what a new one leaves unset.
    pub(super) fn fill(&mut self) {
        let pairs = &mut self.machine.history.pairs;
        while !pairs.is_full() {
            let pair = Pair { s: [T::ZERO; N], y: [T::ZERO; N], products: [T::ZERO; M] };
            let _ = pairs.push(pair);
        }
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
    pub fn report(&self) -> Report<T> {
        self.machine.report()
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
