//! The loops and the instruction sets under them: with `ffi` the only room with unsafe code.

/// Runs `$body` for `$k` = 0, 1, .. below the constant `$n`, unrolled in the source: a loop over registers would keep
/// them in memory at opt-level s.
macro_rules! each {
    ($k:ident < $n:expr, $body:expr) => {{
        each!(@ 0 1 2 3 4 5 6 7, $k < $n, $body);
    }};
    (@ $($i:literal)*, $k:ident < $n:expr, $body:expr) => {
        $(if $n > $i {
            let $k = $i;
            $body;
        })*
    };
}

pub(crate) mod acts;
mod arch;
pub(crate) mod draw;
pub mod elementary;
mod exec;
mod halves;
mod isa;
mod level;
pub(crate) mod mask;
pub(crate) mod math;
#[allow(dead_code, reason = "some targets have no registers of several numbers")]
mod pair;
pub(crate) mod product;
mod product_small;
mod reduce;
pub(crate) mod rows;
mod stored;
mod streams;
mod subnormal;
mod sweep;
mod transform;
mod transpose;
mod vector;
mod width;
pub(crate) mod window;

pub(crate) use arch::WIDE;
#[cfg(feature = "rayon")]
pub(crate) use exec::join;
pub use exec::{Exec, run};
pub(crate) use halves::{round_sums, widen};
pub use level::Level;
pub(crate) use reduce::count_overflowing;
pub use reduce::{BLOCK, Fold, count_non_finite, dot, l2_norm, max_abs, reduce, sum_abs, sum_squares};
pub(crate) use stored::Zero;
pub use stored::{Bf16, Stored};
pub(crate) use subnormal::Decaying;
pub(crate) use sweep::Assembly;
pub(crate) use sweep::AtStep;
pub use sweep::{Columns, Of, Rule};
pub use transform::Transform;
pub(crate) use vector::Plain;
pub use vector::{Element, Vector};
pub use width::{ColumnSet, Width};
