#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::capture::fuzz_capture(data));
