//! Pooling over windows of an image.

use super::{backward_lengths, numbers, samples, sizes};
use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::window::{Average, AverageGradient, Axis, Max, MaxGradient, Windows};
use crate::simd::{Element, Exec};

/// What both layers are made of: their fields, sizes and checks.
macro_rules! pool {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $name {
            /// Height, width and channels of an image that it reads.
            pub input: [usize; 3],
            /// Height and width of a window.
            pub window: [usize; 2],
            /// Places between two windows, vertical and horizontal: 1 or more.
            pub stride: [usize; 2],
            /// Places around the image that windows may cover, vertical and horizontal: fewer than a window has.
            pub padding: [usize; 2],
            /// Where it runs.
            #[cfg_attr(feature = "serde", serde(skip))]
            pub exec: Exec,
        }

        impl $name {
            /// Pooling of images `[height, width, channels]` over windows `[height, width]` side by side.
            #[must_use]
            pub const fn new(input: [usize; 3], window: [usize; 2]) -> Self {
                Self { input, window, stride: window, padding: [0, 0], exec: Exec::new() }
            }

            /// The same with windows some places apart.
            #[must_use]
            pub const fn stride(mut self, stride: [usize; 2]) -> Self {
                self.stride = stride;
                self
            }

            /// The same with windows that reach over the sides of the image.
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
                Axis { size: self.input[k], kernel: self.window[k], stride: self.stride[k], padding: self.padding[k] }
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

            /// Checks that its sizes fit each other. Every pass checks it too.
            ///
            /// # Errors
            /// [`Error::Shape`] if a window has no place, a stride is 0, the padding is as wide as a window, no window
            /// fits into the image, the image has no number, or a size is beyond the largest `usize`.
            pub const fn check(&self) -> Result<(), Error> {
                let mut fits = sizes([self.inputs(), self.outputs()]);
                let mut k = 0;
                while k < 2 {
                    fits = fits && self.stride[k] > 0 && self.padding[k] < self.window[k];
                    k += 1;
                }
                ensure(fits, Error::Shape)
            }

            /// Checks the slices of a forward pass, and returns the number of images.
            fn images<T>(&self, x: &[T], y: &[T]) -> Result<usize, Error> {
                self.check()?;
                let images = samples(Argument::Output, y.len(), self.outputs())?;
                same_length(Argument::Input, images.saturating_mul(self.inputs()), x.len())?;
                Ok(images)
            }
        }
    };
}

pool! {
    /// The largest number of each window: the first of equals, and NaN where there is one. Padding is never the largest.
    ///
    /// The backward pass finds the place of the largest number again, from `x` and `y`: no memory is needed between.
    ///
    /// ```
    /// use gradus::layer::MaxPool2d;
    /// const POOL: MaxPool2d = MaxPool2d::new([2, 4, 1], [2, 2]);
    /// let x = [1.0, 5.0, 2.0, 2.0, 3.0, 4.0, 2.0, 0.0];
    /// let (mut y, mut dx) = ([0.0; 2], [0.0; 8]);
    /// POOL.forward(&x, &mut y)?;
    /// assert_eq!(y, [5.0, 2.0]);
    /// POOL.backward(&x, &y, &[0.5, 0.25], &mut dx)?;
    /// assert_eq!(dx, [0.0, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    MaxPool2d
}

pool! {
    /// The mean of each window: its sum, row by row, times the inverse of the count, rounded. Padding does not count.
    ///
    /// A window as large as the image is global average pooling.
    ///
    /// ```
    /// use gradus::layer::AveragePool2d;
    /// const POOL: AveragePool2d = AveragePool2d::new([2, 4, 1], [2, 2]);
    /// let (mut y, mut dx) = ([0.0; 2], [0.0; 8]);
    /// POOL.forward(&[1.0, 5.0, 2.0, 2.0, 3.0, 3.0, 2.0, 0.0], &mut y)?;
    /// assert_eq!(y, [3.0, 1.5]);
    /// POOL.backward(&[4.0, 8.0], &mut dx)?;
    /// assert_eq!(dx, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    AveragePool2d
}

impl MaxPool2d {
    /// The largest number of each window.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn forward<T: Element>(&self, x: &[T], y: &mut [T]) -> Result<(), Error> {
        let images = self.images(x, y)?;
        let axes = [self.axis(0), self.axis(1)];
        Windows { axes, channels: self.input[2], images, x, y: &[], dy: &[], to: y }.run(self.exec, &Max);
        Ok(())
    }

    /// Writes the gradient of the images to `dx`, given what the forward pass read and wrote and the gradient of that.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn backward<T: Element>(&self, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) -> Result<(), Error> {
        self.check()?;
        let images = backward_lengths([self.inputs(), self.outputs(), 0], 0, Some(x), dy, Some(dx))?;
        same_length(Argument::Output, dy.len(), y.len())?;
        dx.fill(T::ZERO);
        let axes = [self.axis(0), self.axis(1)];
        Windows { axes, channels: self.input[2], images, x, y, dy, to: dx }.run(self.exec, &MaxGradient);
        Ok(())
    }
}

impl AveragePool2d {
    /// The mean of each window.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn forward<T: Element>(&self, x: &[T], y: &mut [T]) -> Result<(), Error> {
        let images = self.images(x, y)?;
        let axes = [self.axis(0), self.axis(1)];
        Windows { axes, channels: self.input[2], images, x, y: &[], dy: &[], to: y }.run(self.exec, &Average);
        Ok(())
    }

    /// Writes the gradient of the images to `dx`, given that of the means.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others, [`Error::Shape`] as by [`check`](Self::check); nothing was
    /// changed.
    pub fn backward<T: Element>(&self, dy: &[T], dx: &mut [T]) -> Result<(), Error> {
        self.check()?;
        let images = backward_lengths([self.inputs(), self.outputs(), 0], 0, None, dy, Some(dx))?;
        dx.fill(T::ZERO);
        let axes = [self.axis(0), self.axis(1)];
        let windows = Windows { axes, channels: self.input[2], images, x: &[], y: &[], dy, to: dx };
        windows.run(self.exec, &AverageGradient);
        Ok(())
    }
}
