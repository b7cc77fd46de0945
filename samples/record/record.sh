#!/usr/bin/env bash
# Records the samples again, from real programs in network namespaces.
#
# usage: record.sh [NAME…]       (as root, on Debian 12; without a name: all of them)
#        record.sh --list
#
# What is missing is installed with apt-get; no service of a package is started on the machine itself.
# ../README.md says what each sample shows. OUT=DIRECTORY writes elsewhere than beside this directory.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$(dirname "$HERE")}
# shellcheck source-path=SCRIPTDIR
. "$HERE/lib.sh"

NAMES="cleartext-25 cleartext-misplaced-subject expect-script python-client starttls-587 starttls-587-tls12
resumed-465 padded-465 java-465 smtps-465-auth-plain starttls-refused starttls-not-used-auth-login smtp-ipv6 smtp-pipelining-bdat ssh-keystrokes dns-nbns dhcp-465 dhcpv6-465
lossy-25 bulk-25 attachments-25 proxied-25 missing-segment-25 end-of-data-25 smuggling-25 xclient-xforward-25 bdat-attachment-25 lmtp-24 starttls-2587 starttls-stripped gmail-2019-frame formats"

# --- the samples --------------------------------------------------------------------------------------------------------

# A person types at nc: a pause, then one line, ended by the Enter key, that is by a bare LF.
sample_cleartext_25() {
	network_pair && postfix_start || return 1
	record_start "$NEW/cleartext-25.pcap" || return 1
	typed <<-'END' | in_space client nc mail.example.org 25
		1.8 HELO client.example.org
		2.9 MAIL FROM:<alice@example.org>
		3.1 RCPT TO:<eve@example.com>
		3.6 RCPT TO:<bob@example.org>
		1.7 DATA
		2.2 From: Alice <alice@example.org>
		2.6 To: Bob <bob@example.org>
		2.3 Subject: lunch
		0.9
		2.7 Hello Bob,
		3.3 shall we meet at noon, at the usual place?
		1.2 Alice
		0.8 .
		2.1 QUIT
		0.5 -
	END
	record_stop
}

sample_cleartext_misplaced_subject() {
	network_pair && postfix_start || return 1
	record_start "$NEW/cleartext-misplaced-subject.pcap" || return 1
	typed <<-'END' | in_space client nc mail.example.org 25
		2.2 helo client.example.org
		2.6 mail from: alice@example.org
		2.4 rcpt to: bob@example.org
		1.5 data
		2.4 Hello Bob, the keys are under the mat.
		3.0 subject: keys
		2.5 See you on Monday
		1.4 .
		1.9 quit
		0.5 -
	END
	record_stop
}

sample_expect_script() {
	network_pair && postfix_start || return 1
	record_start "$NEW/expect-script.pcap" || return 1
	in_space client expect "$HERE/expect_dialogue.exp" mail.example.org 25 || return 1
	record_stop
}

sample_python_client() {
	network_pair && postfix_start || return 1
	record_start "$NEW/python-client.pcap" || return 1
	in_space client /usr/bin/python3 "$HERE/socket_client.py" mail.example.org 25 || return 1
	record_stop
}

sample_starttls_587() {
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	by_smtplib starttls-587 587 "$LAB/tls/root.crt" keys
}

# The client offers TLS 1.3 and 1.2; the server knows nothing later than 1.2.
sample_starttls_587_tls12() {
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" 'smtpd_tls_protocols=>=TLSv1.2, <=TLSv1.2' || return 1
	by_smtplib starttls-587-tls12 587 "$LAB/tls/root.crt" keys
}

# Four sessions of openssl s_client: each second one shows what the first was given, in TLS 1.2 and in TLS 1.3.
sample_resumed_465() {
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	record_start "$NEW/resumed-465.pcap" || return 1
	local version option
	for version in -tls1_2 -tls1_3; do
		for option in -sess_out -sess_in; do
			{ sleep 0.2; printf 'EHLO client.example.org\r\n'; sleep 0.2; printf 'QUIT\r\n'; sleep 0.2; } |
				in_space client openssl s_client -connect mail.example.org:465 -servername mail.example.org -quiet \
					-CAfile "$LAB/tls/root.crt" "$version" "$option" "$LAB/home/session$version" || return 1
		done
	done
	record_stop
}

