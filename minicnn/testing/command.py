"""Programs in any language as judged functions: arrays by name in IN.npz, results by name in OUT.npz.

IN.npz, uncompressed and row-major, holds the arrays under F's names, `operation` as bytes, and the options: whole
numbers as int64 (sizes of windows always as pairs, truth as 0 or 1), other numbers as float64, words as bytes; what is
None is left out. OUT.npz holds `y`; of a backward `grad_input`, `grad_weight` and so on; of a batch_norm the new
`running_mean` and `running_var`, too.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.testing.process import CannotTryError, Reply, Result, how_a_process_ended
from minicnn.testing.worker import Placed, limit_memory

IN, OUT = "IN.npz", "OUT.npz"
PAIRS = ("stride", "padding", "dilation", "kernel_size", "output_padding", "output_size")
"""Options of which there is one for the height and one for the width."""


def is_command(target: Any) -> bool:
    """Whether a target is a program rather than a function."""
    return isinstance(target, str) and IN in target


def as_array(name: str, value: Any) -> np.ndarray:
    """An option as it stands in the file."""
    if isinstance(value, str):
        return np.array(value.encode())
    if name in PAIRS and not isinstance(value, tuple):
        value = (value, value)
    if name == "output_size":
        value = tuple(-1 if one is None else one for one in value)
    return np.array(value, np.float64 if isinstance(value, float) else np.int64)


@dataclass
class Program:
    """A judged program, asked as `minicnn.testing.process.Process` is.

    Attributes:
        commands: the command lines of the forward, the backward or both.
        timeout: seconds after which a call counts as hung.
        memory: bytes that it may take.
    """

    commands: dict[str, str]
    timeout: float
    memory: int
    parameters: dict[str, list | None] = field(default_factory=dict)
    _folder: Any = None
    _words: dict[str, list[str]] = field(default_factory=dict)

    def start(self) -> None:
        """Find the programs.

        Raises:
            CannotTryError: there is none of that name, or the command names no files.
        """
        for which, command in self.commands.items():
            try:
                words = shlex.split(command)
            except ValueError as error:
                raise CannotTryError(f"the command {command!r} can't be read: {error}") from None
            if IN not in command or OUT not in command:
                raise CannotTryError(f"the command needs {IN} and {OUT}, which stand for two files: ./mine {IN} {OUT}")
            if shutil.which(words[0]) is None:
                raise CannotTryError(f"there is no program {words[0]}")
            self._words[which] = words
            self.parameters[which] = None
        self._folder = tempfile.TemporaryDirectory(prefix="minicnn_check_")

    def stop(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def ask(self, request: dict, patience: float = 1.0) -> Reply:
        """Run a program twice on the same arrays."""
        first = self._run(request, patience)
        if first.outcome != "answered":
            return first
        second = self._run(request, patience)
        if second.outcome != "answered":
            return second
        return first if _same(first, second) else Reply(**{**vars(first), "again": second.results})

    def _run(self, request: dict, patience: float) -> Reply:
        files = {IN: os.path.join(self._folder.name, IN), OUT: os.path.join(self._folder.name, OUT)}
        with contextlib.suppress(FileNotFoundError):
            os.remove(files[OUT])
        arrays = {name: np.ascontiguousarray(Placed(*one).array) for name, one in request["arrays"].items()}
        options = {own: value for own, (kind, value) in request["named"].items() if kind == "value"}
        told = {name: as_array(name, value) for name, value in options.items() if value is not None}
        np.savez(files[IN], operation=np.array(request["operation"].encode()), **arrays, **told)  # type: ignore[arg-type]
        words = [files.get(word, word) for word in self._words[request["function"]]]
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            limit_memory(self.memory, process.pid)  # not before it runs, which would copy this whole process for it
        except OSError as error:
            return Reply("raised", f"it can't be run: {error.strerror}")
        try:
            said, _ = process.communicate(timeout=self.timeout * patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Reply("hung", f"it did not return within {self.timeout * patience:g} seconds")
        seconds = time.perf_counter() - started
        if process.returncode < 0:
            return Reply("died", how_a_process_ended(process.returncode))
        if process.returncode:
            last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            return Reply("raised", f"it ended with status {process.returncode}: {last[0]}")
        return self._read(request, Path(files[OUT]), seconds)

    def _read(self, request: dict, out: Path, seconds: float) -> Reply:
        if not out.exists():
            return Reply("raised", f"it wrote no {OUT}")
        try:
            with np.load(out, allow_pickle=False) as found:
                results = {name: found[name] for name in found.files}
        except (OSError, ValueError, KeyError, EOFError) as error:
            return Reply("raised", f"its {OUT} can't be read: {' '.join(str(error).split())}")
        except Exception as error:  # a broken zip raises what it likes
            return Reply("raised", f"its {OUT} can't be read: {type(error).__name__}: {error}")
        if request["many"]:
            keys = tuple(results)
            return Reply("answered", results=tuple(map(_result, results.values())), keys=keys, seconds=seconds)
        missing = [name for name in ("y", *request["updates"]) if name not in results]
        if missing:
            return Reply("raised", f"its {OUT} holds no {missing[0]}, but {', '.join(results) or 'nothing'}")
        ordered = [results[name] for name in ("y", *request["updates"])]
        return Reply("answered", results=tuple(map(_result, ordered)), seconds=seconds)


def _result(array: np.ndarray) -> Result:
    return Result("ndarray", array) if array.dtype.kind in "fiubc" else Result(f"array of {array.dtype}")


def _same(first: Reply, second: Reply) -> bool:
    return len(first.results) == len(second.results) and all(
        a.type == b.type and a.array is not None and b.array is not None and a.array.tobytes() == b.array.tobytes()
        for a, b in zip(first.results, second.results, strict=True)
    )
