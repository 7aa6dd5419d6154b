//! The lecture "Training Networks, Part 2" (Stanford CS231n), method by method, with its questions answered by runs.
//!
//! Each slide that has a method, a question or a figure has a section, nearly in the order of the slides: the idea, the
//! call, and the result of a run. All code here runs as a test. The second part of the lecture is [`generalisation`].
//!
//! The kernels of the crate draw all pictures (`cargo run --release -p gallery --bin lecture` and `--bin race`). An
//! optimizer has the same colour in all of them, and a triangle marks where a line leaves its picture.
//!
//! # Gradient descent
//!
//! A step goes against the gradient, `p -= lr * g`, and the learning rate says how far: [`Sgd`](crate::Sgd). Where the
//! gradient is positive the parameter falls, and where it is negative the parameter grows.
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
//! *What if there are some?* The gradient is 0 at both, and so is a step. Gradient descent stays in the first hollow
//! that it comes to, and on the ridge of a saddle point it stands still. A velocity carries a parameter over a hill
//! that is not too high.
//!
//! ```
//! use gradus::{Momentum, Optimizer, Sgd};
//!
//! /// Where 120 steps lead from 1.9: to the hollow at 0.97, or over a hill to the deeper one at -1.03.
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
//! *Why are saddle points more common in many dimensions?* At a minimum the function curves upwards in every direction,
//! at a saddle point in some. Random symmetric matrices stand for Hessians here: the larger they are, the fewer of them
//! curve upwards in every direction.
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
//! *What if the loss is steep in one direction and flat in another?* A step along the steep direction must not jump too
//! far to the other side. That bounds the rate, and with this rate the flat direction takes very long, while the
//! parameter jumps to and fro across the valley.
//!
//! ```
//! use gradus::{Momentum, Optimizer, Sgd};
//!
//! /// What is left along a valley that is 100 times steeper across, and how many of the steps jump to its other side.
//! fn walk(optimizer: impl Optimizer, steps: u32) -> (f32, u32) {
//!     let (mut p, mut state, mut jumps) = ([1.0, 1.0], optimizer.state(), 0);
//!     for _ in 0..steps {
//!         let grads = [p[0], 100.0 * p[1]];
//!         let across: f32 = p[1];
//!         optimizer.step(&mut p, &grads, &mut state);
//!         jumps += u32::from(p[1] * across < 0.0);
//!     }
//!     (p[0].abs(), jumps)
//! }
//! let (left, jumps) = walk(Sgd::new(0.019), 100); // above 0.02 the steep direction diverges
//! assert!(left > 0.14 && jumps == 100);
//! assert!(walk(Momentum::new(0.019), 100).0 < 0.01); // a velocity gets farther with the same rate
//! ```
//!
//! # Momentum
//!
//! A velocity is a sum of gradients in which each counts `rho` times less with every step:
//! [`Momentum`](crate::Momentum). Gradients of one direction add up to `1 / (1 - rho)` times one of them. Gradients
//! that change their sign, noise above all, cancel.
//!
//! *What does it do to gradient noise?* There is less of it in a single step. Two runs whose steps have the same mean
//! are compared here: with a velocity a quarter of the noise is left.
//!
//! ```
//! use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
//! use gradus::{Momentum, Optimizer};
//!
//! // A gradient of 1 with noise ten times as large. The steps have the same mean length for each rho.
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
//! The gradient is taken where the velocity would lead, which corrects a velocity that is about to overshoot. The
//! lecture then changes the variable to `y = x + rho * v`, so that the gradient at the current point is all that is
//! needed. [`Nesterov`](crate::Nesterov) is this last form. The run checks that both forms take the same path:
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
//! Each parameter's step is divided by the root of the sum of its squared gradients so far:
//! [`AdaGrad`](crate::AdaGrad). Steps along steep directions become shorter and those along flat ones longer, so that
//! it heads straight down a valley.
//!
//! *What happens to the step over a long time?* It decays to zero. With a constant gradient it is proportional to
//! `1 / sqrt(t)`.
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
//! // The first step is as long in a steep direction as in a flat one.
//! let (mut p, mut state) = ([0.0; 2], adagrad.state());
//! adagrad.step(&mut p, &[-1.0, -100.0], &mut state);
//! assert!(p.iter().all(|p| (p - 0.1).abs() < 1e-6));
//! ```
//!
//! *Why does AdaGrad not get stuck in the race below?* The courses of the race are short, and its rate is large there.
//! On a longer course its steps become too short before it arrives:
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
//! A running average of the squares takes the place of their sum: [`RmsProp`](crate::RmsProp), with a decay of 0.99.
//! The average forgets old gradients, so that steps do not become shorter with time, as the run above shows. The
//! average begins at 0 and is not corrected for that: the first step is ten learning rates long.
#![doc = ""]
#![doc = include_str!("../../docs/race.svg")]
#![doc = ""]
//! # Adam
//!
//! A running average of gradients is divided by the root of a running average of their squares: [`Adam`](crate::Adam).
//! Without bias correction it is the lecture's "Adam (almost)". *What happens at the first step?* Both averages begin
//! at 0 and are too small. The first one is 0.1 of the gradient, the root of the second one `sqrt(0.001)` of it. So the
//! step is 3.16 learning rates long, whatever the gradient. With the correction it is one learning rate long.
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
//! All these methods have a learning rate. *Which is best?* None: a high one is fast at first and never comes to rest,
//! a low one arrives late. So let it decay over time: [`schedule`](crate::schedule). The picture shows four constant
//! rates on softmax regression, and decays on a bowl with noise. The run below it tries all decays of the lecture.
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
//! The gradient approximates the loss by a plane. Together with the Hessian it approximates it by a quadratic, and a
//! step of Newton's method goes to the lowest point of that. There is no learning rate to choose, and if the loss is a
//! quadratic, the first step ends at its minimum ([`NewtonSettings`](crate::second_order::NewtonSettings)). The price
//! is the Hessian: `n^2` numbers, and `n^3 / 6` multiplications to solve with it. The Hessian of a million parameters
//! takes four terabytes.
#![doc = ""]
#![doc = include_str!("../../docs/models.svg")]
#![doc = ""]
//! ```
//! use gradus::second_order::NewtonSettings;
//! let mut x = [50.0_f64, -30.0];
//! let one_step = NewtonSettings { max_iterations: 1, ..NewtonSettings::new() };
//! let report = one_step.minimize(&mut x, |&[x, y], g, h| {
//!     *g = [4.0 * x + y - 1.0, x + 200.0 * y];
//!     *h = [[4.0, 1.0], [1.0, 200.0]];
//!     2.0 * x * x + x * y + 100.0 * y * y - x
//! })?;
//! assert_eq!(report.iterations, 1);
//! assert!((4.0 * x[0] + x[1] - 1.0).abs() < 1e-3 && (x[0] + 200.0 * x[1]).abs() < 1e-3, "{x:?}"); // both were over 100
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! *What does it cost as `n` grows?* Twice the parameters take four times the memory; L-BFGS takes twice as much:
//!
//! ```
//! use gradus::second_order::{Lbfgs, Newton};
//! let newton = [size_of::<Newton<32>>(), size_of::<Newton<64>>(), size_of::<Newton<128>>()];
//! let lbfgs = [size_of::<Lbfgs<32, 5>>(), size_of::<Lbfgs<64, 5>>(), size_of::<Lbfgs<128, 5>>()];
//! let growth = |bytes: [usize; 3]| (bytes[2] - bytes[1]) as f32 / (bytes[1] - bytes[0]) as f32;
//! assert!(growth(newton) > 3.5 && growth(lbfgs) == 2.0, "{newton:?} {lbfgs:?}");
//! ```
//!
//! The time of Newton's step grows with the third power of `n`. The table has the time of a step on a quadratic,
//! without that of the gradient and the Hessian, in `f32` on one thread of a Zen 4
//! (`cargo bench -p benches --bench orders`). Newton is at the minimum after one step, but for rounding, and L-BFGS
//! after about twenty. So from a hundred parameters on twenty steps of L-BFGS are cheaper.
//!
//! | `n` | Newton | L-BFGS, 5 pairs | Adam |
//! |--:|--:|--:|--:|
//! | 10 | 360 ns | 680 ns | 22 ns |
//! | 100 | 93 us | 840 ns | 45 ns |
//! | 300 | 2.8 ms | 1.2 us | 99 ns |
//! | 1000 | 129 ms | 2.9 us | 310 ns |
//! | 3000 | 4.5 s | 30 us | 950 ns |
#![doc = ""]
#![doc = include_str!("../../docs/rosenbrock.svg")]
#![doc = ""]
//! # L-BFGS
//!
//! It estimates the curvature from the last `m` steps, which are `2 m` vectors in place of a matrix:
//! [`second_order`](crate::second_order). On a function that stays the same, as with the full batch, it needs few
//! evaluations. With mini-batches each evaluation is of another function, and the differences of gradients are mostly
//! noise. Its line search then looks for a decrease that is not there.
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
//! Begin with Adam. Take momentum with a decaying rate if you have time to tune it. Take L-BFGS if you can afford the
//! full batch and nothing in the loss is random. [`choosing`](super::choosing) has rates to begin with.
//!
//! # Beyond the training error
//!
//! A better optimizer lowers the loss on the training data. What counts is the error on data that were not shown. The
//! second part of the lecture is about the gap between the two: [`generalisation`].

pub mod generalisation;
