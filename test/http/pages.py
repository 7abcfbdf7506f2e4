"""Asks pages of a run and reads what they say."""
import http.client
import math
import re
import socket

from harness import LIMIT, Run, must, until

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class Served(Run):
    """`mutc run --http` at a port that the system chooses."""

    def __init__(self, folder, script, *args, **more):
        super().__init__(folder, script, "--http", "127.0.0.1:0", *args, **more)
        host, port = self.until_said(r"metrics are at http://(\S+):(\d+)/metrics")
        self.at = host, int(port)

    def ask(self, path, accept=None, method="GET", body=None, **fields):
        """Status, fields and text."""
        peer = http.client.HTTPConnection(*self.at, timeout=LIMIT)
        try:
            peer.request(method, path, body, {**({"Accept": accept} if accept else {}), **fields})
            reply = peer.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode()
        finally:
            peer.close()

    def says(self, path):
        status, _, text = self.ask(path)
        return status, text.strip()

    def metrics(self):
        status, fields, text = self.ask("/metrics")
        must(status == 200 and fields["content-type"] == PLAIN, f"{status} {fields}")
        return read_plain(text)

    def until_metric(self, sample, wanted):
        """Waits for a value, or for one that a function finds good; all samples then."""
        fine = wanted if callable(wanted) else lambda value: value == wanted
        last = {}

        def look():
            last.clear()
            last.update(self.metrics())
            return sample in last and fine(last[sample])
        until(look, lambda: f"{sample} is {last.get(sample)}")
        return last

    def raw(self, data, end=True):
        """Sends bytes; what came until the other side closed."""
        with socket.create_connection(self.at, timeout=LIMIT) as peer:
            try:
                peer.sendall(data)
                if end:
                    peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has been refused meanwhile
            return read_all(peer)


def read_all(peer):
    out = b""
    try:
        while piece := peer.recv(1 << 16):
            out += piece
    except ConnectionError:
        pass
    return out


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)')


def read_samples(text, family_of):
    """Samples by name and labels; each family stands together, behind its HELP and TYPE, and nothing is there twice."""
    samples, kinds, family, closed = {}, {}, None, set()
    for line in text.splitlines():
        if line.startswith("# "):
            word, name, rest = (line[2:].split(" ", 2) + ["", ""])[:3]
            must(word in ("HELP", "TYPE", "UNIT"), f"a line `{line}`")
            if name != family:
                must(name not in closed, f"{name} stands in two places")
                closed.add(family)
                family = name
            if word == "TYPE":
                kinds[name] = rest
            if word == "UNIT":
                must(name.endswith("_" + rest), line)
            continue
        found = SAMPLE.fullmatch(line)
        must(found, f"no sample: `{line}`")
        name, labels, value = found.groups()
        must(family in kinds and family_of(name, kinds[family]) == family, f"`{line}` stands in {family}")
        must(name + (labels or "") not in samples, f"`{line}` is there twice")
        samples[name + (labels or "")] = float(value)
    check_histograms(samples, kinds)
    return samples


def check_histograms(samples, kinds):
    for name in (name for name, kind in kinds.items() if kind == "histogram"):
        steps = [(float(key.split('"')[1]), value) for key, value in samples.items() if key.startswith(name + "_bucket")]
        must(steps == sorted(steps) and [value for _, value in steps] == sorted(value for _, value in steps), f"{name}: {steps}")
        must(steps[-1] == (math.inf, samples[name + "_count"]), f"{name}: {steps[-1]}")
        must((samples[name + "_sum"] > 0) == (samples[name + "_count"] > 0), f"{name}_sum")


def without(name, *endings):
    for ending in endings:
        if name.endswith(ending):
            return name[:-len(ending)]
    return name


def read_plain(text):
    def family_of(name, kind):
        must(kind in ("counter", "gauge", "histogram"), kind)
        return without(name, "_bucket", "_sum", "_count") if kind == "histogram" else name
    must(text.endswith("\n") and "# EOF" not in text, text[-100:])
    return read_samples(text, family_of)


def read_open(text):
    def family_of(name, kind):
        endings = {"counter": ["_total"], "info": ["_info"], "histogram": ["_bucket", "_sum", "_count"], "gauge": []}[kind]
        must(not endings or name.endswith(tuple(endings)), f"{name} is a {kind}")
        return without(name, *endings)
    must(text.endswith("\n# EOF\n"), text[-100:])
    return read_samples(text[:-len("# EOF\n")], family_of)
