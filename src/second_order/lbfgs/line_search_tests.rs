//! The line searches step by step beside the paper's formulas, which are written here in another form.

use super::{EXTRAPOLATION, Search, Verdict};
use crate::second_order::{LbfgsSettings, LineSearch};
use std::f64::consts::PI;
use std::{vec, vec::Vec};

/// A point of a function of the step.
#[derive(Clone, Copy, Debug)]
struct At {
    t: f64,
    f: f64,
    d: f64,
}

/// The same searches from their papers: Moré and Thuente (1994), with the constants of MINPACK-2, and the parabola of
/// Armijo's rule.
struct Paper {
    settings: LbfgsSettings<f64>,
    /// A step is extrapolated fourfold, and so far where a cubic falls all the way. The crate has its own ways there.
    to_the_letter: bool,
    highest: f64,
    zero: At,
    /// The ends of the interval.
    best: At,
    other: At,
    bracketed: bool,
    /// The auxiliary function is minimised.
    first_stage: bool,
    /// All widths of the interval so far.
    widths: Vec<f64>,
    step: f64,
    limit: f64,
    trials: u32,
}

impl Paper {
    fn new(
        settings: LbfgsSettings<f64>,
        to_the_letter: bool,
        highest: f64,
        zero: At,
        step: f64,
        limit: f64,
    ) -> Self {
        Self {
            settings,
            to_the_letter,
            highest,
            zero,
            best: zero,
            other: zero,
            bracketed: false,
            first_stage: true,
            widths: vec![2.0 * limit, limit],
            step,
            limit,
            trials: 0,
        }
    }

    fn advance(&mut self, f: f64, d: f64, flatter: bool) -> Verdict<f64> {
        let (p, best) = (At { t: self.step, f, d }, self.best.t);
        self.trials += 1;
        let verdict = if f.is_finite() && d.is_finite() {
            match self.settings.line_search {
                LineSearch::MoreThuente => self.more_thuente(p),
                LineSearch::Backtracking => self.backtrack(p, flatter),
            }
        } else {
            // A quarter of the way from the best step; what lies beyond half the way is never tried again.
            if p.t > best {
                self.limit = (best + p.t) / 2.0;
            }
            Verdict::Try((3.0 * best + p.t) / 4.0)
        };
        match verdict {
            Verdict::Try(t) if t < self.settings.step_min || t == p.t => Verdict::Fail,
            Verdict::Try(_) if self.trials == self.settings.max_trials => Verdict::Fail,
            verdict => verdict,
        }
    }

    /// The line of sufficient decrease.
    fn line(&self, t: f64) -> f64 {
        self.zero.f + self.settings.sufficient_decrease * t * self.zero.d
    }

    fn backtrack(&self, p: At, flatter: bool) -> Verdict<f64> {
        if p.f <= self.line(p.t) || flatter {
            return Verdict::Accept;
        }
        // f(0) + f'(0) t + a t t
        let a = ((p.f - self.zero.f) / p.t - self.zero.d) / p.t;
        Verdict::Try((self.zero.d / (-2.0 * a)).max(p.t / 10.0).min(p.t / 2.0))
    }

    fn more_thuente(&mut self, p: At) -> Verdict<f64> {
        let (low_enough, slope) = (p.f <= self.line(p.t), self.zero.d);
        let (c1, c2) = (self.settings.sufficient_decrease, self.settings.curvature);
        let rounding = 10.0 * f64::EPSILON * self.zero.f.abs();
        let near = p.f <= self.highest && (p.f - self.zero.f).abs() <= rounding;
        if low_enough && p.d.abs() <= c2 * slope.abs()
            || near && (c2 * slope..=(2.0 * c1 - 1.0) * slope).contains(&p.d)
            || low_enough && p.d < 0.0 && p.t >= self.limit
        {
            return Verdict::Accept;
        }
        self.first_stage &= !(low_enough && p.d >= 0.0);
        let auxiliary = self.first_stage && !low_enough && p.f <= self.best.f;
        let psi = |p: At| At { f: p.f - c1 * slope * p.t, d: p.d - c1 * slope, ..p };
        let view = |p: At| if auxiliary { psi(p) } else { p };
        let (l, u, t) = (view(self.best), view(self.other), view(p));
        let u = self.bracketed.then_some(u);
        let mut next = self.trial(l, u, t);
        if t.f > l.f {
            self.other = p;
        } else {
            let before = core::mem::replace(&mut self.best, p);
            if opposite(t.d, l.d) {
                self.other = before;
            }
        }
        self.bracketed |= t.f > l.f || opposite(t.d, l.d);
        if self.bracketed {
            let (a, b) = (self.best.t.min(self.other.t), self.best.t.max(self.other.t));
            let middle = (a + b) / 2.0;
            if b - a >= 0.66 * self.widths[self.widths.len() - 2] || !(a < next && next < b) {
                next = middle;
            }
            self.widths.push(b - a);
            if !(a < next && next < b) || b - a <= self.settings.width_tolerance * b {
                return Verdict::Fail;
            }
        }
        Verdict::Try(next.min(self.limit))
    }

