"""Programs written for PyTorch run as they are on minicnn, and leave the same.

Each file in `tests/torch_programs` is a program as people write them. It starts from weights and data of NumPy's
seeds (`seeds.py`), computes in float64, and leaves its results under these names:

- `LOSSES`: a list of numbers, in the order in which they came up;
- `MODEL`: a module whose parameters, gradients and buffers are compared, or a list or dictionary of modules;
- `RESULTS` (if it likes): a dictionary of tensors, arrays and numbers.

Keep out what rounding alone decides, such as a bias before a batch norm under Adam: its gradient is 0 but for rounding,
and Adam divides by it.

Each runs on PyTorch; on minicnn as `minicnn run` executes it; and on minicnn once more with its imports changed.
"""

import ast
import contextlib
import runpy
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicnn.compat import run

FOLDER = Path(__file__).parent / "torch_programs"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "seeds")

TOLERANCE = 1e-10  # of the largest number of a tensor, in float64, after a few steps


@contextlib.contextmanager
def own_modules() -> Iterator[None]:
    """Let a program import its neighbours, and forget them afterwards: they hold the library they were run with."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))
        for name, module in [*sys.modules.items()]:
            if str(getattr(module, "__file__", None)).startswith(str(FOLDER)) and name != "__main__":
                del sys.modules[name]


def run_on_torch(path: Path) -> dict[str, Any]:
    arguments, sys.argv = sys.argv, [str(path)]
    hook = sys.excepthook  # which torch.distributed replaces
    try:
        return runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.excepthook = arguments, hook


def run_on_minicnn(path: Path) -> dict[str, Any]:
    program = run.Program(str(path))
    return run.execute(program, program.main_module())


class ChangedImports(ast.NodeTransformer):
    """A program as its author would change it: `torch` and `torchvision` become `minicnn` in its imports."""

    @staticmethod
    def changed(module: str) -> str:
        root, dot, rest = module.partition(".")
        return f"minicnn{dot}{rest}" if root in ("torch", "torchvision") else module

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            changed = self.changed(alias.name)
            if changed != alias.name and not alias.asname and "." not in alias.name:
                alias.asname = alias.name
            alias.name = changed
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        node.module = self.changed(node.module or "")
        return node


def run_with_changed_imports(path: Path, folder: Path) -> dict[str, Any]:
    """Run a program whose own imports, and those of its neighbour `seeds`, are minicnn's."""
    for file in (path, FOLDER / "seeds.py"):
        (folder / file.name).write_text(ast.unparse(ChangedImports().visit(ast.parse(file.read_text()))))
    sys.path.insert(0, str(folder))
    try:
        return run_on_torch(folder / path.name)
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("seeds", None)


def array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)


def modules(model: Any) -> dict[str, Any]:
    if isinstance(model, dict):
        return {str(name): module for name, module in model.items()}
    return dict(enumerate(model)) if isinstance(model, list | tuple) else {"": model}


def left_by(names: dict[str, Any]) -> dict[str, np.ndarray | None]:
    """Everything that a program left to be compared, under names that say where it comes from."""
    left: dict[str, np.ndarray | None] = {"losses": array([float(loss) for loss in names["LOSSES"]])}
    for which, module in modules(names["MODEL"]).items():
        for name, parameter in module.named_parameters():
            left[f"{which} {name}"] = array(parameter)
            left[f"{which} {name}, gradient"] = None if parameter.grad is None else array(parameter.grad)
        left.update({f"{which} {name}": array(buffer) for name, buffer in module.named_buffers()})
    left.update({f"result {name}": array(value) for name, value in names.get("RESULTS", {}).items()})
    return left


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    left, expected = left_by(ours), left_by(theirs)
    assert [*left] == [*expected]
    for name, value in expected.items():
        found = left[name]
        if value is None or found is None:
            assert found is value, name
            continue
        assert found.shape == value.shape, name
        assert found.dtype == value.dtype, name
        scale = max(1.0, np.abs(value.astype(float)).max(initial=0))
        np.testing.assert_allclose(found, value, rtol=0, atol=TOLERANCE * scale, err_msg=name)


@pytest.fixture
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_leaves_the_same(name, tmp_path, monkeypatch):
    path = FOLDER / f"{name}.py"
    monkeypatch.chdir(tmp_path)
    with own_modules():
        expected = run_on_torch(path)
    with own_modules():
        assert_same(run_on_minicnn(path), expected)
    assert_same(run_with_changed_imports(path, tmp_path), expected)


def test_differences_are_noticed():
    one, other = ({"LOSSES": [1.0, 2.0 + off], "MODEL": []} for off in (0, 1e-8))
    assert_same(one, one)
    with pytest.raises(AssertionError):
        assert_same(other, one)
