#!/usr/bin/env python3
"""Peak resident memory while a slow receiver holds a large backlog back.

usage: memory.py BINARY BENCH_FOLDER STACK_DIR [RECORDS] [SECONDS]

One record in six confirms; each answer takes a second. Prints the peak, and what was delivered by then.
"""
import os, pathlib, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import fake_registry
from harness import TESTS, Program, Receiver, Stack

CASE = TESTS / "cases" / "default"


def peak_mib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(l for l in lines if l.startswith("VmHWM")).split()[1]) / 1024


def main():
    binary, folder, stack_dir, *rest = sys.argv[1:]
    records, seconds = int(rest[0]) if rest else 600_000, int(rest[1]) if len(rest) > 1 else 20
    stack = Stack(stack_dir)
    brokers, topic = stack.env["KAFKA_BROKERS"], f"bench-slow-{os.getpid()}"
    subprocess.run([f"{folder}/bench_fill", brokers, topic, str(CASE), str(records), "6"],
                   check=True, stdout=subprocess.DEVNULL)
    place = tempfile.mkdtemp(prefix="bench-")
    receiver = Receiver(place)
    receiver.control(delay_ms=1000)
    server, url = fake_registry.serve(CASE / "schemas.json")
    program = Program(binary, f"{place}/log", "run", env={
        "KAFKA_BROKERS": brokers, "KAFKA_TOPIC": topic, "REGISTRY_URL": url, "KAFKA_GROUP": topic,
        "KAFKA_START": "earliest", "ELEMENTOR_WEBHOOK_URL": receiver.url})
    try:
        time.sleep(seconds)  # the backlog presses on all of this time
        assert program.process.poll() is None, program.log.read_text()
        print(f"{records:,} records, a second an answer, {seconds} s: peak "
              f"{peak_mib(program.process.pid):.1f} MiB, {len(receiver.journal())} delivered")
    finally:
        program.kill()
        receiver.stop()
        server.shutdown()


if __name__ == "__main__":
    main()
