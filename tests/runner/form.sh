#!/bin/sh
# form: the formatter and the linters. run.sh starts it beside the other parts; see begin_beside in lib.sh.
#
#   form.sh [TREE]     TREE: a build with compile_commands.json; there is no clang-tidy without it
#
# ROOT, BUILD, RUN: those of the run, in whose account each check has its line.
set -u
. "$ROOT/tests/runner/lib.sh"
cd "$ROOT" || exit 1
PYTHON=$BUILD/venv/bin/python

files() { # PATTERN FOLDER...; of the repository, or of the folders where there is none
    pattern=$1
    shift
    for folder; do
        git ls-files -- "$folder/$pattern" 2>/dev/null || find "$folder" -name "$pattern"
    done
}

# As lib.sh's check, in the session of this script: its time is limited as a whole.
check() { # NAME COMMAND...
    name=$1 log=$BUILD/form-$1.log
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        passed "$name"
    else
        cat "$log"
        failed "$name"
    fi
}

queue=$(printf '#include <sys/queue.h>\n' | cc -E -x c - | sed -n 's/^# .*"\(.*sys\/queue.h\)".*/\1/p' | head -n 1)
check "cppcheck" cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=normalCheckLevelMaxBranches ${queue:+"--include=$queue"} -I consumer consumer &
# shellcheck disable=SC2046 # lists of words
check "clang-format" "$BUILD/venv/bin/clang-format" --dry-run -Werror $(files '*.[ch]' consumer tests)
check "layers" "$PYTHON" tests/tools/layers.py
check "events" "$PYTHON" tests/tools/events.py
# shellcheck disable=SC2046
check "pyflakes" "$PYTHON" -m pyflakes $(find tests -name '*.py')
[ $# = 0 ] || check "clang-tidy" sh -c 'printf "%s\n" "$2" | xargs -P 2 -n 4 clang-tidy --quiet -p "$1"' \
    sh "$1" "$(files '*.c' consumer)"
wait
