//! Fractional max pooling against PyTorch, by its definition, and in its corners.

use crate::support::random::{Random, all_bits};
use crate::support::vectors::{floats, layers, size};
use gradus::pool::{FractionalMaxPool, Regions, Window, pytorch_regions};
use gradus::{Argument, Error, Hyper};
use proptest::prelude::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

const REFUSED: Result<(), Error> = Err(Error::Shape);

fn starts(windows: &[Window]) -> Vec<u64> {
    windows.iter().map(|window| window.start as u64).collect()
}

#[test]
fn windows_maxima_indices_and_gradients_are_pytorchs() {
    for case in layers("fractional_max_pool") {
        let name = case["name"].as_str().unwrap();
        let [height, width] = ["height", "width"].map(|key| size(&case, key));
        let [out_height, out_width] = ["out_height", "out_width"].map(|key| size(&case, key));
        let (area, count) = (height * width, out_height * out_width);
        let samples = floats(&case, "samples");
        let (x, grad_y) = (floats(&case, "input"), floats(&case, "grad_output"));
        let (y, grad_x) = (floats(&case, "output"), floats(&case, "grad_input"));
        let indices: Vec<u32> =
            case["indices"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as u32).collect();
        for plane in 0..size(&case, "batch") * size(&case, "channels") {
            let mut rows = vec![Window::default(); out_height];
            let mut columns = vec![Window::default(); out_width];
            pytorch_regions(width, size(&case, "pool_width"), samples[2 * plane], &mut columns).unwrap();
            pytorch_regions(height, size(&case, "pool_height"), samples[2 * plane + 1], &mut rows).unwrap();
            for (key, windows) in [("starts_width", &columns), ("starts_height", &rows)] {
                let want: Vec<u64> =
                    case[key][plane].as_array().unwrap().iter().map(|s| s.as_u64().unwrap()).collect();
                assert_eq!(starts(windows), want, "{name} {key}");
            }
            let pool = FractionalMaxPool::new([height, width], &rows, &columns).unwrap();
            let (inputs, outputs) = (plane * area..(plane + 1) * area, plane * count..(plane + 1) * count);
            let (mut got, mut at) = (vec![7.0; count], vec![7; count]);
            pool.forward(&x[inputs.clone()], &mut got, &mut at).unwrap();
            assert_eq!(all_bits(&got), all_bits(&y[outputs.clone()]), "{name}");
            assert_eq!(at, indices[outputs.clone()], "{name}");
            let mut grads = vec![7.0; area];
            pool.backward(&grad_y[outputs], &at, &mut grads).unwrap();
            assert_eq!(all_bits(&grads), all_bits(&grad_x[inputs]), "{name}");
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_forward_pass() {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(4);
    let (mut rows, mut columns) = ([Window::default(); 4], [Window::default(); 3]);
    Regions::Overlapping.random(6, &mut rng, &mut rows).unwrap();
    Regions::Overlapping.pseudo_random(5, &mut rng, &mut columns).unwrap();
    let pool = FractionalMaxPool::new([6, 5], &rows, &columns).unwrap();
    let mut random = Random(2);
    let mut x: Vec<f64> = (0..60).map(|_| f64::from(random.signed())).collect(); // two planes
    let g: Vec<f64> = (0..24).map(|_| f64::from(random.signed())).collect();
    let loss = |x: &[f64]| {
        let (mut y, mut indices) = ([0.0; 24], [0; 24]);
        pool.forward(x, &mut y, &mut indices).unwrap();
        (y.iter().zip(&g).map(|(y, g)| y * g).sum::<f64>(), indices)
    };
    let (_, indices) = loss(&x);
    let mut grads = [7.0; 60];
    pool.backward(&g, &indices, &mut grads).unwrap();
    for k in 0..60 {
        let (at, h) = (x[k], 1e-6);
        x[k] = at + h;
        let above = loss(&x).0;
        x[k] = at - h;
        let below = loss(&x).0;
        x[k] = at;
        assert!(((above - below) / (2.0 * h) - grads[k]).abs() < 1e-8);
    }
}

#[test]
fn nan_infinity_and_ties() {
    let windows = [Window { start: 0, len: 3 }];
    let pool = FractionalMaxPool::new([1, 3], &[Window { start: 0, len: 1 }], &windows).unwrap();
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for (x, index) in [
        ([1.0, 1.0, 0.0], 0),
        ([-inf, -inf, -inf], 0),
        ([-inf, -1e38, -inf], 1),
        ([nan, inf, 1.0], 0),
        ([1.0, nan, inf], 1),
        ([nan, 1.0, nan], 2),
        ([-0.0, 0.0, -0.0], 0),
    ] {
        let (mut y, mut at) = ([7.0], [7]);
        pool.forward(&x, &mut y, &mut at).unwrap();
        assert_eq!((all_bits(&y), at[0]), (all_bits(&x[index..=index]), index as u32), "{x:?}");
    }
}

#[test]
fn sizes_of_nothing_one_equal_and_larger() {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    for regions in [Regions::Disjoint, Regions::Overlapping] {
        for (size, count, fits) in [
            (0, 0, false),
            (5, 0, false),
            (0, 1, false),
            (1, 1, true),
            (5, 5, true),
            (5, 6, false),
            (5, 1, true),
        ] {
            let mut windows = vec![Window { start: 9, len: 9 }; count];
            let before = windows.clone();
            let random = regions.random(size, &mut rng, &mut windows);
            let pseudo = regions.pseudo_random(size, &mut rng, &mut windows);
            assert_eq!((random, pseudo), if fits { (Ok(()), Ok(())) } else { (REFUSED, REFUSED) });
            if !fits {
                assert_eq!(windows, before);
            } else if count == size {
                assert_eq!(starts(&windows), (0..size as u64).collect::<Vec<_>>());
            }
        }
    }
    let mut windows = [Window { start: 9, len: 9 }; 3];
    for (size, pool) in [(5, 0), (5, 6), (5, 4), (2, 1)] {
        assert_eq!(pytorch_regions(size, pool, 0.5, &mut windows), REFUSED, "{size} {pool}");
    }
    for sample in [-0.1, 1.0, f32::NAN] {
        assert_eq!(pytorch_regions(5, 2, sample, &mut windows), Err(Error::Range(Hyper::Probability)));
    }
    assert_eq!(pytorch_regions(5, 2, 0.5, &mut []), REFUSED);
    assert_eq!(windows, [Window { start: 9, len: 9 }; 3]);
    pytorch_regions(5, 3, 0.999, &mut windows).unwrap();
    assert_eq!(starts(&windows), [0, 1, 2]);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let w = |start, len| Window { start, len };
    let new = |rows: &[Window], columns: &[Window]| FractionalMaxPool::new([2, 3], rows, columns).map(|_| ());
    assert_eq!(new(&[w(0, 2)], &[w(2, 1)]), Ok(()));
    for (rows, columns) in [
        (vec![w(0, 3)], vec![w(0, 1)]),
        (vec![w(0, 1)], vec![w(2, 2)]),
        (vec![w(0, 0)], vec![w(0, 1)]),
        (vec![w(usize::MAX, 2)], vec![w(0, 1)]),
    ] {
        assert_eq!(new(&rows, &columns), REFUSED, "{rows:?} {columns:?}");
    }
    assert_eq!([new(&[], &[w(0, 1)]), new(&[w(0, 1)], &[])], [Err(Error::Empty); 2]);
    assert!(FractionalMaxPool::new([1 << 20, 1 << 20], &[w(0, 1)], &[w(0, 1)]).is_err());
    assert!(FractionalMaxPool::new([usize::MAX, 2], &[w(0, 1)], &[w(0, 1)]).is_err());

    let (rows, columns) = ([w(0, 1), w(1, 1)], [w(0, 2)]);
    let pool = FractionalMaxPool::new([2, 3], &rows, &columns).unwrap();
    let (mut y, mut indices, mut grads) = ([7.0_f32; 4], [7; 4], [7.0_f32; 12]);
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    assert_eq!(pool.forward(&[0.0; 11], &mut y, &mut indices), REFUSED);
    assert_eq!(pool.forward(&[0.0; 12], &mut y[..3], &mut indices), length(Argument::Output, 4, 3));
    assert_eq!(pool.forward(&[0.0; 12], &mut y, &mut indices[..2]), length(Argument::Indices, 4, 2));
    assert_eq!(pool.backward(&[1.0; 4], &[0, 1, 2, 6], &mut grads), REFUSED);
    assert_eq!(pool.backward(&[1.0; 5], &[0; 4], &mut grads), length(Argument::Grads, 4, 5));
    assert_eq!(pool.backward(&[1.0; 4], &[0; 4], &mut grads[..7]), REFUSED);
    assert_eq!((y, indices, grads), ([7.0; 4], [7; 4], [7.0; 12]));
    assert_eq!(pool.forward::<f32>(&[], &mut [], &mut []), Ok(()));
}

#[test]
fn random_orders_are_equally_likely() {
    // 5 in 3 pieces: one of 1 and two of 2, in three orders.
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
    let mut counts = [0; 3];
    for _ in 0..3000 {
        let mut windows = [Window::default(); 3];
        Regions::Disjoint.random(5, &mut rng, &mut windows).unwrap();
        counts[windows.iter().position(|window| window.len == 1).unwrap()] += 1;
    }
    let chi = counts.iter().map(|n| (f64::from(*n) - 1000.0).powi(2) / 1000.0).sum::<f64>();
    assert!(chi < 14.0, "{counts:?}"); // 0.1 %
}

proptest! {
    /// Pieces cover the axis, differ by one at most, and overlap as they should.
    #[test]
    fn windows_cover_the_axis(size in 1_usize..200, count in 1_usize..200, seed: u64, overlap: bool, pseudo: bool) {
        prop_assume!(count <= size);
        let regions = if overlap { Regions::Overlapping } else { Regions::Disjoint };
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
        let mut windows = vec![Window::default(); count];
        if pseudo {
            regions.pseudo_random(size, &mut rng, &mut windows).unwrap();
        } else {
            regions.random(size, &mut rng, &mut windows).unwrap();
        }
        let mut start = 0;
        for (i, window) in windows.iter().enumerate() {
            prop_assert_eq!(window.start, start);
            let shared = usize::from(overlap && i + 1 < count);
            let len = window.len - shared;
            prop_assert!(len == size / count || len == size.div_ceil(count));
            start += len;
        }
        prop_assert_eq!(start, size);
        if pseudo {
            // As even as integers can stand: never more than one from the straight line.
            for (i, window) in windows.iter().enumerate() {
                prop_assert!((window.start * count).abs_diff(i * size) < count);
            }
        }
        prop_assert!(FractionalMaxPool::new([size, size], &windows, &windows).is_ok());
    }
}
