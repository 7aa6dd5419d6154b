# Microcontrollers and other targets under emulation. Read by ci.sh.

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

# program BIN [TARGET [CROSS]]: builds a program of examples/firmware for this machine or another one, with a cross compiler
# where that has to link, and prints its path.
program() {
  (
    cd examples/firmware
    local cargo=cargo std=() upper
    if [ $# -gt 1 ]; then
      upper=$(tr 'a-z-' 'A-Z_' <<<"$2")
      # Without a standard library to install, one is built.
      rustup target add "$2" >/dev/null 2>&1 || { cargo="cargo +nightly" std=(-Zbuild-std=std,panic_abort); }
      [ $# -lt 3 ] || export "CARGO_TARGET_${upper}_LINKER=$3-gcc"
    fi
    $cargo build --quiet --locked --release "${std[@]}" ${2:+--target "$2"} --target-dir target --bin "$1"
    echo "$PWD/target/${2:+$2/}release/$1"
  )
}

# from_c PROGRAM OPT [QEMU OPTION..]: what a program of examples/firmware/c prints on a Cortex-M4F; with TARGET and ABI set, from
# the library of another target, called in another way.
from_c() {
  local elf
  elf=$(mktemp)
  arm-none-eabi-gcc -std=c99 -pedantic -Wall -Wextra -Werror -O2 -ffp-contract=off -mcpu=cortex-m4 -mthumb \
    -mfloat-abi="${ABI:-hard}" -mfpu=fpv4-sp-d16 -ffreestanding -nostdlib -Wl,--gc-sections,--no-warn-execstack \
    -T examples/firmware/c/nrf52840.ld -Iinclude "examples/firmware/c/$1.c" \
    "$(bare_library "${TARGET:-thumbv7em-none-eabihf}" "$2")" -o "$elf"
  cortex_m4 "$elf" "${@:3}"
  rm "$elf"
}

# stack_from_c: rows with the stack of calls from C at opt-level s, 3 and z.
stack_from_c() {
  local out opt
  out=$(mktemp -d)
  for opt in s 3 z; do
    from_c stack $opt >"$out/$opt"
  done
  paste -d ' ' "$out/s" <(cut -d '|' -f 3- "$out/3" | cut -c 2-) <(cut -d '|' -f 3- "$out/z" | cut -c 2-)
  rm -r "$out"
}

# steps_from_c: instructions of the steps of the C interface, per parameter and per call.
steps_from_c() {
  local opt
  echo
  echo "## Steps from C, Cortex-M4F"
  echo
  echo "Instructions of a parameter, and what a call costs beside them; with scale and L2 it is \`_step_with\`. A parameter's are"
  echo "the difference of calls with 1024 and 512 of them, a call's are the rest (examples/firmware/c/cycles.c)."
  for opt in s 3; do
    echo
    echo "| opt-level $opt | from C | from C, with scale and L2 | a call | a call, with scale and L2 |"
    echo "|---|--:|--:|--:|--:|"
    from_c cycles $opt -icount shift=7
  done
}

## cycles [write]: instructions per parameter and stack of every rule, of masks and of calls from C, counted under QEMU (3 min of processors)
cycles() {
  local opt elf rust name new own=" instructions, as shipped |"
  apt qemu-system-arm gcc-arm-none-eabi || { missing "no qemu-system-arm or arm gcc"; return 0; }
  new=$(mktemp)
  table() { # table COLUMNS TITLE ..: one for each level of the target, COLUMNS names those after the first
    echo
    echo "## $2"
    echo
    echo "| rule | instructions, portable loop |$1 with (Scale, L2) | stack, bytes |"
    echo "|---|---|$(sed 's/[^|]*|/---|/g' <<<"$1")---|---|"
    emulate cycles "${@:3}" -icount shift=7
  }
  m55() { # m55 FLAGS OPT TITLE
    CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_RUSTFLAGS="$1 $HELIUM" \
      table "$own instructions, Helium |" "$3" thumbv8m.main-none-eabihf mps3-an547 cortex-m55 mps3-an547 "$2"
  }
  modelled() { # modelled SYMBOL [OPTION..]: instructions and modelled cycles of the loop of a rule
    arm-none-eabi-ld --gc-sections -e "$1" -o "$elf" "$rust"
    python3 ci/cycles.py "$elf" --function "^$1\$" "${@:2}" |
      sed -n 's/.*: 4 a turn, \(.*\) instructions, \(.*\) cycles/\1 | \2/p' | tail -n 1
  }
  {
    echo "# Instructions"
    echo
    echo "Per parameter, for 1024 of them, counted under QEMU (\`-icount shift=7\`, SysTick); constant costs of a call"
    echo "are not in it. The portable loop is \`Level::SCALAR\`; where the two differ, the shipped one is in assembly. Stack"
    echo "is what a call of \`step_slices\` takes at the last level; transforms are counted there too. Made by \`./ci.sh cycles write\`, $(rustc --version)."
    table "$own" "Cortex-M4F, opt-level s" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s
    table "$own" "Cortex-M4F, opt-level 3" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 3
    table "$own" "Cortex-M4F, opt-level z" thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 z
    echo
    echo "The goals for the portable loop were 6, 9, 16 and 22 instructions for SGD, momentum, RMSProp and Adam. It misses those of"
    echo "RMSProp and Adam: four of their instructions carry a number to the square root and back, because no stable Rust names a"
    echo "register of the FPU, and Adam's choose the form of its mean anew for each element. As shipped, in assembly, all need fewer."
    echo "All rules but ScheduleFree have a loop in assembly, and half states of all but CenteredRmsPropMomentum."
    echo
    echo "## Modelled cycles, Cortex-M4F"
    echo
    echo "Of a parameter, by \`ci/cycles.py\`, which says what its model is and what is not in it. The loops handle four parameters"
    echo "a turn and are the same at every opt-level; in the last two columns Scale and L2 are folded into them."
    echo
    echo "| rule | instructions | cycles | with (Scale, L2), instructions | cycles |"
    echo "|---|--:|--:|--:|--:|"
    elf=$(mktemp)
    rust=$(footprint thumbv7em-none-eabihf s)
    for name in Sgd Momentum RmsProp Adam; do
      echo "| $name | $(modelled $name) | $(modelled ${name}ScaleL2 --zero r3) |"
    done
    # AdamW is Adam's loop with a decay, and ScheduleFree has none in assembly.
    for name in $(optimizers | grep -vxE 'Sgd|Momentum|RmsProp|Adam|AdamW|ScheduleFree'); do
      echo "| $name | $(modelled $name) | | |"
    done
    rm "$elf"
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
    layers
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
    steps_from_c
    echo
    echo "## Stack of calls from C, Cortex-M4F"
    echo
    echo "Bytes below the caller's frame, the most of several calls; L-BFGS with 20 pairs (examples/firmware/c/stack.c)."
    echo
    echo "| call | opt-level s | opt-level 3 | opt-level z |"
    echo "|---|--:|--:|--:|"
    stack_from_c
  } >"$new"
  budget docs/cycles.md "$new" "${1:-}"
  rm "$new"
}

# layers: instructions of the passes of layers and of whole training steps, modelled cycles of the loops of products.
layers() {
  local opt elf=examples/firmware/target/thumbv7em-none-eabihf/release/layers
  echo
  echo "## Layers and training steps, Cortex-M4F"
  echo
  echo "Passes: instructions per multiply-add. Of one sample's step nothing is left out: zeroed gradients, loss, rectifier, clock."
  echo "With \`backward_step\` no gradient is stored. The digits' step draws dropout of 0.1."
  for opt in s 3; do
    echo
    echo "### Opt-level $opt"
    echo
    emulate layers thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 $opt -icount shift=7
  done
  echo
  echo "### Loops of products, the same at every opt-level: per multiply-add"
  echo
  echo "| loop | instructions | modelled cycles |"
  echo "|---|--:|--:|"
  while read -r name per title; do
    echo "| $title | $(python3 ci/cycles.py "$elf" --function "products::$name\$" --per "$per" |
      sed -n 's/.* a turn, \(.*\) instructions, \(.*\) cycles/\1 | \2/p' | head -n 1) |"
  done <<END
across 32 forward, four rows
turned 32 gradients of the inputs, four rows
down 32 gradients of the weights, four rows
row 32 forward, one row
row_turned 16 gradients of the inputs, one row
END
}

# bits: the golden hash in what a program of examples/firmware prints.
bits() {
  sed -n 's/^golden //p'
}

## resume: a run, and a network amid an epoch, that a computer, a Cortex-M4F, a big-endian machine and wasm hand on (part of qemu)
resume() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local out firmware=$PWD/examples/firmware
  out=$(mktemp -d)
  mkdir "$out/alone" "$out/chip" "$out/chain"
  here() {
    local file
    file=$(program resume)
    (cd "$1" && "$file")
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
  relay
}

## finetune [OPT..]: what PyTorch trained on nine digits learns the tenth: this machine, then a Cortex-M4F (part of qemu)
finetune() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local out opt
  out=$(mktemp -d)
  (cd examples/firmware && cargo run --quiet --locked --release --target-dir target --bin finetune) | tee "$out/here"
  for opt in "${@:-s}"; do
    emulate finetune thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 "$opt" >"$out/chip"
    sed '/^RAM /d' "$out/chip" | diff "$out/here" -
  done
  grep '^RAM' "$out/chip"
  grep -qF "| \`finetune\` | $(sed -n 's/^RAM \([0-9]*\): .*, \([0-9]*\) of stack/\1 | \2/p' "$out/chip") |" README.md ||
    { echo "README.md: other numbers for finetune" >&2; return 1; }
  rm -r "$out"
}

