use crate::support::random::{Random, all_bits};
use gradus::init;
use gradus::layer::Conv2d;
use gradus::norm::{
    BatchNorm, BatchNormState, BatchShape, GroupNorm, InputNorm, InputNormState, Params, Statistics,
};
use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
use gradus::{Error, Exec, Level, store};

/// Above 2^24 samples what lowers the variance was rounded away and what raises it was not: it grew by a quarter until 2^27.
#[test]
fn the_variance_of_many_inputs_does_not_grow() {
    const FEATURES: usize = 4;
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    let mut seen = InputNormState::<FEATURES>::new();
    (seen.columns[1], seen.clock.t) = ([1.0; FEATURES], 1 << 25);
    // A file says how many there were, as before.
    let mut loaded = InputNormState::<FEATURES>::new();
    store::load(&mut loaded, &store::to_vec(&seen).unwrap()).unwrap();
    let mut rows = vec![0.0; FEATURES << 10];
    for _ in 0..1 << 10 {
        init::normal(&mut rng, 0.0, 1.0, &mut rows);
        InputNorm::new().update(loaded.as_mut(), &rows).unwrap();
    }
    assert_eq!(loaded.t(), (1 << 25) + (1 << 20));
    let [mean, variance] = loaded.columns;
    assert!(mean.iter().all(|mean| mean.abs() < 5e-3), "{mean:?}");
    assert!(variance.iter().all(|variance| (variance - 1.0).abs() < 5e-3), "{variance:?}");
}

/// One NaN stayed in the statistics of its feature for good, and so did the infinite square of a wild reading.
#[test]
fn a_bad_reading_is_refused() {
    let norm = InputNorm::new();
    let mut seen = InputNormState::<3>::new();
    norm.update(seen.as_mut(), &[1.0, 2.0, 3.0, 2.0, 4.0, 6.0]).unwrap();
    let most = 2.0_f32.powi(62);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, most.next_up(), -most.next_up(), f32::MAX] {
        for at in 0..6 {
            let (mut x, before) = ([1.0; 6], seen.clone());
            x[at] = bad;
            assert_eq!(norm.update(seen.as_mut(), &x), Err(Error::NonFinite), "{bad} at {at}");
            assert!(seen == before, "{bad} at {at}");
            #[cfg(feature = "ffi")]
            {
                use gradus::ffi::{gradus_input_norm_update, gradus_status::GRADUS_ERROR_NON_FINITE};
                let (mut state, mut clock) = (seen.columns.concat(), seen.clock);
                // SAFETY: the pointers are those of six floats, of three features in two columns and of a clock.
                let status =
                    unsafe { gradus_input_norm_update(3, 2, x.as_ptr(), state.as_mut_ptr(), &mut clock) };
                assert_eq!(status, GRADUS_ERROR_NON_FINITE, "{bad} at {at}");
                assert_eq!((state, clock), (before.columns.concat(), before.clock));
            }
        }
    }
    // The largest that are taken leave finite statistics, whatever their order.
    for order in [[1.0, -1.0], [1.0, 1.0], [0.0, -1.0]] {
        let mut seen = InputNormState::<1>::new();
        for k in 0..1000 {
            norm.update(seen.as_mut(), &[most * order[k % 2]]).unwrap();
            norm.update(seen.as_mut(), &[most * order[k / 10 % 2]]).unwrap();
            assert!(seen.columns.concat().iter().all(|x| x.is_finite()), "{order:?}");
        }
    }
}

