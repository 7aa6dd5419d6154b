//! Newton's method with the caller's Hessian, and its diagonal form.

use super::fields::fields;
use super::real::noise;
use super::{Real, Report, Stop};
use crate::error::{Error, Hyper, require};
use crate::simd::{Columns, Exec, Rule, Vector, Width, run};
use crate::store::bytes::{Head, Number, Reader, Writer};
use crate::store::{self, Fixed, Load, Name, Save};

/// Settings of Newton's method: when to stop, and how to damp.
///
/// ```
/// use gradus::second_order::NewtonSettings;
///
/// // f = (x - 3)^2 + (x y)^2 / 2
/// let mut x = [1.0, 2.0];
/// let settings = NewtonSettings { tolerance: 1e-9, ..NewtonSettings::<f64>::new() };
/// let report = settings.minimize(&mut x, |&[x, y], g, h| {
///     *g = [2.0 * (x - 3.0) + x * y * y, x * x * y];
///     *h = [[2.0 + y * y, 2.0 * x * y], [2.0 * x * y, x * x]];
///     (x - 3.0) * (x - 3.0) + 0.5 * x * x * y * y
/// })?;
/// assert!((x[0] - 3.0).abs() < 1e-6 && x[1].abs() < 1e-6);
/// assert!(report.iterations < 10);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NewtonSettings<T> {
    /// Stop when `max |g_i|` is at most this.
    pub tolerance: T,
    /// Damping of the first step, relative to the Hessian's diagonal; it falls with every success.
    pub damping: T,
    /// Sufficient decrease, `f(x + d) <= f(x) + c1 g'd`: between 0 and 1/2.
    pub sufficient_decrease: T,
    /// Iterations at most.
    pub max_iterations: u32,
    /// Evaluations of value, gradient and Hessian at most.
    pub max_evaluations: u32,
}

impl<T: Real> NewtonSettings<T> {
    /// The defaults: tolerance 1e-5, no damping at first, 100 iterations, 1000 evaluations.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tolerance: T::of(1e-5),
            damping: T::ZERO,
            sufficient_decrease: T::of(1e-4),
            max_iterations: 100,
            max_evaluations: 1000,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Range`] for one that lies outside its range, is infinite or NaN.
    pub fn check(&self) -> Result<(), Error> {
        require(self.tolerance >= T::ZERO && self.tolerance.finite(), Hyper::Tolerance)?;
        require(self.damping >= T::ZERO && self.damping.finite(), Hyper::Damping)?;
        let c1 = self.sufficient_decrease;
        require(T::ZERO < c1 && c1 < T::of(0.5), Hyper::LineSearch)?;
        require(self.max_iterations > 0 && self.max_evaluations > 0, Hyper::Steps)
    }

    /// Minimises from `x` on and leaves the best point there: `objective(x, g, h)` returns the value at `x` and
    /// writes gradient and Hessian, of which the lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Range`] if a setting is out of range.
    pub fn minimize<const N: usize>(
        &self,
        x: &mut [T; N],
        mut objective: impl FnMut(&[T; N], &mut [T; N], &mut [[T; N]; N]) -> T,
    ) -> Result<Report<T>, Error> {
        let mut solver = Newton::new();
        solver.start(self, x)?;
        while let Some((x, g, h)) = solver.ask() {
            let f = objective(x, g, h);
            solver.tell(f);
        }
        *x = *solver.x();
        Ok(solver.report())
    }
}

