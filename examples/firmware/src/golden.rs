//! The golden bits: one hash over what every part of the crate computes, to compare between targets.

use crate::golden_layers::{functions, layers};
use crate::{Hash, Number, println};
use gradus::augment::*;
use gradus::noise::*;
use gradus::norm::{BatchNorm, BatchNormState, BatchShape, GroupNorm, Params, Statistics};
use gradus::pool::*;
use gradus::schedule::*;
use gradus::transform::*;
use gradus::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

/// Parameters: not a multiple of any register, and little enough for a 16 KB board.
const N: usize = 53;

/// Numbers of mixed size and sign: a linear congruential generator, scaled by powers of two.
pub struct Numbers(pub u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mantissa = (self.0 >> 8) as f32 / 8_388_608.0 - 1.0;
        mantissa * [1.0, 1e-3, 16.0, 0.25][(self.0 >> 6) as usize & 3]
    }

    /// The next `M` numbers.
    pub fn fill<const M: usize>(&mut self) -> [f32; M] {
        let mut values = [0.0; M];
        for value in &mut values {
            *value = self.next();
        }
        values
    }
}

/// What is computed at every level, and must be equal at all of them.
pub fn at_each_level(hash: &mut Hash, name: &str, compute: impl Fn(Level, &mut Hash)) {
    let before = *hash;
    for (turn, level) in Level::available().enumerate() {
        let mut own = before;
        compute(level, &mut own);
        if turn == 0 {
            *hash = own;
        } else if own != *hash {
            println!("{name}: {level} differs from scalar");
            hash.0 = !own.0;
        }
    }
    println!("{name:<28} {:016x}", hash.0);
}

/// Twenty steps of one rule, over whole slices and over every short length.
fn rule<O: Optimizer<Family: Stateful<Memory: Number>>>(hash: &mut Hash, name: &str, optimizer: O) {
    at_each_level(hash, name, |level, hash| {
        let mut numbers = Numbers(42);
        let (mut params, mut state) = (numbers.fill::<N>(), State::<O::Family, N>::new());
        for step in 0..20 {
            let mut grads = numbers.fill::<N>();
            if step == 9 {
                grads[7] = 0.0;
                grads[8] = 1e-30; // its square underflows
                grads[N - 1] = 1e18;
            }
            let n = if step < 10 { N } else { step - 10 };
            let mut whole = state.as_mut();
            let part = whole.get(0..n).ok_or(Error::Empty);
            let step = |part| optimizer.on(level).step_slices(&mut params[..n], &grads[..n], part);
            if part.and_then(step).is_err() {
                println!("{name}: refused");
            }
        }
        hash.add(&params);
        for column in state.columns.as_ref() {
            hash.add(&column.map(|x| f32::from_bits(x.bits())));
        }
    });
}

/// Every rule whose state may take half the memory.
fn halves(hash: &mut Hash) {
    macro_rules! each {
        ($($optimizer:expr),*) => {$(
            rule(hash, concat!("half ", stringify!($optimizer)), $optimizer.half());
        )*};
    }
    let lr = 0.05;
    each!(Momentum::new(lr), Nesterov::new(lr), AdaGrad::new(lr), Adadelta::new(lr), RmsProp::new(lr));
    each!(RmsProp::new(lr).centered(), RmsProp::new(lr).with_momentum(0.9));
    each!(RmsProp::new(lr).centered().with_momentum(0.9), Adam::new(lr), AdamW::new(lr), Adamax::new(lr));
    each!(Nadam::new(lr), RAdam::new(lr), Lion::new(lr));
}

/// The sums, over lengths around every register.
fn sums(hash: &mut Hash) {
    at_each_level(hash, "sums", |level, hash| {
        let mut numbers = Numbers(7);
        let (x, y) = (numbers.fill::<67>(), numbers.fill::<67>());
        for n in 0..=67 {
            let (x, y) = (&x[..n], &y[..n]);
            hash.add(&[
                dot(level, x, y).unwrap_or(f32::NAN),
                l2_norm(level, x),
                sum_abs(level, x),
                max_abs(level, x),
            ]);
        }
    });
}

