//! Dropout: its formula, its edge cases, and the same bits however the pass is made.

use gradus::noise::{Dropout, Masks, mask_words};
use gradus::{Argument, Element, Error, Hyper, Level};
use proptest::prelude::*;

/// Values nobody likes among ordinary ones.
fn values(n: usize) -> Vec<f32> {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MAX, f32::MIN_POSITIVE / 2.0];
    (0..n).map(|i| if i % 5 == 3 { odd[i / 5 % 7] } else { (i as f32 - 30.0) * 0.37 }).collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    // The payload of a NaN is not part of the promise.
    x.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

fn mask(n: usize, keep_prob: f32) -> Vec<u32> {
    let mut mask = vec![0; mask_words(n)];
    Masks::new(4).fill(keep_prob, &mut mask);
    mask
}

/// The formula, one element at a time.
fn expected(x: &[f32], mask: &[u32], scale: f32, relu: bool) -> Vec<f32> {
    let one = |(i, &x): (usize, &f32)| {
        let x = if relu && x < 0.0 { 0.0 } else { x };
        if mask[i / 32] >> (i % 32) & 1 == 1 { x * scale } else { 0.0 }
    };
    x.iter().enumerate().map(one).collect()
}

#[test]
fn every_form_every_level_every_length_and_offset() {
    for dropout in [Dropout::keep_prob(0.7), Dropout::keep_prob(0.7).vanilla(), Dropout::drop_prob(0.5)] {
        let scale = if dropout.inverted { 1.0 / dropout.keep_prob } else { 1.0 };
        // From 256 elements on the first ones are done apart, to align the others.
        for n in (0..=67).chain([255, 256, 257, 271, 288, 300]).chain([1023, 1024, 1025, 2500, 4096 + 33]) {
            let offsets = if n <= 300 { 0..16 } else { 3..5 };
            for offset in offsets {
                let whole = values(n + 16);
                let x = &whole[offset..offset + n];
                let mask = mask(n, dropout.keep_prob);
                let plain = expected(x, &mask, scale, false);
                let relu = expected(x, &mask, scale, true);
                for level in Level::available() {
                    let at = format!("{dropout:?} {level} n {n} offset {offset}");
                    let mut memory = whole.clone();
                    let y = &mut memory[offset..offset + n];
                    dropout.on(level).forward(&mut y[..], &mask[..]).unwrap();
                    assert_eq!(bits(y), bits(&plain), "in place, {at}");
                    assert_eq!(bits(&memory[..offset]), bits(&whole[..offset]), "before, {at}");
                    assert_eq!(bits(&memory[offset + n..]), bits(&whole[offset + n..]), "behind, {at}");

                    let mut y = vec![7.0; n];
                    dropout.on(level).forward((x, &mut y[..]), &mut Masks::new(4)).unwrap();
                    assert_eq!(bits(&y), bits(&plain), "drawn, {at}");

                    dropout.on(level).relu_forward((x, &mut y[..]), &mask[..]).unwrap();
                    assert_eq!(bits(&y), bits(&relu), "relu, {at}");

                    let mut y = x.to_vec();
                    dropout.on(level).relu_forward(&mut y[..], &mut Masks::new(4)).unwrap();
                    assert_eq!(bits(&y), bits(&relu), "relu drawn, {at}");

                    // Its backward pass reads the mask from the output.
                    let g: Vec<f32> = (0..n).map(|i| 1.5 - i as f32).collect();
                    let positive = |i: usize| if relu[i] > 0.0 { g[i] * scale } else { relu[i] + 0.0 };
                    let want: Vec<f32> = (0..n).map(positive).collect();
                    let mut grads = vec![7.0; n];
                    dropout.on(level).relu_backward((&g[..], &mut grads[..]), &y).unwrap();
                    assert_eq!(bits(&grads), bits(&want), "relu backward, {at}");

                    let mut z = x.to_vec();
                    dropout.on(level).inference(&mut z[..]).unwrap();
                    let factor = if dropout.inverted { 1.0 } else { dropout.keep_prob };
                    let want: Vec<f32> = x.iter().map(|x| x * factor).collect();
                    assert_eq!(bits(&z), bits(&want), "test, {at}");
                }
            }
        }
    }
}

