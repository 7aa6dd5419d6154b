//! Every function of the C interface, called once, with success.

use gradus::Clock;
use gradus::ffi::gradus_status::{self, GRADUS_OK};
use gradus::ffi::*;
use std::ffi::c_void;

use super::c_rules::c_rules;

const N: usize = 37;
const WORDS: usize = 2;

#[track_caller]
fn ok(status: gradus_status) {
    assert_eq!(status, GRADUS_OK);
}

/// All of them; `tests/suite/abi.rs` compares what they compute.
pub fn call() {
    let version = GRADUS_STRUCTS;
    rules();
    layers();
    schedules(version, 0.5);
    sums_and_penalties();
    noise(version);
    batch_norm(version);
    files();
    journal(version);
    averages(version);
    online();
    lbfgs(version);
    assert!(!gradus_version().is_null() && !gradus_status_name(0).is_null());
}

fn transforms() -> gradus_transforms {
    gradus_transforms {
        version: GRADUS_STRUCTS,
        flags: GRADUS_L2 | GRADUS_DECAY,
        scale: 0.0,
        clip_value: 0.0,
        l2: 0.5,
        l1: 0.0,
        elastic_net: 0.0,
        elastic_net_beta: 0.0,
        decay: 0.5,
        prox_l1: 0.0,
        clamp_params: 0.0,
    }
}

