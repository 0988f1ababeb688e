#!/bin/sh
# image: makes a folder of the program and what it needs to run, and nothing else: no shell, no package
# manager, no files of other programs. It is the whole of the image.
#
#   sh image.sh PROGRAM FOLDER
set -eu
program=$1 root=$2

put() { # FILE [PLACE]: the file, not a link to it, under its own name or another
    mkdir -p "$root$(dirname "${2:-$1}")"
    cp -L "$1" "$root${2:-$1}"
}

put "$program" /usr/local/bin/elementor-sync
# Each library where the loader looks for it, the loader itself, and what libc loads when a thread ends.
ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | while read -r library; do
    put "$library"
done
libc=$(ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\/libc\.so[^ ]*\) .*/\1/p')
put "$(dirname "$libc")/libgcc_s.so.1"
# Whom to trust: where libcurl looks, and where OpenSSL does for librdkafka.
put /etc/ssl/certs/ca-certificates.crt
put /etc/ssl/openssl.cnf /usr/lib/ssl/openssl.cnf
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
# The zones of payload.time_zone.
mkdir -p "$root/usr/share"
cp -r /usr/share/zoneinfo "$root/usr/share/zoneinfo"
# Names of hosts; a user that is not root.
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'nobody:x:65534:65534::/:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'nogroup:x:65534:\n' >"$root/etc/group"
mkdir -m 1777 "$root/tmp"
