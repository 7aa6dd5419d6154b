//! Runs of L-BFGS, and their files.

use super::*;

/// Runs of L-BFGS on the chain of Rosenbrock functions, each by the crate and by C, with one line of bits.
macro_rules! lbfgs {
    ($out:ident, $t:ident, $name:literal, $step:ident, $stop:ident, $save:ident, $load:ident) => {{
        use gradus::second_order::*;
        const N: usize = 6;
        const PAIRS: usize = 5;
        fn objective(x: &[$t; N], g: &mut [$t; N]) -> $t {
            *g = [0.0; N];
            let mut value = 0.0;
            for i in 0..N - 1 {
                let (u, v) = (10.0 * (x[i + 1] - x[i] * x[i]), 1.0 - x[i]);
                g[i] -= 40.0 * u * x[i] + 2.0 * v;
                g[i + 1] += 20.0 * u;
                value += u * u + v * v;
            }
            value
        }
        let config = crate::support::c_lbfgs::settings(PAIRS as u32);
        let settings = LbfgsSettings::<$t>::new();
        let backtracking = GRADUS_LINE_SEARCH_BACKTRACKING;
        let diagonal = [0.5, 0.25, 0.125, 0.5, 0.25, 0.125];
        let moves = LbfgsSettings { line_search: LineSearch::Backtracking, max_move: 0.25, ..settings };
        // The settings of both, whether there is a diagonal, and after how many evaluations to stop.
        let runs = [
            (config, settings, false, 0),
            (config, settings, true, 0),
            (
                gradus_lbfgs { l1: 0.5, l1_start: 1, ..config },
                LbfgsSettings { l1: 0.5, l1_start: 1, ..settings },
                false,
                0,
            ),
            (gradus_lbfgs { line_search: backtracking, max_move: 0.25, ..config }, moves, false, 0),
            (
                gradus_lbfgs { max_evaluations: 7, ..config },
                LbfgsSettings { max_evaluations: 7, ..settings },
                false,
                0,
            ),
            (config, settings, false, 9),
            (config, settings, false, 0),
        ];
        let lower = [-0.5, -1.0, -0.5, -1.0, -2.0, 0.25];
        let upper = [0.75, 2.0, 0.75, <$t>::INFINITY, 1.5, 0.25];
        let mut bytes = Vec::new();
        for (turn, (config, settings, preconditioned, stop)) in runs.into_iter().enumerate() {
            let start: [$t; N] = [-1.2, 1.0, -0.5, 0.75, 2.0, -1.0];
            let mut solver = Lbfgs::<N, PAIRS, $t>::new();
            let (new, mut file, mut size) = (store::to_vec(&solver).unwrap(), Vec::new(), 0);
            solver.start(&settings, &start).unwrap();
            while let Some((x, g)) = solver.ask() {
                let value = objective(x, g);
                let given = match turn {
                    1 => Given::new().preconditioner(&diagonal),
                    6 => Given::new().bounds(&lower, &upper),
                    _ => Given::new(),
                };
                solver.tell_with(value, &given).unwrap();
                if solver.report().evaluations == stop {
                    solver.stop();
                }
                if solver.report().evaluations == 4 {
                    file = store::to_vec(&solver).unwrap();
                    bytes.extend(&file);
                }
            }
            let (mut x, mut g) = (start, [0.0; N]);
            const WORK: usize = (2 * PAIRS + 3) * N + (PAIRS + 4) * PAIRS;
            let mut work = [<$t>::NAN; WORK];
            let mut state = gradus_lbfgs_state::default();
            let h = if preconditioned { diagonal.as_ptr() } else { std::ptr::null() };
            let [lower, upper] =
                [&lower, &upper].map(|x| if turn == 6 { x.as_ptr() } else { std::ptr::null() });
            // SAFETY: every pointer comes from an array or a reference.
            let loaded = unsafe {
                let (x, g, work) = (x.as_mut_ptr(), g.as_mut_ptr(), work.as_mut_ptr());
                $load(&config, N, x, g, work, &mut state, new.as_ptr(), new.len())
            };
            assert_eq!((loaded, state.number, x), (gradus_status::GRADUS_OK, 0, [0.0; N]));
            (x, work) = (start, [<$t>::NAN; WORK]);
            while state.stop == GRADUS_STOP_RUNNING {
                let value = objective(&x, &mut g);
                let (x, g, work) = (x.as_mut_ptr(), g.as_mut_ptr(), work.as_mut_ptr());
                // SAFETY: every pointer comes from an array or a reference.
                unsafe {
                    assert_eq!(
                        $step(&config, N, x, value, g, h, lower, upper, work, &mut state),
                        gradus_status::GRADUS_OK
                    );
                    if state.evaluations == stop {
                        assert_eq!($stop(&config, N, x, g, work, &mut state), gradus_status::GRADUS_OK);
                    }
                    if state.evaluations == 4 {
                        let mut buffer = vec![0; file.len()];
                        let (to, room) = (buffer.as_mut_ptr(), buffer.len());
                        let saved = $save(&config, N, x, g, work, &state, to, room, &mut size);
                        assert_eq!((saved, size), (gradus_status::GRADUS_OK, file.len()));
                        assert!(buffer == file, "{} run {turn}: C's file is not Rust's", $name);
                        (x.write_bytes(255, N), g.write_bytes(255, N), work.write_bytes(255, WORK));
                        state = gradus_lbfgs_state::default();
                        let loaded = $load(&config, N, x, g, work, &mut state, file.as_ptr(), size);
                        assert_eq!(loaded, gradus_status::GRADUS_OK);
                    }
                }
            }
            assert_eq!(&x, solver.x(), "{} run {turn}", $name);
            let report = solver.report();
            assert_eq!((state.value, state.gradient), (report.value.into(), report.gradient.into()));
            assert_eq!((state.iterations, state.evaluations), (report.iterations, report.evaluations));
            assert_eq!(state.stop, report.stop as u32);
            bytes.extend(x.into_iter().chain([report.value, report.gradient]).flat_map($t::to_le_bytes));
            bytes.extend(
                [report.iterations, report.evaluations, state.stop].into_iter().flat_map(u32::to_le_bytes),
            );
        }
        writeln!($out, "{} {:016x}", $name, hash_bytes(bytes)).unwrap();
    }};
}

pub fn lines(out: &mut String) {
    lbfgs!(out, f32, "lbfgs", gradus_lbfgs_step, gradus_lbfgs_stop, gradus_lbfgs_save, gradus_lbfgs_load);
    lbfgs!(
        out,
        f64,
        "lbfgs_f64",
        gradus_lbfgs_step_f64,
        gradus_lbfgs_stop_f64,
        gradus_lbfgs_save_f64,
        gradus_lbfgs_load_f64
    );
}
