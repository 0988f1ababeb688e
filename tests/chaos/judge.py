"""Judges a run by its journals: the invariants of delivery, each a line of a table.

A disturbance is a time [from, to] at which a process lost what it knew: killed, stopped past its
session, cut off from its broker. Orders that had been dispatched by then, and were not covered by an
acknowledged commit, may be sent again; nothing else may.
"""
import base64, bisect, collections, hashlib, hmac

import journals

Disturbance = collections.namedtuple("Disturbance", "from_us to_us life")  # life None: of any
Holding = collections.namedtuple("Holding", "partition from_us to_us")  # a life's, of a partition
FAR = 1 << 62


class Judge:
    def __init__(self, written, requests, commits, parked, disturbances=(), key=None,
                 holdings=None):
        """holdings: life: [Holding], where several lives share the partitions."""
        self.written, self.requests, self.commits, self.parked = written, requests, commits, parked
        self.disturbances = sorted(disturbances, key=lambda d: d.from_us)
        self.holdings = holdings or {}
        self.key = base64.b64decode(key.removeprefix("whsec_")) if key else None
        self.lines = []  # (number, what, figures, ok)
        self.expected = [w for w in written if w.kind == "e"]
        self.by_number = collections.defaultdict(list)
        for w in written:
            if w.kind in "er":
                self.by_number[w.number].append(w)
        self.accepted = collections.defaultdict(list)  # number: requests answered with 2xx
        for r in sorted(requests):
            if 200 <= r.status < 300:
                self.accepted[r.number].append(r)
        self.parked_at = {}
        for p in sorted(parked):
            self.parked_at.setdefault((p.partition, p.offset), p.ms)
        self.covered_us = self._cover()

    def say(self, number, what, figures, ok):
        self.lines.append((number, what, figures, ok))

    # ---- when was each expected offset first covered by a commit? ----

    def _cover(self):
        covered, self.shrunk, self.back, self.ahead = {}, 0, 0, 0
        places = collections.defaultdict(list)
        self.sent_us = {(w.partition, w.offset): w.sent_us for w in self.written}
        for w in self.written:
            if w.kind != "-":
                places[w.partition].append(w.offset)
        for offsets in places.values():
            offsets.sort()
        last = {}
        reached = collections.Counter()  # partition: how many of its places lie below the commit
        above = collections.defaultdict(set)  # partition: covered ones above it
        for c in self.commits:
            offsets = places[c.partition]
            us = c.ms * 1000
            if c.offset < last.get(c.partition, -1):
                self.back += 1
            last[c.partition] = c.offset
            sent = self.sent_us.get((c.partition, c.offset - 1), None)
            if c.offset > 0 and (sent is None or sent // 1000 > c.ms):
                self.ahead += 1
            while reached[c.partition] < len(offsets) and offsets[reached[c.partition]] < c.offset:
                covered.setdefault((c.partition, offsets[reached[c.partition]]), us)
                reached[c.partition] += 1
            now = set()
            for low, high in journals.settled_above(c):
                for i in range(bisect.bisect_left(offsets, low), bisect.bisect_left(offsets, high)):
                    now.add(offsets[i])
                    covered.setdefault((c.partition, offsets[i]), us)
            self.shrunk += any(o >= c.offset and o not in now for o in above[c.partition])
            above[c.partition] = now
        return covered

    # ---- the invariants ----

    def nothing_lost(self):
        lost = sum(max(0, len(places) - sum(r.flag == "-" for r in self.accepted[number]))
                   for number, places in self.by_number.items() if places[0].kind == "e")
        parked = [w for w in self.written if w.kind in "ir"]
        unparked = sum((w.partition, w.offset) not in self.parked_at for w in parked)
        self.say(1, "every expected transition was answered 2xx, or parked",
                 f"{len(self.expected)} expected, {lost} lost; {len(parked)} to park, {unparked} lost",
                 lost == 0 and unparked == 0)
        wrong = {(w.partition, w.offset) for w in self.expected} & set(self.parked_at)
        self.say(1, "nothing else was parked", f"{len(wrong)} parked that could be sent", not wrong)

    def commits_follow(self):
        early = 0
        for number, places in self.by_number.items():
            if places[0].kind == "e":
                times = sorted(r.ended_us for r in self.accepted[number] if r.flag == "-")
                cover = sorted(self.covered_us.get((w.partition, w.offset), FAR) for w in places)
                early += sum(c // 1000 < (times[i] if i < len(times) else FAR) // 1000
                             for i, c in enumerate(cover))
        for w in self.written:
            place = (w.partition, w.offset)
            if w.kind in "ir" and place in self.covered_us:
                early += self.covered_us[place] // 1000 < self.parked_at.get(place, FAR)
        uncovered = sum((w.partition, w.offset) not in self.covered_us
                        for w in self.written if w.kind != "-")
        self.say(2, "no commit passed what was not yet answered or parked",
                 f"{len(self.commits)} commits, {early} early", early == 0)
        self.say(2, "in the end all is covered by commits", f"{uncovered} uncovered", uncovered == 0)
        self.say(3, "no commit beyond what was written", f"{self.ahead} ahead", self.ahead == 0)
        self.say(4, "no commit went back, none told less than before",
                 f"{self.back} back, {self.shrunk} told less", self.back == 0 and self.shrunk == 0)

    def order_by_order(self):
        by_order = collections.defaultdict(list)
        assignments = {life: sorted({h.from_us for h in held})
                       for life, held in self.holdings.items()}
        for r in sorted(self.requests):
            epoch = bisect.bisect(assignments.get(r.life, []), r.arrived_us)
            by_order[r.life, epoch, r.order].append(r)
        overlaps = unsettled = backwards = 0
        for requests in by_order.values():
            for before, r in zip(requests, requests[1:]):
                grace = 50000 if before.flag == "g" else 0  # seen by the receiver a moment later
                overlaps += r.arrived_us + grace < before.ended_us
                if r.number != before.number:
                    unsettled += not (200 <= before.status < 300 or before.status == 422)
                    backwards += rank(r.number) < rank(before.number)
        self.say(5, "one request an order at a time, the next once it is settled, in source order",
                 f"{overlaps} overlaps, {unsettled} unsettled before, {backwards} backwards,"
                 f" in {len(by_order)} orders of assignments",
                 overlaps == unsettled == backwards == 0)

    def nothing_unexpected(self):
        strangers = sum(r.number not in self.by_number for r in self.requests)
        crcs = {number: journals.crc(journals.expected_body(number)) for number in self.by_number}
        wrong = sum(r.number in crcs and r.crc != crcs[r.number] for r in self.requests)
        self.say(6, "nothing unexpected, every body exact",
                 f"{len(self.requests)} requests, {strangers} strangers, {wrong} other bodies",
                 strangers == wrong == 0)

    def excused(self, before, after, covered_us):
        """True when a process lost what it knew in between, while it was not covered."""
        if before.flag == "g":
            return True  # no process could know that it was done
        return any(before.arrived_us <= d.to_us and after.arrived_us >= d.from_us
                   and covered_us > d.from_us and d.life in (None, before.life, after.life)
                   for d in self.disturbances)

    def duplicates_bounded(self, most_uncovered):
        duplicates = unexplained = 0
        for number, places in self.by_number.items():
            got = self.accepted[number]
            extra = len(got) - len(places)
            if places[0].kind != "e" or extra <= 0:
                continue
            duplicates += extra
            covered = max(self.covered_us.get((w.partition, w.offset), FAR) for w in places)
            reasons = sum(self.excused(a, b, covered) for a, b in zip(got, got[len(places):]))
            unexplained += max(0, extra - reasons)
        bounds = [self._uncovered(d.from_us, d.to_us, d.life) for d in self.disturbances]
        gone = sum(r.flag == "g" for r in self.requests)
        self.say(7, "duplicates: only what was dispatched and not covered when a process lost it",
                 f"{duplicates} duplicates <= {sum(bounds)} at {len(bounds)} losses + {gone} that went"
                 f" unanswered, {unexplained} unexplained",
                 unexplained == 0 and duplicates <= sum(bounds) + gone)
        most = max((self._uncovered(us, us, life, still_held=True) for d in self.disturbances
                    for us in (d.from_us, d.to_us)
                    for life in ([d.life] if d.life else self._by_life())), default=0)
        self.say(7, "a process had never more of them than webhook.uncommitted_max",
                 f"at most {most} of {most_uncovered}", most <= most_uncovered)

    def _by_life(self):
        if not hasattr(self, "_lives"):
            self._lives = collections.defaultdict(list)
            for r in sorted(self.requests):
                self._lives[r.life].append(r)
        return self._lives

    def _held(self, life, partition, since_us, us):
        """True when the life had the partition at `us`, and since then."""
        return life not in self.holdings or any(
            h.partition == partition and h.from_us <= since_us and us <= h.to_us
            for h in self.holdings[life])

    def _uncovered(self, from_us, to_us, life, still_held=False):
        """The number that a life (None: any) had dispatched by to_us that no commit covered by from_us;
        still_held: without those of partitions that it has lost, which others send by now."""
        places, dispatched = collections.defaultdict(set), collections.Counter()
        for requests in self._by_life().values() if life is None else [self._by_life()[life]]:
            done = {}
            for r in requests:
                if r.arrived_us > to_us:
                    break
                # An order that the shop wrote twice is dispatched twice, the second once the first is done.
                dispatched[r.number] += done.get(r.number, True)
                done[r.number] = 200 <= r.status < 300
                places[r.number] |= {
                    (w.partition, w.offset) for w in self.by_number.get(r.number, ())
                    if w.kind == "e" and self.covered_us.get((w.partition, w.offset), FAR) > from_us
                    and (not still_held or self._held(r.life, w.partition, r.arrived_us, to_us))}
        return sum(min(len(found), dispatched[n]) for n, found in places.items())

    def one_identity(self):
        ids, numbers = collections.defaultdict(set), collections.defaultdict(set)
        for r in self.requests:
            ids[r.number].add(r.id)
            numbers[r.id].add(r.number)
        several = sum(len(s) != 1 for s in ids.values())
        shared = sum(len(s) != 1 for s in numbers.values())
        self.say(8, "a transition has one webhook-id, and no other has it",
                 f"{len(ids)} transitions, {several} with several, {shared} ids shared",
                 several == shared == 0)

    def signed(self):
        wrong = 0
        for r in self.requests:
            body = journals.expected_body(r.number) if r.number in self.by_number else b""
            text = f"{r.id}.{r.timestamp}.".encode() + body
            want = base64.b64encode(hmac.new(self.key, text, hashlib.sha256).digest()).decode()
            wrong += f"v1,{want}" not in r.signature.split()
        self.say(9, "signed over the exact bytes", f"{wrong} of {len(self.requests)} not", wrong == 0)

    def all(self, most_uncovered):
        self.nothing_lost()
        self.commits_follow()
        self.order_by_order()
        self.nothing_unexpected()
        self.duplicates_bounded(most_uncovered)
        self.one_identity()
        if self.key:
            self.signed()

    def table(self):
        for number, what, figures, ok in sorted(self.lines, key=lambda line: line[0]):
            print(f"{'ok  ' if ok else 'FAIL'} {number:3} {what}: {figures}", flush=True)
        return all(ok for *_, ok in self.lines)


def rank(number):
    return int(number.rstrip("!").split(".")[1])
