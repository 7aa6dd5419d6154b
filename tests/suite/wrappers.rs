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

#[test]
fn states_are_equal_where_columns_and_clock_are() {
    let (mut one, mut other) = (AdamState::<2>::new(), AdamState::<2>::new());
    assert_eq!(one, other);
    one.clock.t = 1;
    assert_ne!(one, other);
    other.clock.t = 1;
    other.columns[1][1] = 0.5;
    assert_ne!(one, other);
    assert_eq!(format!("{other:?}").matches("0.5").count(), 1, "{other:?}");
    assert!(format!("{:?}", other.as_mut()).contains("0.5"));

    let adam = Adam::new(0.1);
    let (mut one, mut other) = (adam.state_vec(2), adam.state_vec(2));
    assert_eq!(one, other);
    one.as_mut().clock.t = 1;
    assert_ne!(one, other);
    other.as_mut().clock.t = 1;
    assert_eq!(one, other);
    one.as_mut().columns[0][1] = 0.5;
    assert_ne!(one, other);
    assert!(format!("{one:?}").contains("0.5"));
    one.reset();
    assert_eq!(one, adam.state_vec(2));

    let (mut params, grads) = ([0.25; 2], [0.75; 2]);
    let tensor = Tensor::new(&mut params, &grads, one.as_mut());
    assert!(format!("{tensor:?}").contains("0.25"), "{tensor:?}");
}

/// A view of a part knows its place, and so does one that is lent on: halves round by it.
#[test]
fn a_part_that_is_lent_on_knows_its_place() {
    let adam = Adam::new(0.1).half();
    let (mut whole, mut parts) = (adam.state::<9>(), adam.state::<9>());
    let (mut params, mut others) = ([0.5; 9], [0.5; 9]);
    for _ in 0..3 {
        let grads = std::array::from_fn(|i| 0.3 + i as f32);
        adam.step(&mut params, &grads, &mut whole);
        let (t, mut state) = (parts.clock.t, parts.as_mut());
        for range in [0..4, 4..9] {
            let mut part = state.get(range.clone()).unwrap();
            let lent = part.reborrow();
            lent.clock.t = t;
            adam.step_slices(&mut others[range.clone()], &grads[range], lent).unwrap();
        }
    }
    assert_eq!((params, whole), (others, parts));
}

#[test]
fn an_update_knows_whether_it_is_empty() {
    let adam = Adam::new(0.1);
    let (mut params, mut state) = ([0.5; 3], adam.state::<3>());
    let [none, all] = adam.update(&mut params, &mut state).split([0, 3]).unwrap();
    assert_eq!((none.is_empty(), all.is_empty(), all.len()), (true, false, 3));
    assert!(format!("{all:?}").contains("params: 3"), "{all:?}");
}

/// Lists are cut where that balances threads, large tensors too: each element takes its step once.
#[cfg(feature = "rayon")]
#[test]
fn a_list_on_threads_has_the_bits_of_one_thread() {
    let adam = Adam::new(0.1);
    for lengths in [
        vec![200_000, 3, 0, 500_000, 170_000],
        vec![1000; 400],
        vec![10, 600_000],
        vec![600_000, 10],
        vec![300_000; 2],
    ] {
        let grads: Vec<Vec<f32>> =
            lengths.iter().map(|n| (0..*n).map(|i| (i % 13) as f32 - 6.5).collect()).collect();
        let run = |threads: Option<usize>| {
            let mut params: Vec<Vec<f32>> = lengths.iter().map(|n| vec![0.5; *n]).collect();
            let mut states: Vec<_> = lengths.iter().map(|n| adam.state_vec(*n)).collect();
            let mut clock = Clock::new();
            for _ in 0..2 {
                let mut tensors: Vec<_> = params
                    .iter_mut()
                    .zip(&grads)
                    .zip(&mut states)
                    .map(|((p, g), s)| Tensor::new(p, g, s.as_mut()))
                    .collect();
                match threads {
                    None => adam.step_tensors(&mut tensors, &mut clock).unwrap(),
                    Some(n) => {
                        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
                        pool.install(|| adam.on(Exec::threads()).step_tensors(&mut tensors, &mut clock))
                            .unwrap();
                    }
                }
            }
            (params, states)
        };
        let want = run(None);
        for threads in [2, 3, 5] {
            assert!(run(Some(threads)) == want, "{lengths:?} {threads}");
        }
    }
}
