//! Newton's method: quadratic convergence, damping, and its diagonal form.

use gradus::second_order::{DiagonalNewton, Newton, NewtonSettings, Stop};
use gradus::{Error, Hyper, Level, store};

/// Rosenbrock's function with its Hessian.
fn rosenbrock(&[x, y]: &[f64; 2], g: &mut [f64; 2], h: &mut [[f64; 2]; 2]) -> f64 {
    let (u, v) = (y - x * x, 1.0 - x);
    *g = [-400.0 * x * u - 2.0 * v, 200.0 * u];
    *h = [[1200.0 * x * x - 400.0 * y + 2.0, f64::NAN], [-400.0 * x, 200.0]];
    100.0 * u * u + v * v
}

#[test]
fn convergence_is_quadratic() {
    // f = sum exp(a'x) over a few directions: strictly convex, far from quadratic.
    let rows = [[1.0, 2.0, 0.5], [-1.5, 0.3, 0.2], [0.4, -1.0, 0.9], [0.1, -0.3, -1.2], [-0.6, 0.2, 0.7]];
    let objective = |x: &[f64; 3], g: &mut [f64; 3], h: &mut [[f64; 3]; 3]| {
        (*g, *h) = ([0.0; 3], [[0.0; 3]; 3]);
        let mut f = 0.0;
        for a in rows {
            let e = (0..3).map(|i| a[i] * x[i]).sum::<f64>().exp();
            f += e;
            for i in 0..3 {
                g[i] += a[i] * e;
                for j in 0..3 {
                    h[i][j] += a[i] * a[j] * e;
                }
            }
        }
        f
    };
    let settings = NewtonSettings { tolerance: 1e-15, ..NewtonSettings::new() };
    let mut minimum = [1.0, -1.0, 1.0];
    settings.minimize(&mut minimum, objective).unwrap();

    let mut solver = Newton::<3, f64>::new();
    solver.start(&settings, &[1.0, -1.0, 1.0]).unwrap();
    let mut errors = Vec::new();
    while let Some((x, g, h)) = solver.ask() {
        errors.push(x.iter().zip(minimum).map(|(x, m)| (x - m).powi(2)).sum::<f64>().sqrt());
        let f = objective(x, g, h);
        solver.tell(f);
    }
    println!("{errors:?}");
    // Each error is at most a constant times the square of the one before, until rounding ends it.
    let quadratic = errors.windows(2).filter(|e| e[0] < 0.1 && e[1] > 1e-14);
    let ratios: Vec<f64> = quadratic.map(|e| e[1] / (e[0] * e[0])).collect();
    assert!(ratios.len() >= 3 && ratios.iter().all(|&r| r < 2.0), "{ratios:?}");
    assert!(errors.iter().any(|&e| e > 0.5) && errors.last().is_some_and(|&e| e < 1e-14));
    assert_eq!(solver.damping(), 0.0);
}

#[test]
fn only_the_lower_triangle_is_read() {
    let mut x = [-1.2, 1.0]; // the Hessian's upper triangle is NaN
    let r = NewtonSettings::new().minimize(&mut x, rosenbrock).unwrap();
    assert_eq!(r.stop, Stop::Gradient, "{r:?}");
    assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6);
    assert!(r.iterations < 25 && r.evaluations < 40, "{r:?}");
}

#[test]
fn the_factor_solves_large_systems() {
    // A tridiagonal quadratic: one step, whatever the size.
    const N: usize = 40;
    let mut x = [0.0; N];
    let r = NewtonSettings { tolerance: 1e-12, ..NewtonSettings::new() }
        .minimize(&mut x, |x: &[f64; N], g, h| {
            let mut f = 0.0;
            for i in 0..N {
                h[i] = [0.0; N];
                h[i][i] = 3.0 + i as f64;
                let mut row = h[i][i] * x[i];
                if i > 0 {
                    h[i][i - 1] = -1.0;
                    row -= x[i - 1];
                }
                if i + 1 < N {
                    row -= x[i + 1];
                }
                g[i] = row - 1.0;
                f += 0.5 * x[i] * row - x[i];
            }
            f
        })
        .unwrap();
    assert_eq!((r.stop, r.iterations), (Stop::Gradient, 1), "{r:?}");
}

