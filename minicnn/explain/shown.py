"""What has sections of text and can be printed in a terminal of any width."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text


class Shown:
    """Something that rich prints: its sections, in ASCII where nothing else can be written."""

    def print(self, console: "Console | None" = None) -> None:
        """Write it to the terminal.

        Args:
            console: rich's, where it should go elsewhere.
        """
        from rich.console import Console

        (console or Console()).print(self, soft_wrap=True)  # the lines are as wide as they may be

    def _sections(self, width: int) -> "Iterator[Text]":
        """What the terminal shows, for so many columns."""
        raise NotImplementedError

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        from minicnn.explain.terminal.printing import fitted

        yield from fitted(self._sections, options)
