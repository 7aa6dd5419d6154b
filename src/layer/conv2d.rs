//! The convolution.

use super::strips::Strip;
use super::weighted::Weighted;
use super::{HalfGrads, numbers, sizes};
use crate::cut::{cut, cut_mut};
use crate::error::{Argument, Error, ensure, same_length};
use crate::optim::Update;
use crate::simd::product::{Inner, Product, Start};
use crate::simd::window::{Axis, Band};
use crate::simd::{Element, Exec, Rule, Stored};

/// The largest side of a kernel.
const LARGEST: usize = 11;

/// A convolution over images that lie row by row, column by column, channel by channel (NHWC).
///
/// ```text
/// y[r][c][o] = b[o] + sum over ky, kx, i of x[r s + ky - p][c s + kx - p][i] * w[ky][kx][i][o]
/// ```
///
/// `s` is the stride and `p` the padding, of which terms are left out. Signals are images of one row: a kernel `[1, k]`.
/// Parameters: a bias for each filter, then the weights `[ky][kx][input][output]`. (PyTorch's lie
/// `[output][input][ky][kx]`, over images channel by channel.)
///
/// ```
/// use gradus::layer::Conv2d;
/// // 8 x 8 pixels of one channel, 4 filters of 3 x 3, at every second place, zeros around.
/// const CONV: Conv2d = Conv2d::new([8, 8, 1], 4, [3, 3]).stride([2, 2]).padding([1, 1]);
/// assert_eq!(CONV.output(), [4, 4, 4]);
/// let (params, x, mut y) = ([0.5; CONV.params()], [1.0; 64], [0.0; 4 * 4 * 4]);
/// CONV.forward(&params, &x, &mut y)?;
/// assert_eq!((y[0], y[63]), (0.5 + 4.0 * 0.5, 0.5 + 9.0 * 0.5)); // a corner, and a whole kernel
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "convolution")]
pub struct Conv2d {
    /// Height, width and channels of an image that it reads.
    pub input: [usize; 3],
    /// Filters: channels of an image that it writes.
    pub filters: usize,
    /// Height and width of the kernel: 1 to 11.
    pub kernel: [usize; 2],
    /// Places between two windows, vertical and horizontal: 1 or more.
    pub stride: [usize; 2],
    /// Zeros on each side, vertical and horizontal: fewer than the kernel has places.
    pub padding: [usize; 2],
    /// Where it runs.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

impl Conv2d {
    /// A convolution of images `[height, width, channels]` with `filters` kernels `[height, width]`, at every place,
    /// without padding.
    #[must_use]
    pub const fn new(input: [usize; 3], filters: usize, kernel: [usize; 2]) -> Self {
        Self { input, filters, kernel, stride: [1, 1], padding: [0, 0], exec: Exec::new() }
    }

    /// The same with windows some places apart.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// The same with zeros around the image.
    #[must_use]
    pub const fn padding(mut self, padding: [usize; 2]) -> Self {
        self.padding = padding;
        self
    }

    /// The same on chosen threads or a chosen instruction set, with the same bits.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    const fn axis(&self, k: usize) -> Axis {
        Axis { size: self.input[k], kernel: self.kernel[k], stride: self.stride[k], padding: self.padding[k] }
    }

    /// Height, width and channels of an image that it writes.
    #[must_use]
    pub const fn output(&self) -> [usize; 3] {
        [self.axis(0).windows(), self.axis(1).windows(), self.filters]
    }

