//! L-BFGS on the heap, for a number of parameters known at run time.

use super::machine::Machine;
use super::settings::{LbfgsSettings, Report, Stop, check_preconditioner};
use super::two_loop::{History, Pair};
#[cfg(feature = "rayon")]
use super::walk::InThreads;
use super::walk::{Column, InOrder, Totals, Walk};
use crate::error::{Argument, Error, ensure, same_length};
use crate::second_order::Real;
use crate::simd::Level;
#[cfg(feature = "alloc")]
use alloc::vec;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::ControlFlow;

type Pairs<T> = Vec<Pair<Column<T>, Vec<T>>>;

/// L-BFGS for any number of parameters, on the heap: minimises a function, or asks and is told.
///
/// Every run uses the same memory, `2 m + 5` numbers for each parameter and at most a page more for each vector; none
/// is allocated while it runs. [`Lbfgs`](super::Lbfgs) names the range of gradients that `f32` can tell curvature from.
///
/// ```
/// use gradus::second_order::{LbfgsSettings, LbfgsVec, Stop};
/// use std::ops::ControlFlow;
///
/// // Parameters of very different curvature: the diagonal of the inverse Hessian tells the solver.
/// let curvature = [1.0, 1e3, 1e6];
/// let quadratic = |x: &[f64], g: &mut [f64]| {
///     let mut f = 0.0;
///     for ((g, x), a) in g.iter_mut().zip(x).zip(&curvature) {
///         *g = a * (x - 1.0);
///         f += 0.5 * a * (x - 1.0) * (x - 1.0);
///     }
///     f
/// };
/// let preconditioner = curvature.map(|a| 1.0 / a);
/// let mut x = [0.0; 3];
/// let mut solver = LbfgsVec::new(3, 10)?;
/// let report = solver.minimize(
///     &LbfgsSettings::new(),
///     &mut x,
///     Some(&preconditioner),
///     |progress| if progress.value < 1e-30 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
///     quadratic,
/// )?;
/// assert_eq!(report.stop, Stop::Gradient);
/// assert!(report.iterations < 4);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LbfgsVec<T> {
    pub(super) machine: Machine<T, Column<T>, Vec<T>, Pairs<T>>,
    #[cfg(feature = "rayon")]
    threads: InThreads<T, Vec<T>>,
}

impl<T: Real> LbfgsVec<T> {
    /// Memory for `n` parameters and `m` correction pairs; `m` may exceed `n`.
    ///
    /// # Errors
    /// [`Error::Empty`] if `m` is 0.
    pub fn new(n: usize, m: usize) -> Result<Self, Error> {
        ensure(m > 0, Error::Empty)?;
        let zeros = || vec![T::ZERO; m];
        let mut number = 0;
        let mut column = || {
            number += 1;
            Column::zeros(n, number)
        };
        let [x, x0, g] = [(); 3].map(|()| column());
        let mut pair = || Pair { s: column(), y: column(), products: zeros() };
        let (step, pairs) = (pair(), (0..m).map(|_| pair()).collect());
        let history = History::empty(pairs, zeros(), Totals::zero(zeros(), zeros()));
        Ok(Self {
            machine: Machine::rest(x, x0, g, step, history),
            #[cfg(feature = "rayon")]
            threads: InThreads(Vec::new()),
        })
    }

    /// Starts a run from `x`.
    ///
    /// # Errors
    /// [`Error::Length`] if `x` is not as long as the memory, [`Error::Range`] if a setting is out of range.
    pub fn start(&mut self, settings: &LbfgsSettings<T>, x: &[T]) -> Result<(), Error> {
        self.start_at(Level::detect(), settings, x)
    }

