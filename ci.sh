#!/usr/bin/env bash
# Every check of the project, a subcommand each: `./ci.sh` runs what CI runs, `./ci.sh NAME` one of them.
# A check that needs more than a Rust toolchain installs it, and where that fails it is skipped with a
# loud line; under CI=true it fails.
set -euo pipefail
shopt -s inherit_errexit # a command substitution fails as its first command does
cd "$(dirname "$0")"

# Puts rules into Helium, which the target thumbv8m.main does not have by itself.
HELIUM='--cfg gradus_level="helium"'

for part in ci/*.sh; do . "$part"; done

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
  local root=
  [ "$(id -u)" = 0 ] || root="sudo -n" # never asks for a password
  $root apt-get -qq update && $root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

## quick: what to run before a commit: format, lints, rooms, tests, one bare-metal build (two minutes and a half, built before)
quick() {
  format
  cargo clippy --locked --all-targets --all-features -- -D warnings
  rooms
  readme
  cargo test --locked --all-features --lib --tests
  rustup target add thumbv7em-none-eabihf >/dev/null 2>&1 || { missing "rustup has no target thumbv7em-none-eabihf"; return 0; }
  cargo build --locked --no-default-features --target thumbv7em-none-eabihf
}

# format: the formatting of every package.
format() {
  rustup component add rustfmt clippy >/dev/null 2>&1 || true
  local manifest
  git ls-files 'Cargo.toml' '*/Cargo.toml' | while read -r manifest; do
    cargo fmt --manifest-path "$manifest" --check
  done
}

## check: formatting, lints of all packages, rooms, the README's numbers, the list of dependencies (20 s)
check() {
  format
  rooms
  readme
  audited
  cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
  cargo clippy --locked --no-default-features -- -D warnings
  generate
  git diff --exit-code -- include src/ffi/rules.rs tests/support/c_rules.rs
}

## test: the test suite, as the README names it, and once with every feature (8 min of processors, from nothing)
test() {
  cargo test --locked
  cargo test --locked --all-features --lib --tests
}

## features: the suite with every feature, optimised a little, and the unit tests without the default ones (9 min of processors)
features() {
  cargo test --locked --all-features --config 'profile.dev.package.gradus.opt-level=1'
  cargo test --locked --no-default-features --lib
}

## packages: the digits and the gallery: their tests, and the README's first command (2 min)
packages() {
  cargo test --locked --release -p digits -p gallery
  cargo run --locked --release -p digits
}

## nostd: bare-metal and wasm targets build without std, and pass the lints (25 s)
nostd() {
  local target
  for target in thumbv6m-none-eabi thumbv7m-none-eabi thumbv7em-none-eabihf thumbv8m.main-none-eabihf \
    riscv32imac-unknown-none-elf x86_64-unknown-none wasm32-unknown-unknown; do
    if rustup target add "$target" >/dev/null 2>&1; then
      echo "build $target"
      cargo build --locked --no-default-features --target "$target"
      cargo clippy --locked --no-default-features --target "$target" -- -D warnings
      [[ "$target" != thumbv7em* ]] || cargo build --locked --no-default-features --features defmt --target "$target"
      [[ "$target" != thumbv8m* ]] ||
        RUSTFLAGS=$HELIUM cargo clippy --locked --no-default-features --target "$target" -- -D warnings
    else
      missing "rustup has no target $target"
    fi
  done
}

## doc: the documentation builds without a warning (3 s)
doc() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features
}

## package: what would be published: no warning, it builds, less than 1.5 MB, the same file from two folders (10 s)
package() {
  local log crate one other
  log=$(cargo package --locked --allow-dirty 2>&1) || { echo "$log"; return 1; }
  echo "$log" | tail -n 4
  if grep warning <<<"$log"; then return 1; fi
  crate=$(ls "${CARGO_TARGET_DIR:-target}"/package/gradus-*.crate)
  [ "$(stat -c %s "$crate")" -lt 1500000 ]
  one=$(packed)
  other=$(packed)
  [ "$one" = "$other" ] || { echo "two folders, two packages: $one $other" >&2; return 1; }
  echo "$one ${crate##*/}, from two folders without a history"
}

