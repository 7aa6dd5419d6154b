//! From optax: here too, an optimizer is one value and its state another; a chain of transformations is a tuple.
//!
//! ```text
//! optimizer = optax.chain(optax.clip(1.0), optax.add_decayed_weights(1e-4), optax.sgd(0.1, momentum=0.9))
//! state = optimizer.init(params)
//! updates, state = optimizer.update(grads, state, params)
//! params = optax.apply_updates(params, updates)
//! ```
//!
//! ```
//! use gradus::prelude::*;
//! let optimizer = Momentum::new(0.1).with((ClipValue(1.0), L2::weight_decay(1e-4)));
//! let (mut params, mut state) = ([1.0; 4], optimizer.state());
//! optimizer.step(&mut params, &[3.0, -0.5, 0.0, 0.1], &mut state); // clips, decays, steps and applies in one pass
//! ```
//!
//! # Optimizers
//!
//! | optax | gradus |
//! |---|---|
//! | `sgd(lr)` | [`Sgd::new(lr)`](crate::Sgd) |
//! | `sgd(lr, momentum=m)` | [`Momentum`](crate::Momentum)` { rho: m, ..Momentum::new(lr) }` |
//! | `sgd(lr, momentum=m, nesterov=True)` | [`Nesterov`](crate::Nesterov)` { rho: m, ..Nesterov::new(lr) }` |
//! | `adagrad(lr)` | [`AdaGrad::keras(lr)`](crate::AdaGrad::keras), its state filled with 0.1 (1) |
//! | `rmsprop(lr)` | [`RmsProp`](crate::RmsProp)` { rho: 0.9, eps: Epsilon::Root { inside: 1e-8, outside: 0.0 }, .. }` (2) |
//! | `adam(lr)` | [`Adam::new(lr)`](crate::Adam) (3) |
//! | `adamw(lr)`: decay 1e-4 | [`AdamW`](crate::AdamW)` { weight_decay: 1e-4, ..AdamW::new(lr) }` |
//! | `adamax(lr)`, `amsgrad(lr)`, `nadam(lr)`, `radam(lr)`, `adadelta(lr)` | [`Adamax`](crate::Adamax), [`AmsGrad`](crate::AmsGrad), [`Nadam`](crate::Nadam), [`RAdam`](crate::RAdam), [`Adadelta`](crate::Adadelta) (4) |
//! | `lion(lr)` | [`Lion::new(lr)`](crate::Lion): the same defaults |
//! | `lbfgs()` | [`second_order`](crate::second_order): it asks for values and gradients, as optax' line search does |
//!
//! 1. optax, like Keras, begins its sum of squares at 0.1 and puts its stabiliser of 1e-7 under the root.
//! 2. `eps_in_sqrt=True`, the default, is [`Epsilon::Root`](crate::Epsilon::Root); `False` is `Outside`.
//! 3. `eps` stands outside of the root, `eps_root` inside: `Epsilon::Root { inside: eps_root, outside: eps }`.
//! 4. Compare the defaults: those of gradus are PyTorch's. optax' `nadam` has a constant momentum; here it follows the
//!    paper's schedule.
//!
//! # Transformations
//!
//! | optax | gradus |
//! |---|---|
//! | `chain(a, b)`, before the optimizer | `.with((a, b))`, in the order in which it is written |
//! | `clip(c)` | [`ClipValue(c)`](crate::transform::ClipValue) |
//! | `clip_by_global_norm(c)` | [`ClipNorm`](crate::transform::ClipNorm)` { max_norm: c }.scale(exec, &[a, b])?` |
//! | `scale(s)` | [`Scale(s)`](crate::transform::Scale) |
//! | `add_decayed_weights(wd)` before the optimizer | [`L2::weight_decay(wd)`](crate::transform::L2) |
//! | `add_decayed_weights(wd)` after it, as in `adamw` | [`Decay::new(wd)`](crate::transform::Decay) |
//! | `apply_if_finite` | [`step_if_finite`](crate::Optimizer::step_if_finite) |
//! | `MultiSteps` | add the gradients up and step once, with `Scale(1.0 / k)`; or [`Accumulate`](crate::Accumulate) |
//! | `masked`, `multi_transform` | a call for each tensor |
//! | `ema` of the parameters, `incremental_update` | [`ensemble`](crate::ensemble) |
//!
//! # Schedules
//!
//! In both libraries a schedule is a function of the number of updates so far, so that the first update asks for that
//! of 0.
//!
//! | optax | gradus |
//! |---|---|
//! | `constant_schedule(lr)` | [`Constant(lr)`](crate::schedule::Constant) |
//! | `exponential_decay(lr, steps, rate, staircase=True)` | [`StepDecay::new(lr, rate, steps)`](crate::schedule::StepDecay) |
//! | `exponential_decay(lr, steps, rate)` | [`Exponential::new(lr, -ln(rate) / steps)`](crate::schedule::Exponential) |
//! | `piecewise_constant_schedule(lr, {30: 0.5})`: the new rate from step 30 on | [`MultiStep::new(lr, 0.5, [30])`](crate::schedule::MultiStep): the same |
//! | `linear_schedule`, `polynomial_schedule` | [`Linear`](crate::schedule::Linear), [`Polynomial`](crate::schedule::Polynomial) |
//! | `cosine_decay_schedule(lr, steps)` | [`Cosine::new(lr, steps)`](crate::schedule::Cosine) |
//! | `warmup_cosine_decay_schedule(0, lr, warm, all)`: `all` counts the warm-up too | [`WarmUp::new(0.0, warm, Cosine::new(lr, all - warm))`](crate::schedule::WarmUp) |
//! | `sgdr_schedule` | [`WarmRestarts`](crate::schedule::WarmRestarts) |
//! | `cosine_onecycle_schedule` | [`OneCycle`](crate::schedule::OneCycle) |
//! | `join_schedules` | [`Sequence`](crate::schedule::Sequence) |
//! | `contrib.reduce_on_plateau` | [`Plateau`](crate::schedule::Plateau) |
//!
//! ```
//! use gradus::schedule::{MultiStep, Schedule};
//! let schedule = MultiStep::new(1.0, 0.5, [30]);
//! assert_eq!([29, 30].map(|step| schedule.at(step)), [1.0, 0.5]); // the boundary has the new rate
//! ```
//!
//! # Losses
//!
//! The losses of optax return a value for each sample. Those of gradus return the mean over the batch, and write the
//! gradient of the mean over the scores. `optax.l2_loss` has a factor 1/2, and
//! [`mean_squared_error`](crate::loss::mean_squared_error) has none.
