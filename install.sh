#!/bin/sh
# Installs portolan-agent on this host and makes it a scanner of a Portolan control plane. Safe to run again.
#
#   curl -fsSL -H 'Authorization: Bearer TOKEN' 'https://CONTROL-PLANE/scanner/install' | sudo sh
#
# The control plane puts its address and the one-time token in place of the next comment line. Everything else is in
# functions, and the last line calls the first of them: a download that was cut off runs nothing.

# portolan:provisioning

# ---------------------------------------------------------------- what to do, in order

main() {
  set -eu
  umask 022
  # What other programs say is read below, and letters are to mean the same everywhere.
  LC_ALL=C
  export LC_ALL
  read_settings "$@"
  if [ -n "$uninstalling" ]; then
    uninstaller | sh -s -- ${purging:+--purge}
    return
  fi

  check_host
  check_settings
  find_credentials

  # From here on things change. What a failure would leave behind is undone by clean_up.
  begin_changes
  make_workspace
  download_agent
  write_config
  if [ -z "$prefix" ]; then make_user; fi
  make_state_directory
  enrol
  keep_what_was_made
  place_files
  start_service
  tell_what_was_done
}

usage() {
  cat <<'END'
Installs portolan-agent and enrols this host at a Portolan control plane.

usage: install.sh [--server URL] [--token-file FILE] [options]
       install.sh --uninstall [--purge]

  --server URL         address of the control plane              (env PORTOLAN_SERVER)
  --token-file FILE    file with the one-time token              (or the token itself in env PORTOLAN_TOKEN)
  --ca-file FILE       PEM file of the authority to trust        (env PORTOLAN_CA_FILE)
  --allow-plain-http   allow http to another host                (env PORTOLAN_ALLOW_PLAIN_HTTP=1)
  --no-service         install and enrol, but set up no service  (env PORTOLAN_NO_SERVICE=1)
  --prefix DIR         put everything below DIR, for trials: no root, user or service needed
                                                                 (env PORTOLAN_PREFIX)
  --uninstall          remove program, service and configuration; keep credentials and results
  --purge              with --uninstall: remove those and the user too
  --help               print this
END
}

# ---------------------------------------------------------------- settings

# Sets: server token prefix ca_file allow_plain_http no_service uninstalling purging ("" is no), and the paths.
read_settings() {
  server=${PORTOLAN_SERVER-} token=${PORTOLAN_TOKEN-} prefix=${PORTOLAN_PREFIX-} ca_file=${PORTOLAN_CA_FILE-}
  allow_plain_http='' no_service='' uninstalling='' purging=''
  if [ "${PORTOLAN_ALLOW_PLAIN_HTTP-}" = 1 ]; then allow_plain_http=yes; fi
  if [ "${PORTOLAN_NO_SERVICE-}" = 1 ]; then no_service=yes; fi
  while [ $# -gt 0 ]; do
    case $1 in
      --server | --token-file | --prefix | --ca-file)
        if [ $# -lt 2 ] || [ -z "$2" ]; then fail_usage "$1 needs a value"; fi
        case $1 in
          --server) server=$2 ;;
          --token-file) token=$(head -n 1 -- "$2" 2>&1) || fail "cannot read the token file: $token" ;;
          --prefix) prefix=$2 ;;
          --ca-file) ca_file=$2 ;;
        esac
        shift
        ;;
      --allow-plain-http) allow_plain_http=yes ;;
      --no-service) no_service=yes ;;
      --uninstall) uninstalling=yes ;;
      --purge) purging=yes ;;
      --help | -h)
        usage
        exit 0
        ;;
      *) fail_usage "unknown option '$1'" ;;
    esac
    shift
  done
  if [ -n "$purging" ] && [ -z "$uninstalling" ]; then fail_usage "--purge goes with --uninstall"; fi
  if [ -n "$uninstalling" ] && [ -n "$prefix" ]; then
    fail_usage "an installation with --prefix is removed by deleting its directory: rm -r $(shell_word "$prefix")"
  fi
  # The agent started below must be told by this script alone, and the token must not be inherited by every command.
  unset PORTOLAN_SERVER PORTOLAN_TOKEN PORTOLAN_PREFIX PORTOLAN_CA_FILE PORTOLAN_ALLOW_PLAIN_HTTP
  unset PORTOLAN_NO_SERVICE PORTOLAN_CONFIG PORTOLAN_STATE_DIR BACKEND_URL API_KEY BUN_BE_BUN BUN_OPTIONS

  prefix=$(absolute "$prefix")
  ca_file=$(absolute "$ca_file")
  # Whoever is meant to run the agent may not be allowed to read the directory that this was called in.
  cd /
  bin_dir=${prefix:-/usr/local}/bin
  config_dir=${prefix:-/etc/portolan}
  state_dir=${prefix:+$prefix/state}
  state_dir=${state_dir:-/var/lib/portolan}
}

