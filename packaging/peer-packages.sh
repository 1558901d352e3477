#!/bin/sh
# Unpacks the POP3 servers that the examination is tried on into .peers, each with what it needs:
# their packages exclude each other, so that none can be installed beside another.
set -eu
cd "$(dirname "$0")/.."
into="${RESTANTE_PEERS:-$PWD/.peers}"
peers="
    courier-pop
    cyrus-pop3d:cyrus-imapd,sasl2-bin
    mailutils-pop3d
    popa3d
    python3-twisted
    solid-pop3d
"
wanted=
for peer in $peers; do
    [ -e "$into/${peer%%:*}/version" ] || wanted="$wanted $peer"
done
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "peer-packages: run as root to unpack the servers that some tests examine:$wanted" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
for peer in $wanted; do
    package=${peer%%:*}
    others=$(echo "$peer" | sed -n 's/^[^:]*://p' | tr , ' ')
    unpacked="$into/$package"
    rm -rf "$unpacked"
    mkdir -p "$unpacked/debs/partial"
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends --reinstall --download-only \
        -o Dir::Cache::archives="$unpacked/debs" "$package" $others >/dev/null
    for deb in "$unpacked"/debs/*.deb; do
        dpkg -x "$deb" "$unpacked"
    done
    # /lib is a link into /usr on a machine, and a folder in many packages.
    if [ -d "$unpacked/lib" ]; then
        mkdir -p "$unpacked/usr/lib"
        cp -a "$unpacked/lib/." "$unpacked/usr/lib/"
        rm -rf "$unpacked/lib"
    fi
    dpkg-deb -f "$unpacked"/debs/"$package"_*.deb Version >"$unpacked/version"
    rm -rf "$unpacked/debs"
done
