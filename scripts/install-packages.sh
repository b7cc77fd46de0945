#!/usr/bin/env bash
# Installs the Debian packages that a make target needs, or says which are missing. Quiet where all are there.
#
#   scripts/install-packages.sh build    what compiling needs
#   scripts/install-packages.sh test     that, and the programs that tests speak to
#   scripts/install-packages.sh fuzz     what compiling needs, libFuzzer too
#   scripts/install-packages.sh bench    what compiling needs, and what speed and memory are measured with
set -euo pipefail

build=(gcc libc6-dev libpcap-dev pkg-config)
fuzz=(g++) # libFuzzer is C++
test=(
    tshark tcpdump iproute2 ethtool procps                 # peers, namespaces
    postfix sasl2-bin libsasl2-modules libsasl2-modules-db # a mail server
    openssl python3 netcat-openbsd                         # a certificate, clients
    "${fuzz[@]}"
)
bench=(time tcpdump)

case "${1:-}" in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
fuzz) wanted=("${build[@]}" "${fuzz[@]}") ;;
bench) wanted=("${build[@]}" "${bench[@]}") ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

if ! command -v "${CARGO:-cargo}" >/dev/null; then
    echo "Rust is missing: cargo 1.93 or later" >&2
    exit 1
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # What is installed cannot be asked for; the build will say what it lacks.
    command -v cc >/dev/null || { echo "a C compiler is missing, and this is no Debian to install it on" >&2 && exit 1; }
    echo "no Debian: if something is missing, install what these packages hold: ${wanted[*]}" >&2
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        echo "missing packages: ${missing[*]}" >&2
        echo "install them first:  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
fi

# Debian starts a service as it is installed, unless this file says no; the tests start theirs, in network namespaces.
# A file of the machine's own is left alone.
policy=/usr/sbin/policy-rc.d
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"; rm -f "$scratch"' EXIT
fi
echo "installing: ${missing[*]}" >&2
install() {
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}
if ! install </dev/null >"$scratch" 2>&1; then
    cat "$scratch" >&2
    exit 1
fi
