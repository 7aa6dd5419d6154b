#!/usr/bin/env bash
# Every check of the project, a subcommand each: `./ci.sh` runs what CI runs, `./ci.sh NAME` one of them.
# A check that needs more than a Rust toolchain installs it, and where that fails it is skipped with a
# loud line; under CI=true it fails.
set -euo pipefail
shopt -s inherit_errexit # a command substitution fails as its first command does
cd "$(dirname "$0")"

# Puts rules into Helium, which the target thumbv8m.main does not have by itself.
HELIUM='--cfg gradus_level="helium"'

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

## check: formatting and lints, all features
check() {
  rustup component add rustfmt clippy >/dev/null 2>&1 || true
  local manifest
  git ls-files 'Cargo.toml' '*/Cargo.toml' | while read -r manifest; do
    cargo fmt --manifest-path "$manifest" --check
  done
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
    riscv32imac-unknown-none-elf x86_64-unknown-none wasm32-unknown-unknown; do
    if rustup target add "$target" >/dev/null 2>&1; then
      echo "build $target"
      cargo build --locked --no-default-features --target "$target"
      [[ "$target" != thumbv7em* ]] || cargo build --locked --no-default-features --features defmt --target "$target"
      [[ "$target" != thumbv8m* ]] ||
        RUSTFLAGS=$HELIUM cargo clippy --locked --no-default-features --target "$target" -- -D warnings
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

# user_crate: what one optimizer costs a program: seconds to build it with all its dependencies, bytes that it grows by.
user_crate() {
  local dir body seconds kind
  declare -A bytes
  dir=$(mktemp -d)
  for kind in without with; do
    mkdir -p "$dir/$kind/src"
    printf '[package]\nname = "user"\nedition = "2024"\n[profile.release]\nstrip = true\n[workspace]\n[dependencies]\n' \
      >"$dir/$kind/Cargo.toml"
    body="for (p, g) in params.iter_mut().zip(&grads) { *p -= 1e-3 * g; }"
    if [ $kind = with ]; then
      echo "gradus = { path = \"$PWD\" }" >>"$dir/$kind/Cargo.toml"
      body="let mut state = gradus::AdamState::<64>::new();
        gradus::Optimizer::step(&gradus::Adam::new(1e-3), &mut params, &grads, &mut state);"
    fi
    echo "fn main() {
        let (mut params, grads) = (std::hint::black_box([1.0_f32; 64]), std::hint::black_box([0.5; 64]));
        $body
        println!(\"{}\", params[63]);
      }" >"$dir/$kind/src/main.rs"
    (cd "$dir/$kind" && cargo fetch --quiet)
    seconds=$(TIMEFORMAT=%R; { time (cd "$dir/$kind" && CARGO_TARGET_DIR=$dir/$kind/target cargo build --quiet --release); } 2>&1)
    bytes[$kind]=$(stat -c %s "$dir/$kind/target/release/user")
  done
  echo
  echo "## A program with one optimizer"
  echo
  echo "\`cargo build --release\` from nothing, default features, with all dependencies: $seconds s. The stripped binary grows by" \
    "$((bytes[with] - bytes[without])) bytes over one with a plain loop (${bytes[without]}); it holds Adam at every instruction set."
  rm -r "$dir"
}

## bench-report: writes BENCHMARKS.md (an idle machine, about ten minutes; PYTHON names one with torch, PEERS=1 adds Rust's)
bench-report() {
  local python=${PYTHON:-python3} opt
  {
    echo "# Benchmarks"
    echo
    echo "Made by \`./ci.sh bench-report\` on $(date +%F). Default build of the crate: no target-cpu flag, opt-level 3."
    echo
    echo "- CPU: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores, shared with other machines"
    echo "- $(rustc --version)"
    echo "- Contestants take turns in one run; medians of 21 turns. Times drift with the machine, ratios hold."
    echo
    cat docs/bench-notes.md
    cargo bench --locked --features rayon --bench report
    cargo bench --locked --features rayon --bench lbfgs
    echo
    echo "## Opt-levels"
    echo
    echo "Nanoseconds per parameter for 16 K of them: the lanes stay in registers where the compiler optimises for size."
    for opt in 3 s z; do
      echo
      echo "### Opt-level $opt"
      echo
      CARGO_PROFILE_BENCH_OPT_LEVEL=$opt cargo bench --locked --features rayon --bench report -- opt-level
    done
    echo
    echo "## Plain loops, compiled for this CPU"
    echo
    echo "Nanoseconds per parameter, plain loop / widest level, all built with \`-Ctarget-cpu=native\`."
    echo
    RUSTFLAGS=-Ctarget-cpu=native cargo bench --locked --features rayon --bench report --target-dir target/native -- native
    user_crate
    if "$python" -c 'import torch' 2>/dev/null; then
      echo
      echo "## PyTorch and NumPy"
      echo
      echo "\`python benches/peers/torch_numpy.py\`: $("$python" benches/peers/torch_numpy.py)"
    fi
    if [ "${PEERS:-}" = 1 ]; then
      echo
      echo "## Rust crates"
      echo
      echo "\`cd benches/peers && RAYON_NUM_THREADS=1 cargo run --release\`: one Adam step, nanoseconds per parameter, one thread."
      echo
      (cd benches/peers && RAYON_NUM_THREADS=1 cargo run --quiet --locked --release)
    fi
  } >BENCHMARKS.tmp
  mv BENCHMARKS.tmp BENCHMARKS.md
}

## pictures: the pictures in docs/, and the tables of two examples, are those that the examples make
pictures() {
  local drawn file
  drawn=$(mktemp -d)
  cargo run --locked --quiet --example race -- "$drawn"
  cargo run --locked --quiet --example rosenbrock -- "$drawn"
  cargo run --locked --quiet --release --example regularise -- --out "$drawn"
  cargo run --locked --quiet --release --example snapshots -- --out "$drawn/all"
  mv "$drawn/all/snapshots.md" "$drawn"
  rm -r "$drawn/all"
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
        | { grep -E 'panicked|ERROR|SUMMARY|stat::number_of_executed_units|^Done|^error|^  left|^ right' || true; }
    done
  )
}