absolute() {
  case $1 in
    '' | /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$PWD" "$1" ;;
  esac
}

# ---------------------------------------------------------------- checks: they change nothing

check_host() {
  if [ "$(uname -s)" != Linux ]; then fail "this is $(uname -s); portolan-agent runs on Linux"; fi
  case $(uname -m) in
    x86_64) arch=amd64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64) arch=arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) fail "this machine is $(uname -m); portolan-agent runs on x86_64 and aarch64" ;;
  esac
  if [ -z "$prefix" ] && [ "$(id -u)" != 0 ]; then
    fail "installing needs root: run it with sudo, or try it out with --prefix DIR"
  fi
  if [ ! -e "$loader" ]; then
    fail "portolan-agent needs the GNU C library ($loader), which is not here; use the container image"
  fi
  if ! command -v sha256sum >/dev/null; then fail "sha256sum is missing: install coreutils"; fi
  if command -v curl >/dev/null; then
    downloader=curl
  elif wget --version 2>/dev/null | grep -q '^GNU Wget 1'; then
    downloader=wget
  else
    fail "curl is missing: install curl (or GNU wget)"
  fi
  if [ -z "$prefix" ]; then
    if ! command -v useradd >/dev/null && ! command -v adduser >/dev/null; then
      fail "useradd is missing: install passwd (or shadow-utils)"
    fi
    check_user
  fi
}

# A person who happens to have the name must neither become a service nor be deleted with it.
check_user() {
  home=$(sed -n 's/^portolan:\([^:]*:\)\{4\}\([^:]*\):.*/\2/p' /etc/passwd)
  if [ -n "$home" ] && [ "$home" != "$state_dir" ]; then
    fail "there is a user 'portolan' already, at home in $home instead of $state_dir; rename it first"
  fi
}

check_settings() {
  if [ -z "$server" ]; then fail_usage "no control plane is named: give --server https://HOST"; fi
  server=${server%/}
  case $server in
    *[!A-Za-z0-9.:/_~%\[\]-]*) fail "'$server' is no address of a control plane; expected https://HOST[:PORT]" ;;
    https://?*) ;;
    http://?*)
      if [ -z "$allow_plain_http" ] && ! is_loopback "$server"; then
        fail "$server would send keys in the clear: use https, or --allow-plain-http where the network is trusted"
      fi
      ;;
    *) fail "'$server' is no address of a control plane; expected https://HOST[:PORT]" ;;
  esac
  # A quote or a line break would be read as more settings by the downloader.
  case $token in
    *[!A-Za-z0-9_.-]*) fail "the token holds characters that no token has: copy it again" ;;
  esac
  if [ -n "$ca_file" ] && ! grep -q -e '-----BEGIN CERTIFICATE-----' "$ca_file" 2>/dev/null; then
    fail "cannot read a PEM certificate in $ca_file"
  fi
}

