//! L-BFGS on the heap, for a number of parameters known at run time.

use super::machine::{Core, Machine};
use super::path::Given;
use super::settings::LbfgsSettings;
use super::two_loop::{History, Pair};
#[cfg(feature = "rayon")]
use super::walk::InThreads;
use super::walk::{Column, InOrder, Totals};
use crate::error::{Argument, Error, ensure, same_length};
use crate::second_order::{Real, Report};
use crate::simd::Exec;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::{ControlFlow, RangeBounds};

type Pairs<T> = Vec<Pair<Column<T>, Vec<T>>>;

/// L-BFGS for any number of parameters, on the heap: it minimises a closure, or asks for values and gradients and is
/// told them.
///
/// What is kept from run to run is chosen first: correction pairs, settings, a penalty, threads. What is lent to one
/// run comes after it: a preconditioner, a callback.
///
/// ```
/// use gradus::second_order::{LbfgsVec, Stop};
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
/// let mut x = [0.0; 3];
/// let report = LbfgsVec::new(3).pairs(5).minimize(&mut x, quadratic)?;
/// assert_eq!(report.stop, Stop::Gradient);
///
/// let mut x = [0.0; 3];
/// let report = LbfgsVec::new(3)
///     .pairs(5)
///     .l1(0.1, 1..) // all but the first parameter
///     .preconditioner(&curvature.map(|a| 1.0 / a))
///     .on_iteration(|report| {
///         if report.value < 1e-9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
///     })
///     .minimize(&mut x, quadratic)?;
/// assert!(report.iterations < 4);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// Every run uses the same memory: `2 m + 5` numbers for each parameter, `m^2 + 4 m` beside them, and at most a page
/// more for each vector. None is allocated while it runs, but on threads: the first call that takes them allocates
/// `2 m + 8` numbers for each block of [`BLOCK`](crate::BLOCK) parameters, once for all runs.
/// [`Lbfgs`](super::Lbfgs) names the range of gradients that `f32` can tell curvature from.
#[derive(Clone, Debug)]
pub struct LbfgsVec<T> {
    /// Settings of the next run.
    pub settings: LbfgsSettings<T>,
    pub(super) machine: Machine<T, Column<T>, Vec<T>, Pairs<T>>,
    #[cfg(feature = "rayon")]
    threads: InThreads<T, Vec<T>>,
}

impl<T: Real> LbfgsVec<T> {
    /// Memory for `n` parameters and 10 correction pairs.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let mut number = 0;
        let [x, x0, g, direction, start_grad] = [(); 5].map(|()| {
            number += 1;
            Column::zeros(n, number)
        });
        let history =
            History { pairs: Vec::new(), alpha: Vec::new(), totals: Totals::zero(Vec::new(), Vec::new()) };
        let scratch = Vec::new();
        let solver = Self {
            settings: LbfgsSettings::new(),
            machine: Machine { core: Core::REST, history, x, x0, g, start_grad, direction, scratch },
            #[cfg(feature = "rayon")]
            threads: InThreads { blocks: Vec::new(), parts: 1 },
        };
        solver.pairs(10)
    }

    /// The same at rest with memory for `m` correction pairs, which may be more than parameters: 5 to 10 are usual, and
    /// 1 at least, which the start of a run checks.
    #[must_use]
    pub fn pairs(mut self, m: usize) -> Self {
        let n = self.x().len();
        let rows = || vec![T::ZERO; m];
        let Machine { core, history, scratch, .. } = &mut self.machine;
        *core = Core::REST;
        history.pairs.truncate(m);
        history.pairs.iter_mut().for_each(|pair| pair.products = rows());
        for k in history.pairs.len()..m {
            let [s, y] = [6 + 2 * k, 7 + 2 * k].map(|number| Column::zeros(n, number));
            history.pairs.push(Pair { s, y, products: rows() });
        }
        (history.alpha, *scratch) = (rows(), rows());
        history.totals = Totals::zero(rows(), rows());
        #[cfg(feature = "rayon")]
        self.threads.blocks.clear();
        self
    }

    /// The same with these settings for the next run.
    #[must_use]
    pub fn settings(self, settings: LbfgsSettings<T>) -> Self {
        Self { settings, ..self }
    }

    /// The same with an L1 penalty of this weight on a range of the parameters: see [`LbfgsSettings::l1`].
    #[must_use]
    pub fn l1(self, weight: T, range: impl RangeBounds<usize>) -> Self {
        Self { settings: self.settings.l1(weight, range), ..self }
    }

    /// The same on chosen threads or a chosen instruction set, with the same bits.
    ///
    /// Threads are taken where there is work enough for them; each takes whole blocks, and the sums of the blocks are
    /// joined in order.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { settings: self.settings.on(exec), ..self }
    }

    /// Starts a run from `x`.
    ///
    /// # Errors
    /// [`Error::Length`] if `x` is not as long as the memory, [`Error::Empty`] if there are no pairs, [`Error::Range`]
    /// or [`Error::Shape`] if a setting is out of range.
    pub fn start(&mut self, x: &[T]) -> Result<(), Error> {
        self.settings.check()?;
        ensure(!self.machine.history.pairs.is_empty(), Error::Empty)?;
        same_length(Argument::Params, self.x().len(), x.len())?;
        self.machine.x.as_mut().copy_from_slice(x);
        self.machine.start(&self.settings);
        Ok(())
    }

    /// Where to evaluate next, and where to write the gradient; `None` at rest.
    #[must_use]
    pub fn ask(&mut self) -> Option<(&[T], &mut [T])> {
        if self.machine.asks() { Some((self.machine.x.as_ref(), self.machine.g.as_mut())) } else { None }
    }

    /// The value at the point asked for, whose gradient has been written. Without effect at rest.
    pub fn tell(&mut self, f: T) {
        self.walk(f, &Given::new());
    }

    /// As [`tell`](Self::tell), with a preconditioner or with bounds: see [`Lbfgs::tell_with`](super::Lbfgs::tell_with).
    ///
    /// # Errors
    /// [`Error::Length`] if something is not as long as the memory, [`Error::Range`] if an element of the preconditioner
    /// is not positive and finite, if bounds are none or stand beside an L1 penalty: nothing was told.
    pub fn tell_with(&mut self, f: T, given: &Given<'_, T>) -> Result<(), Error> {
        given.check(self.x().len(), self.machine.core.settings.l1)?;
        self.walk(f, given);
        Ok(())
    }

    /// A run that comes from a file goes on where this solver does: it has brought no place of its own.
    pub(super) fn keep_exec(&mut self) {
        self.machine.core.settings.exec = self.settings.exec;
    }

    fn walk(&mut self, f: T, given: &Given<'_, T>) {
        #[cfg(feature = "rayon")]
        {
            // A pass reads about as many vectors as there are pairs.
            let Machine { core, history, x, .. } = &self.machine;
            let elements = x.as_ref().len().saturating_mul(history.pairs.len());
            self.threads.parts = core.settings.exec.parts(elements);
            if self.threads.parts > 1 {
                return self.machine.tell(&mut self.threads, f, given);
            }
        }
        self.machine.tell(&mut InOrder, f, given);
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
    pub fn x(&self) -> &[T] {
        self.machine.x.as_ref()
    }

    /// Lends the next run a diagonal preconditioner: an estimate of the inverse Hessian's diagonal, positive and finite.
    pub fn preconditioner<'a>(&'a mut self, h: &'a [T]) -> Loan<'a, T, NoCallback<T>> {
        self.lend().preconditioner(h)
    }

    /// Lends the next run bounds of the parameters: see [`Bounds`](super::Bounds).
    pub fn bounds<'a>(&'a mut self, lower: &'a [T], upper: &'a [T]) -> Loan<'a, T, NoCallback<T>> {
        self.lend().bounds(lower, upper)
    }

    /// Lends the next run a callback, which sees the report after every iteration and may end the run.
    pub fn on_iteration<C>(&mut self, callback: C) -> Loan<'_, T, C>
    where
        C: FnMut(&Report<T>) -> ControlFlow<()>,
    {
        self.lend().on_iteration(callback)
    }

    /// Minimises `objective` from `x` on, and leaves the best point there.
    ///
    /// `objective(x, g)` returns the value at `x` and writes the gradient to `g`; it may return NaN or infinity, and
    /// the step becomes shorter.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub fn minimize(
        &mut self,
        x: &mut [T],
        objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        self.lend().minimize(x, objective)
    }

    fn lend(&mut self) -> Loan<'_, T, NoCallback<T>> {
        Loan { solver: self, given: Given::new(), callback: |_| ControlFlow::Continue(()) }
    }
}