    /// Starts a run on a chosen instruction set: the same bits on each.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_at(&mut self, level: Level, settings: &LbfgsSettings<T>, x: &[T]) -> Result<(), Error> {
        settings.check()?;
        same_length(Argument::Params, self.x().len(), x.len())?;
        self.machine.x.as_mut().copy_from_slice(x);
        self.machine.start(settings, level);
        Ok(())
    }

    /// Where to evaluate next, and where to write the gradient; `None` at rest.
    #[must_use]
    pub fn ask(&mut self) -> Option<(&[T], &mut [T])> {
        if self.machine.asks() { Some((self.machine.x.as_ref(), self.machine.g.as_mut())) } else { None }
    }

    /// The value at the point asked for, whose gradient has been written. Without effect at rest.
    pub fn tell(&mut self, f: T) {
        self.machine.tell(&mut InOrder, f, None);
    }

    /// As [`tell`](Self::tell), with a diagonal preconditioner: an estimate of the inverse Hessian's diagonal.
    ///
    /// # Errors
    /// [`Error::Length`] if `h` is not as long as the memory, [`Error::Range`] if an element is not positive and
    /// finite: nothing was told.
    pub fn tell_preconditioned(&mut self, f: T, h: &[T]) -> Result<(), Error> {
        self.check_preconditioner(h)?;
        self.machine.tell(&mut InOrder, f, Some(h));
        Ok(())
    }

    /// As [`tell`](Self::tell), on the threads of the current pool: the same bits for any number of them.
    ///
    /// With an L1 penalty some passes take one thread: those over signs and the pseudo-gradient. The pairs take all.
    #[cfg(feature = "rayon")]
    pub fn par_tell(&mut self, f: T) {
        self.machine.tell(&mut self.threads, f, None);
    }

    /// As [`tell_preconditioned`](Self::tell_preconditioned), on the threads of the current pool, as
    /// [`par_tell`](Self::par_tell).
    ///
    /// # Errors
    /// As [`tell_preconditioned`](Self::tell_preconditioned).
    #[cfg(feature = "rayon")]
    pub fn par_tell_preconditioned(&mut self, f: T, h: &[T]) -> Result<(), Error> {
        self.check_preconditioner(h)?;
        self.machine.tell(&mut self.threads, f, Some(h));
        Ok(())
    }

    fn check_preconditioner(&self, h: &[T]) -> Result<(), Error> {
        same_length(Argument::Preconditioner, self.x().len(), h.len())?;
        check_preconditioner(h)
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
    pub fn x(&self) -> &[T] {
        self.machine.x.as_ref()
    }

    /// Minimises `objective` from `x` on, and leaves the best point there.
    ///
    /// `objective(x, g)` returns the value at `x` and writes the gradient to `g`; it may return NaN or infinity, and
    /// the step becomes shorter. `preconditioner` estimates the diagonal of the inverse Hessian, positive and finite.
    /// `callback` sees the report after every iteration and may end the run.
    ///
    /// # Errors
    /// [`Error::Length`] if `x` or the preconditioner is not as long as the memory, [`Error::Range`] if a setting or
    /// an element of the preconditioner is out of range.
    pub fn minimize(
        &mut self,
        settings: &LbfgsSettings<T>,
        x: &mut [T],
        preconditioner: Option<&[T]>,
        callback: impl FnMut(&Report<T>) -> ControlFlow<()>,
        objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        self.minimize_with(&mut InOrder, settings, x, preconditioner, callback, objective)
    }

    /// As [`minimize`](Self::minimize), on the threads of the current pool, as [`par_tell`](Self::par_tell): the same
    /// bits for any number of them.
    ///
    /// # Errors
    /// As [`minimize`](Self::minimize).
    #[cfg(feature = "rayon")]
    pub fn par_minimize(
        &mut self,
        settings: &LbfgsSettings<T>,
        x: &mut [T],
        preconditioner: Option<&[T]>,
        callback: impl FnMut(&Report<T>) -> ControlFlow<()>,
        objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        let mut threads = core::mem::replace(&mut self.threads, InThreads(Vec::new()));
        let report = self.minimize_with(&mut threads, settings, x, preconditioner, callback, objective);
        self.threads = threads;
        report
    }

    fn minimize_with(
        &mut self,
        walk: &mut impl Walk<T, Vec<T>>,
        settings: &LbfgsSettings<T>,
        x: &mut [T],
        preconditioner: Option<&[T]>,
        mut callback: impl FnMut(&Report<T>) -> ControlFlow<()>,
        mut objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        if let Some(h) = preconditioner {
            self.check_preconditioner(h)?;
        }
        self.start(settings, x)?;
        let mut iterations = 0;
        while let Some((x, g)) = self.ask() {
            let f = objective(x, g);
            self.machine.tell(walk, f, preconditioner);
            let report = self.report();
            if report.iterations > iterations {
                iterations = report.iterations;
                if callback(&report).is_break() {
                    self.stop();
                }
            }
        }
        x.copy_from_slice(self.x());
        Ok(self.report())
    }
}

impl<T: Real> LbfgsSettings<T> {
    /// Minimises `objective` from `x` on with 10 correction pairs, and leaves the best point there.
    ///
    /// ```
    /// use gradus::second_order::{LbfgsSettings, Stop};
    ///
    /// let mut x = [-1.2, 1.0];
    /// let report = LbfgsSettings::new().minimize(&mut x, |x, g| {
    ///     let (u, v) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
    ///     g.copy_from_slice(&[-40.0 * u * x[0] - 2.0 * v, 20.0 * u]);
    ///     u * u + v * v
    /// })?;
    /// assert_eq!(report.stop, Stop::Gradient);
    /// assert!(report.value < 1e-10);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Range`] if a setting is out of range.
    pub fn minimize(
        &self,
        x: &mut [T],
        objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        let mut solver = LbfgsVec::new(x.len(), 10)?;
        solver.minimize(self, x, None, |_| ControlFlow::Continue(()), objective)
    }
}
