//! What is learnt of data as they come: standardised inputs, sums of gradients, counts of what was recognised.

use crate::support::random::{Random, all_bits};
use crate::support::ulp::unit;
use gradus::loss::Confusion;
use gradus::norm::{InputNorm, InputNormState};
use gradus::transform::Decay;
use gradus::{
    Accumulate, AccumulateState, Adam, Error, Exec, Hyper, Level, Optimizer, ScheduleFree, Sgd, StateVec,
    store,
};

/// Statistics of features of many sizes and offsets, beside two passes in f64.
#[test]
fn statistics_of_inputs_are_near_those_of_two_passes() {
    const FEATURES: usize = 37;
    let mut random = Random(41);
    for samples in [1, 2, 3, 100, 3000] {
        let offset: Vec<f32> = (0..FEATURES).map(|_| random.sized(-3.0, 3.0)).collect();
        let row = |random: &mut Random| offset.iter().map(|o| o * (1.0 + 0.5 * random.signed())).collect();
        let x: Vec<Vec<f32>> = (0..samples).map(|_| row(&mut random)).collect();
        let mut seen = InputNormState::<FEATURES>::new();
        for rows in x.chunks(7) {
            InputNorm::new().update(seen.as_mut(), &rows.concat()).unwrap(); // several at a time, to the same bits
        }
        let mut once = InputNormState::<FEATURES>::new();
        InputNorm::new().update(once.as_mut(), &x.concat()).unwrap();
        assert_eq!((once, samples as u32), (seen.clone(), seen.t()));
        let [mean, variance] = &seen.columns;
        for k in 0..FEATURES {
            let values = x.iter().map(|row| f64::from(row[k]));
            let want = values.clone().sum::<f64>() / samples as f64;
            let square = values.map(|x| (x - want).powi(2)).sum::<f64>() / samples as f64;
            let size = f64::from(offset[k].abs());
            // Each sample rounds the mean once, by half a unit at most, and mostly not in one direction.
            let slack = 4.0 + (samples as f64).sqrt();
            assert!((f64::from(mean[k]) - want).abs() <= slack * unit(size), "{samples} {k}");
            assert!((f64::from(variance[k]) - square).abs() <= slack * unit(size * size), "{samples} {k}");
        }
    }
}

#[test]
fn standardised_inputs_have_the_formula_s_values_at_every_level() {
    let mut random = Random(42);
    for features in [1, 2, 3, 8, 15, 16, 17, 67] {
        let mut seen = StateVec::<InputNorm>::new(features);
        let x: Vec<f32> = (0..9 * features).map(|_| random.sized(-6.0, 3.0)).collect();
        let fresh = StateVec::<InputNorm>::new(features);
        let mut same = x.clone();
        InputNorm::new().apply(&mut same, &fresh).unwrap(); // nothing seen yet
        assert_eq!(same, x);

        InputNorm::new().update(seen.as_mut(), &x).unwrap();
        let mut want = x.clone();
        for row in want.chunks_mut(features) {
            for (k, x) in row.iter_mut().enumerate() {
                let [mean, variance] = [0, 1].map(|column| seen.columns()[column][k]);
                *x = (*x - mean) / variance.sqrt().max(1e-7);
            }
        }
        for level in Level::available() {
            let norm = InputNorm::new().on(level);
            let mut twin = StateVec::<InputNorm>::new(features);
            norm.update(twin.as_mut(), &x).unwrap();
            assert!(twin == seen, "{level:?}");
            let mut got = x.clone();
            norm.apply(&mut got, &twin).unwrap();
            assert_eq!(all_bits(&got), all_bits(&want), "{level:?}");
        }
        // Across a file.
        let mut loaded = StateVec::<InputNorm>::new(features);
        store::load(&mut loaded, &store::to_vec(&seen).unwrap()).unwrap();
        assert!(loaded == seen);
    }
}

