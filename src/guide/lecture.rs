//! The lecture "Training Networks, Part 2" (Stanford CS231n), method by method, its questions answered by a run.
//!
//! A section for each slide with a method, a question or a figure, in their order: the idea, the call, and what came
//! out. All code here runs as a test, and the kernels draw all pictures (`cargo run --release -p gallery --bin lecture`
//! and `--bin race`). An optimizer has the same colour in all of them; a triangle marks where a line leaves its
//! picture.
//!
//! # Gradient descent
//!
//! A step goes down the gradient, `p -= lr * g`, and the learning rate says how far: [`Sgd`](crate::Sgd). Where the
//! slope is positive the parameter falls, where it is negative it grows.
//!
//! ```
//! use gradus::{Optimizer, Sgd};
//! let sgd = Sgd::new(0.1);
//! let (mut p, mut state) = ([3.0, -3.0], sgd.state());
//! let grads = p.map(|p| 2.0 * p); // of p^2: 6 and -6
//! sgd.step(&mut p, &grads, &mut state);
//! assert_eq!(p, [2.4, -2.4]);
//! ```
//!
//! # Local minima and saddle points
//!
//! *What if there are some?* The gradient vanishes at both, and a step with it: gradient descent stays in the first
//! hollow that it comes to, and on the ridge of a saddle it does not leave. A velocity carries over a hill that is not
//! too high.
//!
//! ```
//! use gradus::{Momentum, Optimizer, Sgd};
//!
//! /// Where 120 steps lead from 1.9 on: the hollow at 0.97, or beyond a hill the deeper one at -1.03.
//! fn rest(optimizer: impl Optimizer) -> f32 {
//!     let (mut p, mut state) = ([1.9], optimizer.state());
//!     for _ in 0..120 {
//!         let grads = [4.0 * p[0] * (p[0] * p[0] - 1.0) + 0.25]; // of (p^2 - 1)^2 + p / 4
//!         optimizer.step(&mut p, &grads, &mut state);
//!     }
//!     p[0]
//! }
//! assert!((rest(Sgd::new(0.02)) - 0.967).abs() < 0.01);
//! assert!((rest(Momentum::new(0.02)) + 1.03).abs() < 0.1);
//!
//! // On the ridge of x^2 - y^2 nothing pushes to either side: y stays 0, exactly.
//! let (sgd, mut p) = (Sgd::new(0.1), [1.0, 0.0]);
//! let mut state = sgd.state();
//! for _ in 0..1000 {
//!     let grads = [2.0 * p[0], -2.0 * p[1]];
//!     sgd.step(&mut p, &grads, &mut state);
//! }
//! assert_eq!(p[1], 0.0);
//! ```
//!
//! *Why are saddles the more common trouble in many dimensions?* A minimum has to curve upwards along every axis, and a
//! saddle along some. Of random symmetric matrices, in place of Hessians, fewer and fewer do as they grow:
//!
//! ```
//! use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
//! let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//! /// Whether no pivot of Gauss' elimination is negative, so that no direction curves downwards.
//! fn curves_upwards(mut h: Vec<Vec<f64>>) -> bool {
//!     (0..h.len()).all(|k| {
//!         for i in k + 1..h.len() {
//!             for j in k + 1..h.len() {
//!                 h[i][j] -= h[i][k] * h[k][j] / h[k][k];
//!             }
//!         }
//!         h[k][k] > 0.0
//!     })
//! }
//! let share = [1, 2, 3, 4].map(|n| {
//!     let minima = (0..4000).filter(|_| {
//!         let mut h = vec![vec![0.0; n]; n];
//!         for (i, j) in (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))) {
//!             h[i][j] = f64::from(rng.next_u32() as i32);
//!             h[j][i] = h[i][j];
//!         }
//!         curves_upwards(h)
//!     });
//!     minima.count() as f64 / 4000.0
//! });
//! assert!(share[0] > 0.45 && share[1] < 0.25 && share[2] < 0.05 && share[3] < 0.01, "{share:?}");
//! ```
//!
//! # Poor conditioning
//!
//! *What if the loss is steep one way and flat the other?* The steep direction bounds the rate, where a step jumps to
//! the other side, and along the flat one the same rate takes for ever.
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
//! assert!(along(Sgd::new(0.019), 100) > 0.14); // above 0.02 the steep direction diverges
//! assert!(along(Momentum::new(0.019), 100) < 0.01); // a velocity is farther with the same rate
//! ```
//!
//! # Momentum
//!
//! A velocity sums up gradients and forgets them at the rate `rho`: [`Momentum`](crate::Momentum). What points the same
//! way adds up, to `1 / (1 - rho)` times the gradient; what changes its sign, noise above all, cancels.
//!
//! *What does it do to gradient noise?* A single step has less of it; where the steps have the same mean, a quarter is
//! left.
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
#![doc = ""]
#![doc = include_str!("../../docs/velocity.svg")]
#![doc = ""]
//! # Nesterov's momentum
//!
//! The gradient is taken where the velocity would lead, which corrects a velocity that is about to overshoot. In the
//! variables `y = x + rho * v` that needs the gradient at the current point only: [`Nesterov`](crate::Nesterov) is the
//! lecture's last form.
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
//! Each parameter's step is divided by the root of all its squared gradients so far: [`AdaGrad`](crate::AdaGrad). Steep
//! directions are damped, and flat ones sped up, so that it heads straight down a valley.
//!
//! *What happens to the step over a long time?* It decays to zero, as `1 / sqrt(t)` under a constant gradient.
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
//!
//! // Steep or flat, the first step is as long.
//! let (mut p, mut state) = ([0.0; 2], adagrad.state());
//! adagrad.step(&mut p, &[-1.0, -100.0], &mut state);
//! assert!(p.iter().all(|p| (p - 0.1).abs() < 1e-6));
//! ```
//!
//! *Why does the race below not show it stuck?* Its courses are short, and its rate is large there. On a longer one its
//! steps are too short before it is there:
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
#![doc = ""]
#![doc = include_str!("../../docs/adagrad.svg")]
#![doc = ""]
//! # RMSProp
//!
//! The sum of squares becomes a running average, which forgets: [`RmsProp`](crate::RmsProp), with the decay 0.99. Its
//! steps stay as long as the gradients are what they are, as the run above shows. Its own average begins at 0 too, and
//! it has no correction: its first step is ten learning rates long.
#![doc = ""]
#![doc = include_str!("../../docs/race.svg")]
#![doc = ""]
//! # Adam
//!
//! Momentum over the root of the running average of squares: [`Adam`](crate::Adam). Without bias correction it is the
//! lecture's "Adam (almost)". *What happens at the first step?* Both averages begin at 0 and are too small, but the
//! second one under a root: `0.1 / sqrt(0.001)` is 3.16 learning rates, whatever the gradient. With the correction it
//! is one.
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
//! All of these have one. *Which is best?* None: a high one is fast at first and never arrives, a low one arrives late.
//! So it decays over time: [`schedule`](crate::schedule). Four constant rates on softmax
//! regression, and decays on a bowl with noise; below, the run for all decays of the lecture.
#![doc = ""]
#![doc = include_str!("../../docs/rates.svg")]
#![doc = ""]
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
//! # First and second order
//!
//! A gradient gives a plane; with the Hessian it is a quadratic, whose lowest point is the step. There is no learning
//! rate to choose: [`NewtonSettings`](crate::second_order::NewtonSettings) is at the bottom of a quadratic after one
//! iteration. The price is the Hessian: `n^2` numbers, and `n^3 / 6` multiplications to solve with it. A million
//! parameters would need four terabytes.
#![doc = ""]
#![doc = include_str!("../../docs/models.svg")]
#![doc = ""]
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
//! *What does it cost as `n` grows?* Twice the parameters take four times the memory, where L-BFGS takes twice as much:
//!
//! ```
//! use gradus::second_order::{Lbfgs, Newton};
//! let newton = [size_of::<Newton<32>>(), size_of::<Newton<64>>(), size_of::<Newton<128>>()];
//! let lbfgs = [size_of::<Lbfgs<32, 5>>(), size_of::<Lbfgs<64, 5>>(), size_of::<Lbfgs<128, 5>>()];
//! let growth = |bytes: [usize; 3]| (bytes[2] - bytes[1]) as f32 / (bytes[1] - bytes[0]) as f32;
//! assert!(growth(newton) > 3.5 && growth(lbfgs) == 2.0, "{newton:?} {lbfgs:?}");
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/rosenbrock.svg")]
#![doc = ""]
//! # L-BFGS
//!
//! It learns the curvature from the last few steps, `2 m` vectors in place of a matrix:
//! [`second_order`](crate::second_order). On one function that does not change it needs few evaluations. In
//! mini-batches each evaluation is of another function, and differences of gradients are noise: its line search asks
//! for a decrease that is not there.
#![doc = ""]
#![doc = include_str!("../../docs/minibatch.svg")]
#![doc = ""]
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
//! Adam first; momentum with a decaying rate if you can tune it; L-BFGS where a full batch is affordable and nothing is
//! random. [`choosing`](super::choosing) has rates to begin with.
//!
//! # Beyond the training error
//!
//! A better optimizer lowers the loss in training, and what counts is the error on what was not shown. The gap between
//! them is what the rest of the lecture is about: here a network learns 100 digits by heart.
#![doc = ""]
#![doc = include_str!("../../docs/gap.svg")]
#![doc = ""]
//! # Ensembles
//!
//! Several models, trained apart or taken as snapshots along one run with a cyclic rate
//! ([`SnapshotCycle`](crate::schedule::SnapshotCycle)), vote by the mean of their probabilities:
//! [`ensemble`](crate::ensemble). The lecture's "2 % extra" is an experience of large networks. Here, on 1797 digits,
//! it is less: five independent models gain 0.1 % without dropout and 0.3 % with it, and snapshots of one run nothing
//! that is larger than chance. The tables stand in [`ensemble`](crate::ensemble) (`cargo run --release -p gallery --bin
//! snapshots`).
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
//! # Regularisation
//!
//! *What is missing in the loss?* A preference among all the weights that fit the data: `lambda * R(W)` is added to it.
//! What that, and the methods after it, are worth on few digits:
#![doc = ""]
#![doc = include_str!("../../docs/regularise.svg")]
#![doc = ""]
//! # Lambda
//!
//! *How large?* At 0 only the data count, and the model overfits; if it is large the weights vanish, and it underfits.
//! A polynomial with as many parameters as points, and noise in them; the error at points that were not shown:
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
#![doc = ""]
#![doc = include_str!("../../docs/lambda.svg")]
#![doc = ""]
//! # L1 and L2
//!
//! Both are [`transform`](crate::transform)s of the step, and [`ElasticNet`](crate::transform::ElasticNet) is their
//! sum. L2 prefers spread weights: of two vectors with the same product `w x` for `x = (1, 1, 1, 1)` it takes the
//! second. L1 is indifferent between them, and its slope does not vanish near 0: weights that do not pay become exact
//! zeros with [`ProxL1`](crate::transform::ProxL1), which is the lecture's feature selection.
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
//! # Dropout
//!
//! Each unit is set to 0 with a probability, in every pass anew: [`Dropout`](crate::noise::Dropout). No unit can rely
//! on another, and each mask is a model of an ensemble that shares its weights: a layer of `n` units has `2^n` of them.
//! The lecture has both forms: vanilla scales at test time, inverted in training, which leaves nothing to do at test
//! time.
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
//! ([`MonteCarlo`](crate::noise::MonteCarlo)); one pass without dropout does nearly as well, and exactly where what
//! follows is linear:
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
//! # Data augmentation
//!
//! An image that is shifted, turned or in another light shows the same thing, so each pass may see another one:
//! [`augment`](crate::augment). A recipe draws its strength from a generator, so that a seed decides what is seen; the
//! recipe of the ResNet slide is one value.
//!
//! ```
//! use gradus::augment::{Image, ImageLayout, ImageMut, ImageShape, Jitter, RandomAffine, RandomFlip, ScaleCrop};
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! let shape = ImageShape { height: 8, width: 8, channels: 3, layout: ImageLayout::Hwc };
//! let image: [f32; 192] = std::array::from_fn(|k| k as f32 / 192.0);
//! let (mut rng, mut new) = (Xoshiro128PlusPlus::seed_from_u64(1), [0.0; 192]);
//!
//! // A side of 256 to 480 pixels, a patch of 224 anywhere in it; here of 10 to 15, and of 8.
//! assert_eq!(ScaleCrop::resnet().shortest, [256, 480]);
//! let crops = ScaleCrop { shortest: [10, 15] };
//! crops.apply(Image::new(&image, shape)?, &mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//! RandomFlip { prob: 0.5 }.apply(&mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//! let light = Jitter { brightness: 0.4, contrast: 0.4, ..Jitter::default() };
//! light.apply(&mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//!
//! // Translation, rotation, stretching and shearing, together in one pass over the pixels.
//! let moves = RandomAffine { translate: 1.0, rotate: 10.0, stretch: 0.1, shear: 0.1 };
//! moves.apply(Image::new(&image, shape)?, 0.0, &mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//! assert_ne!(new, image);
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/augment.svg")]
#![doc = ""]
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
//! # Batch normalisation
//!
//! In training each unit has mean 0 and variance 1 over its batch, whatever the weights before it make of the data;
//! which samples are in the batch is chance, and that is its noise. At test time running averages stand in for the
//! batch, and no chance is left.
//!
//! ```
//! use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Params, Statistics};
//! let (norm, shape, mut running) = (BatchNorm::new(), BatchShape::dense(4, 1), BatchNormState::<1>::new());
//! let params = Params { weight: [1.0], bias: [0.0] };
//! let mut batch = Statistics { mean: [0.0], variance: [0.0] };
//! let (x, mut y) = ([7.0_f32, 9.0, 11.0, 13.0], [0.0; 4]);
//! norm.forward(shape, &x, &mut y, &params, &mut batch)?;
//! norm.track(shape, &batch, running.as_mut())?;
//! assert_eq!((batch.mean, batch.variance), ([10.0], [5.0]));
//! assert!(y.iter().sum::<f32>() == 0.0 && (y.iter().map(|y| y * y).sum::<f32>() - 4.0).abs() < 1e-4);
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/batchnorm.svg")]
#![doc = ""]
//! # DropConnect and stochastic depth
//!
//! What dropout does to units, [`DropConnect`](crate::noise::DropConnect) does to weights, and
//! [`StochasticDepth`](crate::noise::StochasticDepth) to whole residual blocks, the later ones more often. A bit is
//! kept for each, and the backward pass takes the same bits.
//!
//! ```
//! use gradus::noise::{DropConnect, Dropout, Masks, StochasticDepth};
//! let (layer, mut masks) = (DropConnect(Dropout::drop_prob(0.5)), Masks::new(1));
//! let (w, x, mut y, mut mask) = ([1.0_f32; 8], [1.0; 4], [0.0; 2], [0; 2]); // two rows of four weights
//! layer.0.draw(&mut masks, &mut mask);
//! layer.forward(&w, &x, &mut y, &mask)?;
//! let kept = mask.map(|row| (row & 0b1111).count_ones() as f32);
//! assert_eq!(y, kept.map(|kept| 2.0 * kept)); // inverted: what is kept counts twice
//!
//! let survival = StochasticDepth::linear(12, 12, 0.5);
//! assert_eq!(survival, 0.5); // the last of twelve blocks survives half of the time
//! let (depth, mut branch, mut mask) = (StochasticDepth(Dropout::keep_prob(survival)), [1.0_f32; 6], [0]);
//! depth.draw(&mut masks, &mut mask); // a bit for each of three samples
//! depth.forward(&mut branch, 3, &mask)?;
//! assert!(branch.as_chunks::<2>().0.iter().all(|sample| *sample == [0.0; 2] || *sample == [2.0; 2]));
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/masks.svg")]
#![doc = ""]
//! # Fractional max pooling
//!
//! Regions of one or two rows and columns, in an order that is drawn anew in each pass, shrink a map by any factor
//! between 1 and 2: [`FractionalMaxPool`](crate::pool::FractionalMaxPool). At test time several passes are averaged.
//!
//! ```
//! use gradus::pool::{FractionalMaxPool, Regions, Window};
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//! let mut windows = [[Window::default(); 3]; 2];
//! for axis in &mut windows {
//!     Regions::Disjoint.pseudo_random(5, &mut rng, axis)?; // 5 -> 3: windows of 1, 2 and 2 in some order
//! }
//! let pool = FractionalMaxPool::new([5, 5], &windows[0], &windows[1])?;
//! let x: [f32; 25] = std::array::from_fn(|k| k as f32);
//! let (mut y, mut indices) = ([0.0; 9], [0; 9]);
//! pool.forward(&x, &mut y, &mut indices)?;
//! assert_eq!(y[8], 24.0);
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../docs/pooling.svg")]
#![doc = ""]
//! # Summary
//!
//! Of the first part: a velocity smooths, a scale for each parameter evens out, and the rate falls in the end. Of the
//! second: what adds noise in training and its mean at test time closes the gap, and a few of these together close more
//! of it than each alone.
