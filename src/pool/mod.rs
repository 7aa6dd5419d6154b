//! Fractional max pooling.

mod fractional;
mod regions;

pub use fractional::FractionalMaxPool;
pub use regions::{Regions, Window, pytorch_regions};
