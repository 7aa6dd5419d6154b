//! Fractional max pooling.
