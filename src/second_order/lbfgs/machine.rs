//! L-BFGS as a state machine: it asks for the value and the gradient at a point, and is told.

use super::kernels::{Advance, Combine, Slope, apply, sums};
use super::line_search::{Search, Verdict};
use super::owlqn::Penalty;
use super::settings::{LbfgsSettings, LineSearch, Report, Stop};
use super::two_loop::{History, Pair};
use super::walk::{InOrder, Vector, Walk, block};
use crate::second_order::Real;
use crate::second_order::real::noise;
use crate::simd::{Level, max_abs};

/// What the next evaluation is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// None is asked for.
    #[default]
    Rest = 0,
    /// The first point.
    Start = 1,
    /// A trial of the line search.
    Trial = 2,
    /// The best trial once more, for its gradient.
    Again = 3,
}

/// The lowest point of the line search under way, its start included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Best<T> {
    pub t: T,
    pub value: T,
    pub gradient: T,
}

/// The machine over any memory: `V` holds `n` numbers, `R` one for each of `m` pairs, `H` the pairs.
#[derive(Clone, Debug)]
pub(super) struct Machine<T, V, R, H> {
    pub settings: LbfgsSettings<T>,
    pub level: Level,
    pub phase: Phase,
    pub stop: Stop,
    pub iterations: u32,
    pub evaluations: u32,
    pub best: Best<T>,
    pub search: Search<T>,
    pub history: History<T, R, H>,
    /// The point to evaluate, and in the end the best one.
    pub x: V,
    /// The point that the search started from.
    pub x0: V,
    /// The gradient at `x`, written by the caller.
    pub g: V,
    /// The direction, and the gradient at `x0`.
    pub step: Pair<V, R>,
}

impl<T: Real, V, R, H> Machine<T, V, R, H> {
    /// At rest, in memory that is all zero.
    pub const fn rest(x: V, x0: V, g: V, step: Pair<V, R>, history: History<T, R, H>) -> Self {
        Self {
            settings: LbfgsSettings::zero(),
            level: Level::SCALAR,
            phase: Phase::Rest,
            stop: Stop::Running,
            iterations: 0,
            evaluations: 0,
            best: Best { t: T::ZERO, value: T::ZERO, gradient: T::ZERO },
            search: Search::new(),
            history,
            x,
            x0,
            g,
            step,
        }
    }
}

