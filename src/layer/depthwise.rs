//! The convolution of each channel apart.

use super::strips::Strip;
use super::weighted::Weighted;
use super::{HalfGrads, numbers, sizes};
use crate::cut::{cut, cut_mut};
use crate::error::{Argument, Error, ensure, same_length};
use crate::optim::Update;
use crate::simd::product::Start;
use crate::simd::window::{Axis, Channels};
use crate::simd::{Element, Exec, Rule, Stored};

/// The largest side of a kernel.
const LARGEST: usize = 11;

/// A convolution of each channel with a kernel of its own, over images that lie row by row, column by column, channel by
/// channel (NHWC). With a [`Conv2d`](super::Conv2d) of a 1 x 1 kernel behind it, it is a separable convolution.
///
/// ```text
/// y[r][c][i] = b[i] + sum over ky, kx of x[r s + ky - p][c s + kx - p][i] * w[ky][kx][i]
/// ```
///
/// Parameters: a bias for each channel, then the weights `[ky][kx][channel]`. Terms that fall on padding are left out.
///
/// ```
/// use gradus::layer::DepthwiseConv2d;
/// const CONV: DepthwiseConv2d = DepthwiseConv2d::new([1, 3, 2], [1, 2]);
/// let params = [0.0, 100.0, /* first place */ 1.0, 0.0, /* second */ -1.0, 2.0];
/// let (x, mut y) = ([5.0, 1.0, 3.0, 2.0, 0.0, 3.0], [0.0; 4]);
/// CONV.forward(&params, &x, &mut y)?;
/// assert_eq!(y, [2.0, 104.0, 3.0, 106.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DepthwiseConv2d {
    /// Height, width and channels of an image that it reads.
    pub input: [usize; 3],
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

impl DepthwiseConv2d {
    /// A convolution of images `[height, width, channels]` with a kernel `[height, width]` for each channel, at every
    /// place, without padding.
    #[must_use]
    pub const fn new(input: [usize; 3], kernel: [usize; 2]) -> Self {
        Self { input, kernel, stride: [1, 1], padding: [0, 0], exec: Exec::new() }
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

    /// The same on a chosen instruction set, with the same bits. It takes one thread.
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
        [self.axis(0).windows(), self.axis(1).windows(), self.input[2]]
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

    /// Number of weights of a channel: `kernel height * kernel width`.
    #[must_use]
    pub const fn fan_in(&self) -> usize {
        numbers(self.kernel)
    }

    /// Number of parameters: `(1 + fan_in) * channels`.
    #[must_use]
    pub const fn params(&self) -> usize {
        self.fan_in().saturating_add(1).saturating_mul(self.input[2])
    }

    /// The weights among its parameters; the biases stand before them.
    ///
    /// # Errors
    /// [`Error::Length`] if these are not its parameters, but more or fewer.
    pub fn weights_mut<'a, T>(&self, params: &'a mut [T]) -> Result<&'a mut [T], Error> {
        same_length(Argument::Params, self.params(), params.len())?;
        Ok(params.get_mut(self.input[2]..).unwrap_or_default())
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

    /// Between two windows next to each other, vertically and horizontally: what they read, and what they write.
    const fn strides(&self) -> [[usize; 2]; 2] {
        let [_, width, channels] = self.input;
        let [_, wide, _] = self.output();
        [[self.stride[0] * width * channels, self.stride[1] * channels], [wide * channels, channels]]
    }

    /// For a place of the kernel: how many windows have it on the image, where it lies on the image for the first of
    /// them, and where that window's result lies.
    fn place(&self, ky: usize, kx: usize) -> ([usize; 2], usize, usize) {
        let [_, width, channels] = self.input;
        let [_, wide, _] = self.output();
        let ([top, rows, up], [first, cols, left]) = (self.axis(0).reach(ky), self.axis(1).reach(kx));
        ([rows, cols], (up * width + left) * channels, (top * wide + first) * channels)
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
        let [_, _, channels] = self.input;
        let ([reads, writes], (bias, weights)) =
            (self.strides(), params.split_at_checked(channels).unwrap_or_default());
        let mut rest = &mut *y;
        while !rest.is_empty() {
            for (y, b) in cut_mut(&mut rest, channels).iter_mut().zip(bias) {
                *y = *b;
            }
        }
        let (mut x, mut y) = (x, y);
        while !y.is_empty() {
            let x = cut(&mut x, self.inputs());
            let y = cut_mut(&mut y, self.outputs());
            let mut weights = weights;
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let (places, on_image, at) = self.place(ky, kx);
                    let pass = Channels {
                        places,
                        channels,
                        y: y.get_mut(at..).unwrap_or_default(),
                        y_places: writes,
                        a: x.get(on_image..).unwrap_or_default(),
                        a_places: reads,
                        b: cut(&mut weights, channels),
                        b_places: [0, 0],
                    };
                    pass.run(self.exec);
                }
            }
        }
        Ok(())
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

impl Weighted for DepthwiseConv2d {
    fn check(&self) -> Result<(), Error> {
        self.check()
    }
    fn lengths(&self) -> [usize; 3] {
        [self.inputs(), self.outputs(), self.params()]
    }
    fn grid(&self) -> [usize; 2] {
        [self.fan_in(), self.input[2]]
    }
    fn exec(&self) -> Exec {
        self.exec
    }
    fn alone(self) -> Self {
        self.on(self.exec.alone())
    }
    fn products(&self, _: usize) -> usize {
        0
    }

    /// `dx`: place by place of the kernel, the gradients of all windows go back to what they read there.
    fn input_gradient<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]) {
        let mut dx = dx;
        dx.fill(T::ZERO);
        let [_, _, channels] = self.input;
        let ([reads, writes], mut dy) = (self.strides(), dy);
        while !dy.is_empty() {
            let dy = cut(&mut dy, self.outputs());
            let dx = cut_mut(&mut dx, self.inputs());
            let mut weights = params.get(channels..).unwrap_or_default();
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let (places, on_image, at) = self.place(ky, kx);
                    let pass = Channels {
                        places,
                        channels,
                        y: dx.get_mut(on_image..).unwrap_or_default(),
                        y_places: reads,
                        a: dy.get(at..).unwrap_or_default(),
                        a_places: writes,
                        b: cut(&mut weights, channels),
                        b_places: [0, 0],
                    };
                    pass.run(self.exec);
                }
            }
        }
    }

    /// Image by image, place by place of the kernel: a row of the strip is a place.
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
        let [reads, writes] = layer.strides();
        let (mut x, mut dy) = (x, dy);
        while !dy.is_empty() {
            let x = cut(&mut x, layer.inputs());
            let dy = cut(&mut dy, layer.outputs());
            let mut row = 0;
            for ky in 0..layer.kernel[0] {
                for kx in 0..layer.kernel[1] {
                    if strip.row <= row && row < strip.row + strip.rows {
                        let (places, on_image, at) = layer.place(ky, kx);
                        let pass = Channels {
                            places,
                            channels: strip.cols,
                            y: grads.get_mut((row - strip.row) * stride..).unwrap_or_default(),
                            y_places: [0, 0],
                            a: x.get(on_image + strip.col..).unwrap_or_default(),
                            a_places: reads,
                            b: dy.get(at + strip.col..).unwrap_or_default(),
                            b_places: writes,
                        };
                        pass.run(layer.exec);
                    }
                    row += 1;
                }
            }
        }
    }
}
