"""Which chapters are done on this machine, and which hints were given."""

import datetime
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from platformdirs import user_data_path

from minicnn.serialization.files import replacing


@dataclass
class Progress:
    """How far the learner has come.

    Attributes:
        done: chapter → the day on which its check was passed.
        hints: chapter → how many hints were given.
    """

    done: dict[int, str] = field(default_factory=dict)
    hints: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Progress":
        """What is remembered; nothing where the file is missing or damaged."""
        try:
            found = json.loads(path().read_text("utf-8"))
            return cls(
                {int(chapter): str(day) for chapter, day in found["done"].items()},
                {int(chapter): int(count) for chapter, count in found["hints"].items()},
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return cls()

    def finish(self, chapter: int) -> None:
        """Note that a chapter was done today."""
        self.done[chapter] = datetime.date.today().isoformat()

    def write(self) -> None:
        """Remember it.

        Raises:
            OSError: where the file can't be written.
        """
        path().parent.mkdir(parents=True, exist_ok=True)
        with replacing(path()) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())


def path() -> Path:
    """The file that remembers."""
    return user_data_path("minicnn", appauthor=False) / "learn.json"
