"""A script that shows one mistake by itself: it needs NumPy and what was judged, and nothing of minicnn."""

from collections.abc import Mapping

import numpy as np

from minicnn.testing.calling import array_of, calling, importable
from minicnn.testing.case import Case
from minicnn.testing.command import is_command
from minicnn.testing.expected import Expected, expected, grad_name
from minicnn.testing.findings import Finding, allowed_error
from minicnn.testing.process import packed
from minicnn.testing.target import How

HEAD = '''"""{sentence}

Run it: it calls what was judged on the smallest case found and compares the answer with the right one.
"""

{imports}

import numpy as np
{library}
'''
LAID = '''
around = []


def laid(values, dtype, shape, strides, offset, size, locked=False, shift=0):
    """An array with these values whose elements lie in memory as they did; bytes of 255 are NaN, in gaps and around."""
    memory = np.full(size + 256, 255, np.uint8)
    start = -memory.ctypes.data % 64 + 64 + shift
    array = np.ndarray(shape, dtype, memory, start + offset, strides)
    array[...] = np.array(values, dtype).reshape(shape)
    array.flags.writeable = not locked
    around.append((memory, slice(start, start + size)))
    return array


'''
COMPARE = """
inputs = {inputs}
before = {{name: array.copy() for name, array in inputs.items()}}
names = {names}
wrong = []
{watch}{call}
{more}if isinstance(results, dict):
    plain = {{key.removeprefix("grad_"): one for key, one in results.items()}}
    results = [plain.get(own, plain.get(name)) for own, name in {keys} if own in plain or name in plain]
elif len(results) == len({offered}):
    results = [one for one, name in zip(results, {offered}) if name in names]
if len(results) != len(names):
    wrong.append(f"there are {{len(results)}} results, expected {{len(names)}}")
for name, received in zip(names, results):
    right, allowed = expected[name], tolerance[name]
    print(name, "expected", right, "received", received, sep="\\n")
    if type(received) is float:
        received = right.dtype.type(received)
    if type(received).__name__ not in ("ndarray", right.dtype.name):
        wrong.append(f"{{name}} is of type {{type(received).__name__}}")
        continue
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
MORE = {
    "previous": """for one, other in zip(results, call()):
    if np.may_share_memory(one, other):
        wrong.append("what the second call returns lies in the memory of what the first returned")
""",
    "undetermined": """again = [call() for _ in range(10)]
for other in again:
    if any(not np.array_equal(one, two, equal_nan=True) for one, two in zip(results, other)):
        wrong.append("two calls with the same arrays give different answers")
        break
""",
    "alias": """for name, array in inputs.items():
    if any(np.may_share_memory(one, array) for one in results):
        wrong.append(f"what it returns lies in the memory of {name}")
""",
    "overrun": """for memory, inside in around:
    outside = memory.copy()
    outside[inside] = 255
    if (outside != 255).any():
        wrong.append("it wrote outside of an array")
""",
}
"""What else is looked at, by the kind of the finding."""
CALL = {
    "exited": """try:
    results = call()
except SystemExit as end:
    raise SystemExit(f"wrong: it called sys.exit({end.code!r})")
"""
}
"""How it is called where that needs care."""
WATCH = {"hung": "faulthandler.dump_traceback_later(30, exit=True)  # tells where it hangs, and ends it\n"}


def script(finding: Finding, sentence: str, how: How) -> str:
    """The text of the script.

    Args:
        finding: in its smallest case.
        sentence: what is wrong.
        how: how the judged functions are reached.
    """
    case, which = finding.case, finding.which
    exact = expected(case, which == "backward", how.factor)
    names = [name for name in exact.values if name.startswith("the gradient") == (which == "backward")]
    arrays = {name: array for name, array in case.arrays.items() if array is not None}
    if which == "backward":
        arrays = {"grad_output": case.grad_output(exact.values["y"].shape)} | arrays
    lines = [_head(finding, sentence, how)]
    always = finding.kind == "overrun"
    told = [f"{name} = {literal(array, case.shift, always)}\n" for name, array in arrays.items()]
    lines += [LAID, *told] if any("= laid(" in one for one in told) else told
    lines += _answers(case, names, exact, how)
    lines.append(calling(case, how, which, list(arrays), names))
    own = {meant: own for own, meant in how.bindings[which].own.items()} if which in how.bindings else {}
    floats = [name for name in case.operation.floats if which not in how.bindings or name in how.bindings[which].takes]
    lines.append(
        COMPARE.format(
            inputs="{" + ", ".join(f'"{n}": {n}' for n in arrays if n not in case.operation.updates) + "}",
            names=names,
            keys=[(own.get(array_of(name), array_of(name)), array_of(name)) for name in names],
            offered=[grad_name(name) for name in floats] if which == "backward" else names,
            call=CALL.get(finding.kind, "results = call()"),
            more=MORE.get(finding.kind, ""),
            watch=WATCH.get(finding.kind, ""),
        )
    )
    return "".join(lines)


def by_itself(finding: Finding, how: How) -> bool:
    """Whether the script runs as it is: what was judged is a program, or has a name in a file."""
    place = how.places.get(finding.which, how.places.get("forward"))
    return is_command(place) or importable(place, how.folder) is not None


def _head(finding: Finding, sentence: str, how: How) -> str:
    place = how.places.get(finding.which, how.places.get("forward"))
    modules = ["os", "subprocess", "tempfile"] if is_command(place) else ["importlib", "importlib.util", "sys"]
    modules = sorted([*modules, *(["faulthandler"] if finding.kind in WATCH else [])])
    library = f"import {how.takes}\n" if how.takes in ("torch", "minicnn") else ""
    told = sentence.replace("\\", "\\\\").replace('"', "'")
    return HEAD.format(sentence=told, imports="\n".join(f"import {one}" for one in modules), library=library)


def _answers(case: Case, names: list[str], exact: Expected, how: How) -> list[str]:
    """Lines with what is expected, and how far each number may be off."""
    rounded = {name: exact.values[name].astype(case.dtype) for name in names}
    allowed = {
        name: np.array(allowed_error(case, exact.values[name], exact.magnitudes[name], how.factor)) for name in names
    }
    return [f"expected = {{{entries(rounded)}}}\n", f"tolerance = {{{entries(allowed)}}}\n\n"]


def entries(arrays: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name!r}: {plain(array)}" for name, array in arrays.items())


def plain(array: np.ndarray) -> str:
    """A contiguous array as Python writes it."""
    if array.size > 1 and array.dtype.kind == "f" and not array.any() and not np.signbit(array).any():
        return f"np.zeros({array.shape}, np.{array.dtype.name})"
    numbers = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({numbers}, np.{array.dtype.name}).reshape({array.shape})"


def literal(array: np.ndarray, shift: int, always: bool = False) -> str:
    """An array that lies in memory as it does here; `always` with bytes around it that are watched."""
    if array.flags.c_contiguous and array.flags.writeable and not shift and not always:
        return plain(array)
    raw, offset, *_ = packed(array)
    values = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    tail = f"{array.strides}, {offset}, {len(raw)}, {not array.flags.writeable}, {shift}"
    return f"laid({values}, np.{array.dtype.name}, {array.shape}, {tail})"
