#!/usr/bin/env bash
# From a fresh clone to a first scan: builds both programs, starts a control plane, provisions a scanner with the
# one-time line, scans a small lab network on this machine, and shows what was found. Ends by itself and cleans up.
#
# usage: scripts/quickstart.sh [--keep]     --keep leaves everything running until Ctrl-C

set -euo pipefail
cd "$(dirname "$0")/.."

for argument in "$@"; do
  case $argument in
    --keep) ;;
    --help | -h)
      sed -n '2,/^$/s/^# \{0,1\}//p' scripts/quickstart.sh
      exit 0
      ;;
    *)
      echo "quickstart: unknown option '$argument'; there is only --keep" >&2
      exit 2
      ;;
  esac
done

if [ "$(id -u)" -eq 0 ]; then
  packages=(iproute2 nftables curl)
else
  echo "quickstart: not root, so no lab network and no raw packets: scanning 127.0.0.1 by ordinary connections." >&2
  echo "quickstart: for the whole of it run: sudo scripts/quickstart.sh" >&2
  packages=(curl)
fi
# shellcheck source=scripts/setup.sh
. scripts/setup.sh "${packages[@]}"

bun run build >&2
exec bun scripts/quickstart/main.ts "$@"
