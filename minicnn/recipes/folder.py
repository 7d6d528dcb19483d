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


def holds_training(folder: Path) -> bool:
    """Whether a training left its files in a folder."""
    snapshot = folder / SNAPSHOT
    return any(path.exists() for path in (folder / WEIGHTS, folder / HISTORY, snapshot, former(snapshot)))


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
    raise UserError(
        f"{folder} holds a training already: pass --overwrite to replace it, choose another --output, or go on with an "
        f"interrupted one by --resume {folder}"
    )


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
    for name in (WEIGHTS, BEST, HISTORY, TABLE, PLOT):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / EVENTS, ignore_errors=True)


def end(folder: Path) -> None:
    """Take away what only a training under way needs, and what was half-written when one was killed."""
    snapshot = folder / SNAPSHOT
    halves = [half for name in (WEIGHTS, BEST, SNAPSHOT, HISTORY, TABLE, PLOT) for half in folder.glob(f".{name}.*")]
    for path in (snapshot, former(snapshot), *halves):
        path.unlink(missing_ok=True)