# What no mail program does: each record of the client is padded to a block of 256 octets.
sample_padded_465() {
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	local keys=$LAB/home/keys line
	record_start "$NEW/padded-465.pcap" || return 1
	{
		for line in 'EHLO client.example.org' 'MAIL FROM:<alice@example.org>' 'RCPT TO:<bob@example.org>' 'RCPT TO:<nobody@example.org>' \
			DATA 'Subject: padded\r\n\r\nThe length of this line does not show.\r\n.' QUIT; do
			sleep 0.3
			printf '%b\r\n' "$line"
		done
		sleep 0.3
	} | in_space client openssl s_client -connect mail.example.org:465 -servername mail.example.org -quiet -tls1_3 \
		-CAfile "$LAB/tls/root.crt" -record_padding 256 -keylogfile "$keys" || return 1
	record_stop && keep_keys "$keys" "$NEW/padded-465.keys"
}

# Java's TLS appends 16 zeros to the text of each record. Message-ID and boundaries hold the user's and the machine's name,
# which are of the lab.
sample_java_465() {
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	lab_need keytool:default-jdk-headless javac:default-jdk-headless /usr/share/java/javax.mail.jar:libmail-java || return 1
	local trust=$LAB/home/trust.p12
	keytool -importcert -noprompt -alias root -file "$LAB/tls/root.crt" -keystore "$trust" -storetype PKCS12 -storepass changeit || return 1
	record_start "$NEW/java-465.pcap" || return 1
	in_space client java -Duser.name=alice "-Djavax.net.ssl.trustStore=$trust" -Djavax.net.ssl.trustStorePassword=changeit \
		-cp /usr/share/java/javax.mail.jar "$HERE/MailClient.java" mail.example.org 465 alice "$ALICE_PASSWORD" || return 1
	record_stop
}

sample_smtps_465_auth_plain() {
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	local keys=$LAB/home/keys
	text_message 'invoice 1042' 9 >"$LAB/home/message"
	record_start "$NEW/smtps-465-auth-plain.pcap" || return 1
	in_space client env SSLKEYLOGFILE="$keys" curl -sS --cacert "$LAB/tls/root.crt" --login-options AUTH=PLAIN \
		--user "alice:$ALICE_PASSWORD" --mail-from alice@example.org --mail-rcpt bob@example.org \
		--upload-file "$LAB/home/message" smtps://mail.example.org:465/client.example.org || return 1
	record_stop && keep_keys "$keys" "$NEW/smtps-465-auth-plain.keys"
}

# STARTTLS is offered, but the server's key is not that of its certificate: Postfix answers 454 4.7.0.
sample_starttls_refused() {
	network_pair && postfix_tls_on || return 1
	postfix_start "${TLS_ON[@]}" smtpd_sasl_auth_enable=no smtpd_tls_chain_files= \
		"smtpd_tls_cert_file=$LAB/tls/leaf.crt" "smtpd_tls_key_file=$LAB/tls/middle.key" || return 1
	by_smtplib starttls-refused 25 "$LAB/tls/root.crt" '' anonymous
}

sample_starttls_not_used_auth_login() {
	LAB_AUTH_NEEDS_TLS=no
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	# shellcheck disable=SC2016
	# A picture small enough to read in a hex view: one black pixel.
	printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82' \
		>"$LAB/home/pixel.png"
	record_start "$NEW/starttls-not-used-auth-login.pcap" || return 1
	in_space client swaks --server mail.example.org --port 587 --helo client.example.org \
		--auth LOGIN --auth-user alice --auth-password "$ALICE_PASSWORD" --from alice@example.org \
		--to bob@example.org,eve@example.com --h-Subject 'the new logo' --body 'Hello Bob, here is the new logo.' \
		--h-X-Mailer swaks --h-Message-Id '<logo-1@client.example.org>' \
		--attach-type image/png --attach-name pixel.png --attach "@$LAB/home/pixel.png"
	record_stop
}

sample_smtp_ipv6() {
	LAB_IPV6=1
	network_pair && postfix_start || return 1
	printf '%s mail.example.org mail\n%s client.example.org client\n' $SERVER_ADDRESS6 $CLIENT_ADDRESS6 >>"$LAB/hosts"
	sleep 2
	text_message 'over the new protocol' 4 >"$LAB/home/message"
	record_start "$NEW/smtp-ipv6.pcap" || return 1
	in_space client curl -sS --ipv6 --mail-from alice@example.org --mail-rcpt bob@example.org \
		--upload-file "$LAB/home/message" smtp://mail.example.org:25/client.example.org || return 1
	record_stop
}

