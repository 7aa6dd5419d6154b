//! Steps that layers take, as tests/c/fused.c takes them.

use super::*;
use gradus::layer::{Conv2d, Dense, DepthwiseConv2d, HalfGrads, bias_step};

const DENSE: Dense = Dense::new(5, 6);
const LAYER: usize = DENSE.params();
const AT: usize = 5;
const ALL_PARAMS: usize = AT + LAYER + 7;

/// The bits of four turns by a part of all parameters; `step` gives the layer its step.
fn turns<const K: usize, const N: usize, M: Copy + Default>(
    at: usize,
    mut step: impl FnMut(usize, &mut [f32], [&mut [M]; K], &mut Clock, &[f32], &[f32]),
) -> ([f32; N], [[M; N]; K]) {
    let mut numbers = Numbers(29);
    let (params, mut clock, mut state) = (numbers.fill::<ALL_PARAMS>(), Clock::new(), [[M::default(); N]; K]);
    let mut params = std::array::from_fn(|i| params[i]);
    for turn in 0..4 {
        let (x, dy) = (numbers.fill::<10>(), numbers.fill::<12>());
        step(turn, &mut params, state.each_mut().map(|column| &mut column[..]), &mut clock, &x, &dy);
    }
    assert_eq!((clock.t, at + LAYER <= N), (4, true));
    (params, state)
}

/// A step of the layer alone among all parameters.
macro_rules! step {
    ($optimizer:expr, $params:ident, $columns:ident, $clock:ident, $x:ident, $dy:ident) => {
        step!($optimizer, $params, $columns, $clock, $x, $dy, |layer| layer)
    };
    ($optimizer:expr, $params:ident, $columns:ident, $clock:ident, $x:ident, $dy:ident, |$layer:ident| $with:expr) => {{
        let update = $optimizer.update_slices($params, StateMut::new($columns, $clock)).unwrap();
        let others = update.len() - LAYER;
        let before = if others > 0 { AT } else { 0 };
        let [_, $layer, _] = update.split([before, LAYER, others - before]).unwrap();
        DENSE.backward_step($with, $x, $dy, Some(&mut [0.0; 10])).unwrap();
    }};
}

fn whole<const K: usize, O: Kept<K>>(out: &mut String, name: &str, optimizer: O) {
    let mut line = |name: &str, with: &str, (params, state): ([f32; ALL_PARAMS], [[f32; ALL_PARAMS]; K])| {
        let bits = hash(params.into_iter().chain(state.into_iter().flatten()));
        writeln!(out, "{name} fused{with} {bits:016x}").unwrap();
    };
    line(name, "", turns(AT, |_, params, state, clock, x, dy| step!(optimizer, params, state, clock, x, dy)));
    // Of weights the transforms of all(), of biases the first of them alone.
    let of_weights = (
        (ClipValue(2.0), L2::new(0.01), L1::new(0.02), ElasticNet { lambda: 0.03, beta: 0.5 }),
        (Decay::new(0.1), ProxL1::new(0.2), ClampParams(3.0)),
    );
    let run = |_, params: &mut [f32], state: [&mut [f32]; K], clock: &mut Clock, x: &[f32], dy: &[f32]| {
        step!(optimizer.with(Scale(0.5)), params, state, clock, x, dy, |layer| layer.on_weights(of_weights));
    };
    line(name, " with", turns(AT, run));
}

fn half<const K: usize, O: Kept<K>>(out: &mut String, name: &str, optimizer: O) {
    let run =
        |turn, params: &mut [f32], state: [&mut [Bf16]; K], clock: &mut Clock, x: &[f32], dy: &[f32]| {
            if turn % 2 == 0 {
                step!(optimizer.half(), params, state, clock, x, dy);
            } else {
                step!(optimizer.half().with(all()), params, state, clock, x, dy);
            }
        };
    let (params, state) = turns::<K, LAYER, Bf16>(0, run);
    let half = state.iter().flatten().flat_map(|x| x.to_bits().to_le_bytes());
    let bits = hash_bytes(params.iter().flat_map(|x| x.to_le_bytes()).chain(half));
    writeln!(out, "{name} fused half {bits:016x}").unwrap();
}

