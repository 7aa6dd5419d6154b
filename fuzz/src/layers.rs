//! Any sizes, any numbers: layers against loops over indices at every level, a step without gradients in memory against
//! one with them, whole states and half ones, and sums of gradients in half the memory against their definition.

use crate::halves;
use crate::input::{column, moderate, number};
use crate::naive::{self, Sizes};
use crate::{Bits as _, same};
use arbitrary::{Result, Unstructured};
use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, HalfGrads, MaxPool2d};
use gradus::transform::{ClipValue, L2};
use gradus::{Adam, Bf16, Exec, Level, Optimizer, Rule, StateVec, Stateful, Stored, Update, elementary};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = match u.int_in_range(0..=3) {
        Ok(0) => dense(&mut u),
        Ok(1) => convolution(&mut u),
        Ok(2) => pooling(&mut u),
        _ => functions(&mut u),
    };
}

type Memory<O> = <<O as Optimizer>::Family as Stateful>::Memory;

fn words(column: &[Bf16]) -> Vec<u64> {
    column.iter().map(|x| x.to_bits().into()).collect()
}

/// Numbers of a tensor: moderate ones, or any.
fn numbers(u: &mut Unstructured, n: usize) -> Result<Vec<f32>> {
    // A few numbers stand for all, so that short inputs lead to long tensors.
    let some = u.int_in_range(1..=31)?;
    let any = u.ratio(1, 4)?;
    let drawn: Vec<f32> = column(u, some, if any { number } else { moderate })?;
    Ok((0..n).map(|k| drawn[k * k % drawn.len()] + (k % 7) as f32).collect())
}

/// A layer with parameters, to be told of its passes.
trait Layer: Copy + core::fmt::Debug {
    fn sizes(&self) -> [usize; 3];
    fn at(self, level: Level) -> Self;
    fn forward(&self, params: &[f32], x: &[f32], y: &mut [f32]);
    fn backward(&self, params: &[f32], grads: &mut [f32], x: &[f32], dy: &[f32], dx: &mut [f32]);
    fn backward_half(&self, params: &[f32], sums: HalfGrads<'_>, x: &[f32], dy: &[f32], dx: &mut [f32]);
    fn backward_step<R: Rule + Copy, M: Stored>(
        &self,
        update: Update<'_, R, R, M>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
    );
    fn backward_input(&self, params: &[f32], dy: &[f32], dx: &mut [f32]);
}

macro_rules! layer {
    ($name:ident, |$l:ident| $sizes:expr) => {
        impl Layer for $name {
            fn sizes(&self) -> [usize; 3] {
                let $l = self;
                $sizes
            }
            fn at(self, level: Level) -> Self {
                self.on(level)
            }
            fn forward(&self, params: &[f32], x: &[f32], y: &mut [f32]) {
                $name::forward(self, params, x, y).unwrap();
            }
            fn backward(&self, params: &[f32], grads: &mut [f32], x: &[f32], dy: &[f32], dx: &mut [f32]) {
                $name::backward(self, params, grads, x, dy, Some(dx)).unwrap();
            }
            fn backward_half(
                &self,
                params: &[f32],
                sums: HalfGrads<'_>,
                x: &[f32],
                dy: &[f32],
                dx: &mut [f32],
            ) {
                $name::backward_half(self, params, sums, x, dy, Some(dx)).unwrap();
            }
            fn backward_step<R: Rule + Copy, M: Stored>(
                &self,
                update: Update<'_, R, R, M>,
                x: &[f32],
                dy: &[f32],
                dx: &mut [f32],
            ) {
                $name::backward_step(self, update, x, dy, Some(dx)).unwrap();
            }
            fn backward_input(&self, params: &[f32], dy: &[f32], dx: &mut [f32]) {
                $name::backward_input(self, params, dy, dx).unwrap();
            }
        }
    };
}

layer!(Dense, |l| [l.params(), l.inputs, l.outputs]);
layer!(Conv2d, |l| [l.params(), l.inputs(), l.outputs()]);
layer!(DepthwiseConv2d, |l| [l.params(), l.inputs(), l.outputs()]);

/// A layer's pass backward, and what it must lead to.
struct Pass<'a, L> {
    layer: L,
    images: usize,
    params: &'a [f32],
    x: &'a [f32],
    dy: &'a [f32],
    grads: Vec<f32>,
    dx: Vec<f32>,
}