is_loopback() {
  host=${1#*://}
  host=${host%%/*}
  case $host in
    '['*']'*) host=${host%%]*}']' ;;
    *) host=${host%%:*} ;;
  esac
  case $host in
    localhost | '[::1]') return 0 ;;
    127.*[!0-9.]*) return 1 ;;
    127.*.*.*) return 0 ;;
    *) return 1 ;;
  esac
}

# Sets known_key: the key that this host already has at this control plane, or "".
find_credentials() {
  known_key=''
  if [ "$(credential server)" = "$server" ]; then known_key=$(credential apiKey); fi
  if [ -z "$token$known_key" ]; then
    fail_usage "no token: set PORTOLAN_TOKEN or give --token-file FILE (make one with 'portolan-control scanner add')"
  fi
}

credential() {
  if [ -f "$state_dir/credentials.json" ]; then
    sed -n 's/^ *"'"$1"'": "\([^"]*\)",\{0,1\}$/\1/p' "$state_dir/credentials.json"
  fi
}

# ---------------------------------------------------------------- undoing

begin_changes() {
  workspace='' staged=''
  keep_what_was_made
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# made_*: what this run made, and takes away again if it fails.
keep_what_was_made() {
  made_prefix='' made_bin='' made_user='' made_state=''
}

clean_up() {
  if [ -n "$workspace" ]; then rm -rf -- "$workspace"; fi
  if [ -n "$staged" ]; then rm -f -- "$staged"; fi
  if [ -n "$made_state" ]; then rm -rf -- "$state_dir"; fi
  if [ -n "$made_user" ]; then { userdel portolan || deluser portolan; } >/dev/null 2>&1 || :; fi
  if [ -n "$made_bin" ]; then rmdir -- "$bin_dir" || :; fi
  if [ -n "$made_prefix" ]; then rmdir -- "$prefix" || :; fi
}

# ---------------------------------------------------------------- download

# The workspace lies beside where the program goes: a rename puts it there at once, whatever runs from the old file.
make_workspace() {
  if [ -n "$prefix" ] && [ ! -d "$prefix" ]; then
    mkdir -p -- "$prefix" || fail "cannot make the directory $prefix"
    made_prefix=yes
  fi
  if [ ! -d "$bin_dir" ]; then
    mkdir -p -- "$bin_dir" || fail "cannot make the directory $bin_dir"
    made_bin=yes
  fi
  workspace=$(mktemp -d "$bin_dir/.portolan-XXXXXX") || fail "cannot write to $bin_dir"
}

download_agent() {
  url=$server/scanner/binary/linux/$arch
  agent=$workspace/portolan-agent
  say "downloading portolan-agent for linux/$arch from $server"
  if [ -n "$token" ]; then fetch "$url" "Authorization: Bearer $token"; fi
  refusal=''
  if [ -n "$token" ] && [ "$status" = 401 ]; then
    # A spent token does no harm on a host that has its own key.
    refusal=$(error_message)
    token=''
    if [ -z "$known_key" ]; then fail "the control plane refused the token: $refusal"; fi
  fi
  if [ -z "$token" ]; then
    fetch "$url" "X-API-Key: $known_key"
    if [ "$status" = 401 ]; then fail "the control plane refused this host: ${refusal:-$(error_message)}"; fi
  fi
  if [ "$status" != 200 ]; then fail "the control plane answered $status: $(error_message)"; fi

  expected=$(answer_header X-Portolan-SHA256)
  if [ -z "$expected" ]; then fail "the control plane sent no X-Portolan-SHA256 with the program: not installing it"; fi
  actual=$(sha256sum <"$agent")
  actual=${actual%% *}
  if [ "$actual" != "$expected" ]; then
    fail "the program was damaged on the way (SHA-256 is $actual, should be $expected): try again"
  fi
  chmod 755 "$workspace" "$agent"
  version=$("$agent" version 2>"$workspace/errors") || fail "the program does not run on this host: $(errors)"
  version=${version%% (*}
}

# fetch URL HEADER: the body goes to $agent, the status to $status. The header is a secret, so it is never an argument.
fetch() {
  case $downloader in
    curl)
      printf 'header = "%s"\n' "$2" |
        curl --disable --config - --silent --show-error --proto '=http,https' --retry 2 \
          --retry-max-time 60 --connect-timeout 15 --speed-limit 1000 --speed-time 60 ${ca_file:+--cacert "$ca_file"} \
          --dump-header "$workspace/headers" --output "$agent" "$1" 2>"$workspace/errors" ||
        fail "cannot reach the control plane: $(errors)"
      ;;
    wget)
      (umask 077 && printf 'header = %s\n' "$2" >"$workspace/wgetrc")
      answered=0
      WGETRC=$workspace/wgetrc wget --server-response --output-file="$workspace/headers" --output-document="$agent" \
        --content-on-error --max-redirect=0 --tries=3 --timeout=60 ${ca_file:+--ca-certificate="$ca_file"} "$1" ||
        answered=$?
      rm -f "$workspace/wgetrc"
      case $answered in
        # 6 and 8: an answer, but no success. Its status is read below.
        0 | 6 | 8) ;;
        *) fail "cannot reach the control plane: $(tail -n 1 "$workspace/headers")" ;;
      esac
      ;;
  esac
  # The last one: a proxy's answer may stand before it.
  status=$(sed -n 's/^ *HTTP\/[0-9.]* \([0-9]\{3\}\).*/\1/p' "$workspace/headers" | tail -n 1)
}

answer_header() {
  tr -d '\r' <"$workspace/headers" | grep -i "^ *$1:" | tail -n 1 | sed 's/^[^:]*: *//'
}

# What the control plane says, out of {"error":{"code":…,"message":…}}; else the first bit of whatever it sent.
error_message() {
  message=$(sed -n 's/.*"message": *"\([^"]*\)".*/\1/p' "$agent")
  message=${message:-$(head -c 200 "$agent" | tr '\n' ' ')}
  printf '%s' "${message:-it gave no reason}" | tr -cd '[:print:]'
}

# What the last command wrote to stderr, in one line.
errors() {
  tr '\n' ' ' <"$workspace/errors" | sed 's/ *$//'
}

# ---------------------------------------------------------------- configuration, user, enrolment

# What this script sets comes from this run; what else an operator wrote stays.
write_config() {
  config=$workspace/agent.yaml
  if [ -n "$ca_file" ]; then
    # The original may lie where only root can read.
    cp -- "$ca_file" "$workspace/ca.pem"
    chmod 644 "$workspace/ca.pem"
  fi
  {
    printf "server: '%s'\n" "$server"
    if [ -n "$prefix" ]; then printf "state_dir: '%s'\n" "$(yaml_quoted "$state_dir")"; fi
    if [ -n "$ca_file" ]; then printf "ca_file: '%s'\n" "$(yaml_quoted "$config_dir/ca.pem")"; fi
    if [ -n "$allow_plain_http" ]; then printf 'allow_plain_http: true\n'; fi
    if [ -e "$config_dir/agent.yaml" ]; then
      grep -v -E '^(server|state_dir|ca_file|allow_plain_http):' "$config_dir/agent.yaml" || :
    fi
  } >"$config"
}

yaml_quoted() {
  printf '%s' "$1" | sed "s/'/''/g"
}

make_user() {
  if id portolan >/dev/null 2>&1; then return; fi
  made_user=yes
  add_user 2>"$workspace/errors" || fail "cannot make the user 'portolan': $(errors)"
}

add_user() {
  shell=/usr/sbin/nologin
  if [ ! -x "$shell" ]; then shell=/sbin/nologin; fi
  group_is_there=''
  if grep -q '^portolan:' /etc/group; then group_is_there=yes; fi
  if command -v useradd >/dev/null; then
    group=--user-group
    if [ -n "$group_is_there" ]; then group=--gid=portolan; fi
    useradd --system "$group" --no-create-home --home-dir "$state_dir" --shell "$shell" portolan
    return
  fi
  # BusyBox
  if [ -z "$group_is_there" ]; then addgroup -S portolan || return; fi
  adduser -S -D -H -G portolan -h "$state_dir" -s "$shell" portolan
}

make_state_directory() {
  if [ ! -d "$state_dir" ]; then
    made_state=yes
    mkdir -p -- "$state_dir" || fail "cannot make the directory $state_dir"
  fi
  if [ -z "$prefix" ]; then chown portolan:portolan "$state_dir"; fi
  chmod 700 "$state_dir"
}

# Runs a command as whoever will run the agent.
as_agent() {
  if [ -n "$prefix" ]; then
    "$@"
  elif setpriv --reuid portolan --regid portolan --init-groups true 2>/dev/null; then
    setpriv --reuid portolan --regid portolan --init-groups "$@"
  elif command -v runuser >/dev/null; then
    runuser -u portolan -- "$@"
  else
    # The shell that su starts takes the rest as its own arguments.
    su -s "$(command -v env)" portolan -- "$@"
  fi
}

# The token goes through a pipe: arguments are there for everybody to see.
enrol() {
  if [ -z "$token" ]; then
    say "this host is enrolled already and keeps its credentials"
    return
  fi
  enrolled=0
  printf '%s\n' "$token" |
    as_agent "$agent" enroll --token-stdin --config "$config" --state-dir "$state_dir" \
      ${ca_file:+--ca-file "$workspace/ca.pem"} >/dev/null 2>"$workspace/errors" || enrolled=$?
  if [ "$enrolled" = 0 ]; then return; fi
  reason=$(errors)
  reason=${reason#portolan-agent: }
  if [ -n "$known_key" ]; then
    say "this host keeps the credentials that it has; new ones were refused: $reason"
    return
  fi
  # Any other failure than a refusal may be an answer that was lost. Then the token is spent on this installation's id,
  # and serves again as long as the id is kept.
  if [ "$enrolled" != 2 ]; then keep_what_was_made; fi
  fail "cannot enrol this host: $reason"
}

# ---------------------------------------------------------------- putting things in place

place_files() {
  if [ ! -d "$config_dir" ]; then mkdir -p "$config_dir"; fi
  place "$config" "$config_dir/agent.yaml" 644
  if [ -n "$ca_file" ]; then place "$workspace/ca.pem" "$config_dir/ca.pem" 644; fi
  if [ -z "$prefix" ]; then
    uninstaller >"$workspace/uninstall"
    place "$workspace/uninstall" "$bin_dir/portolan-agent-uninstall" 755
  fi
  mv -f "$agent" "$bin_dir/portolan-agent"
}

# place FROM TO MODE: whole or not at all.
place() {
  staged=$2.new
  cp -- "$1" "$staged"
  chmod "$3" "$staged"
  mv -f -- "$staged" "$2"
  staged=''
}

# ---------------------------------------------------------------- service

start_service() {
  hint=''
  if [ -n "$prefix" ]; then
    hint="run it with: $(shell_word "$bin_dir/portolan-agent") run --config $(shell_word "$config_dir/agent.yaml")"
  elif [ -n "$no_service" ]; then
    hint="no service was set up. $(foreground_command)"
  elif [ ! -d /run/systemd/system ]; then
    hint="no systemd is running here, so no service was set up. $(foreground_command)"
  else
    start_unit
  fi
}

foreground_command() {
  printf 'Run it with: sudo setpriv --reuid portolan --regid portolan --init-groups --inh-caps=-all,+net_raw '
  printf '%s' "--ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw --no-new-privs $bin_dir/portolan-agent run"
}

start_unit() {
  unit >"$workspace/unit"
  place "$workspace/unit" /etc/systemd/system/portolan-agent.service 644
  systemctl daemon-reload
  systemctl --quiet enable portolan-agent.service
  # Stopped first: a former one that still runs must not pass for the new one.
  systemctl stop portolan-agent.service
  systemctl --no-block start portolan-agent.service
  waited=0
  until systemctl --quiet is-active portolan-agent.service; do
    if [ "$waited" -ge 20 ]; then
      journalctl --unit portolan-agent.service --lines 10 --no-pager --output cat >&2 || :
      fail "portolan-agent is installed, but did not start within 20 s. systemd goes on trying; its last words are above"
    fi
    sleep 1
    waited=$((waited + 1))
  done
}

# $bin_dir and $state_dir are always the same here, so the unit can be read as it is.
unit() {
  cat <<'END'
[Unit]
Description=Portolan scanner agent
Wants=network-online.target
After=network-online.target
# An agent without its control plane tries for ever.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/local/bin/portolan-agent run
User=portolan
Group=portolan
Restart=always
RestartSec=10
TimeoutStopSec=15

# Raw sockets are all the privilege that it needs.
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW
NoNewPrivileges=yes
# These would turn the program into a general interpreter, or change how it runs.
UnsetEnvironment=BUN_BE_BUN BUN_OPTIONS

# Packet rings and XDP buffers are locked memory.
LimitMEMLOCK=64M
MemoryMax=1G
# Two settings must stay out, because the program compiles code while it runs and reserves much address space:
# MemoryDenyWriteExecute= and LimitAS= keep it from starting.

StateDirectory=portolan
StateDirectoryMode=0700
UMask=0077
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
# Not ProcSubset=pid: load and memory are read from /proc.
ProtectProc=invisible
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
# Packets, fast packets, ordinary connections, systemd's socket, routes.
RestrictAddressFamilies=AF_PACKET AF_XDP AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
END
}

tell_what_was_done() {
  say "installed $version as scanner '$(credential name)' of $server"
  if [ -n "$hint" ]; then
    say "$hint"
  else
    say "it runs. Status: systemctl status portolan-agent   Log: journalctl -u portolan-agent -f"
  fi
  if [ -n "$prefix" ]; then
    say "to remove it: rm -r $(shell_word "$prefix")"
  else
    say "to remove it: sudo portolan-agent-uninstall   (--purge removes credentials and results too)"
  fi
}

# ---------------------------------------------------------------- removal

# A script of its own, left on the host: by then the one-time line serves no more.
uninstaller() {
  cat <<'END'
#!/bin/sh
# Removes portolan-agent from this host, however much of it is there. Safe to run again.
# With --purge also what it keeps: its credentials, results not delivered yet, and its user.

main() {
  set -eu
  case ${1-} in
    '' | --purge) ;;
    *)
      echo "portolan: usage: portolan-agent-uninstall [--purge]" >&2
      exit 2
      ;;
  esac
  if [ "$(id -u)" != 0 ]; then
    echo "portolan: removing portolan-agent needs root: run it with sudo" >&2
    exit 1
  fi
  unit=/etc/systemd/system/portolan-agent.service
  if [ -d /run/systemd/system ] && [ -e "$unit" ]; then systemctl --quiet disable --now portolan-agent.service; fi
  rm -f "$unit" /etc/systemd/system/multi-user.target.wants/portolan-agent.service
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl reset-failed portolan-agent.service 2>/dev/null || :
  fi
  rm -f /usr/local/bin/portolan-agent /etc/portolan/agent.yaml /etc/portolan/ca.pem
  # The directory may hold the control plane's files too.
  rmdir /etc/portolan 2>/dev/null || :
  if [ "${1-}" = --purge ]; then
    purge
    echo "portolan: portolan-agent, its credentials and results, and its user are removed"
  else
    echo "portolan: portolan-agent is removed; credentials and results stay in /var/lib/portolan"
  fi
  rm -f /usr/local/bin/portolan-agent-uninstall
}

purge() {
  rm -rf /var/lib/portolan
  # Only the user that the installation made: a person of that name lives elsewhere.
  if grep -q '^portolan:.*:/var/lib/portolan:' /etc/passwd; then
    if command -v userdel >/dev/null; then userdel portolan; else deluser portolan; fi || {
      echo "portolan: the user 'portolan' could not be removed: end its processes, then run this again" >&2
      exit 1
    }
  fi
}

main "$@"
END
}

# ---------------------------------------------------------------- telling

# As it can be pasted into a shell.
shell_word() {
  case $1 in
    *[!A-Za-z0-9._/-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
  esac
}

say() {
  printf 'portolan: %s\n' "$*"
}

fail() {
  printf 'portolan: %s\n' "$*" >&2
  exit 1
}

fail_usage() {
  printf 'portolan: %s (see --help)\n' "$*" >&2
  exit 2
}

main "$@" </dev/null
