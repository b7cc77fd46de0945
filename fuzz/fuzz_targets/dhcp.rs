#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overhear::dhcp::fuzz_dhcp(data));
