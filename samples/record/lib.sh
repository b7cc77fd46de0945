# shellcheck shell=bash
# Network namespaces, Postfix and a recorder, for the samples and for tests of live capture.
#
# Source it from a bash script run by root; it defines functions and starts nothing:
#
#     . samples/record/lib.sh
#     lab_open                    # a temporary directory, $LAB; all below is undone by lab_close
#     trap lab_close EXIT
#     network_pair                # client 192.0.2.100 == veth == server 192.0.2.20
#     postfix_start               # in clear on port 25 of the server
#     record_start /tmp/x.pcap    # or: in_space client overhear live eth0 …
#     in_space client nc mail.example.org 25 < dialogue
#     record_stop
#
# The functions:
#
#   lab_need COMMAND:PACKAGE…   checks that the commands are there; installs the Debian packages of those that are
#                               missing (no service of theirs is started), or says what is missing
#   lab_open                    makes $LAB (names: hosts, resolv.conf) and the variables below; needs root
#   lab_close                   ends every process the lab started, by its number; removes the namespaces and $LAB
#   network_pair                two namespaces, `client` and `server`, joined by one veth pair; in each it is `eth0`
#   network_bridge              `client`, `server` and `resolver` (192.0.2.53) on a bridge: `br0` in namespace `bridge`
#   network_lossy SEED LOSS REORDER
#                               `client` == `near` == `far` == `server`: each of the two middle namespaces forwards frames
#                               by lossy_link.py, which loses and delays some (percentages, by a seeded random number);
#                               an observer between the two is `in_space near … -i mid`
#   in_space NAME COMMAND…      runs a command in a namespace, under a made-up host name and with the lab's own
#                               /etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf (the machine's are not touched)
#   space NAME                  the kernel's name of the namespace, for `ip netns exec`
#   postfix_start [PARAMETER=VALUE…]
#                               writes a whole configuration in $LAB/postfix and starts Postfix in `server`: port 25, 587
#                               (STARTTLS), 465 (TLS from the first octet), $LAB_EXTRA_PORT where it is set; later
#                               parameters win over the built-in ones
#   postfix_tls_on              the parameters (in the array $TLS_ON) that switch TLS and SASL on, with a throw-away
#                               certificate chain (root, intermediate, mail.example.org); call it before postfix_start
#   postfix_stop                stops it (also done by lab_close)
#   record_start FILE [SPACE [INTERFACE]]
#                               tcpdump, whole packets, classic pcap in microseconds; by default in `client` on eth0
#   record_stop [SECONDS]       ends the recording, after 0.4 or the given seconds; fails if the kernel dropped a packet
#   wait_port ADDRESS PORT [SPACE]
#                               until something accepts a connection there (ss, no connection is made), at most 10 s
#
# Frames are as on a wire of MTU 1500 and checksums are real: segmentation, receive and checksum offload are off.
# IPv6 is off unless LAB_IPV6=1 is set before the network is made (addresses 2001:db8::100 and 2001:db8::20).
# The people: alice and bob at example.org; alice's password is in $ALICE_PASSWORD.

CLIENT_ADDRESS=192.0.2.100
SERVER_ADDRESS=192.0.2.20
RESOLVER_ADDRESS=192.0.2.53
CLIENT_ADDRESS6=2001:db8::100
SERVER_ADDRESS6=2001:db8::20
# shellcheck disable=SC2034
ALICE_PASSWORD=correct-horse-7
LIB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# --- what the machine must have -----------------------------------------------------------------------------------------

