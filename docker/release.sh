#!/bin/sh
# release: builds for this Debian and makes all that is published: the .deb, a tarball of the program and one of
# the source, their SBOM and checksums. The same commit gives the same bytes on the same Debian.
#
#   sh docker/release.sh [FOLDER]      default build/publish; also: cmake --build build --target release
#
# What it needs of Debian's packages and is not there it installs, with root or sudo.
# BUILD: a build that is there already, made with -DCMAKE_INSTALL_PREFIX=/usr. The SBOM is debsbom's (pip install
# 'debsbom[cdx]'), from $DEBSBOM or PATH; without it there is none, and the script says so.
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
OUT=${1:-$ROOT/build/publish}
BUILD=${BUILD:-$ROOT/build/package}
. /etc/os-release
COMMIT=$(git rev-parse HEAD 2>/dev/null || sed -n 's/^set(commit "\([0-9a-f]\{40\}\)")/\1/p' consumer/commit.cmake)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CMakeLists.txt)}
DEBIAN_REVISION=1~${ID}${VERSION_ID}
export SOURCE_DATE_EPOCH DEBIAN_REVISION LC_ALL=C TZ=UTC
umask 022

wanted=
for package in $(cat consumer/packages.txt) dpkg-dev file; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || wanted="$wanted $package"
done
if [ -n "$wanted" ]; then
    echo "installing:$wanted"
    root=
    [ "$(id -u)" = 0 ] || root=sudo
    $root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null
fi

cmake -G Ninja -S . -B "$BUILD" -DCMAKE_INSTALL_PREFIX=/usr ${CMAKE_OPTIONS:--DELEMENTOR_SYNC_TESTS=OFF} >/dev/null
ninja -C "$BUILD" elementor-sync documents
VERSION=$("$BUILD/elementor-sync" --version | sed -n '1s/.* //p')
NAME=elementor-sync-$VERSION
rm -rf "$OUT"
mkdir -p "$OUT"

printf '%s\n' "elementor-sync ($VERSION-$DEBIAN_REVISION) stable; urgency=medium" '' \
    "  * Release $VERSION." '' \
    " -- elementor-sync developers <developers@elementor-sync.invalid>  $(date -d "@$SOURCE_DATE_EPOCH" -R)" |
    gzip -9n >"$BUILD/changelog.Debian.gz"
(cd "$BUILD" && cpack -G DEB -B "$BUILD/cpack" >"$BUILD/cpack.log" 2>&1) || { cat "$BUILD/cpack.log" && exit 1; }
cp "$BUILD"/cpack/*.deb "$OUT/"

# What the .deb holds, for other systems with the same libraries.
rm -rf "$BUILD/$NAME"
dpkg-deb -x "$OUT"/*.deb "$BUILD/$NAME"
tar -C "$BUILD" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c "$NAME" |
    gzip -9n >"$OUT/$NAME-$ID$VERSION_ID-$(dpkg --print-architecture).tar.gz"
if git rev-parse HEAD >/dev/null 2>&1; then
    git archive --prefix="$NAME/" HEAD
else # an archive of the source, unpacked
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --transform "s,^,$NAME/," -c \
        CMakeLists.txt LICENSE README.md .gitattributes consumer docker schemas tests
fi | gzip -9n >"$OUT/$NAME.tar.gz"

# The packages that the program is linked to, as this Debian has them.
if DEBSBOM=$(command -v "${DEBSBOM:-debsbom}"); then
    ldd "$BUILD/elementor-sync" | sed -n 's/.*=> \([^ ]*\) .*/\1/p' | xargs -n 1 realpath | sort -u |
        while read -r file; do dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}"; done | cut -d : -f 1 | sort -u |
        xargs dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' |
        "$DEBSBOM" generate --from-pkglist -t cdx -o "$OUT/$NAME" --distro-name elementor-sync \
            --distro-arch "$(dpkg --print-architecture)" --distro-version "$VERSION" \
            --timestamp "$(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%S+00:00)" \
            --cdx-serialnumber "$(printf '%s\n' "${COMMIT:-0000000000000000000000000000000000000000}" | sed 's/\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/')"
else
    echo "release: no SBOM: debsbom is not installed (pip install 'debsbom[cdx]')" >&2
fi
(cd "$OUT" && sha256sum -- * >SHA256SUMS)
ls -l "$OUT"
