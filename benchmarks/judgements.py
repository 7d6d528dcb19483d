"""Judgements by `minicnn check`'s judge: of every known mistake and of every right implementation, seed by seed.

They are kept in a file as they come, so that a long run can be stopped and go on later.
"""

import functools
import gc
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.work.judged import C_SOURCE, RIGHT, Right
from minicnn.recipes.errors import UserError
from minicnn.serialization import replacing
from minicnn.testing import Verdict, judge
from minicnn.testing.target import located
from minicnn.testing.worker import load
from minicnn.testing.wrong import MISTAKES, Mistake

ROOT = Path(__file__).parents[1]
JUDGE = ("minicnn/testing", "benchmarks/work/judged")
"""The sources that a judgement depends on, but for the libraries."""
PAUSE = 20.0
"""Seconds between two writings of the file."""


@dataclass(frozen=True)
class Judgement:
    """What the judge made of one implementation under one seed.

    Attributes:
        title: of the implementation.
        seed: of everything drawn.
        whole: whether all cases were tried, instead of those up to the first finding.
        passed: the verdict.
        cases: how many were tried.
        needed: how many until the first finding; None if there was none.
        named: what the mistake was said to be; None if nothing.
        seconds: that it took.
        sentence: the verdict's first sentences.
    """

    title: str
    seed: int
    whole: bool
    passed: bool
    cases: int
    needed: int | None
    named: str | None
    seconds: float
    sentence: str

    @property
    def key(self) -> tuple[str, int, bool]:
        """What is asked only once."""
        return self.title, self.seed, self.whole


Task = tuple[str, int, bool]


def title_of(mistake: Mistake) -> str:
    """The operation, forward or gradient, and the function's name."""
    return f"{mistake.operation}{' gradient' if mistake.backward else ''}: {mistake.function.__name__}"


@functools.cache
def wrong_ones() -> dict[str, Mistake]:
    """The known mistakes by title."""
    return {title_of(one): one for one in MISTAKES}


@functools.cache
def right_ones() -> dict[str, Right]:
    """The right implementations by title; without the one in C where there is no compiler."""
    return {one.title: one for one in RIGHT if one.target or shutil.which("cc")}


def fingerprint() -> str:
    """Tells one state of the judge's sources from another."""
    digest = hashlib.sha256()
    for folder in JUDGE:
        for path in sorted((ROOT / folder).rglob("*.[pc]*")):
            if path.suffix in (".py", ".c"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def compiled() -> str:
    """The command that runs the convolution in C, compiled into a folder of its own."""
    folder = tempfile.mkdtemp(prefix="judged-")
    program = Path(folder, "conv")
    subprocess.run(["cc", "-O2", "-o", str(program), str(C_SOURCE)], check=True)
    return f"{program} IN.npz OUT.npz"


@functools.cache
def function_of(target: str) -> Callable:
    """The function that `module:function` names; judged in a fork of this process, it needs no import for each seed."""
    return load(located(target))


def judged(task: Task) -> Judgement:
    """Judge one implementation under one seed. A judge that raises has missed a mistake, or raised a false alarm."""
    title, seed, whole = task
    started = time.monotonic()
    try:
        verdict = _verdict(title, seed, whole)
    except Exception as error:
        told = f"the judge raised {type(error).__name__}: {error}"
        return Judgement(title, seed, whole, title in wrong_ones(), 0, None, None, time.monotonic() - started, told)
    named = None if verdict.mistake is None else title_of(verdict.mistake)
    found = verdict.cases, verdict.examples_needed, named, verdict.seconds, verdict.sentence
    return Judgement(title, seed, whole, verdict.passed, *found)


def _verdict(title: str, seed: int, whole: bool) -> Verdict:
    options: dict[str, Any] = {"seed": seed, "stop_at_first": not whole}
    if title in wrong_ones():
        one = wrong_ones()[title]
        target, backward = (None, one.function) if one.backward else (one.function, None)
        return judge(target, one.operation, backward, **options)
    right = right_ones()[title]
    program = function_of(right.target) if right.target else compiled()
    backward = function_of(right.backward) if right.backward else None
    return judge(program, right.operation, backward, factor=right.factor, takes=right.takes, **options)


def run(tasks: Sequence[Task], processes: int, path: Path | None) -> Iterator[list[Judgement]]:
    """Judge what the file doesn't hold yet, and yield all judgements after each.

    Args:
        tasks: what to judge, in this order.
        processes: how many at a time.
        path: where judgements are kept.

    Raises:
        UserError: the file holds judgements by another state of the judge.
    """
    state = fingerprint()
    kept = {one.key: one for one in _read(path, state)}
    wanted = [task for task in tasks if task not in kept]
    done = [kept[task] for task in tasks if task in kept]
    written = time.monotonic()
    try:
        yield done
        for judgement in _each(wanted, processes):
            done.append(judgement)
            kept[judgement.key] = judgement
            if time.monotonic() - written > PAUSE:
                _write(path, state, list(kept.values()))
                written = time.monotonic()
            yield done
    finally:
        _write(path, state, list(kept.values()))


def _each(tasks: Sequence[Task], processes: int) -> Iterator[Judgement]:
    if processes == 1:
        yield from map(judged, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(processes, context, initializer=_prepare))
        stack.callback(pool.shutdown, cancel_futures=True)
        yield from pool.map(judged, tasks)


def _prepare() -> None:
    """Give way to other work; and leave to the garbage collector what judgements make, not what is imported."""
    os.nice(10)
    wrong_ones(), right_ones()
    gc.freeze()


def _read(path: Path | None, state: str) -> list[Judgement]:
    if path is None or not path.exists():
        return []
    content = json.loads(path.read_text())
    if content.get("judge") != state:
        raise UserError(f"{path} holds judgements by another state of the judge: remove it, or name another file")
    return [Judgement(**one) for one in content["judgements"]]


def _write(path: Path | None, state: str, judgements: Sequence[Judgement]) -> None:
    if path is not None:
        content = {"judge": state, "judgements": [asdict(one) for one in judgements]}
        with replacing(path) as file:
            file.write((json.dumps(content, ensure_ascii=False, indent=0) + "\n").encode())
