//! First moments stay what they should be, however long a training is; AdamW is Adam with `Decay`.

use crate::support::random::Random;
use crate::support::rules::Kept;
use gradus::transform::Decay;
use gradus::*;

/// Decays, and how far the mean of gradients about 1 may be off after 3000 steps. PyTorch's `lerp` has the same
/// operations; `beta * m + (1 - beta) * g` is off by 6e-7, 2e-6, 1e-5 and 7e-6 from a decay of 0.9 on.
const MEANS: [(f64, f64); 6] =
    [(0.0, 0.0), (0.5, 1.5e-7), (0.9, 3e-7), (0.99, 1e-6), (0.999, 1.3e-6), (0.9999, 1e-6)];

/// Column `column` of `rule`'s state after 3000 steps is the mean of decay `beta`.
fn keeps<const K: usize, O: Kept<K>>(rule: O, column: usize, beta: f64, budget: f64) {
    const N: usize = 64;
    for level in Level::available() {
        let mut random = Random(3);
        let mut state = rule.state::<N>();
        let (mut params, mut wide) = ([0.0; N], [0.0_f64; N]);
        for _ in 0..3000 {
            let grads: [f32; N] = std::array::from_fn(|_| 1.0 + random.signed());
            rule.on(level).step(&mut params, &grads, &mut state);
            for (mean, &g) in wide.iter_mut().zip(&grads) {
                *mean = beta * *mean + (1.0 - beta) * f64::from(g);
            }
        }
        for (i, (&got, want)) in state.columns[column].iter().zip(wide).enumerate() {
            let error = (f64::from(got) - want).abs();
            assert!(error <= budget, "{level:?}, beta {beta}, element {i}: {got:e}, not {want:e}: {error:e}");
        }
    }
}

#[test]
fn first_moments_do_not_drift() {
    for (beta, budget) in MEANS {
        let (lr, beta1) = (0.0, beta);
        keeps(Adam { beta1, ..Adam::new(lr) }, 0, beta, budget);
        keeps(AdamW { beta1, ..AdamW::new(lr) }, 0, beta, budget);
        keeps(AmsGrad { beta1, ..AmsGrad::new(lr) }, 0, beta, budget);
        keeps(Nadam { beta1, ..Nadam::new(lr) }, 0, beta, budget);
        keeps(Lion { beta2: beta, ..Lion::new(lr) }, 0, beta, budget);
        keeps(RmsProp { rho: beta, ..RmsProp::new(lr) }.centered(), 1, beta, budget);
        keeps(RmsProp { rho: beta, ..RmsProp::new(lr) }.centered().with_momentum(0.5), 1, beta, budget);
    }
}

/// A mean that has arrived stays: no decay has a rounding that pulls it away.
#[test]
fn the_mean_of_a_constant_is_the_constant() {
    for beta1 in [0.0, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999] {
        for g in [1.0, 0.3, -7e-5, 1e20_f32] {
            let adam = Adam { beta1, ..Adam::new(0.0) };
            let (mut params, mut state) = ([0.0], adam.state::<1>());
            state.columns[0] = [g];
            adam.step(&mut params, &[g], &mut state);
            assert_eq!(state.columns[0], [g], "{beta1}");
        }
    }
}

/// Without a memory the mean is the gradient, also beside a large mean from before.
#[test]
fn no_decay_is_no_memory() {
    for level in Level::available() {
        let adam = Adam { beta1: 0.0, ..Adam::new(0.1) };
        let (mut params, mut state) = ([0.0; 5], adam.state::<5>());
        state.columns[0] = [1000.0, -1000.0, 1e30, 0.0, 1e-30];
        let grads = [1e-6, 1e-6, -3.0, 7.5, -1e-20];
        adam.on(level).step(&mut params, &grads, &mut state);
        assert_eq!(state.columns[0], grads, "{level:?}");
    }
}

#[test]
fn adamw_is_adam_with_decay() {
    const N: usize = 67;
    let mut random = Random(5);
    let adamw = AdamW { weight_decay: 0.1, ..AdamW::new(0.01) };
    let adam = Adam::new(0.01).with(Decay::new(0.1));
    let (mut a, mut b) = (adamw.state::<N>(), adam.state::<N>());
    let mut params: [f32; N] = std::array::from_fn(|_| random.signed());
    let mut twin = params;
    for _ in 0..20 {
        let grads: [f32; N] = std::array::from_fn(|_| random.any());
        adamw.step(&mut params, &grads, &mut a);
        adam.step(&mut twin, &grads, &mut b);
        for i in 0..N {
            assert_eq!(crate::support::random::bits(params[i]), crate::support::random::bits(twin[i]));
        }
    }
    assert_eq!(a.t(), b.t());
}

/// `1 - lr * weight_decay`, rounded, would decay 0.14 % too much at a rate of 1e-3 and 1 % at 1e-4.
#[test]
fn weights_decay_by_what_was_asked() {
    const N: usize = 1_000_000;
    let mut random = Random(8);
    let weights = random.vec(N, |random| 1.0 + random.unit());
    for lr in [1e-3, 3e-4, 1e-4] {
        let adamw = AdamW::new(lr);
        let (mut params, mut state) = (weights.clone(), adamw.state_vec(N));
        adamw.step_slices(&mut params, &vec![0.0; N], state.as_mut()).unwrap();
        let (mut lost, mut asked) = (0.0, 0.0);
        for (&old, &new) in weights.iter().zip(&params) {
            lost += f64::from(old) - f64::from(new);
            asked += f64::from(lr) * f64::from(adamw.weight_decay) * f64::from(old);
        }
        assert!((lost / asked - 1.0).abs() < 1e-3, "rate {lr}: {}", lost / asked);
    }
}
