"""`python -m benchmarks judge` counts right and goes on where it stopped; its implementations are what they say."""

import json
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from benchmarks import judgements
from benchmarks.__main__ import app
from benchmarks.judgements import Judgement, judged, right_ones, run, title_of, wrong_ones
from benchmarks.work.judged import MAKES, RIGHT
from benchmarks.work.judged.handful import finds
from minicnn.testing import judge
from minicnn.testing.operations import OPERATIONS
from minicnn.testing.wrong import MISTAKES, Mistake
from minicnn.testing.wrong.mistake import complete
from minicnn.testing.wrong.parts import convolution, normalization, padding, pooling, vectors


def call(*arguments):
    return CliRunner().invoke(app, ["judge", *[str(argument) for argument in arguments]])


def test_titles_are_unique_and_every_operation_has_right_and_wrong_ones():
    assert len(wrong_ones()) == len(MISTAKES)
    assert len({one.title for one in RIGHT}) == len(RIGHT)
    assert {*MAKES} < {one.title for one in RIGHT}
    assert {one.operation for one in RIGHT} == {one.operation for one in MISTAKES} == set(OPERATIONS)


@pytest.mark.parametrize(
    "title",
    [
        "conv2d: patch matrix (im2col)",
        "conv2d: stride and one padding only",
        "conv2d: FFT",
        "max_pool2d: a strided view",
    ],
)
def test_right_ones_are_acquitted(title):
    right = next(one for one in RIGHT if one.title == title)
    verdict = judge(right.target, right.operation, right.backward, factor=right.factor, examples=60)
    assert verdict.passed, verdict.text()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_the_program_in_c_is_acquitted():
    verdict = judge(judgements.compiled(), "conv2d", examples=24)
    assert verdict.passed, verdict.text()


def test_a_handful_acquits_what_is_right_and_finds_what_is_plain():
    for module in (convolution, pooling, normalization, padding, vectors):
        for name in set(OPERATIONS) & set(vars(module)):
            function = complete(name, getattr(module, name))
            assert not finds(Mistake(name, "right", function)), name
    found = {title for title, one in wrong_ones().items() if finds(one)}
    assert {"conv2d: flipped_kernel", "conv2d gradient: weight_gradient_flipped"} <= found
    assert 0.2 * len(MISTAKES) < len(found) < 0.8 * len(MISTAKES)


def test_judgements_are_counted_and_shown(tmp_path):
    path = tmp_path / "judgements.json"
    result = call("--only", "relu: nan_becomes_zero", "--seeds", 2, "--output", path)
    assert result.exit_code == 0, result.output
    kept = json.loads(path.read_text())["judgements"]
    assert [(one["seed"], one["whole"], one["passed"]) for one in kept] == [(0, True, False), (1, False, False)]
    assert all(one["needed"] <= one["cases"] for one in kept)
    assert "100.0%" in result.output
    assert "nan_becomes_zero: found after" in result.output


def test_a_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    asked = []

    def answer(task):
        asked.append(task)
        return Judgement(*task, False, 9, 3, None, 1.0, "")

    monkeypatch.setattr(judgements, "judged", answer)
    path, tasks = tmp_path / "judgements.json", [(title, 0, False) for title in list(wrong_ones())[:4]]
    started = run(tasks, 1, path)
    next(started), next(started), next(started)
    started.close()
    assert asked == tasks[:2]
    *_, done = run(tasks, 1, path)
    assert asked == tasks
    assert [one.key for one in done] == tasks


def test_judgements_of_another_judge_are_not_mixed_in(tmp_path):
    path = tmp_path / "judgements.json"
    path.write_text('{"judge": "another", "judgements": []}')
    result = call("--only", "relu: in_place", "--output", path)
    assert result.exit_code == 1
    assert "another state of the judge" in result.output


def test_false_alarms_and_misses_are_named(monkeypatch):
    wrong, right = next(iter(wrong_ones())), next(iter(right_ones()))
    miss = Judgement(wrong, 0, True, True, 480, None, None, 1.0, "is right")
    alarm = replace(miss, title=right, passed=False, sentence="y has wrong numbers")
    monkeypatch.setattr(judgements, "judged", lambda task: miss if task[0] == wrong else alarm)
    result = call()
    assert f"missed {wrong}" in result.output
    assert f"false alarm {right}, seed 0: y has wrong numbers" in " ".join(result.output.split())


def test_a_judge_that_raises_has_missed(monkeypatch):
    def broken(*arguments, **options):
        raise ArithmeticError("lost")

    monkeypatch.setattr(judgements, "judge", broken)
    one = judged((next(iter(wrong_ones())), 0, True))
    assert one.passed
    assert "ArithmeticError: lost" in one.sentence
    assert not judged((next(iter(right_ones())), 0, True)).passed


def test_what_is_unknown_is_said():
    result = call("--only", "nothing such")
    assert result.exit_code == 1
    assert "no implementation contains" in result.output


def test_titles_tell_gradients():
    one = next(one for one in MISTAKES if one.backward)
    assert title_of(one).startswith(f"{one.operation} gradient: ")
    assert not judged((title_of(one), 0, False)).passed
