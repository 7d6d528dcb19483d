"""The version that programs see which ask torch for its own."""

import re
from typing import Any

from minicnn.version import __version__


class Version(str):
    """A version that compares by its numbers, with strings and tuples, as PyTorch's does: "2.14" > "2.4"."""

    __slots__ = ()

    def _against(self, other: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        mine, theirs = _numbers(self), _numbers(other)
        longest = max(len(mine), len(theirs))
        return mine + (0,) * (longest - len(mine)), theirs + (0,) * (longest - len(theirs))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str | tuple | list):
            return NotImplemented
        mine, theirs = self._against(other)
        return mine == theirs

    def __lt__(self, other: Any) -> bool:
        mine, theirs = self._against(other)
        return mine < theirs

    def __le__(self, other: Any) -> bool:
        return not self > other

    def __gt__(self, other: Any) -> bool:
        mine, theirs = self._against(other)
        return mine > theirs

    def __ge__(self, other: Any) -> bool:
        return not self < other

    __hash__ = str.__hash__


def _numbers(version: Any) -> tuple[int, ...]:
    """The release numbers of a version: (2, 14, 0) of "2.14.0+minicnn", and of ("2", 14)."""
    parts = version.partition("+")[0].split(".") if isinstance(version, str) else version
    found = [re.match(r"\d+", str(part)) for part in parts]
    return tuple(int(match.group()) for match in found if match)


VERSION = Version(f"2.14.0+minicnn{__version__}")
"""The release of PyTorch whose rules minicnn follows."""

VISION_VERSION = f"0.29.0+minicnn{__version__}"
"""The torchvision that belongs to it."""
