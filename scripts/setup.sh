#!/usr/bin/env bash
# Gets a checkout ready: Debian packages that the caller names, Bun from npm, and the project's dependencies.
# Sourced by quickstart.sh and test.sh; run by itself it prepares for development. Safe to run again.
#
# usage: scripts/setup.sh [DEBIAN-PACKAGE...]

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
die() {
  say "setup: $*"
  exit 1
}

# Installs the packages that are missing, as root; otherwise says which line to run.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" -eq 0 ] || die "missing packages; run: sudo apt-get install -y ${missing[*]}"
  command -v apt-get >/dev/null || die "missing packages, and no apt-get to install them: ${missing[*]}"
  say "installing ${missing[*]}"
  apt-get update -qq >&2
  # A server package must not start its server: this is somebody's machine, and the tests start their own.
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    policy=""
  else
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  local status=0
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
  if [ -n "$policy" ]; then
    rm -f "$policy"
    trap - EXIT
  fi
  [ "$status" -eq 0 ] || die "installing ${missing[*]} failed"
}

need_bun() {
  if ! command -v node >/dev/null || ! command -v npx >/dev/null; then
    die "Node.js and npm are needed: https://nodejs.org"
  fi
  local version
  version=$(node -p 'require("./package.json").devDependencies.bun')
  if [ "$(node_modules/.bin/bun --version 2>/dev/null || true)" = "$version" ]; then
    node_modules/.bin/bun install --frozen-lockfile --silent >&2
  else
    say "fetching Bun $version and the dependencies from the npm registry"
    npx --yes "bun@$version" install --frozen-lockfile --silent >&2
  fi
  PATH="$PWD/node_modules/.bin:$PATH"
  export PATH
}

need_packages "$@"
need_bun
