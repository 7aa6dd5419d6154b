//! Lengths that differ: an error, and not one bit of the caller's memory changed.

use crate::input::{column, number};
use crate::rules::{Any, Listed, Visit, optimizer, transform};
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::ensemble::{Average, Ema, EnsembleVec, Swa, mean};
use gradus::noise::{Dropout, MonteCarlo};
use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
use gradus::second_order::{DiagonalNewton, Given, LbfgsSettings, LbfgsVec};
use gradus::transform::{ElasticNet, L1, L2, MaxNorm};
use gradus::{
    Argument, Clock, Columns, Error, Exec, Fold, Level, Optimizer, Rule, StateMut, Stateful, Tensor, Vector,
    Width, dot, reduce,
};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = sums(&mut u).and_then(|()| others(&mut u)).and_then(|()| steps(&mut u));
}

/// Short lengths: different ones most of the time, the same often enough.
fn near(u: &mut Unstructured, n: usize) -> Result<usize> {
    if u.ratio(3, 4)? { Ok(n) } else { u.int_in_range(0..=40) }
}

struct Count;

impl Fold<1, 1> for Count {
    #[inline(always)]
    fn fold<V: Vector>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        [y]: [V; 1],
    ) -> ([V; 1], [V; 1]) {
        ([sum + x], [x + y])
    }
}

fn sums(u: &mut Unstructured) -> Result<()> {
    let n = u.int_in_range(0..=40)?;
    let x = column(u, n, number::<f32>)?;
    let m = near(u, n)?;
    let mut y = column(u, m, number::<f32>)?;
    let kept = y.clone();
    let level = Level::detect();
    assert_eq!(dot(level, &x, &y).is_ok(), x.len() == y.len());
    let result = reduce(level, &Count, n, [&x], [&mut y]);
    if n != m {
        assert_eq!(
            result.map(|[sum]| sum.to_bits()),
            Err(Error::Length { what: Argument::State, expected: n, found: m })
        );
        same(&y, &kept, "state of a refused reduction");
    }
    // Rows that do not divide the parameters, and limits that are none.
    let (row, limit) = (u.int_in_range(0..=9_usize)?, number::<f32>(u)?);
    let mut params = x.clone();
    let ok = limit > 0.0 && row > 0 && n % row == 0;
    assert_eq!(MaxNorm { row, limit }.apply(Level::detect(), &mut params).is_ok(), ok);
    if !ok {
        same(&params, &x, "parameters of a refused clamp");
    }
    Ok(())
}

