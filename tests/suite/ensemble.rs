//! Averages of predictions and of weights: against f64, at every level, and at their edges.
#![cfg(feature = "std")]

use crate::support::random::{Random, all_bits};
use crate::support::ulp::ulps;
use gradus::ensemble::{
    Average, CompensatedEma, Ema, EmaState, Ensemble, EnsembleVec, Swa, SwaState, argmax, mean,
};
use gradus::schedule::{Schedule, SnapshotCycle};
use gradus::store;
use gradus::{Argument, Error, Exec, Hyper, Level, Optimizer, Sgd, SgdState, StateVec};

#[test]
fn the_mean_is_the_sum_in_order_and_one_division() {
    let mut random = Random(1);
    for members in 1..8 {
        for n in 0..=67 {
            let p: Vec<_> = (0..members).map(|_| random.vec(n, Random::unit)).collect();
            let slices: Vec<_> = p.iter().map(Vec::as_slice).collect();
            let mut got = vec![f32::NAN; n];
            mean(Exec::new(), &slices, &mut got).unwrap();
            for k in 0..n {
                let sum = p.iter().fold(0.0, |sum, p| sum + p[k]);
                assert_eq!(got[k].to_bits(), (sum / members as f32).to_bits());
                let exact = p.iter().map(|p| f64::from(p[k])).sum::<f64>() / members as f64;
                // Half a unit for each of the additions, of at most twice the size, and the division.
                assert!(ulps(got[k], exact).abs() <= members as f64, "{members} members");
            }
        }
    }
}

/// Two classes from two parameters: any function will do.
fn model(params: &[f32], p: &mut [f32]) {
    for (p, params) in p.iter_mut().zip(params) {
        *p = params / 3.0;
    }
}

#[test]
fn both_ensembles_predict_the_mean_of_their_members() {
    let (mut fixed, mut heap) = (Ensemble::<2, 3>::new(), EnsembleVec::new());
    let (mut a, mut b, mut c) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    let mut scratch = [0.0; 2];
    for (k, params) in [[0.1, 0.2], [0.7, -0.4], [1e-3, 1e3]].iter().enumerate() {
        fixed.push(params).unwrap();
        heap.push(params).unwrap();
        fixed.predict(Exec::new(), model, &mut scratch, &mut a).unwrap();
        heap.predict(Exec::new(), model, &mut scratch, &mut b).unwrap();
        let predictions: Vec<_> =
            heap.members().iter().map(|params| [params[0] / 3.0, params[1] / 3.0]).collect();
        let slices: Vec<_> = predictions.iter().map(<[f32; 2]>::as_slice).collect();
        mean(Exec::new(), &slices, &mut c).unwrap();
        assert_eq!((all_bits(&a), all_bits(&b)), (all_bits(&c), all_bits(&c)));
        assert_eq!((fixed.members().len(), heap.members().len()), (k + 1, k + 1));
    }
}

#[test]
fn members_alone_are_compared_and_shown() {
    let of = |members: &[[f32; 2]]| {
        let mut ensemble = Ensemble::<2, 3>::new();
        members.iter().for_each(|params| ensemble.push(params).unwrap());
        ensemble
    };
    let one = of(&[[1.0, 2.0]]);
    assert_ne!(one, of(&[[1.0, 3.0]]));
    assert_ne!(one, of(&[[1.0, 2.0], [0.0; 2]]));
    let mut used = of(&[[3.0, 4.0], [5.0, 6.0]]);
    used.reset();
    used.push(&[1.0, 2.0]).unwrap();
    assert_eq!(used, one);
    assert_eq!(format!("{used:?}"), "Ensemble { members: [[1.0, 2.0]] }");
}

