#!/usr/bin/env bash
# Speed and memory of the report on large captures:  scripts/bench-large.sh [CAPTURE…]
#
# Without captures it makes two out of the samples, of 256 MiB and 1 GiB, and removes them again.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

captures=("$@")
if [ ${#captures[@]} -eq 0 ]; then
    for mib in 256 1024; do
        OVERHEAR_BENCH_MIB=$mib OVERHEAR_BENCH_WRITE="$folder/$mib.pcap" cargo bench --quiet --bench stages >/dev/null
        captures+=("$folder/$mib.pcap")
    done
fi
for capture in "${captures[@]}"; do
    cat "$capture" >/dev/null
    for command in "target/release/overhear" "target/release/overhear --jobs 2" "tcpdump -w /dev/null -r"; do
        command -v "${command%% *}" >/dev/null || continue
        # shellcheck disable=SC2086
        /usr/bin/env time -f "$(basename "$capture")  %U s user  %S s system  %e s  %M KiB  $command" $command "$capture" >/dev/null 2>"$folder/figures" || true
        tail -n 1 "$folder/figures"
    done
done
