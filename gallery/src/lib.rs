//! What the pictures of the manual share: their style, the race of six rules over four surfaces, and lines of equal value.
//!
//! A picture is a program under `src/bin`; `docs/` holds what they draw, and `./ci.sh pictures` compares it.

pub mod contour;
pub mod course;
pub mod fleet;
pub mod png;
pub mod pytorch;
pub mod style;