/// Masks at several probabilities, and what is built of them.
fn noise(hash: &mut Hash) {
    at_each_level(hash, "noise", |level, hash| {
        let (mut masks, mut numbers) = (Masks::new(3), Numbers(11));
        let mut mask = [0; mask_words(N)];
        for keep_prob in [0.5, 0.25, 0.9, 1.0 / 3.0, 0.0, 1.0] {
            let dropout = Dropout::keep_prob(keep_prob);
            dropout.on(level).draw(&mut masks, &mut mask);
            let (mut x, mut grads) = (numbers.fill::<N>(), numbers.fill::<N>());
            let refused = dropout.on(level).forward(&mut x, &mask).is_err()
                | dropout.on(level).relu_forward(&mut x, &mut masks).is_err()
                | dropout.on(level).relu_backward(&mut grads, &x).is_err()
                | dropout.vanilla().on(level).inference(&mut x).is_err();
            if refused {
                println!("noise: refused");
            }
            hash.add(&x);
            hash.add(&grads);
            hash.add(&mask.map(|word| (word >> 8) as f32));
        }
    });
}

/// What drops weights and branches, and the mean over masks.
fn drops(hash: &mut Hash) {
    const ROWS: usize = 3;
    fn passes(level: Level, hash: &mut Hash) -> Result<(), Error> {
        let (mut masks, mut numbers) = (Masks::new(29), Numbers(29));
        let (mut mask, mut survivors) = ([0; ROWS * mask_words(N)], [0]);
        let (mut mean, mut spread) = ([0.0; N], [0.0; N]);
        let mut passes = MonteCarlo::new(&mut mean, &mut spread)?.on(level);
        for dropout in [Dropout::keep_prob(0.75), Dropout::keep_prob(0.3).vanilla()] {
            let (layer, depth) = (DropConnect(dropout), StochasticDepth(dropout));
            let (w, x, g) = (numbers.fill::<{ ROWS * N }>(), numbers.fill::<N>(), numbers.fill::<ROWS>());
            let (mut y, mut grad_w, mut grad_x) = (g, w, x);
            dropout.on(level).draw(&mut masks, &mut mask);
            layer.on(level).forward(&w, &x, &mut y, &mask)?;
            hash.add(&y);
            layer.on(level).inference(&w, &x, &mut y)?;
            layer.on(level).backward_weights(&g, &x, &mut grad_w, &mask)?;
            layer.on(level).backward_input(&w, &g, &mut grad_x, &mask)?;
            depth.draw(&mut masks, &mut survivors);
            depth.on(level).forward(&mut grad_w, ROWS, &survivors)?;
            let survives = depth.draw_batch(&mut masks, &mut survivors);
            hash.add(&[StochasticDepth::linear(3, 7, dropout.keep_prob), f32::from(u8::from(survives))]);
            for values in [&y[..], &grad_w, &grad_x] {
                hash.add(values);
            }
            depth.inference(&mut grad_x);
            passes.add(&grad_x)?;
            passes.add(&x)?;
        }
        passes.finish();
        hash.add(&mean);
        hash.add(&spread);
        Ok(())
    }
    at_each_level(hash, "drops", |level, hash| {
        if passes(level, hash).is_err() {
            println!("drops: refused");
        }
    });
}

/// Penalties as parts of a loss: value and gradient.
fn penalties(hash: &mut Hash) {
    let (weights, mut grads) = (Numbers(31).fill::<N>(), Numbers(37).fill::<N>());
    let (l1, l2, net) = (L1::new(0.01), L2::new(0.01), ElasticNet { lambda: 0.01, beta: 0.5 });
    let refused = l1.add_gradient(Level::detect(), &weights, &mut grads).is_err()
        | l2.add_gradient(Level::detect(), &weights, &mut grads).is_err()
        | net.add_gradient(Level::detect(), &weights, &mut grads).is_err();
    if refused {
        println!("penalties: refused");
    }
    hash.add(&grads);
    hash.add(&[
        l1.value(Level::detect(), &weights),
        l2.value(Level::detect(), &weights),
        net.value(Level::detect(), &weights),
    ]);
    hash.add(&[
        L1::new(1e-3).value(Level::detect(), &[f32::MAX; 3]),
        L2::new(1e-20).value(Level::detect(), &[1e20, 3.0]),
    ]);
    println!("{:<28} {:016x}", "penalties", hash.0);
}