/// A batch with a NaN, or with numbers whose variance is infinite, left running statistics that were so for good.
#[test]
fn a_batch_that_is_not_finite_is_not_tracked() {
    let shape = BatchShape::dense(2, 4);
    for norm in [BatchNorm::new(), BatchNorm::keras()] {
        let x = [1.0_f32, f32::NAN, 1e30, -4.0, 3.0, 0.0, -1e30, f32::INFINITY];
        let params = Params { weight: [1.0; 4], bias: [0.5; 4] };
        let (mut y, mut batch) = ([0.0; 8], Statistics { mean: [0.0; 4], variance: [0.0; 4] });
        norm.forward(shape, &x, &mut y, &params, &mut batch).unwrap();
        assert!(batch.variance[1].is_nan() && batch.variance[2] == f32::INFINITY, "{batch:?}");
        let good = Statistics { mean: [2.0; 4], variance: [1.0; 4] };
        // In the first batch, where the running variance counts as 1, and behind another.
        for begun in [false, true] {
            let [mut running, mut want] = [(); 2].map(|()| BatchNormState::<4>::new());
            for state in [&mut running, &mut want] {
                if begun {
                    norm.track(shape, &good, state.as_mut()).unwrap();
                }
            }
            let [mean, variance] = if begun { want.columns } else { [[0.0; 4], [1.0; 4]] };
            norm.track(shape, &batch, running.as_mut()).unwrap();
            norm.track(shape, &good, want.as_mut()).unwrap(); // channel 0 has the same mean and variance
            assert_eq!(running.t(), want.t());
            assert_eq!(running.columns[0][0].to_bits(), want.columns[0][0].to_bits());
            assert_eq!(running.columns[1][0].to_bits(), want.columns[1][0].to_bits());
            assert_eq!(running.columns[0][1..], mean[1..], "{begun}");
            assert_eq!(running.columns[1][1..], variance[1..], "{begun}");
        }
    }
    // The unbiased variance may be infinite where the biased one is not.
    let mut running = BatchNormState::<1>::new();
    let batch = Statistics { mean: [1.0], variance: [3e38] };
    BatchNorm::new().track(BatchShape::dense(2, 1), &batch, running.as_mut()).unwrap();
    assert_eq!(running.columns, [[0.0], [1.0]]);
}

/// Nothing said how a convolution's result is normalised: its channels lie side by side, those of a shape one behind the other.
#[test]
fn a_convolution_is_normalised_by_filter() {
    const CONV: Conv2d = Conv2d::new([5, 4, 2], 3, [2, 3]);
    const BATCH: usize = 7;
    let mut random = Random(5);
    let params: [f32; CONV.params()] = core::array::from_fn(|_| random.signed());
    let x: Vec<f32> = (0..BATCH * CONV.inputs()).map(|_| random.signed()).collect();
    let mut h = vec![0.0; BATCH * CONV.outputs()];
    CONV.forward(&params, &x, &mut h).unwrap();

    let shape = BatchShape::channels_last(BATCH, CONV.output());
    assert_eq!((shape.len(), shape.channels), (h.len(), 3));
    let (norm, mut y) = (BatchNorm::new(), vec![0.0; h.len()]);
    let affine = Params { weight: [1.0; 3], bias: [0.0; 3] };
    let mut batch = Statistics { mean: [0.0; 3], variance: [0.0; 3] };
    norm.forward(shape, &h, &mut y, &affine, &mut batch).unwrap();
    for filter in 0..3 {
        let of =
            |all: &[f32]| -> Vec<f64> { all.iter().skip(filter).step_by(3).map(|x| f64::from(*x)).collect() };
        let (values, n) = (of(&h), (h.len() / 3) as f64);
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        assert!((f64::from(batch.mean[filter]) - mean).abs() < 1e-6, "{filter}");
        assert!((f64::from(batch.variance[filter]) - variance).abs() < 1e-6 * variance, "{filter}");
        for (y, x) in of(&y).iter().zip(values) {
            assert!((y - (x - mean) / (variance + 1e-5).sqrt()).abs() < 1e-5, "{filter}: {y}");
        }
    }
    // The weights of the layer are inputs x filters: folded, it gives the same.
    let mut running = BatchNormState::<3>::new();
    (running.columns, running.clock.t) = ([batch.mean, batch.variance], 1);
    let (mut folded, mut z) = (params, vec![0.0; h.len()]);
    let (bias, weights) = folded.split_at_mut(3);
    norm.fold_columns(&affine, &running, weights, bias).unwrap();
    CONV.forward(&folded, &x, &mut z).unwrap();
    assert!(z.iter().zip(&y).all(|(z, y)| (z - y).abs() < 1e-5));
}

