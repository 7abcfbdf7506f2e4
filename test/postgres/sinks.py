"""Rows that arrive: their values, their keys, how many a second."""
import json
import time

from world import Run, case, connector, finish, must, rows, sql, told

TYPES = """
enum Level = { low, high }
type All = { id: int, small: i32, ratio: float, price: decimal(2), ok: bool, name: string, note: string?, at: time, span: duration, level: Level,
             nested: { a: int, b: string }, tags: [string], counts: map<string, int>, raw: json }
source all: All = file("all.jsonl")
emit all to %s
"""
TEXTS = ["plain", "", 'say "hi", twice', "two\nlines", "back\\slash \\N \\.", "\\.", " blank ", "tab\there", "cr\r\nlf", "ünïcödé €", "NULL", "\t", "a,b;c"]


def row(index, text):
    return {"id": index, "small": -index, "ratio": index / 3, "price": f"{index}.05", "ok": index % 2 == 0, "name": text, "note": None if index % 3 == 0 else text,
            "at": f"2026-11-20T10:00:{index:02}.123456Z", "span": "1h30m", "level": "high", "nested": {"a": index, "b": text}, "tags": [text, "x"],
            "counts": {text: 1}, "raw": {"free": [1, text]}}


def types(folder):
    sql("CREATE TABLE everything (id bigint, small int, ratio float8, price numeric(12,2), ok boolean, name text, note text, at timestamptz, span interval,"
        " level text, nested jsonb, tags jsonb, counts jsonb, raw json)")
    given = [row(index, text) for index, text in enumerate(TEXTS)]
    (folder / "all.jsonl").write_text("".join(json.dumps(each) + "\n" for each in given))
    finish(folder, TYPES % connector('table: "everything"'))
    got = [json.loads(line) for line in sql("SET timezone = 'UTC'; SELECT row_to_json(e)::jsonb FROM everything e ORDER BY id").split("\n")]
    must(len(got) == len(given), f"{len(got)} rows of {len(given)}")
    for want, have in zip(given, got):
        want = {**want, "price": float(want["price"]), "span": "01:30:00", "at": want["at"].replace("Z", "+00:00")}
        for name, value in want.items():
            must(have[name] == value, f"row {want['id']}, `{name}`: {have[name]!r} where {value!r} was sent")


def floats(folder):
    sql("CREATE TABLE floats (x float8)")
    (folder / "x.jsonl").write_text('{"x":"NaN"}\n{"x":"Infinity"}\n{"x":"-Infinity"}\n{"x":1e300}\n{"x":-0.1}\n')
    finish(folder, f"""source x: {{ x: float }} = file("x.jsonl")\nemit x to {connector('table: "floats"')}""")
    must(sql("SELECT x FROM floats").split("\n") == ["NaN", "Infinity", "-Infinity", "1e+300", "-0.1"], sql("SELECT x FROM floats"))


def durations(folder):
    """The sign of all parts; what an interval does not know is refused."""
    sql("CREATE TABLE durations (d interval)")
    script = f"""source d: {{ d: duration }} = file("d.jsonl")\nemit d to {connector('table: "durations"')}"""
    seconds = {"1h30m": 5400, "-1h30m": -5400, "-1m30s500ms": -90.5, "-1d2h3m4s": -93784, "0s": 0, "5us": 0.000005, "7d": 604800}
    (folder / "d.jsonl").write_text("".join(json.dumps({"d": each}) + "\n" for each in seconds))
    finish(folder, script)
    got = [float(each) for each in sql("SELECT extract(epoch FROM d) FROM durations").split("\n")]
    must(got == list(seconds.values()), f"{got}")
    (folder / "d.jsonl").write_text('{"d":"4ms5us"}\n')
    must("invalid input syntax for type interval" in finish(folder, script, 3), "it was taken")
    query = connector("query: \"select (extract(epoch from interval '-1h -30m') * 1000)::bigint as d\"")
    finish(folder, f'source d: {{ d: duration }} = {query}\nemit d to file("out.jsonl")')
    must(rows(folder / "out.jsonl") == [{"d": "-1h30m"}], f"{rows(folder / 'out.jsonl')}")


def one_column(folder):
    """A text that COPY takes for the end of all rows."""
    sql("CREATE TABLE words (word text)")
    words = ["a", "\\.", "b", "", "\\.\\.", "two\n\\.\nlines", "c"]
    (folder / "w.jsonl").write_text("".join(json.dumps({"word": word}) + "\n" for word in words))
    finish(folder, f"""source w: {{ word: string }} = file("w.jsonl")\nemit w to {connector('table: "words"')}""")
    got = json.loads(sql("SELECT json_agg(word) FROM words"))
    must(got == words, f"{got}")


