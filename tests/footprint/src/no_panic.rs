//! Everything that works without `std`, with values that the compiler cannot know: ./ci.sh size looks for panics.
#![allow(improper_ctypes_definitions)] // nobody calls them

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use gradus::activation::*;
use gradus::augment::*;
use gradus::ensemble::*;
use gradus::init::*;
use gradus::layer::*;
use gradus::noise::*;
use gradus::norm::{
    BatchNorm, BatchNormState, BatchShape, GroupNorm, InputNorm, LayerNorm, Params, Statistics,
};
use gradus::pool::*;
use gradus::schedule::*;
use gradus::second_order::*;
use gradus::transform::*;
use gradus::*;
use rand_xoshiro::Xoshiro128PlusPlus as Generator;

type Done = Result<(), Error>;

#[unsafe(no_mangle)]
extern "C" fn rules(
    params: &mut [f32],
    grads: &[f32],
    lr: f32,
    state: &mut AdamState<9>,
    bytes: &mut [u8],
) -> Done {
    let transforms = (
        Scale(lr),
        ClipValue(lr),
        L2::new(lr),
        (L1::new(lr), Decay::new(lr), ProxL1::new(lr), ClampParams(lr)),
    );
    let adam = Adam::new(lr).with(transforms);
    adam.check()?;
    adam.on(Level::SCALAR).step_slices(params, grads, state.as_mut())?;
    adam.step_slices(params, grads, state.as_mut())?;
    ElasticNet { lambda: lr, beta: lr }.add_gradient(Level::detect(), grads, params)?;
    L1::new(lr).add_gradient(Level::detect(), grads, params)?;
    L2::new(lr).add_gradient(Level::detect(), grads, params)?;
    MaxNorm { row: bytes.len(), limit: lr }.apply(Level::detect(), params)?;
    let scale = ClipNorm { max_norm: lr }.scale(Level::detect(), &[params, grads])?;
    store::save((&*state, &*params), bytes).and_then(|_| Ok(())).or(Err(Error::NonFinite))?;
    store::load((&mut *state, &mut *params), bytes).or(Err(Error::NonFinite))?;
    if adam.step_if_finite(params, grads, state.as_mut())? > 0
        || L2::new(lr).value(Level::detect(), params) > lr
    {
        return Err(Error::NonFinite);
    }
    scale.check(lr)
}

/// A model's list of layers.
#[unsafe(no_mangle)]
extern "C" fn tensors(
    adam: &mut [Tensor<'_, Adam, (L2, ClampParams)>],
    nadam: &mut [Tensor<'_, Nadam, (L2, ClampParams)>],
    rmsprop: &mut [Tensor<'_, RmsProp>],
    lion: &mut [Tensor<'_, Lion>],
    clock: &mut Clock,
    lr: f32,
) -> Done {
    Adam::new(lr).step_tensors(adam, clock)?;
    Nadam::new(lr).step_tensors(nadam, clock)?;
    RmsProp::new(lr).step_each(rmsprop)?;
    Lion::new(lr).with(ClipValue(lr)).step_tensors(lion, clock)
}

type Everything = (
    (AdamState<9>, AmsGradState<3>, [f32; 4], [f64; 2]),
    (Ensemble<5, 3>, SwaState<5>, EmaState<5>, BatchNormState<7>),
    (Lbfgs<5, 4>, Newton<4, f64>, Masks, Generator),
    (u32, Clock),
);

/// Every kind of value that a file may hold, on its own and all of them in one.
#[unsafe(no_mangle)]
extern "C" fn files(
    all: &mut Everything,
    columns: &mut [f32],
    bytes: &mut [u8],
) -> Result<usize, store::Error> {
    const SIZE: usize = store::file_size_of::<Everything>();
    store::save(&*all, bytes)?;
    store::load(&mut *all, bytes)?;
    let (states, averages, solvers, numbers) = all;
    store::load((&mut states.0, &mut *columns), bytes)?;
    store::load((&mut averages.0, &mut averages.3), bytes)?;
    store::load(&mut solvers.0, bytes)?;
    store::load(&mut solvers.1, bytes)?;
    store::load((&mut solvers.2, &mut solvers.3), bytes)?;
    store::load((&mut numbers.0, &mut numbers.1), bytes)?;
    store::save((&*columns, &solvers.1), bytes)?;
    Ok(SIZE + store::file_size((&states.0, columns)))
}

/// The same in pieces, to and from what does whatever it likes.
#[unsafe(no_mangle)]
extern "C" fn pieces(
    all: &mut Everything,
    size: u64,
    sink: fn(&[u8]) -> bool,
    source: fn(u64, &mut [u8]) -> bool,
    window: &mut [u8],
) -> Result<usize, store::StreamError<()>> {
    store::save_to(&*all, |piece| if sink(piece) { Ok(()) } else { Err(()) })?;
    store::load_from(&mut *all, size, |at, piece| if source(at, piece) { Ok(()) } else { Err(()) })?;
    Ok(store::Pieces::new(&*all)?.take(window))
}

/// A flash that does whatever it likes: the compiler sees none of it.
pub struct Chip {
    pub read: fn(u32, &mut [u8]) -> bool,
    pub erase: fn(u32, u32) -> bool,
    pub write: fn(u32, &[u8]) -> bool,
    pub capacity: usize,
}

/// The same with words of `WORD` bytes and blocks of `BLOCK`.
struct Words<'c, const WORD: usize, const BLOCK: usize>(&'c Chip);

pub fn done(well: bool) -> Result<(), NorFlashErrorKind> {
    if well { Ok(()) } else { Err(NorFlashErrorKind::Other) }
}

impl<const WORD: usize, const BLOCK: usize> ErrorType for Words<'_, WORD, BLOCK> {
    type Error = NorFlashErrorKind;
}

impl<const WORD: usize, const BLOCK: usize> ReadNorFlash for Words<'_, WORD, BLOCK> {
    const READ_SIZE: usize = WORD;
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        done((self.0.read)(at, bytes))
    }
    fn capacity(&self) -> usize {
        self.0.capacity
    }
}

