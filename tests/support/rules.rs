//! The list of optimizers in `src/optim/list.rs`, for tests.
//!
//! `each_rule!(f)` is the array of `f(rule)` over every type that implements `Optimizer`, each with
//! its defaults; `each_variant!(f)` the same over presets and options. `f` is a generic function:
//! `fn f<O: Optimizer>(rule: O)`, or with [`Kept`] where it looks into the columns. `tests/suite/rules.rs` compares the list with `src/optim`.

use gradus::{Optimizer, Rule, Stateful, Width};

/// An optimizer with a whole state, for tests that look into it.
pub trait Whole: Optimizer<Family: Stateful<Memory = f32>> {}
impl<O: Optimizer<Family: Stateful<Memory = f32>>> Whole for O {}

/// An optimizer with `K` columns, for tests that look into them.
pub trait Kept<const K: usize>:
    Optimizer<Family: Stateful<Columns = Width<K>, Memory = f32>, Rule: Rule<Columns = Width<K>>>
{
}
impl<
    const K: usize,
    O: Optimizer<Family: Stateful<Columns = Width<K>, Memory = f32>, Rule: Rule<Columns = Width<K>>>,
> Kept<K> for O
{
}

/// What [`each_rule`] makes of the list.
macro_rules! __each_rule {
    (($f:ident) $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        [$($f($optimizer::new(0.01))),*]
    };
}

/// What [`each_variant`] makes of the list.
macro_rules! __each_variant {
    (($f:ident) $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        [$($($f($variant),)*)*]
    };
}

macro_rules! each_rule {
    ($f:ident) => {{
        use gradus::*;
        gradus::__optimizers!(__each_rule!($f))
    }};
}

macro_rules! each_variant {
    ($f:ident) => {{
        use gradus::*;
        gradus::__optimizers!(__each_variant!($f))
    }};
}
