use gradus::Clock;
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

/// A step of no parameters kept the null pointers that it was begun with, and a layer without biases made a slice of one.
#[test]
fn a_step_of_no_parameters_has_no_null_pointer() {
    let (adam, mut clock, dy) = (gradus_adam_default(0.1), Clock::new(), [0.5_f32; 4]);
    // SAFETY: zeros are a step that was not begun; the pointers are those of live values, or null where nothing is read.
    unsafe {
        let mut step = core::mem::zeroed::<gradus_step>();
        assert_eq!(gradus_adam_begin(&adam, 0, null_mut(), null_mut(), &mut clock, &mut step), GRADUS_OK);
        assert!(!step.params.is_null() && !step.state.is_null());
        assert_eq!(gradus_bias_step(0, 2, &step, 0, dy.as_ptr()), GRADUS_ERROR_SHAPE);
        assert_eq!(gradus_bias_step(1, 2, &step, 0, dy.as_ptr()), GRADUS_ERROR_LENGTH);
        assert_eq!(gradus_step_half_grads(&step, null()), GRADUS_OK);
    }
    assert_eq!(clock.t, 1);
}

/// A transform that is not there leaves bytes of the step unwritten, which were of a type that must not have any.
#[test]
fn a_step_may_be_copied_and_printed() {
    let (adam, mut clock) = (gradus_adam_default(0.1), Clock::new());
    let transforms = gradus_transforms {
        version: GRADUS_STRUCTS,
        flags: GRADUS_SCALE,
        scale: 0.5,
        clip_value: 0.0,
        l2: 0.0,
        l1: 0.0,
        elastic_net: 0.0,
        elastic_net_beta: 0.0,
        decay: 0.0,
        prox_l1: 0.0,
        clamp_params: 0.0,
    };
    let run = |copied: bool, clock: &mut Clock| {
        let (mut params, mut state, dy) = ([0.5_f32; 2], [0.0_f32; 4], [0.25_f32, -1.0]);
        // SAFETY: zeros are a step that was not begun; the pointers are those of live values.
        unsafe {
            let (p, s) = (params.as_mut_ptr(), state.as_mut_ptr());
            let mut step = core::mem::zeroed::<gradus_step>();
            let begun = gradus_adam_begin_with(&adam, &transforms, null(), 2, p, s, clock, &mut step);
            let copy = step;
            assert_eq!(begun, GRADUS_OK);
            assert_eq!(gradus_bias_step(2, 1, if copied { &copy } else { &step }, 0, dy.as_ptr()), GRADUS_OK);
            assert!(format!("{copy:?}").starts_with("gradus_step { version: 1, t: 1, n: 2,"), "{copy:?}");
        }
        (params, state)
    };
    assert_eq!(run(false, &mut Clock::new()), run(true, &mut clock));
}

/// A configuration was copied, and memory that a call writes was not compared with it: a schedule overwrote its own rate.
#[test]
fn what_is_written_is_apart_from_the_configuration() {
    let (version, lr, min) = (GRADUS_STRUCTS, 0.5, 0.0);
    let mut cosine = gradus_cosine { version, lr, min, steps: 9, warm_up_steps: 0, warm_up_start: 0.0 };
    let mut dropout = gradus_dropout { version, keep_prob: 0.5, vanilla: 0 };
    let mut milestones = [3, 5_u32];
    let multi = gradus_multi_step {
        version,
        lr,
        gamma: 0.5,
        milestones: milestones.as_ptr(),
        count: 2,
        warm_up_steps: 0,
        warm_up_start: 0.0,
    };
    let mut masks = gradus_masks::default();
    let (schedule, config, steps) = (&raw mut cosine, &raw mut dropout, milestones.as_mut_ptr());
    // SAFETY: pointers to live values.
    unsafe {
        assert_eq!(gradus_cosine_at(schedule, 5, &raw mut (*schedule).lr), GRADUS_ERROR_OVERLAP);
        assert_eq!(gradus_multi_step_at(&multi, 5, steps.cast()), GRADUS_ERROR_OVERLAP);
        let keep = &raw mut (*config).keep_prob;
        assert_eq!(gradus_dropout_forward(config, 1, keep, &mut masks), GRADUS_ERROR_OVERLAP);
    }
    assert_eq!((cosine.lr, dropout.keep_prob, milestones), (0.5, 0.5, [3, 5]));
}

