# What is made from other sources and committed: the C interface of the optimizers, and the header. Read by ci.sh.

# generated KIND: prints a file as tools/generate makes it.
generated() {
  cargo run --quiet --locked --manifest-path tools/generate/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}/tools" -- "$1"
}

# written FILE: writes standard input to the file when all of it is there.
written() {
  cat >"$1.new"
  mv "$1.new" "$1"
}

## generate: the optimizers of the C interface, from their list and sources, and include/gradus.h, from src/ffi
generate() {
  local source
  generated rules | rustfmt --edition 2024 | written src/ffi/rules.rs
  generated list | rustfmt --edition 2024 | written tests/support/c_rules.rs
  if ! cbindgen --version 2>/dev/null | grep -q 0.29.4; then
    cargo install --quiet --locked cbindgen --version 0.29.4 || { missing "no cbindgen"; return 0; }
  fi
  source=$(mktemp)
  # Macros write the statuses and the kinds of a file, so that cbindgen sees the source behind them.
  RUSTC_BOOTSTRAP=1 cargo rustc --quiet --locked --lib --no-default-features --features ffi -- -Zunpretty=expanded |
    generated source >"$source"
  cbindgen --quiet --config cbindgen.toml "$source" | generated header | written include/gradus.h
  rm "$source"
}
