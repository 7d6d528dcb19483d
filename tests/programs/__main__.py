"""`python -m tests.programs`: random programs for some time; prints what differs, shrunk, and what was tried.

--seconds 1800      how long
--seed 0            programs are drawn from seeds seed · 2³² and on
--shrink 20         how many differing programs to shrink; the others are only counted
--program 123       look at one program by its seed instead
"""

import argparse
import re
import sys
import time
import warnings
from collections import Counter

import torch

import minicnn

from . import OPERATIONS, Difference, difference, program_of, shrink
from .running import run


def main() -> int:
    """Exit status 1 where a program differs."""
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__, formatter_class=form)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shrink", type=int, default=20)
    parser.add_argument("--program", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    minicnn.set_num_threads(1)
    warnings.simplefilter("error", RuntimeWarning)  # as pytest has it: minicnn lets none of NumPy's out
    if options.program is not None:
        return _one(options.program)
    return _many(options.seconds, options.seed, options.shrink)


def _one(seed: int) -> int:
    print(program_of(seed).source, "\n")
    found = difference(program_of(seed).source)
    print(shrink(found) if found else "agrees")
    return found is not None


def _many(seconds: float, first: int, most_shrunk: int) -> int:
    end = time.monotonic() + seconds
    counts, totals, shortest = Counter(), Counter(), {}
    seed = first << 32
    while time.monotonic() < end:
        program = program_of(seed)
        theirs = run(program.source, torch)
        found = difference(program.source, theirs=theirs)
        counts.update(program.counts)
        totals.update(programs=1, dropped=program.dropped, errors=theirs.error is not None, differ=found is not None)
        if found and totals["differ"] <= most_shrunk:
            _report(shrink(found), seed, shortest)
        seed += 1
    _summary(counts, totals, shortest)
    return bool(totals["differ"])


def _report(found: Difference, seed: int, shortest: dict[str, int]) -> None:
    """Show a shortest program, unless one that calls the same functions and differs in the same way was shown."""
    sort = f"{found.kind} {sorted(set(re.findall(r'[A-Za-z_]+(?=[(])', found.source)))}"
    if sort not in shortest:
        print(f"--- program {seed} ({found.kind})\n{found.what}\n\n{found.source}\n", flush=True)
    shortest.setdefault(sort, seed)


def _summary(counts: Counter, totals: Counter, shortest: dict[str, int]) -> None:
    operations = sum(counts.values())
    print(f"{totals['programs']} programs of {operations} operations")
    print(f"{totals['errors']} ended in an error from PyTorch")
    dropped = totals["dropped"] / max(operations + totals["dropped"], 1)
    print(f"{totals['dropped']} operations ({dropped:.1%}) drawn in vain: refused, or in the way of a backward pass")
    print(f"{totals['differ']} programs differ, in {len(shortest)} ways that were looked at")
    print(", ".join(f"{name} {counts[name]}" for name in sorted(OPERATIONS, key=lambda name: -counts[name])))


if __name__ == "__main__":
    sys.exit(main())
