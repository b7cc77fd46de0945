#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::flow::fuzz_flow(data));
