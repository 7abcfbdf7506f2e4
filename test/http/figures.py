"""What `/metrics` says is what was sent, in both forms."""
import subprocess

from harness import MUTC, case, connect, must, until_rows
from pages import OPEN, PLAIN, Served, read_open, read_plain
from texts import must_be

SCRIPT = """type R = {{ n: int, user: string, at: time }}
param bound: int in 0..1000 = 10
source r: R = tcp(listen: "127.0.0.1:0") time at
stream good = r | where n >= bound | with half = 100 / (n - 50)
stream sums = good | @sums aggregate c = count() by user window tumbling 10s
emit good to file("good.jsonl") as goods
emit sums to file("sums.jsonl")
emit r.errors to file("errors.jsonl") as errors
"""


def script():
    return SCRIPT.format()


def row(n, user="a", second=0):
    return b'{"n":%d,"user":"%s","at":"2026-01-01T00:00:%02dZ"}\n' % (n, user.encode(), second)


def with_rows(folder, *args, rows=8, **more):
    """A run that has had 12 records: one that does not decode, two that the filter drops, one that fails, one too late."""
    run = Served(folder, script(), *args, **more)
    run.peer = connect(run.address("source `r`"))
    run.peer.sendall(b"no record\n" + row(1) + row(2) + row(50) + row(10, "a") + row(11, "b") + row(12, "c") + row(13, "c"))
    run.peer.sendall(row(14, "d", 35) + row(15, "a", 36) + row(16, "a", 1) + row(17, "b", 38))
    until_rows(run, folder / "good.jsonl", rows)
    return run


def counts_what_was_sent(folder):
    run = with_rows(folder)
    found = run.until_metric('mutstream_records_in_total{source="r"}', 12)
    wanted = {
        'mutstream_records_out_total{sink="goods",stream="good"}': 8,
        'mutstream_records_out_total{sink="sums",stream="sums"}': 3,
        'mutstream_records_dead_lettered_total{stream="r"}': 1,
        'mutstream_records_dead_lettered_total{stream="good"}': 1,
        'mutstream_records_late_total{stage="sums/sums"}': 1,
        'mutstream_state_keys{stage="sums/sums"}': 3,
        "mutstream_program_version": 1,
        "mutstream_kernel_versions_live": 1,
        "mutstream_ready": 1,
        'mutstream_swap_total{result="taken"}': 0,
        "mutstream_swap_pending_seconds": 0,
        'mutstream_queue_bytes{side="source",name="r"}': 0,
    }
    for sample, value in wanted.items():
        must(found.get(sample) == value, f"{sample}: {found.get(sample)} where {value} is wanted")
    filtered = {key: value for key, value in found.items() if key.startswith("mutstream_records_filtered_total{")}
    must(list(filtered.values()) == [2], filtered)
    must(0 < found["mutstream_state_bytes"] < found["mutstream_state_limit_bytes"] == 256 << 20, "state")
    must(found["mutstream_batch_seconds_count"] > 0, "batches")
    must(found['mutstream_watermark_lag_seconds{stream="sums"}'] > 3600, "the rows are of January")
    run.peer.close()
    run.stop()


def both_forms_say_the_same(folder):
    run = with_rows(folder)
    for accept, form in (
        (None, PLAIN), ("*/*", PLAIN), ("text/plain", PLAIN), ("application/openmetrics-text", OPEN), ("application/OpenMetrics-Text;version=1.0.0", OPEN),
        ("application/openmetrics-text;version=2.0.0", PLAIN), ("application/openmetrics-text;q=0", PLAIN),
        ("application/openmetrics-text;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.5", PLAIN),
        ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPEN),
        (";,;q=,application/openmetrics-text ; q=x,", PLAIN),
    ):
        status, fields, text = run.ask("/metrics", accept)
        must(status == 200 and fields["content-type"] == form, f"{accept}: {status} {fields}")
        (read_open if form == OPEN else read_plain)(text)
    plain = read_plain(run.ask("/metrics")[2])
    other = read_open(run.ask("/metrics", OPEN)[2])
    # Those move while nothing comes.
    moves = ("mutstream_batch_running_seconds", "mutstream_watermark_lag_seconds")
    still = [{key: value for key, value in one.items() if not key.startswith(moves)} for one in (plain, other)]
    must_be(still[0], still[1], "the forms")
    run.peer.close()
    run.stop()


