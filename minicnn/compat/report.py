"""Names that are missing: refused one by one, or collected while stand-ins take their places."""

from collections.abc import Iterable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple, NoReturn

from minicnn.compat import missing as refusals


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
        self.known[path] = self.known.get(path) or sorted(known)

    def lines(self) -> list[str]:
        """The report: a line for each name, with the files and lines that ask, and advice."""
        places: dict[str, list[Asked]] = {}
        for one in self.asked:
            places.setdefault(one.path, []).append(one)
        return [refusals.sentence(path, self.known[path], _places(asked)) for path, asked in sorted(places.items())]


def _places(asked: list[Asked]) -> str:
    """`train.py, lines 3, 17; model.py, line 4`"""
    files: dict[str, list[int]] = {}
    for one in sorted(asked, key=lambda one: (one.file, one.line)):
        files.setdefault(one.file, []).append(one.line)
    parts = [
        f"{Path(file).name}, line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}" for file, lines in files.items()
    ]
    return "; ".join(parts)


class _Collection:
    """The report that is being written, if any."""

    report: Report | None = None


def start() -> Report:
    """Collect missing names from now on."""
    _Collection.report = Report()
    return _Collection.report


def stop() -> None:
    """Refuse missing names again."""
    _Collection.report = None


def is_on() -> bool:
    """Whether missing names are being collected."""
    return _Collection.report is not None


def missing(path: str, known: Iterable[str]) -> Any:
    """Refuse a name that is missing; or give a stand-in for it, where such names are being collected.

    Raises:
        MissingNameError, MissingImportError: where they aren't. A program that only asks whether the name exists, by
            `hasattr` or `getattr`, gets the true answer either way.
    """
    frame = refusals.asking_frame()
    if _Collection.report is None or frame is None or refusals.only_probes(frame):
        raise refusals.error(path, known, frame)
    return stand_in(path, known, frame)


def missing_method(name: str, owner: type) -> Any:
    """Refuse a method of Tensor that is missing, or give a stand-in for it; as `missing` does for names of modules."""
    frame = refusals.asking_frame()
    if frame is None or refusals.only_probes(frame):
        raise AttributeError(f"{owner.__name__!r} object has no attribute {name!r}")
    return missing(f"torch.Tensor.{name}", [known for known in dir(owner) if not known.startswith("_")])


def stand_in(path: str, known: Iterable[str], frame: FrameType) -> "StandIn":
    """A stand-in for `path`, noted in the report."""
    if _Collection.report is not None:
        _Collection.report.add(path, frame.f_code.co_filename, frame.f_lineno, known)
    return StandIn(path.rpartition(".")[2], (), {"_path": path, "_known": known})


class StandIn(type):
    """A class that takes the place of a missing name: it may be handed around and derived from, but not called."""

    _path: str
    _known: Iterable[str]

    def __call__(cls, *arguments: Any, **named: Any) -> NoReturn:
        place = refusals.place(refusals.asking_frame())
        raise refusals.MissingNameError(refusals.sentence(cls._path, cls._known, place))

    def __getattr__(cls, name: str) -> "StandIn":
        frame = refusals.asking_frame()
        if name.startswith("__") or frame is None or refusals.only_probes(frame):
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
