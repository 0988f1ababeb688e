"""The scenarios: who is disturbed, how and when. Each prints its table and says whether all is well."""
import contextlib, random, signal, time

import journals
from judge import Judge
from world import KEY, LEAVE_SECONDS, Disturbance, World, now_us, partition_events, report, wait_for

FLAKY = ("delay_us=3000 spread_us=25000 fail=15 reset=150 shut=150 hang=2000 refuse=1")
HEAL_SECONDS = 120
REMADE_ORDERS, REMADE_SECONDS = 120, 60
SESSION = {"KAFKA_PROPERTIES_SESSION_TIMEOUT_MS": "1500",
           "KAFKA_PROPERTIES_HEARTBEAT_INTERVAL_MS": "300"}


def pace(orders, seconds):
    return max(1, int(orders / seconds))


def kill(options, cluster):
    """Killed at random moments, while it joins and while it works; half of its lives are static
    members of the group, whose successor goes on at once, half have to wait out a session."""
    dice = random.Random(options.seed)
    life_s = 1.5
    session = SESSION if not options.stack else {"KAFKA_PROPERTIES_SESSION_TIMEOUT_MS": "6000"}
    world = World(options.binary, options.tools, cluster, f"{FLAKY} seed={options.seed}", **session)
    try:
        world.open_shop(options.orders, pace(options.orders, options.kills * life_s), options.seed)
        static = {"KAFKA_PROPERTIES_GROUP_INSTANCE_ID": "chaos"}
        for _ in range(options.kills):
            dynamic = dice.random() < 0.5 and not options.stack
            member = world.start(**({} if dynamic else static))
            time.sleep(dice.uniform(0.05, 2 * life_s))
            assert member.running, f"it ended by itself: {member.log}"
            world.kill(member)
        world.wait_shop(300)
        settled_s = world.settle(HEAL_SECONDS)
        print(f"     {options.kills} kills")
        return report(world, world.judge(), settled_s, HEAL_SECONDS)
    finally:
        world.close()