#[test]
fn wrong_sizes_are_refused_before_a_write() {
    let of = |what| Error::Length { what, expected: 2, found: 3 };
    let (empty, member, scratch) = (Err(Error::Empty), Err(of(Argument::Member)), Err(of(Argument::Scratch)));
    let mut out = [7.0; 2];
    assert_eq!(mean(Exec::new(), &[], &mut out), empty);
    assert_eq!(mean(Exec::new(), &[&[1.0; 2], &[1.0; 3]], &mut out), member);

    let mut fixed = Ensemble::<2, 1>::new();
    assert_eq!(fixed.predict(Exec::new(), model, &mut [0.0; 2], &mut out), empty);
    fixed.push(&[1.0; 2]).unwrap();
    assert_eq!(fixed.predict(Exec::new(), model, &mut [0.0; 3], &mut out), scratch);
    assert_eq!(fixed.push(&[2.0; 2]), Err(Error::Full));
    assert_eq!(fixed.members(), [[1.0; 2]]);
    assert_eq!(Ensemble::<0, 1>::new().push(&[]), empty);

    let mut heap = EnsembleVec::new();
    assert_eq!(heap.predict(Exec::new(), model, &mut [0.0; 2], &mut out), empty);
    assert_eq!(heap.push(&[]), empty);
    heap.push(&[1.0; 2]).unwrap();
    assert_eq!(heap.push(&[1.0; 3]), member);
    assert_eq!(heap.predict(Exec::new(), model, &mut [0.0; 3], &mut out), scratch);
    assert_eq!(EnsembleVec::try_from(vec![vec![1.0; 2], vec![1.0; 3]]), Err(of(Argument::Member)));
    assert_eq!(EnsembleVec::try_from(vec![vec![]]), Err(Error::Empty));
    assert_eq!(EnsembleVec::try_from(vec![]), Ok(EnsembleVec::new()));
    assert_eq!((heap.members().len(), out), (1, [7.0; 2]));

    let mut average = SwaState::<3>::new();
    let expected = Err(Error::Length { what: Argument::Params, expected: 3, found: 2 });
    assert_eq!(Swa.update_slices(average.as_mut(), &[1.0; 2]), expected);
    assert_eq!(average, SwaState::new());
}

#[test]
fn the_largest_wins_and_the_first_of_equals() {
    const NAN: f32 = f32::NAN;
    const LOW: f32 = f32::NEG_INFINITY;
    for (values, want) in [
        (&[][..], None),
        (&[1.0], Some(0)),
        (&[1.0, 3.0, 2.0], Some(1)),
        (&[-2.0, -1.0, -1.0], Some(1)),
        (&[0.0, -0.0], Some(0)),
        (&[NAN, 1.0, NAN, 2.0], Some(3)),
        (&[2.0, NAN, 1.0], Some(0)),
        (&[NAN, LOW], Some(1)),
        (&[LOW, NAN], Some(0)),
        (&[NAN, NAN], Some(0)),
        (&[1.0, f32::INFINITY], Some(1)),
    ] {
        assert_eq!(argmax(values), want, "{values:?}");
    }
}

#[test]
fn swa_is_the_mean_of_all_weights() {
    let mut random = Random(2);
    let mut average = SwaState::<19>::new();
    let mut sum = [0.0_f64; 19];
    for count in 1..=300 {
        let params: [f32; 19] = core::array::from_fn(|_| 0.5 + 0.5 * random.unit());
        Swa.update(&mut average, &params);
        for (k, sum) in sum.iter_mut().enumerate() {
            *sum += f64::from(params[k]);
            let error = ulps(average.average()[k], *sum / f64::from(count));
            assert!(error.abs() <= 8.0, "{error} after {count}");
        }
    }
    assert_eq!(average.t(), 300);
}

