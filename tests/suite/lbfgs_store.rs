//! A minimiser that is saved between any two evaluations goes on with the same bits.
#![cfg(feature = "std")]

use crate::support::OPTIMISED;
use gradus::second_order::{Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Stop};
use gradus::store::{self, Error, Load, Save};
use proptest::prelude::*;

const N: usize = 6;
const M: usize = 4;

/// Rosenbrock's function, extended: a run long enough for the history to turn over.
fn rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
    g.fill(0.0);
    let mut f = 0.0;
    for k in 0..x.len() - 1 {
        let (u, v) = (x[k + 1] - x[k] * x[k], 1.0 - x[k]);
        f += 100.0 * u * u + v * v;
        g[k] -= 400.0 * u * x[k] + 2.0 * v;
        g[k + 1] += 200.0 * u;
    }
    f
}

/// The same in single precision.
fn rosenbrock_f32(x: &[f32], g: &mut [f32]) -> f32 {
    let mut doubles = [0.0; N];
    let f = rosenbrock(&core::array::from_fn::<_, N, _>(|k| x[k].into()), &mut doubles);
    for (g, double) in g.iter_mut().zip(doubles) {
        *g = double as f32;
    }
    f as f32
}

/// Steps a solver once; false when it rests.
macro_rules! step {
    ($solver:expr, $objective:ident) => {
        match $solver.ask() {
            Some((x, g)) => {
                let f = $objective(&x[..], &mut g[..]);
                $solver.tell(f);
                true
            }
            None => false,
        }
    };
}

macro_rules! interrupted_anywhere {
    ($new:expr, $objective:ident, $($start:expr),*) => {{
        let mut whole = $new;
        whole.start($($start),*).unwrap();
        let mut files = vec![store::to_vec(&whole).unwrap()];
        while step!(whole, $objective) {
            files.push(store::to_vec(&whole).unwrap());
        }
        assert!(files.len() > 20, "{}", files.len());
        assert_ne!(whole.report().stop, Stop::Running);
        let end = files.last().unwrap().clone();
        for file in files.iter().step_by(if OPTIMISED { 1 } else { 5 }) {
            let mut restored = $new;
            store::load(&mut restored, file).unwrap();
            assert_eq!(store::to_vec(&restored).unwrap(), *file);
            while step!(restored, $objective) {}
            assert!(store::to_vec(&restored).unwrap() == end);
            assert_eq!((restored.report(), restored.x()), (whole.report(), whole.x()));
        }
        files
    }};
}

const START: [f64; N] = [-1.2, 1.0, -1.2, 1.0, -1.2, 1.0];

#[test]
fn every_run_continues_with_the_same_bits() {
    let settings = LbfgsSettings::<f64>::new();
    let fixed = interrupted_anywhere!(Lbfgs::<N, M, f64>::new(), rosenbrock, &settings, &START);
    let heap = interrupted_anywhere!(LbfgsVec::<f64>::new(N).pairs(M), rosenbrock, &START);
    assert!(fixed == heap, "both forms make one file");
    let single = LbfgsSettings::<f32>::new();
    interrupted_anywhere!(Lbfgs::<N, M, f32>::new(), rosenbrock_f32, &single, &START.map(|x| x as f32));
    let armijo = LbfgsSettings { line_search: LineSearch::Backtracking, ..settings };
    interrupted_anywhere!(Lbfgs::<N, M, f64>::new(), rosenbrock, &armijo, &START);
    let sparse = LbfgsSettings { l1: 0.5, l1_start: 1, ..settings };
    interrupted_anywhere!(Lbfgs::<N, M, f64>::new(), rosenbrock, &sparse, &START);
    interrupted_anywhere!(Lbfgs::<N, 1, f64>::new(), rosenbrock, &settings, &START);
}

#[test]
fn a_minimiser_at_rest_is_saved_too() {
    let new = Lbfgs::<N, M, f64>::new();
    let file = store::to_vec(&new).unwrap();
    assert_eq!(file.len(), store::file_size_of::<Lbfgs<N, M, f64>>());
    let mut solver = Lbfgs::<N, M, f64>::new();
    solver.start(&LbfgsSettings::new(), &START).unwrap();
    store::load(&mut solver, &file).unwrap();
    assert!(solver.ask().is_none());
    assert_eq!(store::to_vec(&solver).unwrap(), file);
    let single = Lbfgs::<N, M, f32>::new();
    assert_eq!(store::file_size(&single), store::file_size_of::<Lbfgs<N, M, f32>>());
}

