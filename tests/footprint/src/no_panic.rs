//! Everything that works without `std`, with values that the compiler cannot know: ./ci.sh size looks for panics.
#![allow(improper_ctypes_definitions)] // nobody calls them

use gradus::augment::*;
use gradus::ensemble::*;
use gradus::noise::*;
use gradus::norm::{BatchNorm, BatchNormState};
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
    let transforms =
        (Scale(lr), ClipValue(lr), L2::new(lr), (L1::new(lr), Decay::new(lr), ProxL1::new(lr), MaxNorm(lr)));
    let adam = Adam::new(lr).with(transforms);
    adam.check()?;
    adam.step_slices_at(Level::SCALAR, params, grads, state.as_mut())?;
    adam.step_slices(params, grads, state.as_mut())?;
    ElasticNet { lambda: lr, beta: lr }.add_gradient(grads, params)?;
    L1::new(lr).add_gradient(grads, params)?;
    L2::new(lr).add_gradient(grads, params)?;
    limit_row_norms(params, bytes.len(), lr)?;
    let scale = ClipNorm { max_norm: lr }.scale(&[params, grads])?;
    if store::save((&*state, &*params), bytes).is_err() || store::load((state, params), bytes).is_err() {
        return Err(Error::NonFinite);
    }
    scale.check(lr)
}

#[unsafe(no_mangle)]
extern "C" fn sums<'a>(x: &'a [f32], y: &'a [f64], to: &mut [f32]) -> Option<f64> {
    let level = Level::detect();
    let counted = count_non_finite(level, x) as f32;
    let sum = dot(level, x, to).ok()?
        + norm(level, x)
        + sum_abs(level, x)
        + max_abs(level, x)
        + sum_squares(level, x);
    mean(&[x, x], to).ok()?;
    let largest = argmax(to)? as f32;
    Some(dot(level, y, y).ok()? + norm(level, y) + f64::from(counted + sum + largest))
}

#[unsafe(no_mangle)]
extern "C" fn rates(a: f32, b: f32, c: f32, [k, l, m]: [u32; 3], to: &mut [f32; 11]) -> Done {
    let wave =
        WarmUp::new(a, k, OneCycle { start: a, max: b, end: c, steps: l, rise: a, three_phase: m > 9 });
    let restarts = WarmRestarts { lr: a, min: b, first: k, mult: l };
    let cycle = SnapshotCycle::new(a, k, l);
    let schedules: [&dyn Schedule; 11] = [
        &Constant(a),
        &StepDecay::new(a, b, k),
        &MultiStep::new(a, b, [k, l]),
        &Exponential::new(a, b),
        &InverseTime::new(a, b),
        &Linear::new(a, b, k),
        &Cosine { lr: a, min: b, steps: k },
        &Triangular::new(a, b, k, l),
        &wave,
        &restarts,
        &cycle,
    ];
    for (to, schedule) in to.iter_mut().zip(schedules) {
        schedule.check()?;
        *to = schedule.at(m);
    }
    if cycle.ends_cycle(m) { Err(Error::NonFinite) } else { Ok(()) }
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
    dropout.forward(&mut *x, &mut *masks)?;
    dropout.forward((w, &mut *x), &*mask)?;
    dropout.backward(&mut *x, &*mask)?;
    dropout.relu_forward(&mut *x, &mut *masks)?;
    dropout.relu_forward(&mut *x, &*mask)?;
    dropout.relu_backward(&mut *x, w)?;
    dropout.vanilla().test(&mut *x)?;
    let layer = DropConnect(dropout);
    layer.check()?;
    layer.forward(w, x, y, mask)?;
    layer.backward_weights(w, x, y, mask)?;
    layer.backward_input(w, x, y, mask)?;
    layer.test(w, x, y)?;
    let depth = StochasticDepth(dropout);
    depth.draw(masks, mask);
    depth.draw_batch(masks, mask);
    depth.forward(x, n, mask)?;
    depth.backward(x, n, mask)?;
    depth.test(x);
    let mut passes = MonteCarlo::new(x, y)?;
    passes.add(w)?;
    passes.finish();
    Ok(())
}

#[unsafe(no_mangle)]
extern "C" fn normalise(
    shape: norm::Shape,
    x: &mut [f32],
    y: &mut [f32],
    [a, b, c, d]: [&[f32]; 4],
    [e, f]: [&mut [f32]; 2],
    running: &mut BatchNormState<7>,
    eps: f32,
) -> Done {
    let norm = BatchNorm { eps, ..BatchNorm::new() };
    norm.check()?;
    norm.forward(shape, x, y, [a, b], [&mut *e, &mut *f])?;
    norm.track(shape, [a, b], running.as_mut())?;
    norm.backward(shape, x, y, a, [b, c], [&mut *e, &mut *f])?;
    norm.inference(shape, x, [a, b], [c, d])?;
    norm.fold([a, b], [c, d], e, f)
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
    Jitter { brightness: a, contrast: a, saturation: a }.apply(to, rng)?;
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
        solver.tell_preconditioned(f, &[f; 5]);
    }
    newton.start(&NewtonSettings::new(), &[f64::from(f); 4])?;
    while let Some((x, g, h)) = newton.ask() {
        (*g, h[0]) = (*x, *x);
        newton.tell(f64::from(f));
    }
    DiagonalNewton { lr: f, damping: f }.step(x, h, h)
}

#[unsafe(no_mangle)]
extern "C" fn averages(
    ensemble: &mut Ensemble<5, 3>,
    swa: &mut SwaState<5>,
    ema: &mut EmaState<5>,
    x: &[f32; 5],
) -> Done {
    ensemble.push(x)?;
    Swa.update(swa, x);
    Ema::new(0.9).update_slices(ema.as_mut(), swa.average())
}