impl<const WORD: usize, const BLOCK: usize> NorFlash for Words<'_, WORD, BLOCK> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = BLOCK;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        done((self.0.erase)(from, to))
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        done((self.0.write)(at, bytes))
    }
}

type Kept<'b> = Result<Option<&'b [u8]>, store::JournalError<NorFlashErrorKind>>;

fn keep<'b, const WORD: usize, const BLOCK: usize>(
    chip: &Chip,
    [start, end]: [u32; 2],
    file: &[u8],
    buffer: &'b mut [u8],
) -> Kept<'b> {
    let mut journal = store::Journal::open(Words::<WORD, BLOCK>(chip), start..end)?;
    let mut state = AdamState::<9>::new();
    if !journal.load(&mut state)? {
        journal.save(&state)?;
    }
    if journal.read(&mut *buffer)?.is_none() && file.len() <= journal.capacity() {
        journal.write(file)?;
    }
    journal.write(file)?;
    journal.read(buffer)
}

/// Flash in bytes, as of an nRF52840, an STM32L4 and an STM32H7, and the largest words.
#[unsafe(no_mangle)]
extern "C" fn journal<'b>(
    chip: &Chip,
    region: [u32; 2],
    file: &[u8],
    buffer: &'b mut [u8],
    word: u32,
) -> Kept<'b> {
    match word {
        1 => keep::<1, 4096>(chip, region, file, buffer),
        4 => keep::<4, 4096>(chip, region, file, buffer),
        8 => keep::<8, 2048>(chip, region, file, buffer),
        32 => keep::<32, 131_072>(chip, region, file, buffer),
        _ => keep::<256, 8192>(chip, region, file, buffer),
    }
}

#[unsafe(no_mangle)]
extern "C" fn sums<'a>(x: &'a [f32], y: &'a [f64], to: &mut [f32]) -> Option<f64> {
    let level = Level::detect();
    let counted = count_non_finite(level, x) as f32;
    let sum = dot(level, x, to).ok()?
        + l2_norm(level, x)
        + sum_abs(level, x)
        + max_abs(level, x)
        + sum_squares(level, x);
    mean(level, &[x, x], to).ok()?;
    let largest = argmax(to)? as f32;
    Some(dot(level, y, y).ok()? + l2_norm(level, y) + f64::from(counted + sum + largest))
}

