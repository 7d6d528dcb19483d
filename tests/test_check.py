"""The judge: what it finds, how it says it, what it can't be fooled by, and its command."""

import json
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from judged import convolutions as judged
from typer.testing import CliRunner

from minicnn.cli import app
from minicnn.kernels.convolution import ALGORITHMS
from minicnn.testing import CannotTryError, check_conv2d, check_relu, expected, judge
from minicnn.testing.case import built
from minicnn.testing.choices import EVERYTHING, Choices, generator
from minicnn.testing.command import Program
from minicnn.testing.operations import OPERATIONS

FILE = Path(judged.__file__)
FEW = {"examples": 90, "seconds": 20.0}


def verdict_on(function, **options):
    return judge(function, "conv2d", **(FEW | options))


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


# What it finds, and what it says


@pytest.mark.parametrize(
    ("function", "condition", "message"),
    [
        (judged.flipped, "a kernel of more than one pixel", "y has wrong numbers"),
        (judged.odd_pixel_first, 'padding="same"', "y has wrong numbers"),
        (judged.width_stride_from_height, "a stride that differs between height and width", ""),
        (judged.fourth_image_forgotten, "4 or more images", "y has wrong numbers"),
        (judged.wrong_beyond_64_columns, "columns", "y has wrong numbers"),
    ],
)
def test_wrong_convolutions_are_found_and_explained(function, condition, message):
    verdict = verdict_on(function)
    assert not verdict.passed
    assert condition in verdict.condition.text
    assert message in verdict.sentence
    lines = verdict.text().splitlines()
    assert len(lines) <= 27
    assert max(map(len, lines)) <= 100
    assert "Traceback" not in verdict.text()


def test_a_right_convolution_is_right():
    verdict = judge(judged.conv2d, backward=judged.backward, without=["same", "dilation", "groups"])
    assert verdict.passed, verdict.text()
    rows = {row.option: row for row in verdict.coverage}
    assert rows["groups"].not_asked_because == "left out"
    assert all(row.cases and not row.failed for row in verdict.coverage if not row.not_asked_because)
    assert rows["gradients"].cases > 300
    assert verdict.in_time


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (judged.nothing, "returns nothing (None)"),
        (judged.without_the_border, "returns shape"),
        (judged.half, "returns float16 where the arrays are float32"),
        (judged.a_list, "returns a list"),
        (judged.a_masked_array, "returns a masked array"),
        (judged.overwrites_its_input, "changes its argument input"),
        (judged.one_buffer, "the memory of what it returned before"),
        (judged.its_input, "changes its argument input"),
        (judged.exits, "called sys.exit(3)"),
        (judged.breaks, "SIGSEGV"),
        (judged.takes_all_memory, "memory"),
        (judged.restless, "two calls with the same arrays give different answers"),
    ],
)
def test_each_way_of_being_wrong_has_its_sentence(function, words):
    verdict = verdict_on(function)
    assert not verdict.passed
    assert words in verdict.sentence


def test_a_hang_is_a_finding_with_its_case():
    verdict = verdict_on(judged.hangs, timeout=0.5)
    assert "did not return within" in verdict.sentence
    assert verdict.smallest.case.fields["N"] > 2
    assert verdict.cases > 3


def test_no_answer_can_be_peeked_at():
    assert not verdict_on(judged.peeks, examples=20).passed
    assert not judge(f"{FILE}:peeks", "conv2d", examples=20).passed


def test_what_a_function_prints_stays_apart(capfd):
    assert verdict_on(judged.prints, examples=20).passed
    assert capfd.readouterr().out == ""


def test_gradients_are_judged_in_any_form():
    verdict = judge(None, "conv2d", backward=judged.weight_gradient_averaged, without=["same"], **FEW)
    assert {one.what for one in verdict.findings} == {"the gradient with respect to weight"}
    assert "2 or more images" in verdict.condition.text
    assert not verdict_on(judged.conv2d, backward=lambda *a: judged.backward(*a)[:2], without=["same"]).passed


def test_the_mistake_is_called_by_its_name():
    verdict = verdict_on(judged.flipped)
    assert "the kernel is flipped" in verdict.mistake.sentence
    assert verdict.sentence.endswith(f"This is {verdict.mistake.sentence}.")
    assert verdict_on(judged.fourth_image_forgotten).mistake is None


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda y: np.ma.masked_array(y),
        lambda y: y.astype(np.float64),
        lambda y, kept={}: y if kept.setdefault(y.shape, y) is y else np.copyto(kept[y.shape], y) or kept[y.shape],
    ],
    ids=["masked array", "float64", "one buffer"],
)
def test_no_mistake_is_named_that_is_right_in_the_cases_tried(wrapped):
    """Asked for single numbers alone, an unfold with the paddings of height and width swapped is right."""

    def unfold(x, kernel_size: int, dilation: int = 1, padding: int = 0, stride: int = 1):
        return wrapped(F.unfold(torch.tensor(x), kernel_size, dilation, padding, stride).numpy())

    verdict = judge(unfold, "unfold", examples=60, without=["empty batch"])
    assert not verdict.passed
    assert verdict.mistake is None, verdict.text()


