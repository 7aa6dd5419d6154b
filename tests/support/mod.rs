//! What the integration tests share. The list of rules comes first: its macros reach all modules behind it.

#[macro_use]
pub mod rules;

#[cfg(feature = "ffi")]
pub mod c_rules;
#[cfg(feature = "journal")]
pub mod flash;
pub mod lbfgs;
pub mod learning;
pub mod mgh;
pub mod naive;
pub mod papers;
pub mod random;
pub mod ulp;
pub mod vectors;
