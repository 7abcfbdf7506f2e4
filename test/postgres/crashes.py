"""A server that stands still, is killed and comes back while rows flow and scripts are edited; a program that is killed."""
import os
import random
import subprocess
import threading
import time

from world import Run, Skipped, case, connector, must, rows, server, sql, told, until, until_rows

RATE, COUNT = 2000, 20_000


def script(sink, version):
    return f"""source r: {{ id: int }} = generate(count: {COUNT}, seed: 1, rate: {RATE}.0) {{ id = n }}
stream s = r | with v = {version}
emit s to {sink} as out"""


def outages(folder, key):
    """Standing still for 3 s, a kill and a stop, with an edit each 200 ms."""
    table = "outages" + str(len(key))
    sql(f"CREATE TABLE {table} (id int {'PRIMARY KEY' if key else ''}, v int, place bigserial)")
    sink = connector(f'table: "{table}"' + key)
    step = RATE // 5
    edits = [(script(sink, version), version * step) for version in range(1, COUNT // step)]
    run = Run(folder, script(sink, 0), edits=edits)
    until(lambda: int(sql(f"SELECT count(*) FROM {table}")) > 500, "no rows came")
    server.pause()
    time.sleep(3)
    server.go_on()
    time.sleep(1)
    server.kill()
    time.sleep(0.5)
    server.start()
    time.sleep(1.5)
    server.stop()
    time.sleep(0.3)
    server.start()
    said = run.end()
    must(sql(f"SELECT count(DISTINCT id) FROM {table}") == str(COUNT), lambda: f"{sql(f'SELECT count(DISTINCT id) FROM {table}')} of {COUNT} rows: {said}")
    wrong = sql(f"SELECT count(*) FROM {table} WHERE v <> id / {step}")
    must(wrong == "0", f"{wrong} rows of another version than the cuts say")
    if key:
        return
    twice = int(sql(f"SELECT count(*) - count(DISTINCT id) FROM {table}"))
    told(f"    {twice} of {COUNT} rows twice")
    disorder = sql(f"SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY place) AS before FROM (SELECT id, min(place) AS place FROM {table} GROUP BY id) f) o WHERE id < before")
    must(disorder == "0", f"{disorder} rows are out of order")


def given_up(folder):
    """Without a server for longer than `give_up`: the run ends and says what did not arrive."""
    sql("CREATE TABLE away (id int)")
    run = Run(folder, "source r: { id: int } = generate(seed: 1, rate: 1000.0) { id = n }\nemit r to " + connector('table: "away", give_up: 2s'))
    until(lambda: int(sql("SELECT count(*) FROM away")) > 100, "no rows came")
    server.kill()
    try:
        said = run.end(3)
    finally:
        server.start()
    must("are not known to have arrived" in said, said)


def locked(folder):
    """A table that others have locked for longer than is waited for one delivery."""
    sql("CREATE TABLE busy (id int)")
    holder = threading.Thread(target=lambda: sql("BEGIN; LOCK busy IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(11); COMMIT"))
    run = Run(folder, "source r: { id: int } = generate(count: 8000, seed: 1, rate: 1000.0) { id = n }\nemit r to " + connector('table: "busy"'))
    until(lambda: int(sql("SELECT count(*) FROM busy")) > 100, "no rows came")
    holder.start()
    run.until_said("lock timeout")
    said = run.end()
    holder.join()
    must(sql("SELECT count(*), count(DISTINCT id) FROM busy") == "8000|8000", said)


def kills(folder, key, count, times):
    """mutc is killed at random moments, or stopped, and once the server is killed, with checkpoints: afterwards each row is there once, in order, and knows of all before it."""
    table = "kills" + str(len(key))
    sql(f"CREATE TABLE {table} (id int, v int, place bigserial)" + (f"; CREATE UNIQUE INDEX ON {table} (id)" if key else ""))
    text = f"""source r: {{ id: int }} = generate(count: {count}, seed: 1, rate: {count / 12}) {{ id = n }}
stream s = r | with v = count() over all
emit s to {connector(f'table: "{table}"' + key)} as out"""
    seed = int(os.environ.get("MUT_SEED", "1"))
    draw = random.Random(seed)
    args = ("--state", "state", "--checkpoint-every", "20ms")
    at = []
    for turn in range(times):
        run = Run(folder, text, *args)
        try:
            code = run.process.wait(draw.uniform(0.1, 0.6))
            must(False, lambda: f"seed {seed}: it ended with {code} after {turn} kills: {run.said()}")
        except subprocess.TimeoutExpired:
            if turn % 4 == 3:
                run.stop()  # in order
            else:
                run.kill()
        at.append(int(sql(f"SELECT count(*) FROM {table}")))
        if turn == times // 2:
            server.kill()
            server.start()
    said = Run(folder, text, *args).end()
    must(len(set(at)) > times // 3, f"seed {seed}: rows came behind few of the kills: {at}")
    got = sql(f"SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE v <> id + 1) FROM {table}")
    must(got == f"{count}|{count}|0", lambda: f"seed {seed}: rows | different | with a wrong count: {got} of {count}: {said}")
    disorder = sql(f"SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY place) AS before FROM {table}) o WHERE id < before")
    must(disorder == "0", f"seed {seed}: {disorder} rows are out of order")
    told(f"    {times} kills and stops, the last behind {at[-1]} of {count} rows")


def edited(folder):
    """Edits that change the columns, more often than there are checkpoints, whose state takes its time: each row is there once."""
    sql("CREATE TABLE edited_rows (id int, n int, w int)")
    count, step = 2_000_000, 100_000
    sink = connector('table: "edited_rows"')

    def version(number):
        head = f"source r: {{ id: int }} = generate(count: {count}, seed: 1, rate: 400000.0) {{ id = n }}\nstream s = r | with n = count() over all by id\n"
        return head + (f"stream t = s | with w = id\nemit t to {sink} as out" if number % 2 else f"emit s to {sink} as out")

    run = Run(folder, version(0), "--state", "state", "--checkpoint-every", "50ms", edits=[(version(n), n * step) for n in range(1, count // step)])
    said = run.end()
    got = sql("SELECT count(*), count(DISTINCT id), count(w), count(*) FILTER (WHERE (w IS NULL) <> (id / 100000 % 2 = 0)) FROM edited_rows")
    must(got == f"{count}|{count}|{count // 2}|0", lambda: f"rows | different | with `w` | of another version: {got} of {count}: {said}")


def full_state(folder):
    """The disk of the checkpoints is full at the end: what waited for the last one has not gone out, which the run says, and the next brings it, once."""
    sql("CREATE TABLE full_state (id int)")
    state = folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "none", state], capture_output=True).returncode != 0:
        raise Skipped("this user may not mount a small disk")
    try:
        (folder / "in.jsonl").write_text("".join(f'{{"id":{n}}}\n' for n in range(20_000)))
        sink = connector('table: "full_state"')
        text = f'source r: {{ id: int }} = file("in.jsonl")\nemit r to {sink} as out'
        said = Run(folder, text, "--state", "state", "--checkpoint-every", "5ms").end(3)
        must("the last checkpoint could not be taken" in said and "the next run makes them again" in said, said)
        before = int(sql("SELECT count(*) FROM full_state"))
        must(before < 20_000, "the disk was not full")
        subprocess.run(["mount", "-o", "remount,size=40m", state], check=True)
        said = Run(folder, text, "--state", "state").end()
        must(sql("SELECT count(*), count(DISTINCT id) FROM full_state") == "20000|20000", lambda: f"rows | different: {said}")
    finally:
        subprocess.run(["umount", "-l", state], check=True)


def other_writers(folder):
    """Edits of an option of the sink, each of which makes another writer while the one before still holds rows: each row is there once."""
    sql("CREATE TABLE other_writers (id int)")
    count = 400_000

    def version(more):
        sink = connector(f'table: "other_writers"{more}')
        return f"source r: {{ id: int }} = generate(count: {count}, seed: 1) {{ id = n }}\nemit r to {sink} as out"

    changed = [(version(", give_up: 20m"), 100_000), (version(""), 200_000), (version(", give_up: 20m"), 300_000)]
    said = Run(folder, version(""), "--state", "state", "--checkpoint-every", "2ms", edits=changed).end()
    got = sql("SELECT count(*), count(DISTINCT id) FROM other_writers")
    must(got == f"{count}|{count}", lambda: f"rows | different: {got} of {count}: {said}")


def kills_of_source(folder, times):
    """mutc is killed while rows are added to what it asks for, with checkpoints: each row is in the file once, in order."""
    sql("CREATE TABLE growing (id int PRIMARY KEY)")
    text = f"""source r: {{ id: int }} = {connector('query: "select * from growing", cursor: "id", every: 20ms')}
stream s = r | with v = count() over all
emit s to file("out.jsonl")"""
    args = ("--state", "state", "--checkpoint-every", "20ms")
    total, over = 0, threading.Event()

    def add():
        nonlocal total
        while not over.is_set():
            sql(f"INSERT INTO growing SELECT generate_series({total + 1}, {total + 500})")
            total += 500

    adding = threading.Thread(target=add)
    adding.start()
    draw = random.Random(int(os.environ.get("MUT_SEED", "1")))
    try:
        for _ in range(times):
            run = Run(folder, text, *args)
            time.sleep(draw.uniform(0.1, 0.6))
            must(run.process.poll() is None, run.said)
            run.kill()
    finally:
        over.set()
        adding.join()
    run = Run(folder, text, *args)
    until_rows(run, folder / "out.jsonl", total)
    run.stop()
    got = [(row["id"], row["v"]) for row in rows(folder / "out.jsonl")]
    must(got == [(i, i) for i in range(1, total + 1)], f"{len(got)} rows of {total}, or not each once and in order")
    told(f"    {times} kills, {total} rows")


def judge():
    case("crash outages", outages, "")
    case("crash outages with a key", outages, ', key: "id"')
    case("crash given up", given_up)
    case("crash locked", locked)
    case("crash of mutc", kills, "", 400_000, 27)  # of which every fourth is a stop in order
    case("crash of mutc with a key", kills, ', key: "id"', 200_000, 27)
    case("crash edits with checkpoints", edited)
    case("crash other writers", other_writers)
    case("crash, no room for the last checkpoint", full_state)
    case("crash of mutc, a query", kills_of_source, 20)
