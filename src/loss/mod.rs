//! Losses. Each function returns the loss of a batch, and writes the gradient of that loss over the scores.
//!
//! ```
//! use gradus::{Exec, loss};
//! let mut scores = [2.0, 0.0, 0.0, 0.0, 3.0, 0.0]; // two samples of three classes
//! let value = loss::softmax_cross_entropy(Exec::new(), &mut scores, &[0_u8, 1])?;
//! assert!(value < 0.2 && scores[0] < 0.0 && scores[1] > 0.0); // the scores are their own gradient now
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! The loss is a mean, over samples or over elements, and so is its gradient: a step needs no
//! [`Scale`](crate::transform::Scale). Sums are taken in the order of the elements, sample by sample, and divided once.
//!
//! | function | scores `z` | targets | mean of |
//! |---|---|---|---|
//! | [`softmax_cross_entropy`] | a row for each sample | its class | `ln(sum exp z) - z[class]`, over samples |
//! | [`binary_cross_entropy`] | logits | 0 to 1 | `max(z, 0) - z t + ln(1 + exp(-abs(z)))`, over elements |
//! | [`mean_squared_error`] | predictions | numbers | `(z - t)^2`, over elements |
//! | [`huber`] | predictions | numbers | `(z - t)^2 / 2` up to a distance of `delta`, linear beyond it, over elements |
//!
//! The loss of an empty batch is NaN.

mod confusion;

pub use confusion::Confusion;
#[cfg(feature = "ffi")]
pub(crate) use confusion::{accuracy, count_scores};

use crate::cut::{cut, cut_mut};
use crate::error::{Argument, Error, Hyper, ensure, require, same_length};
use crate::simd::elementary;
use crate::simd::{Columns, Exec, Plain, Rule, Vector, Width, run};

/// Turns each row of scores into probabilities: `exp(z) / sum exp(z)`.
///
/// A row has `classes` scores. The largest of a row is subtracted first, so that no exponential is infinite.
///
/// # Errors
/// [`Error::Shape`] without classes, or if the scores are no whole number of rows; nothing was changed.
///
/// ```
/// use gradus::{Exec, loss::softmax};
/// let mut z = [1000.0, 1000.0, 0.0, 0.0];
/// softmax(Exec::new(), 4, &mut z)?;
/// assert_eq!(z, [0.5, 0.5, 0.0, 0.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn softmax(exec: impl Into<Exec>, classes: usize, scores: &mut [f32]) -> Result<(), Error> {
    ensure(scores.len().checked_rem(classes) == Some(0), Error::Shape)?;
    exponentials(exec.into(), classes, scores, |_| ());
    let mut rest = scores;
    while !rest.is_empty() {
        let row = cut_mut(&mut rest, classes);
        let sum = sum(row);
        for p in row {
            *p /= sum;
        }
    }
    Ok(())
}

/// `exp(z - largest)`, row by row; `see` is shown each row before the exponential.
fn exponentials(exec: Exec, classes: usize, scores: &mut [f32], mut see: impl FnMut(&[f32])) {
    let mut rest = &mut *scores;
    while !rest.is_empty() {
        let row = cut_mut(&mut rest, classes);
        // A NaN is passed over here; the exponential of it makes all probabilities of the row NaN.
        let largest = row.iter().fold(f32::NEG_INFINITY, |a, z| if *z > a { *z } else { a });
        for z in row.iter_mut() {
            *z -= largest;
        }
        see(row);
    }
    if let Ok(columns) = Columns::new(scores, [], []) {
        run(exec, &Exponential, columns);
    }
}

struct Exponential;
impl Rule<0> for Exponential {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (elementary::exp(isa, x), [])
    }
}

/// The sum in the order of the elements.
fn sum(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |sum, x| sum + x)
}

