"""A script that shows one mistake by itself: it needs NumPy and the judged file, and nothing of minicnn."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.testing.case import Case
from minicnn.testing.expected import expected
from minicnn.testing.findings import Finding, allowed_error
from minicnn.testing.process import packed
from minicnn.testing.target import Binding

HEAD = '''"""{sentence}

Run it: it calls the function on the smallest case found and compares the answer with the right one.
"""

import importlib.util
import sys

import numpy as np

'''
LAID = '''
def laid(values, dtype, shape, strides, offset, size, locked=False, shift=0):
    """An array with these values whose elements lie in memory as they did."""
    memory = np.zeros(size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset + shift
    array = np.ndarray(shape, dtype, memory.data, start, strides)
    array[...] = np.array(values, dtype).reshape(shape)
    array.flags.writeable = not locked
    return array

'''
COMPARE = """
inputs = {inputs}
before = {{name: array.copy() for name, array in inputs.items()}}
{call}
names = {names}
wrong = []
if isinstance(results, dict):
    results = list(results.values())
elif not isinstance(results, (tuple, list)):
    results = [results]
results = [one for one in results if one is not None] or [None]
for name, received in zip(names, results):
    right, allowed = expected[name], tolerance[name]
    print(name, "expected", right, "received", received, sep="\\n")
    if type(received).__name__ not in ("ndarray", right.dtype.name, "float"):
        wrong.append(f"{{name}} is of type {{type(received).__name__}}")
        continue
    received = np.asarray(received)
    if received.dtype != right.dtype:
        wrong.append(f"{{name}} has dtype {{received.dtype}}, expected {{right.dtype}}")
    if received.shape != right.shape:
        wrong.append(f"{{name}} has shape {{received.shape}}, expected {{right.shape}}")
    else:
        with np.errstate(all="ignore"):
            near = np.abs(received.astype(float) - right) <= allowed
        near |= (received == right) | (np.isnan(received) & np.isnan(right))
        for at in map(tuple, np.argwhere(~near)):
            wrong.append(f"{{name}}{{list(map(int, at))}} is {{received[at]}}, expected {{right[at]}}")
wrong += [f"{{name}} was changed" for name in inputs if not np.array_equal(inputs[name], before[name], equal_nan=True)]
print("\\n".join(wrong) or "right")
raise SystemExit(bool(wrong))
"""


def script(
    finding: Finding,
    sentence: str,
    places: Mapping[str, Any],
    bindings: Mapping[str, Binding],
    takes: str,
    factor: float | None,
) -> str | None:
    """The text of the script; None for a function that no file has, or tensors.

    Args:
        finding: in its smallest case.
        sentence: what is wrong.
        places: where the forward and the backward are.
        bindings: how they are called.
        takes: what the function's arrays are.
        factor: of the rounding bound, if stated.
    """
    backward = "gradient" in finding.what and "backward" in places
    which = "backward" if backward or "forward" not in places else "forward"
    where = importable(places[which])
    if where is None or takes != "numpy" or ("gradient" in finding.what and which == "forward"):
        return None
    case = finding.case
    exact = expected(case, which == "backward", factor)
    names = [name for name in exact.values if name.startswith("the gradient") == (which == "backward")]
    arrays = {name: array for name, array in case.arrays.items() if array is not None}
    if which == "backward":
        arrays = {"grad_output": case.grad_output(exact.values["y"].shape)} | arrays
    told = sentence.replace("\\", "\\\\").replace('"', "'")
    lines = [HEAD.format(sentence=told)]
    if any(not array.flags.c_contiguous or not array.flags.writeable for array in arrays.values()) or case.shift:
        lines.append(LAID)
    lines += [f"{name} = {literal(array, case.shift)}\n" for name, array in arrays.items()]
    rounded = {name: exact.values[name].astype(case.dtype) for name in names}
    lines.append(f"expected = {{{entries(rounded)}}}\n")
    allowed = {
        name: np.array(allowed_error(case, exact.values[name], exact.magnitudes[name], factor)) for name in names
    }
    lines.append(f"tolerance = {{{entries(allowed)}}}\n\n")
    lines.append(loading(where))
    inputs = "{" + ", ".join(f'"{n}": {n}' for n in arrays if n not in case.operation.updates) + "}"
    result = f"results = function({arguments(case, bindings[which], arrays)})"
    if case.operation.updates and which == "forward":
        changed = ", ".join(name for name in names if name != "y")
        result += f"\nresults = [results, {changed}]" if changed else ""
    lines.append(COMPARE.format(inputs=inputs, call=result, names=names))
    return "".join(lines)


def importable(place: Any) -> dict[str, str] | None:
    """Where a function is, if a script can load it."""
    if isinstance(place, str):  # a program
        return None
    if not callable(place):
        return place if "file" in place or "module" in place else None
    name = getattr(place, "__qualname__", "<")
    file = inspect.getsourcefile(inspect.unwrap(place)) if hasattr(place, "__code__") else None
    return None if "<" in name or file is None else {"file": str(Path(file).resolve()), "name": name}


def loading(where: Mapping[str, str]) -> str:
    """Lines that bind `function`."""
    if "file" in where:
        path = Path(where["file"]).resolve()
        load = (
            f"path = {str(path)!r}\nsys.path.insert(0, {str(path.parent)!r})\n"
            f"spec = importlib.util.spec_from_file_location({path.stem!r}, path)\n"
            "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        )
    else:
        load = f"sys.path.insert(0, '.')\nmodule = importlib.import_module({where['module']!r})\n"
    return f"{load}function = module.{where['name']}\n"


def arguments(case: Case, binding: Binding, arrays: Mapping[str, np.ndarray]) -> str:
    """The call's arguments as Python writes them."""

    def value(name: str) -> str:
        if name in arrays:
            return name
        return repr(None if name in case.arrays else case.options.get(name, case.operation.options.get(name)))

    return ", ".join(
        [*map(value, binding.positional), *(f"{own}={value(name)}" for own, name in binding.named.items())]
    )


def entries(arrays: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name!r}: {plain(array)}" for name, array in arrays.items())


def plain(array: np.ndarray) -> str:
    """A contiguous array as Python writes it."""
    numbers = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({numbers}, np.{array.dtype.name}).reshape({array.shape})"


def literal(array: np.ndarray, shift: int) -> str:
    """An array that lies in memory as it does here."""
    if array.flags.c_contiguous and array.flags.writeable and not shift:
        return plain(array)
    raw, offset, *_ = packed(array)
    values = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    tail = f"{array.strides}, {offset}, {len(raw)}, {not array.flags.writeable}, {shift}"
    return f"laid({values}, np.{array.dtype.name}, {array.shape}, {tail})"
