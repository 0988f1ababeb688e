#!/usr/bin/env python3
"""The program's cost while nothing happens: wake-ups, CPU and memory of run and of the dashboard.

usage: idle.py BINARY TOOLS [--seconds N] [--partitions N] [--threads]     TOOLS: of fast_receiver

A broker of its own, an empty topic. Counts from when the group is settled, for --seconds (30): all
threads of a process together, voluntary context switches being wake-ups; --threads: and by thread.
"""
import argparse, os, pathlib, subprocess, sys, tempfile, time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]
import brokers
from world import World, wait_for

SETTLING_SECONDS = 10  # the last look at the topics' ends and the first commits are behind it
TICKS = os.sysconf("SC_CLK_TCK")


def wakeups_of(pid):
    """By (thread's id, name) until now."""
    wakeups = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            lines = (task / "status").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        name = lines[0].split(None, 1)[1]
        wakeups[task.name, name] = next(int(l.split()[1]) for l in lines if l.startswith("voluntary_ctxt"))
    return wakeups


def usage(pid):
    """(wake-ups by thread, seconds of CPU, resident MiB) until now."""
    wakeups = wakeups_of(pid)
    process = pathlib.Path(f"/proc/{pid}")
    user, system = process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[11:13]
    rss = next(int(l.split()[1]) for l in process.joinpath("status").read_text().splitlines()
               if l.startswith("VmRSS"))
    return wakeups, (int(user) + int(system)) / TICKS, rss / 1024


def say(name, before, after, seconds, threads):
    woken = {task: count - before[0].get(task, 0) for task, count in after[0].items()}
    print(f"{name:<10} {sum(woken.values()) / seconds:6.1f} wake-ups/s {(after[1] - before[1]) / seconds:7.2%} CPU "
          f"{after[2]:6.1f} MiB", flush=True)
    for (task, thread), count in sorted(woken.items(), key=lambda item: -item[1]) if threads else ():
        print(f"  {thread:<16} {count / seconds:6.1f}   {task}")


def dashboard(world, folder):
    log = open(folder / "dashboard.log", "wb")
    process = subprocess.Popen([str(world.binary), "dashboard"], stderr=log, env={
        **os.environ, **world.env, "AUTH_HS256_SECRET": "0123456789 of a bench that is idle, 0123456789",
        "DASHBOARD_LISTEN": "127.0.0.1:0", "DASHBOARD_DATABASE": str(folder / "view.db")})
    wait_for("the dashboard listens", lambda: "dashboard listens" in (folder / "dashboard.log").read_text(), 30)
    return process


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("tools")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--threads", action="store_true")
    options = parser.parse_args()
    cluster = brokers.Brokers(1)
    world = page = None
    try:
        world = World(options.binary, options.tools, cluster, "", "idle", KAFKA_START="latest")
        world.stopping.set()  # its sampler asks for /metrics
        cluster.make_topic(world.topic, options.partitions)
        member = world.start()
        wait_for("partitions are assigned",
                 lambda: member.log.read_text().count("partition assigned") >= options.partitions, 60)
        page = dashboard(world, pathlib.Path(tempfile.mkdtemp(prefix="idle-")))
        time.sleep(SETTLING_SECONDS)
        pids = {"run": member.process.pid, "dashboard": page.pid}
        before = {name: usage(pid) for name, pid in pids.items()}
        time.sleep(options.seconds)
        for name, pid in pids.items():
            say(name, before[name], usage(pid), options.seconds, options.threads)
    finally:
        if page is not None:
            page.kill()
            page.wait()
        if world is not None:
            world.close()
        cluster.close()


if __name__ == "__main__":
    main()
