//! L-BFGS as a state machine: it asks for the value and the gradient at a point, and is told.

use super::kernels::{Advance, Combine, Slope, apply, sums};
use super::line_search::{Search, Verdict};
use super::owlqn::Penalty;
use super::settings::{LbfgsSettings, LineSearch};
use super::two_loop::{History, Pair, Ring};
use super::walk::{InOrder, Line, Vector, Walk, block};
use crate::second_order::fields::{Choice, fields};
use crate::second_order::real::noise;
use crate::second_order::{Real, Report, Stop};
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

impl Choice for Phase {
    const ALL: &[Self] = &[Self::Rest, Self::Start, Self::Trial, Self::Again];
    fn word(self) -> u32 {
        self as u32
    }
}

/// All of a run but its vectors: what a file holds beside them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Core<T> {
    pub settings: LbfgsSettings<T>,
    pub phase: Phase,
    /// About the lowest point so far, that of the line search under way included.
    pub report: Report<T>,
    /// The step of that point along the direction; 0: where the search started.
    pub best: T,
    pub search: Search<T>,
    pub ring: Ring,
    /// The inverse Hessian that the recursion starts from, as a multiple of the preconditioner.
    pub scale: T,
}

impl<T: Real> Core<T> {
    /// Zeros: it has not been started.
    pub const REST: Self = Self {
        settings: LbfgsSettings::zero(),
        phase: Phase::Rest,
        report: Report {
            value: T::ZERO,
            gradient: T::ZERO,
            iterations: 0,
            evaluations: 0,
            stop: Stop::Running,
        },
        best: T::ZERO,
        search: Search::new(),
        ring: Ring::EMPTY,
        scale: T::ZERO,
    };

    fields! {
        number settings.tolerance;
        number settings.decrease;
        word settings.max_iterations;
        word settings.max_evaluations;
        word settings.max_trials;
        choice settings.line_search;
        number settings.sufficient_decrease;
        number settings.curvature;
        number settings.width_tolerance;
        number settings.step_min;
        number settings.step_max;
        number settings.max_move;
        number settings.l1;
        index settings.l1_start;
        index settings.l1_end;
        choice phase;
        choice report.stop;
        word report.iterations;
        word report.evaluations;
        number best;
        number report.value;
        number report.gradient;
        number search.start.highest;
        number search.start.f;
        number search.start.slope;
        number search.low.t;
        number search.low.f;
        number search.low.slope;
        number search.high.t;
        number search.high.f;
        number search.high.slope;
        flag search.bracketed;
        flag search.second_stage;
        number search.width;
        number search.width_before;
        number search.t;
        number search.limit;
        word search.trials;
        index ring.count;
        index ring.newest;
        number scale;
    }

    /// Whether a machine of `pairs` can be in this state.
    pub fn fits(&self, pairs: usize) -> bool {
        let runs = self.settings.check().is_ok() && self.search.trials <= self.settings.max_trials;
        self.ring.count <= pairs && self.ring.newest < pairs && (self.phase == Phase::Rest || runs)
    }

    /// The instruction set of every pass.
    pub fn level(&self) -> Level {
        self.settings.exec.level()
    }

    /// Notes where the lowest point is.
    fn note(&mut self, t: T, value: T, gradient: T) {
        self.best = t;
        (self.report.value, self.report.gradient) = (value, gradient);
    }
}

/// What the points of a run are bound to.
#[derive(Clone, Copy)]
enum Path<T> {
    /// Nothing.
    Smooth,
    /// In each search to one orthant: OWL-QN.
    Orthant(Penalty<T>),
}

/// The machine over any memory: `V` holds `n` numbers, `R` one for each of `m` pairs, `H` the pairs.
#[derive(Clone, Debug)]
pub(super) struct Machine<T, V, R, H> {
    pub core: Core<T>,
    pub history: History<T, R, H>,
    /// The point to evaluate, and in the end the best one.
    pub x: V,
    /// The point that the search started from.
    pub x0: V,
    /// The gradient at `x`, written by the caller.
    pub g: V,
    /// The gradient at `x0`.
    pub start_grad: V,
    /// The direction of the search.
    pub direction: V,
    /// Memory for the products of the next pair.
    pub scratch: R,
}