impl<T: Real> Default for NewtonSettings<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Newton's method for `N` parameters in fixed memory: it asks for values, gradients and Hessians, and is told them.
///
/// ```text
/// d = -(H + damping D)^-1 g,   x = x + d
/// ```
///
/// The system is solved by Cholesky's factorisation. Where a pivot is not positive, the Hessian is not positive
/// definite, and the damping grows until it is; so it does where `x + d` is not lower than `x`. After each success it
/// falls, to nothing in the end, so that convergence is quadratic.
///
/// `D` has the sizes `|h_ii|` of the diagonal (Marquardt, 1963), so that parameters may have scales far apart and steps
/// do not depend on their units. But none is below 1e-8 of the largest element of the Hessian: a diagonal element that
/// is nearly 0 says nothing of the scale of its parameter, and a multiple of it damps nothing. Nor is one below the
/// smallest normal number. If all elements are 0, the largest counts as 1.
///
/// All bits are zero at the start. The memory is three matrices of `N * N` and four vectors.
#[derive(Clone, Debug)]
#[doc(alias = "hessian")]
#[doc(alias = "second order")]
pub struct Newton<const N: usize, T = f32> {
    now: Progress<T>,
    /// The point to evaluate, its gradient and Hessian.
    x: [T; N],
    g: [T; N],
    h: [[T; N]; N],
    /// The best point, its gradient and Hessian.
    x0: [T; N],
    g0: [T; N],
    h0: [[T; N]; N],
    factor: [[T; N]; N],
}

/// How far a run has come, but for its point.
#[derive(Clone, Copy, Debug)]
struct Progress<T> {
    settings: NewtonSettings<T>,
    asking: bool,
    report: Report<T>,
    /// Damping, relative to the diagonal.
    damping: T,
    /// The largest element of the Hessian, or 1.
    scale: T,
    /// What the last direction promises: its slope.
    slope: T,
}

impl<T: Real> Progress<T> {
    const REST: Self = Self {
        settings: NewtonSettings {
            tolerance: T::ZERO,
            damping: T::ZERO,
            sufficient_decrease: T::ZERO,
            max_iterations: 0,
            max_evaluations: 0,
        },
        asking: false,
        report: Report {
            value: T::ZERO,
            gradient: T::ZERO,
            iterations: 0,
            evaluations: 0,
            stop: Stop::Running,
        },
        damping: T::ZERO,
        scale: T::ZERO,
        slope: T::ZERO,
    };

    fields! {
        number settings.tolerance;
        number settings.damping;
        number settings.sufficient_decrease;
        word settings.max_iterations;
        word settings.max_evaluations;
        flag asking;
        number report.value;
        number report.gradient;
        word report.iterations;
        word report.evaluations;
        choice report.stop;
        number damping;
        number scale;
        number slope;
    }
}

impl<const N: usize, T: Real> Newton<N, T> {
    /// A solver at rest: call [`start`](Self::start) to begin a run.
    #[must_use]
    pub const fn new() -> Self {
        let (vector, matrix) = ([T::ZERO; N], [[T::ZERO; N]; N]);
        Self {
            now: Progress::REST,
            x: vector,
            g: vector,
            h: matrix,
            x0: vector,
            g0: vector,
            h0: matrix,
            factor: matrix,
        }
    }

    /// Starts a run from `x`.
    ///
    /// # Errors
    /// [`Error::Range`] if a setting is out of range: see [`NewtonSettings::check`].
    pub fn start(&mut self, settings: &NewtonSettings<T>, x: &[T; N]) -> Result<(), Error> {
        settings.check()?;
        let report = Report { value: T::INFINITY, gradient: T::INFINITY, ..Report::default() };
        self.now = Progress { settings: *settings, asking: true, report, ..Progress::REST };
        (self.x, self.x0) = (*x, *x);
        Ok(())
    }

    /// Where to evaluate next, and where to write gradient and Hessian; `None` at rest.
    #[must_use]
    #[allow(clippy::type_complexity, reason = "three plain references")]
    pub fn ask(&mut self) -> Option<(&[T; N], &mut [T; N], &mut [[T; N]; N])> {
        if self.now.asking { Some((&self.x, &mut self.g, &mut self.h)) } else { None }
    }