/// A convolution, a depthwise one and a dense layer in one array, by gradients that never lie in memory, and by sums
/// in half the memory.
fn images(out: &mut String) {
    let conv = Conv2d::new([5, 4, 2], 3, [3, 2]).stride([2, 1]).padding([1, 0]);
    let depthwise = DepthwiseConv2d::new([3, 3, 3], [2, 2]);
    let dense = Dense::new(12, 4);
    let lengths = [conv.params(), depthwise.params(), dense.params()];
    const N: usize = 39 + 15 + 52;
    let (adam, mut numbers) = (Adam::new(0.05), Numbers(31));
    let (mut p, mut state) = (numbers.fill::<N>(), adam.state::<N>());
    let (mut x, mut h, mut k, mut y) = ([0.0; 80], [0.0; 54], [0.0; 24], [0.0; 8]);
    let (mut dh, mut dk, mut dx) = ([0.0; 54], [0.0; 24], [0.0; 80]);
    for _ in 0..4 {
        x = numbers.fill();
        conv.forward(&p[..39], &x, &mut h).unwrap();
        depthwise.forward(&p[39..54], &h, &mut k).unwrap();
        dense.forward(&p[54..], &k, &mut y).unwrap();
        let [first, second, third] = adam.update(&mut p, &mut state).split(lengths).unwrap();
        dense.backward_step(third, &k, &y, Some(&mut dk)).unwrap();
        depthwise.backward_step(second, &h, &dk, Some(&mut dh)).unwrap();
        conv.backward_step(first, &x, &dh, Some(&mut dx)).unwrap();
    }
    let floats = p.iter().chain(state.columns.as_flattened());
    let mut bytes: Vec<u8> = floats.flat_map(|x| x.to_le_bytes()).collect();
    writeln!(out, "fused images {:016x}", hash_bytes(bytes)).unwrap();

    bytes = Vec::new();
    let halves = |half: &[Bf16]| half.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect::<Vec<_>>();
    let (half, mut passes) = (adam.half(), 0);
    let mut moments = half.state::<N>();
    for _ in 0..4 {
        let mut sums = [Bf16::default(); N];
        for sample in 0..2 {
            let [g1, g2, g3] = HalfGrads::new(&mut sums, &mut passes).split(lengths).unwrap();
            let (dk, dh) = (&mut dk[..12], &mut dh[..27]);
            let (k, y) = (&k[12 * sample..][..12], &y[4 * sample..][..4]);
            dense.backward_half(&p[54..], g3, k, y, Some(dk)).unwrap();
            depthwise.backward_half(&p[39..54], g2, &h[27 * sample..][..27], dk, Some(dh)).unwrap();
            conv.backward_half(&p[..39], g1, &x[40 * sample..][..40], dh, Some(&mut dx[..40])).unwrap();
        }
        bytes.extend(halves(&sums));
        half.with(all()).step_half_grads(&mut p, &sums, moments.as_mut()).unwrap();
    }
    bytes.extend(p.iter().chain(&dx[..40]).flat_map(|x| x.to_le_bytes()));
    bytes.extend(halves(moments.columns.as_flattened()));
    writeln!(out, "half gradients {:016x}", hash_bytes(bytes)).unwrap();
}

/// Biases learn, weights stay.
fn biases(out: &mut String) {
    let adam = Adam::new(0.05);
    let run = |_, params: &mut [f32], state: [&mut [f32]; 2], clock: &mut Clock, _: &[f32], dy: &[f32]| {
        let state = StateMut::new(state.map(|column| &mut column[..DENSE.outputs]), clock);
        bias_step(Exec::new(), adam.update_slices(&mut params[AT..][..DENSE.outputs], state).unwrap(), dy)
            .unwrap();
    };
    let (params, state) = turns::<2, ALL_PARAMS, f32>(AT, run);
    let columns = state.iter().flat_map(|column| column[..DENSE.outputs].iter().copied());
    writeln!(out, "biases alone {:016x}", hash(params.into_iter().chain(columns))).unwrap();
}

/// In the order of tests/c/fused.c.
macro_rules! each_fused {
    (($out:ident) $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
        $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {
        $(whole::<$columns, _>($out, &stringify!($config)["gradus_".len()..], $optimizer::new(0.05));)*
        $(each_fused!($out [$($half)*] $optimizer $config $columns);)*
    };
    ($out:ident [] $optimizer:ident $config:ident $columns:ident) => {};
    ($out:ident [$($half:ident)*] $optimizer:ident $config:ident $columns:ident) => {
        half::<$columns, _>($out, &stringify!($config)["gradus_".len()..], $optimizer::new(0.05));
    };
}

pub(super) fn lines(out: &mut String) {
    c_rules!(each_fused!(out));
    images(out);
    biases(out);
}