#[test]
fn a_feature_that_never_changes_becomes_0() {
    let mut seen = InputNormState::<2>::new();
    let norm = InputNorm { eps: 0.5, ..InputNorm::new() };
    norm.update(seen.as_mut(), &[4e18, 7.0, 4e18, 7.0]).unwrap();
    let mut x = [4e18, 7.0, 4e18, 8.0];
    norm.apply(&mut x, &seen).unwrap();
    assert_eq!(x, [0.0, 0.0, 0.0, 2.0]); // divided by no less than eps
    let before = seen.clone();
    assert_eq!(norm.update(seen.as_mut(), &[1.0; 3]), Err(Error::Shape));
    assert_eq!(norm.apply(&mut x[..3], &seen), Err(Error::Shape));
    assert_eq!(norm.update(StateVec::<InputNorm>::new(0).as_mut(), &[1.0]), Err(Error::Shape));
    assert!(seen == before && x == [0.0, 0.0, 0.0, 2.0]);
    for eps in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(InputNorm { eps, ..norm }.check(), Err(Error::Range(Hyper::Epsilon)));
    }
    assert_eq!(norm.check(), Ok(()));
}

#[test]
fn a_confusion_matrix_counts_and_refuses() {
    let mut seen = Confusion::<3>::new();
    assert_eq!((seen.accuracy(), seen.recall(0), seen.precision(0), seen.samples()), (None, None, None, 0));
    let scores = [0.1, 0.9, 0.0, 0.5, 0.5, 0.1, f32::NAN, -2.0, -1.0, 3.0, 2.0, 1.0];
    seen.add_scores(&scores, &[1_u8, 0, 2, 1]).unwrap(); // the first of equals; NaN is passed over
    assert_eq!(seen.counts(), &[[1, 0, 0], [1, 1, 0], [0, 0, 1]]);
    assert_eq!(seen.accuracy(), Some(0.75));
    assert_eq!([0, 1, 2, 3].map(|class| seen.recall(class)), [Some(1.0), Some(0.5), Some(1.0), None]);
    assert_eq!([0, 1, 2, 3].map(|class| seen.precision(class)), [Some(0.5), Some(1.0), Some(1.0), None]);

    let before = seen;
    assert_eq!(seen.add_scores(&scores, &[0_u8, 0, 3, 0]), Err(Error::Shape));
    assert_eq!(seen.add_scores(&scores[..11], &[0_u8; 4]), Err(Error::Shape));
    assert_eq!(seen.add(3, 0), Err(Error::Shape));
    assert_eq!(seen.add(0, 3), Err(Error::Shape));
    assert_eq!(seen, before);

    // Across a file, which another size does not take.
    let file = store::to_vec(&seen).unwrap();
    let mut loaded = Confusion::<3>::new();
    store::load(&mut loaded, &file).unwrap();
    assert_eq!(loaded, seen);
    assert!(store::load(&mut Confusion::<2>::new(), &file).is_err());
    assert_eq!(file.len(), store::file_size_of::<Confusion<3>>());

    loaded.merge(&seen);
    assert_eq!((loaded.samples(), loaded.accuracy()), (8, Some(0.75)));
    for _ in 0..40 {
        let twin = loaded;
        loaded.merge(&twin); // doubles until there is no room for more
    }
    assert_eq!(loaded.counts()[0][0], u32::MAX);
    loaded.add(0, 0).unwrap();
    assert_eq!((loaded.counts()[0][0], loaded.recall(1)), (u32::MAX, Some(0.5)));
    loaded.reset();
    assert_eq!(loaded, Confusion::new());
    loaded.add(0, 2).unwrap();
    loaded.add(2, 0).unwrap();
    assert_eq!((loaded.accuracy(), loaded.samples()), (Some(0.0), 2)); // the other diagonal is all wrong
}