lab_need() {
	local pair packages=()
	for pair in "$@"; do
		command -v "${pair%%:*}" >/dev/null 2>&1 || [ -e "${pair%%:*}" ] || packages+=("${pair##*:}")
	done
	[ ${#packages[@]} -eq 0 ] && return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "missing, install them first: ${packages[*]}" >&2
		return 1
	fi
	# Debian starts a service as it is installed, unless this file says no. A file of the machine's own is left alone.
	local policy=/usr/sbin/policy-rc.d made=''
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && made=yes
	fi
	local status=0
	apt-get update -q >&2 &&
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}" >&2 || status=$?
	[ -z "$made" ] || rm -f $policy
	return $status
}

# --- the laboratory -----------------------------------------------------------------------------------------------------

lab_open() {
	if [ "$(id -u)" != 0 ]; then
		echo "network namespaces need root" >&2
		return 1
	fi
	LAB=$(mktemp -d "${TMPDIR:-/tmp}/lab.XXXXXX") || return 1
	chmod 755 "$LAB"
	SPACES=()
	LAB_PIDS=()
	cat >"$LAB/hosts" <<-END
		127.0.0.1 localhost
		$SERVER_ADDRESS mail.example.org mail
		$CLIENT_ADDRESS client.example.org client
		$RESOLVER_ADDRESS ns.example.org ns
	END
	: >"$LAB/resolv.conf"
	printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n' >"$LAB/nsswitch.conf"
	# Runs inside `ip netns exec`, whose mounts are its own: what is bound here is seen by this command only.
	cat >"$LAB/enter" <<-'END'
		#!/bin/sh
		lab=$1 name=$2; shift 2
		for file in hosts resolv.conf nsswitch.conf; do
			[ -e /etc/$file ] && mount --bind "$lab/$file" "$(readlink -f /etc/$file)"
		done
		hostname "$name"
		unset SSH_CONNECTION SSH_CLIENT SUDO_USER MAIL LOGNAME USER
		export HOME="$lab/home" LANG=C.UTF-8 TZ=UTC
		exec "$@"
	END
	mkdir "$LAB/home"
	chmod 755 "$LAB/enter"
}

lab_close() {
	local pid name
	record_stop 0 2>/dev/null || true
	postfix_stop || true
	for pid in "${LAB_PIDS[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	for name in "${SPACES[@]}"; do
		ip netns pids "$(space "$name")" 2>/dev/null | xargs -r kill 2>/dev/null
		ip netns del "$(space "$name")" 2>/dev/null
	done
	SPACES=()
	LAB_PIDS=()
	[ -z "${LAB:-}" ] || rm -rf "$LAB"
	LAB=
}

space() { echo "$(basename "$LAB" | tr . -)-$1"; }

in_space() {
	local name=$1 host=$1.example.org
	shift
	[ "$name" != server ] || host=mail.example.org
	[ "$name" != resolver ] || host=ns.example.org
	ip netns exec "$(space "$name")" unshare --uts "$LAB/enter" "$LAB" "$host" "$@"
}

# --- networks -----------------------------------------------------------------------------------------------------------

new_space() {
	ip netns add "$(space "$1")" || return 1
	SPACES+=("$1")
	local s
	s=$(space "$1")
	ip netns exec "$s" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.router_solicitations=0
	[ -n "${LAB_IPV6:-}" ] || ip netns exec "$s" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n "$s" link set lo up
}

# joined SPACE INTERFACE SPACE INTERFACE: a veth pair between two namespaces, up, no offload.
joined() {
	ip link add "$2" netns "$(space "$1")" mtu 1500 type veth peer name "$4" netns "$(space "$3")" mtu 1500 || return 1
	plain_wire "$1" "$2" && plain_wire "$3" "$4"
}

plain_wire() {
	ip netns exec "$(space "$1")" ethtool -K "$2" tso off gso off gro off tx off rx off sg off >/dev/null 2>&1
	ip -n "$(space "$1")" link set "$2" up
}

# addressed SPACE ADDRESS [ADDRESS6]: a fixed, locally administered hardware address, ending as the address ends.
addressed() {
	local s
	s=$(space "$1")
	ip -n "$s" link set eth0 down
	ip -n "$s" link set eth0 address "$(printf '02:00:00:00:02:%02x' "${2##*.}")"
	ip -n "$s" addr add "$2/24" broadcast 192.0.2.255 dev eth0
	ip -n "$s" link set eth0 up
	[ -z "${LAB_IPV6:-}" ] || [ -z "${3:-}" ] || ip -n "$s" addr add "$3/64" dev eth0 nodad
}

network_pair() {
	new_space client && new_space server && joined client eth0 server eth0 || return 1
	addressed client $CLIENT_ADDRESS $CLIENT_ADDRESS6
	addressed server $SERVER_ADDRESS $SERVER_ADDRESS6
}

network_bridge() {
	local name s
	new_space bridge || return 1
	s=$(space bridge)
	ip -n "$s" link add br0 type bridge mcast_snooping 0
	ip -n "$s" link set br0 address 02:00:00:00:02:01
	ip -n "$s" link set br0 up
	for name in client server resolver; do
		new_space $name && joined $name eth0 bridge "to-$name" || return 1
		ip -n "$s" link set "to-$name" master br0
	done
	addressed client $CLIENT_ADDRESS
	addressed server $SERVER_ADDRESS
	addressed resolver $RESOLVER_ADDRESS
}

network_lossy() {
	local seed=$1 loss=$2 reorder=$3
	new_space client && new_space near && new_space far && new_space server || return 1
	joined client eth0 near outer && joined near mid far mid && joined far outer server eth0 || return 1
	addressed client $CLIENT_ADDRESS
	addressed server $SERVER_ADDRESS
	in_space near /usr/bin/python3 "$LIB_DIR/lossy_link.py" outer mid "$seed" "$loss" "$reorder" &
	LAB_PIDS+=($!)
	in_space far /usr/bin/python3 "$LIB_DIR/lossy_link.py" mid outer $((seed + 1)) "$loss" "$reorder" &
	LAB_PIDS+=($!)
	sleep 0.7
}

wait_port() {
	local tries
	for tries in $(seq 100); do
		ip netns exec "$(space "${3:-server}")" ss -Hltn "sport = :$2" | grep -q . && return 0
		sleep 0.1
	done
	echo "nothing listens on $1 port $2 after $tries tries" >&2
	return 1
}

# --- the recorder -------------------------------------------------------------------------------------------------------

record_start() {
	RECORD_SPACE=${2:-client}
	: >"$LAB/tcpdump"
	ip netns exec "$(space "$RECORD_SPACE")" \
		tcpdump -i "${3:-eth0}" -Z root -n -s 0 -U --immediate-mode --time-stamp-precision=micro -w "$1" 2>"$LAB/tcpdump" &
	RECORD_PID=$!
	local tries
	for tries in $(seq 100); do
		grep -q 'listening on' "$LAB/tcpdump" && return 0
		sleep 0.05
	done
	echo "tcpdump did not start after $tries tries:" >&2
	cat "$LAB/tcpdump" >&2
	return 1
}

record_stop() {
	[ -n "${RECORD_PID:-}" ] || return 0
	sleep "${1:-0.4}"
	kill -INT "$RECORD_PID"
	wait "$RECORD_PID"
	RECORD_PID=
	if ! grep -q '^0 packets dropped by kernel' "$LAB/tcpdump"; then
		cat "$LAB/tcpdump" >&2
		return 1
	fi
}

# --- Postfix ------------------------------------------------------------------------------------------------------------

postfix_start() {
	local etc=$LAB/postfix parameter name
	mkdir -p "$etc" "$LAB/queue" "$LAB/data" "$LAB/log"
	chown postfix "$LAB/data"
	cat >"$etc/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $LAB/queue
		data_directory = $LAB/data
		maillog_file = $LAB/log/mail
		maillog_file_prefixes = $LAB
		myhostname = mail.example.org
		mydomain = example.org
		myorigin = example.org
		mydestination = example.org, mail.example.org, localhost
		mynetworks = 127.0.0.0/8, 192.0.2.0/24, [2001:db8::]/64
		inet_interfaces = all
		inet_protocols = $([ -n "${LAB_IPV6:-}" ] && echo all || echo ipv4)
		smtpd_banner = mail.example.org ESMTP Postfix (Debian/GNU)
		smtpd_peername_lookup = no
		local_recipient_maps = inline:{alice=here bob=here postmaster=here}
		alias_maps =
		alias_database =
		# Mail that is accepted is thrown away.
		local_transport = discard:
		# As in the Debian package's "Local only": what is not for a local domain is refused, by an error transport.
		default_transport = error
		relay_transport = error
		smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
		disable_dns_lookups = yes
		smtpd_tls_security_level = none
		smtpd_tls_session_cache_database =
	END
	# Parameters of the command line replace built-in ones; `postconf -e` would need the daemon's own directory.
	for parameter in "$@"; do
		name=${parameter%%=*}
		sed -i "/^$name = /d" "$etc/main.cf"
		printf '%s = %s\n' "$name" "${parameter#*=}" >>"$etc/main.cf"
	done
	cat >"$etc/master.cf" <<-END
		smtp       inet  n - n - -    smtpd
		submission inet  n - n - -    smtpd
		smtps      inet  n - n - -    smtpd
		  -o smtpd_tls_wrappermode=yes
		pickup     unix  n - n 60 1   pickup
		cleanup    unix  n - n - 0    cleanup
		qmgr       unix  n - n 300 1  qmgr
		tlsmgr     unix  - - n 1000? 1 tlsmgr
		rewrite    unix  - - n - -    trivial-rewrite
		bounce     unix  - - n - 0    bounce
		defer      unix  - - n - 0    bounce
		trace      unix  - - n - 0    bounce
		verify     unix  - - n - 1    verify
		flush      unix  n - n 1000? 0 flush
		proxymap   unix  - - n - -    proxymap
		smtp       unix  - - n - -    smtp
		relay      unix  - - n - -    smtp
		showq      unix  n - n - -    showq
		error      unix  - - n - -    error
		retry      unix  - - n - -    error
		discard    unix  - - n - -    discard
		local      unix  - n n - -    local
		anvil      unix  - - n - 1    anvil
		scache     unix  - - n - 1    scache
		postlog    unix-dgram n - n - 1 postlogd
	END
	[ -z "${LAB_EXTRA_PORT:-}" ] || printf '%s inet n - n - - smtpd\n' "$LAB_EXTRA_PORT" >>"$etc/master.cf"
	in_space server postfix -c "$etc" start >"$LAB/log/start" 2>&1 || {
		cat "$LAB/log/start" >&2
		return 1
	}
	POSTFIX_RUNS=yes
	wait_port $SERVER_ADDRESS 25
}

postfix_stop() {
	[ -n "${POSTFIX_RUNS:-}" ] || return 0
	in_space server postfix -c "$LAB/postfix" stop >/dev/null 2>&1
	POSTFIX_RUNS=
}

postfix_tls_on() {
	certificates_make && accounts_make || return 1
	# shellcheck disable=SC2034
	TLS_ON=(
		smtpd_tls_security_level=may
		"smtpd_tls_chain_files=$LAB/tls/server.pem"
		smtpd_sasl_auth_enable=yes
		smtpd_sasl_type=cyrus
		smtpd_sasl_path=smtpd
		smtpd_sasl_local_domain=example.org
		smtpd_tls_auth_only="${LAB_AUTH_NEEDS_TLS:-yes}"
	)
}

# A root, an intermediate and a leaf: the server sends the last two, as most public servers do.
certificates_make() {
	local d=$LAB/tls name
	mkdir -p "$d"
	for name in root middle leaf; do
		openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$d/$name.key" 2>/dev/null ||
			openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$d/$name.key" 2>/dev/null || return 1
	done
	printf 'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$d/middle.ext"
	printf 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature,keyEncipherment\n%s\n%s\n' \
		'extendedKeyUsage=serverAuth' 'subjectAltName=DNS:mail.example.org' >"$d/leaf.ext"
	{
		openssl req -x509 -new -key "$d/root.key" -days 3650 -subj '/O=Example Trust/CN=Example Root' -out "$d/root.crt" &&
			openssl req -new -key "$d/middle.key" -subj '/O=Example Trust/CN=Example Issuing CA' -out "$d/middle.csr" &&
			openssl x509 -req -in "$d/middle.csr" -CA "$d/root.crt" -CAkey "$d/root.key" -CAcreateserial -days 1825 \
				-extfile "$d/middle.ext" -out "$d/middle.crt" &&
			openssl req -new -key "$d/leaf.key" -subj '/CN=mail.example.org' -out "$d/leaf.csr" &&
			openssl x509 -req -in "$d/leaf.csr" -CA "$d/middle.crt" -CAkey "$d/middle.key" -CAcreateserial -days 90 \
				-extfile "$d/leaf.ext" -out "$d/leaf.crt"
	} 2>"$d/log" || {
		cat "$d/log" >&2
		return 1
	}
	cat "$d/leaf.key" "$d/leaf.crt" "$d/middle.crt" >"$d/server.pem"
	chmod 600 "$d"/*.key "$d/server.pem"
}

# Debian's Postfix looks for the settings of Cyrus SASL in `sasl` within its own configuration directory.
accounts_make() {
	mkdir -p "$LAB/sasl" "$LAB/postfix/sasl"
	printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: %s\n' "$LAB/sasl/accounts" \
		>"$LAB/postfix/sasl/smtpd.conf"
	printf '%s' "$ALICE_PASSWORD" | saslpasswd2 -p -c -f "$LAB/sasl/accounts" -u example.org alice || return 1
	chown postfix "$LAB/sasl/accounts"
}
