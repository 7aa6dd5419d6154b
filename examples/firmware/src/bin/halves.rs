//! Compares rules with a state in half the memory at the widest level of the target with one element at a time, and
//! prints a hash of all results; `./ci.sh halves` compares it between targets.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

gradus_firmware::board!(main);

/// For WebAssembly, which has nowhere to print to.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
extern "C" fn halves() -> u64 {
    gradus_firmware::halves()
}

fn main() {
    gradus_firmware::println!("halves {:016x}", gradus_firmware::halves());
}