/// The functions of every optimizer.
macro_rules! each {
    (() $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
        $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {$({
        let config = $default(0.5);
        let transforms = transforms();
        let (mut params, grads, mut state, mut clock) = ([0.5; N], [0.25; N], [0.0; 3 * N], Clock::new());
        let (p, g, s, t) = (params.as_mut_ptr(), grads.as_ptr(), state.as_mut_ptr(), &raw mut clock);
        let null = core::ptr::null_mut();
        let list = [gradus_tensor { n: N, params: p, grads: g, state: s, clock: t, transforms: &transforms }];
        let mut count = 0;
        // SAFETY: the memory of three columns is there.
        unsafe {
            ok($check(&config));
            ok($check_with(&config, &transforms));
            ok($step(&config, N, p, g, s, t));
            ok($step_with(&config, &transforms, N, p, g, s, t));
            ok($if_finite(&config, N, p, g, s, t, &mut count));
            ok($tensors(&config, list.as_ptr(), 1, null));
            let mut step = core::mem::zeroed();
            ok($begin(&config, N, p, s, t, &mut step));
            ok($begin_with(&config, &transforms, &transforms, N, p, s, t, &mut step));
            let copy = step; // with the bytes that were not written
            fused(&copy);
            ok($begin(&config, 0, null.cast(), null.cast(), t, &mut step));
            without_parameters(&step);
        }
        halves!(config transforms [$($half)*]);
    })*};
}

/// The functions of a state in half the memory.
macro_rules! halves {
    ($config:ident $transforms:ident []) => {};
    ($config:ident $transforms:ident
        [$half_step:ident $step_with:ident $begin:ident $begin_with:ident $tensors:ident]) => {{
        let (config, transforms) = ($config, $transforms);
        let (mut params, grads, mut half, mut clock) = ([0.5; N], [0.25; N], [0_u16; 3 * N], Clock::new());
        let (p, g, s, t) = (params.as_mut_ptr(), grads.as_ptr(), half.as_mut_ptr(), &raw mut clock);
        let list =
            [gradus_half_tensor { n: N, params: p, grads: g, state: s, clock: t, transforms: &transforms }];
        // SAFETY: the memory of three columns is there.
        unsafe {
            let mut step = core::mem::zeroed();
            ok($half_step(&config, N, p, g, s, t));
            ok($step_with(&config, &transforms, N, p, g, s, t));
            ok($tensors(&config, list.as_ptr(), 1, core::ptr::null_mut()));
            ok($begin(&config, N, p, s, t, &mut step));
            ok($begin_with(&config, &transforms, core::ptr::null(), N, p, s, t, &mut step));
            let copy = step; // with the bytes that were not written
            fused(&copy);
            ok($begin(&config, 0, core::ptr::null_mut(), core::ptr::null_mut(), t, &mut step));
            without_parameters(&step);
        }
    }};
}

/// What takes a step that was begun.
///
/// # Safety
/// It has `N` parameters.
unsafe fn fused(step: &gradus_step) {
    let (x, dy, mut dx, grads) = ([0.5; 8], [0.5; 8], [0.0; 8], [0_u16; N]);
    let conv =
        gradus_conv2d { input: [2, 2, 1], filters: 2, kernel: [2, 2], stride: [1, 1], padding: [0, 0] };
    let depthwise =
        gradus_depthwise_conv2d { input: [2, 2, 1], kernel: [2, 2], stride: [1, 1], padding: [0, 0] };
    let (x, dy, dx) = (x.as_ptr(), dy.as_ptr(), dx.as_mut_ptr());
    // SAFETY: pointers to what lives here, and a step that was begun.
    unsafe {
        ok(gradus_dense_backward_step(4, 2, 2, step, 0, x, dy, dx));
        ok(gradus_conv2d_backward_step(&conv, 2, step, 10, x, dy, dx));
        ok(gradus_depthwise_conv2d_backward_step(&depthwise, 2, step, 20, x, dy, dx));
        ok(gradus_bias_step(2, 2, step, 30, dy));
        ok(gradus_step_half_grads(step, grads.as_ptr()));
    }
}

/// A step of no parameters, which has no memory, taken by layers that have none.
///
/// # Safety
/// It was begun.
unsafe fn without_parameters(step: &gradus_step) {
    let (dy, null) = ([0.5; 8], core::ptr::null());
    // SAFETY: a step that was begun; there is nothing behind the other pointers to read.
    unsafe {
        assert_eq!(gradus_bias_step(0, 2, step, 0, null), gradus_status::GRADUS_ERROR_SHAPE);
        let none = gradus_dense_backward_step(4, 0, 2, step, 0, dy.as_ptr(), null, core::ptr::null_mut());
        assert_eq!(none, gradus_status::GRADUS_ERROR_SHAPE);
        ok(gradus_step_half_grads(step, core::ptr::null()));
    }
}

fn rules() {
    c_rules!(each!());
}

fn layers() {
    let (mut random, mut words, mut w, mut x, mut y, mut back) =
        (gradus_random::default(), [0; 2], [0.5_f32; 64], [0.5_f32; 16], [0.5_f32; 16], [0.5_f32; 16]);
    let (mut loss, mut count, mut outputs, labels, mut grads) = (0.0, 0, 0, [1_u16, 0], [0.0_f32; 64]);
    let conv =
        gradus_conv2d { input: [2, 2, 1], filters: 2, kernel: [2, 2], stride: [1, 1], padding: [0, 0] };
    let pool = gradus_max_pool2d { input: [2, 2, 1], window: [2, 2], stride: [1, 1], padding: [0, 0] };
    let depthwise =
        gradus_depthwise_conv2d { input: [2, 2, 1], kernel: [2, 2], stride: [1, 1], padding: [0, 0] };
    let mean = gradus_average_pool2d { input: [2, 2, 1], window: [2, 2], stride: [1, 1], padding: [0, 0] };
    let mut half = [0_u16; 10];
    let (r, w, x, y, b) =
        (&raw mut random, w.as_mut_ptr(), x.as_mut_ptr(), y.as_mut_ptr(), back.as_mut_ptr());
    let g = grads.as_mut_ptr();
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_random_seed(r, 1));
        ok(gradus_random_words(r, 2, words.as_mut_ptr()));
        ok(gradus_init_uniform(r, -1.0, 1.0, 64, w));
        ok(gradus_init_normal(r, 0.0, 1.0, 64, w));
        for init in [
            gradus_init_he_uniform,
            gradus_init_he_normal,
            gradus_init_lecun_uniform,
            gradus_init_lecun_normal,
        ] {
            ok(init(r, 4, 64, w));
        }
        for init in [gradus_init_glorot_uniform, gradus_init_glorot_normal] {
            ok(init(r, 4, 2, 64, w));
        }
        ok(gradus_dense_forward(4, 2, 2, w, x, y));
        ok(gradus_dense_backward(4, 2, 2, w, g, x, y, b));
        ok(gradus_dense_backward_input(4, 2, 2, w, y, b));
        ok(gradus_conv2d_sizes(&conv, &mut count, &mut outputs));
        ok(gradus_conv2d_forward(&conv, 2, w, x, y));
        ok(gradus_conv2d_backward(&conv, 2, w, g, x, y, b));
        ok(gradus_conv2d_backward_input(&conv, 2, w, y, b));
        ok(gradus_max_pool2d_forward(&pool, 2, x, y));
        ok(gradus_max_pool2d_backward(&pool, 2, x, y, y, b));
        ok(gradus_depthwise_conv2d_sizes(&depthwise, &mut count, &mut outputs));
        ok(gradus_depthwise_conv2d_forward(&depthwise, 2, w, x, y));
        ok(gradus_depthwise_conv2d_backward(&depthwise, 2, w, g, x, y, b));
        ok(gradus_depthwise_conv2d_backward_input(&depthwise, 2, w, y, b));
        ok(gradus_average_pool2d_forward(&mean, 2, x, y));
        ok(gradus_average_pool2d_backward(&mean, 2, y, b));
        ok(gradus_residual_add(16, y, x));
        for activation in [gradus_relu, gradus_tanh, gradus_sigmoid] {
            ok(activation(16, y));
        }
        for backward in [gradus_relu_backward, gradus_tanh_backward, gradus_sigmoid_backward] {
            ok(backward(16, x, y));
        }
        ok(gradus_leaky_relu(0.5, 16, y));
        ok(gradus_leaky_relu_backward(0.5, 16, x, y));
        ok(gradus_softmax(4, 16, y));
        ok(gradus_softmax_cross_entropy(4, 2, y, labels.as_ptr(), &mut loss));
        ok(gradus_binary_cross_entropy(16, x, y, &mut loss));
        ok(gradus_mean_squared_error(16, x, y, &mut loss));
        ok(gradus_huber(0.5, 16, x, y, &mut loss));
        let half = half.as_mut_ptr();
        ok(gradus_dense_backward_half(4, 2, 2, w, half, 1, 0, x, y, b));
        ok(gradus_conv2d_backward_half(&conv, 2, w, half, 1, 0, x, y, b));
        ok(gradus_depthwise_conv2d_backward_half(&depthwise, 2, w, half, 1, 0, x, y, b));
    }
}