    /// Section 4 of the paper: the next step from the best point `l`, the other end `u` of a bracket, and the trial `t`.
    fn trial(&self, l: At, u: Option<At>, t: At) -> f64 {
        let furthest = t.t + if self.to_the_letter { 4.0 } else { EXTRAPOLATION } * (t.t - l.t);
        let secant = (l.t * t.d - t.t * l.d) / (t.d - l.d);
        let cubic = |a: At, b: At| a.t + self.lowest(a, b) * (b.t - a.t);
        let closer = |from: f64, a: f64, b: f64| if (a - from).abs() < (b - from).abs() { a } else { b };
        let further = |from: f64, a: f64, b: f64| if (a - from).abs() > (b - from).abs() { a } else { b };
        if t.f > l.f {
            let h = t.t - l.t;
            let parabola = l.t + l.d * h * h / (2.0 * (l.f - t.f + l.d * h));
            // The paper always trusts the cubic, but its form loses the minimum if the value at `t` is beyond all measure.
            if self.lowest(l, t).abs() > 1e-17 {
                closer(l.t, cubic(l, t), (cubic(l, t) + parabola) / 2.0)
            } else {
                parabola
            }
        } else if opposite(t.d, l.d) {
            further(t.t, cubic(t, l), secant)
        } else if t.d.abs() <= l.d.abs() {
            let cubic = if self.lowest(t, l) < 0.0 { cubic(t, l) } else { furthest };
            match u {
                Some(u) => {
                    let (next, bound) = (closer(t.t, cubic, secant), t.t + 0.66 * (u.t - t.t));
                    if t.t > l.t { next.min(bound) } else { next.max(bound) }
                }
                None => further(t.t, cubic, secant).max(t.t + 1.1 * (t.t - l.t)).min(furthest),
            }
        } else {
            u.map_or(furthest, |u| cubic(t, u))
        }
    }

    /// The share of the way from `a` to `b` where the cubic through both has its minimum.
    ///
    /// The cubic is `a.f + x s + y s^2 + z s^3` over the share `s`, and at its minimum its second derivative is positive.
    fn lowest(&self, a: At, b: At) -> f64 {
        let (from, to, rise) = (a.d * (b.t - a.t), b.d * (b.t - a.t), b.f - a.f);
        let (x, y, z) = (from, 3.0 * rise - 2.0 * from - to, from + to - 2.0 * rise);
        let unit = x.abs().max(y.abs()).max(z.abs());
        let (x, y, z) = (x / unit, y / unit, z / unit);
        let square = y * y - 3.0 * x * z;
        if square < 0.0 && !self.to_the_letter {
            (b.d - 3.0 * rise / (b.t - a.t)) / (b.d - a.d)
        } else if y >= 0.0 {
            -x / (y + square.sqrt()) // NaN without a minimum
        } else {
            (square.sqrt() - y) / (3.0 * z)
        }
    }
}

fn opposite(a: f64, b: f64) -> bool {
    a < 0.0 && b > 0.0 || a > 0.0 && b < 0.0
}

