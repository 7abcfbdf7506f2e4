"""Which brokers there are, and whether they can be asked here."""
import importlib
import pathlib
import subprocess
import tempfile

import claims
import harness
import restarts
import service

NAMES = ["nats", "mqtt", "kafka"]  # of modules here, `broker_NAME`


def built(adapter):
    """Why this mutc cannot talk to it; empty: it can."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder, "try.mut")
        script.write_text(f"source r: {{ n: int }} = {adapter.source('nothing')}\nemit r to stdout()\n")
        ran = subprocess.run([harness.MUTC, "run", script], capture_output=True, text=True, timeout=harness.LIMIT)
    return ran.stderr.strip().splitlines()[-1] if "was built without" in ran.stderr or "apt install" in ran.stderr else ""


def judge(kinds):
    """How many were skipped."""
    skipped = restarts.judge_postgres() if "postgres" in kinds else 0
    for name in kinds:
        if name not in NAMES:
            continue
        module = importlib.import_module(f"broker_{name}")
        kind = service.find(module.SERVICE)
        why = kind.missing()
        with tempfile.TemporaryDirectory() as folder:
            server = getattr(module, "server_in", kind)(pathlib.Path(folder))
            server.port = service.free_port()
            adapters = [make(server) for make in module.ADAPTERS]
            why = why or built(adapters[0])
            if why:
                print(f"skipped {name}: {why}")
                skipped += 1
                continue
            with server:
                for adapter in adapters:
                    claims.judge(adapter)
                    restarts.judge(adapter)
                if hasattr(module, "judge"):
                    module.judge(server)
    return skipped
