"""A failure in words: the call, its arrays, what was expected beside what came, and what the mistake is."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.learn.drawings import compared, matrices
from minicnn.learn.trial import Answer, Failure, own_line, same

MOST = 100
"""Numbers of an array that is drawn."""


def told(failure: Failure, path: Path, width: int) -> str:
    """What to tell the learner about the smallest case that failed."""
    lines = []
    error = failure.received.error
    if isinstance(error, NotImplementedError):
        where, first = own_line(error, str(path)), failure.case.function
        return f"{path.name}, {where}: still empty." + (f" {first} is asked first." if first else "")
    if failure.mistake:
        lines += [failure.mistake, ""]
    lines.append(f"{failure.case.told}   ({failure.wrong} of {failure.tried} calls go wrong; this is the first)")
    drawn = {name: array for name, array in failure.case.arrays.items() if array.size <= MOST}
    if drawn:
        lines += ["", matrices(width, **drawn)]
    lines += ["", *_difference(failure.expected, failure.received, path, width)]
    return "\n".join(
        "\n".join(textwrap.wrap(line, width, break_on_hyphens=False)) if "\n" not in line else line for line in lines
    )


def _difference(expected: Any, received: Answer, path: Path, width: int) -> list[str]:
    if received.error is not None:
        where = own_line(received.error, str(path))
        kind = type(received.error).__name__
        return [f"It raised {kind}{f' in {where}' if where else ''}: {received.error}"]
    value = received.value
    if value is None:
        return ["It returned None. Is there a `return`?"]
    if isinstance(expected, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(expected) or _short(expected):
            return [f"expected  {_written(expected)}", f"received  {_written(value)}"]
        k = next(k for k, (a, b) in enumerate(zip(expected, value, strict=True)) if not same(a, b))
        return [f"Result {k + 1} of {len(expected)}:", *_difference(expected[k], Answer(value[k]), path, width)]
    if isinstance(expected, dict):
        return [f"expected  {_written(expected)}", f"received  {_written(value)}"]
    a, b = np.asarray(expected), np.asarray(value)
    if expected is None:
        return ["expected  None", f"received  {_written(value)}"]
    if a.shape != b.shape:
        return [f"expected shape {a.shape}, received {b.shape}"]
    if a.ndim == 0 or b.dtype == object:
        return [f"expected  {_written(expected)}", f"received  {_written(value)}"]
    return [compared(width, a, b)]


def _short(items: Any) -> bool:
    return not any(isinstance(one, np.ndarray) for one in items)


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_written(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return (
            f"[{', '.join(map(_written, value))}]"
            if isinstance(value, list)
            else f"({', '.join(map(_written, value))})"
        )
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"{value:g}" if isinstance(value, (float, np.floating)) else repr(value)


def failed_to_run(error: BaseException, path: Path) -> str:
    """Why the file could not be executed."""
    if isinstance(error, SyntaxError):
        return f"{path.name}, line {error.lineno}: {error.msg}."
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("learn_"):
        return f"{path.name} imports {error.name}, which is not in {path.parent}: that chapter comes first."
    where = own_line(error, str(path))
    return f"{path.name}{f', {where}' if where else ''} raised {type(error).__name__}: {error}"
