#!/bin/sh
# cmake/install.sh PREFIX: the static library, its header, and how pkg-config and CMake find them.
#
# cargo-c (cargo cinstall --release --prefix PREFIX) installs the same, and a shared library.
set -eu
prefix=${1:?usage: cmake/install.sh PREFIX}
mkdir -p "$prefix/include" "$prefix/lib/pkgconfig" "$prefix/share/gradus"
prefix=$(cd "$prefix" && pwd)
cd "$(dirname "$0")/.."
cargo rustc --quiet --locked --release --lib --crate-type staticlib --features ffi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cp "${CARGO_TARGET_DIR:-target}/release/libgradus.a" "$prefix/lib/"
cp include/gradus.h include/gradus.hpp "$prefix/include/"
cp cmake/gradus-config.cmake cmake/gradus-config-version.cmake "$prefix/share/gradus/"
sed "s/@VERSION@/$version/" cmake/gradus.pc.in >"$prefix/lib/pkgconfig/gradus.pc"