#[test]
fn drop_zero_is_the_identity_and_drop_one_gives_plus_zero() {
    let x = values(200);
    for level in Level::available() {
        for dropout in [Dropout::drop_prob(0.0), Dropout::drop_prob(0.0).vanilla()] {
            let mut masks = Masks::new(1);
            let mut y = x.clone();
            dropout.on(level).forward(&mut y[..], &mut masks).unwrap();
            dropout.on(level).inference(&mut y[..]).unwrap();
            assert_eq!((bits(&y), masks), (bits(&x), Masks::new(1)));
        }
        for dropout in [Dropout::drop_prob(1.0), Dropout::drop_prob(1.0).vanilla()] {
            for relu in [false, true] {
                let mut y = x.clone();
                let masks = &mut Masks::new(1);
                if relu {
                    dropout.on(level).relu_forward(&mut y[..], masks).unwrap();
                } else {
                    dropout.on(level).forward(&mut y[..], masks).unwrap();
                }
                assert_eq!(bits(&y), vec![0; 200], "{level}");
                let mut grads = x.clone();
                dropout.on(level).relu_backward(&mut grads[..], &y).unwrap();
                assert_eq!(bits(&grads), vec![0; 200], "{level}");
            }
        }
    }
}

#[test]
fn backward_is_the_gradient_of_forward() {
    // In f64, by central differences of sum(c * forward(x)).
    fn loss(dropout: &Dropout, x: &[f64], c: &[f64], relu: bool) -> f64 {
        let mut y = x.to_vec();
        let masks = &mut Masks::new(21);
        if relu {
            dropout.relu_forward(&mut y[..], masks).unwrap();
        } else {
            dropout.forward(&mut y[..], masks).unwrap();
        }
        y.iter().zip(c).map(|(y, c)| y * c).sum()
    }
    let n = 75;
    let mut x: Vec<f64> = (0..n).map(|i| (f64::from(i) * 0.7).sin() + 0.01).collect();
    let c: Vec<f64> = (0..n).map(|i| (f64::from(i) * 1.3).cos()).collect();
    for dropout in [Dropout::drop_prob(0.3), Dropout::drop_prob(0.3).vanilla()] {
        for relu in [false, true] {
            let mut grads = c.clone();
            if relu {
                let mut y = x.clone();
                dropout.relu_forward(&mut y[..], &mut Masks::new(21)).unwrap();
                dropout.relu_backward(&mut grads[..], &y).unwrap();
            } else {
                dropout.backward(&mut grads[..], &mut Masks::new(21)).unwrap();
            }
            for i in 0..x.len() {
                let (at, h) = (x[i], 1e-4);
                x[i] = at + h;
                let above = loss(&dropout, &x, &c, relu);
                x[i] = at - h;
                let below = loss(&dropout, &x, &c, relu);
                x[i] = at;
                let slope = (above - below) / (2.0 * h);
                assert!((slope - grads[i]).abs() < 1e-9, "relu {relu} element {i}: {slope} {}", grads[i]);
            }
        }
    }
}

#[test]
fn inverted_dropout_keeps_the_expected_value() {
    for drop_prob in [0.1, 0.5, 0.8] {
        let n = 1 << 18;
        let mut x = vec![1.0_f32; n];
        Dropout::drop_prob(drop_prob).forward(&mut x[..], &mut Masks::new(3)).unwrap();
        let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
        let sigma = (drop_prob / (1.0 - drop_prob) / n as f64).sqrt();
        assert!((mean - 1.0).abs() < 4.0 * sigma, "{drop_prob}: {mean}");
    }
}

