//! Ensembles of models, and running averages of weights.
//!
//! An **ensemble** keeps the weights of several models and averages the probabilities that they predict; the largest mean
//! decides. The models are trained independently, or they are snapshots of one run whose learning rate restarts (Huang et
//! al., 2017).
//!
//! An **average of weights** ([`Swa`], [`Ema`]) is a single model: the mean of the weights over the last steps of a run.
//!
//! ```
//! use gradus::ensemble::{Ensemble, argmax};
//! use gradus::schedule::{Schedule, SnapshotCycle};
//! use gradus::{Exec, Momentum, MomentumState, Optimizer};
//!
//! // 20 steps in 3 cycles: 7, 7, and the 6 that are left.
//! let schedule = SnapshotCycle::new(0.1, 20, 3);
//! let (mut params, mut state) = ([0.0; 2], MomentumState::new());
//! let mut snapshots = Ensemble::<2, 3>::new();
//! while state.t() < schedule.steps {
//!     let step = state.t();
//!     let grads = [params[0] - 1.0, params[1] + 1.0];
//!     Momentum::new(schedule.at(step)).step(&mut params, &grads, &mut state);
//!     if schedule.ends_cycle(step) {
//!         snapshots.push(&params)?;
//!     }
//! }
//! // The model turns parameters into probabilities; scratch memory is the caller's.
//! let model = |params: &[f32], p: &mut [f32]| {
//!     p[0] = 1.0 / (1.0 + (params[1] - params[0]).exp());
//!     p[1] = 1.0 - p[0];
//! };
//! let (mut scratch, mut mean) = ([0.0; 2], [0.0; 2]);
//! snapshots.predict(Exec::new(), model, &mut scratch, &mut mean)?;
//! assert_eq!(argmax(&mean), Some(0));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! These tables show what ensembles gain for a small network on handwritten digits
//! (`cargo run --release -p gallery --bin snapshots`):
//!
#![doc = include_str!("../../docs/snapshots.md")]

mod average;
mod members;
pub(crate) mod record;
#[cfg(feature = "serde")]
mod serde_members;

pub use average::{Average, CompensatedEma, CompensatedEmaState, Ema, EmaState, Swa, SwaState};
pub use members::Ensemble;
#[cfg(feature = "alloc")]
pub use members::EnsembleVec;
#[cfg(feature = "ffi")]
pub(crate) use members::predict;

use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::{Columns, Exec, Rule, Vector, Width, run};

/// `x += y`.
struct Add;

impl Rule for Add {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, x: V, [y]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (x + y, [])
    }
}

/// `x /= divisor`.
struct Divide {
    divisor: f32,
}

impl Rule<0> for Divide {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (x / V::splat(isa, self.divisor), [])
    }
}

/// Mean of what several models predict, element by element.
///
/// ```text
/// mean = (p_1 + p_2 + ... + p_M) / M
/// ```
///
/// Each member is as long as `mean`: the classes of one sample, or of many samples in a row. `exec` says where it runs.
///
/// # Errors
/// [`Error::Empty`] if there is no member, [`Error::Length`] if one is not as long as `mean`; nothing
/// was written.
///
/// ```
/// use gradus::Exec;
/// use gradus::ensemble::{argmax, mean};
/// // Two models are unsure of class 0, the third is sure of class 1.
/// let members: [&[f32]; 3] = [&[0.5, 0.25, 0.25], &[0.5, 0.25, 0.25], &[0.125, 0.75, 0.125]];
/// let mut p = [0.0; 3];
/// mean(Exec::new(), &members, &mut p)?;
/// assert_eq!(argmax(&p), Some(1));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn mean(exec: impl Into<Exec>, members: &[&[f32]], mean: &mut [f32]) -> Result<(), Error> {
    ensure(!members.is_empty(), Error::Empty)?;
    for member in members {
        same_length(Argument::Member, mean.len(), member.len())?;
    }
    let exec = exec.into();
    mean.fill(0.0);
    for member in members {
        run(exec, &Add, Columns::new(mean, [member], [])?);
    }
    run(exec, &Divide { divisor: members.len() as f32 }, Columns::new(mean, [], [])?);
    Ok(())
}

/// Index of the largest value, the first if several are equal; `None` for an empty slice.
///
/// NaN is passed over: it is the answer only where nothing else is there.
#[must_use]
pub fn argmax(values: &[f32]) -> Option<usize> {
    let (mut best, mut largest) = (None, f32::NEG_INFINITY);
    for (k, &x) in values.iter().enumerate() {
        if x > largest || (best.is_none() && x == largest) {
            (best, largest) = (Some(k), x);
        }
    }
    best.or(if values.is_empty() { None } else { Some(0) })
}
