//! Prints the golden bits; `./ci.sh qemu` compares them between targets.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

gradus_firmware::board!(main);

/// For WebAssembly, which has nowhere to print to.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
extern "C" fn golden() -> u64 {
    gradus_firmware::golden()
}

fn main() {
    gradus_firmware::println!("golden {:016x}", gradus_firmware::golden());
}
