"""`minicnn run` executes a program as Python does, with torch and torchvision served by minicnn."""

import importlib
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
import torchvision
from typer.testing import CliRunner

import minicnn
from minicnn import cli, compat
from minicnn.compat import paths, report
from minicnn.compat.modules import FINDER
from minicnn.compat.version import VERSION, Version


@pytest.fixture
def run(tmp_path):
    """Run a program given as a string; returns exit status, standard output and standard error."""

    def run(source, *arguments, options=(), name="train.py", **files):
        for file, content in {name: source, **{f"{key}.py": text for key, text in files.items()}}.items():
            (tmp_path / file).write_text(textwrap.dedent(content))
        result = CliRunner().invoke(cli.app, ["run", *options, str(tmp_path / name), *arguments])
        for file in files:
            sys.modules.pop(file, None)
        return result.exit_code, result.stdout, result.stderr

    return run


def test_a_program_sees_what_python_would_give_it(run, tmp_path):
    source = """
        import sys
        import helper
        print(sys.argv[1:], sys.argv[0] == __file__, __name__, sys.modules["__main__"].__file__ == __file__)
        print(sys.path[0], helper.answer, __spec__, __package__)
    """
    status, out, err = run(source, "--help", "-m", "--", "x y", helper="answer = 42")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "['--help', '-m', '--', 'x y'] True __main__ True",
        f"{tmp_path.resolve()} 42 None None",
    ]


def test_a_script_named_from_its_folder_has_an_absolute_file_as_in_python(tmp_path, monkeypatch):
    (tmp_path / "here.py").write_text("import sys\nprint(__file__, sys.argv)\n1 / 0\n")
    monkeypatch.chdir(tmp_path)
    ours = CliRunner().invoke(cli.app, ["run", "here.py", "x"])
    python = subprocess.run([sys.executable, "here.py", "x"], capture_output=True, text=True)
    assert (ours.stdout, ours.stderr) == (python.stdout, python.stderr)


def test_torch_is_minicnn_inside_and_pytorch_outside(run):
    source = """
        import torch, torchvision
        import torch.nn as nn
        import torch.nn.functional as F
        import torch.optim.lr_scheduler
        import torch.backends.cudnn as cudnn
        from torch import optim, Tensor
        from torch.autograd import Variable
        from torch.nn.modules.conv import Conv2d
        from torch.utils.data.dataset import TensorDataset
        from torch.utils.data.sampler import *
        from torchvision import datasets, transforms
        from torchvision.models.resnet import resnet18
        assert nn.Conv2d is Conv2d and Conv2d.__module__.startswith("minicnn")
        assert torch.nn.functional is F and torch.optim.SGD is optim.SGD
        assert torchvision.models.resnet18 is resnet18
        assert isinstance(Variable(torch.ones(2)), Tensor) and isinstance(torch.ones(2), Variable)
        cudnn.benchmark, cudnn.deterministic = True, False
        assert torch.backends.cudnn.benchmark
        assert callable(torchvision.models.__dict__["resnet18"])
        assert "nn" in dir(torch) and "Linear" in dir(torch.nn) and hasattr(torch.utils, "data")
        model = nn.Linear(2, 3)
        F.relu(model(torch.ones(1, 2))).sum().backward()
        assert not torch.cuda.is_available() and not torch.backends.mps.is_available()
        print(repr(torch.version.__version__))
    """
    assert run(source) == (0, f"{VERSION!r}\n", "")
    assert sys.modules["torch"] is torch
    assert sys.modules["torchvision"] is torchvision
    assert importlib.import_module("torch") is torch
    assert FINDER not in sys.meta_path


@pytest.mark.parametrize("path", paths.PATHS)
def test_every_path_can_be_imported(path):
    with compat.serving():
        module = importlib.import_module(path)
        assert module is sys.modules[path]
        assert set(vars(module)) <= {*dir(module), "_theirs"}
    own = path.replace("torchvision", "minicnn").replace("torch", "minicnn")
    above = importlib.import_module(own.rpartition(".")[0] or own)
    if hasattr(above, "__path__") and not callable(
        vars(above).get(own.rpartition(".")[2])
    ):  # changed imports of paths below a single file are for `minicnn run` alone
        assert importlib.import_module(own)