#[test]
fn lengths_that_do_not_fit_are_refused_before_anything_is_written() {
    let dropout = Dropout::drop_prob(0.5);
    let mut x = [1.0_f32; 40];
    let mut masks = Masks::new(1);
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    assert_eq!(dropout.forward(&mut x, &[0_u32; 1]), length(Argument::Mask, 2, 1));
    assert_eq!(dropout.backward(&mut x, &[0_u32; 3]), length(Argument::Mask, 2, 3));
    assert_eq!(
        dropout.relu_forward((&[0.0; 39][..], &mut x[..]), &mut masks),
        length(Argument::Output, 39, 40)
    );
    assert_eq!(dropout.relu_backward(&mut x, &[1.0; 41]), length(Argument::Read, 40, 41));
    assert_eq!(dropout.inference((&[0.0; 41][..], &mut x[..])), length(Argument::Output, 41, 40));
    assert_eq!((x, masks), ([1.0; 40], Masks::new(1)));
}

#[test]
fn check_names_the_probability() {
    for keep_prob in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        assert_eq!(Dropout::keep_prob(keep_prob).check(), Err(Error::Range(Hyper::Probability)));
    }
    for keep_prob in [0.0, 0.5, 1.0] {
        assert_eq!(Dropout::keep_prob(keep_prob).check(), Ok(()));
    }
    assert_eq!(Dropout::drop_prob(0.25), Dropout::keep_prob(0.75));
}

fn same_at_every_level<T: Element + std::fmt::Debug>(x: &[T], keep_prob: f32, seed: u64) {
    let run = |level| {
        let mut y = x.to_vec();
        Dropout::keep_prob(keep_prob).on(level).forward(&mut y[..], &mut Masks::new(seed)).unwrap();
        y
    };
    for level in Level::available() {
        assert_eq!(run(level), run(Level::SCALAR), "{level}");
    }
}

#[test]
fn relu_backward_gives_plus_zero_wherever_y_is_not_positive() {
    let y = [-1.5, f32::NEG_INFINITY, -f32::MIN_POSITIVE, -0.0, 0.0, 2.0, f32::INFINITY];
    let y: Vec<f32> = y.into_iter().cycle().take(40).collect(); // of any origin, not only the rectifier's
    let want: Vec<f32> = y.iter().map(|y| if *y > 0.0 { 6.0 } else { 0.0 }).collect();
    for level in Level::available() {
        let mut grads = [3.0; 40];
        Dropout::keep_prob(0.5).on(level).relu_backward(&mut grads, &y).unwrap();
        assert_eq!(bits(&grads), bits(&want), "{level}");
        Dropout::keep_prob(0.5).on(level).relu_backward(&mut grads, &[f32::NAN; 40]).unwrap();
        assert!(grads.iter().all(|g| g.is_nan()), "{level}");
    }
}

proptest! {
    /// Forward and backward take the same mask, kept in words or drawn again.
    #[test]
    fn forward_equals_backward(seed: u64, keep_prob in 0.01_f32..1.0, n in 0_usize..3000) {
        let dropout = Dropout::keep_prob(keep_prob);
        let (mut masks, mut again) = (Masks::new(seed), Masks::new(seed));
        let mut kept = vec![0; mask_words(n)];
        masks.clone().fill(keep_prob, &mut kept);
        let (mut y, mut g, mut h) = (vec![1.0_f32; n], vec![1.0; n], vec![1.0; n]);
        dropout.forward(&mut y[..], &mut masks).unwrap();
        dropout.backward(&mut g[..], &mut again).unwrap();
        dropout.backward(&mut h[..], &kept[..]).unwrap();
        prop_assert_eq!(&y, &g);
        prop_assert_eq!(&y, &h);
        prop_assert_eq!(masks, again);
    }

    #[test]
    fn levels_agree(x in prop::collection::vec(-1e3_f32..1e3, 0..300), keep_prob in 0.0_f32..=1.0, seed: u64) {
        same_at_every_level(&x, keep_prob, seed);
        let doubles: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        same_at_every_level(&doubles, keep_prob, seed);
    }
}
