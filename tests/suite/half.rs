//! States in half the memory: rounded as their definition says, at every level, wherever a slice is cut, after a resume.

use crate::support::halves::{dither, round};
use crate::support::random::Random;
use gradus::transform::{L2, Scale};
use gradus::*;
use std::fmt::Debug;

const N: usize = 67;

/// A run of the optimizer inside on plain `f32` states, each number rounded by hand after its step.
fn by_hand<O: Optimizer<Family: Stateful<Memory = f32>>>(
    optimizer: O,
    start: &[f32],
    grads: &[Vec<f32>],
) -> (Vec<u32>, Vec<Vec<u16>>) {
    let (mut params, mut state) = (start.to_vec(), StateVec::<O::Family>::new(start.len()));
    for (t, grads) in (1..).zip(grads) {
        optimizer.step_slices(&mut params, grads, state.as_mut()).unwrap();
        for (k, column) in state.columns_mut().as_mut().iter_mut().enumerate() {
            for (i, x) in (0..).zip(column.iter_mut()) {
                *x = f32::from_bits(u32::from(round(*x, dither(t, i, k))) << 16);
            }
        }
    }
    let words = state.columns().iter().map(|c| c.iter().map(|x| (x.to_bits() >> 16) as u16).collect());
    (params.iter().map(|p| p.to_bits()).collect(), words.collect())
}

fn words<O: Stateful<Memory = Bf16>>(state: &StateVec<O>) -> Vec<Vec<u16>> {
    state.columns().iter().map(|c| c.iter().map(|x| x.to_bits()).collect()).collect()
}

fn inputs(special: bool) -> (Vec<f32>, Vec<Vec<f32>>) {
    let mut random = Random(31);
    let mut column = |any: bool| -> Vec<f32> {
        (0..N).map(|_| if any { random.any() } else { random.sized(-6.0, 3.0) }).collect()
    };
    (column(false), (0..40).map(|_| column(special)).collect())
}

/// AMSGrad and the schedule-free rule have no half state.
macro_rules! halved {
    (($f:ident) $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        $(halved!(@ $f $optimizer);)*
    };
    (@ $f:ident AmsGrad) => {};
    (@ $f:ident ScheduleFree) => {};
    (@ $f:ident $optimizer:ident) => { $f($optimizer::new(0.01)); };
}

#[test]
fn every_optimizer_rounds_as_defined_at_every_level() {
    fn check<O: Optimizer<Family: Stateful<Memory = f32>> + Debug>(optimizer: O) {
        for special in [false, true] {
            let (start, grads) = inputs(special);
            for transformed in [false, true] {
                let scale = if transformed { 0.25 } else { 1.0 };
                let (want, want_words) =
                    by_hand(optimizer.with((Scale(scale), L2::weight_decay(0.1))), &start, &grads);
                for level in Level::available() {
                    let half = optimizer.half().with((Scale(scale), L2::weight_decay(0.1))).on(level);
                    let (mut params, mut state) = (start.clone(), half.state_vec(N));
                    for grads in &grads {
                        half.step_slices(&mut params, grads, state.as_mut()).unwrap();
                    }
                    let got: Vec<u32> = params.iter().map(|p| p.to_bits()).collect();
                    let same = |(a, b): (&u32, &u32)| {
                        a == b || f32::from_bits(*a).is_nan() && f32::from_bits(*b).is_nan()
                    };
                    assert!(got.iter().zip(&want).all(same), "{optimizer:?} {level} {special}");
                    assert_eq!(words(&state), want_words, "{optimizer:?} {level} {special}");
                }
            }
        }
    }
    gradus::__optimizers!(halved!(check));
}

#[test]
fn the_first_step_is_that_of_a_whole_state() {
    fn check<O: Optimizer<Family: Stateful<Memory = f32>> + Debug>(optimizer: O) {
        let (start, grads) = inputs(false);
        let (mut whole, mut halved) = (start.clone(), start);
        optimizer.step_slices(&mut whole, &grads[0], optimizer.state_vec(N).as_mut()).unwrap();
        optimizer.half().step_slices(&mut halved, &grads[0], optimizer.half().state_vec(N).as_mut()).unwrap();
        assert_eq!(whole, halved, "{optimizer:?}");
    }
    gradus::__optimizers!(halved!(check));
}

#[test]
fn cuts_arrays_and_lists_do_not_show() {
    let adam = Adam::new(0.01).half();
    let (start, grads) = inputs(false);
    let start: [f32; N] = start.try_into().unwrap();
    let (mut want, mut state) = (start, adam.state::<N>());
    for grads in &grads {
        adam.step(&mut want, grads.as_slice().try_into().unwrap(), &mut state);
    }
    for cut in 0..=N {
        let (mut params, mut pieces) = (start, adam.state::<N>());
        let mut clock = Clock::new();
        for grads in &grads {
            // Each piece ticks a clock of its own: here the one clock is put back for the second.
            let before = clock;
            for range in [0..cut, cut..N] {
                clock = before;
                let mut whole =
                    StateMut::<_>::new(pieces.columns.each_mut().map(|c| c.as_mut_slice()), &mut clock);
                let piece = whole.get(range.clone()).unwrap();
                adam.step_slices(&mut params[range.clone()], &grads[range], piece).unwrap();
            }
        }
        assert_eq!(params, want, "{cut}");
        assert_eq!(pieces.columns, state.columns, "{cut}");
    }
    let (mut params, mut list, mut clock) = (start, adam.state::<N>(), Clock::new());
    for grads in &grads {
        let mut tensors = [Tensor::new(&mut params, grads, list.as_mut())];
        adam.step_tensors(&mut tensors, &mut clock).unwrap();
    }
    assert_eq!((params, list.columns), (want, state.columns));
}

