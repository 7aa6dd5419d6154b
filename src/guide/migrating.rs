//! From PyTorch and Keras: the same methods under other names and conventions.
//!
//! Unless a constructor says otherwise the defaults are PyTorch's. `::keras(lr)` and `::lecture(lr)` have those of
//! Keras and of the lecture. Tests compare with numbers that PyTorch, Keras and optax have computed. There are pages
//! for other libraries: [`optax`], [`aifes`], [`cmsis_dsp`].
//!
//! # Optimizers
//!
//! | PyTorch | Keras | gradus |
//! |---|---|---|
//! | `SGD(lr)` | `SGD(lr)` | [`Sgd::new(lr)`](crate::Sgd) |
//! | `SGD(lr, momentum=0.9)` | `SGD(lr, momentum=0.9)` (1) | [`Momentum::new(lr)`](crate::Momentum) |
//! | `SGD(.., dampening=d)` | | `Momentum { dampening: d, .. }` |
//! | `SGD(.., nesterov=True)` | `SGD(.., nesterov=True)` (1) | [`Nesterov::new(lr)`](crate::Nesterov) |
//! | `Adagrad(lr)` | `Adagrad(lr)` (2) | [`AdaGrad::new(lr)`](crate::AdaGrad), `::keras(lr)` |
//! | `RMSprop(lr)`: alpha 0.99 | `RMSprop(lr)`: rho 0.9 | [`RmsProp::new(lr)`](crate::RmsProp), `::keras(lr)` |
//! | `RMSprop(.., centered=True, momentum=m)` | the same | `RmsProp::new(lr).centered().with_momentum(m)` |
//! | `Adam(lr)` | `Adam(lr)` (3) | [`Adam::new(lr)`](crate::Adam), `::keras(lr)` |
//! | `Adam(.., amsgrad=True)` | `Adam(.., amsgrad=True)` (3) | [`AmsGrad::new(lr)`](crate::AmsGrad) |
//! | `AdamW(lr)`: decay 0.01 | `AdamW(lr)`: decay 0.004 (3) | [`AdamW::new(lr)`](crate::AdamW) |
//! | `NAdam(lr)` | `Nadam(lr)` (4) | [`Nadam::new(lr)`](crate::Nadam) |
//! | `RAdam(lr)` | | [`RAdam::new(lr)`](crate::RAdam) |
//! | `Adamax(lr)` | `Adamax(lr)`, which adds its `eps` to the maximum | [`Adamax::new(lr)`](crate::Adamax) |
//! | `Adadelta(lr)`: rho 0.9, eps 1e-6 | `Adadelta(lr)`: rho 0.95, eps 1e-7 | [`Adadelta::new(lr)`](crate::Adadelta) |
//! | | `Lion(lr)` (5) | [`Lion::new(lr)`](crate::Lion) |
//! | `schedulefree.AdamWScheduleFree(lr)` (6) | | [`ScheduleFree::new(lr)`](crate::ScheduleFree) |
//!
//! 1. Keras keeps the learning rate inside of the velocity (`v = m*v - lr*g`). With a constant rate
//!    both are the same. After a change of the rate PyTorch's whole velocity follows it at once, and Keras' only
//!    as new gradients come in. gradus follows PyTorch.
//! 2. Keras starts the sum of squares at 0.1. Fill the state with
//!    [`AdaGrad::KERAS_ACCUMULATOR`](crate::AdaGrad::KERAS_ACCUMULATOR) first.
//! 3. Keras' stabiliser is 1e-7 and stands in another place: see [`Epsilon`](crate::Epsilon).
//! 4. Keras' stabiliser is 1e-7, and its `mu` grows 250 times as fast. That is a momentum decay of 1.
//! 5. Keras has no weight decay by default. Here it is optax' 1e-3.
//! 6. `optimizer.eval()` is the call [`average`](crate::ScheduleFree::average). Give it a copy of the parameters if the
//!    run goes on. `warmup_steps` is a [`WarmUp`](crate::schedule::WarmUp). When the rate falls, the package weighs a
//!    step by the largest rate so far; here a step is weighed by its own rate.
//!
//! Where Keras' settings have no constructor, write the fields (Keras 3.15):
//!
//! ```
//! use gradus::{AdamW, AmsGrad, Epsilon, Lion, Nadam};
//!
//! let eps = Epsilon::Hat(1e-7);
//! let adamw = AdamW { eps, weight_decay: 4e-3, ..AdamW::new(1e-3) };
//! let amsgrad = AmsGrad { eps, ..AmsGrad::new(1e-3) };
//! let nadam = Nadam { eps: Epsilon::Outside(1e-7), momentum_decay: 1.0, ..Nadam::new(1e-3) };
//! let lion = Lion { weight_decay: 0.0, ..Lion::new(1e-3) };
//! ```
//!
//! # Around the optimizer
//!
//! | PyTorch | Keras | gradus |
//! |---|---|---|
//! | `weight_decay=wd` of `SGD`, `Adam`: gradient `wd * w` | | `.with(L2::weight_decay(wd))` |
//! | | `regularizers.L2(l)`: gradient `2 * l * w` | `.with(L2::new(l))` |
//! | | `regularizers.L1(l)` | `.with(L1::new(l))` |
//! | `weight_decay` of `AdamW`: decoupled | `weight_decay` of all | `AdamW`; `.with(Decay::new(wd))` for the others |
//! | the paper's decay, which is `weight_decay` divided by the rate | | `.with(Decay::independent(wd))` |
//! | several `backward()` before a `step()` | `gradient_accumulation_steps` | `backward` of layers adds to gradients; [`Accumulate`](crate::Accumulate) adds those of other code |
//! | | `Normalization`, `adapt` | [`InputNorm`](crate::norm::InputNorm), sample by sample |
//! | | `metrics.Accuracy`, scikit-learn's `confusion_matrix` | [`Confusion`](crate::loss::Confusion) |
//! | `clip_grad_value_(c)` | `clipvalue=c` | `.with(ClipValue(c))` |
//! | `clip_grad_norm_(c)` | `global_clipnorm=c` | `.with(ClipNorm { max_norm: c }.scale(exec, &[a, b])?)` |
//! | `reduction='mean'` | the same | [`loss`](crate::loss) takes the mean; for sums of your own `.with(Scale(1.0 / batch))` |
//! | `zero_grad()` | | `grads.fill(0.0)`: the gradients are your array |
//! | `swa_utils.AveragedModel` | `use_ema` | [`ensemble`](crate::ensemble) |
//! | parameter groups | | a call for each group, or [`step_tensors`](crate::Optimizer::step_tensors) |
//! | `state_dict()`, `load_state_dict()` | | [`store::save`](crate::store::save), [`store::load`](crate::store::load) |
//! | `GradScaler`, which skips a step | `LossScaleOptimizer` | `Scale` and [`step_if_finite`](crate::Optimizer::step_if_finite) |
//! | `Dropout(p)`: drops with `p` | `Dropout(rate)`: the same | [`Dropout::drop_prob(p)`](crate::noise::Dropout); the lecture's `p` is `keep_prob` |
//! | `GroupNorm(groups, channels)`, `LayerNorm(features)` | `GroupNormalization`, `LayerNormalization` | [`GroupNorm`](crate::norm::GroupNorm), [`LayerNorm`](crate::norm::LayerNorm); Keras' eps is 1e-3 |
//! | `v2.RandomErasing`, `v2.MixUp`, `v2.CutMix`, `v2.ColorJitter` | `keras.layers.RandomErasing`, `MixUp`, `CutMix` | [`RandomErasing`](crate::augment::RandomErasing), [`Mixup`](crate::augment::Mixup), [`CutMix`](crate::augment::CutMix), [`Jitter`](crate::augment::Jitter) |
//! | `BatchNorm(momentum=0.1)`: weight of the new | `momentum=0.99`: weight of the old | `running_decay`: weight of the old (7) |
//!
//! 7. Keras adds the batch's variance to the running one as it is, PyTorch multiplies it by `n / (n - 1)` first. The
//!    field `track_biased` says which, and [`BatchNorm::keras()`](crate::norm::BatchNorm::keras) sets it.
//!
//! If your backward pass sums over the batch, the mean is taken in the same pass as the step:
//!
//! ```
//! use gradus::{Adam, AdamState, Exec, Optimizer, transform::{ClipNorm, Scale}};
//!
//! let (adam, mut state) = (Adam::new(1e-3), AdamState::new());
//! let (mut params, summed) = ([0.5_f32; 4], [6.0_f32, -2.0, 0.0, 3.0]);
//! let mean = Scale(1.0 / 32.0);
//! let clip = ClipNorm { max_norm: 1.0 * 32.0 }.scale(Exec::new(), &[&summed])?; // of the mean: norm / 32
//! adam.with((mean, clip)).step(&mut params, &summed, &mut state);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Schedules
//!
//! There is no `scheduler.step()`. A schedule is a function of the step, counted from 0, and
//! [`state.t()`](crate::State::t) is the step. PyTorch's schedulers are usually called once an epoch;
//! here all lengths are in steps of the optimizer.
//!
//! ```
//! use gradus::schedule::{Cosine, Schedule};
//! use gradus::{Adam, AdamState, Optimizer};
//!
//! let (adam, schedule, mut state) = (Adam::new(0.0), Cosine::new(1e-2, 100), AdamState::new());
//! let mut params = [1.0_f32];
//! for _ in 0..100 {
//!     let grads = [2.0 * params[0]];
//!     adam.with_lr(schedule.at(state.t())).step(&mut params, &grads, &mut state);
//! }
//! ```
//!
//! | PyTorch | Keras | gradus |
//! |---|---|---|
//! | `StepLR(step_size, gamma)` | `ExponentialDecay(staircase=True)` | [`StepDecay`](crate::schedule::StepDecay) |
//! | `MultiStepLR` | | [`MultiStep`](crate::schedule::MultiStep) |
//! | `SequentialLR` of `ConstantLR` | `PiecewiseConstantDecay([10], [a, b])`, whose step 10 has the old rate | `Constant(a).then(11, Constant(b))`, see [`Sequence`](crate::schedule::Sequence) |
//! | `ExponentialLR(gamma)` | `ExponentialDecay` | [`Exponential::gamma`](crate::schedule::Exponential::gamma) |
//! | | `InverseTimeDecay` | [`InverseTime`](crate::schedule::InverseTime) |
//! | `LinearLR` | `PolynomialDecay(power=1)` | [`Linear`](crate::schedule::Linear) |
//! | `PolynomialLR(total_iters, power)` | `PolynomialDecay` | [`Polynomial`](crate::schedule::Polynomial) |
//! | `CosineAnnealingLR`, which rises again after the end | `CosineDecay`, which does not | [`Cosine`](crate::schedule::Cosine), which does not |
//! | `CosineAnnealingWarmRestarts` | `CosineDecayRestarts` | [`WarmRestarts`](crate::schedule::WarmRestarts) |
//! | `CyclicLR(mode)`, which also moves the momentum | | [`Triangular`](crate::schedule::Triangular) with its [`peaks`](crate::schedule::Peaks), and its [`momentum`](crate::schedule::Triangular::momentum) |
//! | `OneCycleLR`, which also moves the momentum | | [`OneCycle`](crate::schedule::OneCycle), and its [`momentum`](crate::schedule::OneCycle::momentum) |
//! | `SequentialLR` after a `LinearLR` | `warmup_steps` | [`WarmUp`](crate::schedule::WarmUp) |
//! | `SequentialLR` | | [`Sequence`](crate::schedule::Sequence) |
//! | `ReduceLROnPlateau` | `ReduceLROnPlateau` | [`Plateau`](crate::schedule::Plateau) |
//! | `get_inverse_sqrt_schedule` of transformers | | [`WarmUp`](crate::schedule::WarmUp) before [`InverseSqrt`](crate::schedule::InverseSqrt) |
//! | `get_wsd_schedule` of transformers | | [`WarmUp`](crate::schedule::WarmUp) before [`StableDecay`](crate::schedule::StableDecay) |
//!
//! # Taking over a PyTorch run
//!
//! A state is its columns, the numbers for each parameter, and the number of steps. For Adam they are `exp_avg`,
//! `exp_avg_sq` and `step`:
//!
//! ```
//! use gradus::{Adam, Clock, Optimizer, StateMut};
//!
//! let (mut exp_avg, mut exp_avg_sq) = ([0.1, -0.2], [0.02, 0.05]); // from state_dict()
//! let mut clock = Clock { t: 1000, carry: 0.0 };
//! let mut params = [0.7, -0.3];
//! let state = StateMut::new([&mut exp_avg, &mut exp_avg_sq], &mut clock);
//! Adam::new(1e-3).step_slices(&mut params, &[0.05, 0.1], state)?;
//! assert_eq!(clock.t, 1001);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! | PyTorch's state | columns | clock |
//! |---|---|---|
//! | `SGD`: `momentum_buffer` | `v` | `t` above 0; else the next step counts as the first, which is undamped |
//! | `Adagrad`: `sum` | `s` | |
//! | `RMSprop`: `square_avg`, `grad_avg`, `momentum_buffer` | those of `s`, `a`, `v` that the type has | |
//! | `Adam`, `AdamW`: `exp_avg`, `exp_avg_sq` | `m`, `v` | `t = step` |
//! | `Adam(amsgrad=True)`: the same and `max_exp_avg_sq` | `m`, `v`, `vmax` | `t = step` |
//! | `NAdam`: `exp_avg`, `exp_avg_sq`, `mu_product` | `m`, `v` | `t = step`, `carry = 1 - mu_product` |
//!
//! Expect agreement to rounding, not to the bit: PyTorch promises no order of operations.
//!
//! # Weights
//!
//! `from_pytorch`, a program of the gallery in the repository, reads a `.safetensors` file and writes the parameters of the layers that it
//! is told, one after the other, as an array of Rust (`.rs`), a header of C (`.h`) or a file for [`store::load`](crate::store::load):
//!
//! ```text
//! safetensors.torch.save_file(model.state_dict(), "model.safetensors")      # in Python
//! cargo run -p gallery --bin from_pytorch -- model.safetensors conv1+norm1 conv2 dense@16x4x4 --out model.rs
//! ```
//!
//! | PyTorch | gradus |
//! |---|---|
//! | `Linear.weight`: `[output][input]` | [`Dense`](crate::layer::Dense): biases, `[input][output]` |
//! | `Conv2d.weight`: `[output][input][y][x]`, images NCHW | [`Conv2d`](crate::layer::Conv2d): biases, `[y][x][input][output]`, images NHWC |
//! | `Conv1d` | a `Conv2d` with a kernel of `[1, k]` |
//! | `Conv2d(groups=channels)` | [`DepthwiseConv2d`](crate::layer::DepthwiseConv2d); other groups have no layer here |
//! | `BatchNorm` behind a layer: `conv1+norm1` | nothing: it is [folded](crate::norm::BatchNorm::fold_columns) into the layer; `--eps` where it is not 1e-5 |
//! | `BatchNorm` by its own name | weight, bias, mean and variance of [`BatchNorm::inference`](crate::norm::BatchNorm::inference) |
//! | `flatten` of 16 x 4 x 4, then `Linear`: `dense@16x4x4` | the same inputs, a pixel's channels side by side |
//!
//! # Corners
//!
//! - *Boundaries.* The new rate begins at the step that a milestone, the `every` of a step decay or the end of a
//!   schedule names, as in PyTorch and optax. Keras' `PiecewiseConstantDecay` still has the old rate there: write a
//!   boundary one larger.
//! - *Dampening.* The first step is not damped, as in PyTorch: `v = g`. With a dampening of 0 the first step is like
//!   all others.
//! - *The stabiliser.* In PyTorch and the lecture it stands outside of the root, but for three rules of PyTorch: in
//!   `RAdam` it stands before the bias correction, in `Adadelta` under the root, and in `Adamax` inside of the maximum.
//!   In Keras it stands before the bias correction in Adam, and under the root in RMSProp and AdaGrad.
//!   [`Epsilon`](crate::Epsilon) says which. Where gradients are tiny, the length of a step depends on it.
//! - *The first `t`.* Bias corrections count from 1, schedules from 0. So the first step has `t = 1` and the rate
//!   `at(0)`, as in both libraries.
//! - *Decay and penalty.* The `weight_decay` of PyTorch's `Adam` is added to the gradient, that of `AdamW` acts on the
//!   weight. `L2::new(l)` is the penalty `l * w^2`, whose gradient has a factor 2, and `L2::weight_decay(l)` has none.
//!
//! ```
//! use gradus::schedule::{Schedule, StepDecay};
//! use gradus::{Adam, Epsilon, Momentum, Optimizer};
//! let schedule = StepDecay::new(1.0, 0.5, 10);
//! assert_eq!([9, 10].map(|step| schedule.at(step)), [1.0, 0.5]);
//!
//! let damped = Momentum { dampening: 0.5, ..Momentum::new(1.0) };
//! let (mut p, mut state) = ([0.0], damped.state());
//! damped.step(&mut p, &[1.0], &mut state);
//! assert_eq!(p, [-1.0]); // v = g
//! damped.step(&mut p, &[1.0], &mut state);
//! assert!((p[0] + 1.0 + 1.4).abs() < 1e-6); // v = 0.9 * 1 + 0.5 * 1
//!
//! let first = |eps| {
//!     let (adam, mut p) = (Adam { eps, ..Adam::new(1.0) }, [0.0]);
//!     let mut state = adam.state();
//!     adam.step(&mut p, &[1e-7], &mut state);
//!     -p[0]
//! };
//! assert!((first(Epsilon::Outside(1e-7)) - 0.5).abs() < 1e-3); // g / (g + eps)
//! assert!(first(Epsilon::Hat(1e-7)) < 0.04); // a root of 0.001 before the correction
//! ```

pub mod aifes;
pub mod cmsis_dsp;
pub mod optax;
