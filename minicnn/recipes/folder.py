"""The folder of a training: what lies in it, and that no training's files take another's place without a word."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from minicnn.recipes.errors import UserError
from minicnn.training import former

WEIGHTS = "weights.safetensors"
BEST = "best.safetensors"
SNAPSHOT = "checkpoint.safetensors"
HISTORY = "history.json"
TABLE = "history.csv"
PLOT = "history.png"
EVENTS = "events"
REPORT = "report.json"
REPORT_PLOT = "report.png"


def holds_training(folder: Path) -> bool:
    """Whether a training, or speedruns, left their files in a folder."""
    files = (folder / name for name in (WEIGHTS, HISTORY, REPORT))
    return interrupted(folder) or any(path.exists() for path in files)


def interrupted(folder: Path) -> bool:
    """Whether a training in a folder can go on."""
    snapshot = folder / SNAPSHOT
    return snapshot.exists() or former(snapshot).exists()


def choose(asked: Path | None, usual: Path, overwrite: bool) -> Path:
    """Where a training's files go.

    Args:
        asked: the folder that was asked for, if one was.
        usual: where they go otherwise; a number is added to its name where it is taken.
        overwrite: whether the files there may be replaced.

    Raises:
        UserError: where the folder that was asked for holds a training, which isn't to be overwritten.
    """
    folder = asked or usual
    if overwrite or not holds_training(folder):
        return folder
    if asked is None:
        number = 2
        while holds_training(folder := usual.with_name(f"{usual.name}-{number}")):
            number += 1
        return folder
    what_to_do = f"{folder} holds a training already: pass --overwrite to replace it, or choose another --output"
    if interrupted(folder):
        what_to_do += f", or go on with it by minicnn train --resume {folder}"
    raise UserError(what_to_do)


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[Path]:
    """A folder, made if need be, after a look whether anything can be written there; taken away if it stays empty."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from error
    try:
        yield folder
    finally:
        for one in made:
            with contextlib.suppress(OSError):  # it isn't empty
                one.rmdir()


def clear(folder: Path) -> None:
    """Take away what a former training left."""
    end(folder)
    for name in (WEIGHTS, BEST, HISTORY, TABLE, PLOT, REPORT, REPORT_PLOT):
        (folder / name).unlink(missing_ok=True)
    for path in (folder / EVENTS, *folder.glob("seed-*")):
        shutil.rmtree(path, ignore_errors=True)


def end(folder: Path) -> None:
    """Take away what only a training under way needs, and what was half-written when one was killed."""
    snapshot = folder / SNAPSHOT
    names = (WEIGHTS, BEST, SNAPSHOT, HISTORY, TABLE, PLOT, REPORT, REPORT_PLOT)
    halves = [half for name in names for half in folder.glob(f".{name}.*")]
    for path in (snapshot, former(snapshot), *halves):
        path.unlink(missing_ok=True)
