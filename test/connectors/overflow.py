"""What `on full` says becomes of records that come faster than they are run: a sink whose reader stands still, then reads."""
import json
import os
import subprocess
import threading

from harness import Receiver, Run, Skipped, case, connect, listen, must, until
from texts import must_be

COUNT = 600_000
TEXT = "x" * 60  # 50 MB in all, where 16 wait in memory


def sent(client, over):
    """All of it, however long that is held up; `over` is set behind the last."""
    for first in range(0, COUNT, 10_000):
        client.sendall(b"".join(b'{"n":%d,"t":"%s"}\n' % (n, TEXT.encode()) for n in range(first, first + 10_000)))
    client.shutdown(1)
    over.set()


def begun(folder, policy, disk=None):
    listener = listen()
    if disk:
        os.environ["TMPDIR"] = str(disk)
    run = Run(folder, f"""source r: {{ n: int, t: string }} = tcp(listen: "127.0.0.1:0") on full {policy}
emit r to tcp(connect: "127.0.0.1:{listener.getsockname()[1]}")
""", "--stats", "stats.json")
    os.environ.pop("TMPDIR", None)
    peer, _ = listener.accept()
    over = threading.Event()
    threading.Thread(target=sent, args=(connect(run.address("source `r`")), over), daemon=True).start()
    return run, peer, over


def what_came(run, peer, folder):
    """Numbers that arrived, and how many records the program says that it dropped. Waits for it to have nothing left."""
    receiver = Receiver(peer)
    before = -1

    def quiet():
        nonlocal before
        now, before = before, len(receiver.data)
        threading.Event().wait(0.3)
        return now == before
    until(quiet, "rows come without end")
    run.stop()
    numbers = [json.loads(line)["n"] for line in receiver.end().split(b"\n")[:-1]]
    return numbers, json.loads((folder / "stats.json").read_text())["dropped"].get("r", 0)


def drops(folder, policy):
    """Nobody is held up; each record has arrived or is counted, those that arrive are in order, and the right ones go."""
    run, peer, over = begun(folder, policy)
    must(over.wait(60), "the other side was held up")
    run.until_said("were dropped so far")
    must(run.peak_mb() < 250, f"{run.peak_mb():.0f} MB for 16 that may wait")
    numbers, dropped = what_came(run, peer, folder)
    must_be(len(numbers) + dropped, COUNT, "records that arrived or were counted")
    must(dropped > 0 and numbers == sorted(set(numbers)), "rows are not in order")
    kept = 50_000
    if policy == "drop_oldest":
        must(numbers[-kept:] == list(range(COUNT - kept, COUNT)), "newer ones are missing")
    else:
        must(numbers[:kept] == list(range(kept)), "older ones are missing")


def spills(folder):
    """Nobody is held up, and every record arrives in order."""
    run, peer, over = begun(folder, "spill")
    must(over.wait(60), "the other side was held up")
    must(run.peak_mb() < 250, f"{run.peak_mb():.0f} MB for 16 that may wait")
    numbers, dropped = what_came(run, peer, folder)
    must_be((len(numbers), dropped), (COUNT, 0), "records that arrived, that were dropped")
    must(numbers == list(range(COUNT)), "rows are not in order")


def spills_to_a_full_disk(folder):
    """When the disk is full the other side is held up; when there is room again all goes on, and every record arrives in order."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], capture_output=True).returncode != 0:
        raise Skipped("this user may not mount a small disk")
    try:
        (disk / "filler").write_bytes(bytes(20 << 20))
        run, peer, over = begun(folder, "spill", disk)
        run.until_said("takes no more records until there is room")
        must(not over.is_set(), "all was taken")
        (disk / "filler").unlink()
        numbers, dropped = what_came(run, peer, folder)
        must_be((len(numbers), dropped), (COUNT, 0), "records that arrived, that were dropped")
        must(numbers == list(range(COUNT)), "rows are not in order")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def blocks(folder):
    """The other side is held up, and every record arrives in order."""
    run, peer, over = begun(folder, "block")
    must(not over.wait(3), "the other side was not held up")
    numbers, dropped = what_came(run, peer, folder)
    must_be((numbers == list(range(COUNT)), dropped), (True, 0), "all in order, dropped")


def judge():
    if "MUT_SLOWER" in os.environ:
        return  # it is about load
    for policy in ("drop_oldest", "drop_newest"):
        case(f"on full {policy}", drops, policy)
    case("on full spill", spills)
    case("on full spill to a full disk", spills_to_a_full_disk)
    case("on full block", blocks)
