//! Line searches as state machines: they are told a value and a slope, and name the next step.

use super::settings::{LbfgsSettings, LineSearch};
use crate::second_order::Real;
use crate::second_order::real::noise;

/// How far beyond the last trial the next may lie, in distances between the last two. The paper tries 4; a first
/// step that is far too short, as unscaled features make it, needs fewer trials with more freedom.
const EXTRAPOLATION: f64 = 20.0;

/// Value and slope of the objective at a step along the direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point<T> {
    pub t: T,
    pub f: T,
    pub slope: T,
}

/// Where a search starts from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start<T> {
    /// The value that the whole run started from: rounding may lift a value, but never beyond this.
    pub highest: T,
    pub f: T,
    pub slope: T,
    /// The largest element of the gradient.
    pub gradient: T,
}

/// What the search says about the step it was told of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict<T> {
    /// Evaluate at this step.
    Try(T),
    /// The step is good.
    Accept,
    /// No acceptable step was found.
    Fail,
}

/// A search under way.
///
/// `low` is the best end of the interval that holds the step looked for, `high` the other end, which has a
/// value only once the interval is `bracketed`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search<T> {
    pub start: Start<T>,
    pub low: Point<T>,
    pub high: Point<T>,
    pub bracketed: bool,
    /// The value has once been low enough with the function rising: from then on the function itself is
    /// minimised, not its distance from the line of sufficient decrease.
    pub second_stage: bool,
    /// Width of the interval now.
    pub width: T,
    /// Width of the interval one trial earlier.
    pub width_before: T,
    /// The step being tried, and the largest one allowed.
    pub t: T,
    pub limit: T,
    pub trials: u32,
}

impl<T: Real> Search<T> {
    pub(crate) const fn new() -> Self {
        let zero = Point { t: T::ZERO, f: T::ZERO, slope: T::ZERO };
        Self {
            start: Start { highest: T::ZERO, f: T::ZERO, slope: T::ZERO, gradient: T::ZERO },
            low: zero,
            high: zero,
            bracketed: false,
            second_stage: false,
            width: T::ZERO,
            width_before: T::ZERO,
            t: T::ZERO,
            limit: T::ZERO,
            trials: 0,
        }
    }

    /// The next search of a run: it tries the step `t` first and none beyond `limit`.
    pub(crate) fn begin(&mut self, [f, gradient]: [T; 2], slope: T, t: T, limit: T) {
        let start = Start { f, slope, gradient, ..self.start };
        let low = Point { t: T::ZERO, f, slope };
        let (width, width_before) = (limit, limit + limit);
        *self = Self { start, low, high: low, width, width_before, t, limit, ..Self::new() };
    }

    /// Whether rounding alone may be what `f` differs by from the start, without rising above that of the run.
    pub(crate) fn near(&self, f: T) -> bool {
        f <= self.start.highest && (f - self.start.f).abs() <= noise(self.start.f)
    }

    /// The step being tried has value `f` and slope `slope`. For a backtracking search it is `flatter` if the value
    /// is [`near`](Self::near) and the gradient smaller than at the start.
    pub(crate) fn advance(
        &mut self,
        settings: &LbfgsSettings<T>,
        f: T,
        slope: T,
        flatter: bool,
    ) -> Verdict<T> {
        self.trials = self.trials.saturating_add(1); // a file may hold any number
        let verdict = if !f.finite() || !slope.finite() {
            let beyond = self.t - self.low.t;
            if beyond > T::ZERO {
                self.limit = self.low.t + beyond * T::of(0.5);
            }
            Verdict::Try(self.low.t + beyond * T::of(0.25))
        } else {
            let point = Point { t: self.t, f, slope };
            match settings.line_search {
                LineSearch::MoreThuente => self.more_thuente(settings, point),
                LineSearch::Backtracking => self.backtrack(settings, point, flatter),
            }
        };
        if let Verdict::Try(t) = verdict {
            let usable = t >= settings.step_min && t != self.t;
            if self.trials >= settings.max_trials || !usable {
                return Verdict::Fail;
            }
            self.t = t;
        }
        verdict
    }

    /// The line of sufficient decrease (Armijo, 1966) at step `t`.
    fn target(&self, settings: &LbfgsSettings<T>, t: T) -> T {
        self.start.f + settings.sufficient_decrease * t * self.start.slope
    }

    /// Armijo's rule: shorten to the minimum of the parabola through both values and the first slope.
    fn backtrack(&self, settings: &LbfgsSettings<T>, point: Point<T>, flatter: bool) -> Verdict<T> {
        // Near a minimum the difference of values drowns in rounding: there the gradients decide.
        if point.f <= self.target(settings, point.t) || flatter {
            return Verdict::Accept;
        }
        let rise = point.f - self.start.f - self.start.slope * point.t;
        let minimum = -self.start.slope * point.t * point.t / (rise + rise);
        Verdict::Try(clamp(minimum, point.t * T::of(0.1), point.t * T::of(0.5)))
    }

