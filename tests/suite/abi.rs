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

/// Runs of L-BFGS on the chain of Rosenbrock functions, each by the crate and by C, with one line of bits.
macro_rules! lbfgs {
    ($out:ident, $t:ident, $name:literal, $step:ident, $stop:ident, $save:ident, $load:ident) => {{
        use gradus::second_order::*;
        const N: usize = 6;
        const PAIRS: usize = 5;
        fn objective(x: &[$t; N], g: &mut [$t; N]) -> $t {
            *g = [0.0; N];
            let mut value = 0.0;
            for i in 0..N - 1 {
                let (u, v) = (10.0 * (x[i + 1] - x[i] * x[i]), 1.0 - x[i]);
                g[i] -= 40.0 * u * x[i] + 2.0 * v;
                g[i + 1] += 20.0 * u;
                value += u * u + v * v;
            }
            value
        }
        let config = gradus_lbfgs {
            version: GRADUS_STRUCTS,
            pairs: PAIRS as u32,
            max_iterations: 1000,
            max_evaluations: 10_000,
            max_trials: 20,
            line_search: GRADUS_LINE_SEARCH_MORE_THUENTE,
            tolerance: 1e-5,
            decrease: 0.0,
            sufficient_decrease: 1e-4,
            curvature: 0.6,
            width_tolerance: 0.1,
            step_min: 1e-20,
            step_max: 1e20,
            max_move: 0.0,
            l1: 0.0,
            l1_start: 0,
            l1_end: 0,
        };
        let settings = LbfgsSettings::<$t>::new();
        let backtracking = GRADUS_LINE_SEARCH_BACKTRACKING;
        let diagonal = [0.5, 0.25, 0.125, 0.5, 0.25, 0.125];
        let moves = LbfgsSettings { line_search: LineSearch::Backtracking, max_move: 0.25, ..settings };
        // The settings of both, whether there is a diagonal, and after how many evaluations to stop.
        let runs = [
            (config, settings, false, 0),
            (config, settings, true, 0),
            (
                gradus_lbfgs { l1: 0.5, l1_start: 1, ..config },
                LbfgsSettings { l1: 0.5, l1_start: 1, ..settings },
                false,
                0,
            ),
            (gradus_lbfgs { line_search: backtracking, max_move: 0.25, ..config }, moves, false, 0),
            (
                gradus_lbfgs { max_evaluations: 7, ..config },
                LbfgsSettings { max_evaluations: 7, ..settings },
                false,
                0,
            ),
            (config, settings, false, 9),
            (config, settings, false, 0),
        ];
        let lower = [-0.5, -1.0, -0.5, -1.0, -2.0, 0.25];
        let upper = [0.75, 2.0, 0.75, <$t>::INFINITY, 1.5, 0.25];
        let mut bytes = Vec::new();
        for (turn, (config, settings, preconditioned, stop)) in runs.into_iter().enumerate() {
            let start: [$t; N] = [-1.2, 1.0, -0.5, 0.75, 2.0, -1.0];
            let mut solver = Lbfgs::<N, PAIRS, $t>::new();
            let (new, mut file, mut size) = (store::to_vec(&solver).unwrap(), Vec::new(), 0);
            solver.start(&settings, &start).unwrap();
            while let Some((x, g)) = solver.ask() {
                let value = objective(x, g);
                let given = match turn {
                    1 => Given::new().preconditioner(&diagonal),
                    6 => Given::new().bounds(&lower, &upper),
                    _ => Given::new(),
                };
                solver.tell_with(value, &given).unwrap();
                if solver.report().evaluations == stop {
                    solver.stop();
                }
                if solver.report().evaluations == 4 {
                    file = store::to_vec(&solver).unwrap();
                    bytes.extend(&file);
                }
            }
            let (mut x, mut g) = (start, [0.0; N]);
            const WORK: usize = (2 * PAIRS + 3) * N + (PAIRS + 4) * PAIRS;
            let mut work = [<$t>::NAN; WORK];
            let mut state = gradus_lbfgs_state::default();
            let h = if preconditioned { diagonal.as_ptr() } else { std::ptr::null() };
            let [lower, upper] =
                [&lower, &upper].map(|x| if turn == 6 { x.as_ptr() } else { std::ptr::null() });
            // SAFETY: every pointer comes from an array or a reference.
            let loaded = unsafe {
                let (x, g, work) = (x.as_mut_ptr(), g.as_mut_ptr(), work.as_mut_ptr());
                $load(&config, N, x, g, work, &mut state, new.as_ptr(), new.len())
            };
            assert_eq!((loaded, state.number, x), (gradus_status::GRADUS_OK, 0, [0.0; N]));
            (x, work) = (start, [<$t>::NAN; WORK]);
            while state.stop == GRADUS_STOP_RUNNING {
                let value = objective(&x, &mut g);
                let (x, g, work) = (x.as_mut_ptr(), g.as_mut_ptr(), work.as_mut_ptr());
                // SAFETY: every pointer comes from an array or a reference.
                unsafe {
                    assert_eq!(
                        $step(&config, N, x, value, g, h, lower, upper, work, &mut state),
                        gradus_status::GRADUS_OK
                    );
                    if state.evaluations == stop {
                        assert_eq!($stop(&config, N, x, g, work, &mut state), gradus_status::GRADUS_OK);
                    }
                    if state.evaluations == 4 {
                        let mut buffer = vec![0; file.len()];
                        let (to, room) = (buffer.as_mut_ptr(), buffer.len());
                        let saved = $save(&config, N, x, g, work, &state, to, room, &mut size);
                        assert_eq!((saved, size), (gradus_status::GRADUS_OK, file.len()));
                        assert!(buffer == file, "{} run {turn}: C's file is not Rust's", $name);
                        (x.write_bytes(255, N), g.write_bytes(255, N), work.write_bytes(255, WORK));
                        state = gradus_lbfgs_state::default();
                        let loaded = $load(&config, N, x, g, work, &mut state, file.as_ptr(), size);
                        assert_eq!(loaded, gradus_status::GRADUS_OK);
                    }
                }
            }
            assert_eq!(&x, solver.x(), "{} run {turn}", $name);
            let report = solver.report();
            assert_eq!((state.value, state.gradient), (report.value.into(), report.gradient.into()));
            assert_eq!((state.iterations, state.evaluations), (report.iterations, report.evaluations));
            assert_eq!(state.stop, report.stop as u32);
            bytes.extend(x.into_iter().chain([report.value, report.gradient]).flat_map($t::to_le_bytes));
            bytes.extend(
                [report.iterations, report.evaluations, state.stop].into_iter().flat_map(u32::to_le_bytes),
            );
        }
        writeln!($out, "{} {:016x}", $name, hash_bytes(bytes)).unwrap();
    }};
}