/// All passes of a layer at every level: `y`, gradients and `dx` as they must be.
fn check<L: Layer>(
    layer: L,
    images: usize,
    [params, x, dy]: [&[f32]; 3],
    want_y: &[f32],
    gradients: impl Fn(&mut [f32]) -> Vec<f32>,
) {
    let [n, inputs, outputs] = layer.sizes();
    let mut grads = vec![0.0; n];
    let dx = gradients(&mut grads);
    let pass = Pass { layer, images, params, x, dy, grads, dx };
    for level in Level::available() {
        let layer = layer.at(level);
        let (mut y, mut grads, mut dx) =
            (vec![7.0; images * outputs], vec![0.0; n], vec![7.0; images * inputs]);
        layer.forward(params, x, &mut y);
        same(&y, want_y, format_args!("y of {layer:?}"));
        layer.backward(params, &mut grads, x, dy, &mut dx);
        same(&grads, &pass.grads, format_args!("gradients of {layer:?}"));
        same(&dx, &pass.dx, format_args!("dx of {layer:?}"));
        dx.fill(7.0);
        layer.backward_input(params, dy, &mut dx);
        same(&dx, &pass.dx, format_args!("dx alone of {layer:?}"));
    }
    // One of three ways that take gradients from the stack.
    let adam = Adam::new(0.1).with((ClipValue(1e3), L2::new(0.5)));
    match n % 3 {
        0 => pass.steps(&adam, |columns| columns.iter().map(|x| x.bits()).collect()),
        1 => pass.steps(&adam.half(), words),
        _ => pass.sums(gradients),
    }
}

impl<L: Layer> Pass<'_, L> {
    /// Parameters of other layers, which lie before its own.
    fn before(&self) -> usize {
        self.images % 4
    }

    /// A step beside one with all gradients in memory, of whole states or of half ones.
    fn steps<O: Optimizer<Rule: Copy>>(&self, optimizer: &O, bits: fn(&[Memory<O>]) -> Vec<u64>) {
        let (n, before) = (self.params.len(), self.before());
        let params = [&vec![0.0; before], self.params].concat();
        let grads = [&vec![0.0; before], &self.grads[..]].concat();
        let (mut want, mut want_state) = (params.clone(), optimizer.state_vec(before + n));
        optimizer.step_slices(&mut want, &grads, want_state.as_mut()).unwrap();
        let columns = |state: &StateVec<O::Family>| -> Vec<Vec<u64>> {
            state.columns().iter().map(|column| bits(column)).collect()
        };
        for level in Level::available() {
            let layer = self.layer.at(level);
            let (mut own, mut state) = (params.clone(), optimizer.state_vec(before + n));
            let mut dx = vec![7.0; self.dx.len()];
            let update = optimizer.update_slices(&mut own, state.as_mut()).unwrap();
            let [_, update] = update.split([before, n]).unwrap();
            layer.backward_step(update, self.x, self.dy, &mut dx);
            same(&own, &want, format_args!("a step of {layer:?}"));
            same(&dx, &self.dx, format_args!("dx of a step of {layer:?}"));
            assert!(columns(&state) == columns(&want_state), "the state of {layer:?}");
        }
    }

    /// Sums in half the memory, which hold something before any pass: rounded by hand.
    fn sums(&self, gradients: impl Fn(&mut [f32]) -> Vec<f32>) {
        let (n, before) = (self.params.len(), self.before());
        let sums = self.params.iter().map(|p| Bf16::from_bits((p.to_bits() >> 16) as u16));
        let sums: Vec<Bf16> = core::iter::repeat_n(Bf16::default(), before).chain(sums).collect();
        let count = (n * self.images) as u32;
        let mut want: Vec<f32> = sums.iter().map(|sum| sum.to_f32()).collect();
        gradients(&mut want[before..]);
        let round = |(i, x): (u32, &f32)| halves::round(*x, halves::dither(count + 1, i, 3)).into();
        let want: Vec<u64> = (0..).zip(&want).map(round).collect();
        for level in Level::available() {
            let layer = self.layer.at(level);
            let (mut own, mut passes, mut dx) = (sums.clone(), count, vec![7.0; self.dx.len()]);
            let [_, part] = HalfGrads::new(&mut own, &mut passes).split([before, n]).unwrap();
            layer.backward_half(self.params, part, self.x, self.dy, &mut dx);
            assert!(words(&own) == want && passes == count + 1, "half sums of {layer:?}");
            same(&dx, &self.dx, format_args!("dx beside half sums of {layer:?}"));
        }
    }
}

