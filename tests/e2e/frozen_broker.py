"""The broker, which coordinates the group, stands still and goes on; the member is not held up by it."""
import re, time

from harness import wait_for
from operator_commands import names, of_order

FROZEN_SECONDS, PROBE_SECONDS, TURN_SECONDS = 15, 2.5, 2.5  # a look-up takes 5 s


def metric(program, name):
    return float(re.search(rf"^elementor_sync_{name} (\S+)$", program.ops("/metrics")[1], re.M)[1])


def livez_answers_while_the_coordinator_is_frozen(t):
    """Past the session's end (6 s), with a request under way: a probe must not kill the process, and
    what was answered meanwhile is not sent again."""
    program = t.start(OPS_LISTEN="127.0.0.1:0", WEBHOOK_TIMEOUT="30s", **names(t))
    wait_for("six partitions assigned", lambda: program.count("partition assigned") >= 6)
    wait_for("it is ready", lambda: program.ops("/readyz")[0] == 200)
    t.receiver.control(delay_ms=4000, delay_only=1)
    slow = t.stack.order("FROZEN-1")
    t.stack.confirm(slow)
    wait_for("its request is under way", lambda: metric(program, "webhook_attempts_total") == 1)
    reasons = set()
    with t.stack.frozen("kafka"):
        ends = time.monotonic() + FROZEN_SECONDS
        while time.monotonic() < ends:
            status, said = program.ops("/livez", PROBE_SECONDS)
            assert status == 200, (status, said)
            status, said = program.ops("/readyz", PROBE_SECONDS)
            if status != 200:
                reasons.add((status, said.strip()))
            time.sleep(0.2)
        assert len(of_order(t, slow)) == 1, "its request was judged while the broker stood still"
    assert reasons and all(status == 503 and said for status, said in reasons), reasons
    wait_for("it is ready again", lambda: program.ops("/readyz")[0] == 200)
    later = t.stack.order("FROZEN-2")
    t.stack.confirm(later)
    t.wait_delivered([slow, later])
    assert t.receiver.delivered() == [slow, later], t.receiver.delivered()
    assert metric(program, "webhook_failures_total") == 0
    assert metric(program, "loop_longest_turn_seconds") < TURN_SECONDS
    assert program.stop() == 0


TESTS = [livez_answers_while_the_coordinator_is_frozen]