#[test]
fn negative_curvature_is_damped() {
    // A saddle at 0, minima at (+-1, 0): plain Newton would run to the saddle.
    let saddle = |&[x, y]: &[f64; 2], g: &mut [f64; 2], h: &mut [[f64; 2]; 2]| {
        *g = [x * x * x - x, y];
        *h = [[3.0 * x * x - 1.0, 0.0], [0.0, 1.0]];
        0.25 * (x * x - 1.0) * (x * x - 1.0) + 0.5 * y * y
    };
    for start in [[0.1, 1.0], [-0.3, 2.0], [1e-3, -1.0]] {
        let mut x = start;
        let r = NewtonSettings::new().minimize(&mut x, saddle).unwrap();
        assert_eq!(r.stop, Stop::Gradient, "{r:?}");
        assert!((x[0].abs() - 1.0).abs() < 1e-5 && x[1].abs() < 1e-5, "{start:?} {x:?}");
    }
}

#[test]
fn a_step_that_rises_is_damped_and_nan_shortens() {
    // ln cosh: Newton's step overshoots from |x| > 1.09; not a number beyond 4.
    let objective = |x: &[f64; 1], g: &mut [f64; 1], h: &mut [[f64; 1]; 1]| {
        let t = x[0].tanh();
        *g = [t];
        *h = [[1.0 - t * t]];
        if x[0].abs() > 4.0 { f64::NAN } else { x[0].cosh().ln() }
    };
    let mut x = [3.0];
    let r = NewtonSettings { tolerance: 1e-12, ..NewtonSettings::new() }.minimize(&mut x, objective).unwrap();
    assert_eq!(r.stop, Stop::Gradient, "{r:?}");
    assert!(x[0].abs() < 1e-11);
}

#[test]
fn a_hessian_that_is_no_number_shortens_the_step() {
    // f = (x - 1)^2 / 2 + (x - 1)^4: from 3 the first step goes to 2.3.
    let mut refused = 0;
    let mut x = [3.0];
    let r = NewtonSettings::new()
        .minimize(&mut x, |&[x], g, h| {
            let d = x - 1.0;
            (*g, *h) = ([d + 4.0 * d * d * d], [[1.0 + 12.0 * d * d]]);
            if (0.3..1.5).contains(&d) {
                refused += 1;
                h[0][0] = f64::NAN;
            }
            0.5 * d * d + d * d * d * d
        })
        .unwrap();
    // It creeps towards the gap and never takes a point in it.
    assert!(refused > 0 && x[0] >= 2.5 && r.value < 18.0 && r.stop != Stop::NonFinite, "{x:?} {r:?}");
}

