"""A chapter's text with its figures, and the code that stands behind it."""

import ast
import importlib
from pathlib import Path

from jinja2 import Environment, StrictUndefined

import minicnn
from minicnn.learn.chapter import Chapter


def markdown(chapter: Chapter) -> str:
    """The text in Markdown, its figures computed now."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(chapter.text).render(**chapter.values())


def heading(chapter: Chapter) -> str:
    """Number, title and minutes."""
    return f"Chapter {chapter.number}: {chapter.title} ({chapter.minutes} minutes)"


def sources(chapter: Chapter) -> list[tuple[str, int, str]]:
    """Where minicnn does what the chapter is about: (path from the package on, line, source) of each place."""
    return [_source(name) for name in chapter.source]


def _source(name: str) -> tuple[str, int, str]:
    module, _, attribute = name.rpartition(".")
    path = Path(str(importlib.import_module(module).__file__))
    text = path.read_text("utf-8")
    node = next(one for one in ast.parse(text).body if getattr(one, "name", None) == attribute)
    first = min(one.lineno for one in (node, *node.decorator_list))  # type: ignore[attr-defined]
    lines = text.splitlines()[first - 1 : node.end_lineno]
    return path.relative_to(Path(minicnn.__file__).parent.parent).as_posix(), first, "\n".join(lines) + "\n"
