#!/usr/bin/env bash
# Installs the Debian packages that a make target needs, or says which are missing.
#
#   scripts/install-packages.sh build    what compiling needs
#   scripts/install-packages.sh test     that, and the programs that tests speak to
set -euo pipefail

build=(gcc libc6-dev libpcap-dev pkg-config)
test=(
    tshark tcpdump iproute2 ethtool procps                 # peers, namespaces
    postfix sasl2-bin libsasl2-modules libsasl2-modules-db # a mail server
    openssl python3 netcat-openbsd                         # a certificate, clients
    g++                                                    # libFuzzer, for the fuzz targets
)

case "${1:-}" in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
*)
    echo "usage: $0 build|test" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo)
    else
        echo "missing packages: ${missing[*]}" >&2
        echo "install them first:  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
fi
if ! command -v apt-get >/dev/null; then
    echo "this is no Debian; install what these packages hold: ${missing[*]}" >&2
    exit 1
fi

# The test servers are started by the tests, in network namespaces of their own, and not by their packages.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
