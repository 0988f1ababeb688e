"""How figures are shown: a median, and between which it lies."""
import statistics


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def spread(values, form="{:.2f}"):
    """"12.3 (11.9 to 14.0)": the median, the least and the most; one value alone is shown alone."""
    median = form.format(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({form.format(min(values))} to {form.format(max(values))})"


def ratios(over, under, form="{:.2f}"):
    """The spread of over / under, pair by pair."""
    return spread([o / u for o, u in zip(over, under)], form)
