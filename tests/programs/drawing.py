"""Random programs, each from a seed of its own."""

import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import torch

from . import operations as _operations  # fills the table
from .draft import TOKEN, Draft, RefusedError
from .table import OPERATIONS, STATEMENT, VIEW, Operation

FEWEST, MOST = 15, 28
"""Operations of a program, not counting its leaves and its last backward passes."""

MOST_PASSES = 6

assert _operations


@dataclass
class Program:
    """A random program.

    Attributes:
        source: what to run.
        seed: what it was drawn from.
        counts: how often it has each operation of the table.
        dropped: operations that PyTorch refused, or that would have broken a later backward pass, taken out again.
    """

    source: str
    seed: int
    counts: Counter = field(default_factory=Counter)
    dropped: int = 0

    def __repr__(self) -> str:
        return f"\n{self.source}\n"


def program_of(seed: int) -> Program:
    """The program that belongs to a seed: FEWEST to MOST operations, then up to MOST_PASSES backward passes."""
    weighted = [operation for operation in OPERATIONS.values() for _ in range(operation.weight)]
    draft, program = Draft(Random(seed)), Program("", seed)
    for _ in range(draft.integer(FEWEST, MOST)):
        operation = draft.pick(weighted)
        before = len(draft.lines)
        _add(draft, operation)
        if _breaks(draft, operation) and not draft.chance(6):
            draft.undo(before)
            program.dropped += 1
        else:
            program.counts[operation.name] += 1
        if draft.error:
            break
    else:
        _walk_back(draft)
    program.source = "\n".join(draft.lines)
    return program


def _add(draft: Draft, operation: Operation) -> None:
    """Write one operation, at times without recording it, at times spoilt."""
    try:
        line = operation.write(draft, draft.tensor()) if operation.kind == VIEW else operation.write(draft)
    except RefusedError as refused:
        draft.add(str(refused))
        return
    if draft.error:
        return
    if operation.kind != STATEMENT:
        line = f"{draft.new_name()} = {line}"
    if draft.chance(100):
        line = _spoilt(draft, line)
    if draft.chance(30) and not line.startswith("with "):
        line = f"with T.no_grad(): {line}"
    known = set(draft.names)
    draft.add(line)
    if operation.kind != VIEW:
        _in_row_major_order(draft, [name for name in draft.names if name not in known])


def _in_row_major_order(draft: Draft, names: list[str]) -> None:
    """Copy results that PyTorch laid out as their operands lie; minicnn has an order of its own, views excepted."""
    for name in names:
        if isinstance(draft[name], torch.Tensor) and not draft[name].is_contiguous():
            draft.add(f"{name} = {name}.contiguous()")


def _spoilt(draft: Draft, line: str) -> str:
    """The line with one number or one tensor replaced by another; PyTorch refuses most of these."""
    start = line.find("=") + 1 if line.startswith("t") else 0
    places = list(TOKEN.finditer(line, start))
    if not places:
        return line
    place = draft.pick(places)
    tensors = draft.tensors("f") + draft.tensors("i")
    other = draft.pick(tensors) if tensors and place[0].startswith("t") else str(draft.integer(-3, 9))
    return line[: place.start()] + other + line[place.end() :]


def _breaks(draft: Draft, operation: Operation) -> bool:
    """Whether the last line raised, or changed in place what a backward pass needs."""
    if draft.error:
        return True
    if operation.kind != STATEMENT:
        return False
    roots = draft.roots()
    leaves = draft.tensors("f", lambda t: t.is_leaf and t.requires_grad)
    try:
        if roots and leaves:
            outputs, inputs = [draft[root].sum() for root in roots], [draft[leaf] for leaf in leaves]
            torch.autograd.grad(outputs, inputs, retain_graph=True, allow_unused=True)
    except RuntimeError:
        return True
    return False


def _walk_back(draft: Draft) -> None:
    """Backward passes from what nothing was computed with; the last one frees the graph."""
    roots = draft.roots()
    used = Counter(name for line in draft.lines for name in set(re.findall(r"\bt\d+\b", line)))
    ends = [root for root in roots if used[root] == 1] or roots
    chosen = [ends[i] for i in draft.permutation(len(ends))[:MOST_PASSES]]
    for root in chosen:
        kept = "" if root == chosen[-1] else ", retain_graph=True"
        draft.add(f"{root}.backward({gradient_for(draft, root)}{kept})")
        if draft.error:
            return


def gradient_for(draft: Draft, root: str) -> str:
    """The source of a gradient with respect to a tensor."""
    return f"T.from_numpy({draft.array(draft.shape(root))})"