sample_smtp_pipelining_bdat() {
	network_pair && postfix_start || return 1
	exim_unpack || return 1
	text_message 'sent in a chunk' 30 | tr -d '\r' >"$LAB/home/message"
	record_start "$NEW/smtp-pipelining-bdat.pcap" || return 1
	# shellcheck disable=SC2016
	# Exim trusts one place for its configuration, and asks for a user that the machine does not have: it gets its own /etc.
	in_space client sh -c 'mount --bind "$1/etc" /etc && shift && exec "$@"' sh "$LAB/exim" \
		"$LAB/exim/usr/sbin/exim4" -odf -oi -f alice@example.org bob@example.org postmaster@example.org \
		<"$LAB/home/message" || return 1
	record_stop 1
}

sample_ssh_keystrokes() {
	local d=$LAB/ssh
	network_pair || return 1
	mkdir "$d" && ssh-keygen -q -t ed25519 -N '' -C '' -f "$d/host" && ssh-keygen -q -t ed25519 -N '' -C '' -f "$d/key" || return 1
	cp "$d/key.pub" "$d/authorized"
	chmod 644 "$d/authorized"
	echo "mail.example.org,$SERVER_ADDRESS $(cat "$d/host.pub")" >"$d/known_hosts"
	# Nobody of the machine can log in: the server sees these users only.
	printf '%s\n' root:x:0:0::/:/bin/sh sshd:x:101:65534::/run/sshd:/usr/sbin/nologin "alice:x:4711:4711::$LAB/home:/bin/sh" >"$d/passwd"
	printf '%s\n' 'root:!:1::::::' 'alice:*:1::::::' >"$d/shadow"
	chmod 600 "$d/shadow"
	cat >"$d/config" <<-END
		HostKey $d/host
		AuthorizedKeysFile $d/authorized
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PrintMotd no
		PrintLastLog no
		PidFile none
		ForceCommand exec env -i PS1='$ ' TERM=dumb /bin/sh -i
	END
	in_space server sh -c "mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind $d/passwd /etc/passwd &&
		mount --bind $d/shadow /etc/shadow && exec /usr/sbin/sshd -D -e -f $d/config" 2>"$d/log" &
	LAB_PIDS+=($!)
	wait_port $SERVER_ADDRESS 22 || return 1
	record_start "$NEW/ssh-keystrokes.pcap" || return 1
	in_space client expect "$HERE/ssh_keystrokes.exp" "$d" alice@mail.example.org || return 1
	record_stop
}

# Observed on the bridge, where the server's own questions to the resolver pass too.
sample_dns_nbns() {
	network_bridge || return 1
	printf '127.0.0.1 localhost\n' >"$LAB/hosts"
	printf 'nameserver %s\n' $RESOLVER_ADDRESS >"$LAB/resolv.conf"
	sed -i 's/^hosts: .*/hosts: files dns/' "$LAB/nsswitch.conf"
	in_space resolver dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --user=root --pid-file \
		--local=/org/ --local=/192.in-addr.arpa/ --mx-host=example.org,mail.example.org,10 --mx-host=example.org,backup.example.org,20 \
		--host-record=mail.example.org,$SERVER_ADDRESS --host-record=client.example.org,$CLIENT_ADDRESS 2>"$LAB/dnsmasq.log" &
	LAB_PIDS+=($!)
	mkdir "$LAB/nmb"
	cat >"$LAB/nmb/conf" <<-END
		[global]
		netbios name = DESK-7
		workgroup = EXAMPLE
		server string = desk
		interfaces = eth0
		local master = no
		preferred master = no
		domain master = no
		private dir = $LAB/nmb
		lock directory = $LAB/nmb
		state directory = $LAB/nmb
		cache directory = $LAB/nmb
		pid directory = $LAB/nmb
		ncalrpc dir = $LAB/nmb/ncalrpc
		log file = $LAB/nmb/log
	END
	in_space client nmbd --foreground --no-process-group --configfile="$LAB/nmb/conf" >"$LAB/nmb/out" 2>&1 &
	LAB_PIDS+=($!)
	postfix_start smtpd_peername_lookup=yes inet_interfaces=$SERVER_ADDRESS,127.0.0.1 || return 1
	# nmbd announces itself for some seconds; the sample is about the questions around one mail.
	sleep 25
	record_start "$NEW/dns-nbns.pcap" bridge br0 || return 1
	in_space client host -t MX example.org
	sleep 0.4
	typed <<-'END' | in_space client nc mail.example.org 25
		1.1 HELO client.example.org
		1.3 MAIL FROM:<alice@example.org>
		1.2 RCPT TO:<bob@example.org>
		0.9 QUIT
		0.4 -
	END
	in_space client host $SERVER_ADDRESS
	# The server's side asks the client's machine for its Windows names, and the whole network for one of them.
	in_space server nmblookup --configfile="$LAB/nmb/conf" -A $CLIENT_ADDRESS
	in_space server nmblookup --configfile="$LAB/nmb/conf" DESK-7
	record_stop
}

