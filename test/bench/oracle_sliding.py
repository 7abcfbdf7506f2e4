"""The last values of a column (w7), their sums and maxima at each value and at each hundredth."""
from collections import deque

from oracle_draws import draw, state_of

WIDTHS = {"1e3": 1_000, "1e5": 100_000, "1e6": 1_000_000}
SLIDE = 100
UNIT = 4096  # sums are divided by it, for their sum to fit


def sliding_checks(value_count):
    values = [draw(state_of(i), 1) >> 40 for i in range(value_count)]  # 24 of 64 bits
    checks = {}
    for name, width in WIDTHS.items():
        window, best = 0, deque()  # best: places of values that are greater than all behind them
        sums = maxima = sums_by = maxima_by = 0
        for i, value in enumerate(values):
            window += value
            if i >= width:
                window -= values[i - width]
                if best[0] == i - width:
                    best.popleft()
            while best and values[best[-1]] <= value:
                best.pop()
            best.append(i)
            sums += window // UNIT
            maxima += values[best[0]]
            if (i + 1) % SLIDE == 0:
                sums_by += window // UNIT
                maxima_by += values[best[0]]
        checks[f"w7max{name}"] = f"rows={value_count};sum={maxima}"
        checks[f"w7sum{name}"] = f"rows={value_count};sum={sums}"
        checks[f"w7max{name}by{SLIDE}"] = f"rows={value_count // SLIDE};sum={maxima_by}"
        checks[f"w7sum{name}by{SLIDE}"] = f"rows={value_count // SLIDE};sum={sums_by}"
    return checks