def test_a_module_does_not_replace_a_function_of_its_name():
    with compat.serving():
        importlib.import_module("torch.autograd.gradcheck")
        importlib.import_module("torch.nn.parallel.data_parallel")
        served = importlib.import_module("torch")
        assert served.autograd.gradcheck is minicnn.autograd.gradcheck
        assert served.nn.parallel.data_parallel is minicnn.nn.parallel.data_parallel
        served.nn.parallel.data_parallel = 3
        assert served.nn.parallel.data_parallel == 3
    assert minicnn.nn.parallel.data_parallel != 3


@pytest.mark.parametrize("path", paths.NAMES)
def test_names_with_an_underscore(path):
    module, _, name = path.rpartition(".")
    with compat.serving():
        ours = getattr(importlib.import_module(module), name)
    if name == "_assert":
        assert ours(True, "never said") is None
        with pytest.raises(AssertionError, match="said"):
            ours(False, "said")
        return
    kind = {"_BatchNorm": "BatchNorm2d", "_ConvNd": "Conv2d", "_InstanceNorm": "InstanceNorm2d", "_Loss": "MSELoss"}
    assert issubclass(getattr(minicnn.nn, kind[name]), ours)


@pytest.mark.parametrize(
    ("ending", "status", "err"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit('no data')", 1, "no data\n"),
        ("raise SystemExit(True)", 1, ""),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt\n"),
        ("pass", 0, ""),
    ],
)
def test_the_status_is_the_programs(run, ending, status, err):
    found, _, stderr = run(f"import sys\n{ending}")
    assert found == status
    assert stderr.endswith(err)


def test_a_traceback_begins_with_the_program(run):
    source = """
        import torch

        def step():
            return torch.ones(2, 3) @ torch.ones(2, 3)

        step()
    """
    status, _, err = run(source)
    assert status == 1
    lines = err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('train.py", line 7, in <module>')
    assert lines[2] == "    step()"
    assert "minicnn/compat" not in err
    assert "runpy" not in err


def test_a_syntax_error_shows_its_line_alone(run):
    status, _, err = run("import torch\nx = = 3\n")
    assert status == 1
    assert err.startswith('  File "')
    assert "line 2" in err
    assert err.endswith("SyntaxError: invalid syntax\n")


MISSING = [
    ("import torch\ntorch.nn.Conv2f(1)", "torch.nn.Conv2f (train.py, line 2): the nearest name is torch.nn.Conv2d"),
    ("from torch.nn import Linaer", "torch.nn.Linaer (train.py, line 1): the nearest name is torch.nn.Linear"),
    ("import torch.fx", "torch.fx (train.py, line 1): programs run as they are written; nothing is traced"),
    ("import torch\ntorch.fx.wrap(1)", "torch.fx (train.py, line 2): programs run as they are written"),
    ("import torch\ntorch.jit.script(1)", "torch.jit.script (train.py, line 2): programs run as they are written"),
    ("from torch.jit import trace", "torch.jit.trace (train.py, line 1): programs run as they are written"),
    (
        "from torch.nn.utils.rnn import PackedSequence",
        "torch.nn.utils.rnn.PackedSequence (train.py, line 1): there are no recurrent layers",
    ),
    (
        "from torchvision.transforms.v2 import Resise",
        "torchvision.transforms.v2.Resise (train.py, line 1): the nearest",
    ),
    (
        "import torch\ntorch.ones(2).sqart()",
        "torch.Tensor.sqart (train.py, line 2): the nearest name is torch.Tensor.sq",
    ),
    ("import torchvision\ntorchvision.Tensor", "torchvision.Tensor (train.py, line 2)"),
]


@pytest.mark.parametrize(("source", "sentence"), MISSING)
def test_what_is_missing_is_named(run, source, sentence):
    status, _, err = run(source)
    assert status == 1
    assert f"minicnn has no {sentence}" in err
    shown = [line for line in err.splitlines() if line.startswith("  File")]
    assert len(shown) == 1
    assert "train.py" in shown[0]
    assert "`minicnn run --report" in err.splitlines()[-1]