def test_a_condition_may_be_the_dtype_or_one_number():
    verdict = verdict_on(lambda x, weight: judged.conv2d(x, weight).astype(np.float64))
    assert "with float32 arrays (in all" in verdict.sentence
    verdict = verdict_on(lambda x, weight: judged.conv2d(x, weight) + (len(x) == 2))
    assert "with exactly 2 images (in all" in verdict.sentence


def test_a_seed_repeats_everything():
    first, second = (verdict_on(judged.flipped, seed=5, examples=60) for _ in range(2))
    assert first.text().replace(f"{first.seconds:.1f} s", "") == second.text().replace(f"{second.seconds:.1f} s", "")


def test_slow_functions_get_small_cases():
    def slow(x, weight):
        y = judged.conv2d(x, weight)
        for _ in range(y.size * weight[0].size * 20):
            pass
        return y

    verdict = verdict_on(slow, seconds=4.0, examples=480)
    assert verdict.passed
    assert verdict.seconds < 12
    assert verdict.cases > 40


# How a function is called


def test_parameters_go_by_names_by_map_and_by_position():
    def short(x, w, b, s, p, d, g):
        return judged.conv2d(x, w, b, s, p, d, g)

    def named(image, *, filters, step=1):
        return judged.conv2d(image, filters, stride=step)

    def some(*arguments):
        return judged.conv2d(*arguments)

    assert verdict_on(short).passed
    assert verdict_on(named, mapping={"step": "stride"}).passed
    assert verdict_on(some).passed
    with pytest.raises(CannotTryError, match="step is none of conv2d's"):
        verdict_on(lambda x, w, b, step: 0)
    with pytest.raises(CannotTryError, match="no parameter for weight"):
        verdict_on(lambda x: 0)
    with pytest.raises(CannotTryError, match="no parameter strides"):
        verdict_on(named, mapping={"step": "strides"})


def test_the_name_tells_the_operation():
    def my_relu(x):
        return np.maximum(x, 0)

    assert judge(my_relu, examples=40).operation.name == "relu"
    check_relu(my_relu, max_examples=40)
    with pytest.raises(CannotTryError, match="does not tell the operation"):
        judge(lambda x: x)
    with pytest.raises(CannotTryError, match="unknown"):
        judge(my_relu, "conv3d")


def test_under_pytest_the_verdict_is_the_message():
    with pytest.raises(AssertionError, match="is wrong with a kernel of more than one pixel"):
        check_conv2d(judged.flipped, max_examples=60)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_the_battery_acquits_torch(operation):
    function = f"torch.nn.functional:{operation}"
    left_out = ODD.get(operation, [])
    verdict = judge(function, operation, takes="torch", examples=60, isolated=False, without=left_out)
    assert verdict.passed, verdict.text()
    assert next(row for row in verdict.coverage if row.option == "gradients").passed > 40


ODD = {"batch_norm": ["evaluation"]}
"""PyTorch's own gradient of a batch_norm in evaluation is wrong for some memory layouts."""


# The command


def test_exit_status_0_for_right():
    result = run(f"{FILE}:prints", "--op", "conv2d", "--examples", 40)
    assert result.exit_code == 0, result.output
    assert "prints is right in all" in result.stdout


