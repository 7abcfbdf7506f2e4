"""The measure of the Numenta Anomaly Benchmark, its standard profile.

Each labelled window in which a score reaches the threshold counts from 0 to 1, more the earlier the first such score comes in it;
one without counts -1. Each score that reaches the threshold outside of all windows counts up to -0.11, less shortly behind one. The
first 15 % of a series, 750 points at most, are not judged. 0 is what a detector gets that is silent, 100 a perfect one.
"""
import math


def falling(y):
    return 2 / (1 + math.exp(5 * y)) - 1 if y <= 3 else -1.0


def judged(series, scores):
    """series: {name: [(begin, end), …]}, indices of the labelled windows, both included; scores: {name: [score, …]}.
    Gives (score, window or None, what it counts) of each judged point, and how many windows there are."""
    points = []
    for name, windows in series.items():
        of = scores[name]
        for at in range(min(int(0.15 * len(of)), 750), len(of)):
            within = next((window for window in windows if window[0] <= at <= window[1]), None)
            before = [window for window in windows if window[1] < at]
            if within:
                begin, end = within
                points.append((of[at], (name, begin), falling(-(end - at + 1) / (end - begin + 1)) / falling(-1.0)))
            elif before:
                begin, end = before[-1]
                points.append((of[at], None, 0.11 * falling((at - end) / (end - begin))))
            else:
                points.append((of[at], None, -0.11))
    return points, sum(map(len, series.values()))


def count(points, windows, threshold):
    found, total = {}, -float(windows)
    for score, window, worth in points:
        if score >= threshold:
            if window is None:
                total += worth
            else:
                found[window] = max(found.get(window, worth), worth)
    return total + sum(1 + worth for worth in found.values())


def best(points, windows):
    """The threshold that counts most, and how much."""
    found, total, top, i = {}, -float(windows), (-float(windows), math.inf), 0
    points = sorted(points, key=lambda point: -point[0])
    while i < len(points):
        threshold = points[i][0]
        while i < len(points) and points[i][0] == threshold:
            _, window, worth = points[i]
            if window is None:
                total += worth
            elif window not in found:
                total += 1 + worth
                found[window] = worth
            elif worth > found[window]:
                total += worth - found[window]
                found[window] = worth
            i += 1
        top = max(top, (total, threshold))
    return top


def measure(series, scores):
    """By the best threshold of all series, as the benchmark does; and with the threshold of each half of the series taken from the
    other half, which says more about a series that was not seen."""
    points, windows = judged(series, scores)
    names = sorted(series)
    crossed = 0
    for known in (names[::2], names[1::2]):
        threshold = best(*judged({name: series[name] for name in known}, scores))[1]
        crossed += count(*judged({name: series[name] for name in names if name not in known}, scores), threshold)
    return tuple(100 * (total + windows) / (2 * windows) for total in (best(points, windows)[0], crossed))
