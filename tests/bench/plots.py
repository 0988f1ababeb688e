"""Plots of scale.py, by matplotlib: two curves over one axis, as SVG."""
import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "elementor-sync", "font.size": 9})
from matplotlib import pyplot


def draw(path, rows, labels):
    """rows: (x, y left, y right); labels: of these three. The x axis is logarithmic where it spans more than a decade."""
    x, left, right = zip(*rows)
    figure, axes = pyplot.subplots(figsize=(6, 3), layout="constrained")
    other = axes.twinx()
    if x[-1] > 10 * x[0]:
        axes.set_xscale("log")
    for side, values, label, form, colour in ((axes, left, labels[1], "o-", "tab:blue"), (other, right, labels[2], "s--", "tab:orange")):
        side.plot(x, values, form, color=colour)
        side.set_ylabel(label, color=colour)
        side.set_ylim(0, max(values) * 1.15)
    axes.set_xticks(x, [f"{n:,}" for n in x])
    axes.minorticks_off()
    axes.set_xlabel(labels[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
