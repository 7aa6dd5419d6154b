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
        (NewtonSettings { damping: f64::NAN, ..good }, Hyper::Damping),
        (NewtonSettings { sufficient_decrease: 0.5, ..good }, Hyper::LineSearch),
        (NewtonSettings { max_iterations: 0, ..good }, Hyper::Steps),
    ] {
        assert_eq!(settings.minimize(&mut [0.0], |_, _, _| unreachable!()), Err(Error::Range(hyper)));
    }
    assert_eq!(
        good.minimize(&mut [], |_, _, _| 2.0).map(|r| (r.stop, r.value)),
        Ok((Stop::Gradient, 2.0)),
        "nothing to minimise over"
    );
}

#[test]
fn a_file_from_mid_run_continues_with_the_same_bits() {
    let mut solver = Newton::<2, f64>::new();
    let mut buffer = [0; store::size_of::<Newton<2, f64>>()];
    for told in 0..25 {
        if told == 1 {
            solver.start(&NewtonSettings::new(), &[-1.2, 1.0]).unwrap();
        }
        let file = store::save(&solver, &mut buffer).unwrap();
        assert_eq!(file.len(), store::size_of::<Newton<2, f64>>());
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
    let at = 16 + 24 + 3 * 8 + 2 * 4;
    buffer[at] = 7;
    let (body, end) = buffer.split_last_chunk_mut().unwrap();
    *end = crc32(body).to_le_bytes();
    assert!(matches!(store::load(&mut solver, &buffer), Err(store::Error::Value { .. })));
}

/// CRC-32 by its definition, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0_u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
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
    let newton = DiagonalNewton { lr: 0.5, damping: 0.25 };
    let start: Vec<f64> = (0..n).map(|i| value(i, 3)).collect();
    let want: Vec<f64> = (0..n).map(|i| start[i] - 0.5 * g[i] / (h[i].max(0.0) + 0.25)).collect();
    for level in Level::available() {
        let mut p = start.clone();
        newton.step_at(level, &mut p, &g, &h).unwrap();
        assert_eq!(p, want, "{level}");
        let mut p: Vec<f32> = start.iter().map(|&p| p as f32).collect();
        let single = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
        DiagonalNewton { lr: 0.5, damping: 0.0 }.step_at(level, &mut p, &single(&g), &single(&h)).unwrap();
        for i in 0..n {
            let moves = h[i] > 0.0;
            assert_eq!(p[i] == start[i] as f32, !moves || g[i] == 0.0, "no curvature, no step");
        }
    }
    let mut p = [1.0, 2.0];
    assert!(newton.step(&mut p, &[1.0], &[1.0, 1.0]).is_err());
    assert_eq!(p, [1.0, 2.0]);
    assert!(DiagonalNewton { lr: -1.0, damping: 0.0 }.check().is_err());
    assert!(DiagonalNewton { lr: 1.0, damping: f64::NAN }.check().is_err());
}