# relay: a convolutional network in the middle of an epoch goes from machine to machine.
relay() {
  local out machine
  apt qemu-user gcc-s390x-linux-gnu libc6-dev-s390x-cross nodejs || { missing "no emulators, cross compilers or node"; return 0; }
  out=$(mktemp -d)
  mkdir "$out/alone" "$out/chain"
  here() {
    local file
    file=$(program relay)
    (cd "$1" && "$file")
  }
  chip() {
    emulate_in "$1" relay thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s
  }
  big_endian() {
    local file
    file=$(program relay s390x-unknown-linux-gnu s390x-linux-gnu)
    (cd "$1" && qemu-s390x -L /usr/s390x-linux-gnu "$file")
  }
  wasm() {
    local file
    file=$(program relay wasm32-unknown-unknown).wasm
    (cd "$1" && node -e '
      const fs = require("fs"), file = fs.readFileSync("relay.gradus");
      WebAssembly.instantiate(fs.readFileSync(process.argv[1])).then(({ instance: { exports: relay } }) => {
        new Uint8Array(relay.memory.buffer).set(file, relay.place());
        const length = relay.turn(file.length);
        fs.writeFileSync("relay.gradus", new Uint8Array(relay.memory.buffer, relay.place(), length));
      });
    ' "$file")
  }
  for machine in here chip big_endian wasm chip here; do
    here "$out/alone" >/dev/null
    echo "$machine"
    $machine "$out/chain"
  done
  cmp "$out/chain/relay.gradus" "$out/alone/relay.gradus"
  echo "relay: the same network after 300 steps on four machines, in turns of 50"
  rm -r "$out"
}

## helium: Helium's loops on a Cortex-M55 against one element at a time (part of qemu, 5 s)
helium() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local opt
  for opt in z s 3; do
    echo "helium, opt-level $opt"
    on_helium helium $opt
  done
}

