//! A run that is saved, loaded and continued has the bits of one that was never interrupted: for
//! every rule, with a schedule, noise and dropout, within this version and from a file of format 1.
#![cfg(feature = "std")]

use crate::support::rules::Whole;
use gradus::ensemble::{Average, Ema, EmaState, Ensemble, Swa, SwaState};
use gradus::noise::{Dropout, Masks};
use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Statistics};
use gradus::schedule::{Cosine, Schedule, WarmUp};
use gradus::second_order::{Lbfgs, LbfgsSettings, Stop};
use gradus::store::{self, Family, Load};
use gradus::transform::L2;
use gradus::{Clock, Optimizer, State, Stateful};
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::Rng, rand_core::SeedableRng};

/// Parameters of a run: less than a register, and more than a quarter of it.
const N: usize = 5;

/// What every rule trains here.
trait Run {
    fn step(&mut self);
    fn parts(&mut self) -> Box<dyn Load + '_>;
    fn bits(&self) -> [u32; N];
}

/// A run in the middle of it. Only `rule` is known from the start.
struct Training<O: Whole> {
    rule: O,
    params: [f32; N],
    state: State<O::Family, N>,
    generator: Xoshiro128PlusPlus,
    masks: Masks,
    step: u32,
}

impl<O: Optimizer<Family: Family + Stateful<Memory = f32>>> Run for Training<O> {
    fn step(&mut self) {
        let schedule = WarmUp::new(1e-4, 3, Cosine::new(0.05, 20));
        let noise = (self.generator.next_u32() >> 8) as f32 / (1 << 24) as f32;
        let mut grads = core::array::from_fn(|k| 2.0 * (self.params[k] - k as f32) + noise);
        Dropout::drop_prob(0.25).forward(&mut grads, &mut self.masks).unwrap();
        let rule = self.rule.with_lr(schedule.at(self.step)).with(L2::new(0.01));
        rule.step(&mut self.params, &grads, &mut self.state);
        self.step += 1;
    }
    fn parts(&mut self) -> Box<dyn Load + '_> {
        let Self { params, state, generator, masks, step, .. } = self;
        Box::new((params, state, generator, masks, step))
    }
    fn bits(&self) -> [u32; N] {
        self.params.map(f32::to_bits)
    }
}

fn start<O: Optimizer<Family: Family + Stateful<Memory = f32>> + 'static>(rule: O) -> Box<dyn Run> {
    let (generator, masks) = (Xoshiro128PlusPlus::seed_from_u64(1), Masks::new(1));
    Box::new(Training { rule, params: [0.5; N], state: State::new(), generator, masks, step: 0 })
}

/// A run that has no past: loading must bring all of it.
fn empty<O: Optimizer<Family: Family + Stateful<Memory = f32>> + 'static>(rule: O) -> Box<dyn Run> {
    let (generator, masks) = (Xoshiro128PlusPlus::seed_from_u64(2), Masks::new(2));
    Box::new(Training { rule, params: [f32::NAN; N], state: State::new(), generator, masks, step: 99 })
}

fn interrupted_anywhere(mut whole: Box<dyn Run>, mut restored: Box<dyn Run>) {
    let mut files = Vec::new();
    for _ in 0..20 {
        files.push(store::to_vec(whole.parts()).unwrap());
        whole.step();
    }
    for (step, file) in files.iter().enumerate() {
        store::load(restored.parts(), file).unwrap();
        for _ in step..20 {
            restored.step();
        }
        assert_eq!(restored.bits(), whole.bits(), "interrupted before step {step}");
    }
}

#[test]
fn every_rule_continues_with_the_same_bits() {
    for (whole, restored) in each_rule!(start).into_iter().zip(each_rule!(empty)) {
        interrupted_anywhere(whole, restored);
    }
    for (whole, restored) in each_variant!(start).into_iter().zip(each_variant!(empty)) {
        interrupted_anywhere(whole, restored);
    }
}

