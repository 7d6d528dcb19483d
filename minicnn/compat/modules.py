"""`torch`, `torchvision` and their submodules as modules that hold minicnn's names, and the hook that imports them."""

import contextlib
import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from minicnn import missing
from minicnn.compat import report
from minicnn.compat.paths import PATHS
from minicnn.compat.version import VERSION, VISION_VERSION

LIBRARIES = ("torch", "torchvision")

OWN: dict[str, dict[str, Any]] = {
    "torch": {"__version__": VERSION},
    "torchvision": {"__version__": VISION_VERSION},
}
"""Names that a module has of its own, not from minicnn: torchvision has none but its submodules."""


def is_theirs(path: str) -> bool:
    """Whether a module path is torch's or torchvision's."""
    return path.partition(".")[0] in LIBRARIES


class Served(ModuleType):
    """A module of torch's or torchvision's, with the names of the module of minicnn that serves it."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"{path}, served by {PATHS[path]}")
        self.__path__: list[str] = []
        self._source = importlib.import_module(PATHS[path])
        if path != "torchvision":
            vars(self).update(public_names(self._source))
        vars(self).update(OWN.get(path, {}))

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__}.{name}"
        if path in PATHS:
            return importlib.import_module(path)
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        theirs = {} if self.__name__ == "torchvision" else vars(self._source)
        if name in theirs and not isinstance(theirs[name], ModuleType):
            return theirs[name]
        return report.missing(path, dir(self))

    def __dir__(self) -> list[str]:
        below = f"{self.__name__}."
        children = [path.removeprefix(below) for path in PATHS if path.startswith(below)]
        return sorted({*vars(self), *(name for name in children if "." not in name)} - {"_source"})


def public_names(module: ModuleType) -> dict[str, Any]:
    """What a module offers, without the modules among it: those have paths of their own."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    values = {name: getattr(module, name) for name in names}
    return {name: value for name, value in values.items() if not isinstance(value, ModuleType)}


class Finder(MetaPathFinder, Loader):
    """Python's import asks it first; it knows torch's and torchvision's modules, and leaves all others alone."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not is_theirs(fullname):
            return None
        if fullname in PATHS or report.is_on():
            return ModuleSpec(fullname, self, is_package=True)
        raise ModuleNotFoundError(missing.sentence(fullname, PATHS, missing.asking_frame()), name=fullname)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Served(spec.name) if spec.name in PATHS else report.StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do: the module is complete."""


FINDER = Finder()
_set_aside: dict[str, ModuleType] = {}


def install() -> None:
    """Let `import torch` and `import torchvision` mean minicnn from now on, even where PyTorch is installed.

    Modules of PyTorch's that were imported before stay with whoever holds them, until `uninstall` brings them back.
    """
    if FINDER not in sys.meta_path:
        _set_aside.update(_taken_out())
        sys.meta_path.insert(0, FINDER)


def uninstall() -> None:
    """Undo `install`."""
    if FINDER in sys.meta_path:
        sys.meta_path.remove(FINDER)
        _taken_out()
        sys.modules.update(_set_aside)
        _set_aside.clear()


@contextlib.contextmanager
def serving() -> Iterator[None]:
    """`install` for a block."""
    install()
    try:
        yield
    finally:
        uninstall()


def _taken_out() -> dict[str, ModuleType]:
    """The modules of torch and torchvision, which are no longer in `sys.modules`."""
    return {name: sys.modules.pop(name) for name in [*sys.modules] if is_theirs(name)}
