//! Any rule, any chain of transforms, any bits, any split, states whole or in half the memory: every level equals one
//! element at a time.

use crate::halves;
use crate::input::{Number, Placed, column, length, number};
use crate::list::Kept;
use crate::rules::{Any, Listed, Visit, optimizer, transform};
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::{Bf16, Clock, Columns, Element, Error, InHalf, Level, Optimizer, Rule, StateMut, Vector, Width};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = if u.ratio(1, 8).unwrap_or(false) {
        operations::<f32>(&mut u).and_then(|()| operations::<f64>(&mut u))
    } else {
        chain(&mut u)
    };
}

fn chain(u: &mut Unstructured) -> Result<()> {
    let transforms = (transform(u)?, transform(u)?, transform(u)?);
    // The rule is drawn from its own bytes, so that the visitor can have the rest.
    let head = u.bytes(40.min(u.len()))?;
    optimizer(&mut Unstructured::new(head), Step { u, transforms })
}

struct Step<'a, 'b> {
    u: &'a mut Unstructured<'b>,
    transforms: (Any, Any, Any),
}

impl Visit for Step<'_, '_> {
    fn visit<const K: usize, O: Listed<K>>(self, optimizer: O) -> Result<()> {
        let Self { u, transforms } = self;
        let half = Halved { inner: optimizer };
        let optimizer = optimizer.with(transforms);
        let n = length(u)?;
        let mut clock = Clock { t: u.arbitrary()?, carry: number(u)? };
        let (params, grads) = (column(u, n, number)?, column(u, n, number)?);
        let mut columns: [Vec<f32>; K] = [const { Vec::new() }; K];
        for c in &mut columns {
            *c = column(u, n, number)?;
        }
        let (offsets, split) =
            (u.arbitrary::<[u8; 3]>()?.map(|o| usize::from(o % 17)), u.int_in_range(0..=n)?);

        let before = clock;
        clock.t = clock.t.saturating_add(1);
        let rule = optimizer.rule(&mut clock);
        let (want, state) = one_by_one(&rule, &params, [&grads], columns.each_ref().map(|c| &c[..]));
        let swept = if clock.t.is_multiple_of(64) { swept(&rule, state.clone()) } else { state.clone() };
        for level in Level::available() {
            // In two pieces, at any offsets.
            let what = format!("{level} {optimizer:?} split at {split} of {n}");
            let mut p = Placed::new(&params, offsets[0]);
            let g = Placed::new(&grads, offsets[1]);
            let mut s = columns.each_ref().map(|c| Placed::new(c, offsets[2]));
            let all = Columns::new(p.slice_mut(), [g.slice()], s.each_mut().map(Placed::slice_mut)).unwrap();
            let (left, right) = all.split_at(split);
            gradus::run(level, &rule, left);
            gradus::run(level, &rule, right);
            p.check(&want, &what);
            for (s, want) in s.iter().zip(&state) {
                s.check(want, &what);
            }
            // And in one call, clock, sweep of subnormals and all.
            let (mut p, mut s, mut c) = (params.clone(), columns.clone(), before);
            let view = StateMut::new(s.each_mut().map(|c| &mut c[..]), &mut c);
            optimizer.on(level).step_slices(&mut p, &grads, view).unwrap();
            same(&p, &want, &what);
            for (s, want) in s.iter().zip(&swept) {
                same(s, want, &what);
            }
            assert_eq!(c.t, clock.t);
            same(&[c.carry], &[clock.carry], &what);
        }
        if O::HALVES {
            in_half(&half, transforms, before, [&params, &grads], columns.each_ref().map(|c| &c[..]));
        }
        // Beyond 1e30 the bias correction may carry the learning rate out of range.
        if optimizer.check().is_ok() && optimizer.lr() < 1e30 {
            rest(&optimizer);
        }
        Ok(())
    }
}

/// `Half` for a rule that a visitor does not know to have half states: `Half` refuses to compile with the others.
#[derive(Clone, Copy, Debug)]
struct Halved<O> {
    inner: O,
}

impl<O: Optimizer> Optimizer for Halved<O> {
    type Family = InHalf<O::Family>;
    type Rule = O::Rule;
    fn rule(&self, clock: &mut Clock) -> O::Rule {
        self.inner.rule(clock)
    }
    fn lr(&self) -> f32 {
        self.inner.lr()
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { inner: self.inner.with_lr(lr) }
    }
    fn check(&self) -> Result<(), Error> {
        self.inner.check()
    }
}