/// The functions of the paper's section 5, with the two settings of its tables.
fn function(number: usize, t: f64) -> (f64, f64) {
    let two = |a: f64, b: f64| {
        let scale = |b: f64| (1.0 + b * b).sqrt() - b;
        let (p, q) = (((1.0 - t) * (1.0 - t) + b * b).sqrt(), (t * t + a * a).sqrt());
        (scale(a) * p + scale(b) * q, scale(a) * (t - 1.0) / p + scale(b) * t / q)
    };
    match number {
        1 => (-t / (t * t + 2.0), (t * t - 2.0) / ((t * t + 2.0) * (t * t + 2.0))),
        2 => {
            let x = t + 0.004;
            (x.powi(5) - 2.0 * x.powi(4), 5.0 * x.powi(4) - 8.0 * x.powi(3))
        }
        3 => {
            let (b, l) = (0.01, 39.0);
            let (f, d) = if t <= 1.0 - b {
                (1.0 - t, -1.0)
            } else if t >= 1.0 + b {
                (t - 1.0, 1.0)
            } else {
                ((t - 1.0) * (t - 1.0) / (2.0 * b) + b / 2.0, (t - 1.0) / b)
            };
            let angle = l * PI / 2.0 * t;
            (f + 2.0 * (1.0 - b) / (l * PI) * angle.sin(), d + (1.0 - b) * angle.cos())
        }
        4 => two(0.001, 0.001),
        5 => two(0.01, 0.001),
        _ => two(0.001, 0.01),
    }
}

/// `sufficient_decrease` and `curvature` of the tables.
const TABLES: [[f64; 2]; 6] =
    [[0.001, 0.1], [0.1, 0.1], [0.1, 0.1], [0.001, 0.001], [0.001, 0.001], [0.001, 0.001]];
const STARTS: [f64; 4] = [1e-3, 1e-1, 1e1, 1e3];

/// Settings that refuse nothing, to be changed.
fn lax([sufficient_decrease, curvature]: [f64; 2]) -> LbfgsSettings<f64> {
    let never =
        LbfgsSettings { width_tolerance: 0.0, step_min: 0.0, max_trials: 100, ..LbfgsSettings::new() };
    LbfgsSettings { sufficient_decrease, curvature, ..never }
}

/// What a search was told and how it ended.
#[derive(Debug, PartialEq)]
struct Course {
    steps: Vec<f64>,
    accepted: bool,
}

/// Both searches side by side, from the same points: each step and each verdict must agree.
///
/// In a cubic through points that lie close together digits cancel, other ones in either form.
fn both(
    search: &mut Search<f64>,
    settings: &LbfgsSettings<f64>,
    [f, d, highest]: [f64; 3],
    [first, limit]: [f64; 2],
    mut told: impl FnMut(f64, &Paper) -> (f64, f64, bool),
) -> Course {
    search.start.highest = highest;
    search.begin([f, 0.0], d, first, limit);
    let mut paper = Paper::new(*settings, false, highest, At { t: 0.0, f, d }, first, limit);
    let mut steps = Vec::new();
    loop {
        steps.push(search.t);
        let (f, d, flatter) = told(search.t, &paper);
        let (got, want) = (search.advance(settings, f, d, flatter), paper.advance(f, d, flatter));
        match (got, want) {
            (Verdict::Try(got), Verdict::Try(want)) if (got - want).abs() <= 1e-9 * want.abs() => {
                paper.step = got;
            }
            (Verdict::Accept, Verdict::Accept) => return Course { steps, accepted: true },
            (Verdict::Fail, Verdict::Fail) => return Course { steps, accepted: false },
            _ => panic!("{got:?}, not {want:?}, for {f:e} and {d:e} at the last of {steps:?}; {settings:?}"),
        }
    }
}

#[test]
fn as_many_evaluations_as_in_the_tables_of_the_paper() {
    let paper = [[6, 3, 1, 4], [12, 8, 8, 11], [12, 12, 10, 13], [4, 1, 3, 4], [6, 3, 7, 8], [13, 11, 8, 11]];
    // Extrapolated further.
    let here = [[4, 3, 1, 4], [10, 9, 8, 11], [12, 11, 10, 13], [8, 1, 3, 4], [6, 3, 7, 8], [16, 11, 8, 11]];
    for (number, table) in (1..).zip(TABLES) {
        let (f, d) = function(number, 0.0);
        let by_paper = STARTS.map(|start| {
            let mut paper = Paper::new(lax(table), true, f, At { t: 0.0, f, d }, start, 1e20);
            loop {
                let (f, d) = function(number, paper.step);
                match paper.advance(f, d, false) {
                    Verdict::Try(t) => paper.step = t,
                    Verdict::Accept => return paper.trials,
                    Verdict::Fail => panic!("table {number} from {start} at {}", paper.step),
                }
            }
        });
        assert_eq!(by_paper, paper[number - 1], "table {number}");
        let counted = STARTS.map(|start| {
            let course = both(&mut Search::new(), &lax(table), [f, d, f], [start, 1e20], |t, _| {
                let (f, d) = function(number, t);
                (f, d, false)
            });
            assert!(course.accepted);
            course.steps.len()
        });
        assert_eq!(counted, here[number - 1], "table {number}");
    }
}

