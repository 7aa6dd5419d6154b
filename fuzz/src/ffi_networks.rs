//! Layers that learn, from C with pointers that point anywhere: each way through them, whole and half gradients, the step
//! on the way back, pooling, activations and losses; beside the same in Rust.

use crate::ffi::{Arena, FLOATS, Place, version};
use crate::ffi_layers::{Beside, config};
use crate::input::number;
use arbitrary::{Result, Unstructured};
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use gradus::layer::*;
use gradus::*;

/// What a pass returns in Rust.
type Done = core::result::Result<(), Error>;

pub(crate) fn calls(u: &mut Unstructured) -> Result<()> {
    match u.int_in_range(0..=6)? {
        0 => {
            let (inputs, outputs) = (u.int_in_range(0..=4)?, u.int_in_range(0..=3)?);
            learn(u, &Dense::new(inputs, outputs), Some([inputs, outputs]))
        }
        1 => {
            let layer = window(u)?;
            let images = layer.check().is_ok().then(|| [layer.inputs(), layer.outputs()]);
            learn(u, &layer, images)
        }
        2 => {
            let Conv2d { input, kernel, stride, padding, .. } = window(u)?;
            let layer = DepthwiseConv2d::new(input, kernel).stride(stride).padding(padding);
            let images = layer.check().is_ok().then(|| [layer.inputs(), layer.outputs()]);
            learn(u, &layer, images)
        }
        3 => pool(u),
        4 => activation(u),
        5 => begun(u),
        _ => loss(u),
    }
}

/// A convolution: mostly of sizes that fit each other, and so small that the arena has room.
fn window(u: &mut Unstructured) -> Result<Conv2d> {
    let mut side = |most: usize| -> Result<usize> {
        if u.ratio(1, 48)? {
            Ok(*u.choose(&[0, 12, 1 << 15, 1 << 16, usize::MAX / 3, usize::MAX])?)
        } else {
            u.int_in_range(1..=most)
        }
    };
    let input = [side(3)?, side(3)?, side(2)?];
    let filters = side(2)?;
    let (kernel, stride) = ([side(3)?, side(3)?], [side(2)?, side(2)?]);
    let padding = [u.int_in_range(0..=2)?, u.int_in_range(0..=1)?];
    Ok(Conv2d::new(input, filters, kernel).stride(stride).padding(padding))
}