#[unsafe(no_mangle)]
extern "C" fn rates(a: f32, b: f32, c: f32, [k, l, m]: [u32; 3], to: &mut [f32; 15]) -> Done {
    let wave =
        WarmUp::new(a, k, OneCycle { start: a, end: c, rise: a, three_phase: m > 9, ..OneCycle::new(b, l) });
    let restarts = WarmRestarts { lr: a, min: b, first: k, mult: l };
    let cycle = SnapshotCycle::new(a, k, l);
    let sequence = Sequence { first: Constant(a), steps: k, then: Cosine::new(b, l) };
    let plateau = Plateau::new(a);
    let schedules: [&dyn Schedule; 15] = [
        &Constant(a),
        &StepDecay::new(a, b.into(), k),
        &MultiStep::new(a, b.into(), [k, l]),
        &Exponential::new(a, b),
        &InverseTime::new(a, b),
        &Linear::new(a, b, k),
        &Cosine { lr: a, min: b, steps: k },
        &Triangular::new(a, b, k, l),
        &Polynomial::new(a, k, b),
        &InverseSqrt::new(a, k),
        &StableDecay::new(a, k, l),
        &sequence,
        &wave,
        &restarts,
        &cycle,
    ];
    for (to, schedule) in to.iter_mut().zip(schedules) {
        schedule.check()?;
        *to = schedule.at(m);
    }
    plateau.check()?;
    let mut state = PlateauState::new();
    if cycle.ends_cycle(m) || plateau.update(&mut state, b) > plateau.lr(&state) {
        Err(Error::NonFinite)
    } else {
        Ok(())
    }
}

#[unsafe(no_mangle)]
extern "C" fn masks(
    x: &mut [f32],
    y: &mut [f32],
    w: &[f32],
    mask: &mut [u32],
    masks: &mut Masks,
    p: f32,
    n: usize,
) -> Done {
    let dropout = Dropout::keep_prob(p);
    dropout.check()?;
    masks.fill(p, mask);
    dropout.draw(masks, mask);
    dropout.forward(&mut *x, &mut *masks)?;
    dropout.forward((w, &mut *x), &*mask)?;
    dropout.backward(&mut *x, &*mask)?;
    dropout.relu_forward(&mut *x, &mut *masks)?;
    dropout.relu_forward(&mut *x, &*mask)?;
    dropout.relu_backward(&mut *x, w)?;
    dropout.vanilla().inference(&mut *x)?;
    let layer = DropConnect(dropout);
    layer.check()?;
    layer.forward(w, x, y, mask)?;
    layer.backward_weights(w, x, y, mask)?;
    layer.backward_input(w, x, y, mask)?;
    layer.inference(w, x, y)?;
    let depth = StochasticDepth(dropout);
    depth.draw(masks, mask);
    depth.draw_batch(masks, mask);
    depth.forward(x, n, mask)?;
    depth.backward(x, n, mask)?;
    depth.inference(x);
    *masks = Masks::from_state([[n as u32; 4]; 8]);
    masks.fill(StochasticDepth::linear(n as u32, mask.len() as u32, p), mask);
    let mut passes = MonteCarlo::new(x, y)?;
    passes.add(w)?;
    passes.finish();
    Ok(())
}

#[unsafe(no_mangle)]
extern "C" fn normalise(
    shape: BatchShape,
    x: &mut [f32],
    y: &mut [f32],
    [a, b, c, d]: [&[f32]; 4],
    [e, f]: [&mut [f32]; 2],
    running: &mut BatchNormState<7>,
    eps: f32,
) -> Done {
    let norm = BatchNorm { eps, ..BatchNorm::new() };
    norm.check()?;
    let params = Params { weight: a, bias: b };
    norm.forward(shape, x, y, &params, &mut Statistics { mean: &mut *e, variance: &mut *f })?;
    let batch = Statistics { mean: c, variance: d };
    norm.track(shape, &batch, running.as_mut())?;
    norm.backward(shape, x, y, &params, &batch, &mut Params { weight: &mut *e, bias: &mut *f })?;
    norm.inference(shape, x, &params, &*running)?;
    norm.fold(&params, &batch, e, f)?;
    norm.fold_columns(&params, &batch, e, f)?;
    let group = GroupNorm { eps, ..GroupNorm::new(shape.batch) };
    group.check()?;
    group.forward(shape, x, y, &params, &mut Statistics { mean: &mut *e, variance: &mut *f })?;
    group.backward(shape, x, y, &params, &batch, &mut Params { weight: &mut *e, bias: &mut *f })?;
    group.inference(shape, x, &params)?;
    let layer = LayerNorm { eps, ..LayerNorm::new() };
    layer.forward(x, y, &params, &mut Statistics { mean: &mut *e, variance: &mut *f })?;
    layer.backward(x, y, &params, &batch, &mut Params { weight: e, bias: f })?;
    layer.inference(x, &params)
}

