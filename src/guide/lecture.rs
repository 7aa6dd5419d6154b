//! The lecture "Training Networks, Part 2" (Stanford CS231n), method by method, its questions answered by a run.
//!
//! A section for each group of slides, in their order: the idea, the call, and what came out. All code here runs as a test.
//! The pictures are drawn by the kernels themselves (`cargo run --release -p gallery --bin race`).
//!
//! # Gradient descent, and what is hard for it
//!
//! A step goes down the gradient, `p -= lr * g`: [`Sgd`](crate::Sgd). In a valley that is steep one way and flat the other, the rate
//! is limited by the steep direction, and the flat one takes for ever. At a saddle the gradient vanishes, and a step with it.
//!
//! ```
//! use gradus::{Momentum, Optimizer, Sgd};
//!
//! /// The distance that is left after some steps along a valley, 100 times steeper across.
//! fn along(optimizer: impl Optimizer, steps: u32) -> f32 {
//!     let (mut p, mut state) = ([1.0, 1.0], optimizer.state());
//!     for _ in 0..steps {
//!         let grads = [p[0], 100.0 * p[1]];
//!         optimizer.step(&mut p, &grads, &mut state);
//!     }
//!     p[0].abs()
//! }
//! // Above 0.02 the steep direction diverges. A velocity is three times as far with the same rate.
//! assert!(along(Sgd::new(0.019), 100) > 0.14);
//! assert!(along(Momentum::new(0.019), 100) < 0.01);
//!
//! // On the ridge of a saddle x^2 - y^2 nothing pushes to either side: y stays 0, exactly.
//! let (sgd, mut p) = (Sgd::new(0.1), [1.0, 0.0]);
//! let mut state = sgd.state();
//! for _ in 0..1000 {
//!     let grads = [2.0 * p[0], -2.0 * p[1]];
//!     sgd.step(&mut p, &grads, &mut state);
//! }
//! assert_eq!(p[1], 0.0);
//! ```
//!
//! # Momentum
//!
//! A velocity sums up gradients and forgets them at the rate `rho`: [`Momentum`](crate::Momentum). What points the same way adds up, to
//! `1 / (1 - rho)` times the gradient; what changes its sign, noise above all, cancels.
//!
//! ```
//! use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
//! use gradus::{Momentum, Optimizer};
//!
//! // A gradient of 1 under noise ten times as large. Steps of the same mean length, with and without memory.
//! let spread = |rho: f64| {
//!     let momentum = Momentum { rho, ..Momentum::new(1e-3 * (1.0 - rho) as f32) };
//!     let (mut p, mut state) = ([0.0], momentum.state());
//!     let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//!     let (mut squares, steps) = (0.0, 10_000);
//!     for _ in 0..steps {
//!         let before = p[0];
//!         let noise = if rng.next_u32() & 1 == 0 { 10.0 } else { -10.0 };
//!         momentum.step(&mut p, &[1.0 + noise], &mut state);
//!         squares += ((p[0] - before) / -1e-3 - 1.0).powi(2);
//!     }
//!     (squares / steps as f32).sqrt() // of a step, as a multiple of its mean
//! };
//! assert!(spread(0.0) > 9.9 && spread(0.9) < 2.5); // sqrt((1 - rho) / (1 + rho)) of the noise is left
//! ```
//!
//! # Nesterov's momentum
//!
//! The gradient is taken where the velocity would lead, which corrects a velocity that is about to overshoot. In the variables
//! `y = x + rho * v` that needs the gradient at the current point only: [`Nesterov`](crate::Nesterov) is the lecture's last form.
//!
//! ```
//! use gradus::{Nesterov, Optimizer};
//! let slope = |x: f64| 2.0 * x + x.cos(); // of x^2 + sin x
//! let (lr, rho) = (0.05_f32, 0.9);
//!
//! let nesterov = Nesterov { rho, ..Nesterov::new(lr) };
//! let (mut y, mut state) = ([2.0], nesterov.state());
//! let (mut x, mut v) = (2.0_f64, 0.0);
//! for _ in 0..50 {
//!     let grads = [slope(y[0].into()) as f32];
//!     nesterov.step(&mut y, &grads, &mut state);
//!
//!     v = rho * v - f64::from(lr) * slope(x + rho * v); // the lecture's first form
//!     x += v;
//!     assert!((f64::from(y[0]) - (x + rho * v)).abs() < 1e-5);
//! }
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/lookahead.svg")]
#![doc = ""]
//! # AdaGrad
//!
//! Each parameter's step is divided by the root of all its squared gradients so far: [`AdaGrad`](crate::AdaGrad). Steep directions are
//! damped, and flat ones sped up: the valley of the first section is round for it. *What happens to the step over a long time?*
//! It decays to zero, as `1 / sqrt(t)` under a constant gradient.
//!
//! ```
//! use gradus::{AdaGrad, Optimizer};
//! let adagrad = AdaGrad::lecture(0.1);
//! let (mut p, mut state) = ([0.0], adagrad.state());
//! let mut steps = vec![];
//! for t in 1..=10_000 {
//!     let before = p[0];
//!     adagrad.step(&mut p, &[3.0], &mut state);
//!     if [1, 100, 10_000].contains(&t) {
//!         steps.push(before - p[0]);
//!     }
//! }
//! for (step, want) in steps.iter().zip([0.1, 0.01, 0.001]) {
//!     assert!((step / want - 1.0).abs() < 1e-2, "{steps:?}");
//! }
//! ```
//!
//! The race below does not show it stuck: its courses are short. On a longer one its steps are too short before it is there.
//!
//! ```
//! use gradus::{AdaGrad, Optimizer, RmsProp};
//! /// What is left of a way of 30 with 2000 steps.
//! fn left(optimizer: impl Optimizer) -> f32 {
//!     let (mut p, mut state) = ([30.0_f32], optimizer.state());
//!     for _ in 0..2000 {
//!         let grads = [p[0].signum()];
//!         optimizer.step(&mut p, &grads, &mut state);
//!     }
//!     p[0].abs()
//! }
//! assert!(left(AdaGrad::lecture(0.1)) > 20.0); // 0.1 * 2 * sqrt(2000) = 8.9 is as far as it gets
//! assert!(left(RmsProp::lecture(0.1)) < 1.0);
//! ```
//!
//! # RMSProp
//!
//! The sum of squares becomes a running average, which forgets: [`RmsProp`](crate::RmsProp), with the decay 0.99. Its steps stay as long as
//! the gradients are what they are, as the run above shows.
#![doc = ""]
#![doc = include_str!("../../docs/race.svg")]
#![doc = ""]
//! # Adam
//!
//! Momentum over the root of the running average of squares: [`Adam`](crate::Adam). Without bias correction it is the lecture's "Adam
//! (almost)". *What happens at the first step?* Both averages begin at 0 and are too small, but the second one under a root:
//! `0.1 / sqrt(0.001)` is 3.16 learning rates, whatever the gradient. With the correction it is one.
//!
//! ```
//! use gradus::{Adam, Optimizer};
//! let first = |adam: Adam| {
//!     let (mut p, mut state) = ([0.0], adam.state());
//!     adam.step(&mut p, &[7.0], &mut state);
//!     -p[0] / adam.lr
//! };
//! let almost = Adam { bias_correction: false, ..Adam::lecture(1e-3) };
//! assert!((first(almost) - 3.162).abs() < 1e-3);
//! assert!((first(Adam::lecture(1e-3)) - 1.0).abs() < 1e-5);
//! ```
//!
//! # The learning rate
//!
//! All of these have one. *Which is best?* None: a high one is fast at first and never arrives, a low one arrives late. So it decays
//! over time: [`schedule`](crate::schedule). Constant rates on a noisy bowl, and the same rate with each decay of the lecture:
//!
//! ```
//! use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
//! use gradus::schedule::{Constant, Cosine, Exponential, InverseTime, Schedule, StepDecay};
//! use gradus::{Optimizer, Sgd};
//!
//! fn loss(schedule: impl Schedule) -> f32 {
//!     let (mut p, mut state) = ([10.0; 16], Sgd::new(0.0).state());
//!     let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//!     for step in 0..1000 {
//!         let grads = p.map(|p| p + if rng.next_u32() & 1 == 0 { 1.0 } else { -1.0 });
//!         Sgd::new(schedule.at(step)).step(&mut p, &grads, &mut state);
//!     }
//!     p.iter().map(|p| p * p).sum::<f32>() / 16.0
//! }
//! let low = loss(Constant(1e-3)); // has not arrived
//! let high = loss(Constant(1.0)); // never rests
//! assert!(low > 5.0 && high > 0.5);
//! assert!(loss(StepDecay::new(1.0, 0.5, 100)) < 0.01 * high); // half of it every 100 steps
//! assert!(loss(Exponential::new(1.0, 0.007)) < 0.01 * high); // lr = e^(-k t)
//! assert!(loss(InverseTime::new(1.0, 0.1)) < 0.05 * high); // lr = 1 / (1 + k t)
//! assert!(loss(Cosine::new(1.0, 1000)) < 0.01 * high);
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/schedules.svg")]
#![doc = ""]
//! # Second order
//!
//! A gradient gives a plane; with the Hessian it is a quadratic, whose lowest point is the step. There is no learning rate to
//! choose: [`NewtonSettings`](crate::second_order::NewtonSettings) is at the bottom of a quadratic after one iteration. The price is the Hessian: `n^2` numbers,
//! and `n^3 / 6` multiplications to solve with it. A million parameters would need four terabytes.
//!
//! ```
//! use gradus::second_order::NewtonSettings;
//! let mut x = [50.0_f64, -30.0];
//! let report = NewtonSettings::new().minimize(&mut x, |&[x, y], g, h| {
//!     *g = [4.0 * x + y - 1.0, x + 200.0 * y];
//!     *h = [[4.0, 1.0], [1.0, 200.0]];
//!     2.0 * x * x + x * y + 100.0 * y * y - x
//! })?;
//! assert!(report.iterations <= 2 && (4.0 * x[0] + x[1] - 1.0).abs() < 1e-4);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # L-BFGS
//!
//! It learns the curvature from the last few steps, `2 m` vectors in place of a matrix: [`second_order`](crate::second_order). On one function
//! that does not change it needs few evaluations. In mini-batches each evaluation is of another function, and differences of
//! gradients are noise: its line search asks for a decrease that is not there.
//!
//! ```
//! use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
//! use gradus::second_order::{LbfgsVec, Stop};
//!
//! /// A badly scaled bowl, with noise in its value and slope.
//! fn run(noise: f64) -> (Stop, f64) {
//!     let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//!     let mut x = [1.0_f64; 10];
//!     let bowl = |x: &[f64]| -> f64 { x.iter().enumerate().map(|(k, x)| 0.5 * (k * k + 1) as f64 * x * x).sum() };
//!     let report = LbfgsVec::new(10).minimize(&mut x, |x, g| {
//!         for (k, (g, x)) in g.iter_mut().zip(x).enumerate() {
//!             *g = (k * k + 1) as f64 * x + noise * f64::from(rng.next_u32() as i32) / 2_147_483_648.0;
//!         }
//!         bowl(x) + noise * f64::from(rng.next_u32() as i32) / 2_147_483_648.0
//!     });
//!     (report.expect("settings are in range").stop, bowl(&x))
//! }
//! let (stop, value) = run(0.0);
//! assert!(stop == Stop::Gradient && value < 1e-8);
//! let (stop, value) = run(1.0);
//! assert!(stop != Stop::Gradient && value > 1e-3, "{stop:?} {value}");
//! ```
//!
//! # In practice
//!
//! Adam first; momentum with a decaying rate if you can tune it; L-BFGS where a full batch is affordable and nothing is random.
//! [`choosing`](super::choosing) has rates to begin with.
//!
//! # Ensembles
//!
//! Several models, trained apart or taken as snapshots along one run with a cyclic rate
//! ([`SnapshotCycle`](crate::schedule::SnapshotCycle)), vote by the mean of their probabilities: [`ensemble`](crate::ensemble). The lecture's "2 % extra" is an
//! experience of large networks. Here, on 1797 digits, it is less, and measured: docs/snapshots.md
//! (`cargo run --release -p gallery --bin snapshots`).
//!
//! ```
//! use gradus::Exec;
//! use gradus::ensemble::{argmax, mean};
//! let unsure: &[f32] = &[0.5, 0.3, 0.2];
//! let mut p = [0.0; 3];
//! mean(Exec::new(), &[unsure, unsure, &[0.1, 0.8, 0.1]], &mut p)?; // not a vote of the winners, which 0 would win
//! assert_eq!(argmax(&p), Some(1));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Regularisation: L1 and L2
//!
//! `lambda * R(W)` is added to the loss: [`transform`](crate::transform). L2 prefers spread weights: of two vectors with the same product `w x` for
//! `x = (1, 1, 1, 1)` it takes the second. L1 is indifferent between them, and its slope does not vanish near 0: weights that do not
//! pay become exact zeros with [`ProxL1`](crate::transform::ProxL1), which is the lecture's feature selection.
//!
//! ```
//! use gradus::prelude::*;
//! let (w1, w2) = ([1.0, 0.0, 0.0, 0.0], [0.25; 4]);
//! assert_eq!((L2::new(1.0).value(Exec::new(), &w1), L2::new(1.0).value(Exec::new(), &w2)), (1.0, 0.25));
//! assert_eq!((L1::new(1.0).value(Exec::new(), &w1), L1::new(1.0).value(Exec::new(), &w2)), (1.0, 1.0));
//!
//! // Only the first two of four features matter: a sample is all 0 but one feature.
//! fn fit(optimizer: impl Optimizer) -> [f32; 4] {
//!     let (mut w, mut state) = ([0.5; 4], optimizer.state());
//!     for _ in 0..5000 {
//!         let grads = [w[0] - 2.0, w[1] + 1.0, 0.01 * w[2], 0.01 * w[3]];
//!         optimizer.step(&mut w, &grads, &mut state);
//!     }
//!     w
//! }
//! let sparse = fit(Sgd::new(0.01).with(ProxL1::new(0.02)));
//! assert_eq!(sparse[2..], [0.0, 0.0]);
//! let spread = fit(Sgd::new(0.01).with(L2::new(0.01)));
//! assert!(spread[2] > 0.0 && spread[0] < sparse[0]);
//! ```
//!
//! *How large is lambda?* Too small and the network overfits, too large and it underfits. Six points per five parameters, a
//! polynomial through noise, and the error at points that were not shown:
//!
//! ```
//! use gradus::prelude::*;
//! let powers = |x: f32| [1.0, x, x * x, x * x * x, x.powi(4), x.powi(5)];
//! let shown = [(-1.0, -0.8), (-0.6, -0.9), (-0.2, 0.1), (0.2, -0.1), (0.6, 0.9), (1.0, 0.7_f32)]; // near sin(pi x / 2)
//! let error = |w: &[f32; 6], x: f32, y: f32| powers(x).iter().zip(w).map(|(x, w)| x * w).sum::<f32>() - y;
//! let gap = |lambda: f32| {
//!     let sgd = Sgd::new(0.05).with(L2::new(lambda));
//!     let (mut w, mut state) = ([0.0; 6], sgd.state());
//!     for _ in 0..20_000 {
//!         let mut grads = [0.0; 6];
//!         for (x, y) in shown {
//!             let e = error(&w, x, y);
//!             for (g, x) in grads.iter_mut().zip(powers(x)) {
//!                 *g += 2.0 * e * x / 6.0;
//!             }
//!         }
//!         sgd.step(&mut w, &grads, &mut state);
//!     }
//!     let test = (-10..=10).map(|k| k as f32 / 10.0);
//!     let train: f32 = shown.iter().map(|(x, y)| error(&w, *x, *y).powi(2)).sum::<f32>() / 6.0;
//!     (train, test.map(|x| error(&w, x, (x * 1.570_796_4).sin()).powi(2)).sum::<f32>() / 21.0)
//! };
//! let [none, some, much] = [0.0, 0.003, 10.0].map(gap);
//! assert!(none.0 < some.0 && some.0 < much.0); // the error on what was shown only grows
//! assert!(some.1 < none.1 && some.1 < much.1, "{none:?} {some:?} {much:?}"); // the error on the rest is least in between
//! ```
//!
//! # Dropout
//!
//! Each unit is set to 0 with a probability, in every pass anew: [`Dropout`](crate::noise::Dropout). No unit can rely on another, and each mask is a model of
//! an ensemble that shares its weights. The lecture has both forms: vanilla scales at test time, inverted in training, which
//! leaves nothing to do at test time.
//!
//! ```
//! use gradus::noise::{Dropout, Masks};
//! let p = 0.5; // the lecture's p is the probability to keep
//! let (inverted, vanilla) = (Dropout::keep_prob(p), Dropout::keep_prob(p).vanilla());
//!
//! let (mut train, mut test) = ([1.0_f32; 1000], [1.0_f32; 1000]);
//! vanilla.forward(&mut train, &mut Masks::new(1))?;
//! vanilla.inference(&mut test)?;
//! assert!(test == [0.5; 1000] && train.iter().all(|x| *x == 0.0 || *x == 1.0));
//!
//! let (mut train, mut test) = ([1.0_f32; 1000], [1.0_f32; 1000]);
//! inverted.forward(&mut train, &mut Masks::new(1))?;
//! inverted.inference(&mut test)?;
//! assert!(test == [1.0; 1000] && train.iter().all(|x| *x == 0.0 || *x == 2.0));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! *What would be right at test time?* The mean over all masks. Many passes approximate it
//! ([`MonteCarlo`](crate::noise::MonteCarlo)); one pass without dropout does nearly as well, and exactly where what follows is linear:
//!
//! ```
//! use gradus::noise::{Dropout, Masks, MonteCarlo};
//! let (dropout, w, x) = (Dropout::keep_prob(0.5), [3.0_f32, -1.0], [1.0, 2.0]);
//! let (mut mean, mut spread) = ([0.0], [0.0]);
//! let (mut passes, mut masks) = (MonteCarlo::new(&mut mean, &mut spread)?, Masks::new(1));
//! for _ in 0..20_000 {
//!     let mut kept = x;
//!     dropout.forward(&mut kept, &mut masks)?;
//!     passes.add(&[w[0] * kept[0] + w[1] * kept[1]])?;
//! }
//! passes.finish();
//! assert!((mean[0] - (w[0] * x[0] + w[1] * x[1])).abs() < 0.1); // one pass: 1
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # A common pattern: noise in training, its mean at test time
//!
//! | method | noise in training | at test time | here |
//! |---|---|---|---|
//! | dropout | units | scaled, or nothing | [`Dropout`](crate::noise::Dropout) |
//! | batch normalisation | the batch's mean and variance | running ones | [`BatchNorm`](crate::norm::BatchNorm) |
//! | augmentation | crops, scales, flips, light, affine maps | fixed crops, averaged | [`augment`](crate::augment) |
//! | DropConnect | weights | all weights | [`DropConnect`](crate::noise::DropConnect) |
//! | fractional max pooling | regions | several passes, averaged | [`FractionalMaxPool`](crate::pool::FractionalMaxPool) |
//! | stochastic depth | whole blocks | all blocks | [`StochasticDepth`](crate::noise::StochasticDepth) |
//!
//! The recipe of the ResNet slide is one value: a side of 256 to 480 pixels, a patch of 224 anywhere in it.
//!
//! ```
//! use gradus::augment::ScaleCrop;
//! use gradus::noise::StochasticDepth;
//! assert_eq!(ScaleCrop::resnet().shortest, [256, 480]);
//! assert_eq!(StochasticDepth::linear(12, 12, 0.5), 0.5); // the last of twelve blocks survives half of the time
//! ```
