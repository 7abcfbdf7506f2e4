"""What the loops of a kernel call. Reads LLVM IR on standard input.

  loops.py KERNEL ALLOWED…    one line a loop, the innermost first: the functions it calls that are not among
                              ALLOWED and not LLVM's own; then the kernels of the module

A loop is the body of a back edge in the control flow graph; calls of sanitizers are not looked at.
"""
import re
import sys


def blocks_of(text, kernel):
    body = re.search(r"^define [^\n]*@%s\(.*?^}" % re.escape(kernel), text, re.S | re.M).group(0)
    blocks, name = {}, None
    for line in body.splitlines()[1:-1]:
        label = re.match(r'^"?([\w.$-]+)"?:', line)
        if label or name is None:
            name = label.group(1) if label else "entry"
            blocks[name] = []
            if label:
                continue
        blocks[name].append(line)
    return blocks


def successors(lines):
    # A `br`, or a `switch` with its list; only these name labels so.
    return [name for line in lines for name in re.findall(r'label %"?([\w.$-]+)"?', line)]


def dominators(blocks, edges):
    order = list(blocks)
    before = {name: [other for other in order if name in edges[other]] for name in order}
    dominated = {name: set(order) for name in order}
    dominated[order[0]] = {order[0]}
    changed = True
    while changed:
        changed = False
        for name in order[1:]:
            known = [dominated[other] for other in before[name]]
            new = {name} | (set.intersection(*known) if known else set())
            changed = changed or new != dominated[name]
            dominated[name] = new
    return dominated, before


def loops_of(blocks):
    edges = {name: successors(lines) for name, lines in blocks.items()}
    dominated, before = dominators(blocks, edges)
    loops = {}
    for name in blocks:
        for head in edges[name]:
            if head not in dominated[name]:
                continue
            body, todo = {head}, [name]
            while todo:
                at = todo.pop()
                if at not in body:
                    body.add(at)
                    todo += before[at]
            loops[head] = loops.get(head, set()) | body
    return sorted(loops.items(), key=lambda loop: len(loop[1]))


def main():
    text = sys.stdin.read()
    kernel, allowed = sys.argv[1], set(sys.argv[2:])
    blocks = blocks_of(text, kernel)
    for head, body in loops_of(blocks):
        called = {name for block in body for line in blocks[block]
                  for name in re.findall(r"\bcall [^@]*@([\w.]+)\(", line)}
        called = {name for name in called if not re.match(r"llvm\.|__[at]san|__ubsan", name)}
        stores = any(re.search(r"^\s*store ", line) for block in body for line in blocks[block])
        print(f"loop {head}: stores {'yes' if stores else 'no'}; calls {' '.join(sorted(called - allowed)) or 'nothing else'}")
    kernels = re.findall(r"^define (?!internal|linkonce)[^@]*@(\w+)\(", text, re.M)
    print("kernels:", " ".join(kernels))


main()