/// Cross entropy of the softmax: the mean of `-ln p[label]` over samples. `scores` become
/// `(p - onehot(label)) / samples`.
///
/// ```text
/// p = exp(z - max z) / sum exp(z - max z)
/// ```
///
/// There are as many samples as labels, and as many classes as a sample has scores. Labels are `u8`, `u16`
/// or `usize`.
///
/// # Errors
/// [`Error::Shape`] if a label is no class, or the scores are no whole number of rows; nothing was changed.
///
/// ```
/// use gradus::{Exec, loss::softmax_cross_entropy};
/// let mut scores = [0.0, 0.0, 2.0, 2.0];
/// let loss = softmax_cross_entropy(Exec::new(), &mut scores, &[0_u8, 1])?;
/// assert_eq!(loss, core::f32::consts::LN_2);
/// assert_eq!(scores, [-0.25, 0.25, 0.25, -0.25]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "cross entropy")]
#[doc(alias = "negative log likelihood")]
#[doc(alias = "CrossEntropyLoss")]
pub fn softmax_cross_entropy<L: Copy + Into<usize>>(
    exec: impl Into<Exec>,
    scores: &mut [f32],
    labels: &[L],
) -> Result<f32, Error> {
    let classes = scores.len().checked_div(labels.len()).unwrap_or(0);
    ensure(classes * labels.len() == scores.len(), Error::Shape)?;
    for label in labels {
        ensure((*label).into() < classes, Error::Shape)?;
    }
    let n = labels.len() as f32;
    // The score of the label, that of the largest being 0, is taken from each row before its exponentials.
    let mut loss = 0.0;
    let mut right = 0.0;
    let mut next = labels.iter();
    exponentials(exec.into(), classes, scores, |z| {
        if let Some(label) = next.next()
            && let Some(z) = z.get((*label).into())
        {
            right += *z;
        }
    });
    let mut rest = scores;
    for label in labels {
        let row = cut_mut(&mut rest, classes);
        let sum = sum(row);
        loss += elementary::ln(Plain, sum);
        let label = (*label).into();
        for (k, p) in row.iter_mut().enumerate() {
            *p = (*p / sum - if k == label { 1.0 } else { 0.0 }) / n;
        }
    }
    Ok((loss - right) / n)
}

/// A loss of each element, and its derivative.
trait Elementwise: Sync {
    /// Both for scores and their targets.
    fn at<V: Vector>(&self, isa: V::Isa, z: V, t: V) -> (V, V);
}

/// The loss goes to a column of its own, the score becomes the derivative over the number of elements.
struct Apply<'a, L> {
    loss: &'a L,
    n: f32,
}

impl<L: Elementwise> Rule for Apply<'_, L> {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, z: V, [t]: [V; 1], _: [V; 1]) -> (V, [V; 1]) {
        let (loss, derivative) = self.loss.at(isa, z, t);
        (derivative / V::splat(isa, self.n), [loss])
    }
}

/// Elements whose losses lie on the stack before they are summed.
const BLOCK: usize = 64;

/// The mean over all elements: the sum of each block joins the total with what the last addition lost (Kahan, 1965), so that
/// batches of millions keep their digits.
fn mean(exec: Exec, scores: &mut [f32], targets: &[f32], loss: &impl Elementwise) -> Result<f32, Error> {
    same_length(Argument::Read, scores.len(), targets.len())?;
    let n = scores.len() as f32;
    let (mut scores, mut targets, mut memory) = (scores, targets, [0.0; BLOCK]);
    let (mut total, mut lost) = (0.0, 0.0);
    while !scores.is_empty() {
        let (scores, targets) = (cut_mut(&mut scores, BLOCK), cut(&mut targets, BLOCK));
        let losses = memory.get_mut(..scores.len()).unwrap_or_default();
        run(exec, &Apply { loss, n }, Columns::new(scores, [targets], [&mut *losses])?);
        let more = sum(losses) - lost;
        let next = total + more;
        // Of an infinite sum nothing is lost.
        lost = if next.abs() < f32::INFINITY { (next - total) - more } else { 0.0 };
        total = next;
    }
    Ok(total / n)
}

/// Binary cross entropy of logits, for targets between 0 and 1: the mean over elements. `logits` become
/// `(sigmoid(z) - t) / elements`.
///
/// ```text
/// max(z, 0) - z t + ln(1 + exp(-abs(z)))
/// ```
///
/// Smoothed labels are targets such as 0.1 and 0.9.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
///
/// ```
/// use gradus::{Exec, loss::binary_cross_entropy};
/// let mut z = [0.0, 0.0];
/// assert_eq!(binary_cross_entropy(Exec::new(), &mut z, &[0.0, 1.0])?, core::f32::consts::LN_2);
/// assert_eq!(z, [0.25, -0.25]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "BCEWithLogitsLoss")]
#[doc(alias = "logistic loss")]
#[doc(alias = "label smoothing")]
pub fn binary_cross_entropy(
    exec: impl Into<Exec>,
    logits: &mut [f32],
    targets: &[f32],
) -> Result<f32, Error> {
    struct Loss;
    impl Elementwise for Loss {
        #[inline(always)]
        fn at<V: Vector>(&self, isa: V::Isa, z: V, t: V) -> (V, V) {
            let e = elementary::exp(isa, -z.abs());
            let loss = V::splat(isa, 0.0).max(z) - z * t + elementary::ln_1p(isa, e);
            (loss, elementary::sigmoid(isa, z) - t)
        }
    }
    mean(exec.into(), logits, targets, &Loss)
}

