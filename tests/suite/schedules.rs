//! Schedules: against PyTorch's, against their formulas in f64, and total for every step.

use crate::support::ulp::ulps;
use gradus::schedule::*;
use gradus::{Error, Hyper};
use proptest::prelude::*;
use serde_json::Value;
use std::f64::consts::PI;

/// Steps at which everything is asked: the start, every kind of boundary, the far end.
const STEPS: [u32; 14] =
    [0, 1, 2, 3, 39, 40, 41, 1000, 1 << 16, (1 << 24) - 1, 1 << 24, 1 << 31, u32::MAX - 1, u32::MAX];

/// Holds `schedule` against an f64 formula at `steps`, within `budget` units in the last place.
fn hold(
    schedule: &impl Schedule,
    budget: f64,
    steps: impl IntoIterator<Item = u32>,
    want: impl Fn(f64) -> f64,
) {
    assert_eq!(schedule.check(), Ok(()));
    for step in steps {
        let (got, want) = (schedule.at(step), want(step.into()));
        let error = ulps(got, want);
        assert!(error.abs() <= budget, "step {step}: {got:e}, not {want:e}: {error:.1} ulp");
    }
}

/// Half a cosine wave from `high` to `low`, in the form that has all its digits at both ends.
fn wave(high: f64, low: f64, x: f64) -> f64 {
    low + (high - low) * (PI / 2.0 * (1.0 - x)).sin().powi(2)
}

#[test]
fn they_are_pytorch_s() {
    // Name, our schedule, and the most units in the last place of a rate that it may be off.
    // A wave doubles the rounding of its argument, up to one and a half units; where a wave of one-cycle ends between
    // two steps, its length is rounded too, and the more digits are lost the nearer that end is.
    let cosine = |lr, min, steps| Cosine { min, ..Cosine::new(lr, steps) };
    let sgdr = |min, first, mult| WarmRestarts { min, mult, ..WarmRestarts::new(0.1, first) };
    let triangles = |up, down, peaks| Triangular { peaks, ..Triangular::new(1e-3, 0.1, up, down) };
    let stable = |anneal| WarmUp::new(0.0, 20, StableDecay { anneal, ..StableDecay::new(0.1, 100, 60) });
    let three = Constant(0.05).then(20, Exponential::gamma(0.1, 0.9)).then(60, cosine(0.1, 0.01, 140));
    let table: [(&str, Box<dyn Schedule>, f64); 26] = [
        ("StepLR", Box::new(StepDecay::new(0.1, 0.5, 30)), 1.0),
        ("StepLR/grows", Box::new(StepDecay::new(0.1, 1.5, 10)), 1.0),
        ("MultiStepLR", Box::new(MultiStep::new(0.1, 0.2, [30, 80, 150])), 1.0),
        ("MultiStepLR/twice", Box::new(MultiStep::new(0.1, 0.5, [0, 30, 30, 7])), 1.0),
        ("ExponentialLR", Box::new(StepDecay::new(0.1, 0.97, 1)), 1.0),
        ("ExponentialLR", Box::new(Exponential::new(0.1, 0.030_459_207)), 10.0),
        ("ExponentialLR", Box::new(Exponential::gamma(0.1, 0.97)), 10.0),
        ("ExponentialLR/grows", Box::new(StepDecay::new(1e-5, 1.05, 1)), 1.0),
        ("ExponentialLR/grows", Box::new(Exponential::gamma(1e-5, 1.05)), 20.0),
        ("LinearLR/up", Box::new(WarmUp::new(0.025, 50, Constant(0.1))), 2.0),
        ("PolynomialLR/0.9", Box::new(Polynomial::new(0.1, 150, 0.9)), 3.0),
        ("PolynomialLR/2", Box::new(Polynomial::new(0.1, 200, 2.0)), 4.0),
        ("LambdaLR/inverse_sqrt", Box::new(WarmUp::new(0.01, 9, InverseSqrt::new(0.1, 10))), 2.0),
        ("CosineAnnealingLR/to_zero", Box::new(cosine(0.1, 0.0, 200)), 4.0),
        ("CosineAnnealingLR/eta_min", Box::new(cosine(0.1, 1e-3, 120)), 4.0),
        ("CosineAnnealingWarmRestarts/1x3", Box::new(sgdr(0.0, 1, 3)), 4.0),
        ("CosineAnnealingWarmRestarts/5x2", Box::new(sgdr(1e-3, 5, 2)), 4.0),
        ("CosineAnnealingWarmRestarts/40x1", Box::new(sgdr(0.0, 40, 1)), 4.0),
        ("SequentialLR/three", Box::new(three), 10.0),
        ("SequentialLR/stable_line", Box::new(stable(Anneal::Linear)), 3.0),
        ("SequentialLR/stable_cosine", Box::new(stable(Anneal::Cosine)), 4.0),
        ("SequentialLR/stable_root", Box::new(stable(Anneal::Root)), 4.0),
        ("CyclicLR/even", Box::new(triangles(20, 20, Peaks::Equal)), 3.0),
        ("CyclicLR/uneven", Box::new(triangles(15, 25, Peaks::Equal)), 3.0),
        ("CyclicLR/triangular2", Box::new(triangles(15, 25, Peaks::Halved)), 3.0),
        ("CyclicLR/exp_range", Box::new(triangles(15, 25, Peaks::Exponential(0.99))), 3.0),
    ];
    for case in vectors("cases") {
        let name = case["name"].as_str().unwrap();
        if name.starts_with("OneCycleLR") {
            continue; // below
        }
        let ours: Vec<_> = table.iter().filter(|(ours, ..)| *ours == name).collect();
        assert!(!ours.is_empty(), "{name} is not compared");
        for (_, schedule, budget) in ours {
            assert_eq!(schedule.check(), Ok(()));
            let end = case["hyper"]["T_max"].as_u64().unwrap_or(u64::MAX);
            for (step, want) in numbers(&case["lr"]).enumerate() {
                // PyTorch's wave rises again, ours rests.
                let want = if step as u64 > end { case["hyper"]["eta_min"].as_f64().unwrap() } else { want };
                near(name, step, schedule.at(step as u32), want, *budget);
            }
        }
    }
    for (name, schedule) in [
        ("CyclicLR/even", triangles(20, 20, Peaks::Equal)),
        ("CyclicLR/exp_range", triangles(15, 25, Peaks::Exponential(0.99))),
    ] {
        let case = vectors("cases").into_iter().find(|case| case["name"] == name).unwrap();
        let momentum = schedule.momentum(0.8, 0.9);
        assert_eq!(momentum.check(), Ok(()));
        for (step, want) in numbers(&case["momentum"]).enumerate() {
            near(name, step, momentum.at(step as u32), want, 2.0);
        }
    }
}

