# Measurements: instructions under callgrind, BENCHMARKS.md, CMSIS-DSP. Read by ci.sh.

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

## bench-layers: whole training steps beside plain C loops, products beside the peak (an idle machine; PYTHON, PEERS as below)
bench-layers() {
  local python=${PYTHON:-python3}
  (cd benches/layers && cargo run --quiet --release --locked)
  if "$python" -c 'import torch' 2>/dev/null; then
    echo
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" benches/peers/torch_layers.py
  fi
  if [ "${PEERS:-}" = 1 ]; then
    echo
    (cd benches/peers && RAYON_NUM_THREADS=1 cargo run --quiet --locked --release --bin layers)
  fi
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
    cargo bench --locked -p benches --features rayon --bench report
    cargo bench --locked -p benches --features rayon --bench large
    cargo bench --locked -p benches --bench half
    cargo bench --locked -p benches --bench zeros
    cargo bench --locked -p benches --features rayon --bench lbfgs
    echo
    echo "## Opt-levels"
    echo
    echo "Nanoseconds per parameter for 16 K of them: the lanes stay in registers where the compiler optimises for size."
    for opt in 3 s z; do
      echo
      echo "### Opt-level $opt"
      echo
      CARGO_PROFILE_BENCH_OPT_LEVEL=$opt cargo bench --locked -p benches --features rayon --bench report -- opt-level
    done
    echo
    echo "## Plain loops, compiled for this CPU"
    echo
    echo "Nanoseconds per parameter, plain loop / widest level, all built with \`-Ctarget-cpu=native\`."
    echo
    RUSTFLAGS=-Ctarget-cpu=native cargo bench --locked -p benches --features rayon --bench report --target-dir target/native -- native
    user_crate
    if "$python" -c 'import torch' 2>/dev/null; then
      echo
      echo "## PyTorch and NumPy"
      echo
      cargo rustc --quiet --locked --release --features ffi --crate-type cdylib
      echo "\`python benches/peers/torch_numpy.py\`, all in turns on memory of PyTorch's:" \
        "$(GRADUS=${CARGO_TARGET_DIR:-target}/release/libgradus.so "$python" benches/peers/torch_numpy.py)"
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

## cmsis: instructions on a Cortex-M4F: an Adam step, layers, a network's step: plain C, CMSIS-DSP (1.10.3, from its Python package)
cmsis() {
  local dir sources flags
  apt qemu-system-arm gcc-arm-none-eabi || { missing "no qemu-system-arm or arm gcc"; return 0; }
  dir=$(mktemp -d)
  python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" --quiet install setuptools wheel 'numpy<2' &&
    "$dir/venv/bin/pip" --quiet download --no-deps --no-binary :all: --no-build-isolation cmsisdsp==1.10.3 -d "$dir" ||
    { missing "CMSIS-DSP cannot be fetched"; return 0; }
  tar -xzf "$dir"/cmsisdsp-*.tar.gz -C "$dir"
  sources=$dir/cmsisdsp-1.10.3
  # What CMSIS-DSP takes from a vendor's headers; nothing here saturates.
  printf '#define %s\n' '__ALIGNED(x) __attribute__((aligned(x)))' '__STATIC_INLINE static inline' \
    '__STATIC_FORCEINLINE static inline __attribute__((always_inline))' '__ASM __asm' \
    '__CLZ __builtin_clz' '__SSAT(x, n) (x)' >"$dir/cmsis_compiler.h"
  flags="-std=gnu11 -ffp-contract=off -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
    -include stdint.h -U__ARM_FEATURE_DSP -DARM_MATH_LOOPUNROLL -ffreestanding -nostdlib -Wl,--gc-sections,--no-warn-execstack
    -T examples/firmware/c/nrf52840.ld -I$dir -I$sources/Include -I$sources/PrivateInclude -Iinclude"
  # shellcheck disable=SC2086
  arm-none-eabi-gcc $flags -Ofast \
    benches/peers/cmsis_dsp.c "$sources"/Source/BasicMathFunctions/arm_{scale,mult,add,sub,offset}_f32.c \
    "$(bare_library thumbv7em-none-eabihf 3)" -o "$dir/peers"
  cortex_m4 "$dir/peers" -icount shift=7
  # shellcheck disable=SC2086
  arm-none-eabi-gcc $flags -O3 -fno-math-errno \
    benches/peers/layers.c "$sources"/Source/MatrixFunctions/arm_mat_{mult,vec_mult}_f32.c -lgcc -o "$dir/layers"
  cortex_m4 "$dir/layers" -icount shift=7
  rm -r "$dir"
}
