#!/usr/bin/env bash
# Runs a program that listens on an interface while real mails pass, then interrupts it: for tests of live capture.
#
# usage: live.sh clear|starttls|both COMMAND…      (as root)
#
# COMMAND runs in the client's namespace, where the wire is `eth0`: for example `overhear live eth0`. Once it has opened
# its packet socket, one mail is sent for each kind asked for (`both` sends the clear one first); a second later COMMAND
# gets SIGINT, unless it has ended by itself. Its output and its exit status are live.sh's own.
# Exit status 77: not root, or a package is missing: the test cannot be run here. 78: the laboratory failed.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$HERE/lib.sh"

send() {
	case $1 in
	clear) in_space client /usr/bin/python3 "$HERE/socket_client.py" mail.example.org 25 ;;
	starttls)
		in_space client /usr/bin/python3 "$HERE/smtplib_client.py" mail.example.org 587 "$LAB/tls/root.crt" '' alice \
			"$ALICE_PASSWORD"
		;;
	both) send clear && send starttls ;;
	esac
}

main() {
	local kind=${1:-} runner tries pid
	case $kind in clear | starttls | both) shift ;; *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2 && return 2 ;; esac
	for tries in ip ethtool postfix openssl saslpasswd2 /usr/bin/python3; do
		command -v "$tries" >/dev/null || { echo "live.sh: $tries is missing; record.sh installs it" >&2 && return 77; }
	done
	lab_open || return 77
	trap lab_close EXIT
	trap 'exit 78' INT TERM
	{ network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}"; } >&2 || return 78
	# A shell starts a background command with SIGINT ignored; the command must see it as from a terminal.
	# shellcheck disable=SC2016
	in_space client env --default-signal=INT sh -c 'echo $$ >"$0" && exec "$@"' "$LAB/pid" "$@" &
	runner=$!
	for tries in $(seq 100); do
		# The sixth column says that a packet socket takes packets: it is there for a while before it does.
		ip netns exec "$(space client)" awk 'NR > 1 && $6 == 1 { found = 1 } END { exit !found }' /proc/net/packet && break
		kill -0 $runner 2>/dev/null || break
		sleep 0.1
	done
	if kill -0 $runner 2>/dev/null; then
		sleep 0.2
		send "$kind" >&2 || return 78
		sleep 1
		pid=$(cat "$LAB/pid")
		kill -INT "$pid" 2>/dev/null
	fi
	wait $runner
}

main "$@"
