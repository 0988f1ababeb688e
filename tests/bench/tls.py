#!/usr/bin/env python3
"""Delivering over TLS 1.3 to a real nginx: elementor-sync against bare libcurl, and how often sessions are resumed.

usage: tls.py BINARY BENCH_FOLDER TOOLS [--records N] [--pairs N] [--concurrency N]

keep-alive  nginx keeps connections open: handshakes are few
closing     nginx closes after each answer: each delivery is a handshake, resumed where the client can

Interleaved pairs, ratios in one run; nginx' own log says which handshakes were resumed. Both sides have
the same server on the same cores. The `nginx` and `openssl` commands are needed.
"""
import argparse, contextlib, os, pathlib, shutil, statistics, sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "chaos"), str(TESTS / "e2e"), str(TESTS / "interop"), str(TESTS / "stack")]
from figures import ratios, spread
from network import Authority, started
from ports import free_ports
from posts import Bench

REQUESTS_A_CONNECTION = {"keep-alive": 100_000_000, "closing": 1}


@contextlib.contextmanager
def nginx(folder, authority, requests):
    """(its URL, its log: one line a request, of what became of the handshake)."""
    [port], log = free_ports(1), folder / "access.log"
    log.unlink(missing_ok=True)
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ {temporary} log_format handshake "$ssl_session_reused $ssl_protocol $connection_requests";
  access_log {log} handshake buffer=1m flush=1s;
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_protocols TLSv1.3; keepalive_requests {requests};
    ssl_certificate {authority.path("good.chain.pem")}; ssl_certificate_key {authority.path("good.key")};
    location / {{ return 200; }} }} }}
""")
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-e", str(folder / "error.log"),
               "-c", str(folder / "nginx.conf")]
    with started(command, port):
        yield f"https://127.0.0.1:{port}/hook", log


def resumed(log):
    """Of all connections but one for each that may be open at a time: (resumed, all)."""
    firsts = [line.split() for line in log.read_text().splitlines() if line.endswith(" 1")]
    assert all(line[1] == "TLSv1.3" for line in firsts), "another protocol"
    return sum(line[0] == "r" for line in firsts), len(firsts)


def measure(bench, folder, authority, name):
    options, topic, expected = bench.options, *bench.fill(bench.options.records, 1)
    ours, bare = [], []
    for _ in range(options.pairs):
        with nginx(folder, authority, REQUESTS_A_CONNECTION[name]) as (url, log):
            ours.append(bench.ours(topic, url, options.concurrency, expected))
        reused, connections = resumed(log)
        with nginx(folder, authority, REQUESTS_A_CONNECTION[name]) as (url, log):
            bare.append(bench.bare(url, options.concurrency, expected))
    for who, samples in (("elementor-sync", ours), ("bare libcurl", bare)):
        seconds, cpu, peak = zip(*samples)
        print(f"{name}: {who:14} {spread(seconds)} s, {expected / statistics.median(seconds):,.0f}/s, µs CPU a delivery "
              f"{spread([c / expected * 1e6 for c in cpu], '{:.0f}')}, MiB at most {spread(peak, '{:.1f}')}")
    print(f"{name}: elementor-sync against bare libcurl, pair by pair: time " + ", CPU ".join(
        ratios([o[i] for o in ours], [b[i] for b in bare]) for i in (0, 1)))
    print(f"{name}: {connections:,} handshakes for {expected:,} deliveries, {reused / connections:.1%} resumed", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("tools")
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    bench = Bench(options)
    try:
        folder = bench.place / "tls"
        folder.mkdir()
        authority = Authority(folder)
        os.environ["WEBHOOK_CA_FILE"] = os.environ["BENCH_CA_FILE"] = authority.path("root.pem")
        for name in REQUESTS_A_CONNECTION:
            measure(bench, folder, authority, name)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
