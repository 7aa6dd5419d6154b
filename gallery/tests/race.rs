//! The race that the pictures show and the manual tells about.

use gallery::course::{self, Pace, Point, RULES, SURFACES, Surface};
use worst::worst;

#[path = "../../tests/support/worst.rs"]
mod worst;

const SGD: usize = 0;
const MOMENTUM: usize = 1;
const NESTEROV: usize = 2;
const ADAGRAD: usize = 3;
const RMSPROP: usize = 4;
const ADAM: usize = 5;

const BOWL: &Surface = &SURFACES[0];
const SADDLE: &Surface = &SURFACES[1];
const WELLS: &Surface = &SURFACES[2];
const VALLEY: &Surface = &SURFACES[3];

/// The path that the picture shows.
fn path(surface: &Surface, rule: usize) -> Vec<Point> {
    with_noise(0.0, surface, rule)
}

/// The path in the picture with noise.
fn noisy(surface: &Surface, rule: usize) -> Vec<Point> {
    with_noise(surface.noise, surface, rule)
}

fn with_noise(noise: f32, surface: &Surface, rule: usize) -> Vec<Point> {
    let pace = Pace { lr: surface.lr[rule], momentum: 0.9, noise, steps: surface.steps };
    course::path(rule, surface, surface.start, pace)
}

/// Points all over a surface's window.
fn window(surface: &Surface) -> impl Iterator<Item = Point> {
    let [left, right, bottom, top] = surface.window;
    let at = |low: f32, high: f32, i: usize| low + (high - low) * i as f32 / 40.0;
    (0..=40 * 41).map(move |i| [at(left, right, i % 41), at(bottom, top, i / 41)])
}

#[test]
fn gradients_are_those_of_the_values() {
    const H: f32 = 1e-2;
    for surface in &SURFACES {
        let value = |p| (surface.at)(p).0;
        for p in window(surface) {
            let gradient = (surface.at)(p).1;
            let dx = (value([p[0] + H, p[1]]) - value([p[0] - H, p[1]])) / (2.0 * H);
            let dy = (value([p[0], p[1] + H]) - value([p[0], p[1] - H])) / (2.0 * H);
            for (got, want) in gradient.into_iter().zip([dx, dy]) {
                let budget = 0.01 * (10.0 + want.abs());
                assert!((got - want).abs() < budget, "{} at {p:?}: {got} for {want}", surface.name);
            }
        }
    }
}

#[test]
fn no_point_is_below_the_minima() {
    for surface in &SURFACES {
        for &minimum in surface.minima {
            let (lowest, gradient) = (surface.at)(minimum);
            assert!(gradient.into_iter().all(|g| g.abs() < 1e-5), "{} {gradient:?}", surface.name);
            assert!(window(surface).all(|p| (surface.at)(p).0 >= lowest), "{}", surface.name);
        }
    }
}

#[test]
fn every_rule_stays_in_the_picture() {
    for surface in &SURFACES {
        let [left, right, bottom, top] = surface.window;
        for (rule, name) in RULES.iter().enumerate() {
            let inside = |p: &Point| left < p[0] && p[0] < right && bottom < p[1] && p[1] < top;
            assert!(path(surface, rule).iter().all(inside), "{name} on {}", surface.name);
        }
    }
}

#[test]
fn on_the_bowl_sgd_jumps_across_adagrad_and_rmsprop_do_not_and_adam_loops() {
    let sgd = path(BOWL, SGD);
    assert!(sgd.windows(2).take(20).all(|pair| pair[0][1] * pair[1][1] < 0.0));
    for rule in [ADAGRAD, RMSPROP] {
        assert!(path(BOWL, rule).iter().take(20).all(|p| p[1] > 0.0), "{}", RULES[rule]);
        assert!(path(BOWL, rule).iter().all(|p| p[1] > -0.01), "{}", RULES[rule]); // less than a line's width
    }
    // Adam goes far across before it comes to the minimum, never so far again, and then crosses both ways in turn.
    let adam = path(BOWL, ADAM);
    let turn = adam.iter().position(|p| p[0] > 0.0).expect("Adam passes the minimum");
    let (before, after) = adam.split_at(turn);
    let crossings =
        |path: &[Point], way: usize| path.windows(2).filter(|p| p[0][way] * p[1][way] < 0.0).count();
    assert!(before.iter().any(|p| p[1] < -0.6));
    assert!(crossings(before, 1) <= 2, "{}", crossings(before, 1));
    assert!(after.iter().all(|p| p[1].abs() < 0.35));
    assert!(crossings(after, 0) > 3 && crossings(after, 1) > 6);
    let farthest = |rule| worst(path(BOWL, rule).iter().map(|p| f64::from(p[0])));
    assert!(farthest(MOMENTUM) > farthest(NESTEROV) && farthest(NESTEROV) > farthest(SGD));
}

#[test]
fn on_the_saddle_adaptive_rules_leave_at_once_and_the_others_wait() {
    let leaves =
        |rule| path(SADDLE, rule).iter().position(|p| p[1].abs() > 0.5).expect("all leave in the end");
    for rule in [ADAGRAD, RMSPROP, ADAM] {
        assert!(leaves(rule) < 20, "{} {}", RULES[rule], leaves(rule));
    }
    for rule in [SGD, MOMENTUM, NESTEROV] {
        assert!(leaves(rule) > 25, "{} {}", RULES[rule], leaves(rule));
    }
}

#[test]
fn noise_pushes_those_that_waited_off_the_ridge_to_the_other_side() {
    for rule in [SGD, MOMENTUM, NESTEROV] {
        let leaves = |path: Vec<Point>| path.iter().position(|p| p[1].abs() > 0.5).expect("all leave");
        let (with, without) = (leaves(noisy(SADDLE, rule)), leaves(path(SADDLE, rule)));
        assert!(with < without, "{} {with} {without}", RULES[rule]);
        let end = |path: Vec<Point>| path[SADDLE.steps][1];
        assert!(end(noisy(SADDLE, rule)) < -1.0 && end(path(SADDLE, rule)) > 1.0, "{}", RULES[rule]);
    }
}

#[test]
fn with_noise_every_rule_hovers_higher_over_the_bowl() {
    // The mean over the last quarter.
    let height = |path: Vec<Point>| path[90..].iter().map(|&p| (BOWL.at)(p).0).sum::<f32>() / 31.0;
    for (rule, name) in RULES.iter().enumerate() {
        let times = height(noisy(BOWL, rule)) / height(path(BOWL, rule));
        assert!(times > 5.0 && (rule != NESTEROV || times > 1000.0), "{name} {times}");
    }
}

#[test]
fn velocity_carries_over_the_hill_between_the_wells() {
    let end = |rule| path(WELLS, rule)[WELLS.steps][0];
    for rule in [SGD, ADAGRAD, RMSPROP, ADAM] {
        assert!(end(rule) > 0.8, "{} {}", RULES[rule], end(rule));
    }
    for rule in [MOMENTUM, NESTEROV] {
        assert!(end(rule) < -0.8, "{} {}", RULES[rule], end(rule));
    }
}

#[test]
fn in_the_valley_all_find_the_floor_and_none_its_end() {
    for (rule, name) in RULES.iter().enumerate() {
        let path = path(VALLEY, rule);
        assert!(path[VALLEY.steps / 4..].iter().all(|[x, y]| (y - x * x).abs() < 0.05), "{name}");
        let (value, _) = (VALLEY.at)(path[VALLEY.steps]);
        assert!(0.01 < value && value < 1.0, "{name} {value}");
    }
}
