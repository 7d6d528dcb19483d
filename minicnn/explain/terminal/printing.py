"""An explanation as rich prints it: its sections and PyTorch's lines, in ASCII where nothing else can be written."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import ConsoleOptions
from rich.text import Text

if TYPE_CHECKING:
    from minicnn.explain.explanation import Explanation

WIDEST, NARROWEST = 100, 40
ROOM_FOR_ASCII = 8
"""Columns that words for signs may take."""
INDICES = re.compile(r"\[[\d, ]+\]")
UNBROKEN = "\N{NO-BREAK SPACE}"
ASCII = {
    "×": "x", "·": "*", "−": "-", "…": "...", "Σ": "sum of", "√": "sqrt", "²": "^2",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "‖": "||", "→": "->",
}  # fmt: skip
"""What stands for signs that an ASCII terminal hasn't."""


def fitted(sections: Callable[[int], Iterable[Text]], options: ConsoleOptions) -> Iterator[Text]:
    """Sections made for the console's width, in signs that it has.

    Args:
        sections: from the characters of a line to the texts.
        options: the console's.
    """
    width = max(min(options.max_width, WIDEST), NARROWEST)
    for part in sections(width - ROOM_FOR_ASCII if options.ascii_only else width):
        yield Text(in_ascii(part.plain)) if options.ascii_only else part


def in_pytorch(explanation: "Explanation", width: int) -> Iterator[Text]:
    """PyTorch's lines, and whether it agrees."""
    yield heading("In PyTorch")
    yield Text(explanation.program())
    yield paragraph(f"\n{explanation.agreement()}", width)


def in_ascii(text: str) -> str:
    """The text with words for signs that an ASCII terminal hasn't."""
    for sign, words in ASCII.items():
        text = text.replace(sign, words)
    return text.encode("ascii", "replace").decode()


def heading(text: str) -> Text:
    """A line above a section, and an empty one above that."""
    return Text(f"\n{text}", "bold")


def paragraph(text: str, width: int, indent: str = "") -> Text:
    """Sentences in lines of `width` characters."""
    start = len(text) - len(text.lstrip("\n"))
    whole = INDICES.sub(lambda found: found[0].replace(" ", UNBROKEN), text[start:])
    filled = textwrap.fill(whole, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return Text("\n" * start + filled.replace(UNBROKEN, " "))