    /// Tells the value at the point asked for. Without effect at rest.
    pub fn tell(&mut self, f: T) {
        if !self.now.asking {
            return;
        }
        let first = self.now.report.evaluations == 0;
        // A file may hold any number.
        self.now.report.evaluations = self.now.report.evaluations.saturating_add(1);
        let mut gradient = T::ZERO;
        let mut whole = f.finite();
        for g in &self.g {
            gradient = if g.finite() { g.abs().max(gradient) } else { T::INFINITY };
        }
        for (i, row) in self.h.iter().enumerate() {
            whole &= row.iter().take(i + 1).all(|h| h.finite());
        }
        whole &= gradient.finite();
        if first && !whole {
            (self.now.report.value, self.now.report.gradient) = (f, gradient);
            return self.finish(Stop::NonFinite);
        }
        let before = self.now.report.value;
        let lower = f < before && f <= before + self.now.settings.sufficient_decrease * self.now.slope;
        // Near the minimum the values differ by rounding alone, if at all, and the gradient decides.
        let flatter = (f - before).abs() <= noise(before) && gradient < self.now.report.gradient;
        if first || (whole && (lower || flatter)) {
            let ratio = gradient / self.now.report.gradient;
            (self.now.report.value, self.now.report.gradient) = (f, gradient);
            let mut scale = T::ZERO;
            for (i, row) in self.h.iter().enumerate() {
                scale = row.iter().take(i + 1).fold(scale, |scale, h| h.abs().max(scale));
            }
            if scale == T::ZERO {
                scale = T::ONE;
            }
            // What is relative to the diagonal must not grow with it.
            let mut kept = T::ONE;
            for (i, (old, new)) in self.h0.iter().zip(&self.h).enumerate() {
                kept = (size(old, i, self.now.scale) / size(new, i, scale)).min(kept);
            }
            self.now.scale = scale;
            (self.x0, self.g0, self.h0) = (self.x, self.g, self.h);
            if first {
                self.now.damping = self.now.settings.damping;
            } else {
                self.now.report.iterations = self.now.report.iterations.saturating_add(1);
                // No slower than the gradient, so that the last steps are Newton's own.
                let damping = self.now.damping * ratio.min(T::of(0.25)) * kept;
                self.now.damping = if damping > T::EPSILON { damping } else { T::ZERO };
            }
        } else {
            self.damp();
        }
        if self.now.report.gradient <= self.now.settings.tolerance {
            self.finish(Stop::Gradient);
        } else if self.now.report.iterations >= self.now.settings.max_iterations {
            self.finish(Stop::Iterations);
        } else if self.now.report.evaluations >= self.now.settings.max_evaluations {
            self.finish(Stop::Evaluations);
        } else {
            self.launch();
        }
    }

    /// More damping.
    fn damp(&mut self) {
        self.now.damping = (self.now.damping * T::of(4.0)).max(T::of(1e-3));
    }

    /// Finds the direction at `x0`, and the point to ask for.
    fn launch(&mut self) {
        while !factorise(&self.h0, self.now.damping, self.now.scale, &mut self.factor) {
            self.damp();
            if !self.now.damping.finite() {
                return self.finish(Stop::LineSearch); // elements near the largest number leave no room
            }
        }
        let d = solve(&self.factor, &self.g0);
        self.now.slope = T::ZERO;
        let mut moves = false;
        for ((x, x0), (d, g)) in self.x.iter_mut().zip(&self.x0).zip(d.iter().zip(&self.g0)) {
            self.now.slope = self.now.slope - *d * *g;
            *x = *x0 - *d;
            moves |= *x != *x0;
        }
        if !moves || !self.now.slope.finite() {
            self.finish(Stop::LineSearch);
        }
    }

    /// Stops early, with the best point so far. Without effect at rest.
    pub fn stop(&mut self) {
        if self.now.asking {
            self.finish(Stop::Callback);
        }
    }

    fn finish(&mut self, stop: Stop) {
        self.now.report.stop = stop;
        self.now.asking = false;
        self.x = self.x0;
    }

