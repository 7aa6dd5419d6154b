//! L-BFGS as a state machine: it asks for the value and the gradient at a point, and is told.

use super::kernels::{Combine, Difference, apply};
use super::line_search::{Search, Verdict};
use super::path::{Given, Path};
use super::settings::{LbfgsSettings, LineSearch};
use super::two_loop::{History, Pair, Ring};
use super::walk::{InOrder, Line, Vector, Walk, block};
use crate::second_order::fields::{Choice, fields};
use crate::second_order::real::noise;
use crate::second_order::{Real, Report, Stop};
use crate::simd::{Level, l2_norm, max_abs};

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
    /// Whether the last call had bounds.
    pub bounded: bool,
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
    pub(crate) const REST: Self = Self {
        settings: LbfgsSettings::zero(),
        phase: Phase::Rest,
        bounded: false,
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
        flag bounded;
        choice report.stop;
        word report.iterations;
        word report.evaluations;
        number best;
        number report.value;
        number report.gradient;
        number search.start.highest;
        number search.start.f;
        number search.start.slope;
        number search.start.gradient;
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
    pub(crate) fn fits(&self, pairs: usize) -> bool {
        let runs = self.settings.check().is_ok() && self.search.trials <= self.settings.max_trials;
        self.ring.count <= pairs && self.ring.newest < pairs && (self.phase == Phase::Rest || runs)
    }

    /// The instruction set of every pass.
    pub(crate) fn level(&self) -> Level {
        self.settings.exec.level()
    }

    /// The inverse Hessian where nothing is known but `p`, the gradient times the preconditioner: a move from `x0` of
    /// length 1, or as the preconditioner has it; longer where 1 would be lost in the rounding of large parameters.
    pub(crate) fn first_scale(&self, p: &[T], x0: &[T], preconditioned: bool) -> T {
        let length = l2_norm(self.level(), p);
        let reach = (T::EPSILON.sqrt() * max_abs(self.level(), x0)).max(T::ONE);
        let scale = if preconditioned && length < reach { T::ONE } else { reach / length };
        // Finite, for the reach of large parameters with a small gradient; NaN stays and ends the run.
        if scale > T::MAX { T::MAX } else { scale }
    }

    /// Notes where the lowest point is.
    fn note(&mut self, t: T, value: T, gradient: T) {
        self.best = t;
        (self.report.value, self.report.gradient) = (value, gradient);
    }
}

/// A step beyond which a function that still falls has no minimum.
const FAR: f64 = 1e20;