/// Mean squared error over all elements. `predictions` become `2 (z - t) / elements`.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
///
/// ```
/// use gradus::{Exec, loss::mean_squared_error};
/// let mut z = [1.0, 4.0];
/// assert_eq!(mean_squared_error(Exec::new(), &mut z, &[0.0, 1.0])?, 5.0);
/// assert_eq!(z, [1.0, 3.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "mse")]
#[doc(alias = "MSELoss")]
pub fn mean_squared_error(
    exec: impl Into<Exec>,
    predictions: &mut [f32],
    targets: &[f32],
) -> Result<f32, Error> {
    struct Loss;
    impl Elementwise for Loss {
        #[inline(always)]
        fn at<V: Vector>(&self, _: V::Isa, z: V, t: V) -> (V, V) {
            let d = z - t;
            (d * d, d + d)
        }
    }
    mean(exec.into(), predictions, targets, &Loss)
}

/// Huber's loss (Huber, 1964), the mean over all elements: a square near the target, a line from `delta` on. A wild
/// reading pulls no more than `delta`: `predictions` become `d / elements`, with `d` between `-delta` and `delta`.
///
/// ```text
/// d = z - t;  d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)
/// ```
///
/// # Errors
/// [`Error::Range`] if `delta` is not positive, [`Error::Length`] if the slices differ in length; nothing was changed.
///
/// ```
/// use gradus::{Exec, loss::huber};
/// let mut z = [1.0, -7.0];
/// assert_eq!(huber(Exec::new(), 2.0, &mut z, &[0.0, 3.0])?, (0.5 + 2.0 * 9.0) / 2.0);
/// assert_eq!(z, [0.5, -1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "smooth l1")]
pub fn huber(
    exec: impl Into<Exec>,
    delta: f32,
    predictions: &mut [f32],
    targets: &[f32],
) -> Result<f32, Error> {
    struct Loss(f32);
    impl Elementwise for Loss {
        #[inline(always)]
        fn at<V: Vector>(&self, isa: V::Isa, z: V, t: V) -> (V, V) {
            let (d, delta, half) = (z - t, V::splat(isa, self.0), V::splat(isa, 0.5));
            let line = delta * (d.abs() - half * delta);
            let clipped = delta.min((-delta).max(d)); // in this order NaN passes
            (d.abs().select_gt(delta, line, half * d * d), clipped)
        }
    }
    require(delta > 0.0, Hyper::Limit)?;
    mean(exec.into(), predictions, targets, &Loss(delta))
}

/// The class of a row of scores: the index of the largest, the first if several are equal.
///
/// NaN is passed over. The class is 0 for a row without a number, one of nothing but NaN or an empty one:
/// [`ensemble::argmax`](crate::ensemble::argmax) gives `None` for the empty one.
///
/// ```
/// use gradus::loss::argmax;
/// assert_eq!(argmax(&[0.1, 0.7, 0.7]), 1);
/// assert_eq!((argmax(&[f32::NAN, -2.0]), argmax(&[f32::NAN; 2])), (1, 0));
/// ```
#[must_use]
pub fn argmax(scores: &[f32]) -> usize {
    let (mut best, mut largest) = (0, f32::NAN); // no number yet
    for (k, z) in scores.iter().enumerate() {
        if !z.is_nan() && !(*z <= largest) {
            (best, largest) = (k, *z);
        }
    }
    best
}

/// How many rows of scores have their largest number at the label. Labels are `u8`, `u16` or `usize`.
///
/// What a row is taken for is its [`argmax`]: a row of nothing but NaN is taken for class 0.
///
/// # Errors
/// [`Error::Shape`] if a label is no class, the scores are no whole number of rows, or a row has none.
///
/// ```
/// use gradus::loss::count_right;
/// let scores = [0.9, 0.1, 0.2, 0.8, 0.4, 0.6]; // three samples of two classes
/// assert_eq!(count_right(&scores, &[0_u8, 1, 0])?, 2);
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "accuracy")]
pub fn count_right<L: Copy + Into<usize>>(scores: &[f32], labels: &[L]) -> Result<usize, Error> {
    let classes = scores.len().checked_div(labels.len()).unwrap_or(0);
    ensure(classes * labels.len() == scores.len(), Error::Shape)?;
    let (mut rest, mut right) = (scores, 0);
    for label in labels {
        ensure((*label).into() < classes, Error::Shape)?;
        right += usize::from(argmax(cut(&mut rest, classes)) == (*label).into());
    }
    Ok(right)
}