/// All that takes slices besides the steps of optimizers, dropout's relatives, pooling and augmentation.
fn others(u: &mut Unstructured) -> Result<()> {
    let n = u.int_in_range(0..=40_usize)?;
    let mut c = [const { Vec::<f32>::new() }; 6];
    for column in &mut c {
        let n = near(u, n)?;
        *column = self::column(u, n, number)?;
    }
    let before = c.clone();
    let [x, a, b, d, e, f] = &mut c;
    let (len, level) = (x.len(), Level::detect());
    let two = len == a.len();
    let three = two && len == b.len();
    // Whether the call was right to succeed, and may have changed its outputs.
    let (ok, fits) = match u.int_in_range(0..=11)? {
        0 => (L1::new(0.5).add_gradient(Level::detect(), a, x).is_ok(), two),
        1 => (L2::new(0.5).add_gradient(Level::detect(), a, x).is_ok(), two),
        2 => (ElasticNet { lambda: 0.5, beta: 0.25 }.add_gradient(Level::detect(), a, x).is_ok(), two),
        3 => {
            let mut clock = Clock::new();
            let result = Swa.on(level).update_slices(StateMut::new([x], &mut clock), a);
            assert_eq!(clock.t, u32::from(two));
            (result.is_ok(), two)
        }
        4 => {
            let mut clock = Clock::new();
            let result = Ema::new(0.5).on(level).update_slices(StateMut::new([x], &mut clock), a);
            assert_eq!(clock.t, u32::from(two));
            (result.is_ok(), two)
        }
        5 => {
            let members = [&a[..], b];
            let count = u.int_in_range(0..=2_usize)?;
            (mean(Exec::new(), &members[..count], x).is_ok(), count > 0 && two && (count < 2 || three))
        }
        6 => {
            let mut models = EnsembleVec::new();
            assert_eq!(models.push(b).is_ok(), !b.is_empty());
            assert_eq!(models.push(d).is_ok(), !d.is_empty() && (b.is_empty() || b.len() == d.len()));
            let (some, mut scratch) = (!models.members().is_empty(), a.clone());
            let copy = |params: &[f32], to: &mut [f32]| to.fill(params[0]);
            (models.predict(Exec::new(), copy, &mut scratch, x).is_ok(), some && two)
        }
        7 => {
            let newton = DiagonalNewton::new(0.5);
            (newton.on(level).step(x, a, b).is_ok(), three)
        }
        8 => match MonteCarlo::new(x, a) {
            Ok(average) => {
                assert!(two);
                assert_eq!(average.on(level).add(b).is_ok(), three);
                return minimisers(u, n);
            }
            Err(_) => (false, two),
        },
        9 => {
            let dropout = Dropout::drop_prob(0.5).vanilla();
            (dropout.on(level).inference((&a[..], &mut x[..])).is_ok(), two)
        }
        10 => {
            let rows = !d.is_empty() && !x.is_empty() && x.len() % d.len() == 0;
            let fits = [&*a, b, e, f].iter().all(|v| v.len() == d.len()) && rows;
            let (params, running) = (Params { weight: &*a, bias: b }, Statistics { mean: e, variance: f });
            (BatchNorm::new().fold(&params, &running, x, d).is_ok(), fits)
        }
        _ => {
            // Two columns of running statistics, and the batch's.
            let (mut clock, shape) = (Clock::new(), BatchShape::dense(u.int_in_range(0..=3)?, n));
            let fits = [&*x, a, b, d].iter().all(|v| v.len() == n) && !shape.is_empty();
            let state = StateMut::new([&mut x[..], &mut a[..]], &mut clock);
            let ok = BatchNorm::new().track(shape, &Statistics { mean: b, variance: d }, state).is_ok();
            assert_eq!(clock.t, u32::from(ok));
            (ok, fits)
        }
    };
    assert_eq!(ok, fits);
    if !ok {
        for (now, before) in c.iter().zip(&before) {
            same(now, before, "a refused call");
        }
    }
    minimisers(u, n)
}

/// L-BFGS: the memory fits one length.
fn minimisers(u: &mut Unstructured, n: usize) -> Result<()> {
    let (m, pairs) = (near(u, n)?, u.int_in_range(0..=2)?);
    let (settings, mut x) = (LbfgsSettings { max_evaluations: 3, ..LbfgsSettings::new() }, vec![1.0; m]);
    let mut solver = LbfgsVec::<f32>::new(n).pairs(pairs).settings(settings);
    assert_eq!(solver.start(&x).is_ok(), m == n && pairs > 0);
    if pairs == 0 {
        return Ok(());
    }
    assert_eq!(solver.ask().is_some(), m == n);
    assert_eq!(solver.tell_with(1.0, &Given::new().preconditioner(&x)).is_ok(), m == n);
    let flat = |_: &[f32], g: &mut [f32]| {
        g.fill(0.0);
        0.0
    };
    assert_eq!(solver.minimize(&mut x, flat).is_ok(), m == n);
    let (mut y, h) = (vec![1.0; n], vec![1.0; m]);
    assert_eq!(solver.preconditioner(&h).minimize(&mut y, flat).is_ok(), m == n);
    Ok(())
}

fn steps(u: &mut Unstructured) -> Result<()> {
    let transforms = (transform(u)?, transform(u)?);
    let head = u.bytes(40.min(u.len()))?;
    optimizer(&mut Unstructured::new(head), Step { u, transforms })
}

struct Step<'a, 'b> {
    u: &'a mut Unstructured<'b>,
    transforms: (Any, Any),
}

/// The memory of one tensor.
struct Memory<const K: usize> {
    params: Vec<f32>,
    grads: Vec<f32>,
    columns: [Vec<f32>; K],
}