def names(folder):
    """A schema, and names that SQL knows for something else."""
    sql('CREATE SCHEMA sales; CREATE TABLE sales."Order" ("select" int PRIMARY KEY, "a b" text, extra int DEFAULT 7)')
    (folder / "o.csv").write_text("select,text\n1,x\n2,y\n")
    finish(folder, f"""source o: {{ `select`: int, text: string }} = file("o.csv")\nemit o to {connector('table: "sales.Order", key: "select"')}""", 3)
    sql('ALTER TABLE sales."Order" RENAME "a b" TO text')
    finish(folder, f"""source o: {{ `select`: int, text: string }} = file("o.csv")\nemit o to {connector('table: "sales.Order", key: "select"')}""")
    must(sql('SELECT * FROM sales."Order" ORDER BY 1') == "1|x|7\n2|y|7", sql('SELECT * FROM sales."Order"'))


def keys(folder):
    """The last row of a key counts: within one delivery, and from one run to the next."""
    sql("CREATE TABLE latest (shop int, id int, v text, kept text DEFAULT 'kept', PRIMARY KEY (shop, id))")
    script = f"""source r: {{ id: int, shop: int, v: string? }} = file("r.jsonl")\nemit r to {connector('table: "latest", keys: ["shop", "id"]')}"""

    def send(values):
        (folder / "r.jsonl").write_text("".join(json.dumps({"shop": shop, "id": key, "v": v}) + "\n" for shop, key, v in values))
        finish(folder, script)

    send([(1, 1, "a"), (1, 2, "b"), (1, 1, "c"), (2, 1, "d")])
    must(sql("SELECT shop, id, v FROM latest ORDER BY 1, 2") == "1|1|c\n1|2|b\n2|1|d", sql("SELECT * FROM latest"))
    sql("UPDATE latest SET kept = 'own'")
    send([(1, 2, None), (3, 3, "e")] + [(2, 1, str(i)) for i in range(1000)])
    must(sql("SELECT * FROM latest ORDER BY 1, 2") == "1|1|c|own\n1|2||own\n2|1|999|own\n3|3|e|kept", sql("SELECT * FROM latest"))


def only_keys(folder):
    sql("CREATE TABLE seen (id int PRIMARY KEY)")
    (folder / "r.jsonl").write_text("".join(json.dumps({"id": i % 5}) + "\n" for i in range(100)))
    finish(folder, f"""source r: {{ id: int }} = file("r.jsonl")\nemit r to {connector('table: "seen", key: "id"')}""")
    must(sql("SELECT count(*) FROM seen") == "5", sql("SELECT count(*) FROM seen"))


def rate(folder, key):
    count = 100_000
    table = "rate" + str(len(key))
    sql(f"CREATE TABLE {table} (id bigint {'PRIMARY KEY' if key else ''}, price float8, name text)")
    script = f"""source r: {{ id: int, price: float, name: string }} = generate(count: {count}, seed: 1) {{ id = n, price = uniform(0.0, 9.0), name = "row {{n}}" }}
emit r to {connector(f'table: "{table}"' + key)}"""
    begin = time.monotonic()
    finish(folder, script)
    took = time.monotonic() - begin
    must(sql(f"SELECT count(*), sum(id), count(DISTINCT name) FROM {table}") == f"{count}|{count * (count - 1) // 2}|{count}", sql(f"SELECT count(*), sum(id) FROM {table}"))
    told(f"    {count / took:,.0f} rows/s with the start of mutc, {'with a key' if key else 'added'}")


def edit(folder):
    """Another table and another field, while rows flow."""
    sql("CREATE TABLE before (id int); CREATE TABLE after (id int, v int)")
    head = "source r: { id: int } = generate(count: 1000, seed: 1, rate: 2000.0) { id = n }\n"
    first = head + f"""emit r to {connector('table: "before"')} as out"""
    second = head + f"""stream s = r | with v = 2\nemit s to {connector('table: "after"')} as out"""
    Run(folder, first, edits=[(second, 400)]).end()
    got = sql("SELECT (SELECT count(*) FROM before), (SELECT min(id) FROM after), (SELECT count(*) FROM after)")
    must(got == "400|400|600", got)


def judge():
    case("sink types", types)
    case("sink floats", floats)
    case("sink durations", durations)
    case("sink one column", one_column)
    case("sink names", names)
    case("sink keys", keys)
    case("sink only keys", only_keys)
    case("sink rate", rate, "")
    case("sink rate with a key", rate, ', key: "id"')
    case("sink edit", edit)
