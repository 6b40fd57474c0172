#!/usr/bin/env bash
# swift-up.sh - a REAL OpenStack Swift (1 node, 1 replica, no loop device, no memcached, no /etc writes)
#               + a REAL Keystone (sqlite, gunicorn), everything on 127.0.0.1, everything under $SWIFT_HOME.
# Idempotent: a second call only starts what is not running and prints the env again.
#
#   SWIFT_HOME        state, configuration, logs          (default target/services/swift)
#   SWIFT_VENV        virtualenv                          (default $SWIFT_HOME/venv)
#   SWIFT_PORT        proxy with TempAuth (v1) + s3api    (default 18080)
#   SWIFT_KS_PORT     proxy with Keystone (v3) + s3api    (default 18081)
#   KEYSTONE_PORT     keystone                            (default 15000)
#   SWIFT_BASE_PORT   account/container/object = +1 +2 +3 (default 16200)
#   SWIFT_KEYSTONE    1 (default) or 0: TempAuth only (saves ~25 s of install, ~130 MB of memory)
#   SWIFT_S3_ACL      true|false: s3api's s3_acl          (default false, Swift's own default)
#   SWIFT_MAX_FILE    the largest object in bytes         (default 5368709122, Swift's own default)
#   SWIFT_TOKEN_LIFE  how long tokens of TempAuth last    (default 86400 seconds, Swift's own default)
# `swift-up.sh install` only installs. Writes $SWIFT_HOME/env.sh (sourceable) and prints it.
set -euo pipefail

SWIFT_HOME=${SWIFT_HOME:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/services/swift}
SWIFT_VENV=${SWIFT_VENV:-$SWIFT_HOME/venv}
SWIFT_PORT=${SWIFT_PORT:-18080}
SWIFT_KS_PORT=${SWIFT_KS_PORT:-18081}
KEYSTONE_PORT=${KEYSTONE_PORT:-15000}
SWIFT_BASE_PORT=${SWIFT_BASE_PORT:-16200}
SWIFT_KEYSTONE=${SWIFT_KEYSTONE:-1}
SWIFT_S3_ACL=${SWIFT_S3_ACL:-false}
SWIFT_MAX_FILE=${SWIFT_MAX_FILE:-5368709122}
SWIFT_TOKEN_LIFE=${SWIFT_TOKEN_LIFE:-86400}
SWIFT_VERSION=${SWIFT_VERSION:-2.38.3}
KEYSTONE_VERSION=${KEYSTONE_VERSION:-30.0.0}
PYTHON=${PYTHON:-python3}

