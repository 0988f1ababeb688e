#!/usr/bin/env python3
"""Records one frame of the demo's live display as an SVG.

usage: demo_picture.py PROGRAM > consumer/demo/demo.svg

Runs `PROGRAM demo` on a terminal of 100 × 34 until, after some seconds, a frame shows a delivery, a
retry and a parked order at once.
"""
import fcntl, html, os, pty, re, select, signal, struct, sys, termios, time

COLUMNS, ROWS, CELL_W, CELL_H, MARGIN = 100, 34, 8.4, 18, 16
COLOURS = {"32": "#7ee787", "33": "#e3b341", "31": "#ff7b72", "36": "#79c0ff", "2": "#8b949e"}
TEXT, GROUND = "#e6edf3", "#0d1117"
HOME = "\x1b[H"
SEQUENCE = re.compile(r"\x1b\[(\d*)([mKJ])")


def frames(program):
    """The frames as text, as they come, for two minutes."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.pop("NO_COLOR", None)
        os.environ["TERM"] = "xterm-256color"
        time.sleep(0.2)  # until the size is set
        os.execv(program, [program, "demo", "--seed", "3"])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    text, deadline = b"", time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            if select.select([fd], [], [], 1)[0]:
                text += os.read(fd, 65536)
            *whole, rest = text.split(HOME.encode())
            for frame in whole[-1:]:
                text = HOME.encode() + rest
                yield frame.decode(errors="replace")
    finally:
        os.kill(pid, signal.SIGINT)
        try:
            while os.read(fd, 65536):
                pass
        except OSError:
            pass
        os.waitpid(pid, 0)


def is_telling(frame):
    """Late enough for the chart to have something to show."""
    clock = re.search(r"(\d\d):(\d\d) ·", frame)
    late = clock and int(clock[1]) * 60 + int(clock[2]) >= 15
    return late and all(mark in frame for mark in "✓↻✕")


def runs(line):
    """(column, text, style code) of one line."""
    column, at, style = 0, 0, ""
    for match in [*SEQUENCE.finditer(line), None]:
        text = line[at:match.start() if match else len(line)]
        if text:
            yield column, text, style
        column += len(text)
        if match is None:
            return
        at = match.end()
        if match[2] == "m":
            style = "" if match[1] in ("", "0") else match[1]


def svg(frame):
    width, height = COLUMNS * CELL_W + 2 * MARGIN, ROWS * CELL_H + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
           f'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" '
           f'font-size="14" fill="{TEXT}">')
    yield "<title>elementor-sync demo, its live display</title>"
    yield f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>'
    frame = re.sub(r"#token=[\w.-]+", "#token=…", frame)  # nothing that looks like a secret
    for row, line in enumerate(frame.split("\r\n")[:ROWS]):
        for column, text, style in runs(line):
            if not text.strip():
                continue
            look = ' font-weight="bold"' if style == "1" else ""
            look += f' fill="{COLOURS[style]}"' if style in COLOURS else ""
            start = column + len(text) - len(text.lstrip())
            text = text.strip()
            yield (f'<text x="{MARGIN + start * CELL_W:.1f}" y="{MARGIN + row * CELL_H + 13}" '
                   f'textLength="{len(text) * CELL_W:.1f}" lengthAdjust="spacingAndGlyphs"'
                   f'{look} xml:space="preserve">{html.escape(text, quote=False)}</text>')
    yield "</svg>"


def main():
    program = os.path.abspath(sys.argv[1])
    for frame in frames(program):
        if is_telling(frame):
            print("\n".join(svg(frame)))
            return 0
    print("no frame showed a delivery, a retry and a parked order", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