def edits_are_counted(folder):
    one = script().replace("n >= bound", "n >= bound + 0")
    run = with_rows(folder, edits=[(one, 10), (script().replace("n >= bound", "n > bound"), 11)])
    found = run.until_metric('mutstream_swap_total{result="taken"}', 2)
    must(found["mutstream_program_version"] == 3, "version")
    for what in ("check", "compile", "publish"):
        must(found[f"mutstream_swap_{what}_seconds_count"] == 2, what)
    run.peer.close()
    run.stop()
    # One that waits for a record that does not come, and one that does not compile.
    run = with_rows(folder, edits=[(one, 1000)])
    must(run.until_metric("mutstream_swap_pending_seconds", lambda value: value > 0)['mutstream_swap_total{result="taken"}'] == 0, "taken")
    run.peer.close()
    run.stop()
    run = with_rows(folder, edits=[("source", 3)])
    found = run.until_metric('mutstream_swap_total{result="failed"}', 1)
    must(found['mutstream_swap_total{result="taken"}'] == 0, "taken")
    run.peer.close()
    run.interrupt()
    run.process.wait()


def what_is_taken_back_is_counted(folder):
    """Behind 4 records an edit in whose version each event fails; its guard looks at three."""
    bad = script().replace("100 / (n - 50)", "100 / (n - n)") + "guard errors < 50% in 3 records\n"
    run = with_rows(folder, edits=[(bad, 4)], rows=0)
    found = run.until_metric('mutstream_swap_total{result="rolled-back"}', 1)
    must(found['mutstream_swap_total{result="taken"}'] == 1, "taken")
    must(found["mutstream_swap_pending_seconds"] == 0, "nothing waits")
    run.peer.close()
    run.stop()


def a_canary_does_not_wait(folder):
    (folder / "v2.mut").write_text(script().replace("n >= bound", "n > bound + 0"))
    run = with_rows(folder, "--canary", str(folder / "v2.mut"), "--part", "50% by user", "--complete", "r:1000000", rows=7)
    must(run.until_metric("mutstream_program_version", 1)["mutstream_swap_pending_seconds"] == 0, "it is said to wait")
    run.peer.close()
    run.stop()


def only_this_machine_is_served(folder):
    (folder / "s.mut").write_text('source r: { n: int } = stdin()\nemit r to file("out.jsonl")\n')
    (folder / "out.jsonl").write_text("kept\n")

    def end(address, *args):
        done = subprocess.run([MUTC, "run", "s.mut", "--http", address, *args], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr
    for address in ("0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "example.org:80", "0.0.0.0", "127.0.0.1.example.org:80", "2130706433:80"):
        code, text = end(address)
        must(code == 2 and "only this machine is served" in text and "--http-token-file" in text, f"{address}: {code} {text}")
    for address in ("127.0.0.1:x", "127.0.0.1:65536", "::1", ":1", ""):
        code, text = end(address)
        must(code == 2 and text, f"{address}: {code} {text}")
    code, text = end("127.0.0.1:0", "--engine", "reference")
    must(code == 2 and "--http" in text, text)
    run = Served(folder, 'source r: { n: int } = tcp(listen: "127.0.0.1:0")\nemit r to file("other.jsonl")\n')
    code, text = end(f"127.0.0.1:{run.at[1]}")
    must(code == 3 and "another program listens there" in text, f"{code} {text}")
    must((folder / "out.jsonl").read_text() == "kept\n", "the sink was emptied")
    for address in ("127.0.0.1:0", "localhost:0", "[::1]:0", "127.9.8.7:0"):
        code, text = end(address)
        must(code == 0 or "Cannot assign" in text or "not supported" in text or "cannot be found" in text, f"{address}: {code} {text}")
    run.stop()


def secrets_stay(folder):
    text = """source r: { n: int, card: secret<string> } = tcp(listen: "127.0.0.1:0")
stream s = r | where 1 / n > 0 | select n, l = len(reveal(card))
emit s to file("out.jsonl")
"""
    run = Served(folder, text)
    peer = connect(run.address("source `r`"))
    peer.sendall(b'{"n":1,"card":"CANARY"}\n{"n":0,"card":"CANARY"}\n{"n":1,"card":"CANARY"\n{"n":1,"card":"x"}\n')
    until_rows(run, folder / "out.jsonl", 2)
    run.until_metric('mutstream_records_dead_lettered_total{stream="r"}', 1)
    for path in ("/", "/metrics", "/livez", "/readyz", "/none"):
        must("CANARY" not in run.ask(path)[2] + run.ask(path, OPEN)[2], path)
    peer.close()
    run.stop()


def judge():
    case("counts are those of what was sent", counts_what_was_sent)
    case("both forms say the same", both_forms_say_the_same)
    case("edits are counted by what became of them", edits_are_counted)
    case("what a guard takes back is counted", what_is_taken_back_is_counted)
    case("a canary that runs does not wait", a_canary_does_not_wait)
    case("only this machine is served", only_this_machine_is_served)
    case("secrets are on no page", secrets_stay)
