//! The package has benchmarks only: see `benches/gate.rs`.
