//! L-BFGS step by step: told what decides, it asks for the point that the rule names.

use gradus::second_order::{Given, Lbfgs, LbfgsSettings, LineSearch, Stop};

const BACKTRACKING: LineSearch = LineSearch::Backtracking;

/// Tells a run from 0 values and gradients in turn: the run, and the points up to the one behind the last answer.
fn told<const N: usize>(
    settings: LbfgsSettings<f64>,
    given: &Given<'_, f64>,
    answers: &[(f64, [f64; N])],
) -> (Lbfgs<N, 3, f64>, Vec<[f64; N]>) {
    let mut solver = Lbfgs::new();
    solver.start(&settings, &[0.0; N]).unwrap();
    let mut points = vec![*solver.x()];
    for (f, gradient) in answers {
        let (_, g) = solver.ask().unwrap();
        *g = *gradient;
        solver.tell_with(*f, given).unwrap();
        points.push(*solver.x());
    }
    (solver, points)
}

#[test]
fn the_first_step_is_of_length_1_or_the_shorter_one_of_the_preconditioner() {
    let h = Given::new().preconditioner(&[1.0, 0.25]);
    for (gradient, given, want) in [
        ([-0.25, -1.0], h, [0.25, 0.25]),
        ([-8.0, 0.0], h, [1.0, 0.0]),
        ([0.0, -0.25], Given::new(), [0.0, 1.0]),
    ] {
        let (_, points) = told(LbfgsSettings::new(), &given, &[(0.0, gradient)]);
        assert_eq!(points[1], want, "{gradient:?}");
    }
}

#[test]
fn a_direction_without_length_ends_the_run_at_once() {
    let settings = LbfgsSettings { tolerance: 0.0, ..LbfgsSettings::new() };
    let given = Given::new().preconditioner(&[1e-200]);
    let (solver, _) = told(settings, &given, &[(0.0, [1e-200])]); // the product of both underflows
    assert_eq!((solver.report().stop, solver.x()), (Stop::LineSearch, &[0.0]));
}

#[test]
fn a_pair_whose_change_lies_across_its_move_is_left_out() {
    // The gradient changes by 1 along the move, and across it by so much that 1 is no more than its rounding.
    let across = f64::powi(2.0, 57);
    let (_, points) = told(LbfgsSettings::new(), &Given::new(), &[(0.0, [-1.0, 0.0]), (-0.5, [0.0, across])]);
    assert_eq!(points, [[0.0, 0.0], [1.0, 0.0], [1.0, -1.0]]);
    // The first parameter makes up for that, until its bound holds it: then the others count alone.
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let (lower, upper) = ([low; 3], [0.5, high, high]);
    let (_, points) = told(
        LbfgsSettings::new(),
        &Given::new().bounds(&lower, &upper),
        &[(0.0, [-1024.0, -32.0, 0.0]), (-200.0, [-1.0, -16.0, across])],
    );
    assert_eq!((points[2][0], points[2][2]), (0.5, -1.0), "down the steepest slope");
}

#[test]
fn a_pair_without_any_curvature_leaves_the_others_as_they_are() {
    // The second change lies across its move, and its square underflows. The first pair steps on, down a slope of 1/2.
    let settings = LbfgsSettings { line_search: BACKTRACKING, ..LbfgsSettings::new() };
    let given = Given::new().preconditioner(&[1.0, 1e100]);
    let answers = [(0.0, [-1.0, 0.0]), (-1.0, [-0.5, 0.0]), (-2.0, [-0.5, 1e-170])];
    let (_, points) = told(settings, &given, &answers);
    assert_eq!(points.iter().map(|x| x[0]).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn a_gradient_that_is_small_enough_ends_the_run_where_rounding_hides_the_value() {
    // Beside 1e12 no decrease is to be seen, and the slope is as good as the one at the start.
    let answers = [(1e12, [-1.05e-5]), (1e12, [-0.95e-5])];
    let r = told(LbfgsSettings::new(), &Given::new(), &answers).0.report();
    assert_eq!((r.stop, r.iterations, r.gradient), (Stop::Gradient, 1, 0.95e-5));
}

#[test]
fn backtracking_takes_a_value_that_rounding_lifts_for_a_flatter_gradient_alone() {
    for (gradient, iterations) in [(1.0, 2), (-1.0, 2), (2.0, 1), (-2.0, 1), (3.0, 1)] {
        let settings = LbfgsSettings { line_search: BACKTRACKING, ..LbfgsSettings::new() };
        let answers = [(10.0, [-4.0]), (1.0, [-2.0]), (1.0 + f64::EPSILON, [gradient])];
        let r = told(settings, &Given::new(), &answers).0.report();
        assert_eq!((r.stop, r.iterations), (Stop::Running, iterations), "{gradient}");
    }
}

#[test]
fn backtracking_goes_back_to_an_earlier_trial_that_is_lower() {
    // A step of 1 must lower the value by 1e-4, and one of 1/2 by half of that.
    let settings = LbfgsSettings { line_search: BACKTRACKING, ..LbfgsSettings::new() };
    let run = |values: [f64; 3]| {
        let (solver, points) = told(settings, &Given::new(), &values.map(|f| (f, [-1.0])));
        assert_eq!(points[..3], [[0.0], [1.0], [0.5]]);
        (solver.report().iterations, points[3])
    };
    assert_eq!(run([0.0, -0.9e-4, -0.6e-4]), (0, [1.0]), "asked for once more");
    // One that is as low is not worth an evaluation.
    for values in [[0.0, -0.9e-4, -0.9e-4], [0.9e-4, 0.0, 0.0]] {
        assert_eq!(run(values).0, 1, "{values:?}");
    }
}

#[test]
fn a_step_that_rounding_loses_is_none() {
    let settings = LbfgsSettings { line_search: BACKTRACKING, ..LbfgsSettings::new() };
    let answers = [(1.0, [1.0]), (1.0, [1.0])];
    // From 0 the step would move the parameter, but neither value nor gradient.
    let (solver, _) = told(settings, &Given::new().preconditioner(&[1e-30]), &answers);
    let r = solver.report();
    assert_eq!((r.stop, r.iterations, solver.x()), (Stop::LineSearch, 0, &[0.0]));
}

#[test]
fn a_function_is_unbounded_that_still_falls_at_the_largest_step() {
    let settings = LbfgsSettings { step_max: 1.0, ..LbfgsSettings::new() };
    for (slope, stop) in [(-0.5, Stop::Unbounded), (0.0, Stop::Running), (0.5, Stop::Running)] {
        let answers = [(0.0, [-1.0, 0.0]), (-0.5, [slope, 1.0])];
        let r = told(settings, &Given::new(), &answers).0.report();
        assert_eq!((r.stop, r.iterations), (stop, 1), "{slope}");
    }
}