mkdir -p "$SWIFT_HOME"/{conf,disk/d1,run,log,cache}
CONF=$SWIFT_HOME/conf RUN=$SWIFT_HOME/run LOG=$SWIFT_HOME/log
say() { printf '[swift-up %s] %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

# ---- 1. install -----------------------------------------------------------------------------------
want="swift==$SWIFT_VERSION python-swiftclient"
[ "$SWIFT_KEYSTONE" = 1 ] && want="$want keystone==$KEYSTONE_VERSION keystonemiddleware gunicorn python-openstackclient"
# What was installed with Keystone serves without it, too.
if ! grep -qsF "$want" "$SWIFT_VENV"/.swift-up-*; then
  say "installing: $want"
  [ -x "$SWIFT_VENV/bin/python" ] || "$PYTHON" -m venv "$SWIFT_VENV"
  # shellcheck disable=SC2086
  "$SWIFT_VENV/bin/pip" install -q --disable-pip-version-check $want
  echo "$want" > "$SWIFT_VENV/.swift-up-$SWIFT_KEYSTONE"
fi
BIN=$SWIFT_VENV/bin
if [ "${1:-}" = install ]; then exit 0; fi
export PYTHONWARNINGS=ignore            # eventlet prints a deprecation banner at every start

# Does this file system keep user xattrs? (Swift object metadata lives there; tmpfs/overlayfs on old kernels do not.)
"$BIN/python" - "$SWIFT_HOME/disk/d1" <<'P' || { say "no user xattrs below $SWIFT_HOME: choose another SWIFT_HOME"; exit 1; }
import os, sys, tempfile
with tempfile.NamedTemporaryFile(dir=sys.argv[1]) as f: os.setxattr(f.name, 'user.swift.metadata', b'x' * 2000)
P

# ---- 2. configure ---------------------------------------------------------------------------------
A=$((SWIFT_BASE_PORT+1)) C=$((SWIFT_BASE_PORT+2)) O=$((SWIFT_BASE_PORT+3))
cat > "$CONF/swift.conf" <<E
[swift-hash]
swift_hash_path_prefix = notify
swift_hash_path_suffix = pr
[swift-constraints]
max_file_size = $SWIFT_MAX_FILE
[storage-policy:0]
name = Policy-0
default = yes
E
# three rings in one process (nine calls of swift-ring-builder would take ~10 s)
[ -s "$CONF/object.ring.gz" ] || ( cd "$CONF" && "$BIN/python" - account $A container $C object $O > "$LOG/rings.log" 2>&1 <<'P'
import sys
from swift.common.ring.builder import RingBuilder
a = sys.argv[1:]
for name, port in zip(a[::2], a[1::2]):
    b = RingBuilder(4, 1, 0)                       # 2^4 partitions, 1 replica
    b.add_dev(dict(region=1, zone=1, ip='127.0.0.1', port=int(port), device='d1', weight=1,
                   replication_ip='127.0.0.1', replication_port=int(port), meta=''))
    b.rebalance(); b.save(name + '.builder'); b.get_ring().save(name + '.ring.gz')
P
)
for s in account:$A container:$C object:$O; do
  t=${s%%:*} p=${s##*:}
  cat > "$CONF/$t-server.conf" <<E
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $p
workers = 0
user = $(id -un)
swift_dir = $CONF
devices = $SWIFT_HOME/disk
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = healthcheck $t-server
[app:$t-server]
use = egg:swift#$t
[filter:healthcheck]
use = egg:swift#healthcheck
E
done

# common filters of both proxies
filters() { cat <<E
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:formpost]
use = egg:swift#formpost
[filter:s3api]
use = egg:swift#s3api
s3_acl = $SWIFT_S3_ACL
location = us-east-1
[filter:staticweb]
use = egg:swift#staticweb
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
E
}
head_() { cat <<E
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = $(id -un)
swift_dir = $CONF
E
}
TAIL="copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-logging proxy-server"
# TempAuth without memcached: Fernet tokens (Swift >= 2.36 or so); older Swift needs memcached.
[ -s "$CONF/fernet.key" ] || "$BIN/python" -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())' > "$CONF/fernet.key"
{ head_ "$SWIFT_PORT"; cat <<E
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging listing_formats bulk tempurl formpost s3api tempauth staticweb $TAIL
[filter:tempauth]
use = egg:swift#tempauth
fernet_key_k1 = $(cat "$CONF/fernet.key")
active_fernet_key_id = k1
token_life = $SWIFT_TOKEN_LIFE
user_admin_admin = admin .admin .reseller_admin
user_test_tester = testing .admin
user_test2_tester2 = testing2 .admin
user_test_tester3 = testing3
E
filters; } > "$CONF/proxy-tempauth.conf"

