//! The C interface, called from Rust: the same bits as the crate's own calls.
//!
//! With `GRADUS_C_OUT` set, the tests write to that directory what `./ci.sh c` compares with C: the lines
//! that tests/c/bits.c must print, and a C file that asserts the layout of every structure.
#![cfg(feature = "ffi")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "the pointers are those of arrays that live as long as a call"
)]

mod fused;
mod layout;
mod lbfgs;

use crate::support::c_rules::c_rules;
use crate::support::rules::Kept;
use gradus::ffi::*;
use gradus::schedule::*;
use gradus::transform::*;
use gradus::*;
use std::fmt::Write;

const N: usize = 37;

/// The numbers of tests/c/bits.c.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((self.0 >> 8) as f32 / 8_388_608.0 - 1.0) * [1.0, 1e-3, 16.0, 0.25][(self.0 >> 6) as usize & 3]
    }
    fn fill<const M: usize>(&mut self) -> [f32; M] {
        std::array::from_fn(|_| self.next())
    }
}

/// FNV-1a.
fn hash_bytes(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Every NaN counts as one and the same: targets form different ones.
fn hash(values: impl IntoIterator<Item = f32>) -> u64 {
    let one = |x: f32| if x.is_nan() { f32::NAN } else { x };
    hash_bytes(values.into_iter().flat_map(|x| one(x).to_le_bytes()))
}

const ALL: gradus_transforms = gradus_transforms {
    version: GRADUS_STRUCTS,
    flags: 255,
    scale: 0.5,
    clip_value: 2.0,
    l2: 0.01,
    l1: 0.02,
    elastic_net: 0.03,
    elastic_net_beta: 0.5,
    decay: 0.1,
    prox_l1: 0.2,
    clamp_params: 3.0,
};

/// The same transforms as a tuple.
fn all() -> impl Transform {
    let before = (Scale(0.5), ClipValue(2.0), L2::new(0.01), L1::new(0.02));
    let after = (ElasticNet { lambda: 0.03, beta: 0.5 }, Decay::new(0.1), ProxL1::new(0.2), ClampParams(3.0));
    (before, after)
}

/// Twelve steps of any kind; the columns lie one after the other, for the length of each step.
fn twelve<const K: usize>(mut step: impl FnMut(&mut [f32], &[f32], &mut [f32], &mut Clock)) -> u64 {
    let mut numbers = Numbers(42);
    let (mut params, mut state, mut clock) = (numbers.fill::<N>(), [0.0; 3 * N], Clock::new());
    for turn in 0..12 {
        let n = if turn < 6 { N } else { turn };
        let grads = numbers.fill::<N>();
        state[K * n..].fill(0.0);
        step(&mut params[..n], &grads[..n], &mut state[..K * n], &mut clock);
    }
    assert_eq!(clock.t, 12);
    hash(params.into_iter().chain(state).chain([clock.carry]))
}

/// Through the crate's own interface.
fn native<const K: usize, O: Kept<K>>(optimizer: O) -> u64 {
    twelve::<K>(|params, grads, state, clock| {
        let mut columns = state.chunks_exact_mut(params.len());
        let columns = std::array::from_fn(|_| columns.next().unwrap());
        optimizer.step_slices(params, grads, StateMut::new(columns, clock)).unwrap();
    })
}

/// A line for each rule without and with transforms, through the crate and through the C interface.
macro_rules! each {
    (($out:ident) $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
        $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {$({
        let config = $default(0.05);
        let name = &stringify!($config)["gradus_".len()..];
        let ok = |status| assert_eq!(status, gradus_status::GRADUS_OK, "{name}");
        let (plain, with) = (native($optimizer::new(0.05)), native($optimizer::new(0.05).with(all())));
        // SAFETY of all calls: every pointer comes from a slice or a reference.
        unsafe {
            ok($check(&config));
            ok($check_with(&config, &ALL));
        }
        let run = |p: &mut [f32], g: &[f32], s: &mut [f32], clock: &mut Clock| unsafe {
            ok($step(&config, p.len(), p.as_mut_ptr(), g.as_ptr(), s.as_mut_ptr(), clock));
        };
        assert_eq!(twelve::<$columns>(run), plain, "{name}");
        let run = |p: &mut [f32], g: &[f32], s: &mut [f32], clock: &mut Clock| unsafe {
            ok($step_with(&config, &ALL, p.len(), p.as_mut_ptr(), g.as_ptr(), s.as_mut_ptr(), clock));
        };
        assert_eq!(twelve::<$columns>(run), with, "{name} with transforms");
        let run = |p: &mut [f32], g: &[f32], s: &mut [f32], clock: &mut Clock| unsafe {
            let mut count = 9;
            ok($if_finite(&config, p.len(), p.as_mut_ptr(), g.as_ptr(), s.as_mut_ptr(), clock, &mut count));
            assert_eq!(count, 0);
        };
        assert_eq!(twelve::<$columns>(run), plain, "{name} if finite");
        let none = std::ptr::null_mut();
        let tensor = |p: &mut [f32], g: &[f32], s: &mut [f32], clock, transforms| gradus_tensor {
            n: p.len(), params: p.as_mut_ptr(), grads: g.as_ptr(), state: s.as_mut_ptr(), clock, transforms,
        };
        let run = |p: &mut [f32], g: &[f32], s: &mut [f32], clock: &mut Clock| unsafe {
            ok($tensors(&config, &tensor(p, g, s, clock, &ALL), 1, none));
        };
        assert_eq!(twelve::<$columns>(run), with, "{name} with a clock of its own");
        let run = |p: &mut [f32], g: &[f32], s: &mut [f32], clock: &mut Clock| unsafe {
            ok($tensors(&config, &tensor(p, g, s, none, std::ptr::null()), 1, clock));
        };
        assert_eq!(twelve::<$columns>(run), plain, "{name} in a list");
        writeln!($out, "{name} {plain:016x}").unwrap();
        writeln!($out, "{name} with {with:016x}").unwrap();
    })*};
}

fn rules(out: &mut String) {
    c_rules!(each!(out));
}

fn layers(out: &mut String) {
    use gradus::layer::*;
    use gradus::{activation, init, loss};
    use rand_core::{Rng, SeedableRng};
    const LABELS: [u16; 3] = [3, 0, 2];
    let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(11);
    let mut bytes: Vec<u8> = (0..3).flat_map(|_| rng.next_u32().to_le_bytes()).collect();
    let mut put = |x: &[f32]| bytes.extend(x.iter().flat_map(|x| x.to_le_bytes()));
    let mut weights = [0.0; 64];
    init::uniform(&mut rng, -2.0, 3.0, &mut weights[..5]);
    init::normal(&mut rng, 1.0, 0.5, &mut weights[5..12]);
    init::he_uniform(&mut rng, 6, &mut weights[12..17]);
    init::he_normal(&mut rng, 6, &mut weights[17..22]);
    init::glorot_uniform(&mut rng, 6, 9, &mut weights[22..27]);
    init::glorot_normal(&mut rng, 6, 9, &mut weights[27..32]);
    init::lecun_uniform(&mut rng, 6, &mut weights[32..37]);
    init::lecun_normal(&mut rng, 6, &mut weights[37..42]);
    put(&weights[..42]);

    let exec = Exec::new();
    let (mut numbers, dense) = (Numbers(17), Dense::new(5, 4));
    let (weights, x) = (numbers.fill::<24>(), numbers.fill::<15>());
    let (mut y, mut grads, mut dx) = ([0.0; 12], [0.0; 24], [0.0; 15]);
    dense.forward(&weights, &x, &mut y).unwrap();
    put(&y);
    let mut dy = y;
    put(&[loss::softmax_cross_entropy(exec, &mut dy, &LABELS).unwrap()]);
    put(&dy);
    dense.backward(&weights, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
    dense.backward(&weights, &mut grads, &x, &dy, None).unwrap();
    put(&grads);
    put(&dx);
    activation::leaky_relu(exec, 0.125, &mut y);
    activation::leaky_relu_backward(exec, 0.125, &mut dy, &y).unwrap();
    activation::tanh(exec, &mut y);
    activation::tanh_backward(exec, &mut dy, &y).unwrap();
    activation::sigmoid(exec, &mut y);
    activation::sigmoid_backward(exec, &mut dy, &y).unwrap();
    activation::relu(exec, &mut y);
    activation::relu_backward(exec, &mut dy, &y).unwrap();
    put(&y);
    put(&dy);
    loss::softmax(exec, 4, &mut y).unwrap();
    put(&y);
    put(&[loss::binary_cross_entropy(exec, &mut dy, &y).unwrap()]);
    put(&[loss::mean_squared_error(exec, &mut dy, &y).unwrap()]);
    put(&[loss::huber(exec, 0.01, &mut dy, &y).unwrap()]);
    put(&dy);

    let conv = Conv2d::new([5, 4, 2], 3, [3, 2]).stride([2, 1]).padding([1, 0]);
    let (weights, x) = (numbers.fill::<39>(), numbers.fill::<80>());
    let (mut y, mut grads, mut dx) = ([0.0; 54], [0.0; 39], [0.0; 80]);
    conv.forward(&weights, &x, &mut y).unwrap();
    put(&y);
    conv.backward(&weights, &mut grads, &x, &y, Some(&mut dx)).unwrap();
    put(&grads);
    put(&dx);
    let pool = MaxPool2d::new([3, 3, 3], [2, 2]).stride([1, 1]);
    let (mut largest, mut dx) = ([0.0; 24], [0.0; 54]);
    pool.forward(&y, &mut largest).unwrap();
    pool.backward(&y, &largest, &largest, &mut dx).unwrap();
    put(&largest);
    put(&dx);
    writeln!(out, "layers {:016x}", hash_bytes(bytes)).unwrap();

    let mut bytes = Vec::new();
    let mut put = |x: &[f32]| bytes.extend(x.iter().flat_map(|x| x.to_le_bytes()));
    let conv = DepthwiseConv2d::new([5, 4, 2], [3, 2]).stride([2, 1]).padding([1, 0]);
    let (weights, x) = (numbers.fill::<14>(), numbers.fill::<80>());
    let (mut y, mut grads, mut dx) = ([0.0; 36], [0.0; 14], [0.0; 80]);
    conv.forward(&weights, &x, &mut y).unwrap();
    put(&y);
    conv.backward(&weights, &mut grads, &x, &y, Some(&mut dx)).unwrap();
    put(&grads);
    put(&dx);
    let pool = AveragePool2d::new([3, 3, 2], [2, 2]).stride([1, 1]).padding([1, 0]);
    let (mut means, mut dx) = ([0.0; 32], [0.0; 36]);
    pool.forward(&y, &mut means).unwrap();
    pool.backward(&means, &mut dx).unwrap();
    residual_add(exec, &mut means, &dx[..32]).unwrap();
    put(&means);
    put(&dx);
    writeln!(out, "images {:016x}", hash_bytes(bytes)).unwrap();
}

fn halves(out: &mut String) {
    let (mut numbers, adam) = (Numbers(23), Adam::new(0.05).half());
    let (mut params, mut state) = (numbers.fill::<N>(), adam.state());
    for _ in 0..12 {
        adam.step(&mut params, &numbers.fill::<N>(), &mut state);
    }
    let mut hash = |name: &str, params: &[f32; N], columns: &[[Bf16; N]; 2]| {
        let half = columns.iter().flatten().flat_map(|x| x.to_bits().to_le_bytes());
        let bytes = params.iter().flat_map(|x| x.to_le_bytes()).chain(half);
        writeln!(out, "{name} {:016x}", hash_bytes(bytes)).unwrap();
    };
    hash("halves", &params, &state.columns);
    let with = adam.with((Scale(0.25), ClipValue(0.2), L2::new(0.1)));
    for _ in 0..12 {
        with.step(&mut params, &numbers.fill::<N>(), &mut state);
    }
    hash("halves with transforms", &params, &state.columns);
}

fn schedules(out: &mut String) {
    let mut line = |name: &str, schedule: &dyn Schedule, warm: &dyn Schedule| {
        let steps = || (0..120).chain([u32::MAX]);
        let rates = steps().map(|step| schedule.at(step)).chain(steps().map(|step| warm.at(step)));
        writeln!(out, "{name} {:016x}", hash(rates)).unwrap();
    };
    macro_rules! schedules {
        ($($name:ident $schedule:expr;)*) => {
            $(line(stringify!($name), &$schedule, &WarmUp::new(0.01, 5, $schedule));)*
        };
    }
    schedules! {
        step_decay StepDecay::new(0.1, 0.5, 7);
        multi_step MultiStep::new(0.1, 0.3, [5, 9]);
        exponential Exponential::new(0.1, 0.01);
        inverse_time InverseTime::new(0.1, 0.01);
        linear Linear::new(0.1, 0.01, 90);
        cosine Cosine::new(0.1, 100);
        warm_restarts WarmRestarts { mult: 2, ..WarmRestarts::new(0.1, 3) };
        snapshot_cycle SnapshotCycle::new(0.1, 100, 3);
        triangular Triangular::new(0.01, 0.1, 10, 20);
        one_cycle OneCycle::new(0.1, 100);
        inverse_sqrt InverseSqrt::new(0.1, 30);
        polynomial Polynomial::new(0.1, 100, 0.9);
        stable_decay StableDecay::new(0.1, 70, 30);
    }
    let plateau = Plateau { patience: 1, cooldown: 1, ..Plateau::new(0.1) };
    let mut state = PlateauState::new();
    let mut rates = [0.0; 31];
    for (turn, rate) in (0..30).zip(&mut rates) {
        *rate = plateau.update(&mut state, if turn < 3 { 1.0 / (1.0 + turn as f32) } else { 0.5 });
    }
    rates[30] = plateau.lr(&state);
    writeln!(out, "plateau {:016x}", hash(rates)).unwrap();
}

fn sums(out: &mut String) {
    let level = Level::detect();
    let mut numbers = Numbers(7);
    let (mut x, y) = (numbers.fill::<N>(), numbers.fill::<N>());
    let mut results = [0.0; 10];
    results[..9].copy_from_slice(&[
        l2_norm(level, &x),
        sum_abs(level, &x),
        max_abs(level, &x),
        dot(level, &x, &y).unwrap(),
        L2::new(0.01).value(Level::detect(), &x),
        L1::new(0.02).value(Level::detect(), &x),
        ElasticNet { lambda: 0.03, beta: 0.5 }.value(Level::detect(), &x),
        ClipNorm { max_norm: 2.0 }.scale(Level::detect(), &[&x, &y[..N - 2]]).unwrap().0,
        ClipNorm { max_norm: 2.0 }.scale(Level::detect(), &[]).unwrap().0,
    ]);
    MaxNorm { row: 4, limit: 5.0 }.apply(Level::detect(), &mut x[..N - 1]).unwrap();
    results[9] = l2_norm(level, &x);
    writeln!(out, "sums {:016x}", hash(results)).unwrap();
}

fn noise(out: &mut String) {
    use gradus::noise::*;
    const INPUTS: usize = 35;
    const OUTPUTS: usize = 3;
    let mut bits = Vec::new();
    let (mut masks, mut zero) = (Masks::new(7), Masks::ZERO);
    let mut weight_grads = [0.0; INPUTS * OUTPUTS];
    let mut numbers = Numbers(0);
    for inverted in [true, false] {
        let dropout = Dropout { inverted, ..Dropout::drop_prob(0.25) };
        numbers = Numbers(5);
        let mut x = numbers.fill::<N>();
        dropout.forward(&mut x, &mut masks).unwrap();
        bits.extend(x);
        let mut x = numbers.fill::<N>();
        dropout.relu_forward(&mut x, &mut masks).unwrap();
        bits.extend(x);
        let mut grads = numbers.fill::<N>();
        dropout.relu_backward(&mut grads, &x).unwrap();
        bits.extend(grads);
        let mut x = numbers.fill::<N>();
        let mut mask = [0; 2];
        zero.fill(0.3, &mut mask);
        dropout.forward(&mut x, &mask).unwrap();
        dropout.inference(&mut x).unwrap();
        bits.extend(x);
        let mut x = numbers.fill::<N>();
        dropout.relu_forward(&mut x, &mask).unwrap();
        bits.extend(x);
        let mut mask = [0; mask_words(INPUTS) * OUTPUTS];
        zero.fill(0.5, &mut mask);
        let w = numbers.fill::<{ INPUTS * OUTPUTS }>();
        let mut x = numbers.fill::<INPUTS>();
        let (layer, mut y, mut grad_x) = (DropConnect(dropout), [0.0; OUTPUTS], [0.0; INPUTS]);
        layer.forward(&w, &x, &mut y, &mask).unwrap();
        bits.extend(y);
        layer.backward_weights(&y, &x, &mut weight_grads, &mask).unwrap();
        bits.extend(weight_grads);
        layer.backward_input(&w, &y, &mut grad_x, &mask).unwrap();
        bits.extend(grad_x);
        layer.inference(&w, &x, &mut y).unwrap();
        bits.extend(y);
        StochasticDepth(dropout).forward(&mut x, 5, &mask[..1]).unwrap();
        bits.extend(x);
    }
    bits.push(StochasticDepth::linear(2, 5, 0.5));
    let (mut mean, mut spread) = ([0.0; N], [0.0; N]);
    let mut passes = MonteCarlo::new(&mut mean, &mut spread).unwrap();
    for _ in 0..4 {
        passes.add(&numbers.fill::<N>()).unwrap();
    }
    passes.finish();
    bits.extend(mean);
    bits.extend(spread);
    writeln!(out, "noise {:016x}", hash(bits)).unwrap();
}

fn batch_norm(out: &mut String) {
    use gradus::norm::*;
    const C: usize = 3;
    const LENGTH: usize = 4 * C * 3;
    let (norm, shape) = (BatchNorm::new(), BatchShape { batch: 4, channels: C, spatial: 3 });
    let mut numbers = Numbers(13);
    let params = Params { weight: numbers.fill::<C>(), bias: numbers.fill::<C>() };
    let mut batch = Statistics { mean: [0.0; C], variance: [0.0; C] };
    let (mut running, mut x, mut bits) = (BatchNormState::<C>::new(), [0.0; LENGTH], Vec::new());
    for track_biased in [false, true] {
        let norm = BatchNorm { track_biased, ..norm };
        x = numbers.fill();
        let (mut y, mut grads) = ([0.0; LENGTH], Params { weight: [0.0; C], bias: [0.0; C] });
        norm.forward(shape, &x, &mut y, &params, &mut batch).unwrap();
        bits.extend(y.into_iter().chain(batch.mean).chain(batch.variance));
        norm.track(shape, &batch, running.as_mut()).unwrap();
        norm.backward(shape, &mut y, &x, &params, &batch, &mut grads).unwrap();
        bits.extend(y.into_iter().chain(grads.weight).chain(grads.bias));
    }
    norm.inference(shape, &mut x, &params, &running).unwrap();
    bits.extend(x.into_iter().chain(running.columns.into_iter().flatten()));
    norm.fold(&params, &running, &mut x, &mut batch.mean).unwrap();
    bits.extend(x.into_iter().chain(batch.mean));
    norm.fold_columns(&params, &running, &mut x, &mut batch.mean).unwrap();
    bits.extend(x.into_iter().chain(batch.mean));
    let (norm, x, mut y) = (GroupNorm::new(1), numbers.fill::<LENGTH>(), [0.0; LENGTH]);
    let (mut groups, mut grads) =
        (Statistics { mean: [0.0; 4], variance: [0.0; 4] }, Params { weight: [0.0; C], bias: [0.0; C] });
    norm.forward(shape, &x, &mut y, &params, &mut groups).unwrap();
    bits.extend(y.into_iter().chain(groups.mean).chain(groups.variance));
    norm.backward(shape, &mut y, &x, &params, &groups, &mut grads).unwrap();
    bits.extend(y.into_iter().chain(grads.weight).chain(grads.bias));
    let mut y = x;
    norm.inference(shape, &mut y, &params).unwrap();
    bits.extend(y);
    writeln!(out, "norm {:016x}", hash(bits)).unwrap();
}

fn files(out: &mut String) {
    let mut numbers = Numbers(3);
    let params = numbers.fill::<N>();
    let columns = [numbers.fill::<N>(), numbers.fill::<N>()];
    let mut state = NadamState::<N>::new();
    state.columns = columns;
    state.clock = Clock { t: 5, carry: 0.5 };
    let mut buffer = [0; 1024];
    let file = store::save((&params, &state, 17_u32, &noise::Masks::new(9)), &mut buffer).unwrap();
    writeln!(out, "file {:016x}", hash_bytes(file.iter().copied())).unwrap();
}

/// Every kind of state, saved by C and by the crate.
fn states(out: &mut String) {
    let mut bytes = Vec::new();
    let mut turn = 0;
    macro_rules! state {
        ($kind:ident $optimizer:ty, $k:expr) => {{
            turn += 1;
            let mut numbers = Numbers($kind);
            let mut state = State::<$optimizer, N>::new();
            state.columns = std::array::from_fn(|_| numbers.fill::<N>());
            state.clock = Clock { t: turn, carry: 0.25 };
            assert_eq!(state.columns.len(), $k, stringify!($kind));
            let file = store::to_vec(&state).unwrap();
            let (data, clock) = ((&raw mut state.columns).cast(), &raw mut state.clock);
            let item = gradus_item { kind: $kind, n: N, data, clock };
            let (mut buffer, mut size) = (vec![0; file.len()], 0);
            // SAFETY: every pointer comes from a reference.
            let saved = unsafe { gradus_save(&item, 1, buffer.as_mut_ptr(), buffer.len(), &mut size) };
            assert_eq!((saved, size), (gradus_status::GRADUS_OK, file.len()), stringify!($kind));
            assert!(buffer == file, "{}: C's file is not Rust's", stringify!($kind));
            bytes.extend(file);
        }};
    }
    macro_rules! optimizers {
        (() $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
            $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {
            $(state!($kind $optimizer, $columns);)*
        };
    }
    c_rules!(optimizers!());
    state!(GRADUS_ITEM_BATCH_NORM norm::BatchNorm, 2);
    state!(GRADUS_ITEM_SWA ensemble::Swa, 1);
    state!(GRADUS_ITEM_EMA ensemble::Ema, 1);
    state!(GRADUS_ITEM_COMPENSATED_EMA ensemble::CompensatedEma, 2);
    state!(GRADUS_ITEM_INPUT_NORM norm::InputNorm, 2);
    state!(GRADUS_ITEM_ACCUMULATE Accumulate, 1);
    writeln!(out, "states {:016x}", hash_bytes(bytes)).unwrap();
}

/// CRC-32C by its definition, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// The file that C saves in pieces, and the slot of its journal.
fn streams(out: &mut String) {
    let mut state = MomentumState::<N>::new();
    state.columns = [Numbers(4).fill::<N>()];
    state.clock = Clock { t: 5, carry: 0.5 };
    let file = store::to_vec(&state).unwrap();
    writeln!(out, "stream {:016x}", hash_bytes(file.iter().copied())).unwrap();
    let length = file.len() as u32;
    let checked = [&0_u32.to_le_bytes()[..], &length.to_le_bytes(), &file].concat();
    let slot = [b"gjrn", &checked[..8], &crc32c(&checked).to_le_bytes(), &file].concat();
    writeln!(out, "journal {:016x}", hash_bytes(slot)).unwrap();
}

/// Averages of weights, and of what two models predict.
fn averages(out: &mut String) {
    use gradus::ensemble::*;
    let (mut swa, mut ema, mut ensemble) =
        (SwaState::<N>::new(), EmaState::<N>::new(), Ensemble::<N, 2>::new());
    let mut numbers = Numbers(6);
    for _ in 0..2 {
        let params = numbers.fill::<N>();
        Swa.update(&mut swa, &params);
        Ema::new(0.9).update(&mut ema, &params);
        ensemble.push(&params).unwrap();
    }
    let (mut scratch, mut mean) = ([0.0; N], [0.0; N]);
    let model = |params: &[f32], out: &mut [f32]| {
        for (out, params) in out.iter_mut().zip(params) {
            *out = params * 0.5;
        }
    };
    ensemble.predict(Exec::new(), model, &mut scratch, &mut mean).unwrap();
    let all = swa.average().iter().chain(ema.average()).chain(&mean);
    writeln!(out, "averages {:016x}", hash_bytes(all.flat_map(|x| x.to_le_bytes()))).unwrap();
}

/// What is learnt of data as they come, the average of a schedule-free run, and a decay apart from the rate.
fn online(out: &mut String) {
    use gradus::ensemble::{Average as _, CompensatedEma, CompensatedEmaState};
    let mut numbers = Numbers(7);
    let (norm, mut seen, mut sum) =
        (norm::InputNorm::new(), norm::InputNormState::<3>::new(), AccumulateState::<N>::new());
    norm.update(seen.as_mut(), &numbers.fill::<6>()).unwrap();
    let mut x = numbers.fill::<6>();
    norm.apply(&mut x, &seen).unwrap();
    let mut values = seen.columns.as_flattened().to_vec();
    values.extend(x);

    let free = ScheduleFree { weight_decay: 0.1, ..ScheduleFree::new(0.05) };
    let (mut params, mut state) = (numbers.fill::<N>(), free.state());
    let mut average = CompensatedEmaState::<N>::new();
    for _ in 0..3 {
        let grads = numbers.fill::<N>();
        free.with(Decay::independent(0.125)).step(&mut params, &grads, &mut state);
        sum.add(Exec::new(), &grads);
        CompensatedEma::new(0.9).update(&mut average, &params);
    }
    free.average(Exec::new(), &mut params, &state.columns[0]).unwrap();
    values.extend(params.iter().chain(sum.sum()).chain(average.columns.as_flattened()));

    let mut confusion = loss::Confusion::<2>::new();
    confusion.add_scores(&numbers.fill::<6>(), &[0_u16, 1, 0]).unwrap();
    values.extend(confusion.counts().as_flattened().iter().map(|count| *count as f32));
    values.extend(confusion.accuracy());
    writeln!(out, "online {:016x}", hash(values)).unwrap();
}

/// Writes a file for `./ci.sh c`, if that asks for it.
fn give(name: &str, text: &str) {
    if let Some(directory) = std::env::var_os("GRADUS_C_OUT") {
        std::fs::write(std::path::Path::new(&directory).join(name), text).unwrap();
    }
}

#[test]
fn c_computes_the_same_bits() {
    let mut out = String::new();
    rules(&mut out);
    layers(&mut out);
    halves(&mut out);
    fused::lines(&mut out);
    schedules(&mut out);
    sums(&mut out);
    noise(&mut out);
    batch_norm(&mut out);
    lbfgs::lines(&mut out);
    files(&mut out);
    states(&mut out);
    streams(&mut out);
    averages(&mut out);
    online(&mut out);
    give("bits.txt", &out);
}