impl<const K: usize> Memory<K> {
    fn new(u: &mut Unstructured) -> Result<Self> {
        let n = u.int_in_range(0..=40)?;
        let m = near(u, n)?;
        let (params, grads) = (column(u, n, number)?, column(u, m, number)?);
        let mut columns = [const { Vec::new() }; K];
        for c in &mut columns {
            let n = near(u, n)?;
            *c = column(u, n, number)?;
        }
        Ok(Self { params, grads, columns })
    }

    /// The error that a call must return.
    fn fits(&self) -> bool {
        self.columns.iter().chain([&self.grads]).all(|c| c.len() == self.params.len())
    }

    fn copy(&self) -> (Vec<f32>, [Vec<f32>; K]) {
        (self.params.clone(), self.columns.clone())
    }

    #[track_caller]
    fn unchanged(&self, (params, columns): &(Vec<f32>, [Vec<f32>; K]), what: &str) {
        same(&self.params, params, what);
        for (c, kept) in self.columns.iter().zip(columns) {
            same(c, kept, what);
        }
    }

    fn state<'a, O>(columns: &'a mut [Vec<f32>; K], clock: &'a mut Clock) -> StateMut<'a, O>
    where
        O: Stateful<Columns = Width<K>, Memory = f32>,
    {
        StateMut::new(columns.each_mut().map(|c| &mut c[..]), clock)
    }
}

impl Visit for Step<'_, '_> {
    fn visit<const K: usize, O: Listed<K>>(self, optimizer: O) -> Result<()> {
        let Self { u, transforms } = self;
        let start = Clock { t: u.arbitrary()?, carry: 0.0 };
        let mut a = Memory::<K>::new(u)?;
        let mut b = Memory::<K>::new(u)?;
        let (kept_a, kept_b) = (a.copy(), b.copy());
        let level = u.choose_iter(Level::available().collect::<Vec<_>>())?;

        let columns = a.columns.each_mut().map(|c| &mut c[..]);
        assert_eq!(Columns::new(&mut a.params, [&a.grads], columns).is_ok(), {
            let lengths = [a.grads.len()].into_iter().chain(kept_a.1.iter().map(Vec::len));
            lengths.into_iter().all(|n| n == kept_a.0.len())
        });

        // Refused calls first: they must leave everything for the next one.
        if !a.fits() {
            let mut clock = start;
            let wrapped = optimizer.with(transforms);
            let state = Memory::state(&mut a.columns, &mut clock);
            let result = wrapped.on(level).step_slices(&mut a.params, &a.grads, state);
            assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
            let state = Memory::state(&mut a.columns, &mut clock);
            let result = wrapped.step_if_finite(&mut a.params, &a.grads, state);
            assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
            a.unchanged(&kept_a, "one tensor");
            assert!(clock == start);
        }
        let mut clock = start;
        let fits = a.fits() && b.fits();
        let mut clocks = [start; 2];
        let [first, second] = &mut clocks;
        let result = {
            let mut tensors = [(&mut a, first), (&mut b, second)].map(|(m, clock)| {
                let state = Memory::state(&mut m.columns, clock);
                Tensor::new(&mut m.params, &m.grads, state).with(transforms)
            });
            optimizer.step_tensors(&mut tensors, &mut clock)
        };
        assert!(clocks == [start; 2], "a list has a clock of its own");
        if fits {
            assert_eq!(result, Ok(()));
            assert_eq!(clock.t, start.t.saturating_add(1));
            return Ok(());
        }
        assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
        a.unchanged(&kept_a, "first of two tensors");
        b.unchanged(&kept_b, "second of two tensors");
        assert!(clock == start);
        // A gradient that is not finite, or whose square is not where the rule squares, skips the step and changes as little.
        let lost = |g: &&f32| !(if O::Rule::SQUARES { **g * **g } else { **g }).is_finite();
        if a.fits() && a.grads.iter().any(|g| lost(&g)) {
            let state = Memory::state(&mut a.columns, &mut clock);
            let count = optimizer.step_if_finite(&mut a.params, &a.grads, state).unwrap();
            assert_eq!(count, a.grads.iter().filter(lost).count());
            a.unchanged(&kept_a, "a skipped step");
            assert!(clock == start);
        }
        Ok(())
    }
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