#[test]
#[cfg(feature = "rayon")]
fn threads_do_not_show() {
    let n = (1 << 20) + 77;
    let mut random = Random(32);
    let grads: Vec<f32> = (0..n).map(|_| random.signed()).collect();
    let adam = Adam::new(0.01).half();
    let run = |exec: Exec| {
        let (mut params, mut state) = (vec![0.5; n], adam.state_vec(n));
        for _ in 0..3 {
            adam.on(exec).step_slices(&mut params, &grads, state.as_mut()).unwrap();
        }
        (params, words(&state))
    };
    let want = run(Exec::new());
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| run(Exec::threads())) == want, "{threads}");
    }
}

/// Where a state stands still the average of what is stored must be it: within what 4096 elements allow, beside f64.
#[test]
fn the_second_moment_is_not_biased() {
    second_moment(2000);
}

/// Twice the memory of the slowest of the means.
#[test]
#[ignore = "seconds in release, minutes without: ci.sh long"]
fn the_second_moment_is_not_biased_after_long() {
    second_moment(20_000);
}

fn second_moment(steps: u32) {
    for beta2 in [0.999, 0.9999] {
        let n = 4096;
        let adam = Adam { beta2, ..Adam::new(1e-3) }.half();
        let (mut params, mut state, mut exact) = (vec![0.0; n], adam.state_vec(n), vec![0.0_f64; n]);
        let mut random = Random(33);
        for _ in 0..steps {
            let grads: Vec<f32> = (0..n).map(|_| random.signed()).collect();
            adam.step_slices(&mut params, &grads, state.as_mut()).unwrap();
            for (v, g) in exact.iter_mut().zip(&grads) {
                *v += (1.0 - beta2) * (f64::from(*g).powi(2) - *v);
            }
        }
        let ratios = state.columns()[1].iter().zip(&exact);
        let mean = ratios.map(|(h, v)| (f64::from(h.to_f32()) / v).ln()).sum::<f64>() / n as f64;
        assert!(mean.abs() <= 0.01, "{beta2}: {mean}");
    }
}

/// Schedule-free AdamW on a noisy quadratic of three decades of curvature, its state rounded by hand: the loss of its
/// average beside that of a whole state. Errors of rounding in `d` decay by `1 / t` a step, and so add up in a long run.
#[test]
#[ignore = "seconds in release, minutes without: ci.sh long"]
fn a_schedule_free_state_loses_more_the_longer_a_run_is() {
    const N: usize = 1024;
    let free = ScheduleFree::new(0.003);
    let curvature: [f32; N] = std::array::from_fn(|i| 10_f32.powf(-3.0 * i as f32 / N as f32));
    let losses = |rounded: bool| {
        let (mut params, mut state, mut random) = ([1.0; N], free.state::<N>(), Random(35));
        for t in 1..=100_000 {
            let grads = std::array::from_fn(|i| {
                curvature[i] * params[i] + 0.17 * curvature[i].sqrt() * random.signed()
            });
            free.step(&mut params, &grads, &mut state);
            if rounded {
                for (k, column) in state.columns.iter_mut().enumerate() {
                    for (i, x) in (0..).zip(column) {
                        *x = f32::from_bits(u32::from(round(*x, dither(t, i, k))) << 16);
                    }
                }
            }
        }
        free.average(Level::detect(), &mut params, &state.columns[0]).unwrap();
        params.iter().zip(&curvature).map(|(x, c)| f64::from(c * x * x)).sum::<f64>()
    };
    let ratio = losses(true) / losses(false);
    assert!(ratio > 1.1 && ratio < 1.5, "{ratio}"); // refused, therefore
}

#[test]
fn some_are_refused() {
    // `AmsGrad::new(0.1).half()` does not compile: see the example of `Optimizer::half`.
    assert_eq!(size_of::<State<InHalf<Adam>, 64>>(), 264);
}

