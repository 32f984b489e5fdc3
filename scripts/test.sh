#!/usr/bin/env bash
# Sets everything up and passes every test: format, lint, types, both compiled programs, real packets between network
# namespaces, a real PostgreSQL, a real installation. Needs root on Debian or Ubuntu with Node.js and npm.
#
# usage: scripts/test.sh [what `bun test` takes, e.g. a path]

set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "test: the tests send raw packets between network namespaces and install a service; run: sudo scripts/test.sh" >&2
  exit 1
fi

# shellcheck source=scripts/setup.sh
. scripts/setup.sh iproute2 nftables curl wget openssl sudo strace shellcheck postgresql debootstrap systemd-container chromium nmap tshark libxml2-utils jq

bun run check
bun run build

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# A limit against hanging, not a measure of speed: the machine may be slow, or busy.
bun test --timeout 60000 "$@" 2>&1 | tee "$log" || status=$?

# The tests' PostgreSQL ends by itself when they have; nothing is to run on when this script returns.
# The brackets keep grep from finding itself.
for _ in $(seq 100); do
  grep -qsa 'portolan-postgres[-]' /proc/[0-9]*/cmdline || break
  sleep 0.1
done

count() { sed -nE "s/^ *([0-9]+) $1\$/\1/p" "$log" | tail -n 1; }
passed=$(count pass)
failed=$(count fail)
printf '%s passed, %s failed\n' "${passed:-0}" "${failed:-0}"
if [ "${passed:-0}" -eq 0 ]; then
  echo "test: no test was run" >&2
  exit 1
fi
exit "$status"