#[test]
fn ema_weighs_by_powers_of_its_decay() {
    for decay in [0.0, 0.5, 0.9, 0.999, 0.9999] {
        let mut random = Random(3);
        let ema = Ema::new(decay);
        assert_eq!(ema.check(), Ok(()));
        let mut average = EmaState::<19>::new();
        let mut want = [0.0_f64; 19];
        for count in 1..=300 {
            let params: [f32; 19] = core::array::from_fn(|_| 0.5 + 0.5 * random.unit());
            ema.update(&mut average, &params);
            for (k, want) in want.iter_mut().enumerate() {
                let p = f64::from(params[k]);
                *want = if count == 1 { p } else { decay * *want + (1.0 - decay) * p };
                let error = ulps(average.average()[k], *want);
                // Each addition adds half a unit, of which the later ones leave decay, decay^2, ...
                let budget = 1.0 + 0.51 * f64::from(count).min(1.0 / (1.0 - decay));
                assert!(error.abs() <= budget, "{decay}: {error} after {count}");
            }
        }
    }
    for decay in [-0.1, 1.0, 1.0 - 1e-9, f64::NAN] {
        assert_eq!(Ema::new(decay).check(), Err(Error::Range(Hyper::Rho)), "{decay}");
    }
    // What rounding takes is kept, so that the decay may be nearer to 1.
    for decay in [0.0, 1.0 - 1e-9] {
        assert_eq!(CompensatedEma::new(decay).check(), Ok(()), "{decay}");
    }
    for decay in [-0.1, 1.0, f64::NAN] {
        assert_eq!(CompensatedEma::new(decay).check(), Err(Error::Range(Hyper::Rho)), "{decay}");
    }
}

#[test]
fn averages_have_the_same_bits_at_every_level_length_and_split() {
    fn at_every_level<A: Average>(rule: A) {
        for n in 0..=67 {
            let run = |level, split: usize| {
                let mut random = Random(n as u64);
                let mut average = [StateVec::<A::Family>::new(split), StateVec::new(n - split)];
                for _ in 0..5 {
                    let params = random.vec(n, Random::any);
                    let (left, right) = params.split_at(split);
                    rule.on(level).update_slices(average[0].as_mut(), left).unwrap();
                    rule.on(level).update_slices(average[1].as_mut(), right).unwrap();
                }
                let columns = 0..average[0].columns().len();
                let column = |k: usize| average.iter().flat_map(move |part| all_bits(&part.columns()[k]));
                columns.flat_map(column).collect::<Vec<_>>()
            };
            let want = run(Level::SCALAR, n);
            for level in Level::available() {
                for split in 0..=n {
                    assert_eq!(run(level, split), want, "{level} {n} {split}");
                }
            }
        }
    }
    at_every_level(Swa);
    at_every_level(Ema::new(0.9));
    at_every_level(CompensatedEma::new(0.9));
}

#[test]
fn the_first_update_takes_the_weights_and_the_count_never_turns_over() {
    let params = [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, -3.0, f32::INFINITY];
    let (mut swa, mut ema) = (SwaState::new(), EmaState::new());
    Swa.update(&mut swa, &params);
    Ema::new(0.999).update(&mut ema, &params);
    assert_eq!((swa.average(), ema.average()), (&params, &params));

    let mut old = SwaState::<1>::new();
    old.columns = [[2.0]];
    old.clock.t = u32::MAX;
    Swa.update(&mut old, &[4.0]);
    assert_eq!((old.t(), old.average()), (u32::MAX, &[2.0]));
}

#[test]
fn nan_stays_where_it_is() {
    let mut average = EmaState::<40>::new();
    let mut params = [1.0; 40];
    Ema::new(0.5).update(&mut average, &params);
    params[17] = f32::NAN;
    Ema::new(0.5).update(&mut average, &params);
    for (k, x) in average.average().iter().enumerate() {
        assert_eq!(x.is_nan(), k == 17);
    }
}