    /// What has been reached so far.
    #[must_use]
    pub const fn report(&self) -> Report<T> {
        self.now.report
    }

    /// The point to evaluate while it asks, the best point afterwards.
    #[must_use]
    pub const fn x(&self) -> &[T; N] {
        &self.x
    }

    /// The damping in use, relative to the Hessian's diagonal.
    #[must_use]
    pub const fn damping(&self) -> T {
        self.now.damping
    }
}

impl<const N: usize, T: Real> Default for Newton<N, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, T: Real + Number> Newton<N, T> {
    const HEAD: Head = Head::new(Name::new("newton-").join(T::NAME.as_str()), N, N);
}

/// A file has the point to evaluate, and of the best point also gradient and Hessian.
impl<const N: usize, T: Real + Number> Save for Newton<N, T> {
    fn write(&self, to: &mut Writer<'_>) {
        to.head(Self::HEAD);
        { self.now }.fields(to);
        for column in [&self.x, &self.x0, &self.g0].into_iter().chain(&self.h0) {
            to.column(column);
        }
    }
}

impl<const N: usize, T: Real + Number> Load for Newton<N, T> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), store::Error> {
        from.head().expect(Self::HEAD)?;
        let mut found = self.now;
        found.fields(from);
        let runs = !found.asking || found.settings.check().is_ok();
        if from.refused || !runs {
            return Err(store::Error::Value { name: Self::HEAD.name });
        }
        from.skip((size_of::<T>() * N * (3 + N)) as u64);
        Ok(())
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        from.head();
        self.now.fields(from);
        for column in [&mut self.x, &mut self.x0, &mut self.g0].into_iter().chain(&mut self.h0) {
            from.column(column);
        }
    }
}

impl<const N: usize, T: Real + Number> Fixed for Newton<N, T> {
    const SIZE: usize = Head::SIZE + Progress::<T>::COUNT.bytes::<T>() + size_of::<T>() * N * (3 + N);
}

/// The smallest damping of a parameter, as a part of the largest element of the Hessian. Any part from
/// 1e-4 to 1e-8 solves as many problems from far starts; a small one leaves parameters their units.
const FLOOR: f64 = 1e-8;

/// The size of element `i`, which lies on the diagonal, at least a part of `scale`: a normal number, since a multiple
/// of 0 damps nothing.
fn size<T: Real>(row: &[T], i: usize, scale: T) -> T {
    row.get(i).map_or(T::ZERO, |h| h.abs()).max(T::of(FLOOR) * scale).max(T::MIN_POSITIVE)
}

/// Cholesky's factor of `h + damping D`, row by row; `false` at a pivot that is not above rounding in its row.
/// `D` is the size of the diagonal of `h`, with a floor that is a part of `scale`.
fn factorise<const N: usize, T: Real>(
    h: &[[T; N]; N],
    damping: T,
    scale: T,
    factor: &mut [[T; N]; N],
) -> bool {
    for (i, from) in h.iter().enumerate() {
        let (above, rest) = factor.split_at_mut_checked(i).unwrap_or_default();
        let Some(row) = rest.first_mut() else { return false };
        // Element j needs the row above it with number j, and the elements before it.
        for (j, upper) in above.iter().enumerate() {
            let (before, rest) = row.split_at_mut_checked(j).unwrap_or_default();
            let mut sum = from.get(j).copied().unwrap_or(T::ZERO);
            for (a, b) in before.iter().zip(upper) {
                sum = sum - *a * *b;
            }
            if let (Some(to), Some(pivot)) = (rest.first_mut(), upper.get(j)) {
                *to = sum / *pivot;
            }
        }
        let (before, rest) = row.split_at_mut_checked(i).unwrap_or_default();
        let diagonal = from.get(i).copied().unwrap_or(T::ZERO);
        let damping = damping * size(from, i, scale);
        let least = (diagonal.abs() + damping) * T::EPSILON;
        let mut sum = diagonal + damping;
        for a in before {
            sum = sum - *a * *a;
        }
        match rest.first_mut() {
            Some(to) if sum > least && sum.finite() => *to = sum.sqrt(),
            _ => return false,
        }
    }
    true
}

