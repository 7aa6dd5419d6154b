//! L-BFGS on objectives that mislead it: within its budget, never worse than where it began, and the same
//! through every form, at every level and across a file.

use crate::input::{moderate, number};
use arbitrary::{Result, Unstructured};
use core::ops::ControlFlow;
use gradus::second_order::{Given, Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Real, Report, Stop};
use gradus::store;
use gradus::{Error, Hyper, Level};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = if u.arbitrary().unwrap_or(false) { any::<f32>(&mut u) } else { any::<f64>(&mut u) };
}

pub(crate) trait Number: crate::input::Number + Real + PartialEq + 'static {
    fn wide(self) -> f64;
}
impl Number for f32 {
    fn wide(self) -> f64 {
        self.into()
    }
}
impl Number for f64 {
    fn wide(self) -> f64 {
        self
    }
}

/// A function of `n` parameters and a gradient that need not be its own.
#[derive(Clone, Debug)]
pub(crate) struct Objective {
    kind: u8,
    curvature: Vec<f64>,
    centre: Vec<f64>,
    /// What is wrong with the value, and where.
    flaw: u8,
    bound: f64,
    /// What is wrong with the gradient.
    slant: u8,
    factor: f64,
}

impl Objective {
    pub(crate) fn new(u: &mut Unstructured, n: usize) -> Result<Self> {
        let mut all = || (0..n).map(|_| Ok(f64::from(moderate(u)?))).collect::<Result<Vec<f64>>>();
        let (curvature, centre) = (all()?, all()?);
        let bound = f64::from(moderate(u)?).abs();
        let (kind, flaw, slant) = (u.int_in_range(0..=6)?, u.int_in_range(0..=7)?, u.int_in_range(0..=9)?);
        Ok(Self { kind, curvature, centre, flaw, bound, slant, factor: number(u)? })
    }

    /// The value at `x`, and what is said to be the gradient.
    pub(crate) fn call<T: Number>(&self, x: &[T], g: &mut [T]) -> T {
        let x: Vec<f64> = x.iter().map(|x| x.wide()).collect();
        let mut f = 0.0;
        let mut slopes = vec![0.0; x.len()];
        for (i, x) in x.iter().enumerate() {
            let (a, z) = (self.curvature[i], x - self.centre[i]);
            let (value, slope) = match self.kind {
                0 => (0.5 * a.abs() * z * z, a.abs() * z),
                // Not bounded from below.
                1 => (0.5 * a * z * z, a * z),
                2 => (a * z, a),
                3 => (z.abs(), z.signum()),
                4 => ((a * z).sin() + 0.01 * z * z, a * (a * z).cos() + 0.02 * z),
                5 => (z * z * z * z + a * z * z, 4.0 * z * z * z + 2.0 * a * z),
                _ => (a, 0.0),
            };
            f += value;
            slopes[i] = slope;
        }
        let far = x.iter().any(|x| x.abs() > self.bound);
        match self.flaw {
            0 if far => f = f64::NAN,
            1 if far => f = f64::INFINITY,
            2 if far => f = f64::NEG_INFINITY,
            3 => f = self.hash(&x),
            4 => f = (f * 16.0).round() / 16.0,
            5 => f *= 1e30,
            _ => {}
        }
        for (i, (g, slope)) in g.iter_mut().zip(slopes).enumerate() {
            *g = T::of(match self.slant {
                0 => -slope,
                1 => 0.0,
                2 => self.factor,
                3 if far => f64::NAN,
                4 if i == 0 => self.factor * slope,
                5 => slope + self.hash(&x) - 0.5,
                _ => slope,
            });
        }
        T::of(f)
    }

