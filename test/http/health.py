"""`/livez` and `/readyz` say how the program is, and why it is not ready."""
import os
import pathlib
import subprocess
import tempfile
import threading
import time

import harness
from harness import Run, case, connect, listen, must, rows, until
from pages import Served
from texts import generated, must_be

WAITS = 'source r: { n: int } = tcp(listen: "127.0.0.1:0")\nemit r to %s as o\n'


def until_ready(run, *words, status=503):
    """Waits until `/readyz` has these words."""
    last = []

    def look():
        last[:] = run.says("/readyz")
        return last[0] == status and all(word in last[1] for word in words)
    until(look, lambda: f"/readyz: {last} where {words} are wanted: {run.said()}")


def tells_that_it_starts(folder):
    os.mkfifo(folder / "rows.jsonl")
    # To open a pipe waits for who writes it.
    run = Served(folder, 'source r: { n: int } = file("rows.jsonl")\nemit r to file("out.jsonl")\n')
    until_ready(run, "the program starts")
    must_be(run.says("/livez"), (200, "ok"))
    must(run.metrics()["mutstream_ready"] == 0, "it is not ready")
    with open(folder / "rows.jsonl", "wb", buffering=0) as pipe:
        pipe.write(b'{"n":1}\n')
        until_ready(run, "ok", status=200)
        must(run.metrics()["mutstream_ready"] == 1, "it is ready")
    run.end()
    must_be(len(rows(folder / "out.jsonl")), 1, "rows")


def tells_that_a_sink_is_not_connected(folder):
    listener = listen()
    port = listener.getsockname()[1]
    run = Served(folder, WAITS % f'tcp(connect: "127.0.0.1:{port}")')
    peer, _ = listener.accept()
    until_ready(run, "ok", status=200)
    name = 'mutstream_connector_%s{side="sink",name="o"}'
    found = run.metrics()
    must(found[name % "connected"] == 1 and found[name % "reconnects_total"] == 0, found)
    harness.reset(peer)
    listener.close()
    rows = connect(run.address("source `r`"))
    rows.sendall(b'{"n":1}\n')
    until_ready(run, "sink `o` is not connected", f"127.0.0.1:{port}")
    must_be(run.says("/livez"), (200, "ok"))
    found = run.metrics()
    must(found[name % "connected"] == 0 and found["mutstream_ready"] == 0, found)
    listener = listen(port=port)
    peer, _ = listener.accept()
    until_ready(run, "ok", status=200)
    found = run.metrics()
    must(found[name % "connected"] == 1 and found[name % "reconnects_total"] == 1, found)
    rows.close()
    run.interrupt()
    harness.Receiver(peer).end()
    listener.close()
    run.end()


def tells_that_a_source_is_not_connected(folder):
    listener = listen()
    port = listener.getsockname()[1]
    run = Served(folder, f'source r: {{ n: int }} = tcp(connect: "127.0.0.1:{port}")\nemit r to file("out.jsonl")\n')
    peer, _ = listener.accept()
    until_ready(run, "ok", status=200)
    peer.close()
    listener.close()
    until_ready(run, "source `r` is not connected")
    listener = listen(port=port)
    peer, _ = listener.accept()
    until_ready(run, "ok", status=200)
    must(run.metrics()['mutstream_connector_reconnects_total{side="source",name="r"}'] == 1, "made again")
    run.stop()
    listener.close()


def tells_that_it_is_held_up_and_drains(folder):
    listener = listen()
    run = Served(folder, generated(sink=f'tcp(connect: "127.0.0.1:{listener.getsockname()[1]}")'))
    peer, _ = listener.accept()
    queue = 'mutstream_queue_bytes{side="sink",name="o"}'
    held = 'mutstream_backpressure_seconds_total{sink="o"}'
    found = run.until_metric(queue, lambda value: value >= 4 << 20)
    found = run.until_metric(held, lambda value: value > 0.2)
    begin = time.monotonic()
    more = run.until_metric(held, lambda value: value > found[held] + 0.5)
    must(more[held] - found[held] < time.monotonic() - begin + 0.5, "longer than the clock went")
    # Nothing runs, and that is as it should be.
    must_be(run.says("/livez"), (200, "ok"))
    until_ready(run, "ok", status=200)
    run.interrupt()
    until_ready(run, "the program drains")
    must_be(run.says("/livez"), (200, "ok"))
    harness.Receiver(peer).end()
    run.end()
    listener.close()


def tells_what_it_does_at_the_end_of_its_input(folder):
    listener = listen()
    run = Served(folder, generated(count=200_000, sink=f'tcp(connect: "127.0.0.1:{listener.getsockname()[1]}")'))
    peer, _ = listener.accept()
    run.until_metric('mutstream_queue_bytes{side="sink",name="o"}', lambda value: value > 0)
    harness.Receiver(peer).end()
    run.end()
    listener.close()


def begin_stuck():
    """A run whose output nobody reads, which takes ten seconds to be told from one that is slow: it waits beside the others."""
    folder = tempfile.TemporaryDirectory()
    run = Served(pathlib.Path(folder.name), generated(sink="stdout()"), stdout=subprocess.PIPE)
    Run.open.remove(run)
    return folder, run


def end_stuck(begun):
    folder, run = begun

    def claim(_):
        Run.open.append(run)
        until(lambda: run.says("/livez")[0] == 503, lambda: f"/livez: {run.says('/livez')}")
        must("rows stand still" in run.says("/livez")[1] and "rows stand still" in run.says("/readyz")[1], run.says("/readyz"))
        found = run.metrics()
        must(found["mutstream_batch_running_seconds"] >= 10 and found["mutstream_ready"] == 0, found)
        must(not any(key.startswith("mutstream_records_in") for key in found), "of rows that cannot be asked nothing is told")
        threading.Thread(target=run.process.stdout.read, daemon=True).start()
        until(lambda: run.says("/livez") == (200, "ok"), lambda: f"/livez: {run.says('/livez')}")
        run.until_metric('mutstream_records_in_total{source="r"}', lambda value: value > 0)
        run.stop()
    case("tells that rows stand still", claim)
    folder.cleanup()


def judge():
    case("tells that it starts", tells_that_it_starts)
    case("tells that a sink is not connected", tells_that_a_sink_is_not_connected)
    case("tells that a source is not connected", tells_that_a_source_is_not_connected)
    case("tells that it is held up, and that it drains", tells_that_it_is_held_up_and_drains)
    case("serves until all is written", tells_what_it_does_at_the_end_of_its_input)
