"""The scenarios: who is disturbed, how and when. Each prints its table and says whether all is well."""
import random, signal, time

from world import Disturbance, World, now_us, report, wait_for

FLAKY = ("delay_us=3000 spread_us=25000 fail=15 reset=150 shut=150 hang=2000 refuse=1")
HEAL_SECONDS = 120
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
            assert member.running, f"it ended by itself: {world.folder}/log"
            world.kill(member)
        world.wait_shop(300)
        settled_s = world.settle(HEAL_SECONDS)
        print(f"     {options.kills} kills")
        return report(world, world.judge(), settled_s, HEAL_SECONDS)
    finally:
        world.close()


kill.brokers = 1

SCENARIOS = {"kill": kill}