# A laptop joins the network, which it tells its name, and then sends a mail over TLS from the first octet.
sample_dhcp_465() {
	network_bridge && postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	in_space resolver dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --user=root --pid-file --port=0 \
		--dhcp-range=192.0.2.77,192.0.2.77,1h --dhcp-leasefile="$LAB/leases" --dhcp-authoritative --no-ping 2>"$LAB/dnsmasq.log" &
	LAB_PIDS+=($!)
	printf '#!/bin/sh\n[ "$1" != bound ] || ip addr add "$ip/$mask" broadcast + dev "$interface"\n' >"$LAB/joined"
	chmod +x "$LAB/joined"
	ip -n "$(space client)" addr flush dev eth0
	text_message 'the contract' 40 >"$LAB/home/message"
	sleep 1
	record_start "$NEW/dhcp-465.pcap" || return 1
	in_space client udhcpc -f -q -n -i eth0 -x hostname:alices-laptop -s "$LAB/joined" || return 1
	in_space client curl -sS --cacert "$LAB/tls/root.crt" --login-options AUTH=PLAIN --user "alice:$ALICE_PASSWORD" \
		--mail-from alice@example.org --mail-rcpt bob@example.org \
		--upload-file "$LAB/home/message" smtps://mail.example.org:465/client.example.org || return 1
	record_stop
}

# The same over IPv6, where the name stands in option 39.
sample_dhcpv6_465() {
	LAB_IPV6=1
	lab_need dhclient:isc-dhcp-client || return 1
	network_bridge || return 1
	ip -n "$(space server)" addr add "$SERVER_ADDRESS6/64" dev eth0 nodad
	ip -n "$(space resolver)" addr add 2001:db8::53/64 dev eth0 nodad
	printf '%s mail.example.org mail\n' $SERVER_ADDRESS6 >>"$LAB/hosts"
	postfix_tls_on && postfix_start "${TLS_ON[@]}" || return 1
	in_space resolver dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --user=root --pid-file --port=0 \
		--dhcp-range=2001:db8::77,2001:db8::77,64,1h --dhcp-leasefile="$LAB/leases" --dhcp-authoritative 2>"$LAB/dnsmasq.log" &
	LAB_PIDS+=($!)
	printf '#!/bin/sh\n[ -z "$new_ip6_address" ] || ip addr add "$new_ip6_address/64" dev "$interface" nodad\n' >"$LAB/joined"
	chmod +x "$LAB/joined"
	printf 'send fqdn.fqdn "alices-laptop.example.org";\nsend fqdn.encoded on;\n' >"$LAB/dhclient.conf"
	text_message 'the contract' 40 >"$LAB/home/message"
	sleep 1
	record_start "$NEW/dhcpv6-465.pcap" || return 1
	in_space client dhclient -6 -1 -d -cf "$LAB/dhclient.conf" -lf "$LAB/leases6" -pf "$LAB/dhclient.pid" -sf "$LAB/joined" eth0 &
	LAB_PIDS+=($!)
	sleep 4
	in_space client curl -sS --ipv6 --cacert "$LAB/tls/root.crt" --login-options AUTH=PLAIN --user "alice:$ALICE_PASSWORD" \
		--mail-from alice@example.org --mail-rcpt bob@example.org --upload-file "$LAB/home/message" \
		smtps://mail.example.org:465/client.example.org || return 1
	record_stop
}

sample_lossy_25() {
	network_lossy "${SEED:-7}" 4 4 && postfix_start || return 1
	text_message 'the whole chapter' 850 >"$LAB/home/message"
	record_start "$NEW/lossy-25.pcap" near mid || return 1
	in_space client curl -sS --mail-from alice@example.org --mail-rcpt bob@example.org \
		--upload-file "$LAB/home/message" smtp://mail.example.org:25/client.example.org || return 1
	record_stop 2
}

sample_bulk_25() {
	network_pair && postfix_start || return 1
	text_message 'the first pages' 150 >"$LAB/home/message"
	record_start "$NEW/bulk-25.pcap" || return 1
	in_space client curl -sS --mail-from alice@example.org --mail-rcpt bob@example.org \
		--upload-file "$LAB/home/message" smtp://mail.example.org:25/client.example.org || return 1
	record_stop
}

