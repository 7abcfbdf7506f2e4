"""Edits of the keys of joins and of tables, whose rows are kept whole and go under the new key."""
import re

JOIN = re.compile(r"  \| @\w+ .*\bjoin \w+ as (\w+)\b")
TABLE = re.compile(r"table (\w+) key ([\w, ]+?)(?= ttl| versioned| =)")
# Fields of the input, which streams have as long as nothing took them away; where they have not, no edit comes of it.
FIELDS = ["i", "k", "b", "f", "lv"]


def other_pair(name, mine, theirs, random):
    """Another equality in place of `mine == name.theirs`; texts of values, so that any two fields can be compared."""
    field = random.choice(FIELDS)
    return random.choice([
        f'"{{{mine}}}" == "{{{name}.{theirs}}}"', f'slice("{{{mine}}}", 0, 1) == slice("{{{name}.{theirs}}}", 0, 1)',
        f'"{{{field}}}" == "{{{name}.{theirs}}}"', f'"{{{mine}}}" == "{{{name}.{field}}}"', f"{field} == {name}.{field}", f"{field} == {name}.{field}",
        f"{mine} == {name}.{theirs} and {field} == {name}.{field}", f"oi == {name}.oi", f"i / 3 == {name}.i / 3", f"12 / i == {name}.i"])


def of_join(script, random):
    """A key of a join is another one, comes or goes."""
    lines = script.split("\n")
    pairs = []
    for i, line in enumerate(lines[:-1]):
        if head := JOIN.match(line):
            pairs += [(i + 1, head[1], pair) for pair in re.finditer(rf"\b(\w+) == {head[1]}\.(\w+)\b", lines[i + 1])]
    if not pairs:
        return None
    i, name, pair = random.choice(pairs)
    before, after = lines[i][:pair.start()], lines[i][pair.end():]
    if before.endswith(" and ") and random.random() < 0.3:
        lines[i] = before[:-len(" and ")] + after
    elif after.startswith(" and ") and random.random() < 0.3:
        lines[i] = before + after[len(" and "):]
    else:
        lines[i] = before + other_pair(name, pair[1], pair[2], random) + after
    return "\n".join(lines)


def of_table(script, random):
    """A key of a table is another one, comes or goes; what looks its rows up follows."""
    tables = list(TABLE.finditer(script))
    if not tables:
        return None
    table = random.choice(tables)
    keys = table[2].split(", ")
    fresh = random.choice([field for field in FIELDS if field not in keys])
    gone = random.choice(keys)
    how = random.choice(["replace", "replace", "add", "drop"] if len(keys) > 1 else ["replace", "replace", "add"])
    now = [key for key in keys if how == "add" or key != gone] + ([fresh] if how != "drop" else [])
    lines = (script[:table.start(2)] + ", ".join(now) + script[table.end(2):]).split("\n")
    for i, line in enumerate(lines):
        look_up = re.match(rf"  \| (?:left )?lookup {table[1]} as (\w+) .*?\bon ", line)
        if not look_up:
            continue
        name, pairs = look_up[1], line[look_up.end():].split(" and ")
        if how != "add":
            pairs = [pair for pair in pairs if not pair.endswith(f"== {name}.{gone}")]
        if how != "drop":
            pairs.append(f"{fresh} == {name}.{fresh}")
        lines[i] = line[:look_up.end()] + " and ".join(pairs)
    return "\n".join(lines)