#[test]
fn the_functions_of_the_paper_step_by_step() {
    let mut search = Search::new();
    let mut ended = [0; 2];
    for (number, start) in (1..=6).flat_map(|number| STARTS.map(|start| (number, start))) {
        let (f, d) = function(number, 0.0);
        for table in [TABLES[number - 1], [1e-4, 0.9], [1e-4, 0.6], [0.3, 0.35]] {
            let usual = (lax(table), f64::INFINITY, 1e20);
            for (settings, wall, limit) in [
                usual,
                (LbfgsSettings { width_tolerance: 0.1, ..lax(table) }, f64::INFINITY, f64::INFINITY),
                (LbfgsSettings { max_trials: 3, ..lax(table) }, f64::INFINITY, 1e20),
                (LbfgsSettings { step_min: 0.01, ..lax(table) }, f64::INFINITY, 2e3),
                (lax(table), f64::INFINITY, start * 1.5),
                (lax(table), f64::INFINITY, start),
                (lax(table), 1.61, 1e20),
                (LbfgsSettings { step_min: 1e-3, ..lax(table) }, 0.05, 1e20),
            ] {
                for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
                    let settings = LbfgsSettings { line_search, ..settings };
                    let course = both(&mut search, &settings, [f, d, f], [start, limit], |t, _| {
                        let (f, d) = function(number, t);
                        (if t < wall { f } else { f64::INFINITY }, d, false)
                    });
                    ended[usize::from(course.accepted)] += 1;
                }
            }
        }
    }
    assert!(ended.iter().all(|&n| n > 100), "{ended:?}");
}

/// Points of a search that starts from a value of 0 and a slope of -1.
fn told(settings: &LbfgsSettings<f64>, limit: f64, points: impl Fn(f64, usize) -> (f64, f64)) -> Course {
    let mut count = 0;
    both(&mut Search::new(), settings, [0.0, -1.0, 0.0], [1.0, limit], |t, _| {
        count += 1;
        let (f, d) = points(t, count);
        (f, d, false)
    })
}

#[test]
fn a_straight_line_is_followed_to_the_limit() {
    let settings = lax([1e-4, 0.6]);
    let course = told(&settings, 1000.0, |t, _| (-t, -1.0));
    assert_eq!(course, Course { steps: vec![1.0, 21.0, 421.0, 1000.0], accepted: true });
    // In a bracket: two thirds of the way to its other end.
    let course = told(&settings, 1000.0, |t, n| if n == 1 { (1.0, -1.0) } else { (-t, -1.0) });
    let [_, a, b, ..] = course.steps[..] else { panic!("{course:?}") };
    assert_eq!(b, a + (1.0 - a) * 0.66);
}

#[test]
fn a_bracket_without_a_good_step_is_closed() {
    let cusp = |t: f64, _| if t < 0.3 { (-t, -1.0) } else { (t - 0.6, 1.0) };
    let to_the_last_bit = told(&lax([1e-4, 0.6]), 1e20, cusp);
    let coarse = told(&LbfgsSettings { width_tolerance: 0.1, ..lax([1e-4, 0.6]) }, 1e20, cusp);
    assert!(!to_the_last_bit.accepted && !coarse.accepted);
    let off = |course: &Course| (course.steps[course.steps.len() - 1] - 0.3).abs();
    assert!(off(&to_the_last_bit) < f64::EPSILON && off(&coarse) < 0.05, "{to_the_last_bit:?} {coarse:?}");
    assert!(coarse.steps.len() < 8, "{coarse:?}");
}

#[test]
fn a_value_beyond_all_measure_leaves_a_step() {
    // From the first point, and from one further on: the minimum of the cubic is lost there, that of the parabola is not.
    let course = told(&lax([1e-4, 0.6]), 1e20, |_, _| (1e18, 1.0));
    assert_eq!(course.steps[..2], [1.0, 5e-19]);
    let course = told(&lax([1e-4, 0.6]), 1e20, |_, n| if n == 1 { (-1.0, -2.0) } else { (1e18, 1.0) });
    assert_eq!(course.steps[..3], [1.0, 21.0, 1.0 + 2.0 * f64::EPSILON]);
}

