#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::cli::fuzz_page(data));
