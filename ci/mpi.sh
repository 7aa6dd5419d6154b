# Many machines: the package mpi/ over OpenMPI. Read by ci.sh.

# mpi_library: OpenMPI, and what the crate `mpi` reads its header with.
mpi_library() {
  apt libopenmpi-dev openmpi-bin libclang-dev clang || { missing "OpenMPI cannot be installed"; return 1; }
}

## mpi: training with 1 to 8 ranks has one hash, whatever is killed or damaged (two minutes)
mpi() {
  mpi_library || return 0
  cargo clippy --locked --release --manifest-path mpi/Cargo.toml --all-targets -- -D warnings
  cargo test --locked --release --manifest-path mpi/Cargo.toml
}

## mpi-kills: ranks killed at any time, forty times (OpenMPI, three minutes)
mpi-kills() {
  mpi_library || return 0
  cargo test --locked --release --manifest-path mpi/Cargo.toml --test ranks -- --ignored --exact kills_at_any_time_cost_no_bit
}