## smoke: the fuzz targets on a few thousand pseudo-random inputs each, with stable Rust and no fuzzer
smoke() {
  cargo clippy --manifest-path fuzz/Cargo.toml --no-default-features --locked --all-targets -- -D warnings
  cargo test --manifest-path fuzz/Cargo.toml --no-default-features --locked --lib
}

## miri: undefined behaviour of tests/soundness.rs on x86-64, AVX2, AVX-512, aarch64, s390x; of the C interface; format 1
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

# same FILE: the file as made just now is the one committed, unless another compiler made that.
same() {
  if [[ $(git show "HEAD:$1" 2>/dev/null) == *"$(rustc --version)"* ]]; then
    git diff --exit-code -- "$1"
  else
    echo "$1 was made by another compiler: not compared"
  fi
}

# bare_library TARGET OPT: prints the path of the static C library, built as firmware links it.
bare_library() {
  rustup target add "$1" >/dev/null 2>&1 || true
  CARGO_PROFILE_RELEASE_OPT_LEVEL=$2 CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    CARGO_PROFILE_RELEASE_PANIC=abort cargo rustc --quiet --locked --lib --release --no-default-features \
    --features ffi,panic-handler --target "$1" --crate-type staticlib
  echo "${CARGO_TARGET_DIR:-target}/$1/release/libgradus.a"
}

# cortex_m4 PROGRAM [QEMU OPTION..]: runs a program in C.
cortex_m4() {
  timeout 300 qemu-system-arm -machine mps2-an386 -cpu cortex-m4 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native "${@:2}" -kernel "$1" 2>&1
}

# exported LIBRARY PREFIX: the functions whose names begin so; `gradus_` is what it offers to C.
exported() {
  nm --defined-only "$1" 2>/dev/null | awk -v prefix="^$2" '$2 == "T" && $3 ~ prefix { print $3 }' | sort -u
}

