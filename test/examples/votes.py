"""What examples/votes must write, computed vote by vote from the rows that it made."""
from times import instant, seconds

CUT = ("votes", 11_000)
PART = (9_600, 18_000)  # begins with a minute: 12,000 votes are ten minutes
OUTPUTS = {"ranking": "stdout", "strictness": "strictness.jsonl"}
LATENESS = 1.0


def check_rows(rows):
    assert len(rows) == 30_000
    assert all(seconds(row["at"]) == n * 50 / 1000 for n, row in enumerate(rows))


def expected_of(rows, cut):
    most = 5
    ranking, strictness, phones, minutes = [], [], {}, {}
    closed = int(seconds(rows[0]["at"]) // 60)

    def close(number, limit):
        nonlocal most
        counts, too_many = minutes.pop(number)
        best = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        ranking.extend({"rank": rank + 1, "choice": choice, "votes": votes, "window_end": instant(number * 60 + 60)}
                       for rank, (choice, votes) in enumerate(best))
        value = 2 if too_many > limit else 5
        strictness.append({"most": value})
        return value

    for n, row in enumerate(rows):
        at = seconds(row["at"])
        while (closed + 1) * 60 <= at - LATENESS:  # the watermark is there before the vote is looked at
            most = close(closed, 100 if n < cut else 50)
            closed += 1
        times = phones.setdefault(row["phone"], [])
        times[:] = [old for old in times if old > at - 600] + [at]
        counts, too_many = minutes.setdefault(int(at // 60), ({}, 0))
        if len(times) <= most:
            counts[row["choice"]] = counts.get(row["choice"], 0) + 1
        minutes[int(at // 60)] = (counts, too_many + (len(times) > 5))
    for number in sorted(minutes):
        close(number, 50)
    return {"ranking": ranking, "strictness": strictness}
