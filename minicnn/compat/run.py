"""Execute a program as `python` does, with torch and torchvision served by minicnn."""

import contextlib
import importlib.util
import io
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from minicnn.compat import missing, modules, report, scan

INTERRUPTED = 130
REFUSALS = (missing.MissingNameError, missing.MissingImportError, missing.MissingModuleError)


class Program:
    """A program that Python could start.

    Args:
        name: a script's path, or with `module` the dotted name of a module, as for `python -m`.
        arguments: what follows it on the command line.

    Raises:
        FileNotFoundError, ImportError: there is none of that name.
    """

    def __init__(self, name: str, arguments: Sequence[str] = (), module: bool = False) -> None:
        self.name, self.arguments = name, list(arguments)
        self.spec: Any = None
        self.command = name
        if module:
            with _first_on_path(os.getcwd()):
                self.spec = _spec_of_module(name)
            self.path = Path(self.spec.origin)
            self.command = str(self.path)
            self.folder = os.getcwd()
        else:
            self.path = Path(os.getcwd(), name)
            if not self.path.is_file():
                raise FileNotFoundError(f"{name} is no file")
            self.folder = str(self.path.resolve().parent)

    def code(self) -> CodeType:
        """The program, compiled; its file name is what tracebacks show."""
        source = io.FileIO(self.path).readall()
        return compile(source, str(self.path), "exec")

    def main_module(self) -> ModuleType:
        """An empty `__main__` for it."""
        main = ModuleType("__main__")
        vars(main).update(
            __file__=str(self.path),
            __builtins__=__builtins__,
            __cached__=None,
            __spec__=self.spec,
            __loader__=SourceFileLoader("__main__", str(self.path)) if self.spec is None else self.spec.loader,
            __package__=None if self.spec is None else self.spec.parent,
        )
        return main


def _spec_of_module(name: str) -> Any:
    """The spec of a module, or of `__main__` in a package."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        return _spec_of_module(f"{name}.__main__")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return spec


@contextlib.contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    before = list(sys.path)
    sys.path[0] = folder
    try:
        yield
    finally:
        sys.path[:] = before


def execute(program: Program, main: ModuleType) -> dict[str, Any]:
    """Run a program in `main`; what it raises comes through.

    Returns: the names it leaves.
    """
    arguments, former = sys.argv, sys.modules["__main__"]
    with _first_on_path(program.folder), modules.serving():
        sys.argv, sys.modules["__main__"] = [program.command, *program.arguments], main
        try:
            exec(program.code(), vars(main))
        finally:
            sys.argv, sys.modules["__main__"] = arguments, former
    return vars(main)


def run(program: Program) -> int:
    """Run a program to its end, print the traceback of what it raises, as Python does, and return its exit status."""
    if sys.platform == "linux" and not os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}:
        os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        execute(program, program.main_module())
    except SystemExit as end:
        return _status(end.code)
    except KeyboardInterrupt as error:
        _show(error, program)
        return INTERRUPTED
    except BaseException as error:
        _show(error, program)
        return 1
    return 0


def run_with_report(program: Program) -> tuple[int, list[str]]:
    """Run a program with stand-ins for names that are missing.

    Returns: its exit status, and a line for each missing name.
    """
    asked = report.start()
    try:
        status = run(program)
        scan.add_names_of_files(asked, program.path, Path(program.folder))
    finally:
        report.stop()
    return status, asked.lines()


def _status(code: Any) -> int:
    """The exit status that `sys.exit(code)` means."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1


def _show(error: BaseException, program: Program) -> None:
    """Print a traceback without the frames of this module; after a missing name, how to find the others."""
    trace = _without_leading_frames(error.__traceback__)
    if isinstance(error, REFUSALS):
        _cut_after_last_line_of_user(trace)
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    if isinstance(error, REFUSALS) and not report.is_on():
        print(f"`minicnn run --report {program.name}` lists every name that is missing.", file=sys.stderr)


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] in ("minicnn", "importlib")


def _without_leading_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    return trace


def _cut_after_last_line_of_user(trace: TracebackType | None) -> None:
    last = None
    while trace is not None:
        last, trace = (last if _is_ours(trace) else trace), trace.tb_next
    if last is not None:
        last.tb_next = None