sample_attachments_25() {
	network_pair && postfix_start || return 1
	record_start "$NEW/attachments-25.pcap" || return 1
	in_space client /usr/bin/python3 "$HERE/attachments_client.py" mail.example.org 25 || return 1
	record_stop
}

# The end of data in four segments, then the end of data and QUIT in one.
sample_end_of_data_25() {
	network_pair && postfix_start || return 1
	record_start "$NEW/end-of-data-25.pcap" || return 1
	by_segments 25 <<-'END' || return 1
		< 220
		> EHLO client.example.org\r\n
		< 250
		> MAIL FROM:<alice@example.org>\r\n
		< 250
		> RCPT TO:<bob@example.org>\r\n
		< 250
		> DATA\r\n
		< 354
		> From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: in pieces\r\n\r\nThe end comes octet by octet.\r
		> \n.
		> \r
		> \n
		< 250
		> MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n
		< 250
		< 250
		< 354
		> From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: in one piece\r\n\r\nThe end and QUIT come together.\r\n.\r\nQUIT\r\n
		< 250
		< 221
	END
	record_stop
}

# Postfix 3.7 takes LF dot CR LF for the end of data unless it is told not to: a second mail stands in the first.
sample_smuggling_25() {
	network_pair && postfix_start smtpd_forbid_bare_newline=no || return 1
	record_start "$NEW/smuggling-25.pcap" || return 1
	by_segments 25 <<-'END' || return 1
		< 220
		> EHLO client.example.org\r\n
		< 250
		> MAIL FROM:<alice@example.org>\r\n
		< 250
		> RCPT TO:<bob@example.org>\r\n
		< 250
		> DATA\r\n
		< 354
		> From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: minutes\r\n\r\nSee you on Monday.\n.\r\nMAIL FROM:<postmaster@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nFrom: Postmaster <postmaster@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: your password\r\n\r\nIt has expired.\r\n.\r\n
		# What the server takes for two mails has five replies.
		< 250
		< 250
		< 250
		< 354
		< 250
		> QUIT\r\n
		< 221
	END
	record_stop
}

# What a proxy tells the server of its own client; XCLIENT begins the session anew.
sample_xclient_xforward_25() {
	network_pair && postfix_start smtpd_authorized_xclient_hosts=192.0.2.0/24 smtpd_authorized_xforward_hosts=192.0.2.0/24 || return 1
	record_start "$NEW/xclient-xforward-25.pcap" || return 1
	by_segments 25 <<-'END' || return 1
		< 220
		> EHLO proxy.example.org\r\n
		< 250
		> XCLIENT NAME=mx.example.com ADDR=192.0.2.77 PROTO=ESMTP HELO=mx.example.com\r\n
		< 220
		> EHLO mx.example.com\r\n
		< 250
		> XFORWARD NAME=mx.example.com ADDR=192.0.2.77 HELO=mx.example.com\r\n
		< 250
		> MAIL FROM:<carol@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n
		< 250
		< 250
		< 354
		> From: Carol <carol@example.com>\r\nTo: Bob <bob@example.org>\r\nSubject: by way of a proxy\r\n\r\nHello Bob.\r\n.\r\n
		< 250
		> QUIT\r\n
		< 221
	END
	record_stop
}

# A message with an attachment in three chunks, cut inside its base64; MAIL, RCPT and the first chunk in one segment.
sample_bdat_attachment_25() {
	local file=$LAB/home/message part
	network_pair && postfix_start || return 1
	{
		printf '%s\r\n' 'From: Alice <alice@example.org>' 'To: Bob <bob@example.org>' 'Subject: the plan' \
			"Date: $(TZ=UTC date -R)" 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary="cut"' '' \
			'--cut' 'Content-Type: text/plain; charset=us-ascii' '' 'Hello Bob, the plan is attached.' \
			'--cut' 'Content-Type: application/pdf; name="plan.pdf"' 'Content-Transfer-Encoding: base64' \
			'Content-Disposition: attachment; filename="plan.pdf"' ''
		{ printf '%%PDF-1.4\n' && seq 400; } | base64 -w 76 | sed 's/$/\r/'
		printf '%s\r\n' '--cut--'
	} >"$file"
	{
		printf 'MAIL FROM:<alice@example.org> BODY=8BITMIME\r\nRCPT TO:<bob@example.org>\r\nBDAT 700\r\n'
		head -c 700 "$file"
	} >"$LAB/home/first"
	{ printf 'BDAT 900\r\n' && tail -c +701 "$file" | head -c 900; } >"$LAB/home/second"
	part=$(($(stat -c %s "$file") - 1600))
	{ printf 'BDAT %d LAST\r\n' $part && tail -c $part "$file" && printf 'QUIT\r\n'; } >"$LAB/home/third"
	record_start "$NEW/bdat-attachment-25.pcap" || return 1
	by_segments 25 <<-END || return 1
		< 220
		> EHLO client.example.org\\r\\n
		< 250
		>> $LAB/home/first
		>> $LAB/home/second
		>> $LAB/home/third
		< 250
		< 250
		< 250
		< 250
		< 250
		< 221
	END
	record_stop
}