/// The solution of `L L' d = g`.
fn solve<const N: usize, T: Real>(factor: &[[T; N]; N], g: &[T; N]) -> [T; N] {
    let mut d = *g;
    for (i, row) in factor.iter().enumerate() {
        let (before, rest) = d.split_at_mut_checked(i).unwrap_or_default();
        if let (Some(d), Some(pivot)) = (rest.first_mut(), row.get(i)) {
            for (l, z) in row.iter().zip(before) {
                *d = *d - *l * *z;
            }
            *d = *d / *pivot;
        }
    }
    for (i, row) in factor.iter().enumerate().rev() {
        let (before, rest) = d.split_at_mut_checked(i).unwrap_or_default();
        if let (Some(last), Some(pivot)) = (rest.first_mut(), row.get(i)) {
            *last = *last / *pivot;
            for (z, l) in before.iter_mut().zip(row) {
                *z = *z - *l * *last;
            }
        }
    }
    d
}

/// Newton's method with the diagonal of the Hessian alone, for any number of parameters.
///
/// ```text
/// p = p - lr * g / (max(h, 0) + damping)
/// ```
///
/// Where the curvature is negative the damping alone divides; where the sum is 0 the parameter stays. Exact for
/// separable functions with `lr` 1 and no damping; with damping, the diagonal form of Levenberg and Marquardt
/// (Becker and LeCun, 1988). A gradient or a curvature that is NaN makes the parameter NaN.
///
/// ```
/// use gradus::second_order::DiagonalNewton;
///
/// let newton = DiagonalNewton::new(1.0);
/// let mut p = [5.0, -3.0];
/// // f = (x - 1)^2 + 10 (y - 2)^2
/// newton.step(&mut p, &[2.0 * (5.0 - 1.0), 20.0 * (-3.0 - 2.0)], &[2.0, 20.0])?;
/// assert_eq!(p, [1.0, 2.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DiagonalNewton<T = f32> {
    /// Learning rate: 1 is Newton's step.
    pub lr: T,
    /// Added to every curvature.
    pub damping: T,
    /// Where a step runs. It is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

impl<T: Real> DiagonalNewton<T> {
    /// Without damping.
    #[must_use]
    pub const fn new(lr: T) -> Self {
        Self { lr, damping: T::ZERO, exec: Exec::new() }
    }

    /// The same on chosen threads or a chosen instruction set, with the same bits.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// Checks both settings.
    ///
    /// # Errors
    /// [`Error::Range`] for one that lies outside its range or is NaN.
    pub fn check(&self) -> Result<(), Error> {
        require(self.lr >= T::ZERO && self.lr.finite(), Hyper::LearningRate)?;
        require(self.damping >= T::ZERO && self.damping.finite(), Hyper::Damping)
    }

    /// Updates `params` by one step, given the gradient and the diagonal of the Hessian.
    ///
    /// # Errors
    /// [`Error::Length`] if the lengths differ; nothing was written.
    pub fn step(&self, params: &mut [T], grads: &[T], curvature: &[T]) -> Result<(), Error> {
        run(self.exec, self, Columns::new(params, [grads, curvature], [])?);
        Ok(())
    }
}

impl<T: Real> Rule<2, T> for DiagonalNewton<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, p: V, [g, h]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        let curvature = zero.max(h) + V::splat(isa, self.damping);
        let step = V::splat(isa, self.lr) * g / curvature;
        let none = zero.min(zero.max(g + curvature)); // 0, or NaN if one of them is
        (p - curvature.select_gt(zero, step, none), [])
    }
}