/// Batch normalisation of both forms of data: training, backward, inference, folded into the layer before.
fn batch_norm(hash: &mut Hash) {
    fn passes<const C: usize, const M: usize>(
        level: Level,
        hash: &mut Hash,
        spatial: usize,
    ) -> Result<(), Error> {
        let (norm, mut numbers) = (BatchNorm::new().on(level), Numbers(13));
        let shape = BatchShape { batch: M / C / spatial, channels: C, spatial };
        let mut x = numbers.fill::<M>();
        let params = Params { weight: numbers.fill::<C>(), bias: numbers.fill::<C>() };
        let (mut y, mut batch) = ([0.0; M], Statistics { mean: [0.0; C], variance: [0.0; C] });
        let mut running = BatchNormState::<C>::new();
        norm.forward(shape, &x, &mut y, &params, &mut batch)?;
        norm.track(shape, &batch, running.as_mut())?;
        hash.add(&y);
        let mut grads = Params { weight: [0.0; C], bias: [0.0; C] };
        norm.backward(shape, &mut y, &x, &params, &batch, &mut grads)?;
        norm.inference(shape, &mut x, &params, &running)?;
        norm.fold(&params, &running, &mut y, &mut grads.bias)?;
        let [running_mean, running_variance] = &running.columns;
        let channels =
            [&batch.mean, &batch.variance, running_mean, running_variance, &grads.weight, &grads.bias];
        for values in [&x[..], &y].into_iter().chain(channels.map(|c| &c[..])) {
            hash.add(values);
        }
        Ok(())
    }
    at_each_level(hash, "batch norm", |level, hash| {
        let refused = passes::<3, 210>(level, hash, 1).is_err() // rows of three channels, more than a block of samples
            | passes::<67, 134>(level, hash, 1).is_err() // rows longer than a block of channels
            | passes::<2, 138>(level, hash, 23).is_err(); // planes
        if refused {
            println!("batch norm: refused");
        }
    });
}

/// Group normalisation of both forms of data, and layer normalisation.
fn group_norm(hash: &mut Hash) {
    fn passes<const C: usize, const M: usize>(
        hash: &mut Hash,
        norm: GroupNorm,
        spatial: usize,
    ) -> Result<(), Error> {
        let mut numbers = Numbers(43);
        let shape = BatchShape { batch: M / C / spatial, channels: C, spatial };
        let x = numbers.fill::<M>();
        let params = Params { weight: numbers.fill::<C>(), bias: numbers.fill::<C>() };
        let (mut y, mut grads) = ([0.0; M], Params { weight: [0.0; C], bias: [0.0; C] });
        let (mut mean, mut variance) = ([0.0; M], [0.0; M]);
        let count = shape.batch * norm.groups;
        let mut groups = Statistics { mean: &mut mean[..count], variance: &mut variance[..count] };
        norm.forward(shape, &x, &mut y, &params, &mut groups)?;
        hash.add(&y);
        norm.backward(shape, &mut y, &x, &params, &groups, &mut grads)?;
        for values in [&y[..], groups.mean, groups.variance, &grads.weight, &grads.bias] {
            hash.add(values);
        }
        Ok(())
    }
    at_each_level(hash, "group norm", |level, hash| {
        let of = |groups| GroupNorm::new(groups).on(level);
        let refused = passes::<6, 138>(hash, of(2), 23).is_err() // planes
            | passes::<70, 140>(hash, of(7), 1).is_err() // channels side by side, more than a block
            | passes::<3, 201>(hash, of(1), 1).is_err(); // layer normalisation of more rows than a block of samples
        if refused {
            println!("group norm: refused");
        }
    });
}

/// Fractional max pooling over regions of every kind.
fn pool(hash: &mut Hash) -> Result<(), Error> {
    let (mut rng, mut numbers) = (Xoshiro128PlusPlus::seed_from_u64(17), Numbers(17));
    let (none, size) = (Window { start: 0, len: 0 }, [13, 11]);
    for kind in 0..5 {
        let (mut rows, mut columns) = ([none; 8], [none; 5]);
        let regions = if kind % 2 == 0 { Regions::Disjoint } else { Regions::Overlapping };
        for (size, windows) in [(size[0], &mut rows[..]), (size[1], &mut columns[..])] {
            match kind {
                0 | 1 => regions.random(size, &mut rng, windows)?,
                2 | 3 => regions.pseudo_random(size, &mut rng, windows)?,
                _ => pytorch_regions(size, 3, 0.625, windows)?,
            }
        }
        let pool = FractionalMaxPool::new(size, &rows, &columns)?;
        let (mut x, mut y, mut at) = (numbers.fill::<286>(), [0.0; 80], [0; 80]);
        pool.forward(&x, &mut y, &mut at)?;
        pool.backward(&y, &at, &mut x)?;
        hash.add(&x);
        hash.add(&y);
    }
    println!("{:<28} {:016x}", "pool", hash.0);
    Ok(())
}