# packed: the hash of the package that a copy of all files gives in a folder of its own. A history would add the commit's name.
packed() {
  local copy
  copy=$(mktemp -d)
  git ls-files -z | xargs -0 cp --parents -t "$copy"
  (cd "$copy" && cargo package --quiet --locked --no-verify --target-dir target && sha256sum target/package/gradus-*.crate | cut -d ' ' -f 1)
  rm -r "$copy"
}

# drawn DIRECTORY: all in it is as in docs/.
drawn() {
  local file
  for file in "$1"/*; do
    cmp "$file" "docs/${file##*/}"
  done
  rm -r "$1"
}

## pictures: the pictures in docs/ are those that the gallery draws (2 s, the gallery built)
pictures() {
  local to name
  to=$(mktemp -d)
  for name in race rosenbrock lecture range; do
    cargo run --locked --quiet --release -p gallery --bin $name -- --out "$to"
  done
  drawn "$to"
}

## tables: the tables of regularisers, snapshots, half states and the fleet are those that the gallery makes (ten trainings each, 3 min of processors)
tables() {
  local to
  to=$(mktemp -d)
  cargo run --locked --quiet --release -p gallery --bin regularise -- --out "$to"
  cargo run --locked --quiet --release -p gallery --bin half -- --out "$to"
  cargo run --locked --quiet --release -p gallery --bin snapshots -- --out "$to/all"
  cargo run --locked --quiet --release -p gallery --bin fleet -- --out "$to"
  mv "$to/all/snapshots.md" "$to"
  rm -r "$to/all"
  drawn "$to"
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
        | { grep -E 'panicked|ERROR|SUMMARY|stat::number_of_executed_units|^Done|^error|^  left|^ right' || true; }
    done
  )
}

## smoke: the fuzz targets on a few thousand pseudo-random inputs each, with stable Rust and no fuzzer (2 min)
smoke() {
  cargo clippy --manifest-path fuzz/Cargo.toml --no-default-features --locked --all-targets -- -D warnings
  cargo test --manifest-path fuzz/Cargo.toml --no-default-features --locked --lib
}

## miri: undefined behaviour of tests/suite/soundness.rs on x86-64, AVX2, AVX-512, aarch64, s390x; of the C interface; format 1 (9 min of processors)
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
  echo "miri x86_64-unknown-linux-gnu: the fuzz target of the C interface"
  # Files are compared byte by byte, and Miri would choose the bits of a NaN in them at random.
  MIRIFLAGS="-Zmiri-strict-provenance -Zmiri-deterministic-floats" \
    cargo +nightly miri test --manifest-path fuzz/Cargo.toml --no-default-features --locked --quiet \
    --target x86_64-unknown-linux-gnu --lib ffi::
  echo "miri s390x-unknown-linux-gnu: the committed file of format 1"
  cargo +nightly miri test --manifest-path fuzz/Cargo.toml --no-default-features --features std --locked --quiet \
    --target s390x-unknown-linux-gnu --test resume format_1
}

## web: the page in the browser: builds it, and drives it in a headless Chromium (2 min of processors)
web() {
  rustup target add wasm32-unknown-unknown >/dev/null 2>&1 || { missing "rustup has no target wasm32-unknown-unknown"; return 0; }
  apt chromium chromium-driver || command -v chromedriver >/dev/null || { missing "no chromium and chromedriver"; return 0; }
  (
    cd web
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo wasm
    cargo test
  )
}

## valgrind: tests/suite/soundness.rs under valgrind: no read of what was never written, up to AVX2 (80 s of processors)
valgrind() {
  apt valgrind || { missing "valgrind cannot be installed"; return 0; }
  local binary
  binary=$(cargo test --manifest-path fuzz/Cargo.toml --no-default-features --locked --no-run --test soundness \
    --message-format json | grep -o '"executable":"[^"]*soundness[^"]*"' | cut -d '"' -f 4)
  command valgrind --quiet --error-exitcode=1 "$binary" -q
}