## transforms: rules with transforms in assembly on a Cortex-M4F and M33 against one element at a time (part of qemu, 3 min)
transforms() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local opt
  for opt in z s 3; do
    echo "transforms, opt-level $opt"
    emulate transforms thumbv7em-none-eabihf mps2-an386 cortex-m4 mps2-an386 $opt
  done
  emulate transforms thumbv8m.main-none-eabihf mps2-an505 cortex-m33 mps2-an505 s
}

## halves: half states against one element at a time, and one hash of all on Cortex-M, riscv32, aarch64 and wasm32 (part of qemu, 3 min)
halves() {
  apt qemu-system-arm qemu-system-misc qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
    || { missing "no emulators or cross compilers"; return 0; }
  local opt host
  host=$(cd examples/firmware && cargo run --quiet --locked --release --target-dir target --features gradus/std --bin halves | tail -n 1)
  same() { # same TARGET: the last line is that of this machine
    local last
    last=$(tail -n 1)
    echo "$1: $last"
    [ "$last" = "$host" ] || { echo "here: $host" >&2; return 1; }
  }
  for opt in z s 3; do
    emulate halves thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 $opt | same "Cortex-M4F, opt-level $opt"
    on_helium halves $opt | same "Cortex-M55 with Helium, opt-level $opt"
  done
  emulate halves thumbv6m-none-eabi microbit cortex-m0 microbit s | same "Cortex-M0"
  emulate halves thumbv7em-none-eabihf mps2-an500 cortex-m7 nrf52840 s | same "Cortex-M7"
  emulate halves thumbv8m.main-none-eabihf mps2-an505 cortex-m33 mps2-an505 s | same "Cortex-M33"
  emulate halves riscv32imac-unknown-none-elf virt rv32 riscv-virt s | same "RISC-V, rv32imac"
  on_linux halves aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64 | same "aarch64, NEON"
  on_wasm halves "" | same "wasm32"
  on_wasm halves -Ctarget-feature=+simd128 | same "wasm32, simd128"
}