/// Every change of an image, and every recipe by the same generator.
fn images<P: Pixel>(
    hash: &mut Hash,
    name: &str,
    layout: ImageLayout,
    pixel: fn(f32) -> P,
) -> Result<(), Error> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(19);
    let x = Numbers(19).fill::<{ 11 * 9 * 3 }>().map(pixel);
    let from = Image::new(&x, augment::ImageShape { height: 11, width: 9, channels: 3, layout })?;
    let mut y = Numbers(23).fill::<{ 8 * 7 * 3 }>().map(pixel);
    let shape = augment::ImageShape { height: 8, width: 7, channels: 3, layout };
    type Recipe<'a, P> = &'a dyn Fn(&mut ImageMut<'_, P>, &mut Xoshiro128PlusPlus) -> Result<(), Error>;
    let recipes: [Recipe<'_, P>; 8] = [
        &|to, _| resize(from, Region { top: 1, left: 2, height: 10, width: 3 }, to),
        &|to, _| affine(from, &Affine::rotate(33.0).then(Affine::stretch(1.25, 0.75)), 0.5, to),
        &|to, rng| RandomCrop { pad: 2 }.apply(from, to, rng),
        &|to, rng| ScaleCrop { shortest: [8, 14] }.apply(from, to, rng),
        &|to, rng| RandomResizedCrop::default().apply(from, to, rng),
        &|to, rng| {
            RandomAffine { translate: 2.0, rotate: 30.0, stretch: 0.25, shear: 0.5 }
                .apply(from, 0.25, to, rng)
        },
        &|to, rng| RandomFlip { prob: 0.5 }.apply(to, rng).map(|_| ()),
        &|to, rng| Jitter { brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.25 }.apply(to, rng),
    ];
    for recipe in recipes {
        for _ in 0..4 {
            recipe(&mut ImageMut::new(&mut y, shape)?, &mut rng)?;
            for pixel in y {
                hash.add(&[pixel.to_f32()]);
            }
        }
    }
    println!("{name:<28} {:016x}", hash.0);
    Ok(())
}

/// Every schedule at steps near and far.
fn schedules(hash: &mut Hash) {
    let exponential = Exponential::new(0.1, 0.01);
    let schedules: [&dyn Schedule; 15] = [
        &StepDecay::new(0.1, 0.5, 7),
        &MultiStep::new(0.1, 0.3, [5, 9]),
        &exponential,
        &InverseTime::new(0.1, 0.01),
        &WarmUp::new(0.01, 5, Linear::new(0.1, 0.01, 90)),
        &Cosine::new(0.1, 100),
        &WarmRestarts::new(0.1, 3),
        &SnapshotCycle::new(0.1, 100, 3),
        &OneCycle::new(0.1, 100),
        &OneCycle { rise: 0.0, anneal: Anneal::Root, ..OneCycle::new(0.1, 100) },
        &Triangular { peaks: Peaks::Exponential(0.99), ..Triangular::new(0.01, 0.1, 7, 9) },
        &InverseSqrt::new(0.1, 10),
        &Polynomial::new(0.1, 100, 0.9),
        &StableDecay::new(0.1, 70, 30),
        &StepDecay::new(0.1, 1.01, 1),
    ];
    for schedule in schedules {
        for step in (0..120).chain([1 << 24, 1 << 31, u32::MAX]) {
            hash.add(&[schedule.at(step)]);
        }
    }
    println!("{:<28} {:016x}", "schedules", hash.0);
}

/// The hash of everything; a line per part shows where two targets part.
#[must_use]
pub fn golden() -> u64 {
    let mut hash = Hash::new();
    let h = &mut hash;
    macro_rules! rules {
        (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {$(
            rule(h, $name, $optimizer::new(0.05));
            $(rule(h, $name, $variant);)*
        )*};
    }
    gradus::__optimizers!(rules!());
    rule(h, "before", Adam::new(0.05).with((Scale(0.5), ClipValue(1.0), L2::new(0.01), L1::new(0.01))));
    rule(h, "after", Sgd::new(0.05).with((Decay::new(0.1), ProxL1::new(0.1), ClampParams(0.9))));
    rule(h, "elastic net", Momentum::new(0.05).with(ElasticNet { lambda: 0.01, beta: 0.5 }));
    halves(h);
    layers(h);
    functions(h);
    sums(h);
    noise(h);
    drops(h);
    penalties(h);
    schedules(h);
    batch_norm(h);
    group_norm(h);
    let byte = |x: f32| (x * 64.0 + 128.0) as u8;
    let refused = pool(h).is_err()
        | images(h, "images", ImageLayout::Hwc, byte).is_err()
        | images(h, "images f32", ImageLayout::Chw, |x| x).is_err();
    if refused {
        println!("images: refused");
    }
    hash.0
}
