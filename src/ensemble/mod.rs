//! Averages of predictions and of weights.
