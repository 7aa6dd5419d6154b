//! Lengths that differ: an error, and not one bit of the caller's memory changed.

use crate::input::{column, number};
use crate::rules::{Any, Visit, optimizer, transform};
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::transform::limit_row_norms;
use gradus::{Clock, Columns, Error, Fold, Lane, Level, Optimizer, StateMut, Tensor, dot, reduce};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = sums(&mut u).and_then(|()| steps(&mut u));
}

/// Short lengths: different ones most of the time, the same often enough.
fn near(u: &mut Unstructured, n: usize) -> Result<usize> {
    if u.ratio(3, 4)? { Ok(n) } else { u.int_in_range(0..=40) }
}

struct Count;

impl Fold<1, 1> for Count {
    #[inline(always)]
    fn fold<L: Lane>(&self, _: L::Isa, sum: L, [x]: [L; 1], [y]: [L; 1]) -> (L, [L; 1]) {
        (sum + x, [x + y])
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
        assert_eq!(result.map(f32::to_bits), Err(Error::Length { expected: n, found: m }));
        same(&y, &kept, "state of a refused reduction");
    }
    // Rows that do not divide the parameters, and limits that are none.
    let (row, limit) = (u.int_in_range(0..=9_usize)?, number::<f32>(u)?);
    let mut params = x.clone();
    let ok = limit > 0.0 && row > 0 && n % row == 0;
    assert_eq!(limit_row_norms(&mut params, row, limit).is_ok(), ok);
    if !ok {
        same(&params, &x, "parameters of a refused clamp");
    }
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

    fn state<'a, O>(columns: &'a mut [Vec<f32>; K], clock: &'a mut Clock) -> StateMut<'a, O, K> {
        StateMut::new(columns.each_mut().map(|c| &mut c[..]), clock)
    }
}

impl Visit for Step<'_, '_> {
    fn visit<const K: usize, O: Optimizer<K> + core::fmt::Debug>(self, optimizer: O) -> Result<()> {
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
            let result = wrapped.step_slices_at(level, &mut a.params, &a.grads, state);
            assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
            let state = Memory::state(&mut a.columns, &mut clock);
            let result = wrapped.step_if_finite(&mut a.params, &a.grads, state);
            assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
            a.unchanged(&kept_a, "one tensor");
            assert!(clock == start);
        }
        let mut clock = start;
        let fits = a.fits() && b.fits();
        let mut tensors = [&mut a, &mut b].map(|m| Tensor {
            params: &mut m.params,
            grads: &m.grads,
            columns: m.columns.each_mut().map(|c| &mut c[..]),
            transform: transforms,
        });
        let result = optimizer.step_tensors(&mut tensors, &mut clock);
        if fits {
            assert_eq!(result, Ok(()));
            assert_eq!(clock.t, start.t.saturating_add(1));
            return Ok(());
        }
        assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
        a.unchanged(&kept_a, "first of two tensors");
        b.unchanged(&kept_b, "second of two tensors");
        assert!(clock == start);
        // A gradient that is not finite skips the step, and changes as little.
        if a.fits() && a.grads.iter().any(|g| !g.is_finite()) {
            let state = Memory::state(&mut a.columns, &mut clock);
            let count = optimizer.step_if_finite(&mut a.params, &a.grads, state).unwrap();
            assert_eq!(count, a.grads.iter().filter(|g| !g.is_finite()).count());
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
