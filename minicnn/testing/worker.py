"""The process in which a judged function runs: it loads the function, calls it on copies, and tells what happened.

Started as a program of its own (`python -P worker.py`), or as a fork of the judge for functions that only exist in
memory. It imports NumPy and nothing of minicnn, so that it starts fast and knows no answers. Requests arrive pickled,
from the judge; what goes back is JSON followed by raw bytes, so that nothing the function made is ever executed by
the judge.
"""

import contextlib
import ctypes
import importlib
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

GUARD = 64
"""Bytes before and behind every array, and the alignment of arrays that are aligned."""
MARK = 0xA5
SET_PARENT_DEATH_SIGNAL = 1  # of <linux/prctl.h>


class Placed:
    """An input array in memory of its own, between guards, and what every byte of it was before the call."""

    def __init__(self, raw: bytes, offset: int, dtype: str, shape: tuple, strides: tuple, lock: bool, shift: int):
        memory = np.full(len(raw) + 3 * GUARD, MARK, np.uint8)
        start = -memory.ctypes.data % GUARD + GUARD + shift
        memory[start : start + len(raw)] = np.frombuffer(raw, np.uint8)
        self.memory, self.before = memory, memory.copy()
        self.inside = slice(start, start + len(raw))
        self.array = np.ndarray(shape, dtype, memory.data, start + offset, strides)
        self.array.flags.writeable = not lock

    @property
    def changed(self) -> bool:
        """Whether a byte of the array, or one between its elements, was written to."""
        return not np.array_equal(self.memory[self.inside], self.before[self.inside])

    @property
    def overrun(self) -> bool:
        """Whether a byte outside the array was written to."""
        same = self.memory == self.before
        same[self.inside] = True
        return not same.all()


def load(where: dict[str, str]) -> Any:
    """The function that a target names: {"file" or "module": …, "name": …}."""
    if "file" in where:
        path = Path(where["file"]).resolve()
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, os.getcwd())
        module = importlib.import_module(where["module"])
    found: Any = module
    for part in where["name"].split("."):
        if not hasattr(found, part):
            raise NotAFunctionError(f"there is no function {where['name']}{_functions(module)}")
        within, found = found, getattr(found, part)
    if not callable(found):
        raise NotAFunctionError(
            f"{where['name']} is of type {type(found).__name__}, not a function{_functions(module)}"
        )
    if inspect.isclass(found) or (
        inspect.isclass(within) and next(iter(inspect.signature(found).parameters), "") == "self"
    ):
        what = "a class" if inspect.isclass(found) else "a method"
        raise NotAFunctionError(f"{where['name']} is {what}; name a function, such as one that calls it on an object")
    return found


class NotAFunctionError(Exception):
    """A target is there, or its file is, but nothing that can be called."""


def _functions(module: Any) -> str:
    names = [
        name for name, one in vars(module).items() if inspect.isfunction(one) and one.__module__ == module.__name__
    ]
    return f"; it has {', '.join(names)}" if names else ""


def parameters(function: Any) -> list[tuple[str, str, bool, Any, bool]] | None:
    """What a function takes, or None for what has no signature.

    Returns: of every parameter its name, its kind, whether it has a default, the default ("…" for objects), and whether
        it is annotated as an int and nothing else.
    """
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    plain = (int, float, str, bool, type(None))
    return [
        (
            p.name,
            p.kind.name,
            p.default is not p.empty,
            p.default if isinstance(p.default, plain) else "…",
            p.annotation in (int, "int"),
        )
        for p in found
    ]


def limit_memory(allowed: int, pid: int = 0) -> None:
    """Let a process, this one or that of `pid`, take no more than `allowed` bytes beyond what this one has."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux
        used = 2**32
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = used + allowed
    limits = (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
    if not pid:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    elif sys.platform == "linux":  # no other system limits a process from outside
        with contextlib.suppress(ProcessLookupError):  # it has ended
            resource.prlimit(pid, resource.RLIMIT_AS, limits)


def describe(result: Any, takes: str) -> tuple[dict, bytes | None]:
    """A result's type, and its dtype, shape and bytes if it is an array (or what `takes` calls one)."""
    kind = type(result)
    name = kind.__name__ if kind.__module__ in ("builtins", "numpy", "torch") else f"{kind.__module__}.{kind.__name__}"
    if takes != "numpy" and kind.__name__ in ("Tensor", "Parameter"):
        result, name = np.asarray(result.detach().numpy()), "ndarray"
    if isinstance(result, np.ma.MaskedArray):
        name = "numpy.ma.MaskedArray"
    if isinstance(result, (float, int)) and not isinstance(result, (bool, np.generic)):
        return {"type": name, "value": float(result)}, None
    if not isinstance(result, (np.ndarray, np.generic)):
        if isinstance(result, (tuple, list)):
            return {"type": f"{name} of {len(result)}"}, None
        return {"type": name}, None
    array = np.asarray(result)
    if array.dtype.kind not in "fiubc":
        return {"type": name, "dtype": str(array.dtype)}, None
    told = {"type": "ndarray" if isinstance(result, np.generic) else name, "dtype": array.dtype.str}
    return told | {"shape": list(array.shape)}, array.tobytes()


def items(result: Any, many: bool) -> tuple[list[str] | None, list[Any]]:
    """Keys and values of what came back: of a backward a tuple, a dict or one array, of a forward one result."""
    if not many:
        return None, [result]
    if isinstance(result, dict):
        return [str(key) for key in result], list(result.values())
    return None, list(result) if isinstance(result, (tuple, list)) else [result]


