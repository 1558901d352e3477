#!/bin/sh
# Installs the OpenID provider that some tests get tokens from into .peers: oidc-provider, from npm.
set -eu
cd "$(dirname "$0")/.."
into="${RESTANTE_PEERS:-$PWD/.peers}/oidc-provider"
if cmp -s tests/provider/package-lock.json "$into/installed"; then exit 0; fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    if [ "$(id -u)" != 0 ]; then
        echo "provider-packages: without node and npm some tests are skipped" >&2
        exit 0
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi
rm -rf "$into"
mkdir -p "$into"
cp tests/provider/package.json tests/provider/package-lock.json "$into"
# Nothing of what is installed runs while it is; the lock file has the digest of each package.
npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --silent
cp "$into/package-lock.json" "$into/installed"
