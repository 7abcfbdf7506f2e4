"""Rows of queries, and what is said to channels."""
import subprocess
import time

from world import MUTC, Run, case, connector, finish, must, rows, server, sql, told, until, until_rows


def query(rest):
    """`rest`: behind the quote that begins the query; it ends in one."""
    return connector('query: "' + rest)


def types(folder):
    sql("CREATE TABLE given (id bigint, small int2, ratio float8, price numeric(12,2), ok boolean, name text, note text, at timestamptz, plain timestamp, day date,"
        " nested jsonb, free json, tags text[])")
    sql("""INSERT INTO given VALUES (9007199254740993, -3, 0.1, 12.30, true, E'two\\nlines "x" \\\\', NULL, '2026-11-20 11:00:00.123456+01', '2026-11-20 10:00', '2026-11-21',
           '{"a": 1}', E'{\\n  "b": [1,\\n 2]}', '{x,y}'), (2, 0, 'NaN', -0.01, false, '', 'n', '1970-01-01 00:00Z', '2026-01-01', '2026-01-01', '{"a": 2}', '3', '{}')""")
    finish(folder, f"""type Given = {{ id: int, small: i32, ratio: float, price: decimal(2), ok: bool, name: string, note: string?, at: time, plain: time, day: time, nested: {{ a: int }},
        free: json, tags: [string] }}
source g: Given = {query('select * from given;"')}
emit g to file("out.jsonl")
emit g.errors to file("bad.jsonl")""")
    must(not rows(folder / "bad.jsonl"), f"{rows(folder / 'bad.jsonl')}")
    want = [{"id": 9007199254740993, "small": -3, "ratio": 0.1, "price": 12.30, "ok": True, "name": 'two\nlines "x" \\', "note": None, "at": "2026-11-20T10:00:00.123456Z",
             "plain": "2026-11-20T10:00:00Z", "day": "2026-11-21T00:00:00Z", "nested": {"a": 1}, "free": {"b": [1, 2]}, "tags": ["x", "y"]},
            {"id": 2, "small": 0, "ratio": "NaN", "price": -0.01, "ok": False, "name": "", "note": "n", "at": "1970-01-01T00:00:00Z", "plain": "2026-01-01T00:00:00Z",
             "day": "2026-01-01T00:00:00Z", "nested": {"a": 2}, "free": 3, "tags": []}]
    got = rows(folder / "out.jsonl")
    must(got == want, f"{got}")


def undecodable(folder):
    """A row that does not fit is an error, and the next one comes."""
    finish(folder, f"""source g: {{ id: int }} = {query("select case when i = 2 then 'x' else i::text end::text as name, case when i = 2 then null else i end as id from generate_series(1, 3) i" + '"')}
emit g to file("out.jsonl")
emit g.errors to file("bad.jsonl")""")
    must([row["id"] for row in rows(folder / "out.jsonl")] == [1, 3], f"{rows(folder / 'out.jsonl')}")
    must(len(rows(folder / "bad.jsonl")) == 1, f"{rows(folder / 'bad.jsonl')}")


def large(folder):
    """More than is held at once, in the order of the cursor."""
    begin = time.monotonic()
    finish(folder, f"""source g: {{ id: int, text: string }} = {query("select i as id, repeat('x', 100) as text from generate_series(100000, 1, -1) i" + '", cursor: "id"')}
stream s = g | select id
emit s to file("out.jsonl")""")
    told(f"    {100_000 / (time.monotonic() - begin):,.0f} rows/s of a query, with the start of mutc")
    must([row["id"] for row in rows(folder / "out.jsonl")] == list(range(1, 100_001)), "rows are missing, or in another order")


def follows(folder, name, disturb):
    """Rows that are added come once, in order."""
    sql(f"CREATE TABLE {name} (id serial PRIMARY KEY, v int)")
    run = Run(folder, f"""source g: {{ id: int, v: int }} = {query(f'select * from {name}", cursor: "id", every: 50ms')}
emit g to file("out.jsonl")""")
    total = 0
    for turn in range(6):
        sql(f"INSERT INTO {name} (v) SELECT i FROM generate_series({total + 1}, {total + 100}) i")
        total += 100
        if turn == 3:
            disturb()
        until_rows(run, folder / "out.jsonl", total)
    time.sleep(0.3)
    run.stop()
    got = [row["v"] for row in rows(folder / "out.jsonl")]
    must(got == list(range(1, total + 1)), f"{len(got)} rows of {total}, or in another order")


def restart():
    server.kill()
    server.start()


def terminate():
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mutstream'")


def every_row(folder):
    sql("CREATE TABLE small_table (id int); INSERT INTO small_table VALUES (1), (2)")
    run = Run(folder, f"""source g: {{ id: int }} = {query('select * from small_table", every: 50ms')}\nemit g to file("out.jsonl")""")
    until_rows(run, folder / "out.jsonl", 6)
    run.stop()
    got = [row["id"] for row in rows(folder / "out.jsonl")]
    must(got[:6] == [1, 2, 1, 2, 1, 2], f"{got}")


