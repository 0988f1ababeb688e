"""Told when away: an outage of the webhook is two messages, whichever process dies in it."""
import json, time

from dashboard import Dashboard
from harness import Receiver, wait_for

PATH = "/notices"
AFTER_S, OUTAGE_S = 4, 60


class Channel:
    """The channel that an operator reads who is away."""

    def __init__(self, folder):
        folder.mkdir()
        self.receiver = Receiver(folder)
        self.url = f"http://127.0.0.1:{self.receiver.port}{PATH}"

    def events(self):
        return [json.loads(entry["body"]) for entry in self.receiver.journal(PATH)]

    def await_events(self, before, *names):
        """All that was told behind the first `before`; as many as are named, no others."""
        wait_for(f"{names} told", lambda: len(self.events()) >= before + len(names), 120)
        events = self.events()[before:]
        assert [e["event"] for e in events] == list(names), events
        return events


def shares(dashboard):
    """The number of the orders' partitions that each living member has."""
    status, body = dashboard.call("GET", "/api/v1/status")
    return status == 200 and sorted(len(m["partitions"]) for m in body["members"] if m["alive"])


def is_well(dashboard):
    status, body = dashboard.call("GET", "/api/v1/status")
    return status == 200 and body["verdict"]["state"] in ("all_well", "quiet")


def confirmed(t, prefix, count):
    orders = [t.stack.order(f"{prefix}-{n}") for n in range(count)]
    for order in orders:
        t.stack.confirm(order)
    return orders


def an_outage_is_two_messages(t):
    """Thirty minutes of `notify.after` = 2m, thirty times as fast: three members, of which one is killed,
    and two dashboards. A parked order is told of last: whatever else there was would stand before it."""
    channel = Channel(t.folder / "channel")
    t.env_always = {"RETRY_ATTEMPTS": "1000000", "BREAKER_FAILURES_IN_ROW": "2", "BREAKER_PROBE_FIRST": "300ms",
                    "BREAKER_PROBE_CAP": "1s"}
    try:
        members = [t.start("run", log=name) for name in ("m1", "m2", "m3")]
        watcher = Dashboard(t, "watcher")
        wait_for("the partitions are shared", lambda: shares(watcher) == [2, 2, 2])
        telling = [Dashboard(t, name, NOTIFY_URL=channel.url, NOTIFY_AFTER=f"{AFTER_S}s", NOTIFY_DIGEST="1s")
                   for name in ("d1", "d2")]
        # A machine that stood still for longer at the beginning caused messages of its own, and these are over.
        wait_for("all is well", lambda: all(map(is_well, telling)) and len(channel.events()) % 2 == 0, 120)
        before, began_s = len(channel.events()), time.monotonic()
        t.receiver.control(status=503)
        orders = confirmed(t, "A", 24)
        channel.await_events(before, "trouble")
        members[0].kill()
        wait_for("two have them all", lambda: shares(watcher) == [3, 3])
        orders += confirmed(t, "B", 24)
        wait_for("the outage is over", lambda: time.monotonic() >= began_s + OUTAGE_S, OUTAGE_S + 10)
        t.receiver.control(status=200)
        t.wait_delivered(orders)
        began, over = channel.await_events(before, "trouble", "over")
        assert began["cause"] == "breaker_open" and over["began"] == began["began"] < over["ended"], over
        assert over["waited"] > 0 and "Nothing is lost" in over["text"] == over["content"], over
        t.receiver.control(status=422)
        [parked] = confirmed(t, "C", 1)
        *_, digest = channel.await_events(before, "trouble", "over", "parked")
        assert (digest["parked_new"], digest["parked"]) == (1, 1), digest
        told = json.dumps(channel.events())
        assert not any(text in told for text in ("Amina", "Alger", "C-0", parked, *orders)), told
        assert not any(channel.url in p.log.read_text() for p in t.programs), "the URL is a secret"
    finally:
        channel.receiver.stop()


TESTS = [an_outage_is_two_messages]
