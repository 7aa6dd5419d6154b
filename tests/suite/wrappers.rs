//! Optimizers around others, schedules behind references, states of any optimizer: what they pass on.

use gradus::schedule::{Schedule, StepDecay};
use gradus::transform::{Decay, Scale};
use gradus::*;
use std::fmt::Debug;

/// What is around an optimizer has its rate and its check.
fn passes_on<O: Optimizer + PartialEq + Debug>(around: impl Fn(Adam) -> O) {
    let optimizer = around(Adam::new(0.25));
    assert_eq!((optimizer.lr(), optimizer.check()), (0.25, Ok(())), "{optimizer:?}");
    assert_eq!(optimizer.with_lr(0.5), around(Adam::new(0.5)));
    assert_eq!(around(Adam::new(-1.0)).check(), Err(Error::Range(Hyper::LearningRate)));
    assert_eq!(around(Adam { beta1: 2.0, ..Adam::new(0.25) }).check(), Err(Error::Range(Hyper::Beta1)));
}

#[test]
fn what_is_around_an_optimizer_has_its_settings() {
    passes_on(|adam| adam);
    passes_on(|adam| adam.on(Level::SCALAR));
    passes_on(|adam| adam.half());
    passes_on(|adam| adam.with((Scale(0.5), Decay::new(0.1))));
    passes_on(|adam| adam.on(Level::SCALAR).half().with(Scale(0.5)));
}

#[test]
fn what_is_around_an_optimizer_runs_where_it_does() {
    let (adam, scalar) = (Adam::new(0.25), Exec::from(Level::SCALAR));
    assert_eq!(adam.exec(), Exec::new());
    assert_eq!(adam.on(Level::SCALAR).exec(), scalar);
    assert_eq!(adam.on(Level::SCALAR).with_lr(0.5).exec(), scalar);
    assert_eq!(adam.on(Level::SCALAR).half().exec(), scalar);
    assert_eq!(adam.on(Level::SCALAR).with(Scale(0.5)).exec(), scalar);
}

/// A decay goes by the rate of the optimizer, wherever that runs.
#[test]
fn transforms_know_the_rate_of_an_optimizer_that_runs_elsewhere() {
    let (decay, start) = (Decay::new(0.5), [1.0, -2.0, 3.0]);
    let step = |optimizer: &dyn Fn(&mut [f32; 3], &mut SgdState<3>)| {
        let (mut params, mut state) = (start, SgdState::new());
        optimizer(&mut params, &mut state);
        params
    };
    let (sgd, grads) = (Sgd::new(0.25), [0.5; 3]);
    let want = step(&|params, state| sgd.with(decay).step(params, &grads, state));
    assert_eq!(want[0], 1.0 - 0.125 - 0.125);
    for level in Level::available() {
        assert_eq!(step(&|params, state| sgd.on(level).with(decay).step(params, &grads, state)), want);
        assert_eq!(step(&|params, state| sgd.with(decay).on(level).step(params, &grads, state)), want);
    }
}

#[test]
fn a_schedule_behind_a_reference_is_checked() {
    fn check(schedule: impl Schedule) -> (Result<(), Error>, f32) {
        (schedule.check(), schedule.at(3))
    }
    let schedule = StepDecay::new(1.0, 0.5, 2);
    assert_eq!(check(&schedule), (Ok(()), 0.5));
    let refused = StepDecay::new(-1.0, 0.5, 2);
    assert_eq!(check(&refused).0, refused.check());
    assert!(refused.check().is_err());
}

#[cfg(feature = "alloc")]
#[test]
fn a_state_of_any_optimizer_names_it_and_begins_anew() {
    let adam: AnyOptimizer = "adam".parse().unwrap();
    let (mut params, mut state) = (vec![1.0; 5], adam.state(5));
    let fresh = state.clone();
    assert_eq!((state.name(), state.t()), ("adam", 0));
    adam.step_slices(&mut params, &[0.5; 5], state.as_mut()).unwrap();
    assert_eq!(state.t(), 1);
    state.reset();
    let file = |state: &AnyState| store::to_vec(state).unwrap();
    assert_eq!((state.t(), file(&state)), (0, file(&fresh)));
}
