#!/usr/bin/env bash
# Starts a Docker engine on its usual socket if none answers there, and waits until it does. Installs nothing: Debian's
# docker.io and iptables, and root, are needed. The engine's log goes to a temporary file whose path is printed.
set -euo pipefail
socket=/var/run/docker.sock
patience_s=60

answers() {
  curl --silent --fail --max-time 5 --unix-socket "$socket" http://docker/_ping > /dev/null 2>&1
}

if answers; then
  echo "A Docker engine answers on $socket"
  exit 0
fi
if ! command -v dockerd > /dev/null; then
  echo "Cannot start a Docker engine: dockerd is not installed (apt-get install docker.io iptables)" >&2
  exit 1
fi

log=$(mktemp "${TMPDIR:-/tmp}/dockerd.XXXXXX.log")
# A session of its own, so that it outlives this script.
setsid dockerd --host "unix://$socket" > "$log" 2>&1 < /dev/null &
engine=$!
for ((waited_s = 0; waited_s < patience_s; waited_s++)); do
  if answers; then
    echo "A Docker engine answers on $socket; its log is $log"
    exit 0
  fi
  kill -0 "$engine" 2> /dev/null || break
  sleep 1
done
echo "Cannot start a Docker engine on $socket; the end of $log:" >&2
tail -n 20 "$log" >&2
exit 1
