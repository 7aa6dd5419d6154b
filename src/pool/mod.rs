//! Fractional max pooling: it shrinks maps by any factor, over regions that are drawn anew in each pass.
//!
//! ```
//! use gradus::pool::{FractionalMaxPool, Regions, Window};
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! let (mut rng, mut windows) = (Xoshiro128PlusPlus::seed_from_u64(1), [Window::default(); 2]);
//! Regions::Disjoint.random(3, &mut rng, &mut windows)?; // 1 and 2 of three rows, in either order
//! let pool = FractionalMaxPool::new([3, 3], &windows, &windows)?;
//! let (mut y, mut indices) = ([0.0; 4], [0; 4]);
//! pool.forward(&[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut y, &mut indices)?;
//! assert_eq!(y[3], 8.0);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! [`layer`](crate::layer) has the usual pooling over fixed regions. The picture shows regions of both kinds for 20
//! rows and columns:
#![doc = ""]
#![doc = include_str!("../../docs/pooling.svg")]
#![doc = ""]

mod fractional;
mod regions;

pub use fractional::FractionalMaxPool;
pub use regions::{Regions, Window, pytorch_regions};