## softfp: steps of 64 parameters and more that C calls with floats in core registers take what hard float does, within 1 % (part of qemu, 20 s)
softfp() {
  apt qemu-system-arm gcc-arm-none-eabi || { missing "no qemu-system-arm or arm gcc"; return 0; }
  paste -d '|' <(from_c cycles s -icount shift=7) <(CARGO_TARGET_THUMBV7EM_NONE_EABI_RUSTFLAGS='-Ctarget-cpu=cortex-m4 --cfg gradus_level="fpu"' \
    TARGET=thumbv7em-none-eabi ABI=softfp from_c cycles s -icount shift=7) |
    awk -F '|' -v rules="$(optimizers | wc -l)" '
      # A parameter, and a call with 64, without transforms and with them. The schedule-free rule alone has no loop in assembly.
      $2 ~ /schedulefree/ { next }
      { for (i = 3; i <= 4; i++) more += $(i + 7) > 1.01 * $i || 64 * $(i + 7) + $(i + 9) > 1.01 * (64 * $i + $(i + 2)) }
      more && !said { print "softfp takes more:" $0; said = 1 }
      END { print NR " rules by softfp"; exit NR < rules || more }'
}

## products: layers in assembly on a Cortex-M4F, M7 and M33 against plain loops, those of the small form too (part of qemu, 30 s)
products() {
  apt qemu-system-arm || { missing "no qemu-system-arm"; return 0; }
  local opt all
  all=$(
    for opt in z s 3; do
      emulate products thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 $opt
    done
    CARGO_TARGET_THUMBV7EM_NONE_EABIHF_RUSTFLAGS='--cfg gradus_level="m7"' \
      emulate products thumbv7em-none-eabihf mps2-an500 cortex-m7 nrf52840 s
    emulate products thumbv8m.main-none-eabihf mps2-an505 cortex-m33 mps2-an505 s
    CARGO_TARGET_THUMBV7EM_NONE_EABIHF_RUSTFLAGS='--cfg gradus_size="small"' \
      emulate products thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s
  )
  echo "$all"
  # One hash of all results, six times.
  awk '{ count[$NF]++ } END { exit !(NR == 6 && count[$NF] == 6) }' <<<"$all"
}

# on_linux BIN TARGET CROSS QEMU: a program of examples/firmware under an emulator of one process.
on_linux() {
  "$4" -L "/usr/$3" "$(program "${@:1:3}")"
}

