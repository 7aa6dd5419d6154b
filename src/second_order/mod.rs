//! Newton's method and L-BFGS.
