"""Scripts from files to files that keep every kind of state, and their input."""
import gzip
import json
import random

HEAD = """type Payment = { user: string, region: string, amount: int, id: int, at: time }
source payments: Payment = file("payments.jsonl") time at, lateness 5s
"""
SIDE = """source logins: { user: string, device: string?, at: time } = file("logins.csv") time at, lateness 5s
"""

SCRIPTS = {
    "groups": HEAD + """param floor: int = 3
stream big = payments | where amount > floor
stream totals = big | aggregate n = count(), total = sum(amount), most = max(amount), kinds = distinct(region), names = string_agg(region, "+", 5),
    mid = median(amount), about = approx_distinct(id) by user ttl 1h
stream ticks = big | aggregate n = count(), last = last(region) by region trigger every 10s
emit totals to file("totals.jsonl", append: true)
emit ticks to file("ticks.csv")
""",
    "windows": HEAD + """stream tumbling = payments | aggregate n = count(), total = sum(amount), who = distinct(user) by region window tumbling 10s
stream sliding = payments | aggregate n = count(), best = max(amount) by user window sliding 30s every 5s
stream kept = payments | aggregate mid = median(amount), all = collect(id, 5) by region window sliding 20s every 10s late update 20s
stream sessions = payments | aggregate n = count(), first = first(id), kinds = distinct(region) by user window session 4s
stream counted = payments | aggregate n = count(), total = sum(amount) by user window count 7
stream every = payments | aggregate total = sum(amount), low = min(amount) by user window count 12 every 4 ttl 1h
stream apart = payments | aggregate who = distinct(region) by user window count 6 every 2 ttl none
stream whole = payments | aggregate n = count(), total = sum(amount) by region window all
emit tumbling to file("tumbling.jsonl")
emit sliding to file("sliding.jsonl")
emit kept to file("kept.jsonl")
emit sessions to file("sessions.jsonl")
emit counted to file("counted.jsonl")
emit every to file("every.jsonl")
emit apart to file("apart.jsonl")
emit whole to file("whole.jsonl.gz")
""",
    "rows": HEAD + SIDE + """stream recent = payments | with near = sum(amount) over last 20s by user, few = avg(amount) over last 5 events by user, change = delta(amount) by user
    | select user, id, near, few, change
stream first = payments | dedupe by user, region within 10s | select user, region, id
stream pairs = payments | left join logins within 3s on user == logins.user | select id, device = logins?.device
stream before = payments | asof join logins within 10s on user == logins.user | select id, device = logins.device
stream later = payments | where amount > 90 | delay 5s | select id, when = event_time()
stream quiet = payments | debounce 3s by user | select user, id
stream best = payments | top 2 by amount by region window tumbling 10s | select region, id, amount
stream long = payments | sort by amount desc window session 2s | select id
emit recent to file("recent.jsonl")
emit first to file("first.jsonl")
emit pairs to file("pairs.jsonl")
emit before to file("before.jsonl")
emit later to file("later.jsonl")
emit quiet to file("quiet.jsonl")
emit best to file("best.jsonl")
emit long to file("long.jsonl")
""",
    "tables": HEAD + SIDE + """table lives key user ttl 1h = logins
stream known = payments | lookup lives on user == lives.user | select id, device = lives?.device
table now key user ttl none = payments
stream regions = now | aggregate users = count(), total = sum(amount), mid = median(amount) by region
stream found = payments | match by user within 30s pattern low up{2,} define low = amount < 50, up = amount > (last(up.amount) ?? low.amount)
    select user, low = low.id, steps = count(up)
stream told = payments | @p process by user ttl 1h {
    state n: int = 0
    on event { n = n + 1
      timer wake at event_time() + 4s
      emit { user: user, n: n } }
    on timer wake { n = n + 1000
      emit { user: user, n: n } }
  }
emit known to file("known.jsonl")
emit regions to file("regions.jsonl")
emit found to file("found.jsonl")
emit told to file("told.jsonl")
""",
}


def at(milliseconds):
    seconds = milliseconds // 1000
    return f"2026-01-{1 + seconds // 86400:02d}T{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds % 1000:03d}Z"


def write_input(work, rows, users=60, seed=5):
    """Times go forward in steps of 50 ms, now and then back by seconds; a record in 500 cannot be decoded."""
    chance = random.Random(seed)
    with open(work / "payments.jsonl", "w", encoding="utf-8") as out:
        for n in range(rows):
            late = chance.choice([2000, 4000, 30000]) if chance.random() < 0.02 else 0
            if chance.random() < 0.002:
                out.write('{"user": 3}\n')
                continue
            row = {"user": f"user number {chance.randrange(users)}", "region": chance.choice(["eu", "us", "asia"]),
                   "amount": chance.randrange(1, 100), "id": n, "at": at(max(0, n * 50 - late))}
            out.write(json.dumps(row) + "\n")
    with open(work / "logins.csv", "w", encoding="utf-8") as out:
        out.write("user,device,at\n")
        for n in range(rows // 5):
            device = chance.choice(["phone", "desk top", ""])
            out.write(f"user number {chance.randrange(users)},{device},{at(n * 250)}\n")


def pack_input(work):
    """The same from packed files."""
    for name in ("payments.jsonl", "logins.csv"):
        (work / f"{name}.gz").write_bytes(gzip.compress((work / name).read_bytes(), 1))


def outputs(work):
    """Text of every output, by name; of what is packed the text in it."""
    out = {}
    for path in sorted(work.iterdir()):
        if path.name in ("payments.jsonl", "logins.csv", "payments.jsonl.gz", "logins.csv.gz", "stats.json"):
            continue
        if path.suffix in (".jsonl", ".csv"):
            out[path.name] = path.read_text()
        elif path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as text:
                out[path.name] = text.read()
    return out


def differs(expected, got, sort):
    """Where outputs differ; of several shards rows come in the order of one for each key only."""
    if expected.keys() != got.keys():
        return f"outputs {sorted(got)} in place of {sorted(expected)}"
    for name, text in expected.items():
        a, b = text.splitlines(), got[name].splitlines()
        if sort:
            a, b = sorted(a), sorted(b)
        if a == b:
            continue
        line = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return f"{name}: {len(a)} lines expected, {len(b)} came; line {line}: {a[line:line + 1]}, got {b[line:line + 1]}"
    return None