    /// Numbers of an image that it reads.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        numbers(self.input)
    }

    /// Numbers of an image that it writes.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        numbers(self.output())
    }

    /// Number of weights of a filter: `kernel height * kernel width * channels`.
    #[must_use]
    pub const fn fan_in(&self) -> usize {
        numbers([self.kernel[0], self.kernel[1], self.input[2]])
    }

    /// Number of parameters: `(1 + fan_in) * filters`.
    #[must_use]
    pub const fn params(&self) -> usize {
        self.fan_in().saturating_add(1).saturating_mul(self.filters)
    }

    /// The weights among its parameters; the biases stand before them.
    ///
    /// # Errors
    /// [`Error::Length`] if these are not its parameters, but more or fewer.
    pub fn weights_mut<'a, T>(&self, params: &'a mut [T]) -> Result<&'a mut [T], Error> {
        same_length(Argument::Params, self.params(), params.len())?;
        Ok(params.get_mut(self.filters..).unwrap_or_default())
    }

    /// Checks that its sizes fit each other. Every pass checks it too.
    ///
    /// # Errors
    /// [`Error::Shape`] if a kernel has no place or more than 11 on a side, a stride is 0, the padding is as wide as the
    /// kernel, no window fits into the image, the image has no number, or a size is beyond the largest `usize`.
    pub const fn check(&self) -> Result<(), Error> {
        let [_, width, channels] = self.input;
        let apart = numbers([self.stride[0], width, channels]);
        let across = numbers([self.stride[1], channels]);
        let mut fits =
            self.fan_in() > 0 && sizes([self.inputs(), self.outputs(), self.params(), apart, across]);
        let mut k = 0;
        while k < 2 {
            fits =
                fits && self.kernel[k] <= LARGEST && self.stride[k] > 0 && self.padding[k] < self.kernel[k];
            k += 1;
        }
        ensure(fits, Error::Shape)
    }

    /// The convolution of a batch of images.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn forward<T: Element>(&self, params: &[T], x: &[T], y: &mut [T]) -> Result<(), Error> {
        self.check()?;
        same_length(Argument::Params, self.params(), params.len())?;
        let images = super::samples(Argument::Output, y.len(), self.outputs())?;
        same_length(Argument::Input, images.saturating_mul(self.inputs()), x.len())?;
        let (mut x, mut y) = (x, y);
        while !y.is_empty() {
            let x = cut(&mut x, self.together().saturating_mul(self.inputs()));
            let y = cut_mut(&mut y, self.together().saturating_mul(self.outputs()));
            bands(self.axis(0), |vertical| {
                bands(self.axis(1), |horizontal| self.forward_band(params, x, y, [vertical, horizontal]));
            });
        }
        Ok(())
    }

    /// Images that are taken together: as many as a cache holds, to any number the same bits.
    const fn together(&self) -> usize {
        match 4096_usize.checked_div(self.outputs()) {
            Some(images) if images > 0 => images,
            _ => 1,
        }
    }

    /// The windows of some images that reach the same places of the kernel.
    fn forward_band<T: Element>(&self, params: &[T], x: &[T], y: &mut [T], [up, left]: [Band; 2]) {
        let [_, width, channels] = self.input;
        let [_, wide, filters] = self.output();
        let (bias, weights) = params.split_at_checked(filters).unwrap_or_default();
        let tap = up.taps[0] * self.kernel[1] + left.taps[0];
        let product = Product {
            rows: [y.len().checked_div(self.outputs()).unwrap_or(0), up.count, left.count],
            terms: [1, up.taps[1], left.taps[1] * channels],
            cols: filters,
            a: x.get((up.at * width + left.at) * channels..).unwrap_or_default(),
            a_rows: [self.inputs(), self.stride[0] * width * channels, self.stride[1] * channels],
            a_terms: [0, width * channels, 1],
            b: weights.get(tap * channels * filters..).unwrap_or_default(),
            b_terms: [0, self.kernel[1] * channels * filters, filters],
            b_cols: 1,
            y: y.get_mut((up.first * wide + left.first) * filters..).unwrap_or_default(),
            y_rows: [self.outputs(), wide * filters, filters],
            start: Start::Row(bias),
            inner: Inner::Rows,
        };
        product.run(self.exec);
    }

    /// Adds the gradients of the parameters to `grads`, and writes that of the images to `dx`, given the images `x` and
    /// the gradient `dy` of the result.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn backward<T: Element>(
        &self,
        params: &[T],
        grads: &mut [T],
        x: &[T],
        dy: &[T],
        dx: Option<&mut [T]>,
    ) -> Result<(), Error> {
        self.backward_adding(params, grads, x, dy, dx)
    }

    /// Writes the gradient of the images to `dx`, computed with the parameters before the step, and takes an
    /// optimizer's step with the gradients of the parameters. These are never in memory all at once. The bits are those
    /// of [`backward`](Self::backward), from gradients of 0, and a step.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn backward_step<R, B, M>(
        &self,
        update: Update<'_, R, B, M>,
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Result<(), Error>
    where
        R: Rule + Copy,
        B: Rule<Columns = R::Columns> + Copy,
        M: Stored,
    {
        self.backward_to(update, x, dy, dx)
    }

    /// Writes the gradient of the images alone: the way back through a layer that does not learn.
    /// The bits are those of [`backward`](Self::backward).
    ///
    /// # Errors
    /// As [`backward`](Self::backward); nothing was changed.
    pub fn backward_input<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]) -> Result<(), Error> {
        self.backward_through(params, dy, dx)
    }

    /// Adds the gradients of the parameters to sums in half the memory, and writes that of the inputs to `dx`: see
    /// [`HalfGrads`]. The bits are those of [`backward`](Self::backward) with the sums as `f32`, which are then rounded.
    ///
    /// # Errors
    /// As [`backward`](Self::backward); nothing was changed.
    pub fn backward_half(
        &self,
        params: &[f32],
        grads: HalfGrads<'_>,
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Result<(), Error> {
        self.backward_to(grads.of(params), x, dy, dx)
    }
}

