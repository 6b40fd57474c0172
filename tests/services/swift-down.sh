#!/usr/bin/env bash
# swift-down.sh - stop what swift-up.sh started (by recorded pid only); with --purge also delete its data and configuration
# (the virtualenv is kept).   Needs the same SWIFT_HOME as swift-up.sh.
set -u
SWIFT_HOME=${SWIFT_HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/services/swift}
RUN=$SWIFT_HOME/run
# Still one of ours: the pid may have been reused, and what has ended and was not reaped has no command line.
alive() { tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -qE 'swift-(account|container|object|proxy)-server|bin/gunicorn'; }
for f in "$RUN"/*.pid; do
  [ -s "$f" ] || continue
  p=$(cat "$f")
  if alive "$p"; then
    kill -TERM "$p" 2>/dev/null
    for _ in $(seq 1 50); do alive "$p" || break; sleep 0.1; done
    if alive "$p"; then kill -KILL "$p" 2>/dev/null; fi
    for _ in $(seq 1 50); do alive "$p" || break; sleep 0.1; done
  fi
  rm -f "$f"
done
if [ "${1:-}" = --purge ]; then rm -rf "$SWIFT_HOME"/{conf,disk,run,log,cache,keystone,env.sh,expire-once}; fi
exit 0
