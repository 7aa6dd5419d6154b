//! Limits of norms: of all gradients together, of rows and columns of weights.

use crate::support::random::{Random, SPECIAL, all_bits};
use crate::support::ulp::ulps;
use gradus::transform::*;
use gradus::*;

#[test]
fn the_norm_of_all_tensors_is_clipped() {
    let mut random = Random(35);
    for sizes in [vec![], vec![0], vec![1], vec![3, 0, 40], vec![67, 1, 17_000, 5]] {
        for size in [1e-30, 1e-3, 1.0, 1e5, 1e30_f32] {
            let tensors: Vec<Vec<f32>> =
                sizes.iter().map(|&n| random.vec(n, |random| size * random.signed())).collect();
            let views: Vec<&[f32]> = tensors.iter().map(Vec::as_slice).collect();
            let norm = tensors.iter().flatten().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            for max_norm in [1e-10, 0.5, 1.0, 1e10, f32::MAX, f32::INFINITY] {
                let Scale(factor) = ClipNorm { max_norm }.scale(Level::detect(), &views).unwrap();
                let want = (f64::from(max_norm) / (norm + 1e-6)).min(1.0);
                let slack = 1e-5 * want + 1e-45; // or one unit of a subnormal factor
                let error = (f64::from(factor) - want).abs();
                assert!(error <= slack, "{sizes:?} {size:e} {max_norm:e}: {factor:e} {want:e}");
                assert!(factor <= 1.0 && (f64::from(factor) - slack) * norm <= f64::from(max_norm));
            }
        }
    }
}

#[test]
fn a_norm_that_cannot_be_clipped_is_reported() {
    let clip = ClipNorm { max_norm: 1.0 };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for n in [1, 2, 16, 40] {
            let mut grads = vec![0.5; n];
            grads[n - 1] = bad;
            assert_eq!(clip.scale(Level::detect(), &[&grads]), Err(Error::NonFinite), "{bad} alone of {n}");
            assert_eq!(clip.scale(Level::detect(), &[&[1.0], &grads, &[]]), Err(Error::NonFinite));
            assert_eq!(clip.scale(Level::detect(), &[&grads, &[1.0]]), Err(Error::NonFinite));
            assert_eq!(clip.scale(Level::detect(), &[&[3e38], &grads]), Err(Error::NonFinite));
        }
        assert_eq!(clip.scale(Level::detect(), &[&[bad]]), Err(Error::NonFinite), "{bad} and nothing else");
        assert_eq!(clip.scale(Level::detect(), &[&[bad, bad], &[bad]]), Err(Error::NonFinite));
    }
    for max_norm in [0.0, -0.0, -1.0, f32::NAN, f32::NEG_INFINITY] {
        assert_eq!(ClipNorm { max_norm }.scale(Level::detect(), &[&[1.0]]), Err(Error::Range(Hyper::Limit)));
    }
    // Huge but finite: the squares overflow, the norm does not.
    let Scale(factor) = clip.scale(Level::detect(), &[&[2e38], &[1e38]]).unwrap();
    assert!((f64::from(factor) * 5_f64.sqrt() * 1e38 - 1.0).abs() < 1e-5);
}

#[test]
fn columns_have_the_same_bits_at_every_level() {
    let mut random = Random(37);
    for width in 1..=67 {
        for (row, limit) in [(1, 2.0), (3, 0.5), (5, 1e38), (4, f32::INFINITY)] {
            let ordinary = random.vec(width * row, |random| 4.0 * random.signed());
            let special = random.vec(width * row, |random| SPECIAL[random.word() as usize % SPECIAL.len()]);
            for start in [ordinary, special] {
                let run = |level| {
                    let mut params = start.clone();
                    MaxNorm { row, limit }.apply_columns(level, &mut params).unwrap();
                    all_bits(&params)
                };
                let want = run(Level::SCALAR);
                for level in Level::available() {
                    assert_eq!(run(level), want, "{width} x {row}, limit {limit:e}, {level}");
                }
            }
        }
    }
}

