#!/usr/bin/env bash
# Speed and memory of the report on large captures:  scripts/bench-large.sh [CAPTURE…]
#
# Without captures it makes two out of the samples, of 256 MiB and 1 GiB, and removes them again. Of ROUNDS (3) runs the one
# with the least processor time is told. The last column is that time as a multiple of `tcpdump -w /dev/null`'s, which
# is what reading the file costs at all.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

gnu_time=$(type -P time) || { echo "GNU time is missing: apt-get install time" >&2 && exit 1; }

# best COMMAND…: processor seconds, elapsed seconds and peak KiB of its best run.
best() {
    for _ in $(seq "${ROUNDS:-3}"); do
        # overhear says 3 where a capture is damaged; tcpdump says 1.
        "$gnu_time" -q -o "$folder/figures" -f '%U %S %e %M' "$@" >/dev/null 2>&1 || true
        awk '{ printf "%.2f %s %s\n", $1 + $2, $3, $4 }' "$folder/figures"
    done | sort -n | head -n 1
}

captures=("$@")
cargo build --release --quiet
if [ ${#captures[@]} -eq 0 ]; then
    for mib in 256 1024; do
        OVERHEAR_BENCH_MIB=$mib OVERHEAR_BENCH_WRITE="$folder/$mib-MiB.pcap" cargo bench --quiet --bench stages >/dev/null
        captures+=("$folder/$mib-MiB.pcap")
    done
fi
program=${CARGO_TARGET_DIR:-target}/release/overhear
printf '%-16s %-28s %9s %9s %10s %8s\n' capture command 'cpu s' 'elapsed s' 'peak KiB' 'times'
for capture in "${captures[@]}"; do
    cat "$capture" >/dev/null
    base=''
    for command in "tcpdump -w /dev/null -r" "$program report" "$program report --json" "$program report --jobs 2" \
        "$program packets --format tsv"; do
        command -v "${command%% *}" >/dev/null || continue
        # shellcheck disable=SC2086
        read -r cpu elapsed peak < <(best $command "$capture")
        [ -n "$base" ] || base=$cpu
        printf '%-16s %-28s %9s %9s %10s %8s\n' "$(basename "$capture")" "${command//"$program"/overhear}" "$cpu" "$elapsed" "$peak" \
            "$(awk -v a="$cpu" -v b="$base" 'BEGIN { if (b > 0) printf "%.1f", a / b; else print "-" }')"
    done
done
