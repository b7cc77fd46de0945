#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::imf::fuzz_mime(data));
