#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::smtp::fuzz_replies(data));