/// A step of a state in half the memory, by its definition: the rule computes with the numbers as `f32`, the results are
/// rounded by hand, and swept as they lie there.
fn in_half<const K: usize, O: Kept<K> + core::fmt::Debug>(
    half: &Halved<O>,
    transforms: (Any, Any, Any),
    before: Clock,
    [params, grads]: [&[f32]; 2],
    columns: [&[f32]; K],
) {
    let upper = |x: f32| (x.to_bits() >> 16) as u16;
    let wide = |word: u16| f32::from_bits(u32::from(word) << 16);
    let stored = columns.map(|c| c.iter().map(|x| Bf16::from_bits(upper(*x))).collect::<Vec<_>>());
    let columns = columns.map(|c| c.iter().map(|x| wide(upper(*x))).collect::<Vec<_>>());
    let optimizer = half.with(transforms);
    let mut clock = Clock { t: before.t.saturating_add(1), ..before };
    let rule = optimizer.rule(&mut clock);
    let (want, mut state) = one_by_one(&rule, params, [grads], columns.each_ref().map(|c| &c[..]));
    for (k, column) in state.iter_mut().enumerate() {
        for (i, x) in (0..).zip(column) {
            *x = wide(halves::round(*x, halves::dither(clock.t, i, k)));
        }
    }
    let state = if clock.t.is_multiple_of(64) { swept(&rule, state) } else { state };
    for level in Level::available() {
        let (mut p, mut s, mut c) = (params.to_vec(), stored.clone(), before);
        let view = StateMut::<InHalf<O::Family>>::new(s.each_mut().map(|c| &mut c[..]), &mut c);
        optimizer.on(level).step_slices(&mut p, grads, view).unwrap();
        let what = format!("{level} {optimizer:?} on {} parameters from {before:?}", params.len());
        same(&p, &want, &what);
        for (s, want) in s.iter().zip(&state) {
            let got: Vec<f32> = s.iter().map(|x| x.to_f32()).collect();
            same(&got, want, &what);
        }
        assert_eq!(c.t, clock.t);
    }
}

/// Whatever the configuration that `check` accepts: parameters at 0 without a gradient stay there, and so does the state
/// where the first step leaves it: at 0, or as Adamax's running maximum at its stabiliser.
fn rest<const K: usize, O: Kept<K> + core::fmt::Debug>(optimizer: &O) {
    let (mut params, mut state, mut clock) = ([0.0; 3], [[0.0; 3]; K], Clock::new());
    let mut step = || {
        let view = StateMut::new(state.each_mut().map(|c| &mut c[..]), &mut clock);
        optimizer.step_slices(&mut params, &[0.0; 3], view).unwrap();
        assert!(params == [0.0; 3], "{params:?} of {optimizer:?}");
        state
    };
    let first = step();
    assert!(first.as_flattened().iter().all(|x| x.is_finite()), "{first:?} of {optimizer:?}");
    for _ in 0..2 {
        let next = step();
        assert!(next == first, "{next:?} after {first:?} of {optimizer:?}");
    }
}

/// The reference: the rule on slices of one element, which have neither head nor tail.
fn one_by_one<const S: usize, const R: usize, T: Element, K: Rule<R, T, Columns = Width<S>>>(
    rule: &K,
    x: &[T],
    read: [&[T]; R],
    state: [&[T]; S],
) -> (Vec<T>, [Vec<T>; S]) {
    let (mut x, mut state) = (x.to_vec(), state.map(<[T]>::to_vec));
    for i in 0..x.len() {
        let read = read.map(|c| &c[i..=i]);
        let one = Columns::new(&mut x[i..=i], read, state.each_mut().map(|c| &mut c[i..=i])).unwrap();
        gradus::run(Level::SCALAR, rule, one);
    }
    (x, state)
}

/// What a step whose count is a multiple of 64 leaves of a state: no subnormals of columns that decay by themselves, and
/// none of a second moment where the first is 0.
fn swept<const K: usize>(rule: &impl Rule, mut state: [Vec<f32>; K]) -> [Vec<f32>; K] {
    let decaying = rule.decaying();
    let flushed = |x: f32| if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x };
    let of = |columns: u8, k: usize| columns >> k & 1 == 1;
    for i in 0..state.first().map_or(0, Vec::len) {
        let first = flushed(state[0][i]);
        for (k, column) in state.iter_mut().enumerate() {
            let moment = decaying.moments && (k == 0 || k == 1 && first == 0.0); // NaN is not 0
            if of(decaying.alone, k) || moment {
                column[i] = flushed(column[i]);
            }
        }
    }
    state
}

/// Every operation of a register at once.
struct Operations<T>(T);

impl<T: Element> Rule<2, T> for Operations<T> {
    type Columns = Width<3>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, [a, b]: [V; 2], [s, t, w]: [V; 3]) -> (V, [V; 3]) {
        let c = V::splat(isa, self.0);
        let picked = a.select_gt(b, s, -t);
        ((x + a) * c - b / s, [a.max(b).sqrt(), (-a).min(c).abs(), picked + w.abs().sqrt()])
    }
}

fn operations<T: Number + Element>(u: &mut Unstructured) -> Result<()> {
    let n = length(u)?;
    let rule = Operations(number::<T>(u)?);
    let x = column(u, n, number::<T>)?;
    let read = [column(u, n, number)?, column(u, n, number)?];
    let state = [column(u, n, number)?, column(u, n, number)?, column(u, n, number)?];
    let offsets = u.arbitrary::<[u8; 3]>()?.map(|o| usize::from(o % 17));
    let (want, columns) =
        one_by_one(&rule, &x, read.each_ref().map(|c| &c[..]), state.each_ref().map(|c| &c[..]));
    for level in Level::available() {
        let mut p = Placed::new(&x, offsets[0]);
        let r = read.each_ref().map(|c| Placed::new(c, offsets[1]));
        let mut s = state.each_ref().map(|c| Placed::new(c, offsets[2]));
        let r = r.each_ref().map(Placed::slice);
        gradus::run(
            level,
            &rule,
            Columns::new(p.slice_mut(), r, s.each_mut().map(Placed::slice_mut)).unwrap(),
        );
        p.check(&want, level);
        for (s, want) in s.iter().zip(&columns) {
            s.check(want, level);
        }
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