type NoCallback<T> = fn(&Report<T>) -> ControlFlow<()>;

/// A solver with what it is lent for one run: made by [`LbfgsVec::preconditioner`], [`LbfgsVec::bounds`] and
/// [`LbfgsVec::on_iteration`].
#[derive(Debug)]
#[must_use]
pub struct Loan<'a, T, C> {
    solver: &'a mut LbfgsVec<T>,
    given: Given<'a, T>,
    callback: C,
}

impl<'a, T: Real, C: FnMut(&Report<T>) -> ControlFlow<()>> Loan<'a, T, C> {
    /// As [`LbfgsVec::preconditioner`].
    pub fn preconditioner(self, h: &'a [T]) -> Self {
        Self { given: self.given.preconditioner(h), ..self }
    }

    /// As [`LbfgsVec::bounds`]. A start outside is moved to the nearest point inside; NaN stays.
    pub fn bounds(self, lower: &'a [T], upper: &'a [T]) -> Self {
        Self { given: self.given.bounds(lower, upper), ..self }
    }

    /// As [`LbfgsVec::on_iteration`].
    pub fn on_iteration<D: FnMut(&Report<T>) -> ControlFlow<()>>(self, callback: D) -> Loan<'a, T, D> {
        let Self { solver, given, .. } = self;
        Loan { solver, given, callback }
    }

    /// As [`LbfgsVec::minimize`].
    ///
    /// # Errors
    /// Those of [`LbfgsVec::start`], and those of [`LbfgsVec::tell_with`]; `x` is as it was then.
    pub fn minimize(
        mut self,
        x: &mut [T],
        mut objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        let Self { solver, given, callback } = &mut self;
        given.check(solver.x().len(), solver.settings.l1)?;
        solver.start(x)?;
        if let Some(bounds) = given.bounds {
            bounds.clamp(solver.machine.x.as_mut());
        }
        let mut iterations = 0;
        while let Some((x, g)) = solver.ask() {
            let f = objective(x, g);
            solver.walk(f, given);
            let report = solver.report();
            if report.iterations > iterations {
                iterations = report.iterations;
                if callback(&report).is_break() {
                    solver.stop();
                }
            }
        }
        x.copy_from_slice(solver.x());
        Ok(solver.report())
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
    /// [`Error::Range`] or [`Error::Shape`] if a setting is out of range.
    pub fn minimize(
        &self,
        x: &mut [T],
        objective: impl FnMut(&[T], &mut [T]) -> T,
    ) -> Result<Report<T>, Error> {
        LbfgsVec::new(x.len()).settings(*self).minimize(x, objective)
    }
}
