"""Counts what the fraud example did with every payment, from its stamped output alone.

Every payment has a positive amount, so each must be in exactly one of the three files, once, and made by
the version that its position belongs to."""
import json
import re
import sys

cut, stats_path, *outputs = sys.argv[1:]
cut = int(cut)
stats = json.load(open(stats_path))
stamp = re.compile(r'"\$position":(\d+),"\$version":(\d+)')
seen = bytearray(stats["records_in"])
repeated = mixed = rows = 0
for path in outputs:
    with open(path) as lines:
        for line in lines:
            position, version = map(int, stamp.search(line).groups())
            rows += 1
            repeated += seen[position]
            seen[position] = 1
            mixed += (version == 1) != (position < cut)
lost = len(seen) - sum(seen)
print(f"\n{stats['records_in']} payments in, {stats['rows_out']} rows out, "
      f"{stats['records_in'] / stats['seconds']:,.0f} payments/s with all rows written as JSON")
print(f"lost {lost}, repeated {repeated}, by the wrong version {mixed}")
sys.exit(1 if lost or repeated or mixed or stats["version"] != 2 else 0)