#[unsafe(no_mangle)]
extern "C" fn pool(
    windows: &mut [Window],
    n: usize,
    sample: f32,
    rng: &mut Generator,
    x: &mut [f32],
    y: &mut [f32],
    at: &mut [u32],
) -> Done {
    Regions::Disjoint.random(n, rng, windows)?;
    Regions::Overlapping.pseudo_random(n, rng, windows)?;
    pytorch_regions(n, at.len(), sample, windows)?;
    let pool = FractionalMaxPool::new([n, n], windows, windows)?;
    pool.forward(x, y, at)?;
    pool.backward(y, at, x)
}

#[unsafe(no_mangle)]
extern "C" fn images(
    from: Image<'_, u8>,
    to: &mut ImageMut<'_, u8>,
    region: Region,
    [h, w]: [usize; 2],
    rng: &mut Generator,
    a: f32,
) -> Done {
    crop(from, [h, w], to)?;
    pad_crop(from, h, 7, [h, w], to)?;
    if let Some(x) = to.as_image().get(h, w, h) {
        to.set(w, h, w, x);
    }
    resize(from, region, to)?;
    flip(to);
    brightness(to, a);
    contrast(to, a);
    saturation(to, a);
    fixed_crops([h, w], [w, h])?;
    let map = Affine::rotate(a).then(Affine::translate(a, a)).then(Affine::pytorch(
        [a; 6],
        [h, w],
        [w, h],
        a > 0.0,
    ));
    affine(from, &map, a, to)?;
    RandomFlip { prob: a }.apply(to, rng)?;
    RandomCrop { pad: h }.apply(from, to, rng)?;
    ScaleCrop::resnet().apply(from, to, rng)?;
    RandomResizedCrop::default().apply(from, to, rng)?;
    Jitter { brightness: a, contrast: a, saturation: a, hue: a }.apply(to, rng)?;
    hue(to, a);
    RandomErasing { prob: a, ..RandomErasing::default() }.apply(to, rng)?;
    Mixup { alpha: a }.apply(to, from, rng)?;
    CutMix { alpha: a }.apply(to, from, rng)?;
    RandomAffine { translate: a, rotate: a, stretch: a, shear: a }.apply(from, a, to, rng)?;
    Ok(())
}

#[unsafe(no_mangle)]
extern "C" fn minimise(
    solver: &mut Lbfgs<5, 4>,
    newton: &mut Newton<4, f64>,
    h: &[f32],
    x: &mut [f32],
    f: f32,
) -> Done {
    solver.start(&LbfgsSettings { l1: f, ..LbfgsSettings::new() }, &[f; 5])?;
    while let Some((x, g)) = solver.ask() {
        *g = *x;
        solver.tell_with(f, &Given::new().preconditioner(&[f; 5]))?;
    }
    solver.stop();
    newton.start(
        &NewtonSettings { damping: solver.report().value.into(), ..NewtonSettings::new() },
        &[f64::from(f); 4],
    )?;
    while let Some((x, g, h)) = newton.ask() {
        (*g, h[0]) = (*x, *x);
        newton.tell(f64::from(f));
    }
    NewtonSettings { damping: f, ..NewtonSettings::new() }.minimize(&mut [f; 3], |x, g, h| {
        (*g, h[0]) = (*x, *x);
        newton.report().value as f32
    })?;
    DiagonalNewton { damping: f, ..DiagonalNewton::new(f) }.step(x, h, h)
}

#[unsafe(no_mangle)]
extern "C" fn averages(
    ensemble: &mut Ensemble<5, 3>,
    swa: &mut SwaState<5>,
    ema: &mut EmaState<5>,
    x: &[f32; 5],
    [scratch, mean]: [&mut [f32]; 2],
) -> Done {
    ensemble.push(x)?;
    ensemble.predict(Level::SCALAR, |weights, out| out.fill(weights.iter().sum()), scratch, mean)?;
    Swa.update(swa, x);
    Ema::new(0.9).update_slices(ema.as_mut(), swa.average())
}

