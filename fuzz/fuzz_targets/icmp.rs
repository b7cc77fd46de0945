#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::icmp::fuzz_icmp(data));