## long: the suite optimised, ten million steps of each rule and 100 000 of a network beside f64, every number in the cosine wave (release)
long() {
  cargo test --locked --release --test suite
  cargo test --locked --release --lib -- --ignored
  # All that is ignored, but for the one that writes a file.
  cargo test --locked --release --test suite -- --ignored --nocapture --skip resume::
}

## powerset: the library builds without a warning with every pair of features
powerset() {
  tool cargo-hack || { missing "cargo-hack cannot be installed"; return 0; }
  cargo hack clippy --locked --lib --feature-powerset --depth 2 --exclude-features capi,panic-handler -- -D warnings
}

## minimal: the library builds with the oldest dependencies that Cargo.toml admits (nightly, 30 s of processors)
minimal() {
  cargo +nightly version >/dev/null 2>&1 || { missing "no nightly toolchain"; return 0; }
  local copy
  copy=$(mktemp -d)
  git ls-files -z -- Cargo.toml README.md docs src | xargs -0 cp --parents -t "$copy"
  (
    cd "$copy"
    # The library alone: other packages and examples would ask for newer ones.
    sed -i '/^members = /d; /^default-members = /d; /^\[dev-dependencies\]/,/^$/d; /^\[\[example\]\]/,/^$/d' Cargo.toml
    cargo +nightly update --quiet -Zdirect-minimal-versions
    cargo check --locked --lib --all-features
  )
  rm -r "$copy"
}

## msrv: the library builds with the oldest Rust that Cargo.toml names (1 min of processors)
msrv() {
  local version
  version=$(sed -n 's/^rust-version = "\([^"]*\)".*/\1/p' Cargo.toml)
  rustup toolchain list | grep -q "^$version" || rustup toolchain install "$version" --profile minimal \
    || { missing "rustup has no toolchain $version; clippy's incompatible_msrv is part of check"; return 0; }
  cargo "+$version" check --locked --lib --all-features
}

## deny: licences, duplicates, sources, who read the dependencies (cargo-vet); advisories where their database is (3 s, the tools built)
deny() {
  tool cargo-deny || { missing "cargo-deny cannot be installed"; return 0; }
  cargo deny check licenses bans sources
  if tool cargo-vet; then cargo vet --locked; else missing "cargo-vet cannot be installed"; fi
  cargo deny fetch db || { missing "the advisory database cannot be fetched"; return 0; }
  cargo deny check advisories
}

## mutants [ROOM...]: each change of an operator, a result or a field in the rooms named fails a test; without names in all but augment, pool, ffi, check, cut and error, and of simd in the sums alone (nightly, three hours of processors)
mutants() {
  tool cargo-mutants || { missing "cargo-mutants cannot be installed"; return 0; }
  cargo +nightly version >/dev/null 2>&1 || { missing "no nightly toolchain"; return 0; }
  cargo clippy --quiet --locked --manifest-path tests/mutants/Cargo.toml -- -D warnings
  local copy target
  copy=$(mktemp -d)
  target=$(realpath -m "${CARGO_TARGET_DIR:-target}/mutants")
  git ls-files -z | xargs -0 cp --parents -t "$copy"
  [ $# -gt 0 ] || set -- activation ensemble init layer loss noise norm optim schedule second_order simd/reduce.rs store transform
  local room rooms=()
  for room in "$@"; do
    rooms+=(--file "src/$room" --file "src/$room/**") # a file or a folder
  done
  cargo mutants --list --json "${rooms[@]}" \
    | CARGO_TARGET_DIR=$target CARGO_PROFILE_DEV_DEBUG=0 \
      cargo run --quiet --locked --release --manifest-path tests/mutants/Cargo.toml -- "$copy" --lib --test suite
  rm -r "$copy"
}

## all: what CI runs with a change, and how long each part took (16 min, built before)
all() {
  local part TIMEFORMAT
  for part in check test packages nostd doc package pictures c resume finetune helium panics smoke mpi; do
    TIMEFORMAT="$part: %R s, of processors %U + %S s"
    time "$part"
  done
}

case "${1:-all}" in
  help | -h | --help) grep -h '^## ' ci.sh ci/*.sh | sed 's/^## /  /' ;;
  *) "${1:-all}" "${@:2}" ;;
esac