fn schedules(version: u32, lr: f32) {
    let (warm_up_steps, warm_up_start, steps, gamma, k, min) = (2, 0.0, 9, 0.5, 0.1, 0.0);
    let (milestones, mut rate) = ([3, 5], 0.0);
    macro_rules! both {
        ($at:ident $check:ident $config:ident { $($field:tt)* }) => {{
            let config = $config { version, warm_up_steps, warm_up_start, $($field)* };
            // SAFETY: pointers to what lives here.
            unsafe {
                ok($check(&config));
                ok($at(&config, 4, &mut rate));
            }
        }};
    }
    both!(gradus_step_decay_at gradus_step_decay_check gradus_step_decay { lr, gamma, every: 3 });
    both!(gradus_exponential_at gradus_exponential_check gradus_exponential { lr, k });
    both!(gradus_inverse_time_at gradus_inverse_time_check gradus_inverse_time { lr, k });
    both!(gradus_linear_at gradus_linear_check gradus_linear { start: lr, end: min, steps });
    both!(gradus_cosine_at gradus_cosine_check gradus_cosine { lr, min, steps });
    both!(gradus_warm_restarts_at gradus_warm_restarts_check
        gradus_warm_restarts { lr, min, first: 2, mult: 2 });
    both!(gradus_snapshot_cycle_at gradus_snapshot_cycle_check
        gradus_snapshot_cycle { lr, steps, cycles: 3 });
    both!(gradus_triangular_at gradus_triangular_check
        gradus_triangular { min, max: lr, up: 2, down: 3, peaks: GRADUS_PEAKS_EXPONENTIAL, gamma });
    both!(gradus_one_cycle_at gradus_one_cycle_check
        gradus_one_cycle { start: min, max: lr, end: min, steps, rise: 0.3, three_phase: 1, anneal: 0 });
    both!(gradus_inverse_sqrt_at gradus_inverse_sqrt_check gradus_inverse_sqrt { lr, shift: 3 });
    both!(gradus_polynomial_at gradus_polynomial_check
        gradus_polynomial { lr, end: min, steps, power: 0.9 });
    both!(gradus_stable_decay_at gradus_stable_decay_check
        gradus_stable_decay { lr, end: min, stable: 1, fall: 9, anneal: GRADUS_ANNEAL_ROOT });
    both!(gradus_multi_step_at gradus_multi_step_check
        gradus_multi_step { lr, gamma, milestones: milestones.as_ptr(), count: 2 });
    let plateau = gradus_plateau {
        version,
        lr,
        factor: 0.5,
        threshold: 0.1,
        threshold_mode: GRADUS_THRESHOLD_ABSOLUTE,
        goal: GRADUS_GOAL_MAX,
        patience: 1,
        cooldown: 1,
        min,
        eps: 0.0,
    };
    let mut state = gradus::schedule::PlateauState::new();
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_plateau_check(&plateau));
        ok(gradus_plateau_update(&plateau, 0.5, &mut state, &mut rate));
        ok(gradus_plateau_lr(&plateau, &state, &mut rate));
    }
}