# Dovecot delivers, on the port that Postfix and others use for LMTP; of three recipients one is over its quota.
sample_lmtp_24() {
	local d=$LAB/dovecot
	network_pair || return 1
	mkdir -p "$d/mail" "$d/run" && chmod 777 "$d/mail"
	printf '%s\n' "alice:::::::" "bob:::::::" >"$d/users"
	cat >"$d/conf" <<-END
		base_dir = $d/run
		log_path = $d/log
		protocols = lmtp
		ssl = no
		default_login_user = nobody
		default_internal_user = mail
		default_internal_group = mail
		mail_location = maildir:$d/mail/%n
		mail_uid = mail
		mail_gid = mail
		first_valid_uid = 1
		hostname = mail.example.org
		postmaster_address = postmaster@example.org
		auth_username_format = %n
		passdb {
		  driver = passwd-file
		  args = $d/users
		}
		userdb {
		  driver = passwd-file
		  args = $d/users
		}
		service lmtp {
		  inet_listener lmtp {
		    address = $SERVER_ADDRESS
		    port = 24
		  }
		}
	END
	in_space server dovecot -F -c "$d/conf" >"$d/out" 2>&1 &
	LAB_PIDS+=($!)
	wait_port $SERVER_ADDRESS 24 || { cat "$d/out" "$d/log" >&2; return 1; }
	record_start "$NEW/lmtp-24.pcap" || return 1
	by_segments 24 <<-'END' || { cat "$d/out" "$d/log" >&2; return 1; }
		< 220
		> LHLO client.example.org\r\n
		< 250
		> MAIL FROM:<carol@example.com>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<eve@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n
		< 250
		< 250
		< 550
		< 250
		< 354
		> From: Carol <carol@example.com>\r\nTo: Alice <alice@example.org>, Bob <bob@example.org>\r\nSubject: to both\r\n\r\nHello Alice, hello Bob.\r\n.\r\n
		< 250
		< 250
		> QUIT\r\n
		< 221
	END
	record_stop
}

# STARTTLS on a port that is nobody's.
sample_starttls_2587() {
	network_pair && postfix_tls_on || return 1
	LAB_EXTRA_PORT=2587 postfix_start "${TLS_ON[@]}" || return 1
	wait_port $SERVER_ADDRESS 2587 || return 1
	by_smtplib starttls-2587 2587 "$LAB/tls/root.crt" ''
}

# The same client sends to the same server three times; before the second a box on the way begins to overwrite the offer
# of STARTTLS as some firewalls do, and before the third to leave it out.
sample_starttls_stripped() {
	local box=$LAB/home/box what
	network_pair && postfix_tls_on && postfix_start "${TLS_ON[@]}" smtpd_sasl_auth_enable=no || return 1
	printf 'pass' >"$box"
	in_space server /usr/bin/python3 "$HERE/stripping_box.py" $SERVER_ADDRESS 2526 $SERVER_ADDRESS 25 "$box" &
	LAB_PIDS+=($!)
	wait_port $SERVER_ADDRESS 2526 || return 1
	record_start "$NEW/starttls-stripped.pcap" || return 1
	for what in pass mask strip; do
		printf '%s' $what >"$box"
		in_space client /usr/bin/python3 "$HERE/smtplib_client.py" mail.example.org 2526 "$LAB/tls/root.crt" '' '' '' || return 1
	done
	record_stop
}

# The proxy's word is taken for the client's address, and what the client then says of itself too.
sample_proxied_25() {
	network_pair || return 1
	postfix_start smtpd_upstream_proxy_protocol=haproxy smtpd_authorized_xclient_hosts=192.0.2.0/24 \
		smtpd_authorized_xforward_hosts=192.0.2.0/24 || return 1
	record_start "$NEW/proxied-25.pcap" || return 1
	in_space client /usr/bin/python3 "$HERE/proxy_client.py" mail.example.org 25 || return 1
	record_stop
}

