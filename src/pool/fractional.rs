//! Fractional max pooling.

use super::Window;
use crate::cut::{cut, cut_mut};
use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::Element;

/// Fractional max pooling (Graham, 2014): the maximum over windows whose size changes from output to
/// output, so that an image shrinks by any factor.
///
/// ```text
/// y[i][j] = max of x over rows[i] x columns[j]
/// ```
///
/// The first of equal maxima wins; NaN wins over all, the last one over the others, as in PyTorch. The
/// same windows serve all planes, that is all channels and samples; make one of these for each sample to
/// have windows of its own.
///
/// A plane is one channel of one sample, so that channels lie one behind the other (NCHW). A
/// [`Conv2d`](crate::layer::Conv2d) writes them side by side: bring the numbers of one channel together first, or pool by
/// [`MaxPool2d`](crate::layer::MaxPool2d), which reads them as they are.
///
/// ```
/// use gradus::pool::{FractionalMaxPool, Window};
/// let beside = [1.0_f32, 10.0, 2.0, 20.0, 3.0, 30.0]; // one row, three columns, two channels
/// let planes: [f32; 6] = core::array::from_fn(|i| beside[i % 3 * 2 + i / 3]);
/// let (row, columns) = ([Window { start: 0, len: 1 }], [Window { start: 0, len: 3 }]);
/// let (mut y, mut indices) = ([0.0; 2], [0; 2]);
/// FractionalMaxPool::new([1, 3], &row, &columns)?.forward(&planes, &mut y, &mut indices)?;
/// assert_eq!(y, [3.0, 30.0]); // of each channel
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// ```
/// use gradus::pool::{FractionalMaxPool, Regions, Window};
/// use rand_core::SeedableRng;
/// let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
///
/// let (mut rows, mut columns) = ([Window::default(); 2], [Window::default(); 3]);
/// Regions::Disjoint.random(3, &mut rng, &mut rows)?; // 3 x 4 pixels -> 2 x 3
/// Regions::Disjoint.random(4, &mut rng, &mut columns)?;
/// let pool = FractionalMaxPool::new([3, 4], &rows, &columns)?;
///
/// let x = core::array::from_fn::<f32, 12, _>(|k| k as f32);
/// let (mut y, mut indices) = ([0.0; 6], [0; 6]);
/// pool.forward(&x, &mut y, &mut indices)?;
/// assert_eq!((y[5], indices[5]), (11.0, 11));
///
/// let mut grads = [0.0; 12];
/// pool.backward(&[1.0; 6], &indices, &mut grads)?;
/// assert_eq!(grads[11], 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FractionalMaxPool<'a> {
    height: usize,
    width: usize,
    rows: &'a [Window],
    columns: &'a [Window],
}

impl<'a> FractionalMaxPool<'a> {
    /// Pooling of planes of `[height, width]`.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no window in one direction, [`Error::Shape`] if one is empty or leaves the plane, or
    /// if a plane has 2^32 elements or more.
    pub fn new(
        [height, width]: [usize; 2],
        rows: &'a [Window],
        columns: &'a [Window],
    ) -> Result<Self, Error> {
        let area = height.checked_mul(width).and_then(|area| u32::try_from(area).ok());
        ensure(area.is_some(), Error::Shape)?;
        for (size, windows) in [(height, rows), (width, columns)] {
            ensure(!windows.is_empty(), Error::Empty)?;
            for window in windows {
                let end = window.start.saturating_add(window.len);
                ensure(window.len > 0 && end <= size, Error::Shape)?;
            }
        }
        Ok(Self { height, width, rows, columns })
    }

    /// Writes the maxima, and where they stand: row times width plus column, in each plane.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` is not made of planes, [`Error::Length`] if `y` or `indices` have not one
    /// element for each window of each; nothing was changed.
    pub fn forward<T: Element>(&self, x: &[T], y: &mut [T], indices: &mut [u32]) -> Result<(), Error> {
        let outputs = self.outputs(x.len())?;
        same_length(Argument::Output, outputs, y.len())?;
        same_length(Argument::Indices, outputs, indices.len())?;
        let (mut x, mut outputs) = (x, y.iter_mut().zip(indices));
        while !x.is_empty() {
            let plane = cut(&mut x, self.height * self.width);
            for rows in self.rows {
                for (columns, (y, index)) in self.columns.iter().zip(&mut outputs) {
                    (*y, *index) = self.maximum(plane, *rows, *columns);
                }
            }
        }
        Ok(())
    }

    /// The gradient with respect to `x`: each output's goes to where its maximum stood.
    ///
    /// Where windows overlap the gradients add up, in the order of the outputs.
    ///
    /// # Errors
    /// [`Error::Shape`] if `grad_x` is not made of planes or an index leaves its plane, [`Error::Length`]
    /// if `grad_y` or `indices` have not one element for each window of each; nothing was changed.
    pub fn backward<T: Element>(&self, grad_y: &[T], indices: &[u32], grad_x: &mut [T]) -> Result<(), Error> {
        let outputs = self.outputs(grad_x.len())?;
        same_length(Argument::Grads, outputs, grad_y.len())?;
        same_length(Argument::Indices, outputs, indices.len())?;
        let area = self.height * self.width;
        for index in indices {
            ensure((*index as usize) < area, Error::Shape)?;
        }
        grad_x.fill(T::ZERO);
        let (mut rest, mut grad_y, mut indices) = (grad_x, grad_y, indices);
        while !rest.is_empty() {
            let plane = cut_mut(&mut rest, area);
            let count = self.rows.len() * self.columns.len();
            for (g, index) in cut(&mut grad_y, count).iter().zip(cut(&mut indices, count)) {
                if let Some(x) = plane.get_mut(*index as usize) {
                    *x = *x + *g;
                }
            }
        }
        Ok(())
    }

    /// Number of outputs for `len` elements in planes.
    fn outputs(&self, len: usize) -> Result<usize, Error> {
        let area = self.height * self.width;
        let planes = len.checked_div(area).unwrap_or(0);
        ensure(planes * area == len, Error::Shape)?;
        Ok(planes.saturating_mul(self.rows.len()).saturating_mul(self.columns.len()))
    }

    /// Maximum of a plane over one window, and where it stands.
    fn maximum<T: Element>(&self, plane: &[T], rows: Window, columns: Window) -> (T, u32) {
        let mut index = rows.start * self.width + columns.start;
        let mut largest = plane.get(index).copied().unwrap_or(T::ZERO);
        for row in rows.start..rows.start + rows.len {
            let start = row * self.width + columns.start;
            for (at, x) in (start..).zip(plane.get(start..start + columns.len).unwrap_or_default()) {
                if *x > largest || x.partial_cmp(x).is_none() {
                    (largest, index) = (*x, at);
                }
            }
        }
        (largest, index as u32)
    }
}