impl Weighted for Conv2d {
    fn check(&self) -> Result<(), Error> {
        self.check()
    }
    fn lengths(&self) -> [usize; 3] {
        [self.inputs(), self.outputs(), self.params()]
    }
    fn grid(&self) -> [usize; 2] {
        [self.fan_in(), self.filters]
    }
    fn exec(&self) -> Exec {
        self.exec
    }
    fn alone(self) -> Self {
        self.on(self.exec.alone())
    }
    fn products(&self, dy: usize) -> usize {
        dy.saturating_mul(self.fan_in())
    }

    /// `dx`: place by place of the kernel, the gradients of all windows go back to what they read there.
    fn input_gradient<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]) {
        let mut dx = dx;
        dx.fill(T::ZERO);
        let (mut dy, weights) = (dy, params.get(self.filters..).unwrap_or_default());
        let [_, width, channels] = self.input;
        let [_, wide, filters] = self.output();
        while !dy.is_empty() {
            let dy = cut(&mut dy, self.together().saturating_mul(self.outputs()));
            let dx = cut_mut(&mut dx, self.together().saturating_mul(self.inputs()));
            let images = dy.len().checked_div(self.outputs()).unwrap_or(0);
            let mut weights = weights;
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let ([top, rows, up], [first, cols, left]) =
                        (self.axis(0).reach(ky), self.axis(1).reach(kx));
                    let product = Product {
                        rows: [images, rows, cols],
                        terms: [1, 1, filters],
                        cols: channels,
                        a: dy.get((top * wide + first) * filters..).unwrap_or_default(),
                        a_rows: [self.outputs(), wide * filters, filters],
                        a_terms: [0, 0, 1],
                        b: cut(&mut weights, channels * filters),
                        b_terms: [0, 0, 1],
                        b_cols: filters,
                        y: dx.get_mut((up * width + left) * channels..).unwrap_or_default(),
                        y_rows: [self.inputs(), self.stride[0] * width * channels, self.stride[1] * channels],
                        start: Start::Add,
                        inner: Inner::Rows,
                    };
                    product.run(self.exec);
                }
            }
        }
    }

    /// Image by image, rows of the kernel, and in each the places that see the same windows together.
    fn sum_weights<T: Element>(
        &self,
        x: &[T],
        dy: &[T],
        start: Start<'_, T>,
        strip: Strip,
        stride: usize,
        grads: &mut [T],
    ) {
        if matches!(start, Start::Zero) {
            grads.fill(T::ZERO);
        }
        let layer = *self;
        let [_, width, channels] = layer.input;
        let [_, wide, filters] = layer.output();
        // Without padding all places of a row of the kernel see all windows, and lie side by side.
        let side_by_side = layer.padding[1] == 0;
        let places = if side_by_side { 1 } else { layer.kernel[1] };
        let each = if side_by_side { layer.kernel[1] * channels } else { channels };
        let (mut x, mut dy) = (x, dy);
        while !dy.is_empty() {
            let x = cut(&mut x, layer.together().saturating_mul(layer.inputs()));
            let dy = cut(&mut dy, layer.together().saturating_mul(layer.outputs()));
            let images = dy.len().checked_div(layer.outputs()).unwrap_or(0);
            let mut row = 0; // of the weights: where the places of the kernel begin
            for ky in 0..layer.kernel[0] {
                for kx in 0..places {
                    // The rows of the strip among those of these places.
                    let first = if strip.row > row { strip.row } else { row };
                    let end = strip.row + strip.rows;
                    let end = if end < row + each { end } else { row + each };
                    if first < end {
                        let ([top, rows, up], [from, cols, left]) =
                            (layer.axis(0).reach(ky), layer.axis(1).reach(kx));
                        let product = Product {
                            rows: [1, 1, end - first],
                            terms: [images, rows, cols],
                            cols: strip.cols,
                            a: x.get((up * width + left) * channels + first - row..).unwrap_or_default(),
                            a_rows: [0, 0, 1],
                            a_terms: [
                                layer.inputs(),
                                layer.stride[0] * width * channels,
                                layer.stride[1] * channels,
                            ],
                            b: dy.get((top * wide + from) * filters + strip.col..).unwrap_or_default(),
                            b_terms: [layer.outputs(), wide * filters, filters],
                            b_cols: 1,
                            y: grads.get_mut((first - strip.row) * stride..).unwrap_or_default(),
                            y_rows: [0, 0, stride],
                            start: Start::Add,
                            inner: Inner::Columns,
                        };
                        product.run(layer.exec);
                    }
                    row += each;
                }
            }
        }
    }
}

/// All bands of an axis, in their order.
fn bands(axis: Axis, mut each: impl FnMut(Band)) {
    let mut first = 0;
    while let Some(band) = axis.band(first) {
        first += band.count;
        each(band);
    }
}