#[test]
fn every_cycle_leaves_a_snapshot_and_the_last_takes_the_remainder() {
    // Steps, cycles asked for, and the steps after which a snapshot is taken.
    for (steps, cycles, want) in [
        (12, 3, &[3, 7, 11][..]),
        (10, 3, &[3, 7, 9]),
        (7, 7, &[0, 1, 2, 3, 4, 5, 6]),
        (10, 6, &[1, 3, 5, 7, 9]), // cycles of two steps: five fill the run
        (5, 1, &[4]),
    ] {
        let schedule = SnapshotCycle::new(0.5, steps, cycles);
        let (mut params, mut state) = ([1.0], SgdState::new());
        let mut snapshots = Ensemble::<1, 7>::new();
        let mut ends = Vec::new();
        while state.t() < steps {
            let step = state.t();
            let grads = params;
            Sgd::new(schedule.at(step)).step(&mut params, &grads, &mut state);
            if schedule.ends_cycle(step) {
                snapshots.push(&params).unwrap();
                ends.push(step);
            }
        }
        assert_eq!(ends, want, "{steps} steps, {cycles} cycles");
        assert_eq!(snapshots.members().last(), Some(&params));
        assert!(snapshots.members().windows(2).all(|pair| pair[1] < pair[0]));
    }
}

#[test]
fn ensembles_and_averages_are_saved_and_loaded() {
    let (mut fixed, mut ema) = (Ensemble::<3, 4>::new(), EmaState::<3>::new());
    for _ in 0..2 {
        let file = store::to_vec((&fixed, &ema)).unwrap();
        let (mut heap, mut other) = (EnsembleVec::new(), EmaState::<3>::new());
        store::load((&mut heap, &mut other), &file).unwrap();
        assert!(heap.members().iter().eq(fixed.members()));
        assert_eq!((&other, store::to_vec((&heap, &other))), (&ema, Ok(file.clone())));
        let mut again = Ensemble::<3, 4>::new();
        again.push(&[9.0; 3]).unwrap();
        store::load((&mut again, &mut other), &file).unwrap();
        assert_eq!(again, fixed);
        assert!(file.len() <= store::file_size_of::<(Ensemble<3, 4>, EmaState<3>)>());
        // Too many members, another size, another average.
        let full = !fixed.members().is_empty();
        assert_eq!(store::load((&mut Ensemble::<3, 1>::new(), &mut other), &file).is_err(), full);
        assert_eq!(store::load((&mut Ensemble::<2, 4>::new(), &mut other), &file).is_err(), full);
        assert!(store::load((&mut again, &mut SwaState::<3>::new()), &file).is_err());
        for params in [[1.0, 2.0, f32::NAN], [3.0, -0.0, 4.0]] {
            fixed.push(&[params[0], params[1], 0.5]).unwrap();
            Ema::new(0.5).update(&mut ema, &[params[0], params[1], 0.5]);
        }
    }
}

/// Large values in static memory, on a stack that could not hold one of their columns.
#[test]
fn large_values_are_filled_in_place() {
    use gradus::{Adam, AdamState};
    use std::sync::Mutex;
    const N: usize = 200_000;
    static ENSEMBLE: Mutex<Ensemble<N, 2>> = Mutex::new(Ensemble::new());
    static STATE: Mutex<AdamState<N>> = Mutex::new(AdamState::new());
    let work = || {
        let (mut ensemble, mut state) = (ENSEMBLE.lock().unwrap(), STATE.lock().unwrap());
        let mut params = vec![0.5; N];
        ensemble.push(params.as_slice().try_into().unwrap()).unwrap();
        Adam::new(0.1).step_slices(&mut params, &vec![1.0; N], state.as_mut()).unwrap();
        let file = store::to_vec((&*ensemble, &*state)).unwrap();
        ensemble.reset();
        state.reset();
        assert_eq!((ensemble.members().len(), state.t()), (0, 0));
        store::load((&mut *ensemble, &mut *state), &file).unwrap();
        assert_eq!((ensemble.members().len(), state.t()), (1, 1));
        assert!(ensemble.members()[0].iter().all(|x| *x == 0.5) && state.columns[0][N - 1] > 0.0);
    };
    std::thread::Builder::new().stack_size(1 << 18).spawn(work).unwrap().join().unwrap();
}