fn sums_and_penalties() {
    let (x, mut y, mut sum, mut count) = ([0.5_f32; N], [0.25_f32; N], 0.0, 0);
    let (params, state) = (core::ptr::null_mut(), core::ptr::null_mut());
    let (clock, transforms) = (core::ptr::null_mut(), core::ptr::null());
    let tensors = [gradus_tensor { n: N, params, grads: x.as_ptr(), state, clock, transforms }];
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_dot(N, x.as_ptr(), y.as_ptr(), &mut sum));
        for function in [gradus_l2_norm, gradus_sum_abs, gradus_max_abs] {
            ok(function(N, x.as_ptr(), &mut sum));
        }
        ok(gradus_count_non_finite(N, x.as_ptr(), &mut count));
        ok(gradus_l1_value(0.5, N, x.as_ptr(), &mut sum));
        ok(gradus_l2_value(0.5, N, x.as_ptr(), &mut sum));
        ok(gradus_elastic_net_value(0.5, 0.5, N, x.as_ptr(), &mut sum));
        ok(gradus_clip_norm(1.0, tensors.as_ptr(), 1, &mut sum));
        ok(gradus_limit_row_norms(N, y.as_mut_ptr(), N, 1.0));
        ok(gradus_limit_column_norms(N, y.as_mut_ptr(), N, 1.0));
    }
}

