//! Random masks and what is built of them: dropout, DropConnect, stochastic depth.
