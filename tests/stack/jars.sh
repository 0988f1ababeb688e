# jars: fetches the Java parts once, into the user's cache. Sourced by lib.sh.
#
# Each version of pom.xml has a folder of its own: a change of it is fetched anew, and a stack that
# runs keeps the jars it was started with. A folder appears whole, or not at all.

JARS=${ELEMENTOR_SYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/elementor-sync}/stack/$(
    cksum <"$HERE/pom.xml" | cut -d ' ' -f 1)

# A line now and then on how far the download is, so that it does not look like a hang.
show_progress() { # PROFILE LOG
    while sleep 5 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do # $$: the command itself
        printf '  %s: %s files so far\n' "$1" "$(grep -c '^Downloaded' "$2")"
    done
}

run_maven() { # PROFILE FOLDER LOG GOALS
    for attempt in 1 2 3; do
        # shellcheck disable=SC2086 # a list of words
        mvn -B -f "$HERE/pom.xml" -P "$1" $4 -DoutputDirectory="$2" </dev/null >"$3" 2>&1 && return 0
        printf '  %s: attempt %s failed\n' "$1" "$attempt"
    done
    return 1
}

unpack() { # FOLDER: the registry comes as an archive
    for archive in "$1"/*.tar.gz; do
        [ -e "$archive" ] || continue
        tar -xzf "$archive" -C "$1" --no-same-owner
        rm "$archive"
    done
}

fetch_profile() { # PROFILE FOLDER [GOALS]
    [ ! -d "$JARS/$2" ] || return 0
    printf 'fetching %s, once, into %s\n' "$1" "$JARS"
    fresh=$JARS/$1.$$
    mkdir -p "$fresh/$2"
    show_progress "$1" "$fresh/log" &
    progress=$!
    run_maven "$1" "$fresh/$2" "$fresh/log" "${3:-dependency:copy-dependencies}" && fetched=yes || fetched=no
    kill "$progress"
    if [ $fetched = no ]; then
        grep '^\[ERROR\]' "$fresh/log" | head -n 10 >&2
        die "$1 could not be fetched; Maven's log is $fresh/log"
    fi
    unpack "$fresh/$2"
    # It is there already when another up.sh was first.
    mv -T "$fresh/${2%%/*}" "$JARS/${2%%/*}" 2>/dev/null || [ -d "$JARS/$2" ]
    rm -rf "$fresh"
}

fetch() {
    fetch_profile kafka kafka
    fetch_profile plugins connect/plugins
    fetch_profile registry registry
    fetch_profile registry3 registry3
    # The copy of 2.8 takes a jar without its POM's parent, which later ones ask for.
    fetch_profile converter3 connect3/apicurio \
        "dependency:copy-dependencies org.apache.maven.plugins:maven-dependency-plugin:2.8:copy"
}