def twice(folder):
    """A cursor with one value in two rows would lose one of them some day."""
    said = finish(folder, "source g: { id: int } = " + connector('query: "select 1 as id from generate_series(1, 3)", cursor: "id"') + '\nemit g to file("out.jsonl")', 3)
    must("two rows" in said, said)


def channel(folder):
    run = Run(folder, "source g: { id: int } = " + connector('listen: "news"') + '\nemit g to file("out.jsonl")\nemit g.errors to file("bad.jsonl")')
    heard = lambda: "LISTEN" in sql("SELECT query FROM pg_stat_activity WHERE application_name = 'mutstream'")  # noqa: E731
    until(heard, "it does not listen")
    sql("".join(f"NOTIFY news, '{{\"id\":{i}}}';" for i in range(500)) + "NOTIFY other, '{\"id\":-1}'; NOTIFY news, 'x'; NOTIFY news")
    until_rows(run, folder / "out.jsonl", 500)
    must([row["id"] for row in rows(folder / "out.jsonl")] == list(range(500)), f"{rows(folder / 'out.jsonl')}")
    until(lambda: len(rows(folder / "bad.jsonl")) == 2, lambda: f"{rows(folder / 'bad.jsonl')}")
    terminate()
    run.until_said("what is sent meanwhile is lost")
    until(heard, "it does not listen again")
    sql("NOTIFY news, '{\"id\":500}'")
    until_rows(run, folder / "out.jsonl", 501)
    run.stop()


def held_up(folder):
    """A query whose rows nobody takes is not read ahead of: a sink that stands still."""
    sql("CREATE TABLE heap AS SELECT i AS id, repeat('y', 1000) AS text FROM generate_series(1, 100000) i")
    run = Run(folder, "source g: { id: int, text: string } = " + connector('query: "select * from heap", cursor: "id"') + '\nemit g to stdout()', stdout=-1)
    time.sleep(1.5)
    peak = run.peak_mb()
    must(peak < 300, f"{peak} MB")
    run.process.stdout.read(1000)
    run.kill()


def silent_end(folder):
    """Ctrl-C while a query takes its time."""
    run = Run(folder, "source g: { id: int } = " + connector('query: "select 1 as id, pg_sleep(30)"') + '\nemit g to file("out.jsonl")')
    until(lambda: "pg_sleep" in sql("SELECT query FROM pg_stat_activity WHERE application_name = 'mutstream' AND state = 'active'"), "it does not ask")
    begin = time.monotonic()
    run.stop()
    must(time.monotonic() - begin < 3, "the end was waited for")


def edits(folder):
    """Another query is another input, but with a cursor: its rows would come again. Another field of the record, and the rest of the script, change."""
    def script(rest, record="id: int", more=""):
        return f"source r: {{ {record} }} = {connector(rest)}\nstream s = r{more}\nemit s to file(\"out.jsonl\") as out"

    def plan(old, new):
        (folder / "old.mut").write_text(old)
        (folder / "new.mut").write_text(new)
        done = subprocess.run([MUTC, "plan", "old.mut", "new.mut"], cwd=folder, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    cursor = 'query: "select i as id, -i as v from generate_series(1, 3) i", cursor: "id", every: 10s'
    code, said = plan(script(cursor), script(cursor.replace("10s", "20s")))
    must(code == 20 and "MUT5005" in said and "come again" in said, f"{code}: {said}")
    code, said = plan(script('query: "select 1 as id", every: 10s'), script('query: "select 1 as id", every: 20s'))
    must(code == 0 and "reads something else" in said, f"{code}: {said}")
    code, said = plan(script('listen: "a"'), script('listen: "a"').replace('"mut"', '"other"'))
    must(code == 0 and "reads something else" in said, f"{code}: {said}")
    sql("CREATE TABLE edited (id int PRIMARY KEY, v int); INSERT INTO edited VALUES (1, 10), (2, 20)")
    follow = 'query: "select * from edited", cursor: "id", every: 30ms'
    run = Run(folder, script(follow), edits=[(script(follow, "id: int, v: int", " | with w = v + 1"), 2)])
    until_rows(run, folder / "out.jsonl", 2)
    sql("INSERT INTO edited VALUES (3, 30), (4, 40)")
    until_rows(run, folder / "out.jsonl", 4)
    run.stop()
    want = [{"id": 1}, {"id": 2}, {"id": 3, "v": 30, "w": 31}, {"id": 4, "v": 40, "w": 41}]
    must(rows(folder / "out.jsonl") == want, f"{rows(folder / 'out.jsonl')}")


def judge():
    case("source types", types)
    case("source undecodable", undecodable)
    case("source large", large)
    case("source cursor", follows, "calm", lambda: None)
    case("source cursor, server killed", follows, "killed", restart)
    case("source cursor, session ended", follows, "ended", terminate)
    case("source every row", every_row)
    case("source cursor twice", twice)
    case("source channel", channel)
    case("source held up", held_up)
    case("source edits", edits)
    case("source ended", silent_end)
