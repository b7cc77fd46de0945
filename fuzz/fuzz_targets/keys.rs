#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::tls::fuzz_key_log(data));
