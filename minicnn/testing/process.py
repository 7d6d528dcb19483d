"""The judge's side of a judged function's process: start it, ask, and tell how it ended if it did."""

import contextlib
import ctypes
import dataclasses
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.testing import worker

MEMORY = 4 * 2**30
"""Bytes that a function may take beyond what its imports take."""
STARVED = 12
"""How many times as long as it may compute a function may take on a busy machine."""
SOON = 0.1
"""Seconds to wait for an answer before looking at how long the process computes."""
START = 120.0
"""Seconds that loading a function may take."""


class CannotTryError(Exception):
    """The function can't be judged at all; the message is all that its author needs."""


@dataclass(frozen=True)
class Result:
    """One result: its type's name and, if it is an array of numbers, the array."""

    type: str
    array: np.ndarray | None = None


@dataclass(frozen=True)
class Reply:
    """What came of a call.

    Attributes:
        outcome: "answered", "raised", "exited", "died", "hung" or "memory".
        message: for all but "answered", what happened, as a clause.
        results: of the first call.
        again: of the second call, if anything about it differs.
        keys: the names of the results, where they came in a dict.
        changed, overrun, aliases: names of inputs that were overwritten, written around, or lent to the result.
        previous: the call's result shares memory with the previous one's, or changed it.
        seconds: that the first call took.
    """

    outcome: str
    message: str = ""
    place: str = ""
    results: tuple[Result, ...] = ()
    again: tuple[Result, ...] | None = None
    keys: tuple[str, ...] | None = None
    changed: tuple[str, ...] = ()
    overrun: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    previous: bool = False
    seconds: float = 0.0

    @property
    def notes(self) -> tuple:
        """What another function that makes the same mistake does, too, beside giving the same numbers."""
        dtypes = tuple((one.type, None if one.array is None else one.array.dtype) for one in self.results)
        return self.outcome, dtypes, self.changed, self.aliases, self.previous

    def with_keys(self, meant: Mapping[str, str]) -> "Reply":
        """The reply with F's names for the function's own, with or without "grad_" in front."""
        if self.keys is None:
            return self
        plain = [key.rpartition(" ")[2].removeprefix("grad_") for key in self.keys]
        return dataclasses.replace(self, keys=tuple(meant.get(key, key) for key in plain))


