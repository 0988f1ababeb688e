"""The image's files, made here by docker/image.sh, are all that the program needs, and no more.

usage: image.py PROGRAM

No container engine: the folder is made from a program of this machine and entered by chroot as the image's user
(without root: by a user namespace), as a container would be. tests/image holds the built image to the same checks.
"""
import os, pathlib, re, shutil, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
SIZE_MAX_MIB = 60
IMAGE = dict(re.findall(r"(\w+)=(\S+)", re.search(r"^ENV (.*)$", DOCKERFILE, re.M)[1]))
USER = re.search(r"^USER (\S+)$", DOCKERFILE, re.M)[1]


class Image:
    def __init__(self, program, folder):
        self.root = folder / "image"
        stripped = folder / "elementor-sync"
        subprocess.run(["strip", "-o", str(stripped), program], check=True)
        subprocess.run(["sh", str(ROOT / "docker" / "image.sh"), str(stripped), str(self.root)], check=True)

    def run(self, *words, **environment):
        enter = ["chroot", f"--userspec={USER}", str(self.root)] if os.geteuid() == 0 else [
            "unshare", "--user", "--map-root-user", "--root", str(self.root)]
        tool = shutil.which(enter[0], path=f"{os.environ['PATH']}:/usr/sbin")
        return subprocess.run([tool, *enter[1:], "elementor-sync", *words], env={**IMAGE, **environment},
                              capture_output=True, text=True, timeout=120)


def contents(image):
    """No shell, nothing of the user's to write but /tmp, and less than the size that is promised."""
    files = [path for path in image.root.rglob("*") if path.is_file()]
    programs = {path.relative_to(image.root) for path in files if path.stat().st_mode & 0o111 and ".so" not in path.name}
    assert programs == {pathlib.Path("usr/local/bin/elementor-sync")}, programs
    size = sum(path.stat().st_size for path in files if not path.is_symlink()) / 2**20
    assert size < SIZE_MAX_MIB, size
    assert os.readlink(image.root / "usr/lib/ssl/cert.pem") == "/etc/ssl/certs/ca-certificates.crt"
    assert (image.root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100_000
    return f"{size:.1f} MiB"


def starts(image):
    """The program begins, with every library; how long that takes."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        done = image.run("--version")
        took.append(time.monotonic() - began)
        assert done.returncode == 0 and done.stdout.startswith("elementor-sync "), done
    return f"{min(took) * 1000:.0f} ms"


def needs(image):
    """Time zones, certificates and the resolver are there."""
    options = {"KAFKA_BROKERS": "kafka:9092", "KAFKA_TOPIC": "orders.public.orders", "KAFKA_START": "latest",
               "REGISTRY_URL": "https://registry.example.com", "WEBHOOK_URL": "https://shop.example.com/hook"}
    done = image.run("check", "--offline", PAYLOAD_TIME_ZONE="Africa/Algiers", **options)
    assert done.returncode == 0 and "Africa/Algiers" in done.stdout, done
    done = image.run("check", "--offline", PAYLOAD_TIME_ZONE="Africa/Nowhere", **options)
    assert done.returncode == 2 and "Africa/Nowhere" in done.stderr, done
    done = image.run("check", "--ping-webhook", **options | {"KAFKA_BROKERS": "127.0.0.1:1", "REGISTRY_URL": "http://127.0.0.1:1",
                                                            "WEBHOOK_URL": "https://localhost:1/hook"})
    assert "connection refused" in done.stdout.replace("\n", " "), done  # by name; and its certificates could be read


def health(image):
    """HEALTHCHECK's own command is one of the program's, and asks where the image says."""
    words = re.findall(r'"([^"]+)"', re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.M)[1])
    assert words[0] == "elementor-sync"
    done = image.run(*words[1:])
    assert done.returncode != 0 and IMAGE["OPS_LISTEN"] in done.stderr, done  # no run is there


def demo(image):
    """Kafka, registry, receiver, delivery and dashboard all run in it, and the accounts balance."""
    done = image.run("demo", "--orders", "20", "--rate", "40", "--seed", "7")
    assert done.returncode == 0 and "The accounts balance" in done.stdout, done


def main(program):
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        pathlib.Path(folder).chmod(0o755)
        image = Image(program, pathlib.Path(folder))
        for check in (contents, starts, needs, health, demo):
            print(f"ok    {check.__name__}: {check(image) or check.__doc__}")


if __name__ == "__main__":
    main(sys.argv[1])
