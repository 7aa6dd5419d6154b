//! Scaling, clipping and clamping.

use super::{Acts, Transform};
use crate::error::{Error, Hyper, ensure, require};
use crate::simd::rows::{RowRule, Rows, run_rows};
use crate::simd::{Element, Exec, Level, Vector, l2_norm, math, max_abs};

/// Multiplies the gradient: the mean over a batch, or a scaled loss scaled back.
///
/// ```text
/// g = factor * g
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "gradient accumulation")]
#[doc(alias = "loss scaling")]
#[doc(alias = "batch mean")]
pub struct Scale(pub f32);

impl Transform for Scale {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.scale(self.0);
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, _: V, g: V) -> V {
        V::splat(isa, self.0) * g
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        require(self.0.abs() < f32::INFINITY, Hyper::Factor)
    }
}

/// Clips each gradient to `[-limit, limit]`; NaN stays NaN, and infinity is no limit.
///
/// ```text
/// g = min(max(g, -limit), limit)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "gradient clipping")]
#[doc(alias = "clip_grad_value")]
pub struct ClipValue(
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))] pub f32,
);

impl Transform for ClipValue {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.clip(self.0, self);
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, _: V, g: V) -> V {
        clamp(isa, g, self.0)
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        require(self.0 > 0.0, Hyper::Limit)
    }
}

/// Clamps each parameter to `[-limit, limit]` after the update; NaN stays NaN, and infinity is no limit.
///
/// ```text
/// p = min(max(p, -limit), limit)
/// ```
///
/// For the Euclidean norm of each unit's weights, what Keras calls max-norm, see [`MaxNorm`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClampParams(
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))] pub f32,
);

impl Transform for ClampParams {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.clamp(self.0, self);
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, _: V, new: V) -> V {
        clamp(isa, new, self.0)
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        require(self.0 > 0.0, Hyper::Limit)
    }
}

/// `x` within `[-limit, limit]`. The operand order lets a NaN through.
#[inline(always)]
fn clamp<V: Vector>(isa: V::Isa, x: V, limit: f32) -> V {
    V::splat(isa, limit).min(V::splat(isa, -limit).max(x))
}

/// Clips the gradient of all tensors together to a Euclidean norm (Pascanu et al., 2013).
///
/// ```text
/// factor = min(1, max_norm / (norm + 1e-6))        as PyTorch's clip_grad_norm_
/// ```
///
/// The norm needs all gradients before the first update; the scaling itself is fused. Below 1.2e-38 the factor has few digits:
/// the norm is then up to a fifth off.
///
/// ```
/// use gradus::{Exec, Optimizer, Sgd, transform::ClipNorm};
///
/// let (weights, biases) = ([3.0, 0.0], [4.0]); // gradients: norm 5
/// let clip = ClipNorm { max_norm: 1.0 }.scale(Exec::new(), &[&weights, &biases])?;
/// let sgd = Sgd::new(0.1).with(clip);
/// assert!((clip.0 - 0.2).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "gradient clipping")]
#[doc(alias = "clip_grad_norm")]
#[doc(alias = "global norm")]
pub struct ClipNorm {
    /// The norm that is not exceeded; infinity is no limit.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub max_norm: f32,
}

impl ClipNorm {
    /// The common factor of all gradients.
    ///
    /// # Errors
    /// [`Error::Range`] if `max_norm` is not positive; [`Error::NonFinite`] if the norm is infinite
    /// or NaN: the gradients are useless then, and the caller should skip the step.
    pub fn scale(&self, exec: impl Into<Exec>, grads: &[&[f32]]) -> Result<Scale, Error> {
        self.scale_each(exec.into(), grads.iter().copied())
    }

    /// [`scale`](Self::scale) of tensors that are not in a list.
    pub(crate) fn scale_each<'a>(
        &self,
        exec: Exec,
        grads: impl Iterator<Item = &'a [f32]>,
    ) -> Result<Scale, Error> {
        require(self.max_norm > 0.0, Hyper::Limit)?;
        let norm = global_norm(exec, grads);
        if norm < f32::INFINITY {
            // Not f32::min: bare-metal C would need a library with fminf.
            let factor = self.max_norm / (norm + 1e-6);
            Ok(Scale(if factor < 1.0 { factor } else { 1.0 }))
        } else {
            Err(Error::NonFinite)
        }
    }
}