#[test]
fn limits_and_bad_input() {
    for limit in 1..8 {
        let mut x = [-1.2, 1.0];
        let mut lowest = f64::INFINITY;
        let settings = NewtonSettings { max_evaluations: limit, ..NewtonSettings::new() };
        let mut calls = 0;
        let r = settings
            .minimize(&mut x, |x, g, h| {
                calls += 1;
                let f = rosenbrock(x, g, h);
                lowest = lowest.min(f);
                f
            })
            .unwrap();
        assert_eq!((r.stop, r.evaluations, calls), (Stop::Evaluations, limit, limit));
        assert_eq!((r.value, rosenbrock(&x, &mut [0.0; 2], &mut [[0.0; 2]; 2])), (lowest, lowest));
    }
    let mut x = [-1.2, 1.0];
    let r =
        NewtonSettings { max_iterations: 3, ..NewtonSettings::new() }.minimize(&mut x, rosenbrock).unwrap();
    assert_eq!((r.stop, r.iterations), (Stop::Iterations, 3));

    // A gradient of the wrong sign: no step lowers the value.
    let mut x = [3.0, 1.0];
    let r = NewtonSettings::new()
        .minimize(&mut x, |x, g, h| {
            let f = rosenbrock(x, g, h);
            *g = g.map(|g| -g);
            f
        })
        .unwrap();
    assert_eq!((r.stop, x), (Stop::LineSearch, [3.0, 1.0]));

    for bad in [f64::NAN, f64::INFINITY] {
        let mut x = [1.0];
        let r = NewtonSettings::new().minimize(&mut x, |_, g, h| {
            (*g, *h) = ([1.0], [[1.0]]);
            bad
        });
        assert_eq!(r.unwrap().stop, Stop::NonFinite);
        let r = NewtonSettings::new().minimize(&mut x, |_, g, h| {
            (*g, *h) = ([1.0], [[bad]]);
            1.0
        });
        assert_eq!(r.unwrap().stop, Stop::NonFinite);
        assert_eq!(x, [1.0]);
        let r = NewtonSettings::new().minimize(&mut x, |_, g, h| {
            (*g, *h) = ([bad], [[1.0]]);
            1.0
        });
        assert_eq!(r.map(|r| (r.stop, r.gradient)), Ok((Stop::NonFinite, f64::INFINITY)));
    }
    let good = NewtonSettings::<f64>::new();
    for (settings, hyper) in [
        (NewtonSettings { tolerance: -1.0, ..good }, Hyper::Tolerance),
        (NewtonSettings { tolerance: f64::INFINITY, ..good }, Hyper::Tolerance),
        (NewtonSettings { damping: f64::NAN, ..good }, Hyper::Damping),
        (NewtonSettings { damping: f64::INFINITY, ..good }, Hyper::Damping),
        (NewtonSettings { sufficient_decrease: 0.0, ..good }, Hyper::LineSearch),
        (NewtonSettings { sufficient_decrease: 0.5, ..good }, Hyper::LineSearch),
        (NewtonSettings { max_iterations: 0, ..good }, Hyper::Steps),
        (NewtonSettings { max_evaluations: 0, ..good }, Hyper::Steps),
    ] {
        assert_eq!(settings.minimize(&mut [0.0], |_, _, _| unreachable!()), Err(Error::Range(hyper)));
    }
    assert_eq!(NewtonSettings { tolerance: 0.0, ..good }.check(), Ok(()));
    assert_eq!(
        good.minimize(&mut [], |_, _, _| 2.0).map(|r| (r.stop, r.value)),
        Ok((Stop::Gradient, 2.0)),
        "nothing to minimise over"
    );
}

/// A step is taken where the value falls by 0.4 of what the slope promises, not where it falls by less.
#[test]
fn a_step_that_hardly_descends_is_not_taken() {
    for (value, taken) in [(-0.41, 1), (-0.39, 0)] {
        let mut solver = Newton::<1, f64>::new();
        let settings = NewtonSettings { sufficient_decrease: 0.4, ..NewtonSettings::new() };
        solver.start(&settings, &[0.0]).unwrap();
        for (at, f, slope) in [(0.0, 0.0, 1.0), (-1.0, value, 0.5)] {
            let (x, g, h) = solver.ask().unwrap();
            assert_eq!(*x, [at]);
            (*g, *h) = ([slope], [[1.0]]);
            solver.tell(f);
        }
        assert_eq!(solver.report().iterations, taken, "{value}");
    }
}

/// The damping leaves a pivot that is nothing but rounding: a step along it would be as long as its inverse.
#[test]
fn a_pivot_of_rounding_is_damped_more() {
    let mut solver = Newton::<1, f64>::new();
    let settings = NewtonSettings { damping: 1.0 + f64::EPSILON, ..NewtonSettings::new() };
    solver.start(&settings, &[0.0]).unwrap();
    let (_, g, h) = solver.ask().unwrap();
    (*g, *h) = ([1.0], [[-1.0]]);
    solver.tell(0.0);
    let (x, ..) = solver.ask().unwrap();
    assert!(x[0] < 0.0 && x[0] > -1.0, "{x:?}");
}