#[test]
fn no_rule_loads_the_state_of_another() {
    let mut runs = each_rule!(start);
    let files = runs.each_mut().map(|run| store::to_vec(run.parts()).unwrap());
    for (k, run) in runs.iter_mut().enumerate() {
        for (j, file) in files.iter().enumerate() {
            let loaded = store::load(run.parts(), file);
            assert_eq!(loaded.is_ok(), j == k, "{j} as {k}: {loaded:?}");
        }
    }
}

/// Every kind of record, as the first version of the crate saved it: each rule after seven steps, and
/// what is made of weights.
const FORMAT_1: &[u8] = include_bytes!("../data/format1.gradus");

/// All runs as one value.
fn list(runs: &mut [Box<dyn Run>]) -> Vec<Box<dyn Load + '_>> {
    runs.iter_mut().map(|run| run.parts()).collect()
}

fn seven_steps() -> Vec<Box<dyn Run>> {
    let mut runs = each_rule!(start);
    for run in &mut runs {
        for _ in 0..7 {
            run.step();
        }
    }
    runs.into()
}

/// Two members, both averages of them, statistics of a batch, a minimiser under way, a clock and a slice.
type Others =
    (Ensemble<2, 3>, SwaState<2>, EmaState<2>, BatchNormState<2>, Lbfgs<2, 3, f64>, Clock, [f64; 2]);

/// Some evaluations of Rosenbrock's function.
fn minimize(solver: &mut Lbfgs<2, 3, f64>, evaluations: usize) {
    for _ in 0..evaluations {
        let Some((x, g)) = solver.ask() else { return };
        let (u, v) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
        *g = [-40.0 * u * x[0] - 2.0 * v, 20.0 * u];
        solver.tell(u * u + v * v);
    }
}

fn others() -> Others {
    let (mut ensemble, mut swa, mut ema) = (Ensemble::new(), SwaState::new(), EmaState::new());
    for params in [[0.1, -0.2], [1e10, f32::MIN_POSITIVE]] {
        ensemble.push(&params).unwrap();
        Swa.update(&mut swa, &params);
        Ema::new(0.9).update(&mut ema, &params);
    }
    let mut running = BatchNormState::new();
    let batch = Statistics { mean: [0.5, -3.0], variance: [1.0, 2.0] };
    BatchNorm::new().track(BatchShape::dense(4, 2), &batch, running.as_mut()).unwrap();
    let mut solver = Lbfgs::new();
    solver.start(&LbfgsSettings::new(), &[-1.2, 1.0]).unwrap();
    minimize(&mut solver, 15);
    (ensemble, swa, ema, running, solver, Clock { t: u32::MAX, carry: -1.5 }, [0.1, -0.0])
}

fn write() -> Vec<u8> {
    store::to_vec((&list(&mut seven_steps())[..], others())).unwrap()
}

#[test]
fn a_file_of_format_1_continues_with_the_same_bits() {
    let mut restored = each_rule!(empty);
    let mut found: Others = Default::default();
    store::load((&mut list(&mut restored)[..], &mut found), FORMAT_1).unwrap();
    let mut others = others();
    assert_eq!(store::to_vec(&found), store::to_vec(&others));
    minimize(&mut found.4, 100);
    minimize(&mut others.4, 100);
    assert_eq!(found.4.report(), others.4.report());
    assert_eq!(found.4.report().stop, Stop::Gradient);
    for (mut restored, mut whole) in restored.into_iter().zip(seven_steps()) {
        for _ in 7..20 {
            restored.step();
            whole.step();
        }
        assert_eq!(restored.bits(), whole.bits());
    }
}

#[test]
fn format_1_is_still_what_is_written() {
    assert!(write() == FORMAT_1, "other bytes");
}

/// `cargo test --test suite resume -- --ignored`: for a new format, whose file then has a new name.
#[test]
#[ignore = "writes the file that the other tests read"]
fn write_format_1() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/format1.gradus"), write()).unwrap();
}
