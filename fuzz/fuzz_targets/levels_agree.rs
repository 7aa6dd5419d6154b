#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| gradus_fuzz::levels_agree::run(data));