    /// One round of the search of Moré and Thuente (1994) for a step with the strong Wolfe conditions.
    fn more_thuente(&mut self, settings: &LbfgsSettings<T>, point: Point<T>) -> Verdict<T> {
        let target = self.target(settings, point.t);
        let flat = -settings.curvature * self.start.slope;
        if point.f <= target && point.slope.abs() <= flat {
            return Verdict::Accept;
        }
        // Near a minimum the differences of values drown in rounding: there the slopes alone decide
        // (the approximate Wolfe conditions of Hager and Zhang, 2005).
        let rising = (T::of(2.0) * settings.sufficient_decrease - T::ONE) * self.start.slope;
        if self.near(point.f) && point.slope <= rising && point.slope >= -flat {
            return Verdict::Accept;
        }
        if point.t >= self.limit && point.f <= target && point.slope < T::ZERO {
            return Verdict::Accept; // it still falls at the largest step
        }
        if point.f <= target && point.slope >= T::ZERO {
            self.second_stage = true;
        }
        // How far a step may be extrapolated while nothing is bracketed.
        let onward = point.t - self.low.t;
        let range = [point.t + onward * T::of(1.1), point.t + onward * T::of(EXTRAPOLATION)];
        let mut next = if !self.second_stage && point.f <= self.low.f && point.f > target {
            // First stage: minimise the function minus its line of sufficient decrease. The trial is above the line,
            // where the low end never is: the minimum lies between the two, and nothing asks for the high end.
            let line = settings.sufficient_decrease * self.start.slope;
            let tilt = |p: Point<T>| Point { t: p.t, f: p.f - p.t * line, slope: p.slope - line };
            let next = interpolate(tilt(self.low), self.high, tilt(point), self.bracketed, range);
            self.narrow(point, true, false);
            next
        } else {
            let next = interpolate(self.low, self.high, point, self.bracketed, range);
            self.narrow(point, point.f > self.low.f, opposite(point.slope, self.low.slope));
            next
        };
        if self.bracketed {
            let width = (self.high.t - self.low.t).abs();
            let shrinks_slowly = width >= self.width_before * T::of(0.66);
            (self.width, self.width_before) = (width, self.width);
            let (least, largest) = (self.low.t.min(self.high.t), self.low.t.max(self.high.t));
            if shrinks_slowly || !(next > least && next < largest) {
                // The latter: rounding threw the minimum of the cubic out of the interval, or it is none.
                next = self.low.t + (self.high.t - self.low.t) * T::of(0.5);
            }
            if !(next > least && next < largest) || width <= settings.width_tolerance * largest {
                return Verdict::Fail;
            }
        }
        Verdict::Try(if next < self.limit { next } else { self.limit })
    }

    /// Replaces one end of the interval by the trial point, so that the step looked for stays inside.
    fn narrow(&mut self, point: Point<T>, higher: bool, turned: bool) {
        if higher {
            self.high = point;
        } else {
            if turned {
                self.high = self.low;
            }
            self.low = point;
        }
        self.bracketed |= higher || turned;
    }
}

/// The next step from two known points and the trial `point`, by cubic and quadratic interpolation.
fn interpolate<T: Real>(low: Point<T>, high: Point<T>, point: Point<T>, bracketed: bool, range: [T; 2]) -> T {
    let t = point.t;
    let secant = t + point.slope / (point.slope - low.slope) * (low.t - t);
    if point.f > low.f {
        // A higher value: the minimum lies between. The parabola errs towards `low`.
        let cubic = low.t + cubic_minimum(low, point) * (t - low.t);
        let fall = (low.f - point.f) / (t - low.t) + low.slope;
        let parabola = low.t + low.slope / fall * T::of(0.5) * (t - low.t);
        if !((cubic - low.t).abs() > T::ZERO) {
            parabola // rounding has lost the cubic's minimum
        } else if (cubic - low.t).abs() < (parabola - low.t).abs() {
            cubic
        } else {
            cubic + (parabola - cubic) * T::of(0.5)
        }
    } else if opposite(point.slope, low.slope) {
        // A lower value and the opposite slope: between, too.
        let cubic = t + cubic_minimum(point, low) * (low.t - t);
        if (cubic - t).abs() > (secant - t).abs() { cubic } else { secant }
    } else if point.slope.abs() <= low.slope.abs() {
        // A lower value and a gentler slope of the same sign: beyond.
        let ratio = cubic_minimum(point, low);
        let [least, largest] = range;
        let cubic = if ratio < T::ZERO { t + ratio * (low.t - t) } else { largest };
        if bracketed {
            let next = if (cubic - t).abs() < (secant - t).abs() { cubic } else { secant };
            let bound = t + (high.t - t) * T::of(0.66);
            if t > low.t { next.min(bound) } else { next.max(bound) }
        } else {
            let next = if (cubic - t).abs() > (secant - t).abs() { cubic } else { secant };
            clamp(next, least, largest)
        }
    } else if bracketed {
        // A lower value and a steeper slope: towards the other end.
        t + cubic_minimum(point, high) * (high.t - t)
    } else {
        range[1]
    }
}

/// Where the cubic through both values and slopes has its minimum: 0 at `a`, 1 at `b`.
///
/// If it falls all the way, the root is taken as 0. MINPACK-2 extrapolates as far as it may then; twentyfold, that would
/// cost 4 % more evaluations over the problems of docs/lbfgs.md.
fn cubic_minimum<T: Real>(a: Point<T>, b: Point<T>) -> T {
    let theta = T::of(3.0) * (a.f - b.f) / (b.t - a.t) + a.slope + b.slope;
    let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    let square = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    let root = scale * square.max(T::ZERO).sqrt();
    let gamma = if b.t < a.t { -root } else { root };
    (gamma - a.slope + theta) / (gamma - a.slope + gamma + b.slope)
}

/// Whether the signs differ. The product of two small slopes would be 0.
fn opposite<T: Real>(a: T, b: T) -> bool {
    (a < T::ZERO && b > T::ZERO) || (a > T::ZERO && b < T::ZERO)
}

/// `x` within `[low, high]`; `low` for NaN.
fn clamp<T: Real>(x: T, low: T, high: T) -> T {
    if x > high {
        high
    } else if x > low {
        x
    } else {
        low
    }
}

#[cfg(test)]
#[path = "line_search_tests.rs"]
mod tests;