def group(options, cluster):
    """Three members come, go, are killed, stand still past their session, and are restarted in turn."""
    dice = random.Random(options.seed)
    events = max(6, options.kills // 8)
    world = World(options.binary, options.tools, cluster, f"{FLAKY} seed={options.seed}", "group",
                  **SESSION, WEBHOOK_CONCURRENCY="32")
    counts = {"join": 0, "leave": 0, "kill": 0, "stop": 0, "restart": 0}
    try:
        world.open_shop(options.orders, pace(options.orders, events * 3.5), options.seed)
        for _ in range(3):
            world.start()
        for event in range(events):
            time.sleep(dice.uniform(1, 3.5))
            what = dice.choice(["join", "leave", "kill", "stop", "stop"])
            if event == events // 2:
                what = "restart"
            elif len(world.members) < 3:
                what = "join"
            elif len(world.members) > 4 and what == "join":
                what = "leave"
            counts[what] += 1
            GROUP_EVENTS[what](world, dice)
        world.wait_shop(300)
        for member in list(world.members):
            world.leave(member)
        settled_s = world.settle(HEAL_SECONDS)
        print("     " + ", ".join(f"{n} {what}" for what, n in counts.items()))
        judge = world.judge()
        lost, moved = world.lost_without_cause()
        judge.say(7, "who was left alone keeps its partitions, nineteen in twenty at least",
                  f"{lost} lost of {moved} that moved", lost * 20 <= moved)
        return report(world, judge, settled_s, HEAL_SECONDS)
    finally:
        world.close()


def stand_still(world, dice):
    """Past its session: the others take its partitions; then it goes on, and must notice."""
    notice_us = 1_000_000
    member = dice.choice(world.members)
    before = now_us()
    member.signal(signal.SIGSTOP)
    time.sleep(dice.uniform(2.5, 4))
    member.signal(signal.SIGCONT)
    world.disturbances.append(Disturbance(before, now_us() + notice_us, member.life))


def kill_one(world, dice):
    world.kill(dice.choice(world.members))


def rolling_restart(world, dice):
    for member in list(world.members):
        world.leave(member)
        world.start()
        time.sleep(1)


GROUP_EVENTS = {"join": lambda world, dice: world.start(),
                "leave": lambda world, dice: world.leave(dice.choice(world.members)),
                "kill": kill_one, "stop": stand_still, "restart": rolling_restart}


def lose_brokers(options, cluster, name, times, victims, down_s):
    """Two members while brokers die: `victims(world, i)` names the broker of the i-th time."""
    dice = random.Random(options.seed)
    world = World(options.binary, options.tools, cluster, f"{FLAKY} seed={options.seed}", name,
                  KAFKA_PROPERTIES_SESSION_TIMEOUT_MS="6000")
    try:
        world.open_shop(options.orders, pace(options.orders, times * 12), options.seed)
        world.start()
        world.start()
        for i in range(times):
            time.sleep(dice.uniform(3, 6))
            id = victims(world, i)
            cluster.kill(id)
            time.sleep(dice.uniform(*down_s))
            cluster.start(id)
            cluster.wait(id)
        world.wait_shop(300)
        for member in list(world.members):
            world.leave(member)
        settled_s = world.settle(HEAL_SECONDS)
        print(f"     {times} brokers killed")
        return report(world, world.judge(), settled_s, HEAL_SECONDS)
    finally:
        world.close()


def broker(options, cluster):
    """The only broker is killed, and comes back."""
    times = max(2, options.kills // 40)
    return lose_brokers(options, cluster, "broker", times, lambda world, i: 1, (0.5, 6))


def brokers3(options, cluster):
    """Of three brokers, the one that coordinates the group, and others, which lead partitions."""
    times = max(3, options.kills // 30)

    def victim(world, i):
        return cluster.coordinator(world.group) if i % 2 == 0 else 1 + i % 3

    return lose_brokers(options, cluster, "brokers3", times, victim, (1, 4))


def probes_are_paced(judge, requests, recovered_us):
    """Behind the open breaker: one probe at a time, 5 s after it opened, then twice as long, to 60 s."""
    in_row = 5  # failures that open it; what was under way by then comes within a second
    opened_us = requests[in_row - 1].arrived_us + 1_000_000
    times = [r.arrived_us for r in requests if opened_us < r.arrived_us < recovered_us]
    gaps = [(b - a) / 1e6 for a, b in zip(times, times[1:])]
    hasty = sum(gap < 0.97 * min(60, 5 * 2 ** (i + 1)) for i, gap in enumerate(gaps))
    judge.say(0, "outage: at most one probe each breaker interval",
              f"{len(times)} probes, {hasty} too early", hasty == 0)


def memory_is_flat(judge, world, seconds):
    samples = [mib for at, mib, _ in world.samples if at < seconds]
    third = len(samples) // 3
    early, late = max(samples[:third], default=0), max(samples[-third:], default=0)
    judge.say(12, "outage: memory is flat", f"{early:.1f} MiB early, {late:.1f} MiB late",
              late <= early + 4)


def outage(options, cluster):
    """The endpoint is down: a backlog waits, and in another shop one order. Then it comes back."""
    paces = {"RETRY_BASE": "1s", "RETRY_CAP": "60s", "WEBHOOK_TIMEOUT": "10s"}
    backlog, single = (World(options.binary, options.tools, cluster, "status=503 delay_us=2000",
                             name, **paces) for name in ("outage", "single"))
    try:
        single.open_shop(1, 0, options.seed, alive=1)
        backlog.open_shop(options.orders, 0, options.seed)
        backlog.wait_shop(120)
        for world in (backlog, single):
            world.start()
        time.sleep(options.outage)
        ended = time.monotonic()
        recovered_us = now_us()
        for world in (backlog, single):
            world.receiver.control("status=200 refuse=1")
        wait_for("the single order", lambda: any(r.status == 200 for r in single.receiver.requests()),
                 90)
        single_s = time.monotonic() - ended
        good = True
        for world, orders in (("backlog", backlog), ("one order", single)):
            for member in list(orders.members):
                if orders is backlog:
                    wait_for("the first of the backlog", lambda: any(
                        r.status == 200 for r in orders.receiver.requests()), 90)
                orders.leave(member)
            settled_s = orders.settle(HEAL_SECONDS)
            judge = orders.judge()
            requests = sorted(judge.requests)
            probes_are_paced(judge, requests, recovered_us)
            memory_is_flat(judge, orders, ended)
            if orders is single:
                judge.say(11, "one order is delivered within a minute of the recovery",
                          f"{single_s:.1f} s", single_s <= 60)
            print(f"     {world}, {options.outage} s without the endpoint")
            good &= report(orders, judge, settled_s, HEAL_SECONDS)
        return good
    finally:
        backlog.close()
        single.close()


def delivered(world):
    return sum(200 <= r.status < 300 for r in world.receiver.requests())


def seconds_to_deliver(world, limit_s):
    """From now on, until something more is delivered."""
    began, before = time.monotonic(), delivered(world)
    wait_for("it delivers again", lambda: delivered(world) > before, limit_s + 30)
    return time.monotonic() - began


def restart(options, cluster):
    """Killed and started again with the defaults; the same with kafka.instance; and killed again and
    again while it starts: how long until it delivers."""
    dice = random.Random(options.seed)
    kills, measures = 20, []
    world = World(options.binary, options.tools, cluster, "delay_us=2000 refuse=1", "restart")
    try:
        world.open_shop(options.orders, pace(options.orders, 150), options.seed)
        for name, limit_s, env in (("kill -9 and a start, defaults", 12, {}),
                                   ("the same with kafka.instance", 2, {"KAFKA_INSTANCE": "shop-1"})):
            member = world.start(**env)
            seconds_to_deliver(world, 30)
            time.sleep(4)
            world.kill(member)
            member = world.start(**env)
            measures.append((name, limit_s, seconds_to_deliver(world, limit_s)))
            world.kill(member)
            time.sleep(12)
        for _ in range(kills):
            member = world.start()
            time.sleep(dice.uniform(0.5, 1.5))
            world.kill(member)
        member = world.start()
        measures.append((f"{kills} quick kills in a row", 30, seconds_to_deliver(world, 30)))
        world.wait_shop(300)
        world.leave(member)
        settled_s = world.settle(HEAL_SECONDS)
        judge = world.judge()
        for name, limit_s, took_s in measures:
            judge.say(11, f"{name}: it delivers within {limit_s} s", f"{took_s:.1f} s",
                      took_s <= limit_s)
        waits = world.members_log('event="group wait"')
        judge.say(11, "each wait for the group is said", f"{waits} lines", waits > 0)
        return report(world, judge, settled_s, HEAL_SECONDS)
    finally:
        world.close()


def assigned(world):
    return sum(len({part for _, what, part in partition_events(log) if what == "assigned"})
               for log in world.logs().values())


def requests_by_number(requests, since_us):
    return {r.number for r in requests if r.arrived_us >= since_us and 200 <= r.status < 300}


def remade(options, cluster):
    """The orders' topic is deleted and made again while three members read it, whatever kafka.start
    says: the new one is read from its beginning."""
    return all([remade_once(options, cluster, start) for start in ("earliest", "latest")])


def remade_once(options, cluster, start):
    world = World(options.binary, options.tools, cluster, "delay_us=1000", "remade", KAFKA_START=start)
    try:
        cluster.make_topic(world.topic, 6)
        for _ in range(3):
            world.start()
        wait_for("all partitions are assigned", lambda: assigned(world) >= 6, 60)
        world.open_shop(REMADE_ORDERS, 60, options.seed)
        world.wait_shop(60)
        wait_for("the first topic's orders", lambda: delivered(world) >= REMADE_ORDERS, 60)
        time.sleep(2)  # and their commits
        cluster.delete_topic(world.topic)
        remade_us = now_us()
        world.open_shop(REMADE_ORDERS, 0, options.seed + 1)
        world.wait_shop(60)
        wanted = {w.number for w in journals.read_shop(world.shop_journal) if w.kind == "e"}
        missing = lambda: wanted - requests_by_number(world.receiver.requests(), remade_us)
        with contextlib.suppress(AssertionError):
            wait_for("the new topic's orders", lambda: not missing(), REMADE_SECONDS)
        took_s = (now_us() - remade_us) / 1e6
        for member in list(world.members):
            world.leave(member)
        judge = of_the_new_topic(world, remade_us)
        judge.say(1, f"kafka.start={start}: the new topic's orders are all delivered",
                  f"{len(missing())} of {len(wanted)} missing after {took_s:.1f} s", not missing())
        noticed, stopped = (world.members_log(text) for text in ("topic made again", "partition stopped"))
        judge.say(1, "the new topic is noticed, and no partition stops",
                  f"{noticed} lines, {stopped} stopped", noticed > 0 and stopped == 0)
        slowest = max(s for _, s in world.exits)
        judge.say(16, "who is asked to leave leaves in time, with 0",
                  f"{len(world.exits)} left, slowest {slowest:.1f} s",
                  all(code == 0 for code, _ in world.exits) and slowest < LEAVE_SECONDS)
        good = judge.table()
        if not good:
            print(f"     journals and logs: {world.folder}")
        return good
    finally:
        world.close()


def of_the_new_topic(world, since_us):
    """A judge of what was sent since then. Offsets and commits of that name begin twice, so that only
    what says something of the requests alone is judged."""
    requests = [r for r in world.receiver.requests() if r.arrived_us >= since_us]
    judge = Judge(journals.read_shop(world.shop_journal), requests, [], [], key=KEY)
    judge.nothing_unexpected()
    judge.one_identity()
    judge.signed()
    return judge


for scenario, count in ((remade, 1), (kill, 1), (restart, 1), (group, 1), (broker, 1), (brokers3, 3), (outage, 1)):
    scenario.brokers = count
SCENARIOS = {f.__name__: f for f in (kill, restart, group, remade, broker, brokers3, outage)}
