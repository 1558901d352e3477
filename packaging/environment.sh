#!/bin/sh
# Makes .venv from the lock file with uv; installs uv beside it where the machine has none.
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v uv || true)
if [ -z "$uv" ] && [ -x .uv/bin/uv ]; then uv=.uv/bin/uv; fi
if [ -z "$uv" ]; then
    echo "environment: installing uv into .uv" >&2
    if ! python3 -m venv .uv 2>/dev/null; then
        # Debian keeps venv's pip in a package of its own.
        rm -rf .uv
        [ "$(id -u)" = 0 ] || { echo "environment: install python3-venv, or uv, first" >&2; exit 1; }
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
        python3 -m venv .uv
    fi
    .uv/bin/python -m pip install --quiet uv
    uv=.uv/bin/uv
fi
# Debian builds its interpreter with profile-guided optimisation, which is worth a quarter of the
# CPU of a login: take it where it is new enough, and whatever uv finds elsewhere.
debian=/usr/bin/python3
if [ -x "$debian" ] && "$debian" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    export UV_PYTHON="$debian"
fi
# The machine's own store of authorities also has the one of a proxy that looks into TLS, where
# there is such a proxy; uv's has not.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS-1}"
fi
UV_PYTHON_DOWNLOADS=never exec "$uv" sync --locked --quiet "$@"