fn lbfgs(out: &mut String) {
    lbfgs!(out, f32, "lbfgs", gradus_lbfgs_step, gradus_lbfgs_stop, gradus_lbfgs_save, gradus_lbfgs_load);
    lbfgs!(
        out,
        f64,
        "lbfgs_f64",
        gradus_lbfgs_step_f64,
        gradus_lbfgs_stop_f64,
        gradus_lbfgs_save_f64,
        gradus_lbfgs_load_f64
    );
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
    lbfgs(&mut out);
    files(&mut out);
    states(&mut out);
    streams(&mut out);
    averages(&mut out);
    online(&mut out);
    give("bits.txt", &out);
}

macro_rules! layout {
    ($out:ident; $($name:ident as $c:tt { $($field:ident)* })*) => {$(
        let size = size_of::<$name>();
        writeln!($out, "_Static_assert(sizeof({}) == {size}, \"size\");", $c).unwrap();
        $(
            let offset = std::mem::offset_of!($name, $field);
            let field = stringify!($field);
            writeln!($out, "_Static_assert(offsetof({}, {field}) == {offset}, \"{field}\");", $c).unwrap();
        )*
    )*};
}

#[test]
fn c_has_the_same_layout() {
    let mut out = String::from(
        "/* What tests/suite/abi.rs finds in Rust on a target of 64 bits. */\n#include \"gradus.h\"\n",
    );
    macro_rules! rules {
        (() $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
            $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {
            layout! { out; $($config as (stringify!($config)) { $($field)* })* }
        };
    }
    c_rules!(rules!());
    layout! { out;
        Clock as "gradus_clock" { t carry }
        gradus_transforms as "gradus_transforms" {
            version flags scale clip_value l2 l1 elastic_net elastic_net_beta decay prox_l1 clamp_params
        }
        gradus_tensor as "gradus_tensor" { n params grads state clock transforms }
        gradus_half_tensor as "gradus_half_tensor" { n params grads state clock transforms }
        gradus_step as "gradus_step" { version t n params state size act rule }
        gradus_item as "gradus_item" { kind n data clock }
        gradus_masks as "gradus_masks" { generators }
        gradus_ema as "gradus_ema" { version decay }
        gradus_ensemble as "gradus_ensemble" { version count room n members }
        gradus_flash as "gradus_flash" {
            version start end block read_word write_word read write erase context
        }
        gradus_journal as "gradus_journal" { version found newest sequence length next }
        gradus_dropout as "gradus_dropout" { version keep_prob vanilla }
        gradus_batch_shape as "gradus_batch_shape" { batch channels spatial }
        gradus_batch_norm as "gradus_batch_norm" { version eps running_decay track_biased }
        gradus_group_norm as "gradus_group_norm" { version eps groups }
        gradus_lbfgs as "gradus_lbfgs" {
            version pairs max_iterations max_evaluations max_trials line_search tolerance decrease
            sufficient_decrease curvature width_tolerance step_min step_max max_move l1 l1_start l1_end
        }
        gradus_lbfgs_state as "gradus_lbfgs_state" {
            value gradient iterations evaluations stop number n pairs rest
        }
        gradus_epsilon as "gradus_epsilon" { place eps inside }
        gradus_step_decay as "gradus_step_decay" { version lr gamma every warm_up_steps warm_up_start }
        gradus_multi_step as "gradus_multi_step" {
            version lr gamma milestones count warm_up_steps warm_up_start
        }
        gradus_exponential as "gradus_exponential" { version lr k warm_up_steps warm_up_start }
        gradus_inverse_time as "gradus_inverse_time" { version lr k warm_up_steps warm_up_start }
        gradus_linear as "gradus_linear" { version start end steps warm_up_steps warm_up_start }
        gradus_cosine as "gradus_cosine" { version lr min steps warm_up_steps warm_up_start }
        gradus_warm_restarts as "gradus_warm_restarts" {
            version lr min first mult warm_up_steps warm_up_start
        }
        gradus_snapshot_cycle as "gradus_snapshot_cycle" {
            version lr steps cycles warm_up_steps warm_up_start
        }
        gradus_triangular as "gradus_triangular" { version min max up down warm_up_steps warm_up_start }
        gradus_one_cycle as "gradus_one_cycle" {
            version start max end steps rise three_phase warm_up_steps warm_up_start
        }
    }
    // A change of this file is a change of the binary interface: GRADUS_STRUCTS counts them.
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/layout.c")).unwrap_or_default();
    if std::env::var_os("GRADUS_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/layout.c"), &out).unwrap();
    } else if cfg!(target_pointer_width = "64") {
        assert_eq!(out, committed, "GRADUS_BLESS=1 writes tests/c/layout.c anew");
    }
}

