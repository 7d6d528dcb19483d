"""Which of torch's names a program's source mentions, found without running it."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from minicnn.compat.modules import serving
from minicnn.compat.paths import PATHS, is_theirs
from minicnn.compat.report import Report


class Mentions(ast.NodeVisitor):
    """Collects a file's mentions of torch's names.

    Attributes:
        found: dotted names and lines, `("torch.nn.Linear", 12)`.
        imports: the other modules that it imports.
    """

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []
        self.imports: list[str] = []
        self._meaning: dict[str, str] = {}  # a name of the file → the dotted name it was imported as

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if not is_theirs(alias.name):
                self.imports.append(alias.name)
                continue
            self.found.append((alias.name, node.lineno))
            if alias.asname:
                self._meaning[alias.asname] = alias.name
            else:
                root = alias.name.partition(".")[0]
                self._meaning[root] = root

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names:
            path = f"{module}.{alias.name}"
            if node.level or not is_theirs(module):
                self.imports += [module, path.lstrip(".")]
            elif alias.name == "*":
                self.found.append((module, node.lineno))
            else:
                self.found.append((path, node.lineno))
                self._meaning[alias.asname or alias.name] = path

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = self._dotted(node)
        if path is None:
            self.generic_visit(node)
        else:
            self.found.append((path, node.lineno))

    def _dotted(self, node: ast.expr) -> str | None:
        """The dotted name that an expression spells; None for anything else."""
        if isinstance(node, ast.Name):
            return self._meaning.get(node.id)
        if isinstance(node, ast.Attribute):
            above = self._dotted(node.value)
            return None if above is None else f"{above}.{node.attr}"
        return None


def first_missing(path: str) -> tuple[str, list[str]] | None:
    """The first part of a dotted name that is missing, and the names that its module has; None if all is there."""
    known = max((served for served in PATHS if f"{path}.".startswith(f"{served}.")), key=len)
    try:
        module = importlib.import_module(known)
    except ImportError:  # a package is missing that minicnn asks for, and says so when the program runs
        return None
    rest = path.removeprefix(known).lstrip(".")
    name = rest.partition(".")[0]
    if name and not hasattr(module, name):
        return f"{known}.{name}", dir(module)
    return None


def add_names_of_files(report: Report, script: Path, folder: Path) -> None:
    """Add to a report what a script, and the modules in its folder that it imports, mention and is missing."""
    with serving():
        for file, mentions in _files(script, folder):
            for path, line in mentions.found:
                absent = first_missing(path)
                if absent is not None:
                    report.add(absent[0], str(file), line, absent[1])


def _files(script: Path, folder: Path) -> Iterator[tuple[Path, Mentions]]:
    """A script and what it imports from its folder, each once."""
    waiting, seen = [script], set()
    while waiting:
        file = waiting.pop()
        if file.resolve() in seen:
            continue
        seen.add(file.resolve())
        mentions = Mentions()
        try:
            mentions.visit(ast.parse(file.read_bytes()))
        except (SyntaxError, ValueError):
            continue  # running it says so
        yield file, mentions
        for module in mentions.imports:
            place = folder.joinpath(*module.split("."))
            waiting += [p for p in (place.with_suffix(".py"), place / "__init__.py") if module and p.is_file()]