# on_wasm BIN RUSTFLAGS: what the function of a program's name returns, as the program prints it elsewhere.
on_wasm() {
  node -e '
    const [file, name] = process.argv.slice(1);
    WebAssembly.instantiate(require("fs").readFileSync(file)).then(({ instance }) =>
      console.log(name + " " + BigInt.asUintN(64, instance.exports[name]()).toString(16).padStart(16, "0")));
  ' "$(RUSTFLAGS=$2 program "$1" wasm32-unknown-unknown).wasm" "$1"
}

# on_helium BIN OPT: a program of examples/firmware, built for Helium, on a Cortex-M55.
on_helium() {
  CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_RUSTFLAGS=$HELIUM \
    emulate "$1" thumbv8m.main-none-eabihf mps3-an547 cortex-m55 mps3-an547 "$2"
}

# cross_tools: emulators, and compilers to link with.
cross_tools() {
  apt qemu-system-arm qemu-system-misc qemu-user gcc-arm-none-eabi gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc \
    gcc-riscv64-linux-gnu libc6-dev-riscv64-cross gcc-powerpc64-linux-gnu libc6-dev-ppc64-cross gcc-arm-linux-gnueabi libc6-dev-armel-cross \
    || { missing "no emulators or cross compilers"; return 1; }
}

## qemu: training and resuming on a Cortex-M4F, in Rust and C, and `golden`
qemu() {
  local out opt firmware=examples/firmware weights network
  cross_tools || return 0
  out=$(mktemp -d)
  run() { (cd $firmware && cargo run --quiet --locked --release --target-dir target --bin "$@"); }

  for network in train train_half convolutional; do
    echo "$network: this machine, then a Cortex-M4F"
    run $network | tee "$out/train"
    weights=$(tail -n 1 "$out/train")
    for opt in z 3 s; do
      emulate $network thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 $opt >"$out/train"
      [ "$(tail -n 1 "$out/train")" = "$weights" ] || { cat "$out/train"; return 1; }
    done
    cat "$out/train"
    # All RAM at opt-level s, statics and stack, as the README says.
    grep -qF "| \`$network\` | $(sed -n 's/^RAM \([0-9]*\): .*, \([0-9]*\) of stack/\1 | \2/p' "$out/train") |" README.md ||
      { echo "README.md: other numbers for $network" >&2; return 1; }
  done

  echo "train in C: this machine, then a Cortex-M4F"
  cargo rustc --quiet --locked --lib --release --features ffi --crate-type staticlib
  gcc -std=c99 -O2 -ffp-contract=off -Iinclude examples/c/main.c examples/c/digits.c \
    "${CARGO_TARGET_DIR:-target}/release/libgradus.a" -lm -o "$out/digits"
  "$out/digits" | tee "$out/digits.txt"
  for opt in z s 3; do
    arm-none-eabi-gcc -std=c99 -pedantic -Wall -Wextra -Werror -O2 -ffp-contract=off -mcpu=cortex-m4 -mthumb \
      -mfloat-abi=hard -mfpu=fpv4-sp-d16 -ffreestanding -nostdlib -Wl,--gc-sections,--no-warn-execstack \
      -T $firmware/c/nrf52840.ld -Iinclude $firmware/c/start.c examples/c/digits.c \
      "$(bare_library thumbv7em-none-eabihf $opt)" -o "$out/firmware"
    cortex_m4 "$out/firmware" | diff - "$out/digits.txt"
  done

  finetune z 3 s
  resume
  transforms
  halves
  softfp
  products
  helium

  echo "a static model: this machine, then a Cortex-M4F, where it lies in .bss"
  run static_mcu | tee "$out/static"
  emulate static_mcu thumbv7em-none-eabihf mps2-an386 cortex-m4 nrf52840 s | diff - "$out/static"
  nm $firmware/target/thumbv7em-none-eabihf/release/static_mcu | grep ' b .*CALIBRATION' >/dev/null # -q would leave nm a closed pipe

  rm -r "$out"
  golden
}

