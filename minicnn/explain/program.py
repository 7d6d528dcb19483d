"""The same operation as a program for PyTorch, and whether that gives the same numbers."""

import contextlib
import importlib.util
import inspect
import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.explain.given import WIDTH, Given
from minicnn.explain.results import CHOOSES
from minicnn.nn import functional as F

if TYPE_CHECKING:
    from minicnn.explain.explanation import Explanation

POSITIONAL = {"batch_norm": ("running_mean", "running_var"), "cross_entropy": ("target",)}
"""The arrays that follow the input in the call; weight and bias, unless it says otherwise."""
INSTALL = 'pip install "torch>=2.14"'
ROUNDING = 2.0**-40
"""Sums in another order differ by some units of 2⁻⁵² of their largest term; what differs by more is another number."""


def program(explanation: "Explanation") -> str:
    """Lines for PyTorch: the arrays, the call, the backward, and what to print."""
    op, arrays = explanation.op, explanation.arrays
    differentiable = [name for name in arrays if f"grad_{name}" in explanation.results]
    lines = [f"{_variable(name)} = {_tensor(name, given, name in differentiable)}" for name, given in arrays.items()]
    lines += [_call(op, arrays, explanation.options)]
    lines += [f"grad_output = {_tensor('grad_output', explanation.results['grad_output'], False)}"]
    lines += ["y.backward(grad_output)"]
    printed = ["y", *(f"{_variable(name)}.grad" for name in differentiable)]
    lines += [f'print({", ".join(printed)}, sep="\\n")']
    text = "\n".join(lines)
    imports = ["import numpy as np"] if "np." in text else []
    imports += ["import torch", "import torch.nn.functional as F"]
    imports += ["from minicnn.explain import sources"] if "sources." in text else []
    special = [word for word in ("inf", "nan") if not all(map(_is_finite, _all_arrays(explanation))) and word in text]
    imports += [f"from math import {', '.join(special)}"] if special else []
    return "\n".join([*imports, text])


def _all_arrays(explanation: "Explanation") -> list[np.ndarray]:
    return [given.array for given in (*explanation.arrays.values(), explanation.results["grad_output"])]


def _is_finite(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all())


def _variable(name: str) -> str:
    return {"input": "x", "output": "y"}.get(name, name)


def _tensor(name: str, given: Given, differentiable: bool) -> str:
    """`torch.tensor(…)` in lines of at most WIDTH characters, where the code of the numbers allows it."""
    start = f"{_variable(name)} = torch.tensor("
    options = ["dtype=torch.float64"] if given.array.dtype.kind == "f" else []
    options += ["requires_grad=True"] if differentiable else []
    numbers = given.literal(prefix=start)
    rest = ", ".join(["", *options]) + ")"
    if options and ("\n" in numbers or len(start) + len(numbers) + len(rest) > WIDTH):
        indent = 4 if numbers.startswith("\n") else len(start)
        rest = f",\n{' ' * indent}{', '.join(options)})"
    return f"torch.tensor({numbers}{rest}"


def _call(op: str, arrays: Any, options: Any) -> str:
    defaults = {name: one.default for name, one in inspect.signature(getattr(F, op)).parameters.items()}
    needed = POSITIONAL.get(op, ())
    first = [name if name in arrays else "None" for name in needed]
    first = first or [name for name in ("weight", "bias") if name in defaults and name in arrays]
    words = ["x", *first, *(f"{name}={name}" for name in arrays if name not in ("input", *first))]
    words += [f"{name}={_shorter(value)!r}" for name, value in options.items() if _shorter(value) != defaults[name]]
    if op in CHOOSES:
        return _filled(f"y, indices = F.{op}(", [*words, "return_indices=True"])
    return _filled(f"y = F.{op}(", words)


def _filled(start: str, words: list[str]) -> str:
    """A call in lines of at most WIDTH characters."""
    lines = [start]
    for word in words:
        if len(lines[-1]) + len(word) > WIDTH - 2:
            lines.append(" " * len(start))
        lines[-1] += f"{word}, "
    return "\n".join(line.rstrip() for line in lines)[:-1] + ")"


def _shorter(value: Any) -> Any:
    """One number for two equal ones."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def agreement(explanation: "Explanation") -> str:
    """A sentence: whether PyTorch gives the same numbers, or how to install it."""
    if importlib.util.find_spec("torch") is None:
        return f"PyTorch is not installed, so nothing was compared: {INSTALL}"
    arrays = [*explanation.arrays.values(), explanation.results["grad_output"]]
    names: dict[str, Any] = {given.name: given.array for given in arrays if given.name}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(explanation.program(), names)  # these lines are ours: what is compared is what is printed
    wrong, largest = [], 0.0
    for name, given in explanation.results.items():
        if name == "grad_output":
            continue
        theirs = names[_variable(name.removeprefix("grad_"))]
        theirs = theirs.grad if name.startswith("grad_") else theirs
        difference = _difference(given.array, theirs.detach().numpy())
        largest = max(largest, difference)
        if difference > ROUNDING * max(1.0, np.abs(given.array[np.isfinite(given.array)]).max(initial=0)):
            wrong.append(name)
    version = names["torch"].__version__.partition("+")[0]
    if wrong:
        return f"PyTorch {version} gives other numbers: {', '.join(wrong)} differ by up to {largest:.2g}."
    if largest:
        return f"PyTorch {version} gives the same numbers within rounding (at most {largest:.2g} apart)."
    return f"PyTorch {version} gives the same numbers, forward and backward."


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference; infinite where shapes, NaN or infinity differ."""
    if ours.shape != theirs.shape:
        return np.inf
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        apart = np.abs(ours - theirs)[~same]
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0))