/// What a call brings but the value.
struct Call<'a, T> {
    path: Path<'a, T>,
    /// The preconditioner.
    h: Option<&'a [T]>,
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
    pub(crate) fn start(&mut self, settings: &LbfgsSettings<T>) {
        let capacity = self.history.pairs.as_mut().len();
        let report = Report { value: T::INFINITY, gradient: T::INFINITY, ..Report::default() };
        let ring = Ring { capacity, ..Ring::EMPTY };
        self.core = Core { settings: *settings, phase: Phase::Start, report, ring, ..Core::REST };
        // The slope of the first gradient along 0 is 0, or NaN if the gradient is not finite.
        self.direction.as_mut().fill(T::ZERO);
    }

    /// Zeros everywhere: the state of a machine that has not been started.
    pub(crate) fn reset(&mut self) {
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
    pub(crate) fn asks(&self) -> bool {
        self.core.phase != Phase::Rest
    }

    /// The value at `x` is `f`, and its gradient is in `g`.
    pub(crate) fn tell(&mut self, walk: &mut impl Walk<T, R>, f: T, given: &Given<'_, T>) {
        if !self.asks() {
            return;
        }
        let path = Path::new(&self.core.settings, given.bounds);
        self.core.bounded = matches!(path, Path::Box(_));
        let evaluations = &mut self.core.report.evaluations;
        *evaluations = evaluations.saturating_add(1); // a file may hold any number
        self.hear(walk, f, &Call { path, h: given.preconditioner });
        if self.asks() && self.core.report.evaluations >= self.core.settings.max_evaluations {
            self.finish(Stop::Evaluations, Some(path));
        }
    }

    fn hear(&mut self, walk: &mut impl Walk<T, R>, f: T, call: &Call<'_, T>) {
        if let (Phase::Start, Path::Box(bounds)) = (self.core.phase, call.path)
            && bounds.clamp(self.x.as_mut())
        {
            return; // once more, from the nearest point in the box
        }
        let (f, slope, gradient) = self.judge(walk, f, call);
        match self.core.phase {
            Phase::Start if f.finite() && slope.finite() => {
                self.core.note(T::ZERO, f, gradient);
                self.core.search.start.highest = f;
                self.g.exchange(&mut self.start_grad);
                self.x.exchange(&mut self.x0);
                if gradient <= self.core.settings.tolerance {
                    self.finish(Stop::Gradient, Some(call.path));
                } else {
                    self.launch(walk, call);
                }
            }
            Phase::Start => {
                self.core.note(T::ZERO, f, if slope.finite() { gradient } else { T::INFINITY });
                self.halt(Stop::NonFinite);
            }
            Phase::Trial => self.trial(walk, [f, slope, gradient], call),
            Phase::Again if f.finite() && slope.finite() => self.accept(walk, [f, slope, gradient], call),
            // It was a number the first time.
            Phase::Again => self.halt(Stop::LineSearch),
            Phase::Rest => {}
        }
    }

    /// Value with the penalty, slope along the direction, and largest element of the gradient at `x`.
    fn judge(&mut self, walk: &mut impl Walk<T, R>, f: T, call: &Call<'_, T>) -> (T, T, T) {
        let (level, path, totals) = (self.core.level(), call.path, &mut self.history.totals);
        let vectors = [&self.x, &self.x0, &self.g, &self.direction].map(AsRef::as_ref);
        walk.walk(self.g.as_ref().len(), [], totals, |b, [], totals| {
            path.judge(level, b, vectors.map(|x| block(x, b)), &mut totals.line);
        });
        let Line { slope, largest, .. } = totals.line;
        (f + path.penalty(level, self.x.as_ref()), slope, largest)
    }

    /// One trial of the line search has been evaluated.
    fn trial(&mut self, walk: &mut impl Walk<T, R>, [f, slope, gradient]: [T; 3], call: &Call<'_, T>) {
        let (t, lowest) = (self.core.search.t, self.core.report.value);
        let whole = f.finite() && slope.finite();
        if whole && f < lowest {
            self.core.note(t, f, gradient);
        }
        // Flat enough, and no higher than rounding makes it: of such points the search would find none that is better.
        let done = gradient <= self.core.settings.tolerance;
        if whole && done && f <= lowest + noise(lowest) && f <= self.core.search.start.highest {
            return self.accept(walk, [f, slope, gradient], call);
        }
        let start = self.core.search.start;
        let flatter = self.core.settings.line_search == LineSearch::Backtracking
            && self.core.search.near(f)
            && gradient < start.gradient;
        // A step so short that rounding loses it is none, and a lower trial is better than a flatter one.
        let unmoved = f == start.f && gradient == self.core.report.gradient;
        let passed = self.core.report.value < f - noise(f);
        let best = self.core.best;
        match self.core.search.advance(&self.core.settings, f, slope, flatter) {
            Verdict::Accept if !unmoved && !passed => self.accept(walk, [f, slope, gradient], call),
            Verdict::Try(t) => self.advance(walk, t, call.path),
            Verdict::Accept | Verdict::Fail if best == T::ZERO => {
                // Not even the shortest step along the gradient descends, or the pairs mislead.
                if self.core.ring.count == 0 {
                    self.finish(Stop::LineSearch, Some(call.path));
                } else {
                    self.core.ring.count = 0;
                    self.launch(walk, call);
                }
            }
            Verdict::Accept | Verdict::Fail if best == t => self.accept(walk, [f, slope, gradient], call),
            Verdict::Accept | Verdict::Fail => {
                self.core.search.t = best;
                self.advance(walk, best, call.path);
                self.core.phase = Phase::Again;
            }
        }
    }

    /// Makes the trial point the start of the next search, unless it is good enough.
    fn accept(&mut self, walk: &mut impl Walk<T, R>, [f, slope, gradient]: [T; 3], call: &Call<'_, T>) {
        let LbfgsSettings { tolerance, decrease, max_iterations, step_max, .. } = self.core.settings;
        let (before, t) = (self.core.search.start.f, self.core.search.t);
        self.core.report.iterations = self.core.report.iterations.saturating_add(1);
        self.core.note(T::ZERO, f, gradient);
        if gradient <= tolerance {
            return self.halt(Stop::Gradient);
        }
        if slope < T::ZERO && t >= step_max.min(T::of(FAR)) {
            return self.halt(Stop::Unbounded);
        }
        let unit = f.abs().max(before.abs()).max(T::ONE);
        if decrease > T::ZERO && before - f <= decrease * unit {
            return self.halt(Stop::Decrease);
        }
        if self.core.report.iterations >= max_iterations {
            return self.halt(Stop::Iterations);
        }
        let level = self.core.level();
        let Self { core, history, x, x0, g, start_grad, direction, scratch } = self;
        let restricted = !matches!(call.path, Path::Smooth);
        if restricted || t != T::ONE {
            let (after, before) = (x.as_ref(), x0.as_ref());
            walk.walk(after.len(), [direction.as_mut()], &mut history.totals, |b, [s], _| {
                if restricted {
                    apply(level, &Difference, s, [block(after, b), block(before, b)]);
                } else {
                    apply(level, &Combine { scale: t, c: [] }, s, []);
                }
            });
        }
        x.exchange(x0);
        history.absorb(walk, core, (direction, start_grad, scratch), g.as_ref(), call.h, restricted);
        g.exchange(start_grad);
        self.launch(walk, call);
    }

    /// Finds the direction from `x0` and starts a search along it.
    fn launch(&mut self, walk: &mut impl Walk<T, R>, call: &Call<'_, T>) {
        let Call { path, h } = *call;
        let level = self.core.level();
        let line = loop {
            let Self { core, history, x, x0, start_grad, direction, scratch, .. } = self;
            let (x, q, from) = (x.as_mut(), direction.as_mut(), [x0.as_ref(), start_grad.as_ref()]);
            let line = if let Path::Smooth = path {
                history.descend(walk, core, from, h, q);
                history.ascend(walk, core, q, x, from)
            } else {
                walk.walk(q.len(), [&mut *q, &mut *x], &mut history.totals, |b, [q, free], _| {
                    path.split(level, b, from.map(|x| block(x, b)), [q, free]);
                });
                history.restricted(walk, core, from[0], (&mut *q, &*x), h, scratch);
                walk.walk(q.len(), [q, x], &mut history.totals, |b, [q, x], totals| {
                    path.depart(level, b, from.map(|x| block(x, b)), [q, x], &mut totals.line);
                });
                history.totals.line
            };
            if line.slope < T::ZERO && line.slope.finite() && line.largest.finite() {
                break line;
            }
            if core.ring.count == 0 {
                return self.finish(Stop::LineSearch, Some(path)); // the gradient has no length
            }
            core.ring.count = 0;
        };
        let LbfgsSettings { step_max, max_move, .. } = self.core.settings;
        // At a share of 1 a parameter has arrived at its bound; at 0 none is on its way to one.
        let room = (T::ONE / line.share).max(T::ONE);
        let limit = step_max.min(max_move / line.largest).min(room);
        let t = T::ONE.min(limit);
        let Report { value, gradient, .. } = self.core.report;
        self.core.search.begin([value, gradient], line.slope, t, limit);
        self.core.phase = Phase::Trial;
        if t != T::ONE {
            self.advance(walk, t, path);
        }
    }

    /// `x` one step `t` from `x0`.
    fn advance(&mut self, walk: &mut impl Walk<T, R>, t: T, path: Path<'_, T>) {
        let level = self.core.level();
        let (x0, d, x) = (self.x0.as_ref(), self.direction.as_ref(), self.x.as_mut());
        walk.walk(x0.len(), [x], &mut self.history.totals, |b, [x], _| {
            path.advance(level, b, t, [block(x0, b), block(d, b)], x);
        });
    }

    /// Stops early with the best point in `x`: of those that were accepted, where bounds are not at hand.
    pub(crate) fn stop(&mut self) {
        let path = (!self.core.bounded).then(|| Path::new(&self.core.settings, None));
        self.finish(Stop::Callback, path);
    }

    /// Stops with the best point in `x`.
    fn finish(&mut self, stop: Stop, path: Option<Path<'_, T>>) {
        if !self.asks() {
            return;
        }
        match path {
            Some(path) if self.core.best > T::ZERO => self.advance(&mut InOrder, self.core.best, path),
            // The first point has been judged, and since then `x0` holds what a search starts from.
            _ if self.core.report.value.finite() => {
                if self.core.best > T::ZERO {
                    let start = self.core.search.start;
                    self.core.note(T::ZERO, start.f, start.gradient);
                }
                self.x.exchange(&mut self.x0);
            }
            _ => {}
        }
        self.halt(stop);
    }

    /// Stops with the point that is in `x`.
    fn halt(&mut self, stop: Stop) {
        self.core.phase = Phase::Rest;
        self.core.report.stop = stop;
    }
}
