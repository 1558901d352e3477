#!/bin/sh
# Installs the Debian packages that the tests talk to, where that can be done; names them otherwise.
set -eu
packages="
    ca-certificates curl dovecot-core dovecot-lmtpd dovecot-pop3d e2fsprogs fail2ban fetchmail
    getmail6 gsasl haproxy iproute2 libauthen-sasl-perl libio-socket-ssl-perl
    libpython3.11-testsuite libxml2-utils mpop openssl perl postfix postgresql strace systemd tidy util-linux
    xfsprogs
"
missing=
for package in $packages; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed \
        || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "test-packages: without these some tests are skipped; install them as root:$missing" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# A package that brings a daemon must not start it: the tests start what they need themselves.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