#[test]
fn a_file_from_mid_run_continues_with_the_same_bits() {
    let mut solver = Newton::<2, f64>::new();
    let mut buffer = [0; store::file_size_of::<Newton<2, f64>>()];
    for told in 0..25 {
        if told == 1 {
            solver.start(&NewtonSettings::new(), &[-1.2, 1.0]).unwrap();
        }
        let file = store::save(&solver, &mut buffer).unwrap();
        assert_eq!(file.len(), store::file_size_of::<Newton<2, f64>>());
        let mut loaded = Newton::<2, f64>::new();
        store::load(&mut loaded, file).unwrap();
        let mut uninterrupted = solver.clone();
        for _ in 0..8 {
            for solver in [&mut uninterrupted, &mut loaded] {
                if let Some((x, g, h)) = solver.ask() {
                    let f = rosenbrock(x, g, h);
                    solver.tell(f);
                }
            }
            assert_eq!(uninterrupted.x().map(f64::to_bits), loaded.x().map(f64::to_bits));
            assert_eq!(uninterrupted.report(), loaded.report());
        }
        if let Some((x, g, h)) = solver.ask() {
            let f = rosenbrock(x, g, h);
            solver.tell(f);
        }
    }
    assert!(store::load(&mut Newton::<2, f32>::new(), &buffer).is_err());
    assert!(store::load(&mut Newton::<3, f64>::new(), &buffer).is_err());
    // 7 is neither `asking` nor not.
    let at = 16 + 28 + 3 * 8 + 2 * 4;
    buffer[at] = 7;
    seal(&mut buffer);
    assert!(matches!(store::load(&mut solver, &buffer), Err(store::Error::Value { .. })));
}

/// The checksum of a file that was changed: CRC-32 by its definition, a bit at a time.
fn seal(file: &mut [u8]) {
    let (body, end) = file.split_last_chunk_mut().unwrap();
    let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    let crc = !body.iter().fold(!0_u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit));
    *end = crc.to_le_bytes();
}

