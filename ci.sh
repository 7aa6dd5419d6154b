#!/usr/bin/env bash
# Every check of the project, a subcommand each: `./ci.sh` runs what CI runs, `./ci.sh NAME` one of them.
# A check that needs more than a Rust toolchain installs it, and where that fails it is skipped with a
# loud line; under CI=true it fails.
set -euo pipefail
cd "$(dirname "$0")"

# Says why a check cannot run here: an error under CI=true, a skip elsewhere.
missing() {
  if [ "${CI:-}" = true ]; then
    echo "FAILED: $*" >&2
    exit 1
  fi
  echo "SKIPPED: $*" >&2
}

# apt NAME...: Debian packages, if they are not there yet.
apt() {
  dpkg -s "$@" >/dev/null 2>&1 && return 0
  [ "$(id -u)" = 0 ] || return 1
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

## check: formatting and lints, all features
check() {
  rustup component add rustfmt clippy >/dev/null 2>&1 || true
  cargo fmt --check
  cargo clippy --locked --all-targets --all-features -- -D warnings
  cargo clippy --locked --no-default-features -- -D warnings
}

## test: the test suite, as the README names it
test() {
  cargo test --locked
}

## features: the suite with every feature, and without the default ones
features() {
  cargo test --locked --all-features
  cargo test --locked --no-default-features --lib
}

## nostd: bare-metal and wasm targets build without std
nostd() {
  local target
  for target in thumbv6m-none-eabi thumbv7m-none-eabi thumbv7em-none-eabihf thumbv8m.main-none-eabihf \
    riscv32imac-unknown-none-elf wasm32-unknown-unknown; do
    if rustup target add "$target" >/dev/null 2>&1; then
      echo "build $target"
      cargo build --locked --no-default-features --target "$target"
      [[ "$target" != thumbv7em* ]] || cargo build --locked --no-default-features --features defmt --target "$target"
    else
      missing "rustup has no target $target"
    fi
  done
}

## doc: the documentation builds without a warning
doc() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features
}

## package: what would be published: no warning, it builds, less than 1 MB
package() {
  local log crate
  log=$(cargo package --locked --allow-dirty 2>&1) || { echo "$log"; return 1; }
  echo "$log" | tail -n 4
  if grep warning <<<"$log"; then return 1; fi
  crate=$(ls "${CARGO_TARGET_DIR:-target}"/package/gradus-*.crate)
  [ "$(stat -c %s "$crate")" -lt 1000000 ]
}

## instructions: counts of a few kernels under callgrind, against hard limits
instructions() {
  apt valgrind || { missing "valgrind cannot be installed"; return 0; }
  if ! gungraun-runner --version 2>/dev/null | grep -q 0.20.0; then
    cargo install --quiet --locked gungraun-runner --version 0.20.0 || { missing "no gungraun-runner"; return 0; }
  fi
  (cd benches/instructions && cargo bench --locked --quiet)
}

## bench-report: writes BENCHMARKS.md (an idle machine, about ten minutes)
bench-report() {
  {
    echo "# Benchmarks"
    echo
    echo "Made by \`./ci.sh bench-report\` on $(date +%F). Default build of the crate: no target-cpu flag, opt-level 3."
    echo
    echo "- CPU: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores, shared with other machines"
    echo "- $(rustc --version)"
    echo "- Contestants take turns in one run; medians of 21 turns. Times drift with the machine, ratios hold."
    [ -f docs/bench-notes.md ] && echo && cat docs/bench-notes.md
    cargo bench --locked --features rayon --bench report -- "$@"
  } >BENCHMARKS.tmp
  mv BENCHMARKS.tmp BENCHMARKS.md
}

## pictures: the pictures in docs/ are the ones that the example draws
pictures() {
  local drawn file
  drawn=$(mktemp -d)
  cargo run --locked --quiet --example race -- "$drawn"
  for file in "$drawn"/*; do
    cmp "$file" "docs/${file##*/}"
  done
  rm -r "$drawn"
}

# tool NAME: a cargo subcommand, built from the registry if it is not there yet.
tool() {
  command -v "$1" >/dev/null || cargo install --quiet --locked "$1"
}

## fuzz [SECONDS [TARGET...]]: the fuzz targets under AddressSanitizer, 30 s each unless told (nightly)
fuzz() {
  local seconds="${1:-30}" target
  rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal \
    || { missing "no nightly toolchain for fuzzing"; return 0; }
  tool cargo-fuzz || { missing "cargo-fuzz cannot be installed"; return 0; }
  (
    cd fuzz
    cargo fmt --check
    # shellcheck disable=SC2046
    for target in $([ $# -gt 1 ] && echo "${@:2}" || cargo fuzz list); do
      echo "fuzz $target"
      cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -print_final_stats=1 2>&1 \
        | grep -E 'panicked|ERROR|SUMMARY|stat::number_of_executed_units|^Done|^error|^  left|^ right' &&
        [ "${PIPESTATUS[0]}" = 0 ]
    done
  )
}

## miri: undefined behaviour of tests/soundness.rs: x86-64, with AVX2, with AVX-512, aarch64, s390x (nightly)
miri() {
  local target flags
  rustup +nightly component add miri rust-src >/dev/null 2>&1 \
    || { missing "no nightly toolchain with miri"; return 0; }
  while read -r target flags; do
    echo "miri $target $flags"
    RUSTFLAGS="$flags" MIRIFLAGS="-Zmiri-strict-provenance" \
      cargo +nightly miri test --manifest-path fuzz/Cargo.toml --no-default-features --locked --quiet \
      --target "$target" --test soundness
  done <<END
x86_64-unknown-linux-gnu -Ctarget-feature=+sse2
x86_64-unknown-linux-gnu -Ctarget-feature=+avx2
x86_64-unknown-linux-gnu -Ctarget-cpu=x86-64-v4
aarch64-unknown-linux-gnu
s390x-unknown-linux-gnu
END
}

## all: what CI runs
all() {
  check
  test
  features
  nostd
  doc
  package
  pictures
  instructions
}

case "${1:-all}" in
  help | -h | --help) grep '^## ' "$0" | sed 's/^## /  /' ;;
  *) "${1:-all}" "${@:2}" ;;
esac
