#!/usr/bin/env bash
# Runs each fuzz target for FUZZ_SECONDS (60), or the targets that are named:  scripts/fuzz.sh [TARGET…]
#
# Needs cargo-fuzz (cargo install cargo-fuzz --locked) and clang's or gcc's C++ runtime. The
# coverage instrumentation works with a stable toolchain as long as no sanitizer is asked for.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo-fuzz >/dev/null; then
    echo "cargo-fuzz is missing; install it with:  cargo install cargo-fuzz --locked" >&2
    exit 1
fi
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
for target in "${targets[@]}"; do
    echo "=== $target"
    mkdir -p "fuzz/corpus/$target"
    case "$target" in capture | page) cp -n samples/*.pcap samples/formats/starttls-587.pcapng "fuzz/corpus/$target/" ;; esac
    cargo fuzz run --sanitizer none "$target" -- -max_total_time="${FUZZ_SECONDS:-60}" -max_len=65536 -print_final_stats=1
done