fn noise(version: u32) {
    let dropout = gradus_dropout { version, keep_prob: 0.5, vanilla: 0 };
    let (mut masks, mut mask, mut depth) = (gradus_masks::default(), [0; WORDS], 0.0);
    let (mut x, mut y, mut out, mut count) = ([0.5; N], [0.25; N], [0.0], 0);
    let (d, m, w, n) = (&dropout, &mut masks, mask.as_mut_ptr(), N);
    let (x, y, out) = (x.as_mut_ptr(), y.as_mut_ptr(), out.as_mut_ptr());
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_masks_seed(m, 7));
        ok(gradus_masks_fill(m, 0.5, WORDS, w));
        ok(gradus_dropout_check(d));
        ok(gradus_dropout_forward(d, n, x, m));
        ok(gradus_dropout_forward_mask(d, n, x, w));
        ok(gradus_dropout_relu_forward(d, n, x, m));
        ok(gradus_dropout_relu_forward_mask(d, n, x, w));
        ok(gradus_dropout_relu_backward(d, n, x, y));
        ok(gradus_dropout_inference(d, n, x));
        ok(gradus_dropconnect_forward(d, n, 1, x, y, out, w));
        ok(gradus_dropconnect_backward_weights(d, n, 1, out, y, x, w));
        ok(gradus_dropconnect_backward_input(d, n, 1, x, out, y, w));
        ok(gradus_dropconnect_inference(d, n, 1, x, y, out));
        ok(gradus_stochastic_depth_forward(d, n, x, 1, w));
        ok(gradus_stochastic_depth_linear(1, 3, 0.5, &mut depth));
        ok(gradus_monte_carlo_add(1, x, y, &mut count, out));
        ok(gradus_monte_carlo_finish(1, y, count));
    }
}

fn batch_norm(version: u32) {
    let norm = gradus_batch_norm { version, eps: 1e-5, running_decay: 0.9, track_biased: 0 };
    let shape = gradus_batch_shape { batch: N, channels: 1, spatial: 1 };
    let (mut x, mut y, mut running, mut clock) = ([0.5; N], [0.0; N], [0.0; 2], Clock::new());
    let mut channels = [[1.0], [0.0], [0.0], [0.0], [0.0], [0.0]];
    let [weight, bias, mean, variance, grad_weight, grad_bias] = channels.each_mut().map(|c| c.as_mut_ptr());
    let (c, s, x, y) = (&norm, &shape, x.as_mut_ptr(), y.as_mut_ptr());
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_batch_norm_check(c));
        ok(gradus_batch_norm_forward(c, s, x, y, weight, bias, mean, variance));
        ok(gradus_batch_norm_track(c, s, mean, variance, running.as_mut_ptr(), &mut clock));
        ok(gradus_batch_norm_backward(c, s, y, x, weight, mean, variance, grad_weight, grad_bias));
        ok(gradus_batch_norm_inference(c, s, x, weight, bias, running.as_ptr(), &clock));
        ok(gradus_batch_norm_fold(c, 1, N, weight, bias, running.as_ptr(), &clock, x, grad_bias));
        ok(gradus_batch_norm_fold_columns(c, 1, N, weight, bias, running.as_ptr(), &clock, x, grad_bias));
        let (norm, shape) = (
            gradus_group_norm { version, eps: 1e-5, groups: 1 },
            gradus_batch_shape { batch: 1, channels: 1, spatial: N },
        );
        let (c, s) = (&norm, &shape);
        ok(gradus_group_norm_check(c));
        ok(gradus_group_norm_forward(c, s, x, y, weight, bias, mean, variance));
        ok(gradus_group_norm_backward(c, s, y, x, weight, mean, variance, grad_weight, grad_bias));
        ok(gradus_group_norm_inference(c, s, x, weight, bias));
    }
}

fn files() {
    let (mut params, mut state, mut clock, mut masks) =
        ([0.5_f32; N], [0.0_f32; 2 * N], Clock::new(), gradus_masks::default());
    let none = core::ptr::null_mut();
    let items = [
        gradus_item { kind: GRADUS_ITEM_FLOATS, n: N, data: params.as_mut_ptr().cast(), clock: none },
        gradus_item { kind: GRADUS_ITEM_ADAM, n: N, data: state.as_mut_ptr().cast(), clock: &mut clock },
        gradus_item { kind: GRADUS_ITEM_MASKS, n: 0, data: (&raw mut masks).cast(), clock: none },
    ];
    let (mut buffer, mut size) = ([0; 1024], 0);
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_save_size(items.as_ptr(), items.len(), &mut size));
        ok(gradus_save(items.as_ptr(), items.len(), buffer.as_mut_ptr(), buffer.len(), &mut size));
        ok(gradus_load(items.as_ptr(), items.len(), buffer.as_ptr(), size));
        let mut place: Place<'_> = (&mut buffer[..], 0);
        let context = (&raw mut place).cast();
        ok(gradus_save_to(items.as_ptr(), items.len(), Some(sink), context, &mut size));
        ok(gradus_load_from(items.as_ptr(), items.len(), size, Some(source), context));
    }
}

