#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::arp::fuzz_arp(data));