sample_missing_segment_25() {
	/usr/bin/python3 "$HERE/drop_frame.py" "$OUT/bulk-25.pcap" "$NEW/missing-segment-25.pcap" 4
}

sample_gmail_2019_frame() {
	/usr/bin/python3 "$HERE/one_frame.py" "$NEW/gmail-2019-frame.pcap"
}

# The same session in the other forms that a capture file can have.
sample_formats() {
	local from=$OUT/starttls-587.pcap to=$NEW/formats size
	mkdir -p "$to"
	editcap -F pcapng --inject-secrets "tls,$OUT/starttls-587.keys" --capture-comment 'a mail by STARTTLS, its keys kept in the file' \
		-a '1:the client looks for the server' "$from" "$to/starttls-587.pcapng" || return 1
	editcap -F nsecpcap "$from" "$to/starttls-587-ns.pcap" || return 1
	/usr/bin/python3 "$HERE/big_endian.py" "$from" "$to/starttls-587-be.pcap" || return 1
	editcap -F pcap -s 96 "$from" "$to/snaplen-96.pcap" || return 1
	gzip -9nc "$from" >"$to/starttls-587.pcap.gz"
	zstd -q -19 -f "$from" -o "$to/starttls-587.pcap.zst"
	lz4 -q -9 -f "$from" "$to/starttls-587.pcap.lz4"
	size=$(stat -c %s "$from")
	head -c $((size - 20)) "$from" >"$to/cut-short.pcap"
}

# --- what they share ----------------------------------------------------------------------------------------------------

# typed: lines "PAUSE TEXT" on standard input; waits and writes TEXT and a bare LF. "PAUSE -" only waits.
typed() {
	local pause text
	while IFS=' ' read -r pause text; do
		sleep "$pause"
		[ "$text" = - ] || printf '%s\n' "$text"
	done
}

# text_message SUBJECT LINES: a message in CRLF lines.
text_message() {
	local number
	printf '%s\r\n' "Date: $(TZ=UTC date -R)" 'From: Alice <alice@example.org>' 'To: Bob <bob@example.org>' "Subject: $1" \
		"Message-ID: <$(date +%s)@client.example.org>" 'MIME-Version: 1.0' 'Content-Type: text/plain; charset=us-ascii' ''
	for number in $(seq "$2"); do
		printf 'Line %03d: the path from the harbour to the old mill goes uphill.\r\n' "$number"
	done
}

# by_segments PORT: the script on standard input, played by segments_client.py.
by_segments() { in_space client /usr/bin/python3 "$HERE/segments_client.py" mail.example.org "$1"; }

# by_smtplib NAME PORT CA_FILE keys|'' [anonymous]
by_smtplib() {
	local keys='' user=alice password=$ALICE_PASSWORD
	[ -z "$4" ] || keys=$LAB/home/keys
	[ -z "${5:-}" ] || user='' password=''
	record_start "$NEW/$1.pcap" || return 1
	in_space client /usr/bin/python3 "$HERE/smtplib_client.py" mail.example.org "$2" "$3" "$keys" "$user" "$password" || return 1
	record_stop || return 1
	[ -z "$keys" ] || keep_keys "$keys" "$NEW/$1.keys"
}

# Python heads its key log with a comment that names the library's version; only the keys are kept.
keep_keys() { grep -v '^#' "$1" >"$2" && [ -s "$2" ]; }

# Debian's Exim and Postfix exclude each other, so Exim is unpacked, not installed.
exim_unpack() {
	local etc=$LAB/exim/etc
	mkdir -p "$LAB/exim/spool" "$LAB/debs"
	chmod 777 "$LAB/debs"
	(cd "$LAB/debs" && apt-get download -q exim4-daemon-light >/dev/null 2>"$LAB/debs.log") || {
		cat "$LAB/debs.log" >&2
		return 1
	}
	dpkg-deb -x "$LAB"/debs/exim4-daemon-light_*.deb "$LAB/exim" || return 1
	mkdir -p "$etc/exim4"
	cp "$LAB/hosts" "$LAB/resolv.conf" "$LAB/nsswitch.conf" /etc/services /etc/ld.so.cache "$etc"
	cat >"$etc/exim4/exim4.conf" <<-END
		primary_hostname = client.example.org
		qualify_domain = example.org
		exim_path = $LAB/exim/usr/sbin/exim4
		spool_directory = $LAB/exim/spool
		log_file_path = $LAB/exim/spool/log-%s
		keep_environment =
		begin routers
		all:
		  driver = manualroute
		  transport = remote
		  route_list = * mail.example.org byname
		begin transports
		remote:
		  driver = smtp
		  hosts_avoid_tls = *
	END
	printf '%s\n' alice:x:0:0::/:/bin/sh Debian-exim:x:4712:4712::/:/bin/sh >"$etc/passwd"
	printf '%s\n' alice:x:0: Debian-exim:x:4712: >"$etc/group"
	chown -R 4712:4712 "$LAB/exim/spool"
}