/// The bytes of a file, and how many are there.
type Place<'a> = (&'a mut [u8], usize);

unsafe extern "C" fn sink(context: *mut c_void, bytes: *const u8, n: usize) -> i32 {
    // SAFETY: the context is a place, and the library vouches for the bytes.
    let ((file, at), bytes) =
        unsafe { (&mut *context.cast::<Place<'_>>(), core::slice::from_raw_parts(bytes, n)) };
    file[*at..*at + n].copy_from_slice(bytes);
    *at += n;
    0
}

unsafe extern "C" fn source(context: *mut c_void, at: usize, bytes: *mut u8, n: usize) -> i32 {
    // SAFETY: the context is a place, and the library vouches for the bytes.
    let ((file, _), bytes) =
        unsafe { (&*context.cast::<Place<'_>>(), core::slice::from_raw_parts_mut(bytes, n)) };
    bytes.copy_from_slice(&file[at..at + n]);
    0
}

/// A flash in memory.
type Chip = [u8; 2048];

unsafe extern "C" fn flash_read(context: *mut c_void, at: u32, bytes: *mut u8, n: usize) -> i32 {
    // SAFETY: the context is a chip, and the library vouches for the bytes.
    let (chip, bytes) = unsafe { (&*context.cast::<Chip>(), core::slice::from_raw_parts_mut(bytes, n)) };
    bytes.copy_from_slice(&chip[at as usize..][..n]);
    0
}

unsafe extern "C" fn flash_write(context: *mut c_void, at: u32, bytes: *const u8, n: usize) -> i32 {
    // SAFETY: the context is a chip, and the library vouches for the bytes.
    let (chip, bytes) = unsafe { (&mut *context.cast::<Chip>(), core::slice::from_raw_parts(bytes, n)) };
    chip[at as usize..][..n].copy_from_slice(bytes);
    0
}

unsafe extern "C" fn flash_erase(context: *mut c_void, from: u32, to: u32) -> i32 {
    // SAFETY: the context is a chip.
    let chip = unsafe { &mut *context.cast::<Chip>() };
    chip[from as usize..to as usize].fill(0xff);
    0
}

fn journal(version: u32) {
    let mut chip: Chip = [0; 2048];
    let flash = gradus_flash {
        version,
        start: 0,
        end: 2048,
        block: 512,
        read_word: 1,
        write_word: 4,
        read: Some(flash_read),
        write: Some(flash_write),
        erase: Some(flash_erase),
        context: (&raw mut chip).cast(),
    };
    let (mut params, mut journal, mut found, mut size) = ([0.5_f32; N], gradus_journal::default(), 0, 0);
    let data = params.as_mut_ptr().cast();
    let item = gradus_item { kind: GRADUS_ITEM_FLOATS, n: N, data, clock: core::ptr::null_mut() };
    let mut bytes = [7; 64];
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_journal_open(&flash, &mut journal));
        ok(gradus_journal_save(&flash, &mut journal, &item, 1));
        ok(gradus_journal_load(&flash, &journal, &item, 1, &mut found));
        ok(gradus_journal_write(&flash, &mut journal, bytes.as_ptr(), bytes.len()));
        ok(gradus_journal_read(&flash, &journal, bytes.as_mut_ptr(), bytes.len(), &mut size));
    }
}

unsafe extern "C" fn model(_: *mut c_void, _: usize, _: *const f32, m: usize, out: *mut f32) -> i32 {
    // SAFETY: the library vouches for the predictions.
    unsafe { core::slice::from_raw_parts_mut(out, m) }.fill(0.5);
    0
}

fn online() {
    let (mut x, mut state, mut clock) = ([0.5_f32; 6], [0.0_f32; 6], Clock::new());
    let (mut sum, mut counts, mut accuracy) = ([0.0; 6], [0_u32; 4], 0.0);
    let config = gradus_schedulefree_default(0.5);
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_input_norm_update(3, 2, x.as_ptr(), state.as_mut_ptr(), &mut clock));
        ok(gradus_input_norm_apply(1e-7, 3, 2, x.as_mut_ptr(), state.as_ptr(), &clock));
        ok(gradus_accumulate(6, x.as_ptr(), sum.as_mut_ptr(), &mut clock));
        ok(gradus_confusion_add(2, 3, x.as_ptr(), [0, 1, 0].as_ptr(), counts.as_mut_ptr()));
        ok(gradus_confusion_accuracy(2, counts.as_ptr(), &mut accuracy));
        ok(gradus_schedulefree_average(&config, 6, x.as_mut_ptr(), state.as_ptr()));
    }
}

