#!/usr/bin/env python3
"""docker/Dockerfile built for real by buildah, and no registry asked: its base is a Debian of mmdebstrap.

usage: build.py FOLDER
    FOLDER   gets buildah's storage, the image's name in it is `elementor-sync`; image.json, what its configuration says;
             root/, its files. What is there of an earlier build goes.

The base is kept in the user's cache. The build has a process namespace of its own: whatever ends it, ends what it started.

Exit codes: 0 built; 3 this machine lets buildah run nothing, whatever it is, and the last line says why; 4 the base
cannot be fetched; 1 the build failed.
"""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
RELEASES = {"12": "bookworm", "13": "trixie"}
NAMESPACE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
CANNOT, NO_BASE = 3, 4


def end(code, reason):
    print(reason, flush=True)
    sys.exit(code)


def last_line(text):
    return (text.strip().splitlines() or ["it says nothing"])[-1]


class Buildah:
    """One storage, of files alone: no file system of its own, no service, nothing of the machine's."""

    def __init__(self, folder):
        self.words = ["buildah", "--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def call(self, *words, **more):
        return subprocess.run([*self.words, *map(str, words)], text=True, **more)

    def says(self, *words):
        return self.call(*words, check=True, stdout=subprocess.PIPE).stdout.strip()

    def build(self, *words, **more):
        return self.call("bud", "--isolation", "chroot", "--format", "docker", "--pull-never", *words, **more)


def refusal(buildah):
    """Why this machine lets buildah run nothing, of anybody's; None where it does."""
    with tempfile.TemporaryDirectory() as folder:
        for file in ["/usr/bin/true", *re.findall(r"/\S+", subprocess.run(["ldd", "/usr/bin/true"], text=True, check=True,
                                                                            capture_output=True).stdout)]:
            place = pathlib.Path(folder) / file[1:]
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        (pathlib.Path(folder) / "Dockerfile").write_text('FROM scratch\nCOPY . /\nRUN ["/usr/bin/true"]\n')
        done = buildah.build("-t", "probe", folder, capture_output=True)
        return None if done.returncode == 0 else last_line(done.stderr)


def cached_base():
    """The smallest Debian of the release that the Dockerfile names, as a tar file; made once."""
    release = RELEASES[re.search(r"^ARG BASE=debian:(\d+)", DOCKERFILE.read_text(), re.M)[1]]
    cache = pathlib.Path(os.environ.get("ELEMENTOR_SYNC_CACHE") or pathlib.Path(
        os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "elementor-sync") / "image"
    base = cache / f"{release}.tar"
    if not base.exists():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = cache / f"{release}.{os.getpid()}-{time.time_ns()}.tar"
        # As in Docker's own Debian: dpkg does not wait for the disk after each file.
        done = subprocess.run(["mmdebstrap", "--variant=minbase", "--dpkgopt=force-unsafe-io", release, str(fresh)],
                              text=True, capture_output=True)
        if done.returncode != 0:
            fresh.unlink(missing_ok=True)
            end(NO_BASE, f"{done.stderr}\nmmdebstrap of {release}: {last_line(done.stderr)}")
        fresh.rename(base)
    return base


def import_base(buildah, base):
    name = f"localhost/debian:{base.stem}"
    container = buildah.says("from", "scratch")
    buildah.says("add", "--quiet", container, base, "/")
    buildah.says("commit", "--quiet", "--format", "docker", "--rm", container, name)
    return name


def export(buildah, folder):
    """The image's configuration and files, where a test can enter them."""
    told = json.loads(buildah.says("inspect", "--type", "image", "elementor-sync"))["Docker"]
    (folder / "image.json").write_text(json.dumps(told, indent=1))
    container = buildah.says("from", "--pull-never", "elementor-sync")
    subprocess.run(["cp", "-a", buildah.says("mount", container), str(folder / "root")], check=True)
    buildah.says("rm", container)


def main(folder):
    if os.environ.get("ELEMENTOR_SYNC_IN_NAMESPACE") != "yes":
        tried = subprocess.run([*NAMESPACE, "true"], text=True, capture_output=True)
        if tried.returncode != 0:
            end(CANNOT, last_line(tried.stderr) + ("" if os.geteuid() == 0 else " (not root)"))
        os.execvpe(NAMESPACE[0], [*NAMESPACE, sys.executable, *sys.argv], {**os.environ, "ELEMENTOR_SYNC_IN_NAMESPACE": "yes"})
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    buildah, began = Buildah(folder), time.monotonic()

    def step(text):
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)

    why = refusal(buildah)
    if why:
        end(CANNOT, why)
    base = cached_base()
    step(f"a {base.stem} of mmdebstrap, {base.stat().st_size / 2**20:.0f} MiB")
    name = import_base(buildah, base)
    step("imported")
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True, capture_output=True)
    done = buildah.build("--build-arg", f"BASE={name}", "--build-arg", f"REVISION={head.stdout.strip() or 'unknown'}",
                         "--file", DOCKERFILE, "--tag", "elementor-sync", ROOT)
    if done.returncode != 0:
        end(1, f"buildah bud: {done.returncode}")
    step("docker/Dockerfile is built")
    export(buildah, folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