def test_exit_status_1_for_wrong_with_files_and_a_script_that_shows_it(tmp_path):
    script, data, junit = tmp_path / "show.py", tmp_path / "a.json", tmp_path / "a.xml"
    result = run(
        *(f"{FILE}:flipped", "--op", "conv2d", "--examples", 80, "--reproducer", script),
        *("--json", data, "--junit", junit),
    )
    assert result.exit_code == 1, result.output
    assert result.stdout.rstrip().endswith(f"Reproduce: python {script}")
    told = json.loads(data.read_text())
    assert told["passed"] is False
    assert told["findings"][0]["kind"] == "values"
    assert {row["option"] for row in told["coverage"]} >= {"stride", "padding", "groups", "gradients"}
    suite = ElementTree.parse(junit).getroot()
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0
    assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped")) > 0
    shown = subprocess.run([sys.executable, "-I", script], capture_output=True, text=True, check=False)
    assert shown.returncode == 1, shown.stderr
    assert "expected" in shown.stdout
    assert "minicnn" not in script.read_text().replace(str(FILE), "").replace(str(FILE.parent), "").split('"""')[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a function"),
        ([f"{FILE}:flipped", "--command", "./x IN.npz OUT.npz"], "name a function"),
        ([str(FILE)], "is a file; say"),
        (["nothing"], "names no function"),
        (["nowhere.py:conv2d"], "there is no file nowhere.py"),
        (["no_such_module:conv2d"], "there is no module no_such_module"),
        ([f"{FILE}:conv3d", "--op", "conv2d"], "there is no function conv3d; it has"),
        ([f"{FILE}:FILE", "--op", "conv9d"], "'conv9d' is unknown"),
        ([f"{FILE}:flipped", "--op", "conv2d", "--only", "speed"], "nothing is called 'speed'"),
        (["--op", "conv2d", "--command", "./no_such_program IN.npz OUT.npz"], "there is no program ./no_such_program"),
        (["--op", "conv2d", "--command", "./mine"], "needs IN.npz and OUT.npz"),
    ],
)
def test_exit_status_2_where_nothing_can_be_tried(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    errors = result.stderr.strip().splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert words in errors[0]


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits a process from outside")
def test_a_program_gets_no_more_memory_than_a_function():
    told = "import resource as r, time; time.sleep(0.2); raise SystemExit(str(r.getrlimit(r.RLIMIT_AS)[0]))"
    program = Program({"forward": f'{sys.executable} -c "{told}" IN.npz OUT.npz'}, 20.0, 2**30)
    program.start()
    try:
        reply = program.ask({"function": "forward", "operation": "relu", "arrays": {}, "named": {}})
    finally:
        program.stop()
    assert 2**30 < int(reply.message.rpartition(" ")[2]) < 2**40


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_library\n", "needs no_such_library, which is not installed: pip install no_such_library"),
        ("conv2d = 3\n", "is of type int, not a function"),
        ("class conv2d: pass\n", "conv2d is a class"),
        ("def conv2d(:\n", "can't be imported: SyntaxError"),
        ("raise SystemExit(4)\n", "can't be imported: it called sys.exit(4)"),
    ],
)
def test_a_file_that_cannot_be_loaded(tmp_path, text, words):
    file = tmp_path / "mine.py"
    file.write_text(text)
    result = run(f"{file}:conv2d")
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_bad_options_are_refused():
    for arguments in (["--map", "s"], ["--takes", "jax"], ["--seconds", "0"], ["--examples", "-1"]):
        assert run(f"{FILE}:flipped", *arguments).exit_code == 2


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_without_pytorch_the_seven_loops_give_the_right_answers(name, monkeypatch):
    operation = OPERATIONS[name]
    pick = generator("loops", name).choice
    drafts = [operation.draft(Choices(pick, frozenset([EVERYTHING]), {"values": ("reals",)}, 2**12)) for _ in range(60)]
    cases = [case for fields in drafts if (case := built(operation, fields)) is not None]
    wanted = [expected.compute(case, gradients=True) for case in cases]
    monkeypatch.setattr(expected, "with_torch", lambda: False)
    for other in set(ALGORITHMS) - {"naive"}:
        monkeypatch.setitem(ALGORITHMS, other, None)  # whoever asks these fails
    assert len(cases) > 10
    for case, answer in zip(cases, wanted, strict=True):
        for result, values in expected.compute(case, gradients=True).items():
            np.testing.assert_allclose(
                values, answer[result], rtol=1e-9, atol=1e-9 * np.abs(answer[result]).max(initial=1)
            )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_judge_that_is_killed_leaves_nothing_running(tmp_path):
    (tmp_path / "endless.py").write_text("def relu(input):\n    while True:\n        pass\n")
    script = f"""
import numpy
from minicnn.testing.process import Process
process = Process({{"forward": {{"file": {str(tmp_path / "endless.py")!r}, "name": "relu"}}}})
process.start()
print(process._pid, flush=True)
request = {{"function": "forward", "arrays": {{}}, "positional": [(None, None)], "named": {{}}, "many": False}}
process._connection.send(request)
input()
"""
    judging = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    worker = int(judging.stdout.readline())
    judging.kill()
    judging.wait()
    for _ in range(200):
        status = Path(f"/proc/{worker}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the judged function still runs")


TWO_MISTAKES = """
from minicnn.testing.wrong import convolution_gradients as wrong

def conv2d_backward(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    asked = (grad_output, x, weight, bias, stride, padding, dilation, groups)
    by_x, by_weight, _ = wrong.weight_gradient_flipped(*asked)
    return by_x, by_weight, wrong.bias_gradient_averaged(*asked)[2]
"""


def test_each_of_two_mistakes_is_named(tmp_path):
    (tmp_path / "two.py").write_text(TWO_MISTAKES)
    verdict = judge(None, "conv2d", f"{tmp_path}/two.py:conv2d_backward", examples=40)
    assert verdict.mistake is None
    names = {name.rpartition(" ")[2]: mistake.function.__name__ for name, mistake in verdict.partly.items()}
    assert names == {"weight": "weight_gradient_flipped", "bias": "bias_gradient_averaged"}
    text = " ".join(verdict.text().split())
    for mistake in verdict.partly.values():
        assert f"This is {mistake.sentence}" in text
