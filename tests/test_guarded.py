"""Kernels touch nothing outside their arrays: each array lies against a page that ends the process when touched."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="asks Linux for forbidden pages")
SCRIPT = Path(__file__).with_name("guarded.py")


def guarded(*arguments):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_trespass_ends_the_process(where):
    assert guarded(where, 0, 0, "trespass").returncode == -11


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before", "behind"])
def test_nothing_outside_is_touched(where, request):
    process = guarded(where, 1, 8)
    assert process.returncode == 0, process.stdout + process.stderr[-3000:]
    assert "guarded" in process.stdout


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize("seed", [2, 3])
def test_nothing_outside_is_touched_for_longer(where, seed):
    process = guarded(where, seed, 60)
    assert process.returncode == 0, process.stdout + process.stderr[-3000:]
    print(process.stdout)
