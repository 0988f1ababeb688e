#!/bin/sh
# clean_root: as a platform engineer would: a Debian with nothing in it, the .deb built there, installed in another one,
# a configuration of ten lines, the first webhook from a real stack. Says the minutes of each step.
#
#   sh tests/package/clean_root.sh RELEASE STACK [FOLDER]
#     RELEASE  bookworm or trixie
#     STACK    a running one: sh tests/stack/up.sh STACK
#     FOLDER   for the two roots, some 2 GB, /var/tmp/clean-roots when not given; what debootstrap made is kept there
#   DEB=FILE     installs that package, and builds none
#
# Root only, on Debian with debootstrap and git; takes 5 minutes of an idle machine, and is no part of tests/run.sh.
# The roots share network and kernel with this machine, whose apt configuration they get; systemd does not run there.
set -eu
RELEASE=${1:?usage: clean_root.sh RELEASE STACK [FOLDER]}
STACK=$(cd "${2:?usage: clean_root.sh RELEASE STACK [FOLDER]}" && pwd)
FOLDER=${3:-/var/tmp/clean-roots}
TESTS=$(cd "$(dirname "$0")/.." && pwd)
BASE=$FOLDER/$RELEASE BUILD=$FOLDER/$RELEASE-build SHOP=$FOLDER/$RELEASE-shop LOGS=$FOLDER/$RELEASE-logs
RUN='' RECEIVER='' BEGAN=$(date +%s)
umask 022
. "$STACK/env"

step() { # TEXT: what has just been done
    now=$(date +%s)
    printf '%4d:%02d  %s\n' $(((now - BEGAN) / 60)) $(((now - BEGAN) % 60)) "$*"
    BEGAN=$now
}

release_root() { # ROOT: nothing is mounted in it any more; the deepest first
    findmnt -n -r -o TARGET | grep "^$1/" | sort -r | while read -r target; do
        umount "$target"
    done
}

end() {
    status=$?
    trap - EXIT
    for process in $RUN $RECEIVER; do
        kill "$process" 2>/dev/null && wait "$process" 2>/dev/null || :
    done
    for root in "$BASE" "$BUILD" "$SHOP"; do
        release_root "$root"
    done
    exit "$status"
}

fresh_root() { # ROOT: a copy of the base
    release_root "$1"
    rm -rf --one-file-system "$1"
    cp -a "$BASE" "$1"
    cp /etc/resolv.conf /etc/hosts "$1/etc/"
    cp -n /etc/apt/apt.conf.d/* "$1/etc/apt/apt.conf.d/"
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d" # no service starts in a root
    chmod 755 "$1/usr/sbin/policy-rc.d"
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    mount --bind /dev/pts "$1/dev/pts"
}

inside() { # ROOT COMMAND: by a shell of a new user. It is that process, in the background as well
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        chroot "$1" sh -euc "$2"
}

await() { # SECONDS COMMAND...
    left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "clean_root: not in time: $*" >&2 && exit 1; }
        sleep 1
    done
}

trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$LOGS"
if [ ! -e "$BASE.made" ]; then
    rm -rf --one-file-system "$BASE"
    debootstrap --variant=minbase "$RELEASE" "$BASE" >"$LOGS/debootstrap.log"
    release_root "$BASE" # it leaves /proc
    touch "$BASE.made"
fi
step "$RELEASE: a root of debootstrap, minbase"

if [ -z "${DEB:-}" ]; then
    fresh_root "$BUILD"
    git clone -q "$TESTS/.." "$BUILD/root/elementor-sync"
    (inside "$BUILD" "apt-get update -qq && apt-get install -y -qq git") >"$LOGS/git.log" 2>&1
    step "a clone of the repository, and git"
    (inside "$BUILD" "cd /root/elementor-sync && sh docker/release.sh") >"$LOGS/release.log" 2>&1 ||
        { tail -n 40 "$LOGS/release.log" && exit 1; }
    step "sh docker/release.sh"
    DEB=$(ls "$BUILD"/root/elementor-sync/build/publish/*.deb)
fi

fresh_root "$SHOP"
cp "$DEB" "$SHOP/root/"
(inside "$SHOP" "apt-get update -qq && cd /root && apt-get install -y -qq --no-install-recommends ./*.deb") >"$LOGS/install.log" 2>&1 ||
    { tail -n 40 "$LOGS/install.log" && exit 1; }
step "apt install ./$(basename "$DEB"), in a fresh root"

cat >"$SHOP/etc/elementor-sync/shop.yaml" <<YAML
kafka:
  brokers: $KAFKA_BROKERS
  topic: $KAFKA_TOPIC
  group: clean-root-$RELEASE-$$
  start: latest
registry:
  url: $REGISTRY_URL
YAML
rm -f "$LOGS/port" "$LOGS/journal"
python3 "$TESTS/stack/receiver.py" --port-file "$LOGS/port" --journal "$LOGS/journal" &
RECEIVER=$!
await 60 test -s "$LOGS/port"
printf 'http://127.0.0.1:%s/hook\n' "$(cat "$LOGS/port")" |
    inside "$SHOP" "install -m 600 /dev/stdin /etc/elementor-sync/secrets/webhook.url"
WITH="export ELEMENTOR_WEBHOOK_URL_FILE=/etc/elementor-sync/secrets/webhook.url; exec elementor-sync"
(inside "$SHOP" "$WITH check --config /etc/elementor-sync/shop.yaml") >"$LOGS/check.log" 2>&1 ||
    { cat "$LOGS/check.log" && exit 1; }
inside "$SHOP" "$WITH run --config /etc/elementor-sync/shop.yaml" 2>"$LOGS/run.log" &
RUN=$!
await 120 grep -q 'event="partition assigned"' "$LOGS/run.log"
sh "$TESTS/stack/psql.sh" "$STACK" "INSERT INTO orders (order_number, client_name, client_phone, product_name, quantity,
    unit_price, total_amount) VALUES ('CLEAN-$$', 'Amina', '+213', 'Lamp', 1, 2.50, 2.50);
    UPDATE orders SET status = 'confirmed', confirmed_at = now() WHERE order_number = 'CLEAN-$$'" >/dev/null
await 120 grep -q "CLEAN-$$" "$LOGS/journal"
step "$(grep -c . "$SHOP/etc/elementor-sync/shop.yaml") lines of configuration, check, run, and the first webhook: $(grep -o "\"order_number.\{5\}CLEAN-$$" "$LOGS/journal" | head -n 1)"
