"""Makes a chain of versions that fails small: fewer swaps first, then streams, stages, fields and rows of all versions alike."""
import os
import tempfile
import time

import chains
import edits
import running
import shrinking

SECONDS = 120


def applied(change, script):
    """The change of one script made in another; unchanged where its lines do not stand there."""
    before, after = change
    lines = script.split("\n")
    for i in range(len(lines) - len(before) + 1):
        if before and lines[i:i + len(before)] == before:
            return "\n".join(lines[:i] + after + lines[i + len(before):])
    return script


def change_between(script, candidate):
    """Lines that go and those that come for them."""
    a, b = script.split("\n"), candidate.split("\n")
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    return a[head:len(a) - tail], b[head:len(b) - tail]


class ChainCase:
    def __init__(self, engine, chain):
        self.engine = engine
        self.chain = chain

    def shrink(self, made, small):
        """As shrinking.Case.shrink; the versions are w1.mut, w2.mut, … in the folder `small`."""
        self._end = time.monotonic() + SECONDS
        inputs = {name: running.text_of(made, name) for name in os.listdir(made) if name.endswith(".jsonl")}
        scripts = [running.text_of(made, "program.mut"), *self.chain.versions]
        state = (scripts, self.chain.cuts, self.chain.way, inputs)
        self._kind = None
        problem = self._problem(state)
        if not problem:
            return ""
        self._kind = shrinking.kind_of(problem)
        for step in (self._plainer_ways, self._fewer_swaps):
            state = step(state)
        while time.monotonic() < self._end:
            before = size_of(state)
            for steps in (shrinking.without_declaration, shrinking.without_stage, shrinking.without_item, shrinking.simpler):
                state = self._scripts(state, steps)
            state = self._rows(state)
            if size_of(state) == before:
                break
        told = self._problem(state)
        shrinking.write({"program.mut": state[0][0], **state[3]}, small)
        chain = chains.Chain(state[0][1:], state[1], state[2], self.chain.split)
        chain.write(small)
        with open(os.path.join(small, "difference.txt"), "w", encoding="utf-8") as out:
            out.write(told + "\n")
        return told

    def _problem(self, state):
        scripts, cuts, way, inputs = state
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "input")
            shrinking.write({"program.mut": scripts[0], **inputs}, made)
            problem = chains.compare(self.engine, chains.Chain(scripts[1:], cuts, way, self.chain.split), made, folder)
        if problem == chains.BEYOND:
            return ""
        return problem if problem and self._kind in (None, shrinking.kind_of(problem)) else ""

    def _plainer_ways(self, state):
        for drop in ("--disturb", "--shards", "--batch", "--tier"):
            way = [option for option in state[2] if not option.startswith(drop)]
            way += ["--tier=quick"] if drop == "--tier" else []
            tried = (state[0], state[1], way, state[3])
            if self._problem(tried):
                state = tried
        return state

    def _fewer_swaps(self, state):
        at = 0
        while at < len(state[0]) and len(state[0]) > 2:
            cut = min(at, len(state[1]) - 1)
            tried = (state[0][:at] + state[0][at + 1:], state[1][:cut] + state[1][cut + 1:], state[2], state[3])
            if self._problem(tried):
                state = tried
            else:
                at += 1
        return state

    def _scripts(self, state, steps):
        changed = True
        while changed and time.monotonic() < self._end:
            changed = False
            known = set()
            for which, script in enumerate(state[0]):
                for candidate in steps(script):
                    if time.monotonic() > self._end:
                        return state
                    if candidate in known or len(candidate) >= len(script):
                        continue
                    known.add(candidate)
                    change = change_between(script, candidate)
                    alike = [candidate if i == which else applied(change, other) for i, other in enumerate(state[0])]
                    alone = [candidate if i == which else other for i, other in enumerate(state[0])]
                    for scripts in (alike, alone) if alike != alone else (alone,):
                        tried = (scripts, *state[1:])
                        if any(a == b for a, b in zip(scripts, scripts[1:])) or not all(map(edits.is_read, scripts)):
                            continue
                        if self._problem(tried):
                            state, changed = tried, True
                            break
                    if changed:
                        break
                if changed:
                    break
        return state

    def _rows(self, state):
        scripts, cuts, way, inputs = state
        for name in inputs:
            lines = inputs[name].splitlines()
            source = name.removesuffix(".jsonl")
            piece = max(1, len(lines) // 2)
            while time.monotonic() < self._end:
                at = 0
                while at < len(lines) and time.monotonic() < self._end:
                    rest = lines[:at] + lines[at + piece:]
                    earlier = [{key: n - max(0, min(piece, n - at)) if key == source else n for key, n in cut.items()}
                               for cut in cuts]
                    tried = {**inputs, name: "".join(line + "\n" for line in rest)}
                    inside = len(rest) > max((cut.get(source, 0) for cut in earlier), default=-1)
                    if inside and self._problem((scripts, earlier, way, tried)):
                        inputs, lines, cuts = tried, rest, earlier
                    else:
                        at += piece
                if piece == 1:
                    break
                piece = max(1, piece // 2)
        return scripts, cuts, way, inputs


def size_of(state):
    return sum(map(len, state[0])) + sum(map(len, state[3].values()))