## c: the C interface: header, names, layout, bits and refusals under sanitizers, the examples
c() {
  local out library compiler standard digits
  apt gcc g++ clang binutils cmake pkg-config || { missing "no C compilers"; return 0; }
  apt libclang-rt-dev || apt "libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev" ||
    { missing "no sanitizers for clang"; return 0; }
  apt gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm || { missing "no qemu-system-arm or arm gcc"; return 0; }
  if ! cbindgen --version 2>/dev/null | grep -q 0.29.4; then
    cargo install --quiet --locked cbindgen --version 0.29.4 || { missing "no cbindgen"; return 0; }
  fi
  out=$(mktemp -d)
  # Associated constants of other modules come along; those of the interface begin with GRADUS.
  RUSTC_BOOTSTRAP=1 cbindgen --quiet --config cbindgen.toml --crate gradus 2>/dev/null |
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/(^|\n)#define [^G]/' >include/gradus.h
  git diff --exit-code -- include/gradus.h
  cargo rustc --quiet --locked --lib --release --features ffi --crate-type staticlib
  library=${CARGO_TARGET_DIR:-target}/release/libgradus.a
  diff <(exported "$library" gradus_) <(grep -o 'gradus_[a-z0-9_]*(' include/gradus.h | tr -d '(' | sort -u)
  GRADUS_C_OUT=$out cargo test --locked --quiet --features ffi --test abi
  g++ -std=c++11 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only tests/c/header.cpp
  diff <(sed -n '/Initialisers/,$ s/^#define \(GRADUS_[A-Z_]*\).*/\1/p' include/gradus.h | sort) \
    <(grep -o 'GRADUS_[A-Z_]*' tests/c/header.cpp | sort -u)
  for compiler in gcc clang; do
    for standard in c99 c11; do
      "$compiler" -std=$standard -pedantic -Wall -Wextra -Werror -ffp-contract=off -O1 -g \
        -fsanitize=address,undefined -fno-sanitize-recover=all -Iinclude tests/c/bits.c "$library" -lm -o "$out/bits"
      "$out/bits" >"$out/$compiler.txt" || { cat "$out/$compiler.txt"; return 1; }
      diff "$out/bits.txt" "$out/$compiler.txt"
    done
    "$compiler" -std=c11 -fsyntax-only -Iinclude "$out/layout.c"
  done
  echo "all functions on a Cortex-M4F"
  arm-none-eabi-gcc -std=c99 -pedantic -Wall -Wextra -Werror -O2 -ffp-contract=off -mcpu=cortex-m4 -mthumb -mfloat-abi=hard \
    -mfpu=fpv4-sp-d16 -nostartfiles --specs=rdimon.specs -Wl,--gc-sections,--no-warn-execstack,--defsym=end=bss_end \
    -T examples/firmware/c/nrf52840.ld -Iinclude -Iexamples/firmware/c tests/c/bare.c tests/c/bits.c \
    "$(bare_library thumbv7em-none-eabihf s)" -o "$out/bits"
  cortex_m4 "$out/bits" | diff "$out/bits.txt" -
  # The commands of the README as they stand there, block by block: each makes the digits network anew.
  sed -n '/^## From C/,/^## /p' README.md | awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' >"$out/readme.c"
  gcc -std=c99 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only "$out/readme.c"
  block() { # block NUMBER: runs a block of commands
    sed -n '/^## From C/,/^## /p' README.md |
      awk -v n="$1" '/^```text$/ { on = ++k == n; next } /^```/ { on = 0 } on' >"$out/readme.sh"
    [ -s "$out/readme.sh" ] || { echo "README: no block $1" >&2; return 1; }
    rm -rf target/digits target/digits.build
    env -u CARGO_TARGET_DIR bash -eux "$out/readme.sh"
  }
  digits=$(block 1)
  echo "$digits"
  grep -q weights <<<"$digits"
  block 2
  [ "$(target/digits)" = "$digits" ]
  [ "$(target/digits.build/digits)" = "$digits" ]
  block 3 >"$out/board.txt" 2>&1 || { cat "$out/board.txt"; return 1; }
  [ "$(grep ^epoch "$out/board.txt")" = "$digits" ]
  if command -v cargo-cinstall >/dev/null; then
    cargo cinstall --locked --release --prefix "$out/prefix"
    cmake -S examples/c -B "$out/build" -DCMAKE_PREFIX_PATH="$out/prefix" >/dev/null
    cmake --build "$out/build" >/dev/null
    [ "$("$out/build/digits")" = "$digits" ]
    gcc -O2 -ffp-contract=off -Itarget examples/c/*.c \
      $(PKG_CONFIG_PATH=$(dirname "$(find "$out/prefix" -name gradus.pc)") pkg-config --cflags --libs gradus) -o "$out/digits"
    [ "$(LD_LIBRARY_PATH=$(dirname "$(find "$out/prefix" -name libgradus.so)") "$out/digits")" = "$digits" ]
  else
    # It takes ten minutes to build: not a reason to fail.
    echo "SKIPPED: cargo-c is not here, so that what it installs is not tried; cmake/install.sh was" >&2
  fi
  rm -r "$out"
}

# footprint TARGET OPT [OPTION..]: prints the path of the static library of tests/footprint.
footprint() {
  (cd tests/footprint && CARGO_PROFILE_RELEASE_OPT_LEVEL=$2 cargo build --quiet --locked --release \
    --target "$1" --target-dir target "${@:3}")
  echo "tests/footprint/target/$1/release/libfootprint.a"
}

## size: flash per C function and Rust rule; no path to a panic or an allocation without std, at opt-level z, s and 3
size() {
  local target opt library rust symbols name elf file=docs/size.md
  apt binutils-arm-none-eabi binutils-riscv64-unknown-elf || { missing "no binutils for bare metal"; return 0; }
  elf=$(mktemp)
  declare -A bytes linker=([thumbv6m-none-eabi]="arm-none-eabi-ld" [thumbv7em-none-eabihf]="arm-none-eabi-ld"
    [riscv32imac-unknown-none-elf]="riscv64-unknown-elf-ld -m elf32lriscv")
  for target in thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imac-unknown-none-elf; do
    for opt in z 3 s; do
      library=$(bare_library $target $opt)
      rust=$(footprint $target $opt --features everything)
      symbols=$(nm "$library" "$rust" 2>/dev/null || true) # it fails where an object is foreign, and lists the others
      for name in gradus_adam_step Adam; do
        grep -q " T $name\$" <<<"$symbols" || { echo "$target $opt: nm does not list $name" >&2; return 1; }
      done
      if grep -E 'panicking|__rust_alloc|__rg_' <<<"$symbols"; then
        echo "$target $opt: a path to a panic or an allocation" >&2
        return 1
      fi
      # All functions at once: an undefined symbol would be a libc's, or the panic handler's.
      ${linker[$target]} --gc-sections -e gradus_version $(exported "$library" gradus_ | sed 's/^/-u /') \
        -o "$elf" "$library"
    done
    rust=$(footprint $target s)
    for name in $(exported "$library" gradus_) $(exported $rust '[A-Z]'); do
      ${linker[$target]} --gc-sections -e "$name" -o "$elf" "$library" $rust
      bytes[$target $name]=$(command size "$elf" 2>/dev/null | awk 'NR == 2 { print $1 }')
    done
  done
  rm "$elf"
  rows() {
    for name in "$@"; do
      echo "| $name | ${bytes[thumbv6m-none-eabi $name]} | ${bytes[thumbv7em-none-eabihf $name]} |" \
        "${bytes[riscv32imac-unknown-none-elf $name]} |"
    done
  }
  {
    echo "# Flash"
    echo
    echo "Bytes that a program grows by if it calls this function and no other: code, constants, and all that it calls, at"
    echo "opt-level s. Two rules share most of it. Made by \`./ci.sh size\`, $(rustc --version)."
    echo
    echo "## Rust"
    echo
    echo "\`step\` on arrays, with the rule's constants known to the compiler (\`tests/footprint\`)."
    echo
    echo "| rule | M0 | M4F | riscv32imac |"
    echo "|---|--:|--:|--:|"
    rows $(exported $rust '[A-Z]')
    echo
    echo "## C"
    echo
    echo "With all checks, and all transforms that a call may name."
    echo
    echo "| function | M0 | M4F | riscv32imac |"
    echo "|---|--:|--:|--:|"
    rows $(exported "$library" gradus_)
  } >$file
  same $file
}

# emulate BIN TARGET MACHINE CPU BOARD OPT [QEMU OPTION..]: builds a program of examples/firmware and runs it.
emulate() {
  emulate_in . "$@"
}

# emulate_in DIRECTORY ..: the same, with the files of that directory.
emulate_in() {
  local root=$PWD directory=$1 bin=$2 target=$3 machine=$4 cpu=$5 board=$6 opt=$7 system=arm
  shift 7
  [[ $target != riscv* ]] || system="riscv32 -bios none"
  rustup target add "$target" >/dev/null 2>&1 || true
  (cd examples/firmware && BOARD=$board CARGO_PROFILE_RELEASE_OPT_LEVEL=$opt cargo build --quiet --locked --release \
    --target "$target" --target-dir target --bin "$bin")
  # shellcheck disable=SC2086
  (cd "$directory" && timeout 300 qemu-system-$system -machine "$machine" -cpu "$cpu" -nographic -monitor none \
    -serial none -semihosting-config enable=on,target=native "$@" -kernel "$root/examples/firmware/target/$target/release/$bin")
}

# hot_loops PROGRAM: bytes of its loops with a square root, the shortest first.
hot_loops() {
  local at op rest to root=0
  arm-none-eabi-objdump -d --no-show-raw-insn "$1" | while read -r at op rest; do
    [[ $at =~ ^[0-9a-f]+:$ ]] || continue
    at=$((16#${at%:}))
    [[ $op != vsqrt* ]] || root=$at
    # A branch back to before the root; a long one has four bytes.
    [[ $op = b* && $rest =~ ^([0-9a-f]+)\ \< ]] || continue
    to=$((16#${BASH_REMATCH[1]}))
    if ((to <= root && root < at)); then [[ $op = *.w ]] && echo $((at + 4 - to)) || echo $((at + 2 - to)); fi
  done | sort -n
}

# stack_from_c: rows with the stack of calls from C at opt-level s, 3 and z.
stack_from_c() {
  local out opt
  out=$(mktemp -d)
  for opt in s 3 z; do
    arm-none-eabi-gcc -std=c99 -pedantic -Wall -Wextra -Werror -O2 -ffp-contract=off -mcpu=cortex-m4 -mthumb \
      -mfloat-abi=hard -mfpu=fpv4-sp-d16 -ffreestanding -nostdlib -Wl,--gc-sections,--no-warn-execstack \
      -T examples/firmware/c/nrf52840.ld -Iinclude examples/firmware/c/stack.c \
      "$(bare_library thumbv7em-none-eabihf $opt)" -o "$out/program"
    cortex_m4 "$out/program" >"$out/$opt"
  done
  paste -d ' ' "$out/s" <(cut -d '|' -f 3- "$out/3" | cut -c 2-) <(cut -d '|' -f 3- "$out/z" | cut -c 2-)
  rm -r "$out"
}

## cycles: instructions per parameter and stack of every rule, of masks and of calls from C, counted under QEMU
cycles() {
  local file=docs/cycles.md opt elf loops own=" instructions, as shipped |"
  apt qemu-system-arm gcc-arm-none-eabi || { missing "no qemu-system-arm or arm gcc"; return 0; }
  table() { # table COLUMNS TITLE ..: one for each level of the target, COLUMNS names those after the first
    echo
    echo "## $2"
    echo
    echo "| rule | instructions, portable loop |$1 stack, bytes |"
    echo "|---|---|$(sed 's/[^|]*|/---|/g' <<<"$1")---|"
    emulate cycles "${@:3}" -icount shift=7
  }
  m55() { # m55 FLAGS OPT TITLE
    CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_RUSTFLAGS="$1 $HELIUM" \
      table "$own instructions, Helium |" "$3" thumbv8m.main-none-eabihf mps3-an547 cortex-m55 mps3-an547 "$2"
  }
  {
    echo "# Instructions"
    echo
    echo "Per parameter, for 1024 of them, counted under QEMU (\`-icount shift=7\`, SysTick); constant costs of a call"
    echo "are not in it. The portable loop is \`Level::SCALAR\`; where the two differ, the shipped one is in assembly. Stack"
    echo "is what a call of \`step_slices\` takes at the last level. Made by \`./ci.sh cycles\`, $(rustc --version)."
    table "$own" "Cortex-M4F, opt-level s" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s
    table "$own" "Cortex-M4F, opt-level 3" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 3
    table "$own" "Cortex-M4F, opt-level z" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 z
    elf=$(mktemp)
    arm-none-eabi-ld --gc-sections -e gradus_adam_step -o "$elf" "$(bare_library thumbv7em-none-eabihf s)"
    mapfile -t loops < <(hot_loops "$elf")
    rm "$elf"
    echo
    echo "The goals for the portable loop were 6, 9, 16 and 22 instructions for SGD, momentum, RMSProp and Adam. At opt-level s it"
    echo "meets the first, and misses the others by 1, 4 and 2: four of RMSProp's and Adam's carry a number to the square root and"
    echo "back, because no stable Rust names a register of the FPU. As shipped, in assembly, the three need fewer. Adam's portable"
    echo "loop has ${loops[0]} bytes, the one in assembly, with two parameters a turn, ${loops[1]}; the goal was 150."
    table "$own" "Cortex-M33, opt-level s" thumbv8m.main-none-eabihf mps2-an505 cortex-m33 mps2-an505 s
    m55 "" s "Cortex-M55, opt-level s"
    echo
    echo "As shipped a step has the bits of every other target. Helium is for those who build with \`--cfg gradus_level=\"helium\"\`:"
    echo "it flushes subnormals, and four of the rules have a loop in it, in assembly, equal at every opt-level."
    m55 -Ctarget-cpu=cortex-m55 3 "Cortex-M55, opt-level 3, target-cpu=cortex-m55"
    echo
    echo "With this option LLVM turns the portable loops without a square root into Helium too: they flush subnormals then, at"
    echo "every level. No stable Rust shows LLVM a square root outside of std, so that the loops with a root need the assembly."
    for opt in s 3 z; do
      table "" "Cortex-M3, opt-level $opt: software floating point, the count depends on the values" \
        thumbv7m-none-eabi mps2-an385 cortex-m3 nrf52840 $opt
    done
    for opt in s 3 z; do
      table "" "Cortex-M0 code (on an M3), opt-level $opt: software floating point" \
        thumbv6m-none-eabi mps2-an385 cortex-m3 nrf52840 $opt
    done
    echo
    echo "## Masks and dropout, Cortex-M4F"
    echo
    echo "Per element, in place, the mean of 64 calls. Drawn on the way, no mask is kept in memory."
    for opt in s 3; do
      echo
      echo "| opt-level $opt | keep_prob | instructions, portable loop | instructions, as shipped |"
      echo "|---|---|---|---|"
      emulate masks thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 $opt -icount shift=7
    done
    echo
    echo "## Stack of calls from C, Cortex-M4F"
    echo
    echo "Bytes below the caller's frame, the most of several calls; L-BFGS with 20 pairs (examples/firmware/c/stack.c)."
    echo
    echo "| call | opt-level s | opt-level 3 | opt-level z |"
    echo "|---|--:|--:|--:|"
    stack_from_c
  } >$file
  same $file
}

## cmsis: instructions of an Adam step on a Cortex-M4F: gradus, a loop in C, CMSIS-DSP (1.9.5, from its Python package)
cmsis() {
  local dir sources
  apt qemu-system-arm gcc-arm-none-eabi || { missing "no qemu-system-arm or arm gcc"; return 0; }
  dir=$(mktemp -d)
  python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" --quiet install setuptools wheel 'numpy<2' &&
    "$dir/venv/bin/pip" --quiet download --no-deps --no-binary :all: --no-build-isolation cmsisdsp==1.9.5 -d "$dir" ||
    { missing "CMSIS-DSP cannot be fetched"; return 0; }
  tar -xzf "$dir"/cmsisdsp-*.tar.gz -C "$dir"
  sources=$dir/cmsisdsp-1.9.5
  # What CMSIS-DSP takes from a vendor's headers; nothing here saturates.
  printf '#define %s\n' '__ALIGNED(x) __attribute__((aligned(x)))' '__STATIC_INLINE static inline' \
    '__STATIC_FORCEINLINE static inline __attribute__((always_inline))' '__ASM __asm' \
    '__CLZ __builtin_clz' '__SSAT(x, n) (x)' >"$dir/cmsis_compiler.h"
  arm-none-eabi-gcc -std=gnu11 -Ofast -ffp-contract=off -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 \
    -include stdint.h -U__ARM_FEATURE_DSP -DARM_MATH_LOOPUNROLL -ffreestanding -nostdlib -Wl,--gc-sections,--no-warn-execstack \
    -T examples/firmware/c/nrf52840.ld -I"$dir" -I"$sources/Include" -I"$sources/PrivateInclude" -Iinclude \
    benches/peers/cmsis_dsp.c "$sources"/Source/BasicMathFunctions/arm_{scale,mult,add,sub,offset}_f32.c \
    "$(bare_library thumbv7em-none-eabihf 3)" -o "$dir/peers"
  cortex_m4 "$dir/peers" -icount shift=7
  rm -r "$dir"
}

## web: the page in the browser: builds it, and drives it in a headless Chromium
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

# bits: the golden hash in what a program of examples/firmware prints.
bits() {
  sed -n 's/^golden //p'
}

## resume: a run that a computer, a Cortex-M4F and a big-endian machine hand to each other (part of qemu)
resume() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local out firmware=$PWD/examples/firmware
  out=$(mktemp -d)
  mkdir "$out/alone" "$out/chip" "$out/chain"
  here() {
    (cd "$firmware" && cargo build --quiet --locked --release --target-dir target --bin resume)
    (cd "$1" && "$firmware/target/release/resume")
  }
  chip() {
    emulate_in "$1" resume thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s
  }
  big_endian() { # one more turn of this machine where there is no Miri
    if rustup +nightly component add miri rust-src >/dev/null 2>&1; then
      (cd "$1" && MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri run --quiet --locked --target s390x-unknown-linux-gnu \
        --manifest-path "$firmware/Cargo.toml" --target-dir "$firmware/target" --bin resume)
    else
      here "$1"
    fi
  }
  local turn machine
  for turn in 1 2 3 4 5; do
    here "$out/alone"
    chip "$out/chip"
  done >/dev/null
  for machine in here chip big_endian chip here; do
    $machine "$out/chain"
  done
  cmp "$out/chip/resume.gradus" "$out/alone/resume.gradus"
  cmp "$out/chain/resume.gradus" "$out/alone/resume.gradus"
  echo "resume: the same file, $(stat -c %s "$out/alone/resume.gradus") bytes"
  rm -r "$out"
}

## helium: Helium's loops on a Cortex-M55 against one element at a time (part of qemu)
helium() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local opt
  for opt in z s 3; do
    echo "helium, opt-level $opt"
    on_helium helium $opt
  done
}

# on_helium BIN OPT: a program of examples/firmware, built for Helium, on a Cortex-M55.
on_helium() {
  CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_RUSTFLAGS=$HELIUM \
    emulate "$1" thumbv8m.main-none-eabihf mps3-an547 cortex-m55 mps3-an547 "$2"
}

## qemu: training and resuming on a Cortex-M4F, in Rust and C, and the golden bits on every target
qemu() {
  local host out target opt got file=docs/targets.md firmware=examples/firmware weights
  apt qemu-system-arm qemu-system-misc qemu-user gcc-arm-none-eabi gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc \
    || { missing "no emulators or cross compilers"; return 0; }
  out=$(mktemp -d)
  run() { (cd $firmware && cargo run --quiet --locked --release --target-dir target --bin "$@"); }

  echo "train: this machine, then a Cortex-M4F"
  run train | tee "$out/train"
  weights=$(tail -n 1 "$out/train")
  for opt in z s 3; do
    emulate train thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 $opt >"$out/train"
    [ "$(tail -n 1 "$out/train")" = "$weights" ] || { cat "$out/train"; return 1; }
  done
  cat "$out/train"

  echo "train in C: this machine, then a Cortex-M4F"
  sed 's/^/{/; s/$/},/' data/digits.csv >"$out/digits.inc"
  cargo rustc --quiet --locked --lib --release --features ffi --crate-type staticlib
  gcc -std=c99 -O2 -ffp-contract=off -Iinclude -I"$out" examples/c/main.c examples/c/digits.c \
    "${CARGO_TARGET_DIR:-target}/release/libgradus.a" -lm -o "$out/digits"
  "$out/digits" | tee "$out/digits.txt"
  for opt in z s 3; do
    arm-none-eabi-gcc -std=c99 -pedantic -Wall -Wextra -Werror -O2 -ffp-contract=off -mcpu=cortex-m4 -mthumb \
      -mfloat-abi=hard -mfpu=fpv4-sp-d16 -ffreestanding -nostdlib -Wl,--gc-sections,--no-warn-execstack \
      -T $firmware/c/nrf52840.ld -Iinclude -I"$out" $firmware/c/start.c examples/c/digits.c \
      "$(bare_library thumbv7em-none-eabihf $opt)" -o "$out/firmware"
    cortex_m4 "$out/firmware" | diff - "$out/digits.txt"
  done

  resume
  helium

  echo "a static model: this machine, then a Cortex-M4F, where it lies in .bss"
  run static_mcu | tee "$out/static"
  emulate static_mcu thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s | diff - "$out/static"
  nm $firmware/target/thumbv7em-none-eabihf/release/static_mcu | grep ' b .*CALIBRATION' >/dev/null # -q would leave nm a closed pipe

  run golden >"$out/golden"
  host=$(bits <"$out/golden")
  row() { # row TARGET WHERE HASH..: a line of the table, if all hashes are the host's
    local name=$1 where=$2
    for got in "${@:3}"; do
      [ "$got" = "$host" ] || { echo "$name: golden $got, here $host" >&2; return 1; }
    done
    echo "| $name | $where | equal |"
  }
  board() { # board NAME TARGET MACHINE CPU BOARD: the same at three opt-levels
    row "$1" "QEMU $3, opt-level z, s, 3" "$(emulate golden "${@:2}" z | bits)" \
      "$(emulate golden "${@:2}" s | bits)" "$(emulate golden "${@:2}" 3 | bits)"
  }
  {
    echo "# Targets"
    echo
    echo "One program computes with every rule, transform, schedule, mask and sum, with batch normalisation, pooling and"
    echo "augmentation, at every instruction set of its target, and prints a hash (examples/firmware, \`golden\`). On all of"
    echo "these it is $host. Made by \`./ci.sh qemu\`."
    echo
    echo "| target | where | bits |"
    echo "|---|---|---|"
    row "x86-64: scalar, SSE2, and AVX2, AVX-512 where the CPU has them" "this machine" \
      "$host" "$(run golden --features gradus/std | bits)"
    board "Cortex-M0" thumbv6m-none-eabi microbit cortex-m0 microbit
    board "Cortex-M3" thumbv7m-none-eabi mps2-an385 cortex-m3 nrf52840
    board "Cortex-M4F" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840
    board "Cortex-M7" thumbv7em-none-eabihf mps2-an500 cortex-m7 nrf52840
    board "Cortex-M33" thumbv8m.main-none-eabihf mps2-an505 cortex-m33 mps2-an505
    board "Cortex-M55" thumbv8m.main-none-eabihf mps3-an547 cortex-m55 mps3-an547
    row "Cortex-M55 with Helium" "QEMU mps3-an547, opt-level z, s, 3" "$(on_helium golden z | bits)" \
      "$(on_helium golden s | bits)" "$(on_helium golden 3 | bits)"
    board "RISC-V, rv32imac" riscv32imac-unknown-none-elf virt rv32 riscv-virt
    (
      cd $firmware
      target=aarch64-unknown-linux-gnu
      rustup target add $target >/dev/null 2>&1 || true
      CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
        cargo build --quiet --locked --release --target $target --target-dir target --bin golden
      row "aarch64: scalar, NEON" "qemu-user" "$(qemu-aarch64 -L /usr/aarch64-linux-gnu target/$target/release/golden | bits)"
      target=wasm32-unknown-unknown
      rustup target add $target >/dev/null 2>&1 || true
      for flags in "" -Ctarget-feature=+simd128; do
        RUSTFLAGS=$flags cargo build --quiet --locked --release --target $target --target-dir target --bin golden
        row "wasm32${flags:+: scalar, simd128}" "node" "$(node -e '
          const wasm = require("fs").readFileSync(process.argv[1]);
          WebAssembly.instantiate(wasm).then(({ instance }) =>
            console.log(BigInt.asUintN(64, instance.exports.golden()).toString(16).padStart(16, "0")));
        ' target/$target/release/golden.wasm)"
      done
      if rustup +nightly component add miri rust-src >/dev/null 2>&1; then
        row "s390x, big endian" "Miri" "$(cargo +nightly miri run --quiet --locked --target s390x-unknown-linux-gnu \
          --target-dir target --bin golden | bits)"
      else
        echo "| s390x, big endian | not run: no nightly with Miri here | - |"
      fi
    )
    echo
    echo "Helium flushes subnormals, which are no part of this program: where there are some, its bits differ. It is used if asked"
    echo "for (\`--cfg gradus_level=\"helium\"\`), and with target-cpu=cortex-m55 by LLVM. \`./ci.sh helium\` compares more."
  } >$file
  cat $file
  rm -r "$out"
  git diff --exit-code -- $file
}

## valgrind: tests/soundness.rs under valgrind: no read of what was never written, up to AVX2
valgrind() {
  apt valgrind || { missing "valgrind cannot be installed"; return 0; }
  local binary
  binary=$(cargo test --manifest-path fuzz/Cargo.toml --no-default-features --locked --no-run --test soundness \
    --message-format json | grep -o '"executable":"[^"]*soundness[^"]*"' | cut -d '"' -f 4)
  command valgrind --quiet --error-exitcode=1 "$binary" -q
}

## long: ten million steps of each rule beside f64, every number in the cosine wave (release, two minutes)
long() {
  cargo test --locked --release --lib -- --ignored
  cargo test --locked --release --test long -- --ignored
}

## powerset: the library builds without a warning with every pair of features
powerset() {
  tool cargo-hack || { missing "cargo-hack cannot be installed"; return 0; }
  cargo hack clippy --locked --lib --feature-powerset --depth 2 --exclude-features capi,panic-handler -- -D warnings
}

## minimal: the library builds with the oldest dependencies that Cargo.toml admits (nightly)
minimal() {
  cargo +nightly version >/dev/null 2>&1 || { missing "no nightly toolchain"; return 0; }
  local copy
  copy=$(mktemp -d)
  git ls-files -z -- Cargo.toml README.md docs src benches | xargs -0 cp --parents -t "$copy"
  (
    cd "$copy"
    sed -i '/^\[dev-dependencies\]/,/^$/d' Cargo.toml
    cargo +nightly update --quiet -Zdirect-minimal-versions
    cargo check --locked --lib --all-features
  )
  rm -r "$copy"
}

## msrv: the library builds with the oldest Rust that Cargo.toml names
msrv() {
  local version
  version=$(sed -n 's/^rust-version = "\([^"]*\)".*/\1/p' Cargo.toml)
  rustup toolchain list | grep -q "^$version" || rustup toolchain install "$version" --profile minimal \
    || { missing "rustup has no toolchain $version; clippy's incompatible_msrv is part of check"; return 0; }
  cargo "+$version" check --locked --lib --all-features
}

