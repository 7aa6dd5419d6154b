//! Optimizers chosen at run time: they step, save and refuse as those whose type is known.

use crate::support::rules::Whole;
use gradus::{AnyOptimizer, AnyStateMut, Clock, Error, Exec, Level, Optimizer, StateVec};
use std::fmt::Debug;

const N: usize = 21;

fn grads(t: usize) -> Vec<f32> {
    (0..N).map(|i| ((i * 7 + t * 3) % 11) as f32 - 5.0).collect()
}

#[test]
fn a_name_is_the_optimizer_of_that_name() {
    assert_eq!(AnyOptimizer::NAMES.len(), 17);
    for name in AnyOptimizer::NAMES {
        let optimizer: AnyOptimizer = name.parse().unwrap();
        assert_eq!((optimizer.name(), optimizer.to_string().as_str()), (*name, *name));
        assert_eq!(optimizer.check(), Ok(()));
        assert_eq!(optimizer.with_lr(0.25).lr(), 0.25);
    }
    let text = "adm".parse::<AnyOptimizer>().unwrap_err().to_string();
    assert!(AnyOptimizer::NAMES.iter().all(|name| text.contains(name)), "{text}");
}

#[test]
fn it_steps_as_the_optimizer_inside() {
    fn check<O: Whole + Debug>(optimizer: O)
    where
        AnyOptimizer: From<O>,
    {
        let any = AnyOptimizer::from(optimizer);
        let (mut want, mut state) = (vec![0.5; N], StateVec::<O::Family>::new(N));
        let (mut got, mut any_state) = (want.clone(), any.state(N));
        let (mut borrowed, mut memory, mut clock) =
            (want.clone(), vec![0.0; any.columns() * N], Clock::new());
        for t in 0..20 {
            optimizer.step_slices(&mut want, &grads(t), state.as_mut()).unwrap();
            any.step_slices(&mut got, &grads(t), any_state.as_mut()).unwrap();
            let view = AnyStateMut::new(&any, &mut memory, &mut clock);
            let level = Level::available().nth(t % Level::available().count()).unwrap();
            assert_eq!(any.on(level).step_if_finite(&mut borrowed, &grads(t), view), Ok(0));
        }
        assert_eq!((&got, &borrowed), (&want, &want), "{optimizer:?}");
        assert_eq!((any_state.t(), clock.t), (20, 20));
    }
    each_rule!(check);
    each_variant!(check);
}

#[test]
fn wrong_states_are_refused_before_a_write() {
    let (adam, lion): (AnyOptimizer, AnyOptimizer) = ("adam".parse().unwrap(), "lion".parse().unwrap());
    let mut params = [1.0; N];
    let mut state = lion.state(N);
    assert_eq!(adam.step_slices(&mut params, &grads(0), state.as_mut()), Err(Error::Kind));
    let mut short = adam.state(N - 1);
    let error = adam.step_slices(&mut params, &grads(0), short.as_mut()).unwrap_err();
    assert!(matches!(error, Error::Length { expected: 42, found: 40, .. }), "{error:?}");
    assert!(adam.step_slices(&mut params, &grads(0)[1..], adam.state(N).as_mut()).is_err());
    assert_eq!((params, state.t(), short.t()), ([1.0; N], 0, 0));
    let mut skipped = adam.state(N);
    let mut broken = grads(0);
    broken[3] = f32::NAN;
    assert_eq!(adam.step_if_finite(&mut params, &broken, skipped.as_mut()), Ok(1));
    assert_eq!((params, skipped.t()), ([1.0; N], 0));
}

#[test]
fn files_are_those_of_the_optimizer_inside() {
    fn check<O: Whole + Debug>(optimizer: O)
    where
        AnyOptimizer: From<O>,
        O::Family: gradus::store::Family,
    {
        let any = AnyOptimizer::from(optimizer);
        let mut params = vec![0.5; N];
        let mut state = StateVec::<O::Family>::new(N);
        for t in 0..3 {
            optimizer.on(Exec::new()).step_slices(&mut params, &grads(t), state.as_mut()).unwrap();
        }
        let file = gradus::store::to_vec(&state).unwrap();
        let mut loaded = any.state(0);
        gradus::store::load(&mut loaded, &file).unwrap();
        assert_eq!(loaded.t(), 3);
        assert_eq!(gradus::store::to_vec(&loaded).unwrap(), file, "{optimizer:?}");
        #[cfg(feature = "serde")]
        {
            let text = serde_json::to_string(&loaded).unwrap();
            assert_eq!(serde_json::from_str::<gradus::AnyState>(&text).unwrap(), loaded);
        }
    }
    each_rule!(check);
}

#[test]
#[cfg(feature = "serde")]
fn a_state_that_cannot_be_is_refused() {
    for text in [
        r#"{"optimizer":"adm","memory":[],"clock":{"t":0,"carry":0.0}}"#,
        r#"{"optimizer":"adam","memory":[1.0],"clock":{"t":0,"carry":0.0}}"#,
        r#"{"optimizer":"sgd","memory":[1.0],"clock":{"t":0,"carry":0.0}}"#,
    ] {
        assert!(serde_json::from_str::<gradus::AnyState>(text).is_err(), "{text}");
    }
}
