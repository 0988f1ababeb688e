#!/usr/bin/env python3
"""layers: holds consumer/ to its layout.   layers.py [CONSUMER_FOLDER]

Fails on an include of a folder above one's own, on files that include each other in a circle, on more
than 20 files in a folder, on two .c files of one name, on a struct tag that is defined twice, and on a
struct of more than 25 fields. Each finding is a line "PATH: what is wrong"; the last line is a summary.
"""
import collections
import pathlib
import re
import sys

# From the top down: a folder may include what is named after it.
ORDER = """. cli/commands cli demo dashboard dashboard/routes dashboard/sync dashboard/control dashboard/export dashboard/health dashboard/api check reconcile operator pipeline pipeline/intake
pipeline/sending pipeline/tracking dashboard/feed dashboard/view dashboard/notify dashboard/verdict dashboard/web dashboard/auth demo/display
demo/parts topics topics/settings kafka/consumer delivery delivery/policy offsets
registry tracing order order/shape kafka/producer kafka/group kafka config/load config/reference config cdc cdc/schema http http/headers http/tls terminal sys base base/digest""".split()
FILES_MAX = 20
FIELDS_MAX = 25
WIDE = {"config", "delivery"}  # an option a field; an order on its way
NOT_COUNTED = {"dashboard/page"}  # the browser's files


def includes(root):
    """(path, line number, included path) of every include of a file of ours; paths below root."""
    for path in sorted(root.rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'#include "([^"]+)"', line)
            if found and (root / found[1]).exists():
                yield path.relative_to(root), number, pathlib.PurePath(found[1])


def upward(arrows):
    rank = {folder: place for place, folder in enumerate(ORDER)}
    for path, number, target in arrows:
        here, there = str(path.parent), str(target.parent)
        for folder in (here, there):
            if folder not in rank:
                yield f"{path}:{number}: the folder {folder} is missing from the order in {sys.argv[0]}"
                return
        if rank[there] < rank[here]:
            yield f"{path}:{number}: {here} must not include {target}"


def circles(arrows):
    """Headers that include each other, directly or not; circles between objects are circles.py's."""
    uses = collections.defaultdict(set)
    for path, _, target in arrows:
        if path.suffix == ".h":
            uses[path].add(target)
    done, trail = set(), []

    def visit(header):
        if header in trail:
            yield "circle: " + " -> ".join(map(str, trail[trail.index(header):] + [header]))
        elif header not in done:
            trail.append(header)
            for other in sorted(uses[header]):
                yield from visit(other)
            trail.pop()
            done.add(header)

    for header in sorted(uses):
        yield from visit(header)


def crowded(root):
    for folder in sorted({path.parent for path in root.rglob("*") if path.is_file()}):
        name = str(folder.relative_to(root))
        count = sum(1 for path in folder.iterdir() if path.is_file())
        if count > FILES_MAX and name not in NOT_COUNTED:
            yield f"{name}: {count} files, {FILES_MAX} at most"


def twice(root):
    names, tags = collections.defaultdict(list), collections.defaultdict(list)
    for path in sorted(root.rglob("*.[ch]")):
        here = path.relative_to(root)
        if path.suffix == ".c":
            names[path.name].append(here)
        for tag in re.findall(r"^\s*struct (\w+) \{", path.read_text(), re.M):
            tags[tag].append(here)
    for name, places in list(names.items()) + [(f"struct {tag}", at) for tag, at in tags.items()]:
        if len(places) > 1:
            yield f"{name} is there {len(places)} times: {', '.join(map(str, places))}"


def without(text, pattern):
    """text, with all that fits pattern taken out, the innermost first."""
    while (shorter := re.sub(pattern, "", text)) != text:
        text = shorter
    return text


def wide(root):
    """A field of a struct inside a struct belongs to the inner one."""
    for path in sorted(root.rglob("*.[ch]")):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for tag, body in re.findall(r"^struct (\w+) \{\n(.*?)^\}", code, re.DOTALL | re.MULTILINE):
            fields = re.split(r"[;,]", without(body, r"\{[^{}]*\}|\([^()]*\)"))
            count = sum(1 for field in fields if field.strip())
            if count > FIELDS_MAX and tag not in WIDE:
                yield f"{path.relative_to(root)}: struct {tag} has {count} fields, {FIELDS_MAX} at most"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "consumer")
    arrows = list(includes(root))
    findings = [*upward(arrows), *circles(arrows), *crowded(root), *twice(root), *wide(root)]
    print("\n".join(findings))
    print(f"{len(arrows)} includes between {len(ORDER)} folders, {len(findings)} findings")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
