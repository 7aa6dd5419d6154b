//! The settings of L-BFGS in C.

use gradus::ffi::{GRADUS_LINE_SEARCH_MORE_THUENTE, GRADUS_STRUCTS, gradus_lbfgs};

/// Those that Rust has by default; of `pairs` correction pairs.
pub const fn settings(pairs: u32) -> gradus_lbfgs {
    gradus_lbfgs {
        version: GRADUS_STRUCTS,
        pairs,
        max_iterations: 1000,
        max_evaluations: 10_000,
        max_trials: 20,
        line_search: GRADUS_LINE_SEARCH_MORE_THUENTE,
        tolerance: 1e-5,
        decrease: 0.0,
        sufficient_decrease: 1e-4,
        curvature: 0.6,
        width_tolerance: 0.1,
        step_min: 1e-20,
        step_max: 1e20,
        max_move: 0.0,
        l1: 0.0,
        l1_start: 0,
        l1_end: 0,
    }
}
