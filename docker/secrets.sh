#!/bin/sh
# secrets: makes what compose.yaml reads and no repository may hold: docker/secrets/ and docker/.env.
#
#   sh docker/secrets.sh     asks for the webhook's URL (not an argument: those are for all to see)
#
# With no URL the orders go to a receiver of this pipeline's own, to look at them there.
# A secret that is there already stays. The containers' users read the files by their group, SECRETS_GID.
set -eu
cd "$(dirname "$0")"
GROUP=$(id -g)
[ "$GROUP" != 0 ] || GROUP=65534 # no container is to be of the group root

keep() { # NAME: standard input becomes that secret
    umask 077
    cat >"secrets/$1.new"
    chmod 440 "secrets/$1.new"
    chgrp "$GROUP" "secrets/$1.new"
    mv "secrets/$1.new" "secrets/$1"
}

mkdir -p secrets
chmod 700 secrets
for name in postgres_password debezium_password auth_hs256_secret service_keys grafana_password; do
    [ -s "secrets/$name" ] || od -An -tx1 -N32 /dev/urandom | tr -d ' \n' | keep "$name"
done
[ -s secrets/signing_key ] || printf 'whsec_%s' "$(head -c 32 /dev/urandom | base64)" | keep signing_key
RECEIVER=http://receiver:8090/
if [ ! -s secrets/webhook_url ]; then
    printf "The webhook's URL (https://…; none: a receiver here): "
    read -r url
    case ${url:=$RECEIVER} in
    "$RECEIVER" | https://?*) printf '%s' "$url" | keep webhook_url ;;
    *) echo "that is no https:// URL; nothing was kept of it" >&2 && exit 2 ;;
    esac
fi
printf 'SECRETS_GID=%s\n' "$GROUP" >.env
if [ "$(cat secrets/webhook_url)" = "$RECEIVER" ]; then
    printf 'COMPOSE_PROFILES=receiver\nWEBHOOK_ALLOW_HTTP=true\n' >>.env
fi
echo "docker/secrets is complete; next: docker compose -f docker/compose.yaml up -d --wait"