## golden: one hash over what every part computes, on every target (part of qemu, 5 min)
golden() {
  local host out target got file=docs/targets.md firmware=examples/firmware
  cross_tools || return 0
  out=$(mktemp -d)
  (cd $firmware && cargo run --quiet --locked --release --target-dir target --bin golden) >"$out/golden"
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
    row "x86-64: scalar, SSE2, and AVX2, AVX-512 where the CPU has them" "this machine" "$host" \
      "$(cd $firmware && cargo run --quiet --locked --release --target-dir target --bin golden --features gradus/std | bits)"
    # At the other opt-levels the program is too large for that board.
    row "Cortex-M0" "QEMU microbit, opt-level s; its code on QEMU mps2-an385, z, 3" \
      "$(emulate golden thumbv6m-none-eabi microbit cortex-m0 microbit s | bits)" \
      "$(emulate golden thumbv6m-none-eabi mps2-an385 cortex-m3 mps2-an386 z | bits)" \
      "$(emulate golden thumbv6m-none-eabi mps2-an385 cortex-m3 mps2-an386 3 | bits)"
    board "Cortex-M3" thumbv7m-none-eabi mps2-an385 cortex-m3 mps2-an386
    board "Cortex-M4F" thumbv7em-none-eabihf mps2-an386 cortex-m4 mps2-an386
    board "Cortex-M7" thumbv7em-none-eabihf mps2-an500 cortex-m7 mps2-an386
    board "Cortex-M33" thumbv8m.main-none-eabihf mps2-an505 cortex-m33 mps2-an505
    board "Cortex-M55" thumbv8m.main-none-eabihf mps3-an547 cortex-m55 mps3-an547
    row "Cortex-M55 with Helium" "QEMU mps3-an547, opt-level z, s, 3" "$(on_helium golden z | bits)" \
      "$(on_helium golden s | bits)" "$(on_helium golden 3 | bits)"
    board "RISC-V, rv32imac" riscv32imac-unknown-none-elf virt rv32 riscv-virt
    linux() { # linux NAME TARGET CROSS QEMU
      row "$1" "qemu-user" "$(on_linux golden "${@:2}" | bits)"
    }
    rustup +nightly component add rust-src >/dev/null 2>&1 || true
    linux "aarch64: scalar, NEON" aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64
    linux "riscv64gc" riscv64gc-unknown-linux-gnu riscv64-linux-gnu qemu-riscv64
    linux "powerpc64, big endian" powerpc64-unknown-linux-gnu powerpc64-linux-gnu qemu-ppc64
    linux "armv7, floats in software" armv7-unknown-linux-gnueabi arm-linux-gnueabi qemu-arm
    row "wasm32" "node" "$(on_wasm golden "" | bits)"
    row "wasm32: scalar, simd128" "node" "$(on_wasm golden -Ctarget-feature=+simd128 | bits)"
    (
      cd $firmware
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
    echo
    echo "Cortex-A and Cortex-R without an operating system are compiled in Arm state, in which the loops of a Cortex-M do not assemble."
    echo "With \`--cfg gradus_level=\"scalar\"\` the library builds for them (armv7r-none-eabihf, once, with a core library of nightly's)."
  } >$file
  cat $file
  rm -r "$out"
  git diff --exit-code -- $file
}

## embassy: the example for an nRF52840 is built; its learner learns through power cuts here and on a Cortex-M4F, to one hash
embassy() {
  rustup target add thumbv7em-none-eabihf >/dev/null 2>&1 || true
  (
    cd examples/embassy
    cargo fmt --check
    cargo test --locked --release --target-dir target
    cargo build --locked --release --target thumbv7em-none-eabihf --target-dir target
    command size target/thumbv7em-none-eabihf/release/nrf52840
    cargo run --quiet --locked --release --target-dir target --bin emulated | tee target/here
    cortex_m4 target/thumbv7em-none-eabihf/release/emulated | diff target/here -
  )
}