/// The cases of one kind in the file that PyTorch made.
fn vectors(kind: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../vectors/schedules.json")).unwrap();
    file[kind].as_array().unwrap().clone()
}

fn numbers(list: &Value) -> impl Iterator<Item = f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap())
}

fn near(name: &str, step: usize, got: f32, want: f64, budget: f64) {
    // What PyTorch itself rounds away in f64 counts where a wave ends at 0.
    let error = if want.abs() < 1e-16 { f64::from(got) * 1e16 } else { ulps(got, want) };
    assert!(error.abs() <= budget, "{name} at {step}: {got:e}, not {want:e}: {error:.1} ulp");
}

/// Rates and momenta in every corner that PyTorch has.
#[test]
fn one_cycle_is_pytorch_s() {
    let cases = vectors("cases");
    let cases = cases.iter().filter(|case| case["source"].as_str().unwrap().ends_with("OneCycleLR"));
    assert_eq!(cases.clone().count(), 12);
    for case in cases {
        let (name, hyper) = (case["name"].as_str().unwrap(), &case["hyper"]);
        let schedule = OneCycle {
            rise: hyper["pct_start"].as_f64().unwrap() as f32,
            three_phase: hyper["three_phase"].as_bool().unwrap(),
            anneal: if hyper["anneal_strategy"] == "cos" { Anneal::Cosine } else { Anneal::Linear },
            ..OneCycle::new(0.1, hyper["total_steps"].as_u64().unwrap() as u32)
        };
        // PyTorch accepts three phases without a top, or without an end.
        let whole = !["OneCycleLR/no_top", "OneCycleLR/no_end"].contains(&name);
        assert_eq!(schedule.check().is_ok(), whole, "{name}");
        let momentum = schedule.momentum(0.85, 0.95);
        assert_eq!(momentum.check().is_ok(), whole, "{name}");
        for (step, want) in numbers(&case["lr"]).enumerate() {
            near(name, step, schedule.at(step as u32), want, 16.0);
        }
        for (step, want) in numbers(&case["momentum"]).enumerate() {
            near(name, step, momentum.at(step as u32), want, 2.0);
        }
        assert_eq!(schedule.at(schedule.steps), schedule.end);
    }
    // Where the first wave has no length PyTorch divides by zero; the top is step 0.
    let at_once = OneCycle { rise: 0.1, ..OneCycle::new(1.0, 10) };
    assert_eq!((at_once.check(), at_once.at(0), at_once.at(9)), (Ok(()), 1.0, at_once.end));
    let three = OneCycle { three_phase: true, ..at_once };
    assert_eq!(three.check(), Err(Error::Range(Hyper::Fraction)));
}