/// Sizes whose product is beyond the largest number are refused, and do not come round to small ones.
#[test]
fn shapes_beyond_the_largest_number_are_refused() {
    let (high, params) = (usize::MAX / 2 + 1, Params { weight: [1.0; 2], bias: [0.0; 2] });
    for (batch, image, error) in [
        (high, [2, 1, 2], Error::Shape),
        (2, [high, 1, 2], Error::Shape),
        (1, [high, high, 2], Error::Shape),
        (usize::MAX, [usize::MAX, usize::MAX, 2], Error::Shape),
        (high, [1, 1, 2], Error::Shape),
        (high, [2, 0, 2], Error::Empty),
        (0, [high, 2, 2], Error::Empty),
    ] {
        let shape = BatchShape::channels_last(batch, image);
        let (mut y, mut batch) = ([7.0; 2], Statistics { mean: [7.0; 2], variance: [7.0; 2] });
        for x in [&[0.0_f32; 2][..], &[]] {
            let result = BatchNorm::new().forward(shape, x, &mut y, &params, &mut batch);
            assert_eq!(result, Err(error), "{image:?}");
            assert_eq!(GroupNorm::new(1).forward(shape, x, &mut y, &params, &mut batch), Err(error));
        }
        assert_eq!((y, batch.mean, batch.variance), ([7.0; 2], [7.0; 2], [7.0; 2]));
    }
}

/// The documentation gave the bias for all deviations beyond 1.8e19; one that is itself infinite gives NaN.
#[test]
fn deviations_beyond_the_range_are_nan() {
    let params = Params { weight: [1.0], bias: [0.5] };
    let normalised = |x: [f32; 9], of_group: bool| {
        let (shape, mut y) = (BatchShape { batch: 1, channels: 1, spatial: 9 }, [0.0; 9]);
        let mut all = Statistics { mean: [0.0], variance: [0.0] };
        if of_group {
            GroupNorm::new(1).forward(shape, &x, &mut y, &params, &mut all).unwrap();
        } else {
            BatchNorm::new().forward(shape, &x, &mut y, &params, &mut all).unwrap();
        }
        assert_eq!(all.variance, [f32::INFINITY]);
        y
    };
    for of_group in [false, true] {
        for size in [1e20, 1e30, 1.5e38] {
            let mut x = [-size; 9];
            x[4] = size;
            assert_eq!(normalised(x, of_group), [0.5; 9], "{size:e}");
        }
        let mut x = [-f32::MAX; 9];
        x[4] = f32::MAX;
        let y = normalised(x, of_group);
        assert!(y[4].is_nan() && y[0] == 0.5, "{y:?}");
    }
}

/// From sample 2^20 on a sample weighs 2^-20: at every level, and by the formula.
#[test]
fn inputs_beyond_the_window_have_the_same_bits_at_every_level() {
    let mut random = Random(9);
    let x: Vec<f32> = (0..5 * 37).map(|_| random.signed()).collect();
    let run = |exec: Exec| {
        let mut seen = InputNormState::<37>::new();
        seen.clock.t = (1 << 20) - 2;
        InputNorm::new().on(exec).update(seen.as_mut(), &x).unwrap();
        all_bits(&seen.columns.concat())
    };
    let want = run(Level::SCALAR.into());
    assert!(Level::available().all(|level| run(level.into()) == want));
    // The formula, across the sample from which on the weight stays.
    let (mut mean, mut variance) = (0.0_f32, 0.0_f32);
    for (k, row) in x.chunks(37).enumerate() {
        let n = ((1 << 20) - 1 + k).min(1 << 20) as f32;
        let d = row[0] - mean;
        mean += d / n;
        variance += (d * (row[0] - mean) - variance) / n;
    }
    assert_eq!([want[0], want[37]], [mean.to_bits(), variance.to_bits()]);
}
