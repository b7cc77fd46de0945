#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::wire::fuzz_decode(data));
