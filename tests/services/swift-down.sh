#!/usr/bin/env bash
# swift-down.sh - stop what swift-up.sh started (by recorded pid only); with --purge also delete its data and configuration
# (the virtualenv is kept).   Needs the same SWIFT_HOME as swift-up.sh.
set -u
SWIFT_HOME=${SWIFT_HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/services/swift}
RUN=$SWIFT_HOME/run
for f in "$RUN"/*.pid; do
  [ -s "$f" ] || continue
  p=$(cat "$f")
  # only a process that is still one of ours (the pid may have been reused)
  if tr '\0' ' ' < "/proc/$p/cmdline" 2>/dev/null | grep -qE 'swift-(account|container|object|proxy)-server|bin/gunicorn'; then
    kill -TERM "$p" 2>/dev/null
    for _ in $(seq 1 50); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$p" 2>/dev/null
  fi
  rm -f "$f"
done
if [ "${1:-}" = --purge ]; then rm -rf "$SWIFT_HOME"/{conf,disk,run,log,cache,keystone,env.sh,expire-once}; fi
exit 0