/// Norm of all tensors as one vector: the norm of their norms, without overflow on the way.
fn global_norm<'a>(exec: Exec, tensors: impl Iterator<Item = &'a [f32]>) -> f32 {
    let mut total = 0.0;
    for tensor in tensors {
        total = l2_norm(Level::SCALAR, &[total, l2_norm(exec, tensor)]);
    }
    total
}

/// Limits the Euclidean norm of the weights that enter one unit (Srivastava et al., 2014): Keras' max-norm constraint.
///
/// ```text
/// row = row / norm(row) * limit        where norm(row) > limit
/// ```
///
/// A norm needs all weights of its row, so this is a pass of its own, after the step. Beside an infinite weight finite
/// ones are nothing: `[inf, 1]` becomes `[limit, 0]`. A row with a NaN stays as it is.
///
/// ```
/// use gradus::{Exec, transform::MaxNorm};
/// let mut params = [3.0, 4.0, 0.3, 0.4];
/// MaxNorm { row: 2, limit: 2.5 }.apply(Exec::new(), &mut params)?;
/// assert_eq!(params, [1.5, 2.0, 0.3, 0.4]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "max norm")]
#[doc(alias = "weight constraint")]
pub struct MaxNorm {
    /// Weights that enter one unit, one after the other.
    pub row: usize,
    /// The norm that is not exceeded; infinity is no limit.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub limit: f32,
}

impl MaxNorm {
    /// Scales each row of `params` whose norm exceeds the limit back to it.
    ///
    /// # Errors
    /// [`Error::Range`] if the limit is not positive, [`Error::Empty`] if a row has no weight, [`Error::Shape`] if
    /// `params` is not a whole number of rows. Nothing was changed.
    pub fn apply(&self, exec: impl Into<Exec>, params: &mut [f32]) -> Result<(), Error> {
        require(self.limit > 0.0, Hyper::Limit)?;
        ensure(self.row > 0, Error::Empty)?;
        ensure(params.len().is_multiple_of(self.row), Error::Shape)?;
        let exec = exec.into();
        for row in params.chunks_exact_mut(self.row) {
            let mut norm = l2_norm(exec, row);
            if norm == f32::INFINITY && self.limit < f32::INFINITY {
                scale_down(max_abs(exec, row), row);
                norm = l2_norm(exec, row);
            } else if norm <= self.limit || norm.is_nan() {
                continue;
            }
            // Not times limit / norm: that quotient may underflow where the result does not.
            for p in row {
                *p = *p / norm * self.limit;
            }
        }
        Ok(())
    }

