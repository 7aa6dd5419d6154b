//! What the benchmarks of a step compare: every rule at every level, a plain loop, and a floor.
#![allow(dead_code, missing_docs, reason = "each benchmark takes what it needs")]

pub mod hand;
pub mod plain;
pub mod turns;
#[macro_use]
#[path = "../../tests/support/rules.rs"]
#[allow(unused_macros, reason = "for the tests")]
mod rules;

use gradus::{Clock, Columns, Level, Optimizer, Rule, StateMut, Vector, Width, run};
use rules::Kept;
use std::hint::black_box;

/// Sizes of the report: from one small layer to far beyond the caches.
pub const SIZES: [usize; 6] = [64, 1 << 10, 1 << 14, 1 << 18, 1 << 20, 1 << 24];

/// Parameters, gradients, up to three columns of state: all contestants use the same memory.
pub struct Buffers {
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub state: [Vec<f32>; 3],
    pub clock: Clock,
}

impl Buffers {
    pub fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        let state = [zeros(), zeros(), zeros()];
        let mut buffers = Self { params: zeros(), grads: zeros(), state, clock: Clock::new() };
        buffers.reset();
        buffers
    }

    /// The values that every measurement starts from.
    pub fn reset(&mut self) {
        self.params.fill(0.5);
        for (i, g) in self.grads.iter_mut().enumerate() {
            // Period 251, the largest prime below 256: no width divides it. None is 0: averages that
            // decay to subnormal numbers would be timed instead.
            *g = (i % 251) as f32 / 125.0 - 0.997;
        }
        self.state.iter_mut().for_each(|column| column.fill(0.01));
        self.clock.t = 1_000_000; // past the warm-up of the averages, as almost all of a training is
    }
}

fn first_columns<const K: usize>(state: &mut [Vec<f32>; 3]) -> [&mut [f32]; K] {
    let mut columns = state.iter_mut();
    std::array::from_fn(|_| columns.next().expect("at most three columns").as_mut_slice())
}

/// One way to do a step.
pub struct Contestant {
    pub name: String,
    pub step: Box<dyn FnMut(&mut Buffers)>,
}

/// A rule with everything that it is measured against; the floor comes first.
pub struct Case {
    pub rule: &'static str,
    /// Bytes read and written for each parameter.
    pub bytes: usize,
    pub contestants: Vec<Contestant>,
}

/// The least a rule with `K` columns can do: read and write the same bytes, one addition for each.
#[derive(Clone, Copy)]
pub struct Floor<const K: usize> {
    zero: f32,
}

impl<const K: usize> Floor<K> {
    /// Changes no value, which the compiler does not know.
    #[allow(clippy::new_without_default, reason = "what is measured is no default of anything")]
    pub fn new() -> Self {
        Self { zero: black_box(0.0) }
    }
}

impl<const K: usize> Rule for Floor<K> {
    type Columns = Width<K>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], mut state: [V; K]) -> (V, [V; K]) {
        let g = V::splat(isa, self.zero) * g;
        let mut k = 0;
        while k < K {
            state[k] = state[k] + g;
            k += 1;
        }
        (p + g, state)
    }
}

/// One rule: the floor and every level.
fn case<const K: usize, O: Kept<K> + 'static>(optimizer: O) -> Case {
    let mut contestants = vec![Contestant {
        name: "floor".into(),
        step: Box::new(|b| {
            let Buffers { params, grads, state, .. } = b;
            let columns = Columns::new(params, [black_box(grads)], first_columns::<K>(state));
            run(Level::detect(), &Floor::new(), columns.expect("equal lengths"));
        }),
    }];
    for level in Level::available() {
        contestants.push(Contestant {
            name: level.name().into(),
            step: Box::new(move |b| step(&black_box(optimizer), level, b)),
        });
    }
    let rule = std::any::type_name::<O>().rsplit("::").next().expect("a name");
    Case { rule, bytes: 4 * (3 + 2 * K), contestants }
}

fn step<const K: usize, O: Kept<K>>(optimizer: &O, level: Level, b: &mut Buffers) {
    let state = StateMut::new(first_columns(&mut b.state), &mut b.clock);
    optimizer.on(level).step_slices(&mut b.params, black_box(&b.grads), state).expect("equal lengths");
}

/// Every rule of the crate, from the list that drives the tests too.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::from(each_rule!(case));
    for case in &mut cases {
        if let Some(plain) = plain::of(case.rule) {
            case.contestants.insert(1, Contestant { name: "plain loop".into(), step: Box::new(plain) });
            hand::add(case);
        }
    }
    cases
}

/// Asserts that every contestant but the floor computes the same step.
pub fn check(case: &mut Case) {
    let mut want: Option<Vec<f32>> = None;
    for contestant in case.contestants.iter_mut().filter(|c| c.name != "floor") {
        let mut b = Buffers::new(1003);
        (contestant.step)(&mut b);
        let want = want.get_or_insert_with(|| b.params.clone());
        for (got, want) in b.params.iter().zip(want.iter()) {
            let close = (got - want).abs() <= 4.0 * f32::EPSILON * want.abs();
            assert!(close, "{} of {}: {got:e} instead of {want:e}", contestant.name, case.rule);
        }
    }
}
