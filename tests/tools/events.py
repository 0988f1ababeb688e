#!/usr/bin/env python3
"""events: holds consumer/EVENTS.md to the log events of consumer/.   events.py [--write] [CONSUMER_FOLDER]

Collects the event of every log call, and compares it with the table. Fails on an event that has no row, a
row without its event, a level that differs, a meaning that is "?", and an event that is not a name: 2 to 4
lower-case words, 40 characters at most (one word only if ONE_WORD has it). An event is a string literal, or
the choice `x ? "a" : "b"` of two; a function that hands a parameter on as the event counts as a log call
itself, wherever it is called. Anything else fails, so no event is missed.

--write adds the missing rows with the meaning "?", and removes the stale ones (also from NOT_YET).
"""
import collections
import pathlib
import re
import sys

# Log call: (which argument is the event, the level, or which argument is the level)
CALLS = {
    "log_debug": (0, "debug"), "log_info": (0, "info"), "log_warn": (0, "warn"), "log_error": (0, "error"),
    "log_event": (1, 0), "LOG_LINE": (1, 0), "log_limited": (3, "warn"), "log_recovered": (1, "info"),
}
LEVELS = ["error", "warn", "info", "debug", "audit"]
LOG_MODULE = ("sys/log.c", "sys/log.h")
ONE_WORD = {"audit", "configuration", "delivered", "ended", "kafka", "libcurl", "libmicrohttpd", "librdkafka",
            "parked", "progress", "started", "stopped"}
NAME = re.compile(r"(?!.*\b(?:a|an|the|this|these)\b)[a-z][a-z0-9-]*( [a-z0-9-]+){0,3}")
NAME_MAX = 40
# Events from before these rules, one a line. They have no row yet; the list may only become shorter.
NOT_YET = pathlib.Path(__file__).with_name("events_not_yet.txt")

ROW = re.compile(r"\| `([^`]+)` \| ([a-z, ]+) \| (.*) \|")
LITERALS = r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*'
FUNCTION = re.compile(r"^(static )?[\w ]+[ *](\w+)\(([^;{}]*?)\)\n\{", re.M)


class Source:
    def __init__(self, path, name):
        self.name = name
        self.text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), path.read_text(), flags=re.S)
        self.functions = list(FUNCTION.finditer(self.text))

    def at(self, place):
        return f"{self.name}:{self.text.count(chr(10), 0, place) + 1}"

    def arguments(self, start):
        """The arguments of a call, from behind its parenthesis."""
        found, depth, begin, place = [], 1, start, start
        while depth > 0:
            c = self.text[place]
            if c in "\"'":
                place = re.compile(r"(?:[^%s\\]|\\.)*%s" % (c, c), re.S).match(self.text, place + 1).end()
                continue
            depth += (c in "([{") - (c in ")]}")
            if depth == 0 or (depth == 1 and c == ","):
                found.append(self.text[begin:place].strip())
                begin = place + 1
            place += 1
        return found

    def function_at(self, place):
        """The function around a place: (name, names of its parameters, whether it is static)."""
        before = [f for f in self.functions if f.start() < place]
        if not before:
            return "", [], True
        parameters = [re.sub(r".*\W", "", p.strip()) for p in before[-1][3].split(",")]
        return before[-1][2], parameters, bool(before[-1][1])


def text_of(literals):
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', literals)
    return re.sub(r"\\(.)", r"\1", "".join(parts))


def literals_of(argument):
    """The events of an argument, or None if it is neither a literal nor the choice of two."""
    if re.fullmatch(LITERALS, argument):
        return [text_of(argument)]
    choice = re.fullmatch(r"[^\"?:]*\?\s*(%s)\s*:\s*(%s)" % (LITERALS, LITERALS), argument)
    return [text_of(choice[1]), text_of(choice[2])] if choice else None


def levels_of(call, arguments):
    level = CALLS[call][1] if call in CALLS else None
    if isinstance(level, str):
        return [level]
    return [name.lower() for name in re.findall(r"\bLOG_(ERROR|WARN|INFO|DEBUG|AUDIT)\b", arguments[level])]


