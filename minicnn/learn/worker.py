"""The process in which a learner's file runs: `python -m minicnn.learn.worker STAGE NUMBER FILE ANSWER WIDTH`.

The stages are "first", the calls whose results are compared with the solution's, and "last", what a chapter checks
besides.
"""

import json
import sys
from pathlib import Path

from minicnn.learn.chapter import Chapter
from minicnn.learn.chapters import CHAPTERS
from minicnn.learn.exercise import executed
from minicnn.learn.telling import failed_to_run, told
from minicnn.learn.trial import tried


def answer(chapter: Chapter, path: Path, width: int) -> tuple[bool, str]:
    """Whether the file is right, and what to say."""
    try:
        module = executed(path.read_text("utf-8"), str(path), path.parent)
    except BaseException as error:
        return False, failed_to_run(error, path)
    missing = [name for name in chapter.functions if not _has(module, name)]
    if missing:
        return False, f"{path.name} has no {missing[0]}."
    failure = tried(chapter, module)
    if failure is None:
        return True, f"{path.name}: every call tried gives the right answer."
    return False, told(failure, path, width)


def _has(module: object, name: str) -> bool:
    for part in name.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return callable(module)


def last(chapter: Chapter, path: Path) -> tuple[bool, str]:
    """What the chapter checks at the very end."""
    assert chapter.last is not None
    return chapter.last(path)


if __name__ == "__main__":
    stage, number, file, result, columns = sys.argv[1:]
    place = Path(file).resolve()
    chapter = CHAPTERS[int(number)]
    passed, text = answer(chapter, place, int(columns)) if stage == "first" else last(chapter, place)
    Path(result).write_text(json.dumps({"passed": passed, "text": text}), "utf-8")