if [ "$SWIFT_KEYSTONE" = 1 ]; then
{ head_ "$SWIFT_KS_PORT"; cat <<E
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging listing_formats bulk tempurl formpost authtoken s3api s3token keystoneauth staticweb $TAIL
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = http://127.0.0.1:$KEYSTONE_PORT/v3
auth_url = http://127.0.0.1:$KEYSTONE_PORT/v3
auth_type = password
username = swift
password = swiftpw
project_name = service
user_domain_id = default
project_domain_id = default
delay_auth_decision = true
include_service_catalog = false
token_cache_time = 60
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member, swiftoperator
reseller_prefix = AUTH
[filter:s3token]
use = egg:swift#s3token
auth_uri = http://127.0.0.1:$KEYSTONE_PORT/v3
delay_auth_decision = true
# Keystone >= 28 / CVE-2025-65073: /v3/s3tokens is for service users only, so s3token must log in
auth_url = http://127.0.0.1:$KEYSTONE_PORT/v3
auth_type = password
username = swift
password = swiftpw
project_name = service
user_domain_id = default
project_domain_id = default
E
filters; } > "$CONF/proxy-keystone.conf"
mkdir -p "$SWIFT_HOME/keystone"/{fernet,credkeys}; chmod 700 "$SWIFT_HOME/keystone"/{fernet,credkeys}
cat > "$CONF/keystone.conf" <<E
[DEFAULT]
log_file = $LOG/keystone.log
[database]
connection = sqlite:///$SWIFT_HOME/keystone/keystone.db
[identity]
password_hash_rounds = 4
[token]
provider = fernet
[fernet_tokens]
key_repository = $SWIFT_HOME/keystone/fernet
[credential]
key_repository = $SWIFT_HOME/keystone/credkeys
E
fi
{ head_ 0; cat <<E
[object-expirer]
interval = 5
recon_cache_path = $SWIFT_HOME/cache
[pipeline:main]
pipeline = catch_errors proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[app:proxy-server]
use = egg:swift#proxy
E
} > "$CONF/object-expirer.conf"
{ head_ 0; cat <<E
devices = $SWIFT_HOME/disk
mount_check = false
[container-updater]
recon_cache_path = $SWIFT_HOME/cache
account_suppression_time = 0
interval = 1
E
} > "$CONF/container-updater.conf"
# One pass each of the real container-updater and the real object-expirer. The updater is needed: the hidden
# .expiring_objects containers are created by the object server, and only the updater tells their account of them.
# The python wrapper only points Swift at our swift.conf instead of /etc/swift.
cat > "$SWIFT_HOME/expire-once" <<E
#!/usr/bin/env bash
export PYTHONWARNINGS=ignore
run() { "$BIN/python" -c '
import sys, importlib
from swift.common.utils import set_swift_dir
set_swift_dir("$CONF")
module, conf = sys.argv[1:3]
sys.argv = ["swift", conf, "once", "-v"]
importlib.import_module(module).main()
' "\$@"; }
run swift.container.updater "$CONF/container-updater.conf"
run swift.obj.expirer "$CONF/object-expirer.conf"
E
chmod +x "$SWIFT_HOME/expire-once"

# ---- 3. start -------------------------------------------------------------------------------------
alive() { [ -s "$RUN/$1.pid" ] && kill -0 "$(cat "$RUN/$1.pid")" 2>/dev/null; }
start() { # name command...
  local n=$1; shift
  alive "$n" && return 0
  setsid nohup "$@" >> "$LOG/$n.log" 2>&1 < /dev/null &
  echo $! > "$RUN/$n.pid"
}
wait_http() { # url name
  local end=$((SECONDS+60))
  while [ $SECONDS -lt $end ]; do
    curl -fs -o /dev/null --max-time 2 "$1" && return 0
    alive "$2" || { say "$2 died:"; tail -20 "$LOG/$2.log" >&2; return 1; }
    sleep 0.2
  done; say "$2 does not answer at $1"; tail -20 "$LOG/$2.log" >&2; return 1
}
for t in account container object; do start "$t" "$BIN/swift-$t-server" "$CONF/$t-server.conf" verbose; done
start proxy-tempauth "$BIN/swift-proxy-server" "$CONF/proxy-tempauth.conf" verbose

if [ "$SWIFT_KEYSTONE" = 1 ]; then
  export OS_KEYSTONE_CONFIG_FILES=$CONF/keystone.conf
  KM=("$BIN/keystone-manage" --config-file "$CONF/keystone.conf")
  if [ ! -e "$SWIFT_HOME/keystone/bootstrapped" ]; then
    say "keystone: database, keys, bootstrap"
    ME=(--keystone-user "$(id -un)" --keystone-group "$(id -gn)")
    { "${KM[@]}" db_sync; "${KM[@]}" fernet_setup "${ME[@]}"; "${KM[@]}" credential_setup "${ME[@]}"
      "${KM[@]}" bootstrap --bootstrap-username admin --bootstrap-password adminpw --bootstrap-project-name admin \
        --bootstrap-role-name admin --bootstrap-service-name keystone --bootstrap-region-id RegionOne \
        --bootstrap-public-url "http://127.0.0.1:$KEYSTONE_PORT/v3" \
        --bootstrap-internal-url "http://127.0.0.1:$KEYSTONE_PORT/v3"; } >> "$LOG/keystone-manage.log" 2>&1
    touch "$SWIFT_HOME/keystone/bootstrapped"
  fi
  # keystone parses sys.argv itself, so gunicorn must get all of its settings from a file named in the environment
  printf 'bind = "127.0.0.1:%s"\nworkers = 1\nthreads = 4\nwsgi_app = "keystone.wsgi.api:application"\n' "$KEYSTONE_PORT" > "$CONF/gunicorn.conf.py"
  GUNICORN_CMD_ARGS="-c $CONF/gunicorn.conf.py" start keystone "$BIN/gunicorn"
  start proxy-keystone "$BIN/swift-proxy-server" "$CONF/proxy-keystone.conf" verbose
  wait_http "http://127.0.0.1:$KEYSTONE_PORT/v3" keystone
  # service catalogue, users, projects, EC2 (S3) credential: idempotent, one process
  KS=http://127.0.0.1:$KEYSTONE_PORT/v3 SW=http://127.0.0.1:$SWIFT_KS_PORT "$BIN/python" - > "$RUN/project_id" <<'P'
import json, os
from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client
ks, sw = os.environ['KS'], os.environ['SW']
c = client.Client(session=session.Session(auth=v3.Password(ks, username='admin', password='adminpw',
      project_name='admin', user_domain_id='default', project_domain_id='default')))
def get(mgr, name, **kw):
    for o in mgr.list(): 
        if o.name == name: return o
    return mgr.create(name=name, **kw)
roles = {r: get(c.roles, r) for r in ('admin', 'member', 'reader', 'service', 'swiftoperator')}
service = get(c.projects, 'service', domain='default')
project = get(c.projects, 'ci-project', domain='default')
other   = get(c.projects, 'other-project', domain='default')
swift   = get(c.users, 'swift', domain='default', password='swiftpw')
ci      = get(c.users, 'ci-user', domain='default', password='ci-secret')
foe     = get(c.users, 'other-user', domain='default', password='other-secret')
reader  = get(c.users, 'ci-reader', domain='default', password='reader-secret')
for r, u, p in (('reader', reader, project), ('admin', swift, service), ('service', swift, service), ('member', ci, project), ('member', foe, other)):
    c.roles.grant(roles[r], user=u, project=p)
svc = get(c.services, 'swift', type='object-store')
have = {e.interface for e in c.endpoints.list(service=svc)}
for i in ('public', 'internal', 'admin'):
    if i not in have:
        c.endpoints.create(service=svc, interface=i, region='RegionOne', url=sw + '/v1/AUTH_$(project_id)s')
# S3 key pair of ci-user in ci-project, with fixed values (keystone derives the id from the access key)
if not any('ciaccesskey' in x.blob for x in c.credentials.list(user_id=ci.id, type='ec2')):
    c.credentials.create(user=ci, type='ec2', project=project,
                         blob=json.dumps({'access': 'ciaccesskey', 'secret': 'cisecretkey'}))
print(project.id)
P
fi
for t in account:$A container:$C object:$O; do wait_http "http://127.0.0.1:${t##*:}/healthcheck" "${t%%:*}"; done
wait_http "http://127.0.0.1:$SWIFT_PORT/healthcheck" proxy-tempauth
if [ "$SWIFT_KEYSTONE" = 1 ]; then wait_http "http://127.0.0.1:$SWIFT_KS_PORT/healthcheck" proxy-keystone; fi

# ---- 4. the environment a test needs --------------------------------------------------------------
{ cat <<E
export SWIFT_HOME=$SWIFT_HOME SWIFT_EXPIRE_ONCE=$SWIFT_HOME/expire-once
# TempAuth (auth v1)
export SWIFT_V1_AUTH=http://127.0.0.1:$SWIFT_PORT/auth/v1.0 SWIFT_V1_USER=test:tester SWIFT_V1_KEY=testing   # not ST_*: swiftclient prefers those to OS_*
export SWIFT_V1_STORAGE_URL=http://127.0.0.1:$SWIFT_PORT/v1/AUTH_test
# S3 API of the TempAuth proxy
export SWIFT_S3_ENDPOINT=http://127.0.0.1:$SWIFT_PORT SWIFT_S3_ACCESS_KEY=test:tester SWIFT_S3_SECRET_KEY=testing SWIFT_S3_REGION=us-east-1
E
if [ "$SWIFT_KEYSTONE" = 1 ]; then cat <<E
# Keystone (auth v3 password)
export OS_IDENTITY_API_VERSION=3 OS_AUTH_URL=http://127.0.0.1:$KEYSTONE_PORT/v3 OS_REGION_NAME=RegionOne
export OS_USERNAME=ci-user OS_PASSWORD=ci-secret OS_USER_DOMAIN_NAME=Default OS_PROJECT_NAME=ci-project OS_PROJECT_DOMAIN_NAME=Default
export SWIFT_V3_STORAGE_URL=http://127.0.0.1:$SWIFT_KS_PORT/v1/AUTH_$(cat "$RUN/project_id")
# S3 API of the Keystone proxy (EC2 credential of ci-user)
export SWIFT_KS_S3_ENDPOINT=http://127.0.0.1:$SWIFT_KS_PORT SWIFT_KS_S3_ACCESS_KEY=ciaccesskey SWIFT_KS_S3_SECRET_KEY=cisecretkey
E
fi; } > "$SWIFT_HOME/env.sh"
cat "$SWIFT_HOME/env.sh"
