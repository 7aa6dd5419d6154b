//! The memory of the nRF52840, for the linker script of `cortex-m-rt`.
fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    let memory =
        "MEMORY { FLASH : ORIGIN = 0, LENGTH = 1M - 16K\n RAM : ORIGIN = 0x20000000, LENGTH = 256K }";
    std::fs::write(out.join("memory.x"), memory).expect("a folder that can be written");
    println!("cargo:rustc-link-search={}", out.display());
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