#[unsafe(no_mangle)]
extern "C" fn online(
    [seen, sum]: [&mut Clock; 2],
    [mean, variance, x, y]: [&mut [f32]; 4],
    confusion: &mut gradus::loss::Confusion<7>,
    labels: &[u8],
    bytes: &mut [u8],
) -> Done {
    let norm = InputNorm { eps: seen.carry, ..InputNorm::new() };
    norm.check()?;
    norm.update(StateMut::new([&mut *mean, &mut *variance], seen), x)?;
    norm.apply(x, &StateMut::<InputNorm>::new([mean, variance], seen))?;
    StateMut::<Accumulate>::new([&mut *y], sum).add(Exec::new(), x)?;
    ScheduleFree::new(seen.carry).average(Exec::new(), x, y)?;
    confusion.add_scores(x, labels)?;
    confusion.add(labels.len(), x.len())?;
    seen.carry =
        confusion.accuracy().or(confusion.recall(x.len())).or(confusion.precision(x.len())).unwrap_or(0.0);
    store::save(&*confusion, bytes).and_then(|_| Ok(())).or(Err(Error::NonFinite))?;
    store::load(confusion, bytes).or(Err(Error::NonFinite))
}

/// Layers of any sizes, forward and both ways back.
#[unsafe(no_mangle)]
extern "C" fn layers(
    [h, w, c, o]: [usize; 4],
    [kernel, stride, padding]: [[usize; 2]; 3],
    [params, grads, x, y, dx]: [&mut [f32]; 5],
    state: &mut AdamState<9>,
) -> Done {
    let adam = Adam::new(1e-3).with(Scale(0.5));
    let dense = Dense::new(h, o);
    let conv = Conv2d::new([h, w, c], o, kernel).stride(stride).padding(padding);
    let apart = DepthwiseConv2d::new([h, w, c], kernel).stride(stride).padding(padding);
    let max = MaxPool2d::new([h, w, c], kernel).stride(stride).padding(padding);
    let mean = AveragePool2d::new([h, w, c], kernel).stride(stride).padding(padding);
    dense.forward(params, x, y)?;
    dense.backward(params, grads, x, y, Some(&mut *dx))?;
    let [first, second] =
        adam.update_slices(params, state.as_mut())?.on_weights(L2::new(0.5)).split([h, w])?;
    dense.backward_step(first, x, y, Some(&mut *dx))?;
    conv.backward_step(second, x, y, None)?;
    conv.forward(params, x, y)?;
    conv.backward(params, grads, x, y, Some(&mut *dx))?;
    apart.forward(params, x, y)?;
    apart.backward(params, grads, x, y, None)?;
    apart.backward_step(adam.update_slices(params, state.as_mut())?, x, y, Some(&mut *dx))?;
    dense.backward_input(params, y, dx)?;
    conv.backward_input(params, y, dx)?;
    apart.backward_input(params, y, dx)?;
    bias_step(Exec::new(), adam.update_slices(params, state.as_mut())?, y)?;
    max.forward(x, y)?;
    max.backward(x, y, grads, dx)?;
    mean.forward(x, y)?;
    mean.backward(y, dx)?;
    residual_add(Exec::new(), y, x)
}

#[unsafe(no_mangle)]
extern "C" fn activations_and_losses(
    x: &mut [f32],
    y: &mut [f32],
    labels: &[u8],
    classes: usize,
    rng: &mut Generator,
    loss: &mut f32,
) -> Done {
    let exec = Exec::new();
    relu(exec, x);
    relu_backward(exec, x, y)?;
    leaky_relu(exec, 0.1, x);
    leaky_relu_backward(exec, 0.1, x, y)?;
    tanh(exec, x);
    tanh_backward(exec, x, y)?;
    sigmoid(exec, x);
    sigmoid_backward(exec, x, y)?;
    *loss += gradus::loss::softmax_cross_entropy(exec, x, labels)?;
    *loss += gradus::loss::binary_cross_entropy(exec, x, y)?;
    *loss += gradus::loss::mean_squared_error(exec, x, y)?;
    *loss += gradus::loss::huber(exec, *loss, x, y)?;
    gradus::loss::softmax(exec, classes, x)?;
    *loss += gradus::loss::count_right(x, labels)? as f32;
    he_uniform(rng, classes, x);
    glorot_normal(rng, classes, labels.len(), y);
    lecun_uniform(rng, classes, x);
    Ok(())
}