## deny: licences, duplicates and sources of the dependencies; advisories where their database is
deny() {
  tool cargo-deny || { missing "cargo-deny cannot be installed"; return 0; }
  cargo deny check licenses bans sources
  cargo deny fetch db || { missing "the advisory database cannot be fetched"; return 0; }
  cargo deny check advisories
}

## mutants [RE]: changes in rules, transforms, schedules and noise fail a test or are explained (nightly, half an hour)
mutants() {
  tool cargo-mutants || { missing "cargo-mutants cannot be installed"; return 0; }
  cargo +nightly version >/dev/null 2>&1 || { missing "no nightly toolchain"; return 0; }
  cargo clippy --quiet --locked --manifest-path tests/mutants/Cargo.toml -- -D warnings
  local copy tests target
  copy=$(mktemp -d)
  target=$(realpath -m "${CARGO_TARGET_DIR:-target}/mutants")
  git ls-files -z | xargs -0 cp --parents -t "$copy"
  # The tests that know these modules: what no test notices runs them all.
  tests=$(printf -- '--test=%s ' abi augment bits dropout errors findings levels masks noise penalties properties \
    pytorch reference resume rules schedules serde transforms)
  # shellcheck disable=SC2086
  cargo mutants --list --json --file 'src/{noise,optim,schedule,transform}/**' --re "${1:-}" \
    | CARGO_TARGET_DIR=$target CARGO_PROFILE_DEV_DEBUG=0 \
      cargo run --quiet --locked --release --manifest-path tests/mutants/Cargo.toml -- "$copy" --lib $tests
  rm -r "$copy"
}

## all: what CI runs
all() {
  check
  test
  features
  smoke
  nostd
  doc
  package
  pictures
  instructions
  c
  size
  cycles
  resume
  helium
  web
}

case "${1:-all}" in
  help | -h | --help) grep '^## ' "$0" | sed 's/^## /  /' ;;
  *) "${1:-all}" "${@:2}" ;;
esac