#[test]
fn scales_far_apart_are_solved() {
    // One step for a quadratic, whatever the curvatures.
    let single = |scales: [f32; 2], start: [f32; 2]| {
        let mut x = start;
        let r = NewtonSettings::new().minimize(&mut x, |x, g, h| {
            *g = [scales[0] * x[0], scales[1] * x[1]];
            *h = [[scales[0], 0.0], [0.0, scales[1]]];
            0.5 * (scales[0] * x[0] * x[0] + scales[1] * x[1] * x[1])
        });
        assert_eq!(r.map(|r| (r.stop, r.iterations)), Ok((Stop::Gradient, 1)), "{scales:?}");
        for (x, start) in x.iter().zip(start) {
            assert!(x.abs() <= 1e-6 * start, "{scales:?} {x}");
        }
    };
    single([1e4, 1e-3], [1.0, 1000.0]);
    single([1e-3, 1e4], [1000.0, 1.0]);
    single([1e15, 1e-10], [1e-8, 1e10]);
    let mut x = [1e-9_f64, 1e6];
    let r = NewtonSettings::new().minimize(&mut x, |x, g, h| {
        *g = [1e18 * x[0], 1e-2 * x[1]];
        *h = [[1e18, 0.0], [0.0, 1e-2]];
        0.5 * (1e18 * x[0] * x[0] + 1e-2 * x[1] * x[1])
    });
    assert_eq!(r.map(|r| (r.stop, r.iterations)), Ok((Stop::Gradient, 1)));
    assert!(x[0].abs() < 1e-20 && x[1].abs() < 1e-3, "{x:?}");

    // Damping that a saddle, a step that rises or a start asks for leaves the other parameter its scale.
    for [s, t] in [[1.0_f64, 1.0], [1e3, 1e-3], [1e-3, 1e3], [1e4, 1.0], [1.0, 1e-4], [1e-4, 1e-4]] {
        for (damping, start) in [(0.0, [0.1, 1.0]), (0.0, [-1e-3, 3.0]), (10.0, [2.0, -2.0])] {
            let mut x = [start[0] * s, start[1] * t];
            let settings = NewtonSettings { damping, tolerance: 1e-6 / s.max(t), ..NewtonSettings::new() };
            let r = settings.minimize(&mut x, |x, g, h| {
                let (u, v) = (x[0] / s, x[1] / t);
                let (p, q) = (v.tanh(), v.cosh());
                *g = [(u * u * u - u + 0.1 * v) / s, (p + 0.1 * u) / t];
                *h = [[(3.0 * u * u - 1.0) / (s * s), 0.0], [0.1 / (s * t), 1.0 / (q * q) / (t * t)]];
                0.25 * (u * u - 1.0) * (u * u - 1.0) + q.ln() + 0.1 * u * v
            });
            let r = r.unwrap();
            // With f' = 0 in v: tanh v = -u / 10, and that in u.
            let u = x[0] / s;
            let residual = u * u * u - u - 0.1 * (0.1 * u).atanh();
            assert!(r.iterations < 40, "{s} {t} {start:?}: {r:?}");
            assert!(u.abs() > 0.9 && residual.abs() < 1e-4, "{s} {t} {start:?}: {x:?} {r:?}");
        }
    }
}

#[test]
fn a_diagonal_that_is_zero_is_damped() {
    // f = x^2 / 2 + x y + y^4 / 4: minima at (-1, 1) and (1, -1); near y = 0 the Hessian is not definite.
    for y in [0.0_f64, 1e-9, 1e-6, -1e-3, 0.1] {
        let mut x = [1.0, y];
        let r = NewtonSettings::new().minimize(&mut x, |&[x, y], g, h| {
            *g = [x + y, x + y * y * y];
            *h = [[1.0, 0.0], [1.0, 3.0 * y * y]];
            0.5 * x * x + x * y + 0.25 * y * y * y * y
        });
        assert_eq!(r.map(|r| r.stop), Ok(Stop::Gradient), "{y}");
        assert!((x[0] + x[1]).abs() < 1e-4 && (x[0].abs() - 1.0).abs() < 1e-4, "{y} {x:?}");
    }
    // Not a trace of curvature: down along the gradient until there is some.
    let mut x = [0.0_f64];
    let r = NewtonSettings::new().minimize(&mut x, |&[x], g, h| {
        (*g, *h) = ([1.0 + 4.0 * x * x * x], [[12.0 * x * x]]);
        x + x * x * x * x
    });
    assert_eq!(r.map(|r| r.stop), Ok(Stop::Gradient));
    assert!((x[0] + 0.25_f64.cbrt()).abs() < 1e-5, "{x:?}");
}

#[test]
fn a_step_that_is_lost_in_rounding_or_overflows_is_not_asked_for() {
    let mut asked = vec![];
    let run = NewtonSettings::<f64>::new().minimize(&mut [1.0], |&[x], g, h| {
        asked.push(x);
        (*g, *h) = ([-2.0 * x], [[2.0]]); // of the wrong sign
        x * x
    });
    assert_eq!(run.unwrap().stop, Stop::LineSearch);
    assert!(asked[1..].iter().all(|x| *x != 1.0), "{asked:?}");
    let run = NewtonSettings::<f64>::new().minimize(&mut [1.0], |_, g, h| {
        (*g, *h) = ([1e200], [[1.0]]); // a slope of 1e400
        0.0
    });
    assert_eq!(run.map(|run| (run.stop, run.evaluations)), Ok((Stop::LineSearch, 1)));
}

