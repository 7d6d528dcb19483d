"""The learner's file: the solution's signatures and docstrings, with empty bodies."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from minicnn.learn.chapter import Chapter

EMPTY = 'raise NotImplementedError("your turn")'


def stub(chapter: Chapter) -> str:
    """What the learner starts from."""
    source = chapter.solution
    lines = source.splitlines()
    for name, node in sorted(_functions(source), key=lambda pair: -pair[1].lineno):
        if name in chapter.functions:
            docstring = node.body[0]
            assert docstring.end_lineno is not None
            assert node.end_lineno is not None
            lines[docstring.end_lineno : node.end_lineno] = [" " * docstring.col_offset + EMPTY]
    return "\n".join(lines) + "\n"


def _functions(source: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{one.name}", one) for one in node.body if isinstance(one, ast.FunctionDef))


def executed(source: str, file: str, folder: Path) -> ModuleType:
    """The module that a chapter's source makes, which may import the chapters before it from a folder."""
    module = ModuleType(Path(file).stem)
    module.__file__ = file
    with _chapters_of(folder):
        exec(compile(source, file, "exec"), module.__dict__)
    return module


def solved(chapter: Chapter, source: str | None = None) -> ModuleType:
    """The solution as a module, or a changed one's source."""
    folder = Path(str(files("minicnn.learn") / "solutions"))
    return executed(chapter.solution if source is None else source, str(folder / chapter.file), folder)


@contextmanager
def _chapters_of(folder: Path) -> Iterator[None]:
    """Let `import learn_04` find the file in a folder, and no other that was imported before."""
    sys.path.insert(0, str(folder))
    try:
        _forget_chapters()
        yield
    finally:
        _forget_chapters()
        sys.path.remove(str(folder))


def _forget_chapters() -> None:
    for name in [name for name in sys.modules if name.startswith("learn_")]:
        del sys.modules[name]
