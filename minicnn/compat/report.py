"""Names that are missing: refused one by one, or collected while stand-ins take their places."""

from collections.abc import Iterable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple, NoReturn

from minicnn import missing as refusals


class Asked(NamedTuple):
    """Where a program asks for a name that is missing."""

    path: str
    file: str
    line: int


class Report:
    """What a program asked for and did not find.

    Attributes:
        asked: the places, in the order of asking, none twice.
        known: missing path → the names that its module has.
    """

    def __init__(self) -> None:
        self.asked: dict[Asked, None] = {}
        self.known: dict[str, list[str]] = {}

    def add(self, path: str, file: str, line: int, known: Iterable[str]) -> None:
        """Note that `path` is asked for."""
        self.asked[Asked(path, file, line)] = None
        self.known.setdefault(path, sorted(known))

    def lines(self) -> list[str]:
        """The report: a line for each name, with the files and lines that ask, and advice."""
        places: dict[str, list[Asked]] = {}
        for one in self.asked:
            places.setdefault(one.path, []).append(one)
        return [
            f"{refusals.sentence(path, self.known[path])} ({_places(asked)})" for path, asked in sorted(places.items())
        ]


def _places(asked: list[Asked]) -> str:
    """`train.py, lines 3, 17; model.py, line 4`"""
    files: dict[str, list[int]] = {}
    for one in sorted(asked, key=lambda one: (one.file, one.line)):
        files.setdefault(one.file, []).append(one.line)
    return "; ".join(
        f"{Path(file).name}, line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}" for file, lines in files.items()
    )


_current: Report | None = None


def start() -> Report:
    """Collect missing names from now on."""
    global _current
    _current = Report()
    return _current


def stop() -> None:
    """Refuse missing names again."""
    global _current
    _current = None


def is_on() -> bool:
    """Whether missing names are being collected."""
    return _current is not None


def missing(path: str, known: Iterable[str]) -> Any:
    """Refuse a name that is missing; or give a stand-in for it, where such names are being collected.

    Raises:
        MissingNameError, MissingImportError: where they aren't. A program that only asks whether the name exists, by
            `hasattr` or `getattr`, gets the true answer either way.
    """
    frame = refusals.asking_frame()
    by = refusals.asks_by(frame)
    if _current is None or frame is None or by.startswith(("CALL", "PRECALL")):
        raise refusals.error(path, known, frame)
    return stand_in(path, known, frame)


def stand_in(path: str, known: Iterable[str], frame: FrameType) -> "StandIn":
    """A stand-in for `path`, noted in the report."""
    if _current is not None:
        _current.add(path, frame.f_code.co_filename, frame.f_lineno, known)
    return StandIn(path.rpartition(".")[2], (), {"_path": path})


class StandIn(type):
    """A class that takes the place of a missing name: it may be handed around and derived from, but not called."""

    _path: str

    def __call__(cls, *arguments: Any, **named: Any) -> NoReturn:
        raise refusals.MissingNameError(refusals.sentence(cls._path, (), refusals.asking_frame()))

    def __getattr__(cls, name: str) -> "StandIn":
        frame = refusals.asking_frame()
        if name.startswith("__") or frame is None or refusals.asks_by(frame).startswith(("CALL", "PRECALL")):
            raise AttributeError(f"type object {cls._path!r} has no attribute {name!r}")
        return stand_in(f"{cls._path}.{name}", (), frame)


class StandInModule(ModuleType):
    """A module that takes the place of a missing one."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.__path__: list[str] = []
        frame = refusals.asking_frame()
        if frame is not None:
            stand_in(path, (), frame)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return missing(f"{self.__name__}.{name}", ())