/// Damping of no more than the rounding of 1 damps nothing, and is none.
#[test]
fn damping_falls_to_nothing_at_the_rounding_of_1() {
    let mut solver = Newton::<1, f64>::new();
    let settings = NewtonSettings { damping: 4.0 * f64::EPSILON, ..NewtonSettings::new() };
    solver.start(&settings, &[1.0]).unwrap();
    let mut seen = vec![];
    for _ in 0..2 {
        let (&[x], g, h) = solver.ask().unwrap();
        (*g, *h) = ([4.0 * x.powi(3)], [[12.0 * x * x]]); // x^4: the gradient falls to 8/27 of itself, no further
        solver.tell(x.powi(4));
        seen.push(solver.damping());
    }
    assert_eq!(seen, [4.0 * f64::EPSILON, 0.0]);
}

#[test]
fn stopped_it_is_at_the_best_point() {
    for told in 0..30 {
        let mut solver = Newton::<2, f64>::new();
        solver.stop();
        assert_eq!(solver.report().stop, Stop::Running, "at rest there is nothing to stop");
        solver.start(&NewtonSettings::new(), &[-1.2, 1.0]).unwrap();
        let mut best = ([-1.2, 1.0], f64::INFINITY);
        for _ in 0..told {
            let Some((x, g, h)) = solver.ask() else { break };
            let (at, f) = (*x, rosenbrock(x, g, h));
            if f < best.1 {
                best = (at, f);
            }
            solver.tell(f);
        }
        let done = solver.report().stop;
        solver.stop();
        assert!(solver.ask().is_none());
        assert_eq!((*solver.x(), solver.report().value), best, "{told}");
        assert_eq!(solver.report().gradient == f64::INFINITY, told == 0, "nothing is known of it before");
        let want = if done == Stop::Running { Stop::Callback } else { done };
        assert_eq!(solver.report().stop, want);
        solver.tell(0.0);
        assert_eq!((*solver.x(), solver.report().value), best, "{told}");
    }
}

#[test]
fn counters_at_their_ends_do_not_overflow() {
    let mut solver = Newton::<2, f64>::new();
    solver.start(&NewtonSettings::new(), &[-1.2, 1.0]).unwrap();
    for _ in 0..3 {
        let (x, g, h) = solver.ask().unwrap();
        let f = rosenbrock(x, g, h);
        solver.tell(f);
    }
    let file = store::to_vec(&solver).unwrap();
    // Iterations and evaluations, each with its limit.
    for counters in [&[(96, 68)][..], &[(100, 72)], &[(96, 68), (100, 72)]] {
        let mut file = file.clone();
        for &(counter, limit) in counters {
            file[counter..counter + 4].fill(255);
            file[limit..limit + 4].fill(255);
        }
        seal(&mut file);
        let mut restored = Newton::<2, f64>::new();
        store::load(&mut restored, &file).unwrap();
        while let Some((x, g, h)) = restored.ask() {
            let f = rosenbrock(x, g, h);
            restored.tell(f);
        }
        let report = restored.report();
        assert!(report.stop != Stop::Running && report.value.is_finite(), "{report:?}");
        assert!([report.iterations, report.evaluations].contains(&u32::MAX));
    }
}

#[test]
fn a_microcontroller_can_keep_it_in_a_static() {
    static SOLVER: Newton<4> = Newton::new();
    let mut solver = SOLVER.clone();
    solver.start(&NewtonSettings { tolerance: 1e-3, ..NewtonSettings::new() }, &[1.0; 4]).unwrap();
    while let Some((x, g, h)) = solver.ask() {
        let mut f = 0.0;
        for i in 0..4 {
            let c = x[i] - i as f32;
            f += c * c * c * c + c * c;
            g[i] = 4.0 * c * c * c + 2.0 * c;
            h[i] = [0.0; 4];
            h[i][i] = 12.0 * c * c + 2.0;
        }
        solver.tell(f);
    }
    assert_eq!(solver.report().stop, Stop::Gradient);
}