impl<T, V, R, H> Machine<T, V, R, H>
where
    T: Real,
    V: Vector<T>,
    R: Vector<T>,
    H: AsMut<[Pair<V, R>]>,
{
    /// Starts anew from the point in `x`.
    pub fn start(&mut self, settings: &LbfgsSettings<T>) {
        let capacity = self.history.pairs.as_mut().len();
        let report = Report { value: T::INFINITY, gradient: T::INFINITY, ..Report::default() };
        let ring = Ring { capacity, ..Ring::EMPTY };
        self.core = Core { settings: *settings, phase: Phase::Start, report, ring, ..Core::REST };
        // The slope of the first gradient along 0 is 0, or NaN if the gradient is not finite.
        self.direction.as_mut().fill(T::ZERO);
        if settings.l1 > T::ZERO {
            self.core.settings.line_search = LineSearch::Backtracking;
        }
    }

    /// Zeros everywhere: the state of a machine that has not been started.
    pub fn reset(&mut self) {
        self.core = Core::REST;
        let Self { x, x0, g, start_grad, direction, .. } = self;
        for vector in [x, x0, g, start_grad, direction] {
            vector.as_mut().fill(T::ZERO);
        }
        self.history.totals.clear();
        for row in [&mut self.scratch, &mut self.history.alpha] {
            row.as_mut().fill(T::ZERO);
        }
        for pair in self.history.pairs.as_mut() {
            pair.s.as_mut().fill(T::ZERO);
            pair.y.as_mut().fill(T::ZERO);
            pair.products.as_mut().fill(T::ZERO);
        }
    }

    /// Whether an evaluation is asked for.
    pub fn asks(&self) -> bool {
        self.core.phase != Phase::Rest
    }

    /// The value at `x` is `f`, and its gradient is in `g`; `h` is the preconditioner, if there is one.
    pub fn tell(&mut self, walk: &mut impl Walk<T, R>, f: T, h: Option<&[T]>) {
        if !self.asks() {
            return;
        }
        let evaluations = &mut self.core.report.evaluations;
        *evaluations = evaluations.saturating_add(1); // a file may hold any number
        let (f, slope, gradient) = self.judge(walk, f);
        match self.core.phase {
            Phase::Start if f.finite() && slope.finite() => {
                self.core.note(T::ZERO, f, gradient);
                self.core.search.start.highest = f;
                self.g.exchange(&mut self.start_grad);
                self.x.exchange(&mut self.x0);
                if gradient <= self.core.settings.tolerance {
                    self.finish(Stop::Gradient);
                } else {
                    self.launch(walk, h);
                }
            }
            Phase::Start => {
                self.core.note(T::ZERO, f, if slope.finite() { gradient } else { T::INFINITY });
                self.halt(Stop::NonFinite);
            }
            Phase::Trial => self.trial(walk, f, slope, gradient, h),
            Phase::Again if f.finite() && slope.finite() => self.accept(walk, f, gradient, h),
            // It was a number the first time.
            Phase::Again => self.halt(Stop::LineSearch),
            Phase::Rest => {}
        }
        if self.asks() && self.core.report.evaluations >= self.core.settings.max_evaluations {
            self.finish(Stop::Evaluations);
        }
    }

    fn path(&self) -> Path<T> {
        Penalty::new(&self.core.settings).map_or(Path::Smooth, Path::Orthant)
    }

    /// Value with the penalty, slope along the direction, and largest element of the gradient at `x`.
    fn judge(&mut self, walk: &mut impl Walk<T, R>, f: T) -> (T, T, T) {
        let (level, path) = (self.core.level(), self.path());
        let (x, g, d) = (self.x.as_ref(), self.g.as_ref(), self.direction.as_ref());
        let totals = &mut self.history.totals;
        walk.walk(g.len(), [], totals, |b, [], totals| {
            totals.line.join(sums(level, &Slope, [block(g, b), block(d, b)], []));
        });
        let Line { slope, largest } = totals.line;
        match path {
            Path::Smooth => (f, slope, largest),
            Path::Orthant(penalty) => (f + penalty.value(x), slope, penalty.largest(x, g)),
        }
    }

    /// Largest element of the gradient that the search started from.
    fn departed(&self) -> T {
        let (x, g) = (self.x0.as_ref(), self.start_grad.as_ref());
        match self.path() {
            Path::Smooth => max_abs(self.core.level(), g),
            Path::Orthant(penalty) => penalty.largest(x, g),
        }
    }

    /// One trial of the line search has been evaluated.
    fn trial(&mut self, walk: &mut impl Walk<T, R>, f: T, slope: T, gradient: T, h: Option<&[T]>) {
        if let Path::Orthant(penalty) = self.path() {
            // The move bends where a parameter stops at 0: its promise replaces the slope times the step.
            // What other parameters lose may outweigh what is left: then no rise at all is sufficient.
            let promise = penalty.promise(self.x0.as_ref(), self.start_grad.as_ref(), self.x.as_ref());
            self.core.search.start.slope = promise.min(T::ZERO) / self.core.search.t;
        }
        let t = self.core.search.t;
        if f.finite() && slope.finite() && f < self.core.report.value {
            self.core.note(t, f, gradient);
        }
        let flatter = self.core.settings.line_search == LineSearch::Backtracking
            && self.core.search.near(f)
            && gradient < self.departed();
        // A step so short that rounding loses it is none, and a lower trial is better than a flatter one.
        let unmoved = f == self.core.search.start.f && gradient == self.core.report.gradient;
        let passed = self.core.report.value < f - noise(f) && self.core.best > T::ZERO;
        let best = self.core.best;
        match self.core.search.advance(&self.core.settings, f, slope, flatter) {
            Verdict::Accept if !unmoved && !passed => self.accept(walk, f, gradient, h),
            Verdict::Try(t) => self.advance(walk, t),
            Verdict::Accept | Verdict::Fail if best == T::ZERO => {
                // Not even the shortest step along the gradient descends, or the pairs mislead.
                if self.core.ring.count == 0 {
                    self.finish(Stop::LineSearch);
                } else {
                    self.core.ring.count = 0;
                    self.launch(walk, h);
                }
            }
            Verdict::Accept | Verdict::Fail if best == t => self.accept(walk, f, gradient, h),
            Verdict::Accept | Verdict::Fail => {
                self.core.search.t = best;
                self.advance(walk, best);
                self.core.phase = Phase::Again;
            }
        }
    }

    /// Makes the trial point the start of the next search, unless it is good enough.
    fn accept(&mut self, walk: &mut impl Walk<T, R>, f: T, gradient: T, h: Option<&[T]>) {
        let LbfgsSettings { tolerance, decrease, max_iterations, .. } = self.core.settings;
        let (before, t) = (self.core.search.start.f, self.core.search.t);
        self.core.report.iterations = self.core.report.iterations.saturating_add(1);
        self.core.note(T::ZERO, f, gradient);
        if gradient <= tolerance {
            return self.halt(Stop::Gradient);
        }
        let unit = f.abs().max(before.abs()).max(T::ONE);
        if decrease > T::ZERO && before - f <= decrease * unit {
            return self.halt(Stop::Decrease);
        }
        if self.core.report.iterations >= max_iterations {
            return self.halt(Stop::Iterations);
        }
        let (level, path) = (self.core.level(), self.path());
        let Self { core, history, x, x0, g, start_grad, direction, scratch } = self;
        match path {
            Path::Smooth if t == T::ONE => {}
            Path::Smooth => {
                let s = direction.as_mut();
                walk.walk(s.len(), [s], &mut history.totals, |_, [s], _| {
                    apply(level, &Combine { scale: t, c: [] }, s, []);
                });
            }
            Path::Orthant(penalty) => penalty.difference(x.as_ref(), x0.as_ref(), direction.as_mut()),
        }
        x.exchange(x0);
        let p = match path {
            Path::Smooth => g.as_ref(),
            Path::Orthant(penalty) => {
                penalty.gradient(x0.as_ref(), g.as_ref(), x.as_mut());
                x.as_ref()
            }
        };
        history.absorb(walk, core, (direction, start_grad, scratch), [g.as_ref(), p], h);
        g.exchange(start_grad);
        self.launch(walk, h);
    }

    /// Finds the direction from `x0` and starts a search along it.
    fn launch(&mut self, walk: &mut impl Walk<T, R>, h: Option<&[T]>) {
        let path = self.path();
        let line = loop {
            let Self { core, history, x, x0, start_grad, direction, .. } = self;
            let (x, x0, g, q) = (x.as_mut(), x0.as_ref(), start_grad.as_ref(), direction.as_mut());
            let line = match path {
                Path::Smooth => {
                    history.descend(walk, core, g, h, q);
                    history.ascend(walk, core, q, x, Some([x0, g]))
                }
                Path::Orthant(penalty) => {
                    penalty.gradient(x0, g, x);
                    history.descend(walk, core, x, h, q);
                    history.ascend(walk, core, q, x, None);
                    penalty.depart(x0, q, x)
                }
            };
            if line.slope < T::ZERO && line.slope.finite() && line.largest.finite() {
                break line;
            }
            if core.ring.count == 0 {
                return self.finish(Stop::LineSearch); // the gradient has no length
            }
            core.ring.count = 0;
        };
        let LbfgsSettings { step_max, max_move, .. } = self.core.settings;
        let limit = step_max.min(max_move / line.largest);
        let t = T::ONE.min(limit);
        self.core.search.begin(self.core.report.value, line.slope, t, limit);
        self.core.phase = Phase::Trial;
        if t != T::ONE {
            self.advance(walk, t);
        }
    }

    /// `x` one step `t` from `x0`.
    fn advance(&mut self, walk: &mut impl Walk<T, R>, t: T) {
        let (level, path) = (self.core.level(), self.path());
        let (x0, d, x) = (self.x0.as_ref(), self.direction.as_ref(), self.x.as_mut());
        match path {
            Path::Smooth => walk.walk(x0.len(), [x], &mut self.history.totals, |b, [x], _| {
                apply(level, &Advance { t }, x, [block(x0, b), block(d, b)]);
            }),
            Path::Orthant(penalty) => penalty.advance(t, x0, d, x),
        }
    }

    /// Stops with the best point in `x`.
    pub fn finish(&mut self, stop: Stop) {
        if !self.asks() {
            return;
        }
        if self.core.best > T::ZERO {
            self.advance(&mut InOrder, self.core.best);
        } else if self.core.report.evaluations > 0 {
            self.x.exchange(&mut self.x0);
        }
        self.halt(stop);
    }

    /// Stops with the point that is in `x`.
    fn halt(&mut self, stop: Stop) {
        self.core.phase = Phase::Rest;
        self.core.report.stop = stop;
    }
}