/// A layer with parameters, and its functions in C.
trait Learning: Copy {
    /// Its structure, if it has one.
    type Structure;
    fn structure(&self) -> Self::Structure;
    fn params(&self) -> usize;
    unsafe fn c_forward(&self, c: *const Self::Structure, n: usize, p: [*mut f32; 3]) -> gradus_status;
    unsafe fn c_backward(&self, c: *const Self::Structure, n: usize, p: [*mut f32; 5]) -> gradus_status;
    unsafe fn c_input(&self, c: *const Self::Structure, n: usize, p: [*mut f32; 3]) -> gradus_status;
    unsafe fn c_half(
        &self,
        c: *const Self::Structure,
        n: usize,
        pass: u32,
        p: [*mut f32; 5],
    ) -> gradus_status;
    unsafe fn c_step(
        &self,
        c: *const Self::Structure,
        n: usize,
        s: &gradus_step,
        at: usize,
        p: [*mut f32; 3],
    ) -> gradus_status;
    fn forward(&self, params: &[f32], x: &[f32], y: &mut [f32]) -> Done;
    fn backward(
        &self,
        params: &[f32],
        grads: &mut [f32],
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Done;
    fn input(&self, params: &[f32], dy: &[f32], dx: &mut [f32]) -> Done;
    fn half(
        &self,
        params: &[f32],
        grads: HalfGrads<'_>,
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Done;
}

macro_rules! learning {
    ($layer:ident $structure:ty, |$own:ident| $new:expr, |$c:ident| [$($size:expr),*],
        $forward:ident $backward:ident $input:ident $half:ident $step:ident) => {
        impl Learning for $layer {
            type Structure = $structure;
            fn structure(&self) -> $structure {
                let $own = self;
                $new
            }
            fn params(&self) -> usize {
                self.params()
            }
            unsafe fn c_forward(&self, c: *const $structure, n: usize, [w, x, y]: [*mut f32; 3]) -> gradus_status {
                let $c = (self, c);
                // SAFETY: the caller's.
                unsafe { $forward($($size,)* n, w, x, y) }
            }
            unsafe fn c_backward(&self, c: *const $structure, n: usize, [w, x, dy, g, dx]: [*mut f32; 5]) -> gradus_status {
                let $c = (self, c);
                // SAFETY: the caller's.
                unsafe { $backward($($size,)* n, w, g, x, dy, dx) }
            }
            unsafe fn c_input(&self, c: *const $structure, n: usize, [w, dy, dx]: [*mut f32; 3]) -> gradus_status {
                let $c = (self, c);
                // SAFETY: the caller's.
                unsafe { $input($($size,)* n, w, dy, dx) }
            }
            unsafe fn c_half(&self, c: *const $structure, n: usize, pass: u32, [w, x, dy, g, dx]: [*mut f32; 5]) -> gradus_status {
                let $c = (self, c);
                // SAFETY: the caller's.
                unsafe { $half($($size,)* n, w, g.cast(), pass, 0, x, dy, dx) }
            }
            unsafe fn c_step(&self, c: *const $structure, n: usize, s: &gradus_step, at: usize, [x, dy, dx]: [*mut f32; 3]) -> gradus_status {
                let $c = (self, c);
                // SAFETY: the caller's.
                unsafe { $step($($size,)* n, s, at, x, dy, dx) }
            }
            fn forward(&self, params: &[f32], x: &[f32], y: &mut [f32]) -> Done {
                self.forward(params, x, y)
            }
            fn backward(&self, params: &[f32], grads: &mut [f32], x: &[f32], dy: &[f32], dx: Option<&mut [f32]>) -> Done {
                self.backward(params, grads, x, dy, dx)
            }
            fn input(&self, params: &[f32], dy: &[f32], dx: &mut [f32]) -> Done {
                self.backward_input(params, dy, dx)
            }
            fn half(&self, params: &[f32], grads: HalfGrads<'_>, x: &[f32], dy: &[f32], dx: Option<&mut [f32]>) -> Done {
                self.backward_half(params, grads, x, dy, dx)
            }
        }
    };
}

learning!(Dense (), |_own| (), |c| [c.0.inputs, c.0.outputs],
    gradus_dense_forward gradus_dense_backward gradus_dense_backward_input gradus_dense_backward_half gradus_dense_backward_step);
learning!(Conv2d gradus_conv2d, |own| {
    let Conv2d { input, filters, kernel, stride, padding, .. } = *own;
    gradus_conv2d { input, filters, kernel, stride, padding }
}, |c| [c.1],
    gradus_conv2d_forward gradus_conv2d_backward gradus_conv2d_backward_input gradus_conv2d_backward_half gradus_conv2d_backward_step);
learning!(DepthwiseConv2d gradus_depthwise_conv2d, |own| {
    let DepthwiseConv2d { input, kernel, stride, padding, .. } = *own;
    gradus_depthwise_conv2d { input, kernel, stride, padding }
}, |c| [c.1],
    gradus_depthwise_conv2d_forward gradus_depthwise_conv2d_backward gradus_depthwise_conv2d_backward_input
    gradus_depthwise_conv2d_backward_half gradus_depthwise_conv2d_backward_step);

/// One call of a layer with these numbers of inputs and outputs, if its sizes fit each other.
fn learn<L: Learning>(u: &mut Unstructured, layer: &L, sizes: Option<[usize; 2]>) -> Result<()> {
    let structure = layer.structure();
    let (c, there) = config(u, &structure)?;
    let there = there || size_of::<L::Structure>() == 0;
    let mut call = Beside::new(u, GRADUS_STRUCTS, there)?;
    let samples = u.int_in_range(0..=2_usize)?;
    let (read, written, params) = sizes.map_or((4, 4, 4), |[inputs, outputs]| {
        (samples.saturating_mul(inputs), samples.saturating_mul(outputs), layer.params())
    });
    if read.max(written).max(params) > FLOATS {
        return Ok(());
    }
    let which = u.int_in_range(0..=4)?;
    if which == 4 {
        return step(u, layer, c, call, [samples, read, written, params]);
    }
    let half = which == 3;
    let grads = match which {
        1 => params,
        3 => params.div_ceil(2),
        _ => 0,
    };
    if params + 2 * read + written + grads > FLOATS || half && params % 2 > 0 {
        return Ok(());
    }
    // More samples than there is memory, where a sample has numbers.
    let numbers = sizes.is_none_or(|[inputs, outputs]| inputs > 0 && outputs > 0);
    let n = if numbers { call.length(u, samples)? } else { samples };
    let w = call.read(u, params)?;
    let from = call.read(u, if which == 2 { written } else { read })?;
    let (mut dy, mut sums) = (Place::NONE, Place::NONE);
    if half || which == 1 {
        (dy, sums) = (call.read(u, written)?, call.written(u, grads)?);
    }
    if half {
        sums = call.of_halves();
    }
    let last = match which {
        0 => call.written(u, written)?,
        2 => call.written(u, read)?,
        _ => call.optional(u, read)?,
    };
    let pass = u.int_in_range(1..=3)?;
    call.call(
        |m| {
            let [w, from, dy, sums, last] = [w, from, dy, sums, last].map(|place| place.at(m));
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe {
                match which {
                    0 => layer.c_forward(c, n, [w, from, last]),
                    1 => layer.c_backward(c, n, [w, from, dy, sums, last]),
                    2 => layer.c_input(c, n, [w, from, last]),
                    _ => layer.c_half(c, n, pass, [w, from, dy, sums, last]),
                }
            }
        },
        |pieces| match pieces {
            [w, x, y] if which == 0 => layer.forward(w, x, y),
            [w, dy, dx] => layer.input(w, dy, dx),
            [w, x, dy, sums, dx @ ..] => {
                let dx = dx.first_mut().map(|dx| &mut dx[..]);
                if !half {
                    return layer.backward(w, sums, x, dy, dx);
                }
                let mut words: Vec<Bf16> = sums.iter().flat_map(|pair| halves(*pair)).collect();
                let mut passes = pass - 1;
                layer.half(w, HalfGrads::new(&mut words, &mut passes), x, dy, dx)?;
                *sums = words.chunks(2).map(|pair| whole([pair[0], pair[1]])).collect();
                Ok(())
            }
            _ => unreachable!(),
        },
    );
    Ok(())
}

/// Two sums in half the memory, as they lie in memory.
fn halves(pair: f32) -> [Bf16; 2] {
    let bytes = pair.to_ne_bytes();
    [[bytes[0], bytes[1]], [bytes[2], bytes[3]]].map(|two| Bf16::from_bits(u16::from_ne_bytes(two)))
}

fn whole([a, b]: [Bf16; 2]) -> f32 {
    let [a, b] = [a, b].map(|half| half.to_bits().to_ne_bytes());
    f32::from_ne_bytes([a[0], a[1], b[0], b[1]])
}

/// The step on the way back, of a layer whose parameters are some of those that the step has.
fn step<L: Learning>(
    u: &mut Unstructured,
    layer: &L,
    c: *const L::Structure,
    mut call: Beside,
    [samples, read, written, params]: [usize; 4],
) -> Result<()> {
    let begun = Begun::new(u, &mut call, params)?;
    if 3 * begun.n + 2 * read + written > FLOATS {
        return Ok(());
    }
    let n = if read > 0 && written > 0 { call.length(u, samples)? } else { samples };
    let (x, dy, dx) = (call.read(u, read)?, call.read(u, written)?, call.optional(u, read)?);
    call.call(
        |m| {
            let step = begun.begin(m);
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe { layer.c_step(c, n, &step, begun.at, [x, dy, dx].map(|place| place.at(m))) }
        },
        |pieces| {
            let [w, state, x, dy, dx @ ..] = pieces else { unreachable!() };
            let dx = dx.first_mut().map(|dx| &mut dx[..]);
            // The gradients in an array, and a step of those parameters.
            let (range, mut grads) = (begun.before..begun.before + params, vec![0.0; params]);
            layer.backward(&w[range.clone()], &mut grads, x, dy, dx)?;
            begun.step(w, state, range, |adam, own, state| adam.step_slices(own, &grads, state))
        },
    );
    Ok(())
}

/// The step of biases alone, and the one with sums in half the memory.
fn begun(u: &mut Unstructured) -> Result<()> {
    let mut call = Beside::new(u, GRADUS_STRUCTS, true)?;
    let (outputs, samples) = (u.int_in_range(0..=4)?, u.int_in_range(0..=3)?);
    let half = u.arbitrary::<bool>()?;
    let begun = Begun::new(u, &mut call, outputs)?;
    if half && begun.n % 2 > 0 {
        return Ok(());
    }
    // The sums of all parameters, or the gradients of what the layer wrote.
    let rows = if !half && outputs > 0 { call.length(u, samples)? } else { samples };
    let grads = call.read(u, if half { begun.n / 2 } else { samples * outputs })?;
    let grads = if half { call.of_halves() } else { grads };
    if half {
        call.reasons.retain(|(_, status)| *status != GRADUS_ERROR_LENGTH); // it takes no place and no length
    }
    call.call(
        |m| {
            let step = begun.begin(m);
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe {
                match half {
                    true => gradus_step_half_grads(&step, grads.at(m)),
                    false => gradus_bias_step(outputs, rows, &step, begun.at, grads.at(m)),
                }
            }
        },
        |pieces| {
            let [w, state, grads] = pieces else { unreachable!() };
            if half {
                let sums: Vec<Bf16> = grads.iter().flat_map(|pair| halves(*pair)).collect();
                return begun
                    .step(w, state, 0..begun.n, |adam, own, state| adam.step_half_grads(own, &sums, state));
            }
            let range = begun.before..begun.before + outputs;
            begun.step(w, state, range, |adam, own, state| {
                bias_step(Exec::new(), adam.update_slices(own, state)?, grads)
            })
        },
    );
    Ok(())
}

/// A step of Adam over `n` parameters, of which those from `before` on are a layer's.
struct Begun {
    n: usize,
    before: usize,
    /// Where C is told that they begin.
    at: usize,
    version: u32,
    params: Place,
    state: Place,
    clock: Clock,
}

impl Begun {
    fn new(u: &mut Unstructured, call: &mut Beside, own: usize) -> Result<Self> {
        let (before, after) = (u.int_in_range(0..=1)?, u.int_in_range(0..=1)?);
        let n = before + own + after;
        let at = if u.ratio(1, 16)? {
            *u.choose(&[before + after + 1, n + 1, usize::MAX, usize::MAX - own])?
        } else {
            before
        };
        let version = version(u)?;
        call.reasons.push((at != before, GRADUS_ERROR_LENGTH));
        call.reasons.push((version != GRADUS_STRUCTS, GRADUS_ERROR_VERSION));
        let mut place = |n: usize| {
            let place = Place::next(&mut call.end, 4 * n, 4);
            call.pieces.push((place, true));
            place
        };
        let (params, state) = (place(n), place(2 * n));
        Ok(Self {
            n,
            before,
            at,
            version,
            params,
            state,
            clock: Clock { t: u.int_in_range(0..=9)?, carry: 0.0 },
        })
    }

    /// Begins it in C.
    fn begin(&self, arena: *mut Arena) -> gradus_step {
        let mut clock = self.clock;
        // SAFETY: zeros are a step that was not begun.
        let mut step = unsafe { core::mem::zeroed::<gradus_step>() };
        // Nothing may be null.
        let [params, state] = match self.n {
            0 => [core::ptr::null_mut(); 2],
            _ => [self.params, self.state].map(|place| place.at(arena)),
        };
        // SAFETY: memory for all parameters and two columns of state.
        let status = unsafe {
            gradus_adam_begin(&gradus_adam_default(0.1), self.n, params, state, &mut clock, &mut step)
        };
        assert_eq!(status, GRADUS_OK);
        assert_eq!(clock.t, self.clock.t + 1);
        step.version = self.version;
        step
    }

    /// Takes it in Rust, of a range of the parameters.
    fn step(
        &self,
        params: &mut [f32],
        state: &mut [f32],
        range: core::ops::Range<usize>,
        step: impl for<'a> FnOnce(Adam, &'a mut [f32], StateMut<'a, Adam>) -> Done,
    ) -> Done {
        let (m, v) = state.split_at_mut(self.n);
        let mut clock = self.clock;
        let state = StateMut::new([&mut m[range.clone()], &mut v[range.clone()]], &mut clock);
        step(Adam::new(0.1), &mut params[range], state)
    }
}

fn pool(u: &mut Unstructured) -> Result<()> {
    let Conv2d { input, kernel: window, stride, padding, .. } = window(u)?;
    let max = MaxPool2d::new(input, window).stride(stride).padding(padding);
    let mean = AveragePool2d::new(input, window).stride(stride).padding(padding);
    let which = u.int_in_range(0..=3)?;
    let largest = gradus_max_pool2d { input, window, stride, padding };
    let average = gradus_average_pool2d { input, window, stride, padding };
    let ((largest, first), (average, second)) = (config(u, &largest)?, config(u, &average)?);
    let mut call = Beside::new(u, GRADUS_STRUCTS, if which < 2 { first } else { second })?;
    let samples = u.int_in_range(0..=2_usize)?;
    let (read, written) = match max.check() {
        Ok(()) => (samples.saturating_mul(max.inputs()), samples.saturating_mul(max.outputs())),
        Err(_) => (4, 4),
    };
    if read.saturating_add(written) > FLOATS / 2 {
        return Ok(());
    }
    let n = call.length(u, samples)?;
    let lengths: &[usize] = match which {
        0 | 2 => &[read, written],
        1 => &[read, written, written, read],
        _ => &[written, read],
    };
    let (last, others) = lengths.split_last().expect("a length");
    let mut p = others.iter().map(|n| call.read(u, *n)).collect::<Result<Vec<_>>>()?;
    p.push(call.written(u, *last)?);
    call.call(
        |m| {
            let p: Vec<*mut f32> = p.iter().map(|p| p.at(m)).collect();
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe {
                match which {
                    0 => gradus_max_pool2d_forward(largest, n, p[0], p[1]),
                    1 => gradus_max_pool2d_backward(largest, n, p[0], p[1], p[2], p[3]),
                    2 => gradus_average_pool2d_forward(average, n, p[0], p[1]),
                    _ => gradus_average_pool2d_backward(average, n, p[0], p[1]),
                }
            }
        },
        |pieces| match (which, pieces) {
            (0, [x, y]) => max.forward(x, y),
            (1, [x, y, dy, dx]) => max.backward(x, y, dy, dx),
            (2, [x, y]) => mean.forward(x, y),
            (_, [dy, dx]) => mean.backward(dy, dx),
            _ => unreachable!(),
        },
    );
    Ok(())
}

fn activation(u: &mut Unstructured) -> Result<()> {
    use gradus::activation::*;
    let mut call = Beside::new(u, GRADUS_STRUCTS, true)?;
    let (n, slope, which) = (u.int_in_range(0..=30)?, number(u)?, u.int_in_range(0..=8)?);
    let len = call.length(u, n)?;
    let x = call.written(u, n)?;
    let y = if which < 4 { Place::NONE } else { call.read(u, n)? };
    call.call(
        |m| {
            let (x, y) = (x.at(m), y.at::<f32, _>(m));
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe {
                match which {
                    0 => gradus_relu(len, x),
                    1 => gradus_leaky_relu(slope, len, x),
                    2 => gradus_tanh(len, x),
                    3 => gradus_sigmoid(len, x),
                    4 => gradus_relu_backward(len, x, y),
                    5 => gradus_leaky_relu_backward(slope, len, x, y),
                    6 => gradus_tanh_backward(len, x, y),
                    7 => gradus_sigmoid_backward(len, x, y),
                    _ => gradus_residual_add(len, x, y),
                }
            }
        },
        |pieces| {
            let (x, rest) = pieces.split_first_mut().expect("a piece");
            let (exec, y) = (Exec::new(), rest.first().map_or(&[][..], |y| y));
            match which {
                0 => relu(exec, x),
                1 => leaky_relu(exec, slope, x),
                2 => tanh(exec, x),
                3 => sigmoid(exec, x),
                4 => return relu_backward(exec, x, y),
                5 => return leaky_relu_backward(exec, slope, x, y),
                6 => return tanh_backward(exec, x, y),
                7 => return sigmoid_backward(exec, x, y),
                _ => return residual_add(exec, x, y),
            }
            Ok(())
        },
    );
    Ok(())
}

fn loss(u: &mut Unstructured) -> Result<()> {
    use gradus::loss::*;
    let mut call = Beside::new(u, GRADUS_STRUCTS, true)?;
    let (classes, samples, which) = (u.int_in_range(0..=5)?, u.int_in_range(0..=4)?, u.int_in_range(0..=4)?);
    let (n, delta) = (classes * samples, number(u)?);
    // A row of classes more than there is memory.
    let rows = if classes > 0 && which < 4 { call.length(u, samples)? } else { samples };
    let len = if rows == samples { n } else { rows };
    let scores = call.written(u, n)?;
    let labels: Vec<u16> = (0..samples + 1).map(|_| u.int_in_range(0..=5)).collect::<Result<_>>()?;
    let targets = if (1..4).contains(&which) { call.read(u, n)? } else { Place::NONE };
    let value = if which == 4 { Place::NONE } else { call.written(u, 1)? };
    call.call(
        |m| {
            let (scores, targets, value) = (scores.at(m), targets.at::<f32, _>(m), value.at(m));
            // SAFETY: every pointer is null or has its length inside the arena, and so many labels are there.
            unsafe {
                match which {
                    0 => gradus_softmax_cross_entropy(classes, rows, scores, labels.as_ptr(), value),
                    1 => gradus_binary_cross_entropy(len, scores, targets, value),
                    2 => gradus_mean_squared_error(len, scores, targets, value),
                    3 => gradus_huber(delta, len, scores, targets, value),
                    _ => gradus_softmax(classes, n, scores),
                }
            }
        },
        |pieces| {
            let value = match (which, &mut *pieces) {
                (0, [scores, _]) => softmax_cross_entropy(Exec::new(), scores, &labels[..samples])?,
                (1, [scores, targets, _]) => binary_cross_entropy(Exec::new(), scores, targets)?,
                (2, [scores, targets, _]) => mean_squared_error(Exec::new(), scores, targets)?,
                (3, [scores, targets, _]) => huber(Exec::new(), delta, scores, targets)?,
                (_, [scores]) => return softmax(Exec::new(), classes, scores),
                _ => unreachable!(),
            };
            pieces.last_mut().expect("a piece")[0] = value;
            Ok(())
        },
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoke() {
        crate::smoke(|data| {
            let _ = calls(&mut Unstructured::new(data));
        });
    }
}
