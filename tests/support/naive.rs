//! Layers as loops over indices, in the order that their documentation gives: the truth of all bits.

use gradus::Element;

/// A convolution's or a window's sizes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub input: [usize; 3],
    pub filters: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Sizes {
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|k| (self.input[k] + 2 * self.padding[k] - self.kernel[k]) / self.stride[k] + 1)
    }
    pub fn inputs(&self) -> usize {
        self.input.iter().product()
    }
    /// Where a place of the kernel lies on the image, if it does.
    fn place(&self, out: [usize; 2], tap: [usize; 2]) -> Option<usize> {
        let [r, c] = [0, 1].map(|k| (out[k] * self.stride[k] + tap[k]).checked_sub(self.padding[k]));
        let (r, c) = (r?, c?);
        (r < self.input[0] && c < self.input[1]).then(|| (r * self.input[1] + c) * self.input[2])
    }
    /// All results of a batch and all places of the kernel, with where both lie: result, place on the image, place of
    /// the kernel. `taps_first` puts the place of the kernel outermost.
    pub fn each(&self, images: usize, taps_first: bool, mut f: impl FnMut(usize, usize, usize)) {
        let ([height, width], [kh, kw]) = (self.output(), self.kernel);
        let mut visit = |image: usize, out: [usize; 2], tap: [usize; 2]| {
            if let Some(place) = self.place(out, tap) {
                let result = (image * height + out[0]) * width + out[1];
                f(result, image * self.inputs() + place, tap[0] * kw + tap[1]);
            }
        };
        let outs = || (0..height).flat_map(move |r| (0..width).map(move |c| [r, c]));
        let taps = || (0..kh).flat_map(move |r| (0..kw).map(move |c| [r, c]));
        for image in 0..images {
            if taps_first {
                taps().for_each(|tap| outs().for_each(|out| visit(image, out, tap)));
            } else {
                outs().for_each(|out| taps().for_each(|tap| visit(image, out, tap)));
            }
        }
    }
}

pub fn dense<T: Element>([i, o]: [usize; 2], params: &[T], x: &[T]) -> Vec<T> {
    let mut y = Vec::new();
    for x in x.chunks(i.max(1)) {
        for c in 0..o {
            let mut sum = params[c];
            for k in 0..i {
                sum = sum + x[k] * params[o + k * o + c];
            }
            y.push(sum);
        }
    }
    y
}

/// Adds to `grads` and returns `dx`.
pub fn dense_backward<T: Element>(
    [i, o]: [usize; 2],
    params: &[T],
    grads: &mut [T],
    x: &[T],
    dy: &[T],
) -> Vec<T> {
    let mut dx = vec![T::ZERO; x.len()];
    for ((x, dy), dx) in x.chunks(i).zip(dy.chunks(o)).zip(dx.chunks_mut(i)) {
        for c in 0..o {
            grads[c] = grads[c] + dy[c];
            for k in 0..i {
                grads[o + k * o + c] = grads[o + k * o + c] + x[k] * dy[c];
                dx[k] = dx[k] + dy[c] * params[o + k * o + c];
            }
        }
    }
    dx
}

pub fn conv<T: Element>(s: &Sizes, images: usize, params: &[T], x: &[T]) -> Vec<T> {
    let ([h, w], [_, _, channels], o) = (s.output(), s.input, s.filters);
    let mut y: Vec<T> = (0..images * h * w).flat_map(|_| params[..o].to_vec()).collect();
    s.each(images, false, |result, place, tap| {
        for i in 0..channels {
            for c in 0..o {
                let y = &mut y[result * o + c];
                *y = *y + x[place + i] * params[o + (tap * channels + i) * o + c];
            }
        }
    });
    y
}

/// Adds to `grads` and returns `dx`.
pub fn conv_backward<T: Element>(
    s: &Sizes,
    images: usize,
    params: &[T],
    grads: &mut [T],
    x: &[T],
    dy: &[T],
) -> Vec<T> {
    let ([_, _, channels], o) = (s.input, s.filters);
    let mut dx = vec![T::ZERO; x.len()];
    for dy in dy.chunks(o) {
        for c in 0..o {
            grads[c] = grads[c] + dy[c];
        }
    }
    s.each(images, true, |result, place, tap| {
        for i in 0..channels {
            for c in 0..o {
                let at = o + (tap * channels + i) * o + c;
                grads[at] = grads[at] + x[place + i] * dy[result * o + c];
                dx[place + i] = dx[place + i] + dy[result * o + c] * params[at];
            }
        }
    });
    dx
}

pub fn depthwise<T: Element>(s: &Sizes, images: usize, params: &[T], x: &[T]) -> Vec<T> {
    let ([h, w], [_, _, channels]) = (s.output(), s.input);
    let mut y: Vec<T> = (0..images * h * w).flat_map(|_| params[..channels].to_vec()).collect();
    s.each(images, false, |result, place, tap| {
        for i in 0..channels {
            let y = &mut y[result * channels + i];
            *y = *y + x[place + i] * params[channels + tap * channels + i];
        }
    });
    y
}

/// Adds to `grads` and returns `dx`.
pub fn depthwise_backward<T: Element>(
    s: &Sizes,
    images: usize,
    params: &[T],
    grads: &mut [T],
    x: &[T],
    dy: &[T],
) -> Vec<T> {
    let [_, _, channels] = s.input;
    let mut dx = vec![T::ZERO; x.len()];
    for dy in dy.chunks(channels) {
        for i in 0..channels {
            grads[i] = grads[i] + dy[i];
        }
    }
    s.each(images, true, |result, place, tap| {
        for i in 0..channels {
            let (at, g) = (channels + tap * channels + i, dy[result * channels + i]);
            grads[at] = grads[at] + x[place + i] * g;
            dx[place + i] = dx[place + i] + g * params[at];
        }
    });
    dx
}

#[allow(clippy::eq_op, reason = "infinity minus infinity")]
fn is_nan<T: Element>(x: T) -> bool {
    x != x
}

/// The largest numbers of all windows, and where they were found first.
pub fn max_pool<T: Element>(s: &Sizes, images: usize, x: &[T]) -> (Vec<T>, Vec<usize>) {
    let ([h, w], [_, _, channels]) = (s.output(), s.input);
    let mut y: Vec<Option<(T, usize)>> = vec![None; images * h * w * channels];
    s.each(images, false, |result, place, _| {
        for i in 0..channels {
            let (y, new) = (&mut y[result * channels + i], x[place + i]);
            let larger = match *y {
                None => true,
                Some((old, _)) => !is_nan(old) && (is_nan(new) || new > old),
            };
            if larger {
                *y = Some((new, place + i));
            }
        }
    });
    y.into_iter().map(Option::unwrap).unzip()
}

pub fn average_pool<T: Element>(s: &Sizes, images: usize, x: &[T]) -> Vec<T> {
    let ([h, w], [_, _, channels]) = (s.output(), s.input);
    let mut y = vec![(T::ZERO, 0.0); images * h * w * channels];
    s.each(images, false, |result, place, _| {
        for i in 0..channels {
            let (sum, count) = &mut y[result * channels + i];
            *sum = *sum + x[place + i];
            *count += 1.0;
        }
    });
    y.into_iter().map(|(sum, count)| sum * (T::ONE / T::from_f32(count))).collect()
}
