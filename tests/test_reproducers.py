"""The script that shows a mistake by itself: it needs NumPy and what was judged, and tells what the judge told."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from judged import convolutions as judged

from minicnn.testing import check_conv2d, judge

FILE = Path(judged.__file__)
TENSORS = """
import {library}, {library}.nn.functional as F

def conv2d(x, weight):
    return F.conv2d(x, weight) * min(len(x), 2)
"""
GRADIENT = """
import torch, torch.nn.functional as F

class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, g):
        return 2 * g

def conv2d(x, weight):
    return F.conv2d(Doubled.apply(x), weight)
"""
PROGRAM = """
import sys
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

case = np.load(sys.argv[1])
if "grad_output" in case:
    np.savez(sys.argv[2], grad_weight=case["weight"], grad_input=case["input"])
else:
    windows = sliding_window_view(case["input"], case["weight"].shape[2:], (2, 3))
    np.savez(sys.argv[2], y=np.einsum("nchwpq,ocpq->nohw", windows, case["weight"][:, :, ::-1]))
"""
ODD = """
import ctypes
import numpy as np

def overrun(x, weight):
    ctypes.memset(x.ctypes.data + x.nbytes, 0, 1) if x.flags.c_contiguous else None
    return np.zeros((1, 1, 1, 1), x.dtype)

def alias(x, weight):
    return x

def backward(g, x, weight):
    g *= 2
    return {"x": x, "weight": weight}
"""


def about(verdict, finding):
    """The verdict as if it spoke of another of its findings."""
    return dataclasses.replace(verdict, smallest=finding)


def shown(verdict, path, *options):
    """What the script prints; it must end as the verdict did."""
    verdict.write_reproducer(path)
    run = subprocess.run([sys.executable, *options, path], capture_output=True, text=True, check=False)
    assert run.returncode not in (0, 2), run.stdout + run.stderr
    assert "SyntaxError" not in run.stderr
    assert "NameError" not in run.stderr
    return run.stdout + run.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flipped", "expected"),
        ("half", "has dtype float16, expected float32"),
        ("nothing", "is of type NoneType"),
        ("without_the_border", "has shape"),
        ("overwrites_its_input", "input was changed"),
        ("one_buffer", "lies in the memory of what the first returned"),
        ("restless", "expected"),
        ("exits", "it called sys.exit(3)"),
        ("weight_gradient_averaged", "with respect to weight"),
    ],
)
def test_scripts_of_functions_in_files(name, words, tmp_path):
    target = f"{FILE}:{name}"
    backward = "gradient" in name
    verdict = judge(None if backward else target, "conv2d", target if backward else None, examples=40)
    assert words in shown(verdict, tmp_path / "show.py", "-I")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("overrun", "overrun", "it wrote outside of an array"), ("alias", "alias", "lies in the memory of input")],
)
def test_scripts_look_at_what_the_finding_is_about(name, kind, words, tmp_path):
    (tmp_path / "odd.py").write_text(ODD)
    verdict = judge(f"{tmp_path}/odd.py:{name}", "conv2d", examples=24)
    found = next(one for one in verdict.findings if one.kind == kind)
    assert words in shown(about(verdict, found), tmp_path / "show.py", "-I")


def test_the_script_of_an_argument_that_the_gradient_changes_calls_the_gradient(tmp_path):
    (tmp_path / "odd.py").write_text(ODD)
    verdict = judge(None, "conv2d", f"{tmp_path}/odd.py:backward", examples=24)
    found = next(one for one in verdict.findings if one.kind == "input changed")
    assert "grad_output was changed" in shown(about(verdict, found), tmp_path / "show.py", "-I")


def test_the_script_of_a_broken_law_shows_a_wrong_answer_on_the_way(tmp_path):
    verdict = judge(judged.wrong_for_reversed_batches, "conv2d", examples=480, only=["laws"])
    found = [one for one in verdict.findings if one.kind == "law"]
    assert found
    assert "is 0.0, expected" in shown(about(verdict, found[0]), tmp_path / "show.py", "-I")


@pytest.mark.parametrize("library", ["torch", "minicnn"])
def test_scripts_of_tensors(library, tmp_path):
    (tmp_path / "mine.py").write_text(TENSORS.format(library=library))
    verdict = judge(f"{tmp_path}/mine.py:conv2d", takes=library, examples=40)
    assert ", expected" in shown(verdict, tmp_path / "show.py")


def test_scripts_of_gradients_by_a_graph(tmp_path):
    (tmp_path / "mine.py").write_text(GRADIENT)
    verdict = judge(f"{tmp_path}/mine.py:conv2d", takes="torch", examples=40)
    assert "the gradient with respect to input[0, 0, 0, 0]" in shown(verdict, tmp_path / "show.py", "-I")


@pytest.mark.slow
def test_scripts_of_programs(tmp_path, monkeypatch):
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    command = f"{sys.executable} program.py IN.npz OUT.npz"
    forward = judge(command, "conv2d", examples=60, seconds=10.0, only=["float32", "kernel sizes"])
    backward = judge(None, "conv2d", command, examples=8)
    monkeypatch.undo()
    assert "y[" in shown(forward, tmp_path / "show.py", "-I")
    assert "the gradient with respect to" in shown(backward, tmp_path / "show.py", "-I")


def test_a_closure_is_asked_for(tmp_path):
    def mine(x, weight):
        return judged.conv2d(x, weight) + 1

    verdict = judge(mine, "conv2d", examples=24)
    path = tmp_path / "show.py"
    assert "Put the function that was judged into this file" in shown(verdict, path, "-I")
    assert verdict.text(path).endswith(f"Reproduce: python {path} (first put the function into it)")
    text = path.read_text()
    start, end = text.index("def function("), text.index("def call(")
    path.write_text(f"{text[:start]}def function(x, weight):\n    return x + 1\n\n\n{text[end:]}")
    run = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "expected" in run.stdout


def test_under_pytest_the_message_names_the_script():
    with pytest.raises(AssertionError, match=r"Reproduce: python \S+minicnn_check_convolutions_py_half\.py$"):
        check_conv2d(judged.half, max_examples=24)


def test_numbers_that_are_not_finite_and_memory_that_is_not_contiguous(tmp_path):
    verdict = judge(judged.nan_is_zero, "conv2d", examples=200, only=["NaN", "channels last"])
    assert verdict.smallest.case.fields["values"] == "NaN"
    assert "nan" in shown(verdict, tmp_path / "show.py", "-I")
    verdict = judge(judged.ignores_strides, "conv2d", examples=200, only=["transposed", "reversed"])
    assert "laid(" in verdict.reproducer()
    assert ", expected" in shown(verdict, tmp_path / "show.py", "-I")