impl<T, V, R, H> Machine<T, V, R, H>
where
    T: Real,
    V: Vector<T>,
    R: Vector<T>,
    H: AsMut<[Pair<V, R>]>,
{
    /// Starts anew from the point in `x`, with all memory in place.
    pub fn start(&mut self, settings: &LbfgsSettings<T>, level: Level) {
        self.settings = *settings;
        self.level = level;
        self.phase = Phase::Start;
        self.stop = Stop::Running;
        (self.iterations, self.evaluations) = (0, 0);
        self.best = Best { t: T::ZERO, value: T::INFINITY, gradient: T::INFINITY };
        self.search = Search::new();
        self.history.reset();
        // The slope of the first gradient along 0 is 0, or NaN if the gradient is not finite.
        self.step.s.as_mut().fill(T::ZERO);
        if self.penalty().is_some() {
            self.settings.line_search = LineSearch::Backtracking;
        }
    }

    /// Whether an evaluation is asked for.
    pub fn asks(&self) -> bool {
        self.phase != Phase::Rest
    }

    /// What has been reached so far.
    pub fn report(&self) -> Report<T> {
        let Best { value, gradient, .. } = self.best;
        let (iterations, evaluations, stop) = (self.iterations, self.evaluations, self.stop);
        Report { value, gradient, iterations, evaluations, stop }
    }

    /// The value at `x` is `f`, and its gradient is in `g`; `h` is the preconditioner, if there is one.
    pub fn tell(&mut self, walk: &mut impl Walk<T, R>, f: T, h: Option<&[T]>) {
        if !self.asks() {
            return;
        }
        self.evaluations = self.evaluations.saturating_add(1);
        let (f, slope, gradient) = self.judge(walk, f);
        match self.phase {
            Phase::Start if f.finite() && slope.finite() => {
                self.best = Best { t: T::ZERO, value: f, gradient };
                self.search.start.highest = f;
                self.g.exchange(&mut self.step.y);
                self.x.exchange(&mut self.x0);
                if gradient <= self.settings.tolerance {
                    self.finish(Stop::Gradient);
                } else {
                    self.launch(walk, h);
                }
            }
            Phase::Start => {
                self.best.value = f;
                self.best.gradient = if slope.finite() { gradient } else { T::INFINITY };
                self.halt(Stop::NonFinite);
            }
            Phase::Trial => self.trial(walk, f, slope, gradient, h),
            Phase::Again if f.finite() && slope.finite() => self.accept(walk, f, gradient, h),
            // It was a number the first time.
            Phase::Again => self.halt(Stop::LineSearch),
            Phase::Rest => {}
        }
        if self.asks() && self.evaluations >= self.settings.max_evaluations {
            self.finish(Stop::Evaluations);
        }
    }

    fn penalty(&self) -> Option<Penalty<T>> {
        Penalty::new(&self.settings, self.level)
    }

    /// Value with the penalty, slope along the direction, and largest element of the gradient at `x`.
    fn judge(&mut self, walk: &mut impl Walk<T, R>, f: T) -> (T, T, T) {
        let level = self.level;
        let (x, g, d) = (self.x.as_ref(), self.g.as_ref(), self.step.s.as_ref());
        let totals = &mut self.history.totals;
        walk.walk(g.len(), [], totals, |b, [], totals| {
            totals.join_slope(sums(level, &Slope, [block(g, b), block(d, b)], []));
        });
        let (slope, largest) = (totals.sums[0], totals.largest);
        match self.penalty() {
            None => (f, slope, largest),
            Some(penalty) => (f + penalty.value(x), slope, penalty.largest(x, g)),
        }
    }

    /// Largest element of the gradient that the search started from.
    fn departed(&self) -> T {
        let (x, g) = (self.x0.as_ref(), self.step.y.as_ref());
        self.penalty().map_or_else(|| max_abs(self.level, g), |penalty| penalty.largest(x, g))
    }

    /// One trial of the line search has been evaluated.
    fn trial(&mut self, walk: &mut impl Walk<T, R>, f: T, slope: T, gradient: T, h: Option<&[T]>) {
        if let Some(penalty) = self.penalty() {
            // The move bends where a parameter stops at 0: its promise replaces the slope times the step.
            // What other parameters lose may outweigh what is left: then no rise at all is sufficient.
            let promise = penalty.promise(self.x0.as_ref(), self.step.y.as_ref(), self.x.as_ref());
            self.search.start.slope = promise.min(T::ZERO) / self.search.t;
        }
        if f.finite() && slope.finite() && f < self.best.value {
            self.best = Best { t: self.search.t, value: f, gradient };
        }
        let t = self.search.t;
        let flatter = self.settings.line_search == LineSearch::Backtracking
            && self.search.near(f)
            && gradient < self.departed();
        // A step so short that rounding loses it is none, and a lower trial is better than a flatter one.
        let unmoved = f == self.search.start.f && gradient == self.best.gradient;
        let passed = self.best.value < f - noise(f) && self.best.t > T::ZERO;
        match self.search.advance(&self.settings, f, slope, flatter) {
            Verdict::Accept if !unmoved && !passed => self.accept(walk, f, gradient, h),
            Verdict::Try(t) => self.advance(walk, t),
            Verdict::Accept | Verdict::Fail if self.best.t == T::ZERO => {
                // Not even the shortest step along the gradient descends, or the pairs mislead.
                if self.history.ring.count == 0 {
                    self.finish(Stop::LineSearch);
                } else {
                    self.history.clear();
                    self.launch(walk, h);
                }
            }
            Verdict::Accept | Verdict::Fail if self.best.t == t => self.accept(walk, f, gradient, h),
            Verdict::Accept | Verdict::Fail => {
                self.search.t = self.best.t;
                self.advance(walk, self.best.t);
                self.phase = Phase::Again;
            }
        }
    }

    /// Makes the trial point the start of the next search, unless it is good enough.
    fn accept(&mut self, walk: &mut impl Walk<T, R>, f: T, gradient: T, h: Option<&[T]>) {
        let settings = self.settings;
        let before = self.search.start.f;
        self.iterations = self.iterations.saturating_add(1);
        self.best = Best { t: T::ZERO, value: f, gradient };
        if gradient <= settings.tolerance {
            return self.halt(Stop::Gradient);
        }
        let unit = f.abs().max(before.abs()).max(T::ONE);
        if settings.decrease > T::ZERO && before - f <= settings.decrease * unit {
            return self.halt(Stop::Decrease);
        }
        if self.iterations >= settings.max_iterations {
            return self.halt(Stop::Iterations);
        }
        let (level, penalty, t) = (self.level, self.penalty(), self.search.t);
        if let Some(penalty) = penalty {
            penalty.difference(self.x.as_ref(), self.x0.as_ref(), self.step.s.as_mut());
        } else if t != T::ONE {
            let s = self.step.s.as_mut();
            walk.walk(s.len(), [s], &mut self.history.totals, |_, [s], _| {
                apply(level, &Combine { scale: t, c: [] }, s, []);
            });
        }
        self.x.exchange(&mut self.x0);
        let g = self.g.as_ref();
        if let Some(penalty) = penalty {
            penalty.gradient(self.x0.as_ref(), g, self.x.as_mut());
        }
        let p = if penalty.is_some() { self.x.as_ref() } else { g };
        self.history.absorb(walk, level, &mut self.step, [g, p], h);
        self.g.exchange(&mut self.step.y);
        self.launch(walk, h);
    }

    /// Finds the direction from `x0`, where the gradient is `step.y`, and starts a search along it.
    fn launch(&mut self, walk: &mut impl Walk<T, R>, h: Option<&[T]>) {
        let (level, penalty) = (self.level, self.penalty());
        let [slope, longest] = loop {
            let Self { history, x, x0, step, .. } = self;
            let (x, x0, g, q) = (x.as_mut(), x0.as_ref(), step.y.as_ref(), step.s.as_mut());
            let found = if let Some(penalty) = penalty {
                penalty.gradient(x0, g, x);
                history.descend(walk, level, x, h, q);
                history.ascend(walk, level, q, x, None);
                penalty.depart(x0, q, x)
            } else {
                history.descend(walk, level, g, h, q);
                history.ascend(walk, level, q, x, Some([x0, g]))
            };
            if found[0] < T::ZERO && found[0].finite() && found[1].finite() {
                break found;
            }
            if history.ring.count == 0 {
                return self.finish(Stop::LineSearch); // the gradient has no length
            }
            history.clear();
        };
        let Best { value, .. } = self.best;
        let limit = self.settings.step_max.min(self.settings.max_move / longest);
        let t = T::ONE.min(limit);
        self.search.begin(value, slope, t, limit);
        self.phase = Phase::Trial;
        if t != T::ONE {
            self.advance(walk, t);
        }
    }

    /// `x` one step `t` from `x0`.
    fn advance(&mut self, walk: &mut impl Walk<T, R>, t: T) {
        let level = self.level;
        let (x0, d, x) = (self.x0.as_ref(), self.step.s.as_ref(), self.x.as_mut());
        match Penalty::new(&self.settings, level) {
            Some(penalty) => penalty.advance(t, x0, d, x),
            None => walk.walk(x0.len(), [x], &mut self.history.totals, |b, [x], _| {
                apply(level, &Advance { t }, x, [block(x0, b), block(d, b)]);
            }),
        }
    }

    /// Stops with the best point in `x`.
    pub fn finish(&mut self, stop: Stop) {
        if !self.asks() {
            return;
        }
        if self.best.t > T::ZERO {
            self.advance(&mut InOrder, self.best.t);
        } else if self.evaluations > 0 {
            self.x.exchange(&mut self.x0);
        }
        self.halt(stop);
    }

    /// Stops with the point that is in `x`.
    fn halt(&mut self, stop: Stop) {
        self.phase = Phase::Rest;
        self.stop = stop;
    }
}