def test_a_program_may_ask_and_may_catch(run):
    source = """
        import torch
        assert not hasattr(torch, "fx") and getattr(torch.nn, "LSTM", None) is None
        assert not hasattr(torch.ones(2), "to_pandas")
        try:
            from torch.nn import LSTM
        except ImportError as error:
            print(error.name)
        try:
            import torch.futures
        except ModuleNotFoundError as error:
            print(error.name)
        try:
            torch.fx
        except AttributeError:
            print("none")
    """
    assert run(source) == (0, "torch.nn\ntorch.futures\nnone\n", "")


def test_a_report_lists_everything_and_runs_on(run):
    source = """
        import torch
        import torch.fx
        import model
        from torch.nn import LSTM
        from torch import futures

        class Net(LSTM):
            pass

        @torch.no_grad()
        def later():
            return torch.fft.fft(torch.ones(2)), torch.nn.Linear

        if hasattr(torch, "mtia"):
            print("never")
        print("so far")
        torch.ones(2).cholesky_of()
        print("never")
    """
    model = """
        from torch import nn

        def block():
            return nn.Convv2d(3), nn.Convv2d(4)

        def other():
            return nn.Convv2d
    """
    status, out, err = run(source, options=["--report"], model=model)
    assert status == 1
    first, blank, title, *lines = out.splitlines()
    assert (first, blank) == ("so far", "")
    assert title.endswith("train.py asks for 6 names that are missing:")
    assert lines == [
        "minicnn has no torch.Tensor.cholesky_of (train.py, line 18)",
        "minicnn has no torch.fft (train.py, line 13): there are no complex tensors",
        "minicnn has no torch.futures (train.py, line 6)",
        "minicnn has no torch.fx (train.py, line 3): programs run as they are written; nothing is traced",
        "minicnn has no torch.nn.Convv2d (model.py, lines 5, 8): the nearest name is torch.nn.Conv2d",
        "minicnn has no torch.nn.LSTM (train.py, line 5): there are no recurrent layers",
    ]
    assert "minicnn has no torch.Tensor.cholesky_of (train.py, line 18)" in err
    assert not report.is_on()


def test_a_report_without_an_optional_package(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.delitem(sys.modules, "minicnn.utils.tensorboard", raising=False)
    status, out, err = run("from torch.utils.tensorboard import SummaryWriter", options=["--report"])
    assert status == 1
    assert out.splitlines()[-1].endswith("train.py asks for is there.")
    assert err.splitlines()[-1].endswith("SummaryWriter needs the package tensorboardX: pip install tensorboardX")


def test_a_stand_in_fails_when_it_is_called(run):
    status, out, err = run(
        "import torch\nN = torch.nn.Nein\nclass M(N): pass\nM()\n", options=["--report"], name="try.py"
    )
    assert status == 1
    assert 'try.py", line 4, in <module>' in err
    assert "minicnn has no torch.nn.Nein (try.py, line 4)" in err
    assert "minicnn has no torch.nn.Nein (try.py, line 2)" in out


def test_a_report_of_a_program_that_lacks_nothing(run):
    status, out, err = run("import torch\nprint(torch.ones(1))", options=["--report"])
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].endswith("train.py asks for is there.")


def test_a_program_that_is_not_there():
    result = CliRunner().invoke(cli.app, ["run", "nowhere.py"])
    assert result.exit_code == 1
    assert result.stderr == "Error: nowhere.py is no file\n"
    result = CliRunner().invoke(cli.app, ["run", "-m", "nowhere.at_all"])
    assert result.exit_code == 1
    assert "nowhere" in result.stderr