#[test]
fn the_diagonal_form_has_the_same_bits_on_every_level() {
    let n = 67;
    let value = |i: usize, k: usize| ((i * 31 + k * 17) % 23) as f64 - 11.0;
    let (g, h): (Vec<f64>, Vec<f64>) = (0..n).map(|i| (value(i, 1), value(i, 2))).unzip();
    let newton = DiagonalNewton { damping: 0.25, ..DiagonalNewton::new(0.5) };
    let start: Vec<f64> = (0..n).map(|i| value(i, 3)).collect();
    let want: Vec<f64> = (0..n).map(|i| start[i] - 0.5 * g[i] / (h[i].max(0.0) + 0.25)).collect();
    for level in Level::available() {
        let mut p = start.clone();
        newton.on(level).step(&mut p, &g, &h).unwrap();
        assert_eq!(p, want, "{level}");
        let mut p: Vec<f32> = start.iter().map(|&p| p as f32).collect();
        let single = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
        DiagonalNewton::new(0.5).on(level).step(&mut p, &single(&g), &single(&h)).unwrap();
        for i in 0..n {
            let moves = h[i] > 0.0;
            assert_eq!(p[i] == start[i] as f32, !moves || g[i] == 0.0, "no curvature, no step");
        }
    }
    let mut p = [1.0, 2.0];
    assert!(newton.step(&mut p, &[1.0], &[1.0, 1.0]).is_err());
    assert_eq!(p, [1.0, 2.0]);
    for lr in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(DiagonalNewton::new(lr).check(), Err(Error::Range(Hyper::LearningRate)));
    }
    for damping in [-1.0, f64::INFINITY] {
        let refused = DiagonalNewton { damping, ..DiagonalNewton::new(1.0) };
        assert_eq!(refused.check(), Err(Error::Range(Hyper::Damping)));
    }
    assert_eq!(DiagonalNewton::new(0.0).check(), Ok(()));
    assert!(DiagonalNewton { damping: f64::NAN, ..DiagonalNewton::new(1.0) }.check().is_err());
}

#[test]
fn the_diagonal_form_passes_nan_on() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    // Gradient, curvature, damping, and what becomes of a parameter of 5; NaN where it must not be hidden.
    let cases = [
        (nan, 2.0, 0.0, nan),
        (nan, 0.0, 0.0, nan),
        (nan, -1.0, 0.0, nan),
        (nan, -1.0, 0.5, nan),
        (3.0, nan, 0.0, nan),
        (3.0, nan, 0.5, nan),
        (0.0, nan, 0.0, nan),
        (3.0, 0.0, 0.0, 5.0),
        (3.0, -2.0, 0.0, 5.0),
        (inf, 0.0, 0.0, 5.0),
        (-inf, -1.0, 0.0, 5.0),
        (3.0, inf, 0.0, 5.0),
        (3.0, 2.0, 0.0, 3.5),
    ];
    for level in Level::available() {
        for (g, h, damping, want) in cases {
            for n in 0..40 {
                // In the middle of others, whose step is 1.
                let (mut p, mut grads, mut curvature) = (vec![5.0; n], vec![1.0 + damping; n], vec![1.0; n]);
                for i in (3..n).step_by(7) {
                    (grads[i], curvature[i]) = (g, h);
                }
                DiagonalNewton { damping, ..DiagonalNewton::new(1.0) }
                    .on(level)
                    .step(&mut p, &grads, &curvature)
                    .unwrap();
                for (i, p) in p.iter().enumerate() {
                    let want = if i % 7 == 3 { want } else { 4.0 };
                    assert!(*p == want || (p.is_nan() && want.is_nan()), "{level} {g} {h} {i}: {p} {want}");
                }
            }
        }
    }
}