# library NAME: its path in Debian's multi-arch folders, or a path that does not exist.
library() { find /usr/lib/*-linux-gnu* -path "*/$1" 2>/dev/null | grep . || echo "/no/$1"; }

# A sample must hold real checksums, nothing malformed, and no name or path of the machine it was made on.
check() {
	local file=$1 bad word
	bad=$(tshark -r "$file" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-Y 'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || _ws.malformed' 2>/dev/null)
	[ -z "$bad" ] || {
		echo "$file: $bad" >&2
		return 1
	}
	for word in "$(uname -n)" "$(uname -r)" "$HERE" "${TMPDIR:-/tmp}/lab" /home/ /root "${SUDO_USER:-/root}"; do
		if strings -n 4 "$file" | grep -qF -- "$word"; then
			echo "$file holds \"$word\"" >&2
			return 1
		fi
	done
	echo "$(basename "$file"): $(capinfos -Mrc "$file" 2>/dev/null | tail -1 | awk '{print $NF}') packets," \
		"$(stat -c %s "$file") octets"
}

check_all() {
	local file status=0
	for file in "$NEW"/*.pcap "$NEW"/formats/*.pcap "$NEW"/formats/*.pcapng; do
		case $file in
		*'*'*) ;;
		*cut-short*) ;;
		*) check "$file" || status=1 ;;
		esac
	done
	return $status
}

main() {
	local name failed=0
	# shellcheck disable=SC2086
	[ $# -gt 0 ] || set -- $NAMES
	if [ "$1" = --list ]; then
		# shellcheck disable=SC2086
		printf '%s\n' $NAMES
		return 0
	fi
	lab_need ip:iproute2 tcpdump:tcpdump ethtool:ethtool /usr/sbin/postfix:postfix nc:netcat-openbsd expect:expect \
		/usr/bin/python3:python3 openssl:openssl curl:curl swaks:swaks saslpasswd2:sasl2-bin \
		"$(library sasl2/libsasldb.so.2)":libsasl2-modules-db "$(library sasl2/libplain.so.2)":libsasl2-modules \
		"$(library libidn.so.12)":libidn12 "$(library libgnutls-dane.so.0)":libgnutls-dane0 "$(library libnsl.so.2)":libnsl2 \
		"$(library libdb-5.3.so)":libdb5.3 \
		/usr/sbin/sshd:openssh-server ssh:openssh-client dnsmasq:dnsmasq-base udhcpc:udhcpc host:bind9-host nmblookup:samba-common-bin \
		nmbd:samba /usr/lib/dovecot/lmtp:dovecot-lmtpd tshark:tshark editcap:wireshark-common zstd:zstd lz4:lz4 strings:binutils ps:procps || return 1
	mkdir -p "$OUT/formats" && OUT=$(cd "$OUT" && pwd) || return 1
	trap lab_close EXIT
	trap 'exit 1' INT TERM
	for name in "$@"; do
		name=${name%.pcap}
		if ! declare -F "sample_${name//-/_}" >/dev/null; then
			echo "no sample is called $name; record.sh --list names them" >&2
			return 2
		fi
		unset LAB_IPV6 LAB_AUTH_NEEDS_TLS
		lab_open || return 1
		# An earlier recording is replaced only by one that is whole.
		NEW=$LAB/new
		mkdir -p "$NEW/formats"
		if "sample_${name//-/_}" >"$LAB/out" 2>&1 && record_stop && check_all; then
			(cd "$NEW" && find . -type f -exec mv {} "$OUT/{}" \;)
		else
			echo "$name: failed" >&2
			cat "$LAB/out" >&2
			[ ! -e "$LAB/log/mail" ] || cat "$LAB/log/mail" >&2
			failed=1
		fi
		[ -z "${VERBOSE:-}" ] || cat "$LAB/out"
		lab_close
	done
	return $failed
}

main "$@"