#[test]
fn the_plateau_is_pytorch_s() {
    let cases = vectors("plateaus");
    assert_eq!(cases.len(), 14);
    for case in cases {
        let (name, hyper) = (case["name"].as_str().unwrap(), &case["hyper"]);
        let (number, count) =
            (|key: &str| hyper[key].as_f64().unwrap(), |key: &str| hyper[key].as_u64().unwrap() as u32);
        let threshold =
            if hyper["threshold_mode"] == "rel" { Threshold::Relative } else { Threshold::Absolute };
        let plateau = Plateau {
            lr: number("lr") as f32,
            factor: number("factor"),
            patience: count("patience"),
            threshold: threshold(number("threshold")),
            cooldown: count("cooldown"),
            min: number("min_lr") as f32,
            eps: number("eps") as f32,
            goal: if hyper["mode"] == "min" { Goal::Min } else { Goal::Max },
        };
        assert_eq!(plateau.check(), Ok(()));
        let metrics: Vec<_> = case["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| f32::from_bits(x.as_u64().unwrap() as u32))
            .collect();
        let rates: Vec<_> = numbers(&case["lr"]).collect();
        // Once through, and saved and loaded after every metric.
        let mut state = PlateauState::new();
        let mut buffer = [0; gradus::store::file_size_of::<PlateauState>()];
        for (step, (metric, want)) in metrics.iter().zip(&rates).enumerate() {
            near(name, step, plateau.update(&mut state, *metric), *want, 1.0);
            let file = gradus::store::save(&state, &mut buffer).unwrap();
            let mut loaded = PlateauState { best: f32::NAN, improvements: 7, bad: 7, cooldown: 7, falls: 7 };
            gradus::store::load(&mut loaded, file).unwrap();
            assert_eq!(loaded, state);
            assert_eq!(plateau.lr(&loaded), plateau.lr(&state));
            state = loaded;
        }
        assert!(rates.last() < rates.first() || name == "defaults", "{name}: no fall was tried");
    }
}

#[test]
fn no_metric_confuses_a_plateau() {
    let plateau = Plateau { patience: 1, ..Plateau::new(1.0) };
    let mut state = PlateauState::new();
    // NaN and infinity are never better, and the first number after them is.
    let rates = [f32::NAN, f32::INFINITY, 3.0, 2.0, f32::NAN, 2.0].map(|x| plateau.update(&mut state, x));
    assert_eq!((rates, state.best, state.improvements), ([1.0, 0.1, 0.1, 0.1, 0.1, 0.01], 2.0, 2));
    let mut state = PlateauState { improvements: u32::MAX, bad: u32::MAX, falls: u32::MAX, ..state };
    assert_eq!(plateau.update(&mut state, 5.0), 0.0);
    assert_eq!(plateau.update(&mut state, -1.0), 0.0);
    let refused = |plateau: Plateau, hyper| assert_eq!(plateau.check(), Err(Error::Range(hyper)));
    // No loss is less than no part of the worst; an accuracy may have to double.
    let whole = Plateau { threshold: Threshold::Relative(1.0), ..plateau };
    refused(whole, Hyper::Tolerance);
    assert_eq!(Plateau { goal: Goal::Max, ..whole }.check(), Ok(()));
    for bad in [-0.1, f32::NAN, f32::INFINITY] {
        refused(Plateau { lr: bad, ..plateau }, Hyper::LearningRate);
        refused(Plateau { min: bad, ..plateau }, Hyper::LearningRate);
    }
    for factor in [-0.1, 1.0, f64::NAN] {
        refused(Plateau { factor, ..plateau }, Hyper::Gamma);
    }
    for bad in [-0.1, f64::NAN, f64::INFINITY] {
        refused(Plateau { threshold: Threshold::Relative(bad), ..plateau }, Hyper::Tolerance);
        refused(Plateau { threshold: Threshold::Absolute(bad), ..plateau }, Hyper::Tolerance);
    }
    for eps in [-0.1, f32::NAN] {
        refused(Plateau { eps, ..plateau }, Hyper::Tolerance);
    }
}

#[test]
fn formulas_hold_at_every_size_of_step() {
    hold(&Constant(0.3), 1.0, STEPS, |_| 0.3);
    hold(&InverseTime::new(0.1, 0.01), 4.0, STEPS, |t| 0.1 / (1.0 + 0.01 * t));
    let k = f64::from(1e-8_f32);
    hold(&Exponential::new(0.1, 1e-8), 60.0, STEPS, |t| 0.1 * (-k * t).exp());
    hold(&StepDecay::new(0.1, 0.5, 1000), 1.0, 0..100_000, |t| 0.1 * 0.5_f64.powf((t / 1000.0).floor()));
    hold(&StepDecay::new(0.1, 0.999, 1), 1.0, 0..50_000, |t| 0.1 * 0.999_f64.powf(t));
    hold(&StepDecay::new(0.1, 1.000_1, 1), 1.0, 0..100_000, |t| 0.1 * 1.000_1_f64.powf(t));
    hold(&InverseSqrt::new(0.1, 100), 2.0, STEPS, |t| 0.1 * (100.0 / (100.0 + t)).sqrt());
    hold(&InverseSqrt::new(0.1, u32::MAX), 2.0, STEPS, |t| 0.1 * (1.0 / (1.0 + t / 4_294_967_295.0)).sqrt());
    let power = f64::from(0.9_f32);
    hold(&Polynomial::new(0.1, 1000, 0.9), 3.0, 0..2000, |t| 0.1 * (1.0 - t / 1000.0).max(0.0).powf(power));
    let polynomial = Polynomial { end: 0.02, ..Polynomial::new(0.1, 70, 3.0) };
    hold(&polynomial, 4.0, 0..100, |t| 0.02 + 0.08 * (1.0 - t / 70.0).max(0.0).powi(3));
    let root = StableDecay { end: 0.02, anneal: Anneal::Root, ..StableDecay::new(0.1, 10, 50) };
    hold(&root, 4.0, 0..100, |t| 0.1 - 0.08 * ((t - 10.0) / 50.0).clamp(0.0, 1.0).sqrt());
    let long = StableDecay { anneal: Anneal::Root, ..StableDecay::new(0.1, 0, 10_000_000) };
    hold(&long, 4.0, (0..100).chain(9_999_900..10_000_000), |t| {
        0.1 * (1.0 - t / 1e7) / (1.0 + (t / 1e7).sqrt())
    });
    let rise = OneCycle { rise: 0.51, anneal: Anneal::Root, ..OneCycle::new(0.1, 100) };
    hold(&rise, 8.0, 0..=50, |t| 0.004 + 0.096 * (t / 50.0).sqrt());
    // A fall that has begun before step 0: its first steps of four thousand millions are not lost beside the whole.
    let steep =
        OneCycle { max: 0.0, end: 12.0, rise: 0.0, anneal: Anneal::Root, ..OneCycle::new(1.0, u32::MAX - 2) };
    for t in 0..100 {
        let want = 12.0 * (f64::from(t + 1) / f64::from(u32::MAX - 2)).sqrt();
        // 1 less a root near 0 is rounded: its distance from 1 keeps its digits to 2^-25.
        assert!((f64::from(steep.at(t)) - want).abs() <= 12.0 * 6e-8, "{t}: {:e}, not {want:e}", steep.at(t));
    }
    let range = Exponential::between(1e-7, 10.0, 100);
    hold(&range, 60.0, 0..=100, |t| f64::from(1e-7_f32) * (10.0 / f64::from(1e-7_f32)).powf(t / 100.0));
    hold(&Linear::new(0.1, 0.0, 1000), 3.0, 0..2000, |t| 0.1 * (1.0 - t / 1000.0).max(0.0));
    hold(&Linear::new(0.0, 0.1, 1000), 3.0, 0..2000, |t| 0.1 * (t / 1000.0).min(1.0));
    let end = f64::from(u32::MAX);
    hold(&Linear::new(0.1, 0.3, u32::MAX), 3.0, STEPS, |t| 0.1 + 0.2 * t / end);
    hold(&Cosine::new(0.1, u32::MAX), 4.0, STEPS, |t| wave(0.1, 0.0, t / end));
    hold(&Cosine::new(0.1, 1 << 20), 4.0, (0..1 << 20).step_by(97), |t| wave(0.1, 0.0, t / 1_048_576.0));
    hold(&Cosine { min: 0.05, ..Cosine::new(0.1, 7) }, 3.0, 0..8, |t| wave(0.1, 0.05, t / 7.0));
    // A rising wave from a larger minimum is allowed, and stays in between too.
    hold(&Cosine { min: 0.4, ..Cosine::new(0.1, 7) }, 4.0, 0..8, |t| wave(0.1, 0.4, t / 7.0));
    hold(&Triangular::new(0.01, 0.1, 20, 30), 3.0, STEPS, |t| {
        let i = t % 50.0;
        0.01 + 0.09 * if i <= 20.0 { i / 20.0 } else { (50.0 - i) / 30.0 }
    });
    hold(&Triangular::new(0.0, 0.1, u32::MAX, u32::MAX), 3.0, STEPS, |t| 0.1 * t / end);
}

#[test]
fn the_snapshot_cycle_is_the_lecture_s() {
    for (total, cycles) in [(10, 3), (100, 5), (101, 5), (7, 7), (1, 1), (4, 3)] {
        let schedule = SnapshotCycle::new(0.1, total, cycles);
        let length = (f64::from(total) / f64::from(cycles)).ceil();
        assert_eq!(f64::from(schedule.cycle_steps()), length);
        // The lecture counts t from 1, and its mod(t - 1, length) is our step mod length.
        hold(&schedule, 5.0, 0..total + 20, |step| wave(0.1, 0.0, ((step + 1.0 - 1.0) % length) / length));
        let ends: Vec<_> = (0..total).filter(|&step| schedule.ends_cycle(step)).collect();
        assert_eq!(ends.last(), Some(&(total - 1)));
        assert!(ends.len() <= cycles as usize);
        for end in &ends[..ends.len() - 1] {
            assert_eq!(schedule.at(end + 1), 0.1, "a restart follows each snapshot");
        }
    }
}

#[test]
fn warm_restarts_are_exact_for_every_step() {
    let restarts = |first, mult, count| {
        let schedule = WarmRestarts { mult, ..WarmRestarts::new(0.1, first) };
        let (mut start, mut length) = (0_u64, u64::from(first));
        for _ in 0..count {
            let Ok(step) = u32::try_from(start) else { return };
            assert_eq!(schedule.at(step), 0.1, "{first} x {mult}: restart at {start}");
            if step > 0 {
                let last = 0.1 * (PI / 2.0 / (length as f64 / f64::from(mult))).sin().powi(2);
                assert!(ulps(schedule.at(step - 1), last).abs() <= 4.0, "{first} x {mult}: before {start}");
            }
            start += length;
            length = length.saturating_mul(mult.into());
        }
    };
    let schedule = WarmRestarts { mult: 3, ..WarmRestarts::new(0.1, 1) };
    let starts: Vec<_> = (0..200).filter(|&step| schedule.at(step) == 0.1).collect();
    assert_eq!(starts, [0, 1, 4, 13, 40, 121]);
    for (first, mult) in [(1, 2), (1, 3), (2, 2), (5, 2), (7, 5), (1000, 1), (u32::MAX, 2), (3, u32::MAX)] {
        restarts(first, mult, 100);
    }
    // The far end, where the cycle in progress is longer than any u32.
    let length = 3.0_f64.powi(20); // from (3^20 - 1) / 2 on
    let at = (f64::from(u32::MAX) - (length - 1.0) / 2.0) / length;
    assert!(ulps(schedule.at(u32::MAX), wave(0.1, 0.0, at)).abs() <= 4.0);
    let wide = WarmRestarts { mult: 2, ..WarmRestarts::new(0.1, 3_000_000_000) };
    let at = (f64::from(u32::MAX) - 3e9) / 6e9;
    assert!(ulps(wide.at(u32::MAX), wave(0.1, 0.0, at)).abs() <= 4.0);
}

#[test]
fn a_warm_up_precedes_anything() {
    let then = Cosine::new(0.1, 20);
    let schedule = WarmUp::new(0.02, 5, then);
    assert_eq!(schedule.check(), Ok(()));
    assert_eq!(schedule.at(0), 0.02);
    for step in 0..30 {
        assert_eq!(schedule.at(step + 5), then.at(step));
    }
    for step in 1..5 {
        assert!(schedule.at(step) > schedule.at(step - 1) && schedule.at(step) < 0.1);
    }
    let nested = WarmUp::new(0.0, 2, WarmUp::new(0.1, 2, Constant(0.3)));
    assert_eq!([0, 2, 4, u32::MAX].map(|step| nested.at(step)), [0.0, 0.1, 0.3, 0.3]);
}

#[test]
fn one_follows_the_other() {
    let (a, b) = (Exponential::new(0.1, 0.1), Cosine::new(0.2, 20));
    let schedule = a.then(7, b);
    assert_eq!(schedule.check(), Ok(()));
    for step in 0..7 {
        assert_eq!(schedule.at(step), a.at(step));
    }
    for step in 0..30 {
        assert_eq!(schedule.at(step + 7), b.at(step));
    }
    // Of any kind, chosen at run time.
    let parts: [&dyn Schedule; 2] = [&a, &schedule];
    let [first, last] = parts;
    assert_eq!(first.then(3, last).at(10), b.at(0));
    assert_eq!(a.then(0, b).check(), Err(Error::Range(Hyper::Steps)));
    assert_eq!(Constant(-1.0).then(1, b).check(), Err(Error::Range(Hyper::LearningRate)));
    assert_eq!(b.then(1, Constant(-1.0)).check(), Err(Error::Range(Hyper::LearningRate)));
}

/// A growing rate stops at the largest number, and 0 stays 0.
#[test]
fn growth_ends_at_the_largest_number() {
    for step in [3000, 1 << 20, u32::MAX] {
        assert_eq!(StepDecay::new(0.1, 1.5, 1).at(step), f32::MAX);
        assert_eq!(StepDecay::new(0.0, 1.5, 1).at(step), 0.0);
        assert_eq!(Exponential::new(0.1, -1.0).at(step), f32::MAX);
        assert_eq!(Exponential::new(0.0, -1.0).at(step), 0.0);
    }
    assert_eq!(MultiStep::new(1.0, f64::MAX, [0, 1, 2]).at(2), f32::MAX);
    // A rate below 0, which `check` refuses, does not leave for minus infinity.
    assert_eq!(Exponential::new(-51.0, -7e6).at(u32::MAX), -51.0);
    assert_eq!(StepDecay::new(-51.0, 1.5, 1).at(u32::MAX), -51.0);
    assert_eq!(Exponential::between(1e-3, 1.0, 0).at(0), 1e-3);
}

#[test]
fn past_the_end_a_schedule_rests() {
    for step in [200, 201, 1 << 24, u32::MAX] {
        assert_eq!(Linear::new(0.1, 0.02, 200).at(step), 0.02);
        assert_eq!(Cosine { min: 0.02, ..Cosine::new(0.1, 200) }.at(step), 0.02);
        let one_cycle = OneCycle { end: 0.02, ..OneCycle::new(0.1, 201) };
        assert_eq!(one_cycle.at(step), 0.02);
        assert_eq!(OneCycle { three_phase: true, ..one_cycle }.at(step), 0.02);
        assert_eq!(MultiStep::new(0.5, 0.5, [3, 199]).at(step), 0.125);
    }
}

#[test]
fn a_parameter_out_of_range_is_named() {
    use Hyper::*;
    let refused = |schedule: &dyn Schedule, hyper| assert_eq!(schedule.check(), Err(Error::Range(hyper)));
    for lr in [-1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused(&Constant(lr), LearningRate);
        refused(&StepDecay::new(lr, 0.5, 1), LearningRate);
        refused(&MultiStep::new(lr, 0.5, [1]), LearningRate);
        refused(&Exponential::new(lr, 0.5), LearningRate);
        refused(&InverseTime::new(lr, 0.5), LearningRate);
        refused(&Linear::new(lr, 0.1, 1), LearningRate);
        refused(&Linear::new(0.1, lr, 1), LearningRate);
        refused(&Cosine::new(lr, 1), LearningRate);
        refused(&Cosine { min: lr, ..Cosine::new(0.1, 1) }, LearningRate);
        refused(&WarmRestarts::new(lr, 1), LearningRate);
        refused(&WarmRestarts { min: lr, ..WarmRestarts::new(0.1, 1) }, LearningRate);
        refused(&SnapshotCycle::new(lr, 1, 1), LearningRate);
        refused(&Triangular::new(lr, 0.1, 1, 1), LearningRate);
        refused(&Triangular::new(0.1, lr, 1, 1), LearningRate);
        refused(&OneCycle::new(lr, 100), LearningRate);
        refused(&OneCycle { end: lr, ..OneCycle::new(0.1, 100) }, LearningRate);
        refused(&WarmUp::new(lr, 1, Constant(0.1)), LearningRate);
        refused(&WarmUp::new(0.1, 1, Constant(lr)), LearningRate);
        refused(&InverseSqrt::new(lr, 1), LearningRate);
        refused(&Polynomial::new(lr, 1, 1.0), LearningRate);
        refused(&Polynomial { end: lr, ..Polynomial::new(0.1, 1, 1.0) }, LearningRate);
        refused(&StableDecay::new(lr, 1, 1), LearningRate);
        refused(&StableDecay { end: lr, ..StableDecay::new(0.1, 1, 1) }, LearningRate);
    }
    for gamma in [-0.1, f64::INFINITY, f64::NAN] {
        refused(&StepDecay::new(0.1, gamma, 1), Gamma);
        refused(&MultiStep::new(0.1, gamma, [1]), Gamma);
        refused(&Exponential::gamma(0.1, gamma), Rate);
    }
    refused(&Exponential::gamma(0.1, 0.0), Rate);
    for gamma in [-0.1, 1.1, f64::NAN] {
        let peaks = Peaks::Exponential(gamma);
        refused(&Triangular { peaks, ..Triangular::new(0.1, 0.2, 1, 1) }, Gamma);
    }
    for k in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        refused(&Exponential::new(0.1, k), Rate);
        refused(&InverseTime::new(0.1, k), Rate);
    }
    refused(&InverseTime::new(0.1, -0.1), Rate);
    for power in [0.0, -1.0, f32::INFINITY, f32::NAN] {
        refused(&Polynomial::new(0.1, 1, power), Power);
    }
    refused(&Polynomial::new(0.1, 0, 1.0), Steps);
    refused(&InverseSqrt::new(0.1, 0), Steps);
    refused(&StableDecay::new(0.1, 1, 0), Steps);
    refused(&StepDecay::new(0.1, 0.5, 0), Steps);
    refused(&Linear::new(0.1, 0.0, 0), Steps);
    refused(&Cosine::new(0.1, 0), Steps);
    refused(&WarmRestarts::new(0.1, 0), Steps);
    refused(&WarmRestarts { mult: 0, ..WarmRestarts::new(0.1, 1) }, Steps);
    refused(&SnapshotCycle::new(0.1, 0, 1), Steps);
    refused(&SnapshotCycle::new(0.1, 1, 0), Steps);
    refused(&SnapshotCycle::new(0.1, 3, 4), Steps);
    refused(&Triangular::new(0.1, 0.2, 0, 1), Steps);
    refused(&Triangular::new(0.1, 0.2, 1, 0), Steps);
    refused(&OneCycle::new(0.1, 0), Steps);
    refused(&WarmUp::new(0.1, 0, Constant(0.1)), Steps);
    for rise in [-0.1, 1.1, f32::NAN] {
        refused(&OneCycle { rise, ..OneCycle::new(0.1, 100) }, Fraction);
    }
    refused(&OneCycle { rise: 0.6, three_phase: true, ..OneCycle::new(0.1, 100) }, Fraction);
}