/// Slopes of opposite signs are told apart where their product is no longer a number of single precision.
#[test]
fn the_scale_of_the_objective_changes_no_step() {
    let settings = LbfgsSettings::<f32>::new();
    let course = |power: i32| {
        // (t - 0.9)^4, less its value at 0.
        let at = |t: f32| {
            let (u, scale) = (t - 0.9, f32::powi(2.0, power));
            (scale * (u * u * u * u - 0.6561), scale * (4.0 * u * u * u))
        };
        let (mut search, (f, slope)) = (Search::new(), at(0.0));
        search.start.highest = f;
        search.begin([f, slope.abs()], slope, 1.75, 1e20);
        let mut steps = vec![];
        loop {
            steps.push(search.t);
            let (f, slope) = at(search.t);
            match search.advance(&settings, f, slope, false) {
                Verdict::Try(_) => {}
                Verdict::Accept => return (steps, true),
                Verdict::Fail => return (steps, false),
            }
        }
    };
    let (steps, accepted) = course(0);
    assert!(accepted && steps.len() == 2, "{steps:?}");
    for power in -100..=60 {
        assert_eq!(course(power), (steps.clone(), true), "2^{power}");
    }
}

/// Numbers in no order, the same each time.
struct Dice(u64);

impl Dice {
    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        list[(self.0 >> 33) as usize % list.len()]
    }
}

#[test]
fn values_that_belong_to_no_function() {
    // Ties of every kind: on the line of sufficient decrease, as high as the best, flat, as steep as before.
    let (mut search, mut dice) = (Search::new(), Dice(1));
    let mut ended = [0; 2];
    for _ in 0..100_000 {
        let settings = LbfgsSettings {
            max_trials: dice.one_of(&[1, 2, 5, 20]),
            line_search: dice.one_of(&[
                LineSearch::MoreThuente,
                LineSearch::MoreThuente,
                LineSearch::Backtracking,
            ]),
            width_tolerance: dice.one_of(&[0.0, 0.125, 0.5]),
            step_min: dice.one_of(&[0.0, 0.125, 1e-20]),
            ..lax(dice.one_of(&[[0.25, 0.5], [0.125, 0.75], [0.25, 0.875]]))
        };
        let (f, d) = (dice.one_of(&[0.0, 1.0, -2.0]), dice.one_of(&[-1.0, -2.0, -0.5]));
        let highest = f + dice.one_of(&[0.0, f64::EPSILON, 1.0]);
        let first = dice.one_of(&[1.0, 0.5, 4.0]);
        let limit = first * dice.one_of(&[1.0, 2.0, 8.0, 1e20, f64::INFINITY]);
        let course = both(&mut search, &settings, [f, d, highest], [first, limit], |t, paper| {
            let (unit, rise) = (f64::EPSILON * f.abs(), d * (t - paper.best.t));
            let value = dice.one_of(&[
                paper.line(t),
                paper.best.f,
                paper.other.f,
                f,
                f + unit,
                f - unit,
                f + 10.0 * unit,
                f + 11.0 * unit,
                f - 10.0 * unit,
                paper.best.f + rise * 1.25,
                paper.best.f + rise / 2.0,
                paper.best.f + rise * 2.0,
                paper.best.f + rise / 16.0,
                paper.best.f - rise,
                paper.best.f - rise * 4.0,
                f64::INFINITY,
            ]);
            let (c1, c2) = (settings.sufficient_decrease, settings.curvature);
            let slope = dice.one_of(&[
                0.0,
                -0.0,
                c1 * d,
                c2 * d,
                -c2 * d,
                (2.0 * c1 - 1.0) * d,
                paper.best.d,
                -paper.best.d,
                d,
                -d,
                paper.other.d,
                2.0 * d,
                -2.0 * d,
                d / 4.0,
                -d / 4.0,
                d / 16.0,
                0.75 * d,
                f64::NAN,
            ]);
            (value, slope, dice.one_of(&[false, false, false, true]))
        });
        ended[usize::from(course.accepted)] += 1;
    }
    assert!(ended.iter().all(|&n| n > 1000), "{ended:?}");
}