    /// A number in `0..1` for each point, without any order.
    fn hash(&self, x: &[f64]) -> f64 {
        let mix = |h: u64, x: &f64| (h ^ x.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let h = x.iter().fold(7_u64, mix).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (h >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn settings<T: Number>(u: &mut Unstructured, n: usize) -> Result<LbfgsSettings<T>> {
    let mut settings = LbfgsSettings::<T>::new();
    settings.max_evaluations = u.int_in_range(1..=60)?;
    settings.max_iterations = if u.arbitrary()? { 1000 } else { u.int_in_range(1..=9)? };
    if u.arbitrary()? {
        settings.line_search = LineSearch::Backtracking;
    }
    if u.ratio(1, 4)? {
        settings.max_trials = u.int_in_range(1..=5)?;
    }
    if u.ratio(1, 3)? {
        settings.l1 = T::of(f64::from(u.arbitrary::<u8>()?) / 32.0);
        settings.l1_start = u.int_in_range(0..=n + 1)?;
        settings.l1_end =
            if u.arbitrary()? { usize::MAX } else { u.int_in_range(settings.l1_start..=n + 1)? };
    }
    if u.ratio(1, 4)? {
        settings.max_move = T::of(f64::from(moderate(u)?).abs());
    }
    if u.ratio(1, 8)? {
        // Anything, in range or not.
        if u.ratio(1, 4)? {
            settings.l1_end = u.int_in_range(0..=n + 1)?;
        }
        for field in [
            &mut settings.tolerance,
            &mut settings.decrease,
            &mut settings.sufficient_decrease,
            &mut settings.curvature,
            &mut settings.width_tolerance,
            &mut settings.step_min,
            &mut settings.step_max,
            &mut settings.max_move,
            &mut settings.l1,
        ] {
            if u.ratio(1, 4)? {
                *field = number(u)?;
            }
        }
    }
    Ok(settings)
}

/// Parameters of the form in fixed memory.
const N: usize = 3;

fn any<T: Number>(u: &mut Unstructured) -> Result<()>
where
    Lbfgs<N, 2, T>: store::Load,
    LbfgsVec<T>: store::Load,
{
    let m = u.int_in_range(1..=6_usize)?;
    let (n, m) = if u.arbitrary()? { (N, 2) } else { (u.int_in_range(0..=9)?, m) };
    let (objective, settings) = (Objective::new(u, n)?, settings::<T>(u, n)?);
    let special = u.ratio(1, 16)?;
    let draw = |u: &mut Unstructured| if special { number(u) } else { Ok(T::of(moderate(u)?.into())) };
    let start = (0..n).map(|_| draw(u)).collect::<Result<Vec<T>>>()?;
    let h = if u.ratio(1, 3)? {
        let sign = |h: T| if special { h } else { h.abs() };
        Some((0..n).map(|_| Ok(sign(draw(u)?))).collect::<Result<Vec<T>>>()?)
    } else {
        None
    };
    let bounds = if settings.l1 > T::ZERO || u.ratio(1, 2)? { None } else { Some(bounds(u, n)?) };
    let start = match &bounds {
        Some([lower, upper]) => start
            .iter()
            .zip(lower.iter().zip(upper))
            .map(|(x, (low, high))| within(*x, *low, *high))
            .collect(),
        None => start,
    };
    let mut given = Given::new();
    if let Some(h) = &h {
        given = given.preconditioner(h);
    }
    if let Some([lower, upper]) = &bounds {
        given = given.bounds(lower, upper);
    }
    let what = format!(
        "{objective:?} {settings:?} from {start:?}, {m} pairs, preconditioner {h:?}, bounds {bounds:?}"
    );
    let new = |level| LbfgsVec::<T>::new(n).pairs(m).settings(settings).on(level);
    let mut solver = new(Level::SCALAR);
    let started = solver.start(&start);
    assert_eq!(started, settings.check());
    if started.is_err() {
        assert!(solver.ask().is_none(), "started with settings out of range");
        return Ok(());
    }

    if let Some(h) = &h
        && h.iter().any(|h| !(*h > T::ZERO && Real::finite(*h)))
    {
        refused(solver, &start, h);
        return Ok(());
    }

    // Asked and told, with all that was evaluated on record.
    let cut = u.int_in_range(0..=60)?;
    let mut file = store::to_vec(&solver).unwrap();
    let mut seen = Vec::new();
    while let Some((x, g)) = solver.ask() {
        let f = objective.call(x, g);
        seen.push((x.to_vec(), f));
        if let Some([lower, upper]) = &bounds {
            let inside = x.iter().zip(lower.iter().zip(upper)).all(|(x, (low, high))| !(x < low || x > high));
            assert!(inside, "{x:?} is outside: {what}");
        }
        solver.tell_with(f, &given).unwrap();
        assert!(seen.len() <= settings.max_evaluations as usize, "beyond its budget: {what}");
        if seen.len() == cut {
            file = store::to_vec(&solver).unwrap();
        }
    }
    let (x, report) = (bits(solver.x()), solver.report());
    judge(&settings, solver.x(), &report, &seen, &what);

    let end = outcome(&report, &x);
    for level in Level::available() {
        let mut solver = new(level);
        solver.start(&start).unwrap();
        while let Some((x, g)) = solver.ask() {
            let f = objective.call(x, g);
            solver.tell_with(f, &given).unwrap();
        }
        assert_eq!(outcome(&solver.report(), &bits(solver.x())), end, "{level}: {what}");
    }
    // With a function and a callback, in memory that another run has used.
    let mut x = start.clone();
    let go_on = |_: &Report<T>| ControlFlow::Continue(());
    let run = solver.on_iteration(go_on);
    let run = match &h {
        Some(h) => run.preconditioner(h),
        None => run,
    };
    let run = match &bounds {
        Some([lower, upper]) => run.bounds(lower, upper),
        None => run,
    };
    let report = run.minimize(&mut x, |x, g| objective.call(x, g)).unwrap();
    assert_eq!(outcome(&report, &bits(&x)), end, "with a callback: {what}");
    // In fixed memory.
    if let Ok(start) = <&[T; N]>::try_from(&start[..])
        && m == 2
    {
        let mut fixed = Lbfgs::<N, 2, T>::new();
        fixed.start(&settings, start).unwrap();
        while let Some((x, g)) = fixed.ask() {
            let f = objective.call(x, g);
            fixed.tell_with(f, &given).unwrap();
        }
        assert_eq!(outcome(&fixed.report(), &bits(fixed.x())), end, "in fixed memory: {what}");
    }
    // From a file that was saved on the way.
    let mut restored = LbfgsVec::<T>::new(n).pairs(m);
    store::load(&mut restored, &file).unwrap();
    while let Some((x, g)) = restored.ask() {
        let f = objective.call(x, g);
        restored.tell_with(f, &given).unwrap();
    }
    assert_eq!(outcome(&restored.report(), &bits(restored.x())), end, "from a file: {what}");
    // Stopped on the way, it is as good as then.
    let mut stopped = new(Level::SCALAR);
    stopped.start(&start).unwrap();
    let mut seen = Vec::new();
    for _ in 0..cut {
        let Some((x, g)) = stopped.ask() else { break };
        let f = objective.call(x, g);
        seen.push((x.to_vec(), f));
        stopped.tell_with(f, &given).unwrap();
    }
    stopped.stop();
    if !seen.is_empty() {
        judge(&settings, stopped.x(), &stopped.report(), &seen, &what);
    }
    Ok(())
}

/// A preconditioner that is not positive and finite is refused, and nothing changes.
fn refused<T: Number>(mut solver: LbfgsVec<T>, start: &[T], h: &[T])
where
    LbfgsVec<T>: store::Load,
{
    let (before, error) = (store::to_vec(&solver).unwrap(), Error::Range(Hyper::Preconditioner));
    let mut x = start.to_vec();
    assert_eq!(solver.tell_with(T::ZERO, &Given::new().preconditioner(h)), Err(error));
    assert_eq!(solver.preconditioner(h).minimize(&mut x, |_, _| unreachable!()), Err(error));
    assert!(store::to_vec(&solver).unwrap() == before && bits(&x) == bits(start), "refused, but changed");
}

/// A lower and an upper bound of each parameter: none, one, two, or both the same.
pub(crate) fn bounds<T: Number>(u: &mut Unstructured, n: usize) -> Result<[Vec<T>; 2]> {
    let mut both = [Vec::new(), Vec::new()];
    for _ in 0..n {
        let (a, b) = (T::of(moderate(u)?.into()), T::of(moderate(u)?.into()));
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let (low, high) = match u.int_in_range(0..=4)? {
            0 => (-T::INFINITY, T::INFINITY),
            1 => (low, T::INFINITY),
            2 => (-T::INFINITY, high),
            3 => (low, low),
            _ => (low, high),
        };
        both[0].push(low);
        both[1].push(high);
    }
    Ok(both)
}

/// The nearest number in an interval; NaN stays.
fn within<T: Number>(x: T, low: T, high: T) -> T {
    let x = if x <= low { low } else { x };
    if x >= high { high } else { x }
}

fn bits<T: Number>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.bits()).collect()
}

fn outcome<T: Number>(report: &Report<T>, x: &[u64]) -> (u64, u64, u32, u32, Stop, Vec<u64>) {
    let Report { value, gradient, iterations, evaluations, stop } = *report;
    (value.bits(), gradient.bits(), iterations, evaluations, stop, x.to_vec())
}

/// What was promised of every run, whatever the objective.
fn judge<T: Number>(
    settings: &LbfgsSettings<T>,
    x: &[T],
    report: &Report<T>,
    seen: &[(Vec<T>, T)],
    what: &str,
) {
    assert!(report.stop != Stop::Running, "{what}");
    assert_eq!(report.evaluations as usize, seen.len(), "{what}");
    assert!(report.iterations <= settings.max_iterations, "{what}");
    // The best point is one of those that were evaluated, and the report speaks of it.
    let (at, reach) = (bits(x), settings.l1_start..settings.l1_end);
    let penalised = |(x, f): &(Vec<T>, T)| {
        if !(settings.l1 > T::ZERO) {
            return *f;
        }
        let inside = &x[reach.start.min(x.len())..reach.end.min(x.len())];
        *f + settings.l1 * gradus::sum_abs(Level::SCALAR, inside)
    };
    let found = seen.iter().rev().find(|(point, _)| bits(point) == at);
    let Some(found) = found else { panic!("{x:?} was never evaluated: {report:?} {what}") };
    if report.stop == Stop::NonFinite {
        assert_eq!(seen.len(), 1, "{what}");
        return;
    }
    let (first, value, here) = (penalised(&seen[0]), report.value, penalised(found));
    assert!(Real::finite(value) && value == here, "{report:?} is not about {x:?}: {here:?} {what}");
    assert!(value <= first, "worse than the start, {first:?}: {report:?} {what}");
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