/// Any number of steps, small ones and the far end more often.
fn any_steps() -> impl Strategy<Value = u32> {
    prop_oneof![0..50_u32, Just(u32::MAX), u32::MAX - 50..u32::MAX, any::<u32>()]
}

/// Any factor, also one that `check` refuses.
fn any_factor() -> impl Strategy<Value = f32> {
    prop_oneof![0.0..1.0_f32, any::<f32>(), Just(0.0), Just(1.0), Just(f32::NAN), Just(f32::INFINITY)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    /// Total: whatever the parameters, no panic, and a rate between the ends that are named.
    #[test]
    fn every_step_has_a_rate_in_range(
        step in any_steps(), a in any_steps(), b in any_steps(), factor in any_factor(),
        high in 0.0..1e30_f32, low in 0.0..1e30_f32, three_phase: bool,
    ) {
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let within = |name: &str, rate: f32, low: f32| {
            prop_assert!(low <= rate && rate <= high, "{name} at {step}: {rate:e} outside {low:e}..={high:e}");
            Ok(())
        };
        let gamma = f64::from(factor);
        let grown = [
            StepDecay::new(high, gamma, a).at(step),
            MultiStep::new(high, gamma, [a, b]).at(step),
            Exponential::new(high, factor).at(step),
            Exponential::gamma(high, gamma).at(step),
        ];
        for (rate, grows) in grown.into_iter().zip([factor > 1.0, factor > 1.0, factor < 0.0, factor > 1.0]) {
            let most = if grows { f32::MAX } else { high };
            prop_assert!(0.0 <= rate && rate <= most, "{rate:e} at {step}, {factor}: above {most:e}");
        }
        within("inverse root", InverseSqrt::new(high, a).at(step), 0.0)?;
        let polynomial = Polynomial { lr: high, end: low, steps: a, power: factor };
        within("polynomial", polynomial.at(step), low)?;
        within("inverse time", InverseTime::new(high, factor).at(step), 0.0)?;
        within("falling line", Linear::new(high, low, a).at(step), low)?;
        within("rising line", Linear::new(low, high, a).at(step), low)?;
        within("cosine", Cosine { min: low, ..Cosine::new(high, a) }.at(step), low)?;
        let restarts = WarmRestarts { lr: high, min: low, first: a, mult: b };
        within("warm restarts", restarts.at(step), low)?;
        within("snapshot cycle", SnapshotCycle::new(high, a, b).at(step), 0.0)?;
        for peaks in [Peaks::Equal, Peaks::Halved, Peaks::Exponential(gamma)] {
            let triangle = Triangular { peaks, ..Triangular::new(low, high, a, b) };
            within("triangle", triangle.at(step), low)?;
            within("momentum", triangle.momentum(low, high).at(step), low)?;
        }
        for anneal in [Anneal::Cosine, Anneal::Linear, Anneal::Root] {
            let ends = OneCycle { start: low, end: low, anneal, ..OneCycle::new(high, a) };
            let one_cycle = OneCycle { rise: factor, three_phase, ..ends };
            within("one cycle", one_cycle.at(step), low)?;
            within("momentum", one_cycle.momentum(low, high).at(step), low)?;
            let stable = StableDecay { lr: high, end: low, stable: a, fall: b, anneal };
            within("stable decay", stable.at(step), low)?;
        }
        within("warm-up", WarmUp::new(low, b, restarts).at(step), low)?;
        prop_assert!(SnapshotCycle::new(high, a, b).ends_cycle(a.saturating_sub(1)));
    }

    /// What only falls never rises.
    #[test]
    fn decays_fall(step in 0..u32::MAX, gamma in 0.0..=1.0_f64, k in 0.0..1.0_f32, steps in 1..u32::MAX) {
        let falls = |schedule: &dyn Schedule| schedule.at(step + 1) <= schedule.at(step);
        prop_assert!(falls(&InverseTime::new(0.1, k)));
        prop_assert!(falls(&Exponential::new(0.1, k)));
        prop_assert!(falls(&Linear::new(0.1, 0.0, steps)));
        prop_assert!(falls(&InverseSqrt::new(0.1, steps)));
        let stable = StableDecay { anneal: Anneal::Root, ..StableDecay::new(0.1, 7, steps) };
        prop_assert!(falls(&stable));
        prop_assert!(falls(&StepDecay::new(0.1, gamma, u32::MAX)));
        prop_assert!(falls(&MultiStep::new(0.1, gamma, [steps, 7, steps / 2])));
    }

    /// Between equal ends nothing moves, though the two shares of them round.
    #[test]
    fn equal_ends_are_kept(step: u32, steps in any_steps(), lr in 1e-6..1e6_f32) {
        prop_assert_eq!(Linear::new(lr, lr, steps).at(step), lr);
        prop_assert_eq!(Cosine { min: lr, ..Cosine::new(lr, steps) }.at(step % steps.max(1)), lr);
        prop_assert_eq!(Triangular::new(lr, lr, steps, 7).at(step), lr);
        prop_assert_eq!(WarmUp::new(lr, steps, Constant(lr)).at(step), lr);
    }

    /// A period brings the same bits again.
    #[test]
    fn cycles_repeat(step in 0..1_000_000_u32, up in 1..500_u32, down in 1..500_u32, turns in 1..1000_u32) {
        let triangle = Triangular::new(0.1, 0.3, up, down);
        prop_assert_eq!(triangle.at(step), triangle.at(step + turns * (up + down)));
        let restarts = WarmRestarts::new(0.1, up);
        prop_assert_eq!(restarts.at(step), restarts.at(step + turns * up));
        let snapshots = SnapshotCycle::new(0.1, up * down, down);
        prop_assert_eq!(snapshots.at(step), snapshots.at(step + turns * up));
    }
}

#[test]
fn a_triangle_without_steps_stands_at_its_top() {
    let none = Triangular::new(0.125, 0.5, 0, 0);
    assert!(none.check().is_err());
    assert_eq!([0, 1, u32::MAX].map(|step| none.at(step)), [0.5; 3]);
}

#[test]
fn a_factor_of_minus_zero_makes_no_negative_zero() {
    let schedule = StepDecay::new(0.1, -0.0, 1);
    assert_eq!(schedule.check(), Ok(()));
    assert_eq!(schedule.at(1).to_bits(), 0);
}