#[test]
fn files_have_names_of_their_own_and_continue() {
    use gradus::store;
    fn check<O>(optimizer: O)
    where
        O: Optimizer<Family: Stateful<Memory = f32> + store::Family> + Debug,
    {
        let half = optimizer.half();
        let (start, grads) = inputs(false);
        let (mut params, mut state) = (start, half.state_vec(N));
        for grads in &grads[..20] {
            half.step_slices(&mut params, grads, state.as_mut()).unwrap();
        }
        let file = store::to_vec(&state).unwrap();
        let mut loaded = half.state_vec(0);
        store::load(&mut loaded, &file).unwrap();
        let mut again = params.clone();
        for grads in &grads[20..] {
            half.step_slices(&mut params, grads, state.as_mut()).unwrap();
            half.step_slices(&mut again, grads, loaded.as_mut()).unwrap();
        }
        assert_eq!((again, words(&loaded)), (params, words(&state)), "{optimizer:?}");
        assert!(store::load(&mut optimizer.state_vec(N), &file).is_err(), "a whole state is another kind");
        let whole = store::to_vec(&optimizer.state_vec(N)).unwrap();
        assert!(store::load(&mut loaded, &whole).is_err());
        #[cfg(feature = "serde")]
        {
            let text = serde_json::to_string(&state).unwrap();
            let back: StateVec<InHalf<O::Family>> = serde_json::from_str(&text).unwrap();
            assert_eq!(words(&back), words(&state));
            assert!(serde_json::from_str::<StateVec<O::Family>>(&text).is_err());
        }
    }
    gradus::__optimizers!(halved!(check));
}

#[test]
fn a_saved_run_changes_its_memory_by_rounding_once() {
    let adam = Adam::new(0.1);
    let (mut params, mut whole, mut halved) = ([1.0; N], adam.state::<N>(), adam.half().state::<N>());
    adam.step(&mut params, &std::array::from_fn(|i| i as f32 + 0.1), &mut whole);
    whole.as_mut().round_to_half(halved.as_mut()).unwrap();
    assert_eq!(halved.t(), 1);
    for (h, w) in halved.columns.as_flattened().iter().zip(whole.columns.as_flattened()) {
        assert_eq!(*h, Bf16::from_f32_nearest(*w));
        assert!((h.to_f32() / w - 1.0).abs() <= 1.0 / 256.0);
    }
    let mut back = adam.state::<N>();
    halved.as_mut().widen(back.as_mut()).unwrap();
    for (b, h) in back.columns.as_flattened().iter().zip(halved.columns.as_flattened()) {
        assert_eq!(*b, h.to_f32());
    }
    let mut short = adam.half().state::<3>();
    assert!(whole.as_mut().round_to_half(short.as_mut()).is_err());
    assert_eq!(short.t(), 0);
}

/// Each state in half the memory is as good as the whole one: the mean square of the
/// parameters at the end of a walk down a quadratic of four decades of curvature, with ten spikes among the gradients.
#[test]
fn spikes_are_forgotten_as_by_a_whole_state() {
    fn check<O: Optimizer<Family: Stateful<Memory = f32>> + Debug>(optimizer: O) {
        let (whole, half) = (spiky(optimizer), spiky(optimizer.half()));
        assert!(half <= 1.02 * whole, "{optimizer:?}: {half:e}, whole {whole:e}");
    }
    gradus::__optimizers!(halved!(check));
}

/// The mean square over elements and the last quarter of all steps.
fn spiky<O: Optimizer>(optimizer: O) -> f64 {
    const STEPS: u32 = 2000;
    let n = 512;
    let curvature: Vec<f32> = (0..n).map(|i| 10_f32.powf(-4.0 * i as f32 / n as f32)).collect();
    let (mut params, mut state) = (vec![1.0_f32; n], optimizer.state_vec(n));
    let (mut random, mut sum) = (Random(34), 0.0_f64);
    for t in 0..STEPS {
        let spike = if t % 200 == 100 { 1000.0 } else { 1.0 };
        let grads: Vec<f32> = params
            .iter()
            .zip(&curvature)
            .map(|(p, c)| spike * (c * p + 0.1 * c.sqrt() * random.signed()))
            .collect();
        optimizer.with_lr(optimizer.lr() * 0.3).step_slices(&mut params, &grads, state.as_mut()).unwrap();
        if t >= STEPS / 4 * 3 {
            sum += params.iter().map(|p| f64::from(*p).powi(2)).sum::<f64>();
        }
    }
    sum / (n as f64 * f64::from(STEPS / 4))
}

/// Gradients that repeat fall in step with no dither: the second moment of each period, in its worst place of the cycle,
/// beside one in f64.
#[test]
fn a_period_does_not_resonate() {
    let n = 256;
    let mut worst = (0.0_f64, 0);
    for period in [2, 3, 4, 5, 7, 8, 12, 16, 31, 32, 33, 64, 100, 128] {
        let adam = Adam::new(1e-3).half();
        let (mut params, mut state, mut exact) = (vec![0.0; n], adam.state_vec(n), 0.0_f64);
        for t in 0..6000 {
            let g = if t % period == 0 { 1.0 } else { 0.05 };
            adam.step_slices(&mut params, &vec![g; n], state.as_mut()).unwrap();
            exact += 0.001 * (f64::from(g * g) - exact);
            if t >= 4000 {
                let mean = state.columns()[1].iter().map(|v| f64::from(v.to_f32())).sum::<f64>() / n as f64;
                let bias = (mean / exact).ln().abs();
                worst = if bias > worst.0 { (bias, period) } else { worst };
            }
        }
    }
    assert!(worst.0 <= 0.1, "{worst:?}");
}
