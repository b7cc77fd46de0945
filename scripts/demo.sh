#!/usr/bin/env bash
# Shows the views on a sample:  scripts/demo.sh PROGRAM CAPTURE
set -euo pipefail
program=$1 capture=$2

show() {
    printf '\n\033[1m$ overhear %s\033[0m\n\n' "$1"
    shift
    "$@"
}

show "$capture" "$program" "$capture"
show "packets $capture | head" bash -c '"$0" packets "$1" | head -n 16' "$program" "$capture"
show "follow $capture | tail" bash -c '"$0" follow "$1" | tail -n 16' "$program" "$capture"
show "hex samples/gmail-2019-frame.pcap 1" "$program" hex samples/gmail-2019-frame.pcap 1