class Caller:
    """Calls functions as requests say, twice each, and remembers the previous answer."""

    def __init__(self, functions: dict[str, Any], takes: str) -> None:
        self.functions, self.takes = functions, takes
        self.previous: list[tuple[np.ndarray, np.ndarray]] = []

    def __call__(self, request: dict) -> tuple[dict, list[bytes]]:
        """The header and the raw arrays that answer a request."""
        turns, raws = [], []
        header: dict[str, Any] = {"changed": [], "overrun": [], "aliases": [], "previous": False}
        started = time.perf_counter()
        for turn in range(request.get("turns", 2)):
            placed = {name: Placed(*one) for name, one in request["arrays"].items()}
            keys, results = self._call(request, placed)
            if turn == 0:
                header["seconds"] = time.perf_counter() - started
            self._notice(header, request, placed, results)
            results += [placed[name].array for name in request["updates"]]
            told = [describe(one, self.takes) for one in results]
            turns.append({"keys": keys, "results": [one for one, _ in told]})
            raws.append([raw for _, raw in told if raw is not None])
        if len(turns) > 1 and turns[0] == turns[1] and raws[0] == raws[1]:
            del turns[1], raws[1]
        return header | {"outcome": "answered", "turns": turns}, [raw for turn in raws for raw in turn]

    def _call(self, request: dict, placed: dict[str, Placed]) -> tuple[list[str] | None, list[Any]]:
        function = self.functions[request["function"]]
        arrays: dict[str, Any] = {name: one.array for name, one in placed.items()}
        if self.takes != "numpy":
            return self._call_on_tensors(function, request, arrays)
        positional = [arrays.get(value) if kind == "array" else value for kind, value in request["positional"]]
        named = {name: arrays.get(v) if kind == "array" else v for name, (kind, v) in request["named"].items()}
        return items(function(*positional, **named), request["many"])

    def _call_on_tensors(self, function: Any, request: dict, arrays: dict) -> tuple[list[str] | None, list[Any]]:
        library = importlib.import_module(self.takes)
        graph = request.get("graph", ())
        tensors = {}
        for name, array in arrays.items():
            tensors[name] = library.from_numpy(array)
            if name in graph:
                tensors[name].requires_grad_(True)
        positional = [tensors.get(value) if kind == "array" else value for kind, value in request["positional"]]
        named = {name: tensors.get(v) if kind == "array" else v for name, (kind, v) in request["named"].items()}
        result = function(*positional, **named)
        if not graph:
            return items(result, request["many"])
        result.backward(library.from_numpy(arrays["grad_output"].copy()))
        return list(graph), [tensors[name].grad for name in graph]

    def _notice(self, header: dict, request: dict, placed: dict[str, Placed], results: list[Any]) -> None:
        """Note inputs that were changed, and results whose memory isn't theirs alone."""
        arrays = [one for one in results if isinstance(one, np.ndarray) and one.size]
        for name, one in placed.items():
            if one.changed and name not in request["may_change"] and name not in header["changed"]:
                header["changed"].append(name)
            if one.overrun and name not in header["overrun"]:
                header["overrun"].append(name)
            shared = any(np.may_share_memory(result, one.memory) for result in arrays)
            if shared and name not in header["aliases"]:
                header["aliases"].append(name)
        for array, copy in self.previous:
            same_memory = any(np.may_share_memory(array, result) for result in arrays)
            if same_memory or not np.array_equal(array, copy, equal_nan=copy.dtype.kind in "fc"):
                header["previous"] = True
        self.previous = [(array, array.copy()) for array in arrays]


def told_of(error: BaseException, function: str) -> dict:
    """What an exception says, and the line of the judged file that raised it."""
    kind = type(error).__name__
    if isinstance(error, SystemExit):
        return {"outcome": "exited", "message": f"it called sys.exit({error.code!r})"}
    if isinstance(error, MemoryError):
        return {"outcome": "memory", "message": f"it takes more memory than there is ({error})"}
    text = " ".join(str(error).split())
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "site-packages" not in code.co_filename and code.co_filename != __file__ and code.co_filename[:1] != "<":
            place = f"{os.path.basename(code.co_filename)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return {"outcome": "raised", "error": kind, "message": f"{kind}: {text}" if text else kind, "place": place}


def die_with_parent() -> None:
    """Have the system end this process when the judge's does, even in the middle of a call; Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def serve(connection: Connection, functions: dict[str, Any] | None = None) -> None:
    """Answer requests until the judge hangs up. The first says what to load, unless `functions` are given."""
    die_with_parent()
    warnings.simplefilter("ignore")
    first = connection.recv()
    if functions is None:
        functions = {}
        for which, where in first["targets"].items():
            try:
                functions[which] = load(where)
            except BaseException as error:
                missing = error.name if isinstance(error, ModuleNotFoundError) else None
                send(connection, told_of(error, which) | {"target": which, "missing": missing}, [])
                return
    if first["takes"] != "numpy":
        try:
            importlib.import_module(first["takes"])
        except ImportError as error:
            told = {"outcome": "raised", "error": "ModuleNotFoundError", "message": str(error)}
            send(connection, told | {"target": "forward", "missing": first["takes"]}, [])
            return
    names = {which: parameters(function) for which, function in functions.items()}
    send(connection, {"outcome": "loaded", "parameters": names}, [])
    limit_memory(first["memory"])
    call = Caller(functions, first["takes"])
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        try:
            header, raws = call(request)
        except BaseException as error:
            header, raws = told_of(error, request["function"]), []
        try:
            send(connection, header, raws)
        except MemoryError:
            send(connection, {"outcome": "memory", "message": "not enough memory"}, [])


def send(connection: Connection, header: dict, raws: list[bytes]) -> None:
    """One answer: JSON, then the arrays' bytes."""
    connection.send_bytes(json.dumps(header).encode())
    for raw in raws:
        connection.send_bytes(raw)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
