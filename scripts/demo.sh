#!/usr/bin/env bash
# Shows the views on the samples: what somebody on the path sees of one sealed session and of one in the clear.
set -euo pipefail
cd "$(dirname "$0")/.."

overhear=${CARGO_TARGET_DIR:-target}/release/overhear

# say LINES COMMAND…: prints the command and the first lines of what it prints.
say() {
	local lines=$1 page
	shift
	printf '\n\033[1m$ overhear %s\033[0m\n\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[01]m//g'; fi
	page=$("$overhear" "$@" --color "$([ -t 1 ] && echo always || echo never)")
	if [ "$lines" = all ] || [ "$(wc -l <<<"$page")" -le "$lines" ]; then
		printf '%s\n' "$page"
	else
		head -n "$lines" <<<"$page"
		echo "…"
	fi
}

say all report samples/starttls-587.pcap
say 22 packets samples/starttls-587.pcap
say 24 follow samples/cleartext-25.pcap
say all hex samples/gmail-2019-frame.pcap 1