    /// [`apply`](Self::apply) where the weights that enter one unit are a column: `row` rows, as a dense layer has them that
    /// keeps its weights as inputs x outputs.
    ///
    /// The squares of a column are summed in the order of the rows, scaled by a power of two so that none overflows.
    ///
    /// ```
    /// use gradus::{Exec, transform::MaxNorm};
    /// let mut params = [3.0, 0.3, 4.0, 0.4]; // two inputs of two units
    /// MaxNorm { row: 2, limit: 2.5 }.apply_columns(Exec::new(), &mut params)?;
    /// assert_eq!(params, [1.5, 0.3, 2.0, 0.4]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_columns(&self, exec: impl Into<Exec>, params: &mut [f32]) -> Result<(), Error> {
        require(self.limit > 0.0, Hyper::Limit)?;
        ensure(self.row > 0, Error::Empty)?;
        let columns = params.len().checked_div(self.row).unwrap_or(0);
        ensure(columns * self.row == params.len(), Error::Shape)?;
        let (level, mut first) = (exec.into().level(), 0);
        while first < columns {
            let width = if columns - first < COLUMNS { columns - first } else { COLUMNS };
            let block = params.get_mut(first..(self.row - 1) * columns + first + width).unwrap_or_default();
            let mut numbers = [[0.0; COLUMNS]; 3];
            let [scale, norm, least] =
                numbers.each_mut().map(|numbers| numbers.get_mut(..width).unwrap_or_default());
            least.fill(self.limit);
            self.norms(level, columns, block, scale, norm)?;
            if self.limit < f32::INFINITY && norm.contains(&f32::INFINITY) {
                let largest = &mut *scale;
                largest.fill(0.0);
                run_rows(level, &Largest, Rows::read(self.row, columns, [&*block])?, [], [&mut *largest])?;
                for ((largest, norm), least) in largest.iter_mut().zip(&*norm).zip(&mut *least) {
                    // What is beyond `f32` is limited whatever its norm is then, and the others stay.
                    *(if *norm == f32::INFINITY { least } else { largest }) = 0.0;
                }
                let rows = Rows::write(self.row, columns, (&mut *block).into(), [])?;
                run_rows(level, &ScaleDown, rows, [&*largest], [])?;
                self.norms(level, columns, block, scale, norm)?;
            }
            let limit = Limit { limit: self.limit };
            run_rows(
                level,
                &limit,
                Rows::write(self.row, columns, block.into(), [])?,
                [&*norm, &*least],
                [],
            )?;
            first += width;
        }
        Ok(())
    }

    /// The norms of a block of columns.
    fn norms(
        &self,
        level: Level,
        columns: usize,
        block: &[f32],
        scale: &mut [f32],
        norm: &mut [f32],
    ) -> Result<(), Error> {
        scale.fill(0.0);
        norm.fill(0.0);
        run_rows(level, &Largest, Rows::read(self.row, columns, [block])?, [], [&mut *scale])?;
        for scale in &mut *scale {
            *scale = scale.inverse_power();
        }
        run_rows(level, &Squares, Rows::read(self.row, columns, [block])?, [&*scale], [&mut *norm])?;
        for (norm, scale) in norm.iter_mut().zip(scale) {
            *norm = math::sqrt(*norm) / *scale;
        }
        Ok(())
    }
}

/// Columns whose norms lie on the stack.
const COLUMNS: usize = 64;

/// Largest absolute value of a column.
struct Largest;

impl RowRule<1, 0, 0, 1> for Largest {
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, [x]: [V; 1], _: [V; 0], [largest]: [V; 1]) -> ([V; 0], [V; 1]) {
        ([], [x.abs().max(largest)])
    }
}

/// Sum of the squares of a column, scaled.
struct Squares;

impl RowRule<1, 0, 1, 1> for Squares {
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, [x]: [V; 1], [scale]: [V; 1], [sum]: [V; 1]) -> ([V; 0], [V; 1]) {
        let x = x * scale;
        ([], [sum + x * x])
    }
}

/// `x / norm * limit` where the norm of the column exceeds its least, the limit or 0.
struct Limit {
    limit: f32,
}

impl RowRule<1, 1, 2, 0> for Limit {
    #[inline(always)]
    fn apply<V: Vector>(
        &self,
        isa: V::Isa,
        [x]: [V; 1],
        [norm, least]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        let limit = V::splat(isa, self.limit);
        // Not times limit / norm: that quotient may underflow where the result does not.
        ([norm.select_gt(least, x / norm * limit, x)], [])
    }
}

/// [`scale_down`] of the columns whose largest number is not 0.
struct ScaleDown;

impl RowRule<1, 1, 1, 0> for ScaleDown {
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, [x]: [V; 1], [largest]: [V; 1], _: [V; 0]) -> ([V; 1], [V; 0]) {
        let (zero, one) = (V::splat(isa, 0.0), V::splat(isa, 1.0));
        let (most, infinity) = (V::splat(isa, f32::MAX), V::splat(isa, f32::INFINITY));
        let sign = x.select_gt(most, one, (-most).select_gt(x, -one, zero));
        let small = infinity.select_gt(largest, x * V::splat(isa, BELOW), sign);
        ([largest.select_gt(zero, small, x)], [])
    }
}

/// A power of two, times which no norm is beyond `f32`.
const BELOW: f32 = 1.0 / 4_294_967_296.0;

/// Keeps the direction of a row whose norm is beyond `f32`, at a size whose norm is not.
fn scale_down(largest: f32, row: &mut [f32]) {
    for p in row {
        *p = if largest < f32::INFINITY {
            *p * BELOW
        } else if p.abs() < f32::INFINITY {
            0.0 // beside an infinite weight
        } else {
            1.0_f32.copysign(*p)
        };
    }
}
