"""A differing program made as short and as small as it can be.

A program is text: lines are left out, results replaced by operands or by new leaves, options left out, numbers made
smaller, as long as the same kind of difference stays.
"""

import re
from collections.abc import Iterator

import torch

from .comparing import Difference, difference
from .draft import TOKEN
from .running import execute, names_of, statements

MOST_TRIES = 1000

ASSIGNED = re.compile(r"(t\d+) = (?!T\.from_numpy)")


def shrink(found: Difference) -> Difference:
    """The smallest program found that differs in the same way."""
    tries, tried = 0, {found.source}
    better = True
    while better:
        better = False
        for candidate in _smaller(found.source):
            if candidate in tried or tries == MOST_TRIES:
                continue
            tried.add(candidate)
            tries += 1
            smaller = _differs(candidate, found.kind)
            if smaller:
                found, better = smaller, True
                break
    return found


def _differs(source: str, kind: str) -> Difference | None:
    try:
        found = difference(source)
    except (SyntaxError, ValueError, MemoryError):
        return None
    return found if found and found.kind == kind and "NameError" not in found.what else None


def _smaller(source: str) -> Iterator[str]:
    """Programs that are simpler by one step, the largest steps first."""
    lines = list(statements(source))
    for length in (8, 4, 2, 1):
        for start in range(len(lines) - length, -1, -1):
            yield "\n".join(lines[:start] + lines[start + length :])
    yield from _cut(lines)
    for i, line in enumerate(lines):
        for simpler in _simpler(line):
            yield "\n".join([*lines[:i], simpler, *lines[i + 1 :]])


def _cut(lines: list[str]) -> Iterator[str]:
    """Programs in which a tensor is one of its operands, or a leaf, instead of the result of an operation."""
    names = names_of(torch)
    for i, line in enumerate(lines):
        try:
            execute(line, names)
        except Exception:
            return
        assigned = ASSIGNED.match(line)
        if not assigned:
            continue
        name = assigned[1]
        for operand in dict.fromkeys(re.findall(r"\bt\d+\b", line[assigned.end() :])):
            yield "\n".join(lines[:i] + [re.sub(rf"\b{name}\b", operand, other) for other in lines[i + 1 :]])
        result = names[name]
        if isinstance(result, torch.Tensor) and result.dtype == torch.float64:
            shape = "".join(f"{n}, " for n in result.shape)
            for ending in ("", ".requires_grad_()"):
                leaf = f"{name} = T.from_numpy(reals({shape}seed={i})){ending}"
                yield "\n".join([*lines[:i], leaf, *lines[i + 1 :]])


def _simpler(line: str) -> Iterator[str]:
    """The line without an option, or with one number smaller."""
    if "dropout" in line:  # random with other options
        return
    for start, end in _options(line):
        yield line[:start] + line[end:]
    for form, simple in (
        (r"\.requires_grad_\(\)", ""),
        (r"with T\.no_grad\(\): ", ""),
        (r"\.contiguous\(\)", ""),
        (r"\)\.transpose\([\d, ]+\)", ")"),
        (r"strided\((\w+\([^)]*\))\)", r"\1"),
        (r"\) / \d+", ")"),
        (r", seed=\d+", ""),
        (r"\(seed=\d+", "("),
        (r"integers\(", "reals("),
    ):
        if re.search(form, line):
            yield re.sub(form, simple, line, count=1)
    for place in TOKEN.finditer(line):
        if place[0].startswith("t"):
            continue
        n = int(place[0])
        least = 1 if "from_numpy" in line or "expand(" in line else 0  # a smaller tensor, not an empty one
        sign = -1 if n < 0 else 1
        for smaller in dict.fromkeys(m for m in (0, 1, 2, abs(n) - 1) if least <= m < abs(n)):
            yield line[: place.start()] + str(sign * smaller) + line[place.end() :]


def _options(line: str) -> Iterator[tuple[int, int]]:
    """Where `, argument` stands in the line, inside one pair of parentheses."""
    depth, starts = 0, []
    for i, sign in enumerate(line):
        if sign in ",)]" and starts and starts[-1][1] == depth:
            yield starts.pop()[0], i
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == ",":
            starts.append((i, depth))