/// The comment above a function of the header, and what stands between its brackets.
fn declared<'a>(header: &'a str, name: &str) -> (String, &'a str) {
    let (before, rest) =
        header.split_once(&format!("\ngradus_status {name}(")).unwrap_or_else(|| panic!("no {name}"));
    let comment = before.lines().rev().take_while(|line| line.starts_with("//"));
    (comment.collect::<Vec<_>>().join(" "), rest.split_once(')').unwrap().0)
}

/// In its own text, or in that of the function it refers to: the doubles do not repeat what the floats say.
#[test]
fn the_header_names_every_pointer() {
    let header = include_str!("../../include/gradus.h");
    let body = &header[header.find("extern \"C\"").unwrap()..];
    let names = body
        .lines()
        .filter_map(|line| line.strip_prefix("gradus_status ")?.split_once('('))
        .map(|(name, _)| name);
    let optimizers =
        body.split("---- Optimizers ----").nth(1).and_then(|text| text.split("*/").next()).unwrap();
    let mut count = 0;
    for name in names {
        let (mut text, arguments) = declared(body, name);
        if name.contains("_step") || name.contains("_begin") || name.ends_with("_check_with") {
            text += optimizers; // what all of them share
        }
        if let Some((_, other)) = text.split_once("As ") {
            text += &declared(body, other.split_once("()").unwrap().0).0;
        }
        let words: Vec<_> = text.split(|c: char| c != '_' && !c.is_alphanumeric()).collect();
        for argument in arguments.split(',').filter(|argument| argument.contains('*')) {
            let pointer = argument.rsplit('*').next().unwrap();
            // One structure, as the top of the header says.
            assert!(
                pointer == "config" || words.contains(&pointer),
                "{name} says nothing of {pointer}:\n{text}"
            );
        }
        count += 1;
    }
    assert!(count > 80, "{count} functions");
}
