//! States and gradients in half the memory, layers of known sizes, and what else `no_panic` has no room for.
#![allow(improper_ctypes_definitions)] // nobody calls them

use gradus::ensemble::*;
use gradus::layer::*;
use gradus::loss::Confusion;
use gradus::noise::MonteCarlo;
use gradus::transform::*;
use gradus::*;
use rand_xoshiro::Xoshiro128PlusPlus as Generator;

type Done = Result<(), Error>;

/// Every rule with half a state, on slices, arrays and lists. AMSGrad and the schedule-free rule have none.
macro_rules! halves {
    (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        $(halves!(@ $optimizer);)*
    };
    (@ AmsGrad) => {};
    (@ ScheduleFree) => {};
    (@ $optimizer:ident) => {
        const _: () = {
            #[unsafe(export_name = concat!("half", stringify!($optimizer)))]
            extern "C" fn half(
                params: &mut [f32],
                grads: &[f32],
                halved: &[Bf16],
                state: &mut State<InHalf<$optimizer>, 9>,
                whole: &mut State<$optimizer, 9>,
                tensors: &mut [Tensor<'_, InHalf<$optimizer>>],
                clock: &mut Clock,
            ) -> Done {
                let rule = $optimizer::new(1e-3).half();
                rule.step_slices(params, grads, state.as_mut())?;
                rule.with((Scale(0.5), L2::new(1e-3))).step_slices(params, grads, state.as_mut())?;
                rule.step_half_grads(params, halved, state.as_mut())?;
                rule.step_if_finite(params, grads, state.as_mut())?;
                rule.step_tensors(tensors, clock)?;
                whole.as_mut().round_to_half(state.as_mut())?;
                state.as_mut().widen(whole.as_mut())
            }
        };
    };
}

gradus::__optimizers!(halves!());

#[unsafe(no_mangle)]
extern "C" fn half_files(
    state: &mut State<InHalf<Adam>, 9>,
    columns: &mut [f32],
    bytes: &mut [u8],
) -> Result<usize, store::Error> {
    store::save((&*state, &*columns), bytes)?;
    store::load((&mut *state, &mut *columns), bytes)?;
    state.reset();
    Ok(store::file_size(&*state))
}

/// Layers of any sizes whose gradients are summed in half the memory.
#[unsafe(no_mangle)]
extern "C" fn half_layers(
    [h, w, c, o]: [usize; 4],
    [kernel, stride, padding]: [[usize; 2]; 3],
    [params, x, y, dx]: [&mut [f32]; 4],
    sums: &mut [Bf16],
    passes: &mut u32,
    state: &mut State<InHalf<Adam>, 9>,
) -> Done {
    let dense = Dense::new(h, o);
    let conv = Conv2d::new([h, w, c], o, kernel).stride(stride).padding(padding);
    let apart = DepthwiseConv2d::new([h, w, c], kernel).stride(stride).padding(padding);
    let [first, second, third] = HalfGrads::new(sums, passes).split([h, w, c])?;
    dense.backward_half(params, first, x, y, Some(&mut *dx))?;
    conv.backward_half(params, second, x, y, Some(&mut *dx))?;
    apart.backward_half(params, third, x, y, None)?;
    let adam = Adam::new(1e-3).half();
    dense.backward_step(adam.update_slices(params, state.as_mut())?, x, y, Some(&mut *dx))?;
    conv.backward_step(adam.update_slices(params, state.as_mut())?, x, y, Some(&mut *dx))?;
    apart.backward_step(adam.update_slices(params, state.as_mut())?, x, y, None)?;
    dense.weights_mut(&mut *params)?.fill(0.5);
    conv.weights_mut(&mut *params)?.fill(0.5);
    apart
        .weights_mut(params)?
        .fill((conv.fan_in() + apart.fan_in() + conv.outputs() + apart.inputs()) as f32);
    Ok(())
}

const DENSE: Fixed<Dense, 15, 4, 3> = Fixed::<Dense, 15, 4, 3>::new(Dense::new(4, 3)).unwrap();
const CONV: Fixed<Conv2d, 38, 32, 32> =
    Fixed::<Conv2d, 38, 32, 32>::new(Conv2d::new([4, 4, 2], 2, [3, 3]).padding([1, 1])).unwrap();

/// A whole step of layers of known sizes.
#[unsafe(no_mangle)]
extern "C" fn fixed(
    dense: (&mut [f32; 15], &mut [f32; 15], &mut State<Adam, 15>, &mut [[f32; 4]; 2], &mut [[f32; 3]; 2]),
    conv: (&mut [f32; 38], &mut [f32; 38], &mut State<Adam, 38>, &mut [[f32; 32]; 2], &mut [[f32; 32]; 2]),
    sums: &mut [Bf16],
    passes: &mut u32,
    rate: f32,
) -> Done {
    let adam = Adam::new(rate);
    let (params, grads, state, x, y) = dense;
    DENSE.forward(params, x, y);
    DENSE.backward(params, grads, x, y, None);
    DENSE.backward_half(params, HalfGrads::new(sums, passes), x, y, None)?;
    DENSE.backward_step(adam.update(params, state), x, y, None)?;
    DENSE.backward_input(params, y, x);
    let (params, grads, state, x, y) = conv;
    CONV.forward(params, x, y);
    CONV.backward(params, grads, x, y, None);
    CONV.backward_step(adam.update(params, state), x, y, None)?;
    CONV.backward_input(params, y, x);
    Ok(())
}

#[unsafe(no_mangle)]
extern "C" fn chosen<'a>(
    name: &str,
    params: &mut [f32],
    grads: &[f32],
    memory: &'a mut [f32],
    clock: &'a mut Clock,
    lr: f32,
) -> Done {
    let any = name.parse::<AnyOptimizer>().map_err(|_| Error::Empty)?.with_lr(lr);
    any.check()?;
    any.step_slices(params, grads, AnyStateMut::new(&any, memory, clock))
}

#[unsafe(no_mangle)]
extern "C" fn others(
    [x, y, z]: [&mut [f32]; 3],
    [kept, late]: [&mut Confusion<7>; 2],
    members: &mut Ensemble<5, 3>,
    exact: &mut CompensatedEmaState<5>,
    params: &[f32; 5],
    rng: &mut Generator,
    n: usize,
) -> Done {
    kept.merge(late);
    late.reset();
    members.reset();
    members.push(params)?;
    CompensatedEma::new(0.999).update(exact, params);
    let mut passes = MonteCarlo::resume(&mut *x, &mut *y, n as u32)?;
    passes.add(z)?;
    passes.finish();
    MaxNorm { row: n, limit: 2.0 }.apply_columns(gradus::Exec::new(), x)?;
    gradus::augment::mix_labels(0.5, x, y)?;
    gradus::init::uniform(rng, -1.0, 1.0, x);
    gradus::init::normal(rng, 0.0, 1.0, x);
    gradus::init::he_normal(rng, n, x);
    gradus::init::glorot_uniform(rng, n, n, x);
    gradus::init::lecun_normal(rng, n, x);
    Ok(())
}

#[unsafe(no_mangle)]
extern "C" fn mixed(
    to: &mut gradus::augment::ImageMut<'_, u8>,
    from: gradus::augment::Image<'_, u8>,
    region: gradus::augment::Region,
    share: f32,
) -> Done {
    gradus::augment::blend(to, from, share)?;
    gradus::augment::paste(to, from, region)
}
