//! Gradients in half the memory: what a backward pass adds to them, and a step with them.

use crate::support::halves::{dither, round};
use crate::support::random::Random;
use crate::support::worst::worst;
use gradus::layer::{Conv2d, Dense, DepthwiseConv2d, HalfGrads};
use gradus::transform::{L2, Scale};
use gradus::*;

const BATCH: usize = 3;

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| if x.is_nan() { 0x7FC0_0000 } else { x.to_bits() }).collect()
}

fn words(x: &[Bf16]) -> Vec<u16> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn wide(x: &[Bf16]) -> Vec<f32> {
    x.iter().map(|x| x.to_f32()).collect()
}

/// Sums to begin with: of all sizes, or of all patterns of bits.
fn sums(random: &mut Random, n: usize, special: bool) -> Vec<Bf16> {
    let mut next = || if special { random.any() } else { random.sized(-4.0, 4.0) };
    (0..n).map(|_| Bf16::from_bits((next().to_bits() >> 16) as u16)).collect()
}

/// Passes of a layer beside `backward` on `f32`, whose sums are rounded by hand.
macro_rules! layers {
    ($($layer:expr, $inputs:expr, $outputs:expr, $params:expr;)*) => {
        $(for special in [false, true] {
            let mut random = Random(41);
            let layer = $layer;
            let (inputs, outputs, n) = ($inputs(&layer), $outputs(&layer), $params(&layer));
            let mut column = |n: usize, special: bool| -> Vec<f32> {
                (0..n).map(|_| if special { random.any() } else { random.signed() }).collect()
            };
            let params = column(n, false);
            let passes: [_; 3] =
                std::array::from_fn(|_| (column(BATCH * inputs, special), column(BATCH * outputs, special)));
            let start = sums(&mut random, n, special);
            let (mut want, mut want_dx) = (start.clone(), Vec::new());
            for (t, (x, dy)) in (8..).zip(&passes) {
                let (mut grads, mut dx) = (wide(&want), vec![0.0; BATCH * inputs]);
                layer.on(Level::SCALAR).backward(&params, &mut grads, x, dy, Some(&mut dx)).unwrap();
                for ((sum, x), i) in want.iter_mut().zip(&grads).zip(0..) {
                    *sum = Bf16::from_bits(round(*x, dither(t, i, 3)));
                }
                want_dx = dx;
            }
            let execs = Level::available().map(Exec::from);
            #[cfg(feature = "rayon")]
            let execs = execs.chain([Exec::threads()]);
            for exec in execs {
                let (mut grads, mut count, mut dx) = (start.clone(), 7, vec![7.0; BATCH * inputs]);
                for (x, dy) in &passes {
                    let grads = HalfGrads::new(&mut grads, &mut count);
                    layer.on(exec).backward_half(&params, grads, x, dy, Some(&mut dx)).unwrap();
                }
                assert_eq!(words(&grads), words(&want), "{layer:?} {exec:?} {special}");
                assert_eq!(bits(&dx), bits(&want_dx));
                assert_eq!(count, 10);
            }
        })*
    };
}

#[test]
fn a_pass_reads_and_rounds_each_sum_once_as_defined() {
    let dense = [|l: &Dense| l.inputs, |l: &Dense| l.outputs, Dense::params];
    let images = [Conv2d::inputs, Conv2d::outputs, Conv2d::params];
    let apart = [DepthwiseConv2d::inputs, DepthwiseConv2d::outputs, DepthwiseConv2d::params];
    layers! {
        Dense::new(5, 7), dense[0], dense[1], dense[2];
        Dense::new(67, 33), dense[0], dense[1], dense[2];
        Dense::new(6, 300), dense[0], dense[1], dense[2]; // a strip holds three rows
        Dense::new(9, 1100), dense[0], dense[1], dense[2]; // and a part of one
        Conv2d::new([6, 5, 2], 9, [3, 3]).padding([1, 1]), images[0], images[1], images[2];
        Conv2d::new([7, 6, 3], 130, [3, 2]).stride([2, 1]), images[0], images[1], images[2];
        DepthwiseConv2d::new([6, 6, 5], [3, 3]), apart[0], apart[1], apart[2];
    }
}

#[test]
#[cfg(feature = "rayon")]
fn threads_do_not_show() {
    // Enough products for several threads.
    let (layer, mut random) = (Dense::new(257, 300), Random(42));
    let batch = 64;
    let mut column = |n: usize| -> Vec<f32> { (0..n).map(|_| random.signed()).collect() };
    let (params, x, dy) = (column(layer.params()), column(batch * 257), column(batch * 300));
    let run = |exec: Exec| {
        let (mut grads, mut count) = (vec![Bf16::default(); layer.params()], 0);
        for _ in 0..2 {
            let grads = HalfGrads::new(&mut grads, &mut count);
            layer.on(exec).backward_half(&params, grads, &x, &dy, None).unwrap();
        }
        words(&grads)
    };
    let want = run(Exec::new());
    for threads in [1, 2, 3, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| run(Exec::threads())) == want, "{threads}");
    }
}