fn dense(u: &mut Unstructured) -> Result<()> {
    let (rows, i, o) = (u.int_in_range(1..=20)?, u.int_in_range(1..=70)?, u.int_in_range(1..=300)?);
    let (params, x, dy) = (numbers(u, (1 + i) * o)?, numbers(u, rows * i)?, numbers(u, rows * o)?);
    let y = naive::dense([i, o], &params, &x);
    check(Dense::new(i, o), rows, [&params, &x, &dy], &y, |grads| {
        naive::dense_backward([i, o], &params, grads, &x, &dy)
    });
    Ok(())
}

fn sizes(u: &mut Unstructured, filters: usize) -> Result<Sizes> {
    let mut s = Sizes {
        input: [0, 0, u.int_in_range(1..=20)?],
        filters,
        kernel: [1; 2],
        stride: [1; 2],
        padding: [0; 2],
    };
    for k in 0..2 {
        s.kernel[k] = u.int_in_range(1..=11)?;
        s.stride[k] = u.int_in_range(1..=4)?;
        s.padding[k] = u.int_in_range(0..=s.kernel[k] - 1)?;
        s.input[k] = (s.kernel[k] + u.int_in_range(0..=5)?).saturating_sub(2 * s.padding[k]).max(1);
    }
    Ok(s)
}

fn convolution(u: &mut Unstructured) -> Result<()> {
    let filters = u.int_in_range(1..=40)?;
    let (s, images) = (sizes(u, filters)?, u.int_in_range(1..=3)?);
    let layer = Conv2d::new(s.input, filters, s.kernel).stride(s.stride).padding(s.padding);
    let (params, x) = (numbers(u, layer.params())?, numbers(u, images * layer.inputs())?);
    let dy = numbers(u, images * layer.outputs())?;
    let y = naive::conv(&s, images, &params, &x);
    check(layer, images, [&params, &x, &dy], &y, |grads| {
        naive::conv_backward(&s, images, &params, grads, &x, &dy)
    });
    let layer = DepthwiseConv2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding);
    let params = numbers(u, layer.params())?;
    let dy = numbers(u, images * layer.outputs())?;
    let y = naive::depthwise(&s, images, &params, &x);
    check(layer, images, [&params, &x, &dy], &y, |grads| {
        naive::depthwise_backward(&s, images, &params, grads, &x, &dy)
    });
    Ok(())
}

fn pooling(u: &mut Unstructured) -> Result<()> {
    let (s, images) = (sizes(u, 0)?, u.int_in_range(1..=3)?);
    let max = MaxPool2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding);
    let mean = AveragePool2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding);
    let (x, dy) = (numbers(u, images * max.inputs())?, numbers(u, images * max.outputs())?);
    let ((want, places), averages) = (naive::max_pool(&s, images, &x), naive::average_pool(&s, images, &x));
    let mut want_dx = vec![0.0; x.len()];
    for (place, g) in places.iter().zip(&dy) {
        want_dx[*place] += g;
    }
    for level in Level::available() {
        let (mut y, mut dx) = (vec![7.0; dy.len()], vec![7.0; x.len()]);
        max.on(level).forward(&x, &mut y).unwrap();
        same(&y, &want, format_args!("{max:?}"));
        max.on(level).backward(&x, &y, &dy, &mut dx).unwrap();
        same(&dx, &want_dx, format_args!("dx of {max:?}"));
        mean.on(level).forward(&x, &mut y).unwrap();
        same(&y, &averages, format_args!("{mean:?}"));
    }
    Ok(())
}

/// One elementary function.
#[derive(Clone, Copy)]
struct Function(u8);

impl Rule<0> for Function {
    type Columns = gradus::Width<0>;
    #[inline(always)]
    fn apply<V: gradus::Vector>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        let y = match self.0 {
            0 => elementary::exp(isa, x),
            1 => elementary::ln(isa, x),
            2 => elementary::ln_1p(isa, x),
            3 => elementary::tanh(isa, x),
            4 => elementary::sigmoid(isa, x),
            5 => elementary::sin_cos_turn(isa, x).0,
            _ => elementary::sin_cos_turn(isa, x).1,
        };
        (y, [])
    }
}

fn functions(u: &mut Unstructured) -> Result<()> {
    let n = u.int_in_range(0..=67)?;
    let x: Vec<f32> = column(u, n, number)?;
    for function in (0..7).map(Function) {
        let of = |exec: Exec| {
            let mut y = x.clone();
            gradus::run(exec, &function, gradus::Columns::new(&mut y, [], []).unwrap());
            y
        };
        let want = of(Level::SCALAR.into());
        for level in Level::available() {
            same(&of(level.into()), &want, format_args!("function {} at {level}", function.0));
        }
    }
    Ok(())
}

#[test]
fn smoke() {
    crate::smoke(run);
}
