"""Whether a learner's file is right: beside the solution, in a process of its own, then before the judge."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minicnn.learn.chapter import Chapter, Judged

SECONDS = 60.0
"""How long a learner's file may run."""
LAST = 10
"""How many times as long the last part may take: a first training compiles kernels."""
JUDGE_SECONDS = 20.0
EXAMPLES = 240


@dataclass(frozen=True)
class Report:
    """What came of checking a file.

    Attributes:
        passed: whether all of it is right.
        text: what to tell the learner, in lines.
    """

    passed: bool
    text: str


def check(
    chapter: Chapter, path: Path, width: int = 80, seconds: float = SECONDS, say: Callable[[str], None] = lambda _: None
) -> Report:
    """Judge a learner's file.

    Args:
        chapter: whose exercise it is.
        path: the file; the chapters before it are imported from its folder.
        width: columns of the terminal.
        seconds: how long the file may run.
        say: is told what is going on, a line at a time.
    """
    tried = _apart("first", chapter, path, width, seconds)
    if not tried.passed:
        return tried
    say(tried.text)
    for judged in chapter.judged:
        say(f"Now the judge of `minicnn check` asks {_names(judged.function, judged.backward)} …")
        report = _judged(judged, path)
        if not report.passed:
            return report
        say(report.text)
    if chapter.last is not None:
        last = _apart("last", chapter, path, width, LAST * seconds)
        if not last.passed:
            return last
        say(last.text)
    return Report(True, f"Chapter {chapter.number} is done.")


def _names(*functions: str | None) -> str:
    return " and ".join(name for name in functions if name)


def _apart(stage: str, chapter: Chapter, path: Path, width: int, seconds: float) -> Report:
    """What a child process finds: whatever the file does, it does there."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        arguments = (stage, chapter.number, path, answer, width)
        command = [sys.executable, "-m", "minicnn.learn.worker", *map(str, arguments)]
        try:
            done = subprocess.run(command, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Report(
                False, f"{path.name} did not come to an end within {seconds:g} seconds. Is there an endless loop?"
            )
        try:
            found = json.loads(answer.read_text("utf-8"))
        except (OSError, ValueError):
            return Report(False, f"{path.name} ended Python with exit status {done.returncode} before it answered.")
    return Report(found["passed"], found["text"])


def _judged(judged: Judged, path: Path) -> Report:
    try:
        from minicnn.testing.judge import judge
        from minicnn.testing.process import CannotTryError
    except ModuleNotFoundError as error:
        return Report(False, f'judging needs {error.name}, which is not installed: pip install "minicnn[check]"')
    function, backward = judged.function, judged.backward
    try:
        verdict = judge(
            f"{path}:{function}" if function else None,
            judged.operation,
            f"{path}:{backward}" if backward else None,
            examples=EXAMPLES,
            seconds=JUDGE_SECONDS,
            without=judged.without,
        )
    except CannotTryError as error:
        return Report(False, str(error))
    if verdict.passed:
        return Report(True, f"{_names(function, backward)}: right in all of {verdict.cases} cases drawn.")
    return Report(False, verdict.text(verdict.write_reproducer()))
