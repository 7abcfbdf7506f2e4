"""csv-spectrum: CSV files with the JSON that they mean. Each is read, written as CSV and read again."""
import json

from .harness import Scratch, need

NEEDS = ["csv/simple.csv"]
WAYS = [[], ["--batch", "1"], ["--batch", "7"], ["--engine", "reference"]]


def one_file(path):
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    fields = ", ".join(f"`{name}`: string" for name in expected[0])
    script = f'type Row = {{ {fields} }}\nsource rows: Row = file("in.csv")\nemit rows to stdout()\nemit rows.errors to stdout() as failed\n'
    again = script.replace("in.csv", "copy.csv")
    with Scratch() as scratch:
        scratch.put("in.csv", path.read_bytes())
        for way in WAYS:
            got = [json.loads(line) for line in scratch.run(script, *way).splitlines()]
            need(got == expected, f"{' '.join(way)}: expected {expected}, got {got}")
        scratch.run(script, "--bind", "source:rows=in.csv", "--bind", "sink:rows=copy.csv")
        got = [json.loads(line) for line in scratch.run(again).splitlines()]
        need(got == expected, f"after writing it as CSV: expected {expected}, got {got}")


def checks(data):
    return [(path.name, lambda path=path: one_file(path)) for path in sorted((data / "csv").glob("*.csv"))]
