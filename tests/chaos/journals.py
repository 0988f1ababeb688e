"""The journals that judge a run: the shop's (L), the receiver's (R), the commits (C), what was parked (D).

None of them is written by the program under test; each is read from where it was written.
"""
import base64, collections, re, struct, subprocess, zlib

Written = collections.namedtuple("Written", "sent_us partition offset kind number")
Request = collections.namedtuple(
    "Request", "arrived_us ended_us status flag life attempt crc number order id timestamp signature")
Commit = collections.namedtuple("Commit", "ms partition offset metadata")
Parked = collections.namedtuple("Parked", "ms partition offset reason")


def whole_lines(path):
    """Without a last line that is still being written."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.endswith("\n"):
                yield line.split()


def read_shop(path):
    return [Written(int(w[0]), int(w[1]), int(w[2]), w[3], w[4]) for w in whole_lines(path)]


def read_receiver(path):
    requests = []
    for w in whole_lines(path):
        signed = (w[10], " ".join(w[11:])) if len(w) > 10 else ("", "")
        requests.append(Request(int(w[0]), int(w[1]), int(w[2]), w[3], w[4], w[5], int(w[6], 16),
                                w[7], w[8], w[9], *signed))
    return requests


def read_topic(brokers, topic, form):
    return subprocess.run(["kcat", "-C", "-q", "-b", brokers, "-t", topic, "-o", "beginning", "-e",
                           "-X", "fetch.wait.max.ms=10", "-f", form],
                          check=True, stdout=subprocess.PIPE).stdout


# ---- commits: Kafka's own records of them ----

def take_string(data, at):
    length, = struct.unpack_from(">h", data, at)
    return data[at + 2:at + 2 + max(length, 0)].decode(), at + 2 + max(length, 0)


def parse_commit(ms, key, value, group, topic):
    """None for another group's, another topic's, or what is no commit."""
    version, = struct.unpack_from(">h", key)
    if version > 1 or value is None:
        return None
    of_group, at = take_string(key, 2)
    of_topic, at = take_string(key, at)
    partition, = struct.unpack_from(">i", key, at)
    if of_group != group or of_topic != topic:
        return None
    version, offset = struct.unpack_from(">hq", value)
    at = 10 + (4 if version >= 3 else 0)  # the leader's epoch
    if version >= 4:
        length, at = take_varint(value, at)  # compact: one more than it is
        return Commit(ms, partition, offset, value[at:at + length - 1].decode())
    return Commit(ms, partition, offset, take_string(value, at)[0])


def read_commits(brokers, group, topic):
    """In the order in which the coordinator took them."""
    data, at, commits = read_topic(brokers, "__consumer_offsets", "%T %K %S\n%k%s"), 0, []
    while at < len(data):
        end = data.index(b"\n", at)
        ms, key_len, value_len = map(int, data[at:end].split())
        key = data[end + 1:end + 1 + key_len]
        at = end + 1 + max(key_len, 0)
        value = data[at:at + value_len] if value_len >= 0 else None
        at += max(value_len, 0)
        commit = parse_commit(ms, key, value, group, topic)
        if commit is not None:
            commits.append(commit)
    return commits


def take_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def settled_above(commit):
    """The ranges [from, to) that the commit's metadata calls settled (offsets/commit_metadata.h)."""
    if commit.metadata == "":
        return []
    version, offset, runs, *_ = commit.metadata.split(".")
    assert version == "1" and int(offset) == commit.offset, f"foreign metadata: {commit}"
    data = base64.urlsafe_b64decode(runs + "=" * (-len(runs) % 4))
    ranges, at, place = [], 0, commit.offset
    while at < len(data):
        gap, at = take_varint(data, at)
        run, at = take_varint(data, at)
        ranges.append((place + gap, place + gap + run))
        place += gap + run
    return ranges


# ---- the parked topic ----

def read_parked(brokers, topic):
    parked = []
    for line in read_topic(brokers, topic, "%T %h\n").decode(errors="replace").splitlines():
        ms, _, headers = line.partition(" ")
        found = {name: re.search(rf"elementor-sync\.{name}=([^,]*)", headers)
                 for name in ("partition", "offset", "reason")}
        if all(found.values()):
            parked.append(Parked(int(ms), int(found["partition"][1]), int(found["offset"][1]),
                                 found["reason"][1]))
    return parked


# ---- what the shop's transition must look like at the receiver ----

def expected_body(number):
    """tests/tools/shop.c's row as the payload; number: ORDER.COUNT[!]."""
    n, count = number.rstrip("!").split(".")
    n = int(n)
    return ('{"form_name":"order_confirmation","fields":{"order_id":"%08x-0000-4000-8000-%012x",'
            '"order_number":"%s","client_name":"Amina Él \\"B\\"","client_phone":"+2136%08d",'
            '"client_address":"12 rue Didouche","client_city":"Alger","product_name":"Montre",'
            '"quantity":%d,"unit_price":1234.50,"total_amount":1234.50,"status":"confirmed",'
            '"confirmed_at":"2026-11-24T09:%02d:%02d.%06dZ"}}'
            % (n & 0xFFFFFFFF, n, number, n, 1 + int(count), n // 60 % 60, n % 60, n % 1000000)
            ).encode()


def crc(body):
    return zlib.crc32(body)
