#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::report::rows::side::fuzz_side(data));
