//! What the integration tests share. The list of rules comes first: its macros reach all modules behind it.

#[macro_use]
pub mod rules;

#[cfg(feature = "ffi")]
pub mod c_lbfgs;
#[cfg(feature = "ffi")]
pub mod c_rules;
#[cfg(feature = "ffi")]
pub mod every_c_function;
#[cfg(feature = "journal")]
pub mod flash;
pub mod halves;
pub mod lbfgs;
pub mod learning;
pub mod mgh;
pub mod naive;
pub mod papers;
pub mod random;
pub mod ulp;
pub mod vectors;
pub mod worst;

use gradus::transform::*;

/// Whether the build is optimised: long tests then go all the way. `cargo test` takes shorter ones of the same kind,
/// `./ci.sh long` these.
pub const OPTIMISED: bool = !cfg!(debug_assertions);

/// Every transform at once, one type for all tests: the compiler makes the loops of all rules with it only once.
pub fn every_transform() -> impl Transform + std::fmt::Debug {
    (
        (Scale(0.5), ClipValue(2.0), L1::new(1e-3)),
        L2::new(1e-2),
        ElasticNet { lambda: 1e-3, beta: 2.0 },
        (Decay::new(0.1), ProxL1::new(1e-2)),
        ClampParams(3.0),
    )
}
