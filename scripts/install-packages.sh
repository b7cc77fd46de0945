#!/usr/bin/env bash
# Installs the Debian packages that a command of the Makefile needs. Says nothing where all are there.
#
# usage: scripts/install-packages.sh demo|test|fuzz
#
# As root, or where sudo asks no password, the missing ones are installed and no service of theirs is started. Otherwise they
# are named, and the exit status is 1. On a system without dpkg only the programs are looked for.
set -euo pipefail

# A C compiler links Rust programs and builds zstd; libpcap is for `overhear live`.
DEMO=(gcc libc6-dev libpcap-dev)
# tshark's words are compared with ours. The rest is the laboratory of samples/record, where live capture is tested.
TEST=("${DEMO[@]}" tshark tcpdump iproute2 ethtool procps postfix openssl sasl2-bin libsasl2-modules libsasl2-modules-db python3)
# libFuzzer is written in C++.
FUZZ=("${DEMO[@]}" g++)

packages() {
	case $1 in
	demo) printf '%s\n' "${DEMO[@]}" ;;
	test) printf '%s\n' "${TEST[@]}" ;;
	fuzz) printf '%s\n' "${FUZZ[@]}" ;;
	*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2 && return 2 ;;
	esac
}

missing() {
	local package
	for package in "$@"; do
		# shellcheck disable=SC2016
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() {
	[ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# Debian starts a service as it is installed, unless this file says no. A file of the machine's own is left alone.
install_quietly() {
	local policy=/usr/sbin/policy-rc.d made='' status=0
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy && made=yes
	fi
	{
		as_root apt-get update -qq &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
	} </dev/null >&2 || status=$?
	[ -z "$made" ] || as_root rm -f $policy
	return $status
}

main() {
	local wanted lacking
	wanted=$(packages "${1:-}")
	if ! command -v cargo >/dev/null; then
		echo "missing: Rust 1.88 or later (cargo), from rustup.rs" >&2
		return 1
	fi
	if ! command -v dpkg-query >/dev/null; then
		command -v cc >/dev/null || { echo "missing: a C compiler" >&2 && return 1; }
		echo "not Debian: if the build fails, install what these Debian packages hold: ${wanted//$'\n'/ }" >&2
		return 0
	fi
	mapfile -t lacking < <(missing $wanted)
	[ ${#lacking[@]} -gt 0 ] || return 0
	if ! can_be_root; then
		echo "missing: ${lacking[*]}" >&2
		echo "install them first: sudo apt-get install ${lacking[*]}" >&2
		return 1
	fi
	echo "installing: ${lacking[*]}" >&2
	install_quietly "${lacking[@]}"
}

main "$@"
