//! The table of docs/mpi.md: a step on many machines, on paper.

/// Seconds of latency of a message.
const ALPHA: f64 = 2e-6;
/// Seconds for a byte, at 100 Gbit/s.
const BETA: f64 = 1.0 / 12.5e9;
/// Seconds to add a number: measured, docs/mpi.md.
const GAMMA: f64 = 0.2e-9;
/// Seconds to step a parameter by Adam: measured, docs/mpi.md.
const SIGMA: f64 = 0.7e-9;
/// Numbers of a message at least, and parts of a slice at most: src/exchange.rs.
const MESSAGE: f64 = 65536.0;
const PARTS: f64 = 8.0;

/// A step after the gradients with one shard a rank: agreement, exchange in parts, sum, step of a slice, gather.
fn sharded(n: f64, ranks: f64) -> f64 {
    let (others, slice) = (ranks - 1.0, n / ranks);
    let parts = (slice / MESSAGE).ceil().clamp(1.0, PARTS);
    let agree = ranks.log2() * ALPHA + 40.0 * others * BETA;
    let exchange = parts * others * ALPHA + 4.0 * slice * others * BETA;
    let gather = others * ALPHA + 4.0 * slice * others * BETA;
    agree + exchange + slice * others * GAMMA + slice * SIGMA + gather
}

/// The all-reduce of Rabenseifner (2004) and the whole step on each rank.
fn replicated(n: f64, ranks: f64) -> f64 {
    let share = (ranks - 1.0) / ranks;
    2.0 * ranks.log2() * ALPHA + 8.0 * n * share * BETA + n * share * GAMMA + n * SIGMA
}

#[test]
fn the_table_of_the_documentation_is_this_model() {
    let mut table = String::new();
    for ranks in (0..=10).map(|k| f64::from(1 << k)) {
        table += &format!("| {ranks} ");
        for n in [1e6, 16e6, 1e9] {
            table += &format!("| {:.2} | {:.2} ", 1e3 * sharded(n, ranks), 1e3 * replicated(n, ranks));
        }
        table += &format!("| {:.3} | 8 |\n", 8.0 / ranks);
    }
    let documentation = include_str!("../../docs/mpi.md");
    assert!(documentation.contains(&table), "{table}");
}
