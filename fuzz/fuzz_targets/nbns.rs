#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::nbns::fuzz_nbns(data));
