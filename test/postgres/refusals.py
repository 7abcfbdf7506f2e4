"""What cannot be: said when it is known, by what it is, and without the password."""
import subprocess
import time

from world import MUTC, Run, case, connector, finish, must, sql, until

ROWS = '{"id":1,"v":"a"}\n{"id":2,"v":null}\n{"id":1,"v":"b"}\n'


def script(sink):
    return f'source r: {{ id: int, v: string? }} = file("r.jsonl")\nemit r to {sink}'


def refused(folder, sink, *words, before_rows=False):
    (folder / "r.jsonl").write_text(ROWS)
    said = finish(folder, script(sink), 3)
    for word in words:
        must(word in said, f"`{word}` is missing: {said}")
    doctor = subprocess.run([MUTC, "doctor", "v1.mut"], cwd=folder, capture_output=True, text=True)
    must("CANARY" not in doctor.stdout + doctor.stderr, "doctor said the password")
    if before_rows:
        must(doctor.returncode == 3 and words[0] in doctor.stdout + doctor.stderr, doctor.stdout + doctor.stderr)


def at_start(folder):
    sql("CREATE TABLE strict (id int PRIMARY KEY, v text NOT NULL); CREATE USER reader PASSWORD 'CANARY-pw'; GRANT SELECT ON strict TO reader")
    table = 'table: "strict"'
    refused(folder, connector(table, user="reader"), "permission denied for table strict", before_rows=True)
    refused(folder, connector(table, database="nowhere"), 'database "nowhere" does not exist', before_rows=True)
    refused(folder, connector(table, user="nobody"), "password authentication failed", before_rows=True)
    refused(folder, connector('table: "strikt"'), 'relation "strikt" does not exist', before_rows=True)
    refused(folder, connector(table + ', key: "v"'), "no unique or exclusion constraint", before_rows=True)
    refused(folder, connector(table + ', key: "w"'), 'column "w"', before_rows=True)
    refused(folder, connector(table, host="127.0.0.1:1"), "Connection refused", before_rows=True)


def by_rows(folder):
    """The row and the column, as the server says them; nothing of that delivery is there."""
    sql("CREATE TABLE narrow (id int PRIMARY KEY, v text NOT NULL)")
    refused(folder, connector('table: "narrow"'), 'null value in column "v"', "line 2")
    refused(folder, connector('table: "narrow", key: "id"'), 'null value in column "v"')
    sql("ALTER TABLE narrow ALTER v DROP NOT NULL")
    refused(folder, connector('table: "narrow"'), "duplicate key value", "Key (id)=(1) already exists", "line 3")
    sql("CREATE TABLE other (id int UNIQUE, w text)")
    refused(folder, connector('table: "other"'), 'column "v" of relation "other" does not exist')
    sql("CREATE TABLE typed (id int, v int)")
    refused(folder, connector('table: "typed"'), "invalid input syntax for type integer", "line 1, column v")
    must(sql("SELECT (SELECT count(*) FROM narrow) + (SELECT count(*) FROM other) + (SELECT count(*) FROM typed)") == "0", "rows of a delivery that was refused")


def no_key(folder):
    """A row without its key would be added again by each delivery."""
    sql("CREATE TABLE loose (id int UNIQUE, v text)")
    (folder / "r.jsonl").write_text('{"id":null,"v":"a"}\n')
    said = finish(folder, f"""source r: {{ id: int?, v: string? }} = file("r.jsonl")\nemit r to {connector('table: "loose", key: "id"')}""", 3)
    must('null value in column "id"' in said, said)
    said = finish(folder, f"""source r: {{ v: string? }} = file("r.jsonl")\nemit r to {connector('table: "loose", key: "id"')}""", 3)
    must("key `id` is no field of the rows" in said, said)


def queries(folder):
    def asked(rest, *words):
        said = finish(folder, f'source r: {{ id: int }} = {connector(rest)}\nemit r to file("out.jsonl")', 3)
        for word in words:
            must(word in said, f"`{word}` is missing: {said}")

    asked('query: "select * from nothing"', 'relation "nothing" does not exist')
    asked('query: "selekt 1"', "syntax error")
    asked('query: "select 1 as id", cursor: "no"', "column q.no does not exist")
    asked('query: "select 1 / (2 - i) as id from generate_series(1, 3) i"', "division by zero")
    asked('query: "drop table strict"', "syntax error")


def secrets(folder):
    sql("CREATE TABLE secret_rows (id int, v text)")
    table = 'table: "secret_rows"'
    refused(folder, connector(table, password='env("MUT_TEST_NONE")'), "MUT_TEST_NONE", "not set", before_rows=True)
    refused(folder, connector(table, password=f'secret_file("{folder}/none")'), f"{folder}/none", "No such file", before_rows=True)
    (folder / "empty").write_text("\n")
    refused(folder, connector(table, password=f'secret_file("{folder}/empty")'), "the file is empty", before_rows=True)
    (folder / "long").write_text("x" * 70_000)
    refused(folder, connector(table, password=f'secret_file("{folder}/long")'), "longer than a secret", before_rows=True)
    (folder / "wrong").write_text("CANARY-other\n")
    refused(folder, connector(table, password=f'secret_file("{folder}/wrong")'), "password authentication failed", before_rows=True)
    (folder / "right").write_text("CANARY-pw\n")
    finish(folder, script(connector(table, password=f'secret_file("{folder}/right")')))
    must(sql("SELECT count(*) FROM secret_rows") == "3", "rows are missing")


def new_password(folder):
    """A file that changes is read at the next connection, also where the server was first."""
    sql("CREATE TABLE renewed (id int); CREATE USER turning PASSWORD 'CANARY-1'; GRANT INSERT, SELECT ON renewed TO turning")
    (folder / "pw").write_text("CANARY-1")
    sink = connector('table: "renewed"', user="turning", password=f'secret_file("{folder}/pw")')
    run = Run(folder, f"source r: {{ id: int }} = generate(count: 3000, seed: 1, rate: 1000.0) {{ id = n }}\nemit r to {sink}")
    until(lambda: int(sql("SELECT count(*) FROM renewed")) > 100, "no rows came")
    sql("ALTER USER turning PASSWORD 'CANARY-2'")
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'turning'")
    run.until_said("trying again")
    time.sleep(1)
    must(run.process.poll() is None, run.said())
    before = sql("SELECT count(*) FROM renewed")
    (folder / "pw").write_text("CANARY-2")
    said = run.end()
    must("CANARY" not in said, said)
    must(int(before) < 3000, "all rows came before the new password")
    must(sql("SELECT count(DISTINCT id) FROM renewed") == "3000", sql("SELECT count(DISTINCT id) FROM renewed"))


def judge():
    case("refused at the start", at_start)
    case("refused by its rows", by_rows)
    case("refused without a key", no_key)
    case("refused queries", queries)
    case("secrets", secrets)
    case("secrets renewed", new_password)