#[test]
fn rows_are_limited_to_their_norm() {
    let mut random = Random(36);
    for (rows, row) in [(1, 1), (3, 2), (5, 16), (4, 67), (0, 9)] {
        for size in [1e-20, 1.0, 1e18_f32] {
            let start = random.vec(rows * row, |random| size * random.signed());
            let limit = 0.4 * size * (row as f32).sqrt();
            let mut params = start.clone();
            MaxNorm { row, limit }.apply(Level::detect(), &mut params).unwrap();
            for (before, after) in start.chunks(row).zip(params.chunks(row)) {
                let norm = before.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
                let factor = (f64::from(limit) / norm).min(1.0);
                for (x, y) in before.iter().zip(after) {
                    assert!(ulps(*y, factor * f64::from(*x)).abs() <= 6.0, "{x:e} -> {y:e}, factor {factor}");
                }
            }
        }
    }
    // A column of the transposed matrix likewise, beyond a block of columns too.
    for (rows, row) in [(1, 1), (3, 2), (70, 16), (130, 5), (0, 9)] {
        for size in [1e-30, 1.0, 1e30_f32] {
            let start = random.vec(rows * row, |random| size * random.signed());
            let limit = 0.4 * size * (row as f32).sqrt();
            let mut params = start.clone();
            MaxNorm { row, limit }.apply_columns(Level::detect(), &mut params).unwrap();
            for k in 0..rows {
                let column = |x: &[f32]| (0..row).map(|j| x[j * rows + k]).collect::<Vec<_>>();
                let (before, after) = (column(&start), column(&params));
                let norm = before.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
                let factor = (f64::from(limit) / norm).min(1.0);
                for (x, y) in before.iter().zip(after) {
                    assert!(ulps(y, factor * f64::from(*x)).abs() <= 6.0, "{x:e} -> {y:e}, factor {factor}");
                }
            }
        }
    }
    let mut odd = [f32::INFINITY, f32::NAN, 3e38, 0.0, 1.0, 1.0, 3e38, 0.0]; // columns of two
    MaxNorm { row: 2, limit: 1.0 }.apply_columns(Level::detect(), &mut odd).unwrap();
    assert!(odd[1].is_nan() && odd[5] == 1.0, "{odd:?}");
    assert_eq!((odd[0], odd[4], odd[3], odd[7]), (1.0, 0.0, 0.0, 0.0)); // as a row of infinity and 1
    assert_eq!((odd[2], odd[6]), (core::f32::consts::FRAC_1_SQRT_2, core::f32::consts::FRAC_1_SQRT_2));
    // A row at its limit keeps its bits: divided and multiplied by the norm it might not.
    for _ in 0..100 {
        let start = random.vec(9, |random| random.signed());
        let mut params = start.clone();
        MaxNorm { row: 9, limit: l2_norm(Level::detect(), &start) }
            .apply(Level::detect(), &mut params)
            .unwrap();
        assert_eq!(params, start);
    }
    let mut params = [1.0; 7];
    assert_eq!(MaxNorm { row: 2, limit: 0.1 }.apply(Level::detect(), &mut params), Err(Error::Shape));
    assert_eq!(MaxNorm { row: 0, limit: 0.1 }.apply(Level::detect(), &mut params), Err(Error::Empty));
    assert_eq!(MaxNorm { row: 2, limit: 0.1 }.apply_columns(Level::detect(), &mut params), Err(Error::Shape));
    assert_eq!(MaxNorm { row: 0, limit: 0.1 }.apply_columns(Level::detect(), &mut params), Err(Error::Empty));
    assert_eq!(
        MaxNorm { row: 7, limit: 0.0 }.apply_columns(Level::detect(), &mut params),
        Err(Error::Range(Hyper::Limit))
    );
    for limit in [0.0, -1.0, f32::NAN] {
        assert_eq!(
            MaxNorm { row: 7, limit }.apply(Level::detect(), &mut params),
            Err(Error::Range(Hyper::Limit))
        );
    }
    assert_eq!(params, [1.0; 7]);
}
