#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::ssh::fuzz_ssh(data));
