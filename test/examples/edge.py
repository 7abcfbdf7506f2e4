"""What examples/edge must write, computed event by event from the rows that it made."""
import math

from times import instant, seconds

CUT = ("readings", 6_200)
PART = (5_500, 7_300)  # of the rows, with the cut in it
OUTPUTS = {"alarms": "stdout", "minutes": "minutes.jsonl"}
ALPHA = 0.05


def check_rows(rows):
    assert len(rows) == 20_000
    assert all(row["sensor"] == n % 6 + 1 and round(seconds(row["at"]) * 10) == n for n, row in enumerate(rows))


class Sensor:
    """The level and deviation that forget, and whether an alarm is on."""

    def __init__(self):
        self.level = None
        self.variance = 0.0
        self.mean = None
        self.active = False
        self.seen = False

    def far(self, x):
        if self.mean is not None:
            self.variance = (1.0 - ALPHA) * (self.variance + ALPHA * (x - self.mean) * (x - self.mean))
            self.mean = self.mean + ALPHA * (x - self.mean)
        else:
            self.mean = x
        self.level = ALPHA * x + (1.0 - ALPHA) * self.level if self.level is not None else x
        spread = math.sqrt(self.variance)
        return abs(x - self.level) / spread if spread > 0 else 0.0

    def begins(self, far, on):
        before, seen = self.active, self.seen
        self.active = far > 1.0 if self.active else far >= on
        self.seen = True
        return self.active and (not seen or not before)


def alarms(rows, cut):
    sensors, out = {}, []
    for n, row in enumerate(rows):
        sensor = sensors.setdefault(row["sensor"], Sensor())
        far = sensor.far(row["value"])
        if sensor.begins(far, 2.5 if n < cut else 3.0):
            out.append({"sensor": row["sensor"], "value": row["value"], "far": round(far, 2), "at": row["at"]})
    return out


def minutes(rows, cut):
    """`span` begins at the cut: of the minute that is open there it tells a part, and 0 where no value came any more."""
    windows = {}
    for n, row in enumerate(rows):
        windows.setdefault((int(seconds(row["at"]) // 60), row["sensor"]), []).append((n, row["value"]))
    watermark = seconds(rows[cut - 1]["at"])
    out = []
    for (number, sensor), values in sorted(windows.items()):
        squares = 0.0
        for _, value in values:
            squares += value * value
        result = {"sensor": sensor, "n": len(values), "rms": math.sqrt(squares / len(values))}
        if (number + 1) * 60 > watermark:
            since = [value for n, value in values if n >= cut]
            result["span"] = max(since) - min(since) if since else 0.0
        out.append(result | {"window_start": instant(number * 60), "window_end": instant(number * 60 + 60)})
    return out


def expected_of(rows, cut):
    return {"alarms": alarms(rows, cut), "minutes": minutes(rows, cut)}
