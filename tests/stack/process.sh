# process: starts and ends the process of a part, by its id alone. Sourced by lib.sh.
#
# DIR/PART/pid holds its id and when it began, in the kernel's ticks: an id that went to another
# process in the meantime is not taken for ours, and neither is a zombie that no parent reaps.

process_stat() { # PID: state, then the fields after it
    sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null
}

process_began() { # PID
    process_stat "$1" | cut -d ' ' -f 20
}

alive() { # PART; sets pid
    pid= began_at=
    [ -e "$DIR/$1/pid" ] || return 1
    read -r pid began_at <"$DIR/$1/pid" || return 1
    case $(process_stat "$pid") in
    '' | [ZX]*) return 1 ;;
    esac
    [ -z "$began_at" ] || [ "$began_at" = "$(process_began "$pid")" ]
}

launch() { # PART COMMAND...
    launched=$1
    shift
    setsid "$@" >>"$DIR/$launched/log" 2>&1 </dev/null &
    printf '%s %s\n' $! "$(process_began $!)" >"$DIR/$launched/pid"
}

# True once the process and those it left behind are gone: PostgreSQL, killed, cannot start again
# while one of its children still holds the shared memory.
gone() { # PART CHILDREN
    ! alive "$1" || return 1
    for child in $2; do
        [ ! -d "/proc/$child" ] || return 1
    done
}

# Sends SIGNAL and waits for the end; SIGKILL after 30 s.
halt() { # PART SIGNAL
    alive "$1" || return 0
    children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || :)
    kill "-$2" "$pid" 2>/dev/null || :
    tenths=0
    until gone "$1" "$children"; do
        sleep 0.1
        tenths=$((tenths + 1))
        case $tenths in
        300) kill -KILL "$pid" 2>/dev/null || : ;;
        400) die "$1 ($pid) does not end" ;;
        esac
    done
    rm -f "$DIR/$1/pid"
}
