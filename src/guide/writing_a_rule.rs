//! An optimizer, a transform or a reduction of your own: the formula, and nothing else.
//!
//! # An optimizer
//!
//! An optimizer has three parts: the configuration, the constants of one step, and the formula. The example is Signum
//! (Bernstein et al., 2018), which steps along the sign of the momentum:
//!
//! ```
//! use gradus::{Clock, Error, Hyper, Level, Optimizer, Rule, State, Vector, Width};
//!
//! /// `m = rho m + (1 - rho) g`, `p -= lr sign(m)`.
//! #[derive(Clone, Copy)]
//! struct Signum {
//!     lr: f32,
//!     rho: f64,
//! }
//!
//! #[derive(Clone, Copy)]
//! struct SignumRule {
//!     lr: f32,
//!     rho: f32,
//!     gain: f32,
//! }
//!
//! impl Rule for SignumRule {
//!     type Columns = Width<1>;
//!     #[inline(always)]
//!     fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m]: [V; 1]) -> (V, [V; 1]) {
//!         let (zero, one) = (V::splat(isa, 0.0), V::splat(isa, 1.0));
//!         let m = V::splat(isa, self.rho) * m + V::splat(isa, self.gain) * g;
//!         // m > 0 ? 1 : 0 > m ? -1 : m; 0 and NaN are themselves
//!         let sign = m.select_gt(zero, one, zero.select_gt(m, -one, m));
//!         (p - V::splat(isa, self.lr) * sign, [m])
//!     }
//! }
//!
//! impl Optimizer for Signum {
//!     type Family = Self;
//!     type Rule = SignumRule;
//!
//!     fn rule(&self, _: &mut Clock) -> SignumRule {
//!         SignumRule { lr: self.lr, rho: self.rho as f32, gain: (1.0 - self.rho) as f32 }
//!     }
//!     fn lr(&self) -> f32 {
//!         self.lr
//!     }
//!     fn with_lr(self, lr: f32) -> Self {
//!         Self { lr, ..self }
//!     }
//!     fn check(&self) -> Result<(), Error> {
//!         if self.lr >= 0.0 { Ok(()) } else { Err(Error::Range(Hyper::LearningRate)) }
//!     }
//! }
//!
//! let signum = Signum { lr: 0.25, rho: 0.9 };
//! let (mut params, mut state) = ([1.0, 1.0, 1.0], State::new());
//! signum.step(&mut params, &[5.0, -0.1, 0.0], &mut state);
//! assert_eq!(params, [0.75, 1.25, 1.0]);
//!
//! // The test to write first: any level gives the bits of the scalar one, also in the tail.
//! let grads: [f32; 37] = std::array::from_fn(|i| i as f32 - 18.0);
//! let run = |level| {
//!     let (mut params, mut state) = ([0.0; 37], State::<Signum, 37>::new());
//!     signum.on(level).step_slices(&mut params, &grads, state.as_mut()).unwrap();
//!     params.map(f32::to_bits)
//! };
//! assert!(Level::available().all(|level| run(level) == run(Level::SCALAR)));
//! ```
//!
//! The new optimizer has everything that those of the crate have: slices, lists of tensors, transforms, schedules,
//! every instruction set and, with the feature `rayon`, threads. Keep in mind:
//!
//! - `Columns = Width<K>` says that the state has `K` numbers for each parameter. `Family` names the optimizer that a
//!   state belongs to: a state of another family does not compile.
//! - Zero bits are the initial state. If a number has to start at 1, store its difference from 1, as
//!   [`Nadam`](crate::Nadam) does in the clock.
//! - Compute what is the same for all parameters in [`rule`](crate::Optimizer::rule), which runs once per step.
//!   `clock.t` is the step, counted from 1.
//! - Form `1 - rho` in `f64` from the decimal that the user wrote: in `f32`, `1 - 0.999` is off by 1.3e-5.
//! - No closures, iterators or `if` over values in `apply`; [`select_gt`](crate::Vector::select_gt) chooses
//!   for each element. Closures cost a call for each register where the instruction set is chosen at run time.
//!
//! # A transform
//!
//! A type that changes the gradient before the rule, or the parameter after it, implements
//! [`Transform`](crate::transform::Transform). It then runs in the same pass as any optimizer:
//!
//! ```
//! use gradus::transform::Transform;
//! use gradus::{Error, Vector, Optimizer, Sgd, SgdState};
//!
//! /// Parameters that may not become negative: a projection after each step.
//! #[derive(Clone, Copy)]
//! struct NonNegative;
//!
//! impl Transform for NonNegative {
//!     #[inline(always)]
//!     fn after<V: Vector>(&self, isa: V::Isa, _old: V, new: V) -> V {
//!         V::splat(isa, 0.0).max(new) // in this order a NaN stays visible
//!     }
//!     fn check(&self, _lr: f32) -> Result<(), Error> {
//!         Ok(())
//!     }
//! }
//!
//! let (mut params, mut state) = ([1.0, 1.0], SgdState::new());
//! Sgd::new(1.0).with(NonNegative).step(&mut params, &[0.5, 2.0], &mut state);
//! assert_eq!(params, [0.5, 0.0]);
//! ```
//!
//! # Any pass over slices
//!
//! A [`Rule`](crate::Rule) need not belong to an optimizer: [`run`](crate::run) applies it to any slices, given as
//! [`Columns`](crate::Columns). A [`Fold`](crate::Fold) describes a sum, which [`reduce`](crate::reduce) computes in
//! the fixed order:
//!
//! ```
//! use gradus::{Fold, Vector, Level, reduce};
//!
//! /// Sum of squared differences.
//! struct Distance;
//!
//! impl Fold<2> for Distance {
//!     #[inline(always)]
//!     fn fold<V: Vector>(&self, _: V::Isa, _: usize, [sum]: [V; 1], [a, b]: [V; 2], _: [V; 0]) -> ([V; 1], [V; 0]) {
//!         let d = a - b;
//!         ([sum + d * d], [])
//!     }
//! }
//!
//! let (a, b) = ([1.0, 2.0, 3.0], [1.0, 0.0, 0.0]);
//! assert_eq!(reduce(Level::detect(), &Distance, 3, [&a, &b], [])?, [13.0]);
//! # Ok::<(), gradus::Error>(())
//! ```