def collect(root):
    """({event: levels}, findings)"""
    events, findings = collections.defaultdict(set), []
    sources = [Source(path, str(path.relative_to(root))) for path in sorted(root.rglob("*.[ch]"))
               if str(path.relative_to(root)) not in LOG_MODULE]
    # (function, which argument, levels, the one file it can be called in, or None)
    wanted = [(call, at, None, None) for call, (at, _) in CALLS.items()]
    seen = set()
    while wanted:
        call, at, levels, only_in = wanted.pop()
        for source in sources:
            if only_in not in (None, source.name):
                continue
            for use in re.finditer(r"(?<!struct )\b%s\b(\()?" % call, source.text):
                if any(f.start(2) == use.start() for f in source.functions):
                    continue  # its definition
                if not use[1]:
                    findings.append(f"{source.at(use.start())}: {call} is not called here but handed on")
                    continue
                arguments = source.arguments(use.end())
                if levels is not None and re.match(r"(const )?(char|struct|enum)\b", arguments[at]):
                    continue  # its declaration
                here = levels or levels_of(call, arguments)
                found = literals_of(arguments[at])
                if not here:
                    findings.append(f"{source.at(use.start())}: the level of {call} is not a LOG_ constant")
                elif found is not None:
                    for event in found:
                        events[event].update(here)
                else:
                    name, parameters, is_static = source.function_at(use.start())
                    if arguments[at] not in parameters:
                        findings.append(f"{source.at(use.start())}: the event {arguments[at]} is not a string literal")
                    elif (name, arguments[at], tuple(here)) not in seen:
                        seen.add((name, arguments[at], tuple(here)))
                        wanted.append((name, parameters.index(arguments[at]), here,
                                       source.name if is_static else None))
    return events, findings


def is_name(event):
    return (NAME.fullmatch(event) is not None and len(event) <= NAME_MAX
            and (" " in event or event in ONE_WORD))


def compare(events, rows, not_yet):
    for event, levels in sorted(events.items()):
        if event in not_yet:
            continue
        if not is_name(event):
            yield f'"{event}" is not a name: 2 to 4 lower-case words without an article, {NAME_MAX} characters at most'
        if event not in rows:
            yield f'"{event}" has no row'
        elif rows[event][0] != level_text(levels):
            yield f'"{event}" is logged at {level_text(levels)}, its row has {rows[event][0]}'
        elif rows[event][1] in ("", "?"):
            yield f'the row of "{event}" has no meaning yet'
    for event in sorted(set(rows) - set(events)):
        yield f'no log call has the event "{event}" of a row'
    for event in not_yet:
        if event not in events:
            yield f'no log call has the event "{event}" of {NOT_YET.name}'
        elif is_name(event):
            yield f'"{event}" is a name: take it out of {NOT_YET.name}'


def level_text(levels):
    return ", ".join(level for level in LEVELS if level in levels)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    root = pathlib.Path(arguments[0] if arguments else "consumer")
    table = root / "EVENTS.md"
    events, findings = collect(root)
    text = table.read_text()
    rows = {m[1]: (m[2], m[3]) for m in ROW.finditer(text)}
    not_yet = NOT_YET.read_text().splitlines() if NOT_YET.exists() else []
    if "--write" in sys.argv:
        if any(line in not_yet and (line not in events or is_name(line)) for line in not_yet):
            not_yet = [line for line in not_yet if line in events and not is_name(line)]
            NOT_YET.write_text("".join(line + "\n" for line in not_yet))
        if not not_yet:
            NOT_YET.unlink(missing_ok=True)
        rows = {event: (level_text(levels), rows.get(event, ("", "?"))[1])
                for event, levels in events.items() if event not in not_yet}
        head = text[:text.index("| event |")]
        lines = ["| event | level | meaning, and what to do |", "|---|---|---|"]
        lines += [f"| `{event}` | {level} | {meaning} |" for event, (level, meaning) in sorted(rows.items())]
        table.write_text(head + "\n".join(lines) + "\n")
    elif sorted(rows) != list(rows):
        findings.append("the rows are not sorted")
    findings += compare(events, rows, not_yet)
    print("\n".join(f"{table}: {f}" if f.startswith(("\"", "the row", "no log")) else f for f in findings))
    print(f"{len(events)} events, {len(rows)} rows, {len(not_yet)} not yet named, {len(findings)} findings")
    if findings:
        print("tests/tools/events.py --write adds and removes rows; fill in the meaning of the new ones")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
