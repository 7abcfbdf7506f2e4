"""The dashboard and the alerts of examples/monitoring: each metric that they name is served, and Prometheus takes them."""
import json
import re
import shutil
import subprocess

import figures
import harness
from harness import case, connect, listen, must
from pages import OPEN, Served

FOLDER = harness.ROOT / "examples" / "monitoring"
PROMTOOL = shutil.which("promtool")
skipped = 0


def served_names(folder):
    """Of a run that has all kinds of things: shards, a connection, state."""
    listener = listen()
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    run = Served(folder, figures.script() + f'emit good to tcp(connect: "{address}") as more\n', "--shards", "2")
    peer, _ = listener.accept()
    rows = connect(run.address("source `r`"))
    rows.sendall(b"".join(figures.row(n) for n in range(30)))
    found = run.until_metric('mutstream_records_in_total{source="r"}', 30)
    text, other = run.ask("/metrics")[2], run.ask("/metrics", OPEN)[2]
    rows.close()
    run.interrupt()
    harness.Receiver(peer).end()
    run.end()
    listener.close()
    return {key.split("{")[0] for key in found}, text, other


def names_in(text):
    return set(re.findall(r"\bmutstream_[a-z_]+", text))


def names_are_served(folder):
    served, text, _ = served_names(folder)
    recorded = set(re.findall(r"record: (\S+)", (FOLDER / "rules.yml").read_text()))
    must(recorded, "rules that record")
    used = set()
    for name in ("dashboard.json", "rules.yml"):
        found = names_in((FOLDER / name).read_text())
        must(len(found) > 8, f"{name} names {found}")
        must(found <= served, f"{name}: not served: {sorted(found - served)}")
        used |= found
    known = names_in((harness.ROOT / "docs" / "metrics.md").read_text())
    must(served <= known | {name + end for name in known for end in ("_bucket", "_sum", "_count")}, f"not in docs/metrics.md: {sorted(served - known)}")
    must({name for name in known if not name.endswith("_seconds")} <= served, f"docs/metrics.md: not served: {sorted(known - served)}")
    if PROMTOOL:
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True)
        must(done.returncode == 0, f"promtool check metrics: {done.stdout}{done.stderr}")


def alerts_have_a_page(_):
    text = (FOLDER / "rules.yml").read_text()
    alerts = re.findall(r"alert: (\w+)", text)
    must(len(alerts) == len(set(alerts)) > 8, alerts)
    heads = re.findall(r"^### (\w+)$", (harness.ROOT / "docs" / "metrics.md").read_text(), re.M)
    must(sorted(heads) == sorted(alerts), f"{sorted(set(heads) ^ set(alerts))} are only in one of docs/metrics.md and rules.yml")
    for alert in alerts:
        must(f"docs/metrics.md#{alert.lower()}" in text, alert)
    tested = set(re.findall(r"alertname: (\w+)", (FOLDER / "rules_test.yml").read_text()))
    must(tested == set(alerts), f"{sorted(set(alerts) ^ tested)}: tested or there, not both")


def dashboard_is_whole(_):
    board = json.loads((FOLDER / "dashboard.json").read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    must(len(panels) >= 10 and len({panel["id"] for panel in board["panels"]}) == len(board["panels"]), "panels")
    for panel in panels:
        must(panel["title"] and panel["datasource"]["uid"] == "${source}", panel["title"])
        must(panel["targets"] and all(target["expr"] for target in panel["targets"]), panel["title"])
    must([one["name"] for one in board["templating"]["list"] if one["type"] == "datasource"] == ["source"], "the source is a variable")


def prometheus_takes_the_rules(_):
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"], ["check", "config", "--syntax-only", "prometheus.yml"]):
        done = subprocess.run([PROMTOOL, *command], cwd=FOLDER, capture_output=True, text=True)
        must(done.returncode == 0, f"promtool {' '.join(command)}: {done.stdout}{done.stderr}")


def judge():
    global skipped
    case("names in the dashboard, the rules and the page are served", names_are_served)
    case("alerts have a test and a page", alerts_have_a_page)
    case("the dashboard is whole", dashboard_is_whole)
    if PROMTOOL:
        case("Prometheus takes the rules", prometheus_takes_the_rules)
    else:
        skipped += 1
        print("skipped: Prometheus takes the rules: there is no `promtool` (package prometheus)")