#[test]
fn other_shapes_and_precisions_are_refused() {
    let mut solver = LbfgsVec::<f64>::new(N).pairs(M);
    solver.start(&START).unwrap();
    let file = store::to_vec(&solver).unwrap();
    let columns = store::load(&mut LbfgsVec::<f64>::new(N).pairs(M + 1), &file);
    assert_eq!(columns, Err(Error::Columns { expected: M as u32 + 1, found: M as u32 }));
    let elements = store::load(&mut LbfgsVec::<f64>::new(N + 1).pairs(M), &file);
    assert_eq!(elements, Err(Error::Elements { expected: N as u64 + 1, found: N as u64 }));
    let name = store::load(&mut LbfgsVec::<f32>::new(N).pairs(M), &file);
    assert!(matches!(name, Err(Error::Name { .. })));
}

/// The checksum of a file that was changed.
fn seal(file: &mut [u8]) {
    let end = file.len() - 4;
    let mut crc = !0_u32;
    for &byte in &file[..end] {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    file[end..].copy_from_slice(&(!crc).to_le_bytes());
}

/// Loads a file: refused with nothing changed, or saved again to the same bytes.
fn same_or_refused<T: Save + Load>(solver: &mut T, file: &[u8]) -> bool {
    let before = store::to_vec(&*solver).unwrap();
    let loaded = store::load(&mut *solver, file).is_ok();
    assert!(store::to_vec(&*solver).unwrap() == if loaded { file } else { &before });
    loaded
}

#[test]
fn counters_at_their_ends_do_not_overflow() {
    let mut solver = Lbfgs::<N, M, f64>::new();
    solver.start(&LbfgsSettings::new(), &START).unwrap();
    for _ in 0..5 {
        step!(solver, rosenbrock);
    }
    let file = store::to_vec(&solver).unwrap();
    // Iterations, evaluations, trials; each with its limit, and each alone or all at once.
    let counters = [(160, 60), (164, 64), (312, 68)];
    for which in 0..=counters.len() {
        let mut file = file.clone();
        for (k, (counter, limit)) in counters.into_iter().enumerate() {
            if which == k || which == counters.len() {
                file[counter..counter + 4].fill(255);
                file[limit..limit + 4].fill(255);
            }
        }
        seal(&mut file);
        let mut restored = Lbfgs::<N, M, f64>::new();
        store::load(&mut restored, &file).unwrap();
        for _ in 0..200 {
            step!(restored, rosenbrock);
        }
        assert!(restored.ask().is_none() && restored.report().value.is_finite());
        let report = restored.report();
        assert_eq!([report.iterations, report.evaluations].contains(&u32::MAX), which != 2, "{report:?}");
    }
}

#[test]
fn a_state_that_no_run_has_is_refused() {
    let mut solver = Lbfgs::<N, M, f64>::new();
    solver.start(&LbfgsSettings::new(), &START).unwrap();
    for _ in 0..5 {
        step!(solver, rosenbrock);
    }
    let file = store::to_vec(&solver).unwrap();
    // More trials than a search may have, no trials at all, more pairs than memory, the newest of them behind it.
    for (at, word) in [(312, 21), (68, 0), (316, M as u32 + 1), (324, M as u32)] {
        let mut file = file.clone();
        file[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        seal(&mut file);
        assert!(!same_or_refused(&mut Lbfgs::<N, M, f64>::new(), &file), "{at}");
        // The nearest one that a run may have.
        let near = if word == 0 { 20 } else { word - 1 };
        file[at..at + 4].copy_from_slice(&u32::to_le_bytes(near));
        seal(&mut file);
        assert!(same_or_refused(&mut Lbfgs::<N, M, f64>::new(), &file), "{at}");
    }
}

/// Where a file has the limit of evaluations.
const MAX_EVALUATIONS: usize = 64;
/// That limit. Undisturbed, the run below takes more.
const LIMIT: u32 = 30;

proptest! {
    /// What ends every run is its limit of evaluations, so that this alone stays as it is.
    #[test]
    fn a_changed_state_is_refused_or_kept_and_still_ends(at in 44..493_usize, to: [u8; 4], steps in 0..60_usize) {
        let at = if at + 4 <= MAX_EVALUATIONS { at } else { at + 7 };
        let settings = LbfgsSettings { max_evaluations: LIMIT, ..LbfgsSettings::new() };
        let mut solver = Lbfgs::<N, M, f64>::new();
        solver.start(&settings, &START).unwrap();
        for _ in 0..steps {
            step!(solver, rosenbrock);
        }
        let mut file = store::to_vec(&solver).unwrap();
        file[at..at + 4].copy_from_slice(&to);
        seal(&mut file);
        let mut restored = Lbfgs::<N, M, f64>::new();
        if same_or_refused(&mut restored, &file) {
            for _ in 0..LIMIT {
                step!(restored, rosenbrock);
            }
            prop_assert!(restored.ask().is_none());
        }
    }
}
