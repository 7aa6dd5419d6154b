use gradus::schedule::*;
use gradus::{Error, Hyper};

/// The fall of a cycle that has no rise began at step 0, not before it, and a cycle that only rises never arrived.
#[test]
fn one_cycle_is_pytorch_s_at_its_ends() {
    let near = |cycle: OneCycle, step, want: f32| {
        assert_eq!(cycle.check(), Ok(()));
        assert!((cycle.at(step) - want).abs() < 5e-6, "{cycle:?} at {step}: {}", cycle.at(step));
    };
    near(OneCycle::new(1.0, 2), 0, 0.811_746);
    near(OneCycle { rise: 0.0, ..OneCycle::new(1.0, 10) }, 3, 0.654_51);
    near(OneCycle { rise: 1.0, ..OneCycle::new(1.0, 10) }, 9, 1.0);
    let no_top = OneCycle { three_phase: true, rise: 0.1, ..OneCycle::new(1.0, 10) };
    assert_eq!(no_top.check(), Err(Error::Range(Hyper::Fraction)));
}

/// Repeated squaring in f32 was off by 1.7e-4 after 20 000 steps, and a growing rate stood still.
#[test]
fn powers_of_gamma_keep_their_digits_and_grow() {
    for step in [1000, 20_000] {
        let (got, want) =
            (f64::from(StepDecay::new(0.1, 0.999, 1).at(step)), 0.1 * 0.999_f64.powi(step as i32));
        assert!((got / want - 1.0).abs() < 1e-7, "{step}: {got:e}, not {want:e}");
    }
    assert_eq!(StepDecay::new(0.1, 1.5, 10).check(), Ok(()));
    let grown = (f64::from(0.1_f32) * 2.25) as f32; // the 0.225 of PyTorch, from the nearest float to 0.1
    assert_eq!(StepDecay::new(0.1, 1.5, 10).at(25), grown);
    assert_eq!(MultiStep::new(0.1, 1.5, [10, 20]).at(25), grown);
}

/// Keras has the old value at a boundary of `PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])`.
#[test]
fn keras_s_boundaries_belong_to_what_is_before_them() {
    let schedule = Constant(0.1).then(11, Constant(0.01)).then(21, Constant(0.001));
    assert_eq!([0, 10, 11, 20, 21].map(|step| schedule.at(step)), [0.1, 0.1, 0.01, 0.01, 0.001]);
}

/// A power beyond the range of `f32` times a rate at the other end of it: both once, or ever, lost the rate.
#[test]
fn an_exponential_rate_keeps_its_digits_where_its_power_has_none() {
    for (lr, k, steps) in
        [(1e-45_f32, -122.703_125_f32, 1), (3e38, 0.5, 200), (1e3, 0.125, 700), (1e-38, -1.0, 120)]
    {
        let got = Exponential { lr, k }.at(steps);
        let want = f64::from(lr) * (-f64::from(k) * f64::from(steps)).exp();
        assert!((f64::from(got) / want - 1.0).abs() < 1e-6, "{lr:e} {k} {steps}: {got:e}, not {want:e}");
    }
}

/// A schedule that was not checked stays within its range: shares beyond a whole are whole, and those that are none are 0.
#[test]
fn shares_beyond_a_whole_are_whole() {
    let cycle = |rise| [0, 3, 5, 9].map(|step| OneCycle { rise, ..OneCycle::new(1.0, 10) }.at(step));
    assert_eq!((cycle(2.0), cycle(f32::INFINITY)), (cycle(1.0), cycle(1.0)));
    assert_eq!((cycle(-2.0), cycle(f32::NAN)), (cycle(0.0), cycle(0.0)));
    assert_ne!(cycle(0.5), cycle(1.0));
    let peaks = |gamma| {
        let waves = Triangular { peaks: Peaks::Exponential(gamma), ..Triangular::new(0.1, 0.2, 2, 2) };
        [1, 2, 5, 6, 9].map(|step| waves.at(step))
    };
    assert_eq!(peaks(1.5), peaks(1.0));
    assert_ne!(peaks(0.5), peaks(1.0));
}

/// What is exactly at a limit: a metric by the margin better is not better, and a fall by `eps` takes no place.
#[test]
fn a_plateau_asks_for_more_than_its_limits() {
    let metrics = [
        (Goal::Min, Threshold::Absolute(0.25), [1.0, 0.75]),
        (Goal::Max, Threshold::Absolute(0.25), [1.0, 1.25]),
        (Goal::Min, Threshold::Relative(0.25), [1.0, 0.75]),
        (Goal::Max, Threshold::Relative(0.25), [1.0, 1.25]),
    ];
    for (goal, threshold, [first, second]) in metrics {
        let plateau = Plateau { goal, threshold, ..Plateau::new(1.0) };
        let mut state = PlateauState::new();
        plateau.update(&mut state, first);
        plateau.update(&mut state, second);
        assert_eq!((state.improvements, state.bad, state.best), (1, 1, first), "{goal:?} {threshold:?}");
    }
    let plateau = Plateau { factor: 0.5, patience: 0, eps: 0.5, ..Plateau::new(1.0) };
    let rate = |plateau: Plateau| {
        let mut state = PlateauState::new();
        [1.0, 1.0].map(|loss| plateau.update(&mut state, loss))[1]
    };
    assert_eq!((rate(plateau), rate(Plateau { eps: 0.499, ..plateau })), (1.0, 0.5));
}

/// The way down of a cycle by roots: `1 - sqrt(x)` of what is left.
#[test]
fn one_cycle_falls_by_its_root() {
    let cycle = OneCycle { anneal: Anneal::Root, ..OneCycle::new(1.0, 101) };
    let (top, last) = (f64::from(cycle.rise) * 101.0 - 1.0, 100.0);
    for step in [31, 40, 70, 99] {
        let part = (f64::from(step) - top) / (last - top);
        let want = f64::from(cycle.end) + f64::from(cycle.max - cycle.end) * (1.0 - part.sqrt());
        assert!((f64::from(cycle.at(step)) - want).abs() < 1e-5, "{step}: {} {want}", cycle.at(step));
    }
}

/// The smallest rate falls by less than half of itself to itself.
#[test]
fn the_smallest_rate_rounds_to_nearest() {
    let least = f32::from_bits(1);
    assert_eq!(StepDecay::new(least, 0.75, 1).at(1), least);
    assert_eq!(StepDecay::new(least, 0.25, 1).at(1), 0.0);
}
