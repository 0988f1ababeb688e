#!/usr/bin/env python3
"""circles: looks for circles between object files.   circles.py [BUILD_FOLDER [PART_OF_PATH]]

Two .c files are in a circle when each calls, directly or by way of others, a function (or uses a
variable) that the other defines. nm reads that from the objects of the libraries in BUILD_FOLDER
(build/sanitized); with PART_OF_PATH, only circles with a file whose path contains it are shown. Each
finding is a line "circle: A.c -> B.c (symbol) -> … -> A.c"; the last line is a summary.
"""
import collections
import pathlib
import subprocess
import sys

DEFINED = "TDBRVWC"
SOURCES = pathlib.Path(__file__).resolve().parents[2] / "consumer"


def symbols(build):
    """(source path below consumer/, defined symbols, undefined symbols) of every object."""
    found = {}
    for path in sorted(build.glob("CMakeFiles/*.dir/consumer/**/*.o")):
        source = str(path).split(".dir/consumer/")[1].removesuffix(".o")
        if (SOURCES / source).exists():  # else an object that a removed file has left
            found[str(path)] = source, set(), set()
    if not found:
        return []
    listing = subprocess.run(["nm", "--print-file-name", *found], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        path, _, rest = line.partition(".o:")
        _, defined, undefined = found[path + ".o"]
        kind, name = rest[17:18], rest[19:]
        if kind in DEFINED:
            defined.add(name)
        elif kind == "U":
            undefined.add(name)
    return found.values()


def calls(build):
    """{caller: {callee: a symbol}} between the sources."""
    objects = list(symbols(build))
    home = {name: source for source, defined, _ in objects for name in defined}
    graph = {}
    for source, _, undefined in objects:
        graph[source] = {home[name]: name for name in sorted(undefined, reverse=True)
                         if home.get(name, source) != source}
    return graph


def way(graph, start, within):
    """The shortest way from start back to itself."""
    queue, came_from = collections.deque([start]), {}
    while queue:
        here = queue.popleft()
        for there in sorted(set(graph[here]) & within):
            if there == start:
                trail = [here]
                while trail[-1] != start:
                    trail.append(came_from[trail[-1]])
                return trail[::-1] + [start]
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    return None


def components(graph):
    """Strongly connected components of more than one file (Tarjan, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in sorted(graph):
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            here, rest = work[-1]
            there = next(rest, None)
            if there is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == index[here]:
                    members = set()
                    while here not in members:
                        members.add(stack.pop())
                    on_stack -= members
                    if len(members) > 1:
                        found.append(members)
            elif there not in index:
                index[there] = low[there] = len(index)
                stack.append(there)
                on_stack.add(there)
                work.append((there, iter(sorted(graph[there]))))
            elif there in on_stack:
                low[here] = min(low[here], index[there])
    return found


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/sanitized")
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    graph = calls(build)
    if not graph:
        sys.exit(f"circles: no objects in {build}: build it first")
    shown = [c for c in components(graph) if any(part in source for source in c)]
    for members in shown:
        trail = way(graph, min(members), members)
        steps = [trail[0]] + [f"{b} ({graph[a][b]})" for a, b in zip(trail, trail[1:])]
        print(f"circle of {len(members)}: " + " -> ".join(steps) + "; in it: " + ", ".join(sorted(members)))
    print(f"{len(graph)} objects, {len(shown)} circles")
    sys.exit(bool(shown))


if __name__ == "__main__":
    main()
