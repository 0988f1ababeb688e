"""Processes of one test run: started in a folder of their own on loopback, ended by their ids."""
import contextlib, os, pathlib, shutil, signal, socket, subprocess, tempfile, time


def wait_for(what, probe, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = probe()
        except OSError:
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def connects(address):
    """An address is (host, port) or the path of a socket."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as s:
        s.connect(address if isinstance(address, tuple) else str(address))
    return True


def children(pid):
    try:
        return [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Processes:
    """A folder and what runs in it."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.all = []

    def start(self, name, command, env=None, **options):
        """In a process group of its own; its output lies in FOLDER/NAME.log."""
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen([str(word) for word in command], stderr=log, start_new_session=True,
                                       env={**os.environ, **(env or {})}, **{"stdout": log, "stdin": subprocess.DEVNULL, **options})
        self.all.append(process)
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def end(self, process, number=signal.SIGTERM, seconds=20):
        """Its workers end with it: those of PHP's own server would keep the port."""
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return process.returncode

    def close(self):
        for process in reversed(self.all):
            self.end(process)
        shutil.rmtree(self.folder, ignore_errors=True)