/// An optimizer without states in half the memory had such an item, which no call could have filled.
#[test]
fn items_of_half_the_memory_are_those_of_half_steps() {
    let (mut columns, mut clock, mut size) = ([0_u16; 8], Clock::new(), 0);
    let (data, clock) = (columns.as_mut_ptr().cast(), &raw mut clock);
    let mut asked = |kind| {
        let item = gradus_item { kind: kind | GRADUS_ITEM_HALF, n: 2, data, clock };
        // SAFETY: pointers to live values.
        unsafe { gradus_save_size(&item, 1, &mut size) }
    };
    assert_eq!([asked(GRADUS_ITEM_ADAM), asked(GRADUS_ITEM_LION)], [GRADUS_OK; 2]);
    for kind in [
        GRADUS_ITEM_SGD,
        GRADUS_ITEM_AMSGRAD,
        GRADUS_ITEM_SCHEDULEFREE,
        GRADUS_ITEM_BATCH_NORM,
        GRADUS_ITEM_SWA,
        GRADUS_ITEM_EMA,
        GRADUS_ITEM_COMPENSATED_EMA,
        GRADUS_ITEM_INPUT_NORM,
        GRADUS_ITEM_ACCUMULATE,
        GRADUS_ITEM_FLOATS,
    ] {
        assert_eq!(asked(kind), GRADUS_ERROR_ENUM, "{kind}");
    }
}

unsafe extern "C" fn fails(context: *mut c_void, _: usize, _: *const f32, _: usize, _: *mut f32) -> i32 {
    // SAFETY: the context is a count.
    unsafe { *context.cast::<u32>() += 1 };
    1
}

/// A model that had failed was called for every other member.
#[test]
fn a_model_that_failed_is_not_called_again() {
    let (mut members, mut scratch, mut mean, mut calls) = ([0.0_f32; 3], [0.0_f32; 2], [0.0_f32; 2], 0_u32);
    let ensemble =
        gradus_ensemble { version: GRADUS_STRUCTS, count: 3, room: 3, n: 1, members: members.as_mut_ptr() };
    let (context, scratch, mean) = ((&raw mut calls).cast(), scratch.as_mut_ptr(), mean.as_mut_ptr());
    // SAFETY: pointers to live values.
    let status = unsafe { gradus_ensemble_predict(&ensemble, Some(fails), context, 2, scratch, mean) };
    assert_eq!((status, calls), (GRADUS_ERROR_CALLBACK, 1));
}

/// Too many pairs were "nothing to compute with".
#[test]
fn too_many_pairs_are_a_length() {
    let config = |pairs| {
        let settings = crate::support::c_lbfgs::settings(pairs);
        gradus_lbfgs { max_iterations: 9, max_evaluations: 20, tolerance: 0.0, ..settings }
    };
    let (mut x, mut g, mut work, mut state) =
        ([0.5_f32], [1.0_f32], [0.0_f32; 600], gradus_lbfgs_state::default());
    let mut step = |pairs| {
        let (x, g, work) = (x.as_mut_ptr(), g.as_mut_ptr(), work.as_mut_ptr());
        // SAFETY: pointers to live values.
        unsafe { gradus_lbfgs_step(&config(pairs), 1, x, 1.0, g, null(), null(), null(), work, &mut state) }
    };
    assert_eq!([step(21), step(0)], [GRADUS_ERROR_LENGTH, GRADUS_ERROR_EMPTY]);
    assert_eq!(step(20), GRADUS_OK);
}