/// A step with the sum of four batches is the step with their mean, at every level and across a file.
#[test]
fn gradients_of_several_batches_make_one_step() {
    const N: usize = 67;
    let mut random = Random(43);
    let batches: [[f32; N]; 4] = std::array::from_fn(|_| std::array::from_fn(|_| random.sized(-6.0, 3.0)));
    let mean: [f32; N] =
        std::array::from_fn(|i| batches.iter().fold(0.0, |sum, batch| sum + batch[i]) * 0.25);
    let adam = Adam::new(0.1);
    let (mut want, mut state) = ([0.5; N], adam.state());
    adam.step(&mut want, &mean, &mut state);
    for level in Level::available() {
        let (mut sum, mut slices) = (AccumulateState::<N>::new(), StateVec::<Accumulate>::new(N));
        for (k, batch) in batches.iter().enumerate() {
            sum.add(level, batch);
            slices.as_mut().add(level, batch).unwrap();
            let file = store::to_vec(&sum).unwrap();
            sum = AccumulateState::new();
            store::load(&mut sum, &file).unwrap();
            assert_eq!(sum.t(), k as u32 + 1);
        }
        assert_eq!(&slices.columns()[0][..], sum.sum());
        let (mut params, mut state) = ([0.5; N], adam.state());
        adam.with(sum.mean()).step(&mut params, sum.sum(), &mut state);
        assert_eq!(params, want, "{level:?}");
        let before = slices.clone();
        assert!(slices.as_mut().add(level, &batches[0][1..]).is_err());
        assert!(slices == before);
    }
    assert_eq!(AccumulateState::<1>::new().mean().0, 1.0);
}

/// Independent of the rate, a weight loses the same share whatever the rate.
#[test]
fn an_independent_decay_does_not_know_the_rate() {
    for lr in [0.0, 1e-3, 0.5, 8.0] {
        let sgd = Sgd::new(lr).with(Decay::independent(0.25));
        let (mut params, mut state) = ([4.0], sgd.state());
        sgd.step(&mut params, &[0.0], &mut state);
        assert_eq!((params, sgd.check()), ([3.0], Ok(())));
        sgd.with_lr(2.0 * lr).step(&mut params, &[0.0], &mut state);
        assert_eq!(params, [2.25]);
    }
    for share in [1.0, -0.1, f32::NAN] {
        let sgd = Sgd::new(0.1).with(Decay::independent(share));
        assert_eq!(sgd.check(), Err(Error::Range(Hyper::WeightDecay)));
    }
}

/// The average of a schedule-free run is the weighted mean of its fast weights, whatever the rates; a rate of 0 weighs nothing.
#[test]
fn a_schedule_free_average_is_that_of_the_fast_weights() {
    let mut random = Random(44);
    for beta1 in [0.5, 0.9, 0.98] {
        let free = ScheduleFree { beta1, ..ScheduleFree::new(0.01) };
        let (mut y, mut state) = ([0.25_f32; 5], free.state());
        let (mut weights, mut sums) = (0.0, [0.0; 5]);
        for t in 0..200_u32 {
            let lr = 0.01 * (t as f32 / 50.0).min(1.0); // from 0 on
            let grads = y.map(|y| y + random.signed());
            free.with_lr(lr).step(&mut y, &grads, &mut state);
            let weight = f64::from(lr) * f64::from(lr);
            weights += weight;
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum += weight * f64::from(y[i] - state.columns[0][i]);
            }
            let mut x = y;
            free.average(Exec::new(), &mut x, &state.columns[0]).unwrap();
            for (x, sum) in x.into_iter().zip(sums) {
                let want = if weights > 0.0 { sum / weights } else { 0.25 };
                assert!((f64::from(x) - want).abs() < 2e-6, "{beta1} {t}: {x} {want}");
            }
        }
        let mut x = [0.0; 4];
        assert!(free.average(Exec::new(), &mut x, &[1.0; 5]).is_err());
        assert_eq!(x, [0.0; 4]);
    }
}

/// Rates whose squares are beyond the range of `f32`, at either end, weigh as others do: a run goes as far in units of its rate.
#[test]
fn a_schedule_free_run_scales_with_its_rate() {
    let run = |power: i32| {
        let (scale, mut random) = (2.0_f32.powi(power), Random(45));
        let free = ScheduleFree::new(scale);
        let (mut y, mut state) = ([0.0; 5], free.state());
        for _ in 0..20 {
            free.step(&mut y, &[random.signed(); 5], &mut state);
        }
        assert!(state.clock.carry.is_finite(), "2^{power}");
        y.map(|y| y / scale)
    };
    let want = run(0);
    assert!(want.iter().all(|y| y.is_finite() && *y != 0.0));
    for power in [-80, -1, 70] {
        assert_eq!(run(power), want, "2^{power}");
    }
}