/// Layers that take their parts of one slice round as one that has all of it.
#[test]
fn parts_know_their_place() {
    const N: usize = 4 * 8 + 8;
    let (layer, mut random) = (Dense::new(4, 8), Random(43));
    let (x, dy): ([f32; 4], [f32; 8]) =
        (std::array::from_fn(|_| random.signed()), std::array::from_fn(|_| random.signed()));
    let mut rounded = [Bf16::default(); 2 * N + 3];
    let mut count = 0;
    let parts = HalfGrads::new(&mut rounded, &mut count).split([3, N, N]).unwrap();
    let lengths = parts.each_ref().map(HalfGrads::len);
    assert_eq!(lengths, [3, N, N]);
    assert!(parts.iter().all(|part| !part.is_empty()) && HalfGrads::new(&mut [], &mut 0).is_empty());
    let [_, first, second] = parts;
    for part in [first, second] {
        layer.backward_half(&[0.0; N], part, &x, &dy, None).unwrap();
    }
    let mut grads = [0.0; N];
    layer.backward(&[0.0; N], &mut grads, &x, &dy, None).unwrap();
    for (i, half) in rounded.iter().enumerate().skip(3) {
        assert_eq!(half.to_bits(), round(grads[(i - 3) % N], dither(1, i as u32, 3)), "{i}");
    }
    assert_ne!(rounded[3..3 + N], rounded[3 + N..], "another place, another rounding");
    assert!(HalfGrads::new(&mut rounded, &mut count).split([3, N]).is_err());
    assert!(HalfGrads::new(&mut rounded, &mut count).split([usize::MAX, N]).is_err());
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let layer = Dense::new(2, 3);
    let (mut grads, mut count) = ([Bf16::from_bits(0x4000); 9], 0);
    let mut dx = [7.0; 2];
    for (n, params, x, dy) in [(8, 9, 2, 3), (9, 8, 2, 3), (9, 9, 3, 3), (9, 9, 2, 4)] {
        let grads = HalfGrads::new(&mut grads[..n], &mut count);
        let (params, x, dy) = (vec![1.0; params], vec![1.0; x], vec![1.0; dy]);
        let result = layer.backward_half(&params, grads, &x, &dy, Some(&mut dx));
        assert!(matches!(result, Err(Error::Length { .. })));
    }
    assert_eq!((grads, dx), ([Bf16::from_bits(0x4000); 9], [7.0; 2]));
    let adam = Adam::new(0.1);
    let (mut params, mut state) = ([1.0; 9], adam.state::<9>());
    assert!(adam.step_half_grads(&mut params, &grads[..8], state.as_mut()).is_err());
    let mut short = adam.state::<8>();
    assert!(adam.step_half_grads(&mut params, &grads, short.as_mut()).is_err());
    assert_eq!((params, state.t(), short.t()), ([1.0; 9], 0, 0));
}

/// Ten thousand gradients, each smaller than half of the sum's last digit: to the nearest all but the first would be lost.
#[test]
fn small_gradients_are_not_lost() {
    let layer = Dense::new(63, 64);
    let (params, x) = (vec![0.0; layer.params()], vec![1.0; 63]);
    let (mut grads, mut count) = (vec![Bf16::default(); layer.params()], 0);
    let passes = 10_000;
    for pass in 0..passes {
        let dy = [if pass == 0 { 1.0 } else { 1e-3 }; 64];
        layer.backward_half(&params, HalfGrads::new(&mut grads, &mut count), &x, &dy, None).unwrap();
    }
    let want = 1.0 + 1e-3 * f64::from(passes - 1);
    let mean = grads.iter().map(|x| f64::from(x.to_f32())).sum::<f64>() / grads.len() as f64;
    // A sum has a deviation of 7 %, and the mean of 4096 of 0.11 %.
    assert!((mean / want - 1.0).abs() < 4e-3, "{mean} of {want}");
    let worst = worst(grads.iter().map(|x| (f64::from(x.to_f32()) / want - 1.0).abs()));
    assert!(worst < 0.35, "{worst}");
    assert_eq!(Bf16::from_f32_nearest(1.0 + 1e-3), Bf16::from_f32_nearest(1.0));
}

/// A step is that with the same numbers as `f32`, whatever the state is stored as, at every level.
#[test]
fn a_step_widens_the_gradients() {
    fn check<O: Optimizer>(optimizer: O) {
        for n in [0, 1, 7, 255, 256, 257, 1023, 1024, 1025, 3000] {
            let mut random = Random(44);
            let grads = sums(&mut random, n, false);
            let start: Vec<f32> = (0..n).map(|_| random.signed()).collect();
            let run = |exec: Exec, half: bool| {
                let (mut params, mut state) = (start.clone(), optimizer.state_vec(n));
                let optimizer = optimizer.with((Scale(0.5), L2::weight_decay(0.1))).on(exec);
                for _ in 0..3 {
                    if half {
                        optimizer.step_half_grads(&mut params, &grads, state.as_mut()).unwrap();
                    } else {
                        optimizer.step_slices(&mut params, &wide(&grads), state.as_mut()).unwrap();
                    }
                }
                assert_eq!(state.t(), 3);
                (params, state)
            };
            let want = run(Level::SCALAR.into(), false);
            for level in Level::available() {
                assert!(run(level.into(), true) == want, "{n} {level}");
            }
        }
    }
    check(Sgd::new(0.1));
    check(Adam::new(0.1));
    check(Adam::new(0.1).half());
    check(Momentum::new(0.1).half());
}

#[test]
#[cfg(feature = "rayon")]
fn a_step_on_threads_is_the_same() {
    let n = (1 << 20) + 77;
    let grads = sums(&mut Random(45), n, false);
    let adam = Adam::new(0.01).half();
    let run = |exec: Exec| {
        let (mut params, mut state) = (vec![0.5; n], adam.state_vec(n));
        for _ in 0..2 {
            adam.on(exec).step_half_grads(&mut params, &grads, state.as_mut()).unwrap();
        }
        (params, state)
    };
    let want = run(Exec::new());
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| run(Exec::threads())) == want, "{threads}");
    }
}
