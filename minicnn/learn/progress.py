"""Which chapters are done, on this machine."""

import datetime
import json
from pathlib import Path

from platformdirs import user_data_path

from minicnn.serialization.files import replacing


def path() -> Path:
    """The file that remembers."""
    return user_data_path("minicnn", appauthor=False) / "learn.json"


def done() -> dict[int, str]:
    """The day on which each chapter's check was passed; nothing where the file is missing or damaged."""
    try:
        found = json.loads(path().read_text("utf-8"))
        return {int(number): str(day) for number, day in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def remember(number: int) -> None:
    """Note that a chapter is done today.

    Raises:
        OSError: where the file can't be written.
    """
    known = done() | {number: datetime.date.today().isoformat()}
    path().parent.mkdir(parents=True, exist_ok=True)
    with replacing(path()) as file:
        file.write(json.dumps({str(key): known[key] for key in sorted(known)}, indent=1).encode())


def reset() -> None:
    """Forget them all."""
    path().unlink(missing_ok=True)
