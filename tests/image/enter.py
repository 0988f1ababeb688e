#!/usr/bin/env python3
"""A container without an engine: the image's files, as docker/compose.yaml has an engine run them. They are read-only; /tmp and
what --tmpfs names can be written; the program is process 1, the image's user, without a capability, and can get none.
Network and host name are the machine's.

usage: enter.py [--tmpfs PATH]... [--volume FILE:PLACE]... IMAGE [WORD...]     root only
    IMAGE   the folder of build.py; WORD: in place of the image's CMD

Variables of the environment are the container's. SIGTERM and SIGINT are passed on as `docker stop` does; the exit code is
the program's.
"""
import argparse, ctypes, json, os, pathlib, signal, subprocess, sys, tempfile

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x20000, 0x8000000, 0x20000000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
LIBC = ctypes.CDLL(None, use_errno=True)


def must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def bind(source, target):
    """Read-only, but for devices."""
    mount("--bind", source, target)
    if not str(source).startswith("/dev/"):
        mount("-o", "remount,bind,ro", target)


def make_root(image, options):
    """Each folder of the image in a file system of memory, in which the other places have room."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="container-"))
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", root)
    for entry in (image / "root").iterdir():
        if entry.is_symlink():
            (root / entry.name).symlink_to(os.readlink(entry))
        elif entry.is_dir():
            (root / entry.name).mkdir()
            if entry.name != "tmp":
                bind(entry, root / entry.name)
    user = options.user[0]
    for path in ["/tmp", *options.tmpfs]:
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", f"mode=0700,uid={user}", "tmpfs", root / path[1:])
    for file, place in [(f"/dev/{name}", f"/dev/{name}") for name in ("null", "zero", "urandom")] + options.volume:
        (root / place[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / place[1:]).touch()
        bind(file, root / place[1:])
    (root / "proc").mkdir()
    mount("-t", "proc", "proc", root / "proc")
    mount("-o", "remount,ro", root)
    return root


def become_the_program(image, config, options):
    root = make_root(image, options)
    os.chroot(root)
    os.chdir(config["WorkingDir"] or "/")
    for capability in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # false beyond the last one
    os.setgroups([])
    os.setgid(options.user[1])
    os.setuid(options.user[0])
    must(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    env = dict(variable.split("=", 1) for variable in config["Env"])
    env |= {name: value for name, value in os.environ.items() if name not in ("PATH", "HOME")}
    os.environ["PATH"] = env["PATH"]
    words = config["Entrypoint"] + (options.words or config["Cmd"])
    os.execvpe(words[0], words, env)


def contain(image, config, options):
    """Process 1 of new namespaces; its status."""
    must(LIBC.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID), "unshare")
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    child = os.fork()
    if child == 0:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        become_the_program(image, config, options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: os.kill(child, got))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--tmpfs", action="append", default=[])
    parser.add_argument("--volume", action="append", default=[], type=lambda text: tuple(text.split(":")))
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    config = json.loads((options.image / "image.json").read_text())["config"]
    options.user = [int(part) for part in config["User"].split(":")]
    status = contain(options.image.resolve(), config, options)
    sys.exit(status if status >= 0 else 128 - status)


main()
