#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::dns::fuzz_dns(data));