fn averages(version: u32) {
    let (params, mut state, mut clock) = ([0.5_f32; N], [0.0_f32; 2 * N], Clock::new());
    let config = gradus_ema { version, decay: 0.9 };
    let (mut members, mut scratch, mut mean, mut index) = ([0.0; 2 * N], [0.0; 3], [0.0; 3], 0);
    let mut ensemble = gradus_ensemble { version, count: 0, room: 2, n: N, members: members.as_mut_ptr() };
    let none = core::ptr::null_mut();
    // SAFETY: pointers to what lives here.
    unsafe {
        ok(gradus_ema_check(&config));
        ok(gradus_ema_update(&config, N, params.as_ptr(), state.as_mut_ptr(), &mut clock));
        ok(gradus_swa_update(N, params.as_ptr(), state.as_mut_ptr(), &mut clock));
        ok(gradus_compensated_ema_update(&config, N, params.as_ptr(), state.as_mut_ptr(), &mut clock));
        ok(gradus_ensemble_push(&mut ensemble, params.as_ptr()));
        let (scratch, mean) = (scratch.as_mut_ptr(), mean.as_mut_ptr());
        ok(gradus_ensemble_predict(&ensemble, Some(model), none, 3, scratch, mean));
        ok(gradus_argmax(3, mean, &mut index));
    }
}

fn lbfgs(version: u32) {
    let settings = super::c_lbfgs::settings(2);
    let config = gradus_lbfgs { version, max_iterations: 9, max_evaluations: 20, tolerance: 0.0, ..settings };
    macro_rules! run {
        ($t:ident $step:ident $stop:ident $save:ident $load:ident) => {{
            let (mut x, mut g, mut work) = ([3.0 as $t, -2.0], [0.0 as $t; 2], [0.0 as $t; 2 * 7 + 12]);
            let (mut state, mut buffer, mut size) = (gradus_lbfgs_state::default(), [0; 1024], 0);
            let (p, q, w, s) = (x.as_mut_ptr(), g.as_mut_ptr(), work.as_mut_ptr(), &raw mut state);
            let null = core::ptr::null();
            // SAFETY: pointers to what lives here.
            unsafe {
                for _ in 0..4 {
                    let (a, b) = (*p, *p.add(1));
                    *q = 4.0 * a * a * a;
                    *q.add(1) = 2.0 * b;
                    ok($step(&config, 2, p, a * a * a * a + b * b, q, null, null, null, w, s));
                }
                ok($save(&config, 2, p, q, w, s, buffer.as_mut_ptr(), buffer.len(), &mut size));
                ok($load(&config, 2, p, q, w, s, buffer.as_ptr(), size));
                ok($stop(&config, 2, p, q, w, s));
            }
        }};
    }
    run!(f32 gradus_lbfgs_step gradus_lbfgs_stop gradus_lbfgs_save gradus_lbfgs_load);
    run!(f64 gradus_lbfgs_step_f64 gradus_lbfgs_stop_f64 gradus_lbfgs_save_f64 gradus_lbfgs_load_f64);
}
