//! The race that the pictures show and the manual tells about.

#[path = "../examples/race/course.rs"]
#[allow(dead_code, reason = "the pictures use the rest")]
mod course;

use course::{Pace, Point, RULES, SURFACES, Surface};

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
    let pace = Pace { lr: surface.lr[rule], momentum: 0.9, noise: 0.0, steps: surface.steps };
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
fn on_the_bowl_sgd_jumps_across_and_adaptive_rules_do_not() {
    let sgd = path(BOWL, SGD);
    assert!(sgd.windows(2).take(20).all(|pair| pair[0][1] * pair[1][1] < 0.0));
    for rule in [ADAGRAD, RMSPROP] {
        assert!(path(BOWL, rule).iter().take(20).all(|p| p[1] > 0.0), "{}", RULES[rule]);
    }
    let farthest = |rule| path(BOWL, rule).iter().fold(0.0_f32, |far, p| far.max(p[0]));
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
