#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::observe::infer::fuzz_infer(data));