@dataclass
class Local:
    """A judged function in this very process, for debuggers and for functions that a fork would disturb.

    Attributes:
        targets, takes, parameters: as for `Process`.
    """

    targets: dict[str, Callable]
    takes: str
    parameters: dict[str, list | None] = field(default_factory=dict)
    _call: Any = None

    def start(self) -> None:
        """Look at the functions' parameters."""
        self.parameters = {which: worker.parameters(function) for which, function in self.targets.items()}
        self._call = worker.Caller(self.targets, self.takes)

    def ask(self, request: dict, patience: float = 1.0) -> Reply:
        """Call a function."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return answered(*self._call(request))
        except Exception as error:
            told = worker.told_of(error, request["function"])
            return Reply(told["outcome"], told["message"], told.get("place", ""))

    def stop(self) -> None:
        """Nothing runs."""


def packed(array: np.ndarray, shift: int = 0) -> tuple:
    """An array as a request carries it: the bytes that it spans, and how it lies in them."""
    if not array.size:
        return b"", 0, array.dtype.str, array.shape, (0,) * array.ndim, not array.flags.writeable, shift
    low, high = np.lib.array_utils.byte_bounds(array)
    offset = array.ctypes.data - low
    return (
        ctypes.string_at(low, high - low),
        offset,
        array.dtype.str,
        array.shape,
        array.strides,
        not array.flags.writeable,
        shift,
    )


@dataclass
class Process:
    """A judged function in a process of its own.

    Attributes:
        targets: where its functions are: "forward" and perhaps "backward", each {"file" or "module": …, "name": …};
            or the callables themselves, which are reached by a fork of this process.
        takes: "numpy", "torch" or "minicnn".
        timeout: seconds after which a call counts as hung.
        parameters: the signature of each, once started.
    """

    targets: dict[str, dict[str, str] | Callable]
    takes: str = "numpy"
    timeout: float = 20.0
    memory: int = MEMORY
    parameters: dict[str, list | None] = field(default_factory=dict)
    _connection: Connection | None = None
    _pid: int = 0
    _output: Any = None
    _child: subprocess.Popen | None = None

    def start(self) -> None:
        """Start the process and load the functions.

        Raises:
            CannotTryError: it can't be started or the functions can't be loaded.
        """
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        ours, theirs = Pipe()
        callables = {which: one for which, one in self.targets.items() if callable(one)}
        if callables:
            self._fork(ours, theirs, callables)
        else:
            self._spawn(theirs)
        theirs.close()
        self._connection = ours
        ours.send({"targets": {} if callables else self.targets, "takes": self.takes, "memory": self.memory})
        header, _ = self._receive(START)
        if header["outcome"] != "loaded":
            self.stop()
            raise CannotTryError(self._why_not(header))
        self.parameters = header["parameters"]

    def ask(self, request: dict, patience: float = 1.0) -> Reply:
        """Call a function; start the process anew where it is gone."""
        if self._connection is None:
            self.start()
        assert self._connection is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended between two calls; see how
            self._connection.send(request)
        header, arrays = self._receive(self.timeout * patience)
        if header["outcome"] not in ("answered", "raised", "exited"):
            self.stop()
        if header["outcome"] != "answered":
            return Reply(header["outcome"], header["message"], header.get("place", ""))
        return answered(header, arrays)

    def stop(self) -> None:
        """End the process and whatever it started."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._pid:
            self._end()

    def _spawn(self, theirs: Connection) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-P", worker.__file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
        )
        self._pid = self._child.pid

    def _fork(self, ours: Connection, theirs: Connection, functions: dict[str, Callable]) -> None:
        if not hasattr(os, "fork"):
            raise CannotTryError("functions that exist only in memory need a system that can fork; name a file instead")
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of forks beside threads
            self._pid = os.fork()
        if self._pid:
            return
        try:  # the child
            os.setsid()
            faulthandler.disable()  # a crash is told by the judge
            ours.close()
            nothing = os.open(os.devnull, os.O_RDONLY)
            for number, descriptor in ((0, nothing), (1, self._output.fileno()), (2, self._output.fileno())):
                os.dup2(descriptor, number)
            sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
            for name in ("SIGINT", "SIGTERM", "SIGALRM"):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            worker.serve(theirs, functions)
        finally:
            os._exit(0)

    def _receive(self, seconds: float) -> tuple[dict, list[bytes]]:
        """The header and arrays of an answer, or an account of why there is none."""
        assert self._connection is not None
        try:
            if not self._answers_within(seconds):
                return {"outcome": "hung", "message": f"it did not return within {seconds:g} seconds"}, []
            header = json.loads(self._connection.recv_bytes())
            turns = header.get("turns", [])
            count = sum("shape" in result for turn in turns for result in turn["results"])
            return header, [self._connection.recv_bytes() for _ in range(count)]
        except (EOFError, ConnectionResetError, OSError):
            return {"outcome": "died", "message": self._how_it_ended()}, []

    def _answers_within(self, seconds: float) -> bool:
        """Whether an answer comes before the process has computed for so long, or done nothing for so long."""
        assert self._connection is not None
        if self._connection.poll(min(SOON, seconds)):
            return True
        started = before = processor_seconds(self._pid)
        for _ in range(STARVED):
            if self._connection.poll(seconds):
                return True
            now = processor_seconds(self._pid)
            if now is None or started is None or before is None:
                return False
            if now - started >= seconds or now - before < seconds / 100:
                return False
            before = now
        return False

    def _how_it_ended(self) -> str:
        return how_a_process_ended(self._end())

    def _end(self) -> int:
        """Kill what still runs and return the exit status, negative for a signal."""
        pid, self._pid = self._pid, 0
        if not pid:
            return 0
        status = self._poll_status(pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        if status is None:
            if self._child is not None:
                status = self._child.wait()
            else:
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._child = None
        return status

    def _poll_status(self, pid: int) -> int | None:
        """The exit status, if the process ends by itself within a second of hanging up."""
        until = time.monotonic() + (1.0 if self._connection is not None else 0.0)
        while True:
            if self._child is not None:
                status = self._child.poll()
            else:
                ended, code = os.waitpid(pid, os.WNOHANG)
                status = os.waitstatus_to_exitcode(code) if ended else None
            if status is not None or time.monotonic() > until:
                return status
            time.sleep(0.002)

    def _why_not(self, header: dict) -> str:
        where = self.targets.get(header.get("target", "forward"), {})
        if callable(where):
            where = {}
        named = where.get("file") or where.get("module") or "the function"
        if header.get("missing"):
            missing = header["missing"]
            if missing == where.get("module"):
                return f"there is no module {missing}; name a file as path/to/file.py:function"
            package = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python"}.get(missing, missing)
            return f"{named} needs {missing}, which is not installed: pip install {package.split('.')[0]}"
        if header.get("error") == "NotAFunctionError":
            return f"{named}: {header['message'].partition(': ')[2]}"
        if header["outcome"] in ("died", "hung"):
            return f"{named} can't be imported: {header['message']}"
        place = f" ({header['place']})" if header.get("place") else ""
        return f"{named} can't be imported: {header['message']}{place}"


def processor_seconds(pid: int) -> float | None:
    """How long a process has computed, all threads together; None where the system doesn't tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def how_a_process_ended(status: int) -> str:
    """What an exit status means, as a clause."""
    if status < 0:
        names = {signal.SIGSEGV: "segmentation fault", signal.SIGKILL: "killed, perhaps for want of memory"}
        known = signal.Signals(-status)
        return f"the process was ended by {known.name}" + (f" ({names[known]})" if known in names else "")
    return f"it ended the whole process, with status {status}"


def answered(header: dict, arrays: list[bytes]) -> Reply:
    """The reply that a header and the arrays' bytes tell."""
    turns = [tuple(_result(one, arrays) for one in turn["results"]) for turn in header["turns"]]
    keys = header["turns"][0]["keys"]
    return Reply(
        "answered",
        results=turns[0],
        again=turns[1] if len(turns) > 1 else None,
        keys=None if keys is None else tuple(keys),
        changed=tuple(header["changed"]),
        overrun=tuple(header["overrun"]),
        aliases=tuple(header["aliases"]),
        previous=header["previous"],
        seconds=header["seconds"],
    )


def _result(told: dict, arrays: list[bytes]) -> Result:
    if "shape" in told:
        return Result(told["type"], np.frombuffer(arrays.pop(0), told["dtype"]).reshape(told["shape"]))
    if "value" in told:
        return Result(told["type"], np.asarray(told["value"]))
    return Result(told["type"] if "dtype" not in told else f"{told['type']} of {told['dtype']}")


def without_missing(reply: Reply, offered: list[str], wanted: list[str]) -> Reply:
    """A reply without the None that stands for the gradient of an array that wasn't given."""
    if reply.keys is not None or reply.outcome != "answered" or len(reply.results) != len(offered):
        if reply.keys is None:
            return reply
        keep = [i for i, result in enumerate(reply.results) if result.type != "NoneType"]
        again = None if reply.again is None else tuple(reply.again[i] for i in keep if i < len(reply.again))
        return _with(reply, tuple(reply.results[i] for i in keep), again, tuple(reply.keys[i] for i in keep))
    keep = [i for i, name in enumerate(offered) if name in wanted]
    again = None if reply.again is None else tuple(reply.again[i] for i in keep if i < len(reply.again))
    return _with(reply, tuple(reply.results[i] for i in keep), again, None)


def _with(reply: Reply, results: tuple, again: tuple | None, keys: tuple | None) -> Reply:
    return dataclasses.replace(reply, results=results, again=again, keys=keys)
