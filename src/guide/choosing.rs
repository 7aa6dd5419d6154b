//! Which optimizer, which learning rate, which schedule.
//!
//! # Which optimizer
//!
//! | what you have | start with | state per parameter |
//! |---|---|--:|
//! | a network, and no idea yet | [`Adam`](crate::Adam) at 1e-3 | 8 B |
//! | the same, and weights that should stay small | [`AdamW`](crate::AdamW) at 1e-3 | 8 B |
//! | time to tune, and a network known to train well | [`Nesterov`](crate::Nesterov) at 0.1, a cosine schedule, [`L2`](crate::transform::L2) | 4 B |
//! | gradients of very different sizes, little RAM | [`RmsProp`](crate::RmsProp) at 1e-3, or [`Lion`](crate::Lion) at 1e-4 | 4 B |
//! | features that are mostly absent | [`AdaGrad`](crate::AdaGrad) at 1e-2 | 4 B |
//! | no RAM to spare | [`Sgd`](crate::Sgd) at 0.1 | 0 B |
//! | too little RAM for the state of Adam | [`Adam`](crate::Adam)[`.half()`](crate::Optimizer::half) at 1e-3 | 4 B |
//! | no warm-up, and first steps that go wrong | [`RAdam`](crate::RAdam) at 1e-3 | 8 B |
//! | a run whose end is not known, and no schedule to tune | [`ScheduleFree`](crate::ScheduleFree) at 2.5e-3, after a warm-up | 8 B |
//! | few parameters, and all data at once | L-BFGS, in [`second_order`](crate::second_order) | 60 B with 5 pairs |
//!
//! [`Adamax`](crate::Adamax), [`Adadelta`](crate::Adadelta), [`AmsGrad`](crate::AmsGrad) and [`Nadam`](crate::Nadam)
//! are for recipes that ask for them.
//!
//! # How much memory
//!
//! Adam's parameters, gradients and state can be kept in several ways. A half state has numbers of 16 bits.
//! `backward_step` is a layer's backward pass that takes the step at once, so that gradients need no memory.
//!
//! | Adam: what is kept | bytes for each parameter | take it |
//! |---|--:|---|
//! | whole state, gradients | 16 | for runs that are compared with another library's |
//! | whole state, `backward_step` | 12 | where a step sees its whole batch at once |
//! | [`half`](crate::Optimizer::half) state, gradients | 12 | where other code computes the gradients |
//! | half state, [`HalfGrads`](crate::layer::HalfGrads) | 10 | for a batch that comes sample by sample: no activations of a batch |
//! | half state, `backward_step` | 8 | on a microcontroller: parameters, state, and the activations of a batch |
//!
//! Training with a half state ends where it would with a whole one, within the differences between seeds:
//!
#![doc = include_str!("../../docs/half.md")]
//!
#![doc = ""]
#![doc = include_str!("../../docs/half.svg")]
#![doc = ""]
//!
//! [`AmsGrad`](crate::AmsGrad) and [`ScheduleFree`](crate::ScheduleFree) have no half state. The crate offers no
//! parameters in bf16: where the steps are tiny beside the parameters, as they mostly are, they would be lost.
//!
//! # Learning rates
//!
//! The learning rates above are where to begin a search, not where to end it. Adaptive rules divide a gradient
//! by its own size: their rate is about the length of a step, whatever the loss is measured in. The
//! steps of the others are proportional to the gradient: their best rate changes with the scale of loss and inputs.
//!
//! The picture shows the six optimizers of the lecture on four surfaces, from the same start, without noise:
#![doc = ""]
#![doc = include_str!("../../docs/race.svg")]
#![doc = ""]
//! - **Bowl.** It is 50 times steeper in one direction than in the other. SGD jumps across the steep direction and
//!   creeps along the flat one. Momentum and Nesterov add up these small steps; momentum overshoots more. AdaGrad,
//!   RMSProp and Adam scale each direction by itself. The first two come down to the floor without crossing it; Adam's
//!   momentum carries it across once, and then in loops around the minimum.
//! - **Saddle.** The start is almost on the ridge, where the gradient is nearly 0. Rules whose steps are proportional
//!   to it wait; rules that divide by its size leave at once.
//! - **Double well.** The velocity of momentum and Nesterov carries them over the hill into the deeper
//!   well. That is luck of the start, not a law; it is one reason why runs from several seeds differ.
//! - **Rosenbrock's valley.** It is curved and flat. All rules find its floor soon, and then crawl along it.
//!
//! The picture shows how rules move, not which is fastest: the rates were chosen by hand, one for each rule and
//! surface (`gallery/src/course.rs`). This is the height above the minimum after each step, with the same rates:
#![doc = ""]
#![doc = include_str!("../../docs/loss.svg")]
#![doc = ""]
//! With noise on each gradient the paths end around the minimum instead of in it, and on the saddle the noise
//! pushes those that waited off the ridge, here to the other side:
#![doc = ""]
#![doc = include_str!("../../docs/race-noise.svg")]
#![doc = ""]
//! Try it with your own start, rates and noise in the page under `web/`.
//!
//! Nesterov's momentum takes the gradient where the velocity will lead, and so corrects the velocity before it is too
//! late:
#![doc = ""]
#![doc = include_str!("../../docs/lookahead.svg")]
#![doc = ""]
//! The drawing has the velocity of the lecture, `v' = ρv − lr g(p + ρv)`, which is added to `p`.
//! [`Nesterov`](crate::Nesterov) has PyTorch's, `v' = ρv + g`, which is subtracted, times the rate; its parameters
//! are the point ahead, `p + ρv` of the drawing, so that you compute the gradient where they are.
//!
//! # Which learning rate
//!
//! Run a short training for each rate of a coarse ladder, and take the largest that is still stable, or one
//! rung below it. A function over any optimizer makes that a loop:
//!
//! ```
//! use gradus::{Adam, Momentum, Optimizer};
//!
//! /// Loss after fifty steps, from the same start.
//! fn short_run(optimizer: impl Optimizer) -> f32 {
//!     let loss = |[x, y]: [f32; 2]| 0.5 * (x * x + 50.0 * y * y);
//!     let (mut params, mut state) = ([-5.0, 1.6], optimizer.state());
//!     for _ in 0..50 {
//!         let grads = [params[0], 50.0 * params[1]];
//!         optimizer.step(&mut params, &grads, &mut state);
//!     }
//!     loss(params)
//! }
//!
//! let ladder = [1e-3, 1e-2, 1e-1, 1.0];
//! let adam = ladder.map(|lr| short_run(Adam::new(lr)));
//! let momentum = ladder.map(|lr| short_run(Momentum::new(lr)));
//! assert!(adam[2] < adam[1] && adam[1] < adam[0]);
//! assert!(momentum[1] < momentum[0] && !(momentum[3] < 1e9)); // 1.0 diverges: beyond 2 (1 + rho) / 50
//! ```
//!
//! A range test asks in one run: let the rate grow from step to step, and stop where the loss explodes. A good largest
//! rate is some way before the loss is lowest.
//!
//! ```
//! use gradus::schedule::{Exponential, Schedule};
//! use gradus::{Momentum, Optimizer};
//!
//! let growing = Exponential::between(1e-4, 1.0, 100);
//! let (mut params, mut state) = ([-5.0, 1.6], Momentum::new(0.0).state());
//! let (mut lowest, mut at) = (f32::INFINITY, 0.0);
//! for step in 0..100 {
//!     let [x, y]: [f32; 2] = params;
//!     let loss = 0.5 * (x * x + 50.0 * y * y);
//!     if loss < lowest {
//!         (lowest, at) = (loss, growing.at(step));
//!     } else if loss > 100.0 * lowest {
//!         break;
//!     }
//!     Momentum::new(growing.at(step)).step(&mut params, &[x, 50.0 * y], &mut state);
//! }
//! assert!(0.01 < at && at < 0.1);
//! ```
//!
//! The picture shows this test on the digits (`gallery/src/bin/range.rs`). The rate at which the loss falls steepest
//! suits a run without a schedule: 0.5 for SGD, 0.1 for momentum and 0.03 for Adam here. A third of the rate of the
//! lowest loss suits as the top of a schedule.
#![doc = ""]
#![doc = include_str!("../../docs/range.svg")]
#![doc = ""]
//!
//! # Which schedule
#![doc = ""]
#![doc = include_str!("../../docs/schedules.svg")]
#![doc = ""]
//! With a constant rate and noisy gradients a run ends in a ball around the minimum whose size grows with
//! the rate. In the noisy race on the bowl every rule hovers at several times the height that it reaches
//! without noise, Nesterov at a thousand times:
#![doc = ""]
#![doc = include_str!("../../docs/loss-noise.svg")]
#![doc = ""]
//! Letting the rate fall shrinks that ball.
//!
//! - [`Cosine`](crate::schedule::Cosine) over the whole run needs no further choice.
//! - A [`WarmUp`](crate::schedule::WarmUp) of a few percent of the steps before it helps where the first gradients are
//!   very large.
//! - [`StableDecay`](crate::schedule::StableDecay) is for runs whose length is not known at their start.
//! - [`Plateau`](crate::schedule::Plateau) is for runs that measure the loss on held-out data as they go.
//! - [`StepDecay`](crate::schedule::StepDecay) and [`MultiStep`](crate::schedule::MultiStep) are for recipes from papers.
//! - [`WarmRestarts`](crate::schedule::WarmRestarts) and [`SnapshotCycle`](crate::schedule::SnapshotCycle) give several
//!   models in one run.
//!
//! # Which safeguards
//!
//! - Against gradients that explode now and then: [`ClipNorm`](crate::transform::ClipNorm) keeps their
//!   direction, and [`ClipValue`](crate::transform::ClipValue) needs no pass of its own.
//! - Against overfitting: first [augmentation](crate::augment), if the data allow it, and
//!   [normalisation](mod@crate::norm); then [`Dropout`](crate::noise::Dropout); then a penalty. With 200 digits and one
//!   small network they gained 2.1, 2.1, 1.2 and 0.8 points of accuracy alone and 4.5 together ([the
//!   table](crate::noise#what-helps)). Other data may rank them otherwise.
//! - Which penalty: [`L2`](crate::transform::L2) with SGD and momentum, and decoupled
//!   [`Decay`](crate::transform::Decay) with adaptive rules. These divide the gradient by its size, and a penalty that
//!   is part of the gradient with it. [`ProxL1`](crate::transform::ProxL1) is for weights that should be exactly 0.
//! - Against NaN: [`step_if_finite`](crate::Optimizer::step_if_finite) skips the step and says so.