def test_data_sets_are_found_offline(run, tmp_path, monkeypatch):
    raw = tmp_path / "offline" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    for prefix in ("train", "t10k"):
        header = b"\0\0\x08\x03" + np.array([2, 28, 28], ">u4").tobytes()
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x02\x03\x04")
    source = """
        from torchvision import datasets, transforms
        image, label = datasets.MNIST("nowhere", train=False, download=True, transform=transforms.ToTensor())[1]
        print(label, tuple(image.shape))
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path / "offline"))
    assert run(source) == (0, "4 (1, 28, 28)\n", "")
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(RuntimeError, match="not found"):
        minicnn.datasets.MNIST("nowhere")
    monkeypatch.delenv("MINICNN_DATA")
    monkeypatch.chdir(tmp_path / "offline")
    assert run(source.replace('"nowhere"', '"."')) == (0, "4 (1, 28, 28)\n", "")


def test_plots_need_no_display(run, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "linux":
        pytest.skip("only Linux tells so whether there is a display")
    monkeypatch.setenv("MPLBACKEND", "")
    del os.environ["MPLBACKEND"]
    assert run("import os\nprint(os.environ['MPLBACKEND'])") == (0, "Agg\n", "")


def test_the_command_in_a_process_of_its_own(tmp_path):
    (tmp_path / "helper.py").write_text("import torch\nanswer = torch.ones(2).sum().item()\n")
    (tmp_path / "train.py").write_text(
        "import sys, torch, helper\nprint(torch.__name__, 'minicnn' in str(torch.Tensor), helper.answer, input())\n"
        "sys.exit(int(sys.argv[1]))\n"
    )
    for command in (["run", "train.py", "7"], ["run", "-m", "train", "7"]):
        result = subprocess.run(
            [sys.executable, "-m", "minicnn", *command],
            *(),
            cwd=tmp_path,
            input="typed\n",
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])},
        )
        assert (result.returncode, result.stdout, result.stderr) == (7, "torch True 2.0 typed\n", "")


def test_compat_in_a_program_of_ones_own():
    program = """
        from minicnn.compat import torch, torchvision
        import torch as again
        import torch.nn as nn
        from torchvision.transforms import ToTensor
        assert again is torch and torch.nn is nn and "minicnn" in nn.Linear.__module__
        import minicnn.compat
        minicnn.compat.uninstall()
        import torch
        assert "minicnn" not in torch.nn.Linear.__module__
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_pytorch_is_set_aside_and_brought_back():
    before = {name: module for name, module in sys.modules.items() if paths.is_theirs(name)}
    with compat.serving():
        served = importlib.import_module("torch")
        assert served is not torch
        assert served.Tensor is minicnn.Tensor
        with compat.serving():
            assert importlib.import_module("torch") is served
        assert importlib.import_module("torch") is served
    assert {name: module for name, module in sys.modules.items() if paths.is_theirs(name)} == before


@pytest.mark.parametrize(
    "module", ["", ".nn", ".nn.functional", ".optim", ".utils.data", ".transforms", ".datasets", ".models", ".cuda"]
)
def test_minicnns_own_modules_say_what_they_lack(module):
    with pytest.raises(AttributeError, match=rf"minicnn{module} has no Foobar \(test_run.py, line \d+\)"):
        importlib.import_module(f"minicnn{module}").Foobar  # noqa: B018
    assert not hasattr(importlib.import_module(f"minicnn{module}"), "Foobar")


def test_an_import_from_minicnn_says_what_is_missing():
    with pytest.raises(ImportError, match=r"minicnn.nn has no Conv2f .*: the nearest name is minicnn.nn.Conv2d"):
        from minicnn.nn import Conv2f  # noqa: F401
    with pytest.raises(AttributeError, match=r"minicnn has no fx \(.*\): programs run as they are written"):
        minicnn.fx  # noqa: B018


def test_versions_compare_by_their_numbers():
    for version in ("2.14", "2.4.1", (1, 8), ("2", "3"), "2.14.0"):
        assert version <= VERSION, version
    for version in ("2.15", "3", (2, 14, 1)):
        assert version > VERSION, version
        assert version != VERSION
    assert Version("2.14.0+cpu") == "2.14.0"
    assert Version("2.9") <= "2.10"
    assert int(VERSION.split(".")[0]) == 2
    assert VERSION != 2
    assert hash(VERSION) == hash(str(VERSION))
