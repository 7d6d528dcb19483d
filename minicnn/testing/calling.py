"""Lines of Python that call a judged function, tensors, or a program, in a script of their own."""

import functools
import inspect
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.testing.case import Case
from minicnn.testing.command import IN, OUT, as_array, is_command
from minicnn.testing.target import Binding, How

PROGRAM = """
def call():
    \"\"\"Write {IN}, run the program, and read {OUT}.\"\"\"
    with tempfile.TemporaryDirectory() as folder:
        files = {{name: os.path.join(folder, name) for name in ({IN!r}, {OUT!r})}}
        np.savez(files[{IN!r}], **given)
        words = [files.get(word, word) for word in {words!r}]
        ended = subprocess.run(words, cwd={cwd!r}, check=False)
        if ended.returncode:
            raise SystemExit(f"wrong: it ended with status {{ended.returncode}}")
        with np.load(files[{OUT!r}]) as found:
            return [found[name] for name in {keys!r} if name in found]

"""
MISSING = """
def function(*arguments, **options):
    \"\"\"The function that was judged stands in no file by a name of its own: put it here, or import it here.\"\"\"
    raise SystemExit("Put the function that was judged into this file, in the place of `function`, and run it again.")

"""


def importable(place: Any, folder: str) -> dict[str, str] | None:
    """Where a function is, as "file" or "module" and "path", if a script can load it by its name."""
    if not callable(place):
        return {**place, "path": folder} if "module" in place else dict(place)
    name = getattr(place, "__qualname__", "<")
    if "<" in name or isinstance(place, functools.partial) or not inspect.isfunction(inspect.unwrap(place)):
        return None
    file = inspect.getsourcefile(inspect.unwrap(place))
    module = sys.modules.get(place.__module__)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if file is None or found is not place:
        return None
    if "." in place.__module__ and getattr(module, "__file__", None):
        root = Path(str(module.__file__)).resolve().parents[place.__module__.count(".")]  # type: ignore[union-attr]
        return {"module": place.__module__, "name": name, "path": str(root)}
    return {"file": str(Path(file).resolve()), "name": name}


def loading(where: Mapping[str, str] | None) -> str:
    """Lines that bind `function`."""
    if where is None:
        return MISSING
    if "file" in where:
        path = Path(where["file"]).resolve()
        load = (
            f"path = {str(path)!r}\nsys.path.insert(0, {str(path.parent)!r})\n"
            f"spec = importlib.util.spec_from_file_location({path.stem!r}, path)\n"
            "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        )
    else:
        load = f"sys.path.insert(0, {where['path']!r})\nmodule = importlib.import_module({where['module']!r})\n"
    return f"{load}function = module.{where['name']}\n\n"


def calling(case: Case, how: How, which: str, arrays: Sequence[str], results: Sequence[str]) -> str:
    """Lines that define `call`, which gives what the function or the program gives for the arrays, as a list or dict.

    Args:
        case: what is asked.
        how: how the function is reached.
        which: "forward" or "backward".
        arrays: the names of those that the script binds.
        results: the names of what is expected.
    """
    place = how.places.get(which, how.places.get("forward"))
    if is_command(place):
        keys = [name if name == "y" or name in case.operation.updates else f"grad_{array_of(name)}" for name in results]
        given = [f"    operation=np.array({case.operation.name.encode()!r}),\n"]
        given += [f"    {name}=np.ascontiguousarray({name}),\n" for name in arrays]
        given += [f"    {name}={_told(name, one)},\n" for name, one in _options(case).items() if one is not None]
        told = PROGRAM.format(IN=IN, OUT=OUT, words=shlex.split(str(place)), cwd=how.folder, keys=keys)
        return f"given = dict(\n{''.join(given)})\n\n{told}"
    binding = how.bindings[which if which in how.bindings else "forward"]
    lines = [
        loading(importable(place, how.folder)),
        '\ndef call():\n    """Call the function, and list its results."""\n',
    ]
    if how.takes == "numpy":
        lines.append(f"    results = function({arguments(case, binding, {name: name for name in arrays})})\n")
    else:
        lines += _on_tensors(case, how.takes, binding, arrays, which == "backward" and "backward" not in how.bindings)
    changed = [name for name in results if name in case.operation.updates]
    if which == "forward":
        lines.append(f"    return [{', '.join([_plain('results', how.takes), *changed])}]\n\n")
    else:
        lines.append("    if not isinstance(results, (dict, tuple, list)):\n        results = [results]\n")
        lines.append("    if isinstance(results, dict):\n")
        lines.append(f"        return {{key: {_plain('one', how.takes)} for key, one in results.items()}}\n")
        lines.append(f"    return [{_plain('one', how.takes)} for one in results]\n\n")
    return "".join(lines)


def _on_tensors(case: Case, library: str, binding: Binding, arrays: Sequence[str], graph: bool) -> list[str]:
    """Lines that call a function of tensors; with `graph` differentiate its result."""
    make = "torch.from_numpy" if library == "torch" else "minicnn.Tensor"
    names = {name: f'tensors["{name}"]' for name in arrays}
    given = ", ".join(f'"{name}": {name}' for name in arrays)
    lines = [f"    tensors = {{name: {make}(array) for name, array in {{{given}}}.items()}}\n"]
    wanted = [name for name in case.operation.floats if name in arrays]
    if graph:
        lines.append(f"    for name in {wanted}:\n        tensors[name].requires_grad_(True)\n")
    lines.append(f"    results = function({arguments(case, binding, names)})\n")
    if graph:
        lines.append(f"    results.backward({library}.from_numpy(grad_output.copy()))\n")
        lines.append(f"    results = [tensors[name].grad for name in {wanted}]\n")
    return lines


def _plain(name: str, takes: str) -> str:
    """An expression for a result as an array."""
    return name if takes == "numpy" else f'np.asarray({name}.detach().numpy()) if hasattr({name}, "detach") else {name}'


def arguments(case: Case, binding: Binding, bound: Mapping[str, str]) -> str:
    """The call's arguments as Python writes them; `bound` are the arrays' expressions by their names."""

    def value(name: str) -> str:
        if name in bound:
            return bound[name]
        return repr(None if name in case.arrays else case.options.get(name, case.operation.options.get(name)))

    return ", ".join(
        [*map(value, binding.positional), *(f"{own}={value(name)}" for own, name in binding.named.items())]
    )


def _options(case: Case) -> dict[str, Any]:
    """All options, defaults too, as a program is given them."""
    return {name: case.options.get(name, default) for name, default in case.operation.options.items()}


def _told(name: str, value: Any) -> str:
    array = as_array(name, value)
    if array.dtype.kind == "S":
        return f"np.array({array.item()!r})"
    return f"np.array({array.tolist()!r}, np.{np.dtype(array.dtype).name})"


def array_of(result: str) -> str:
    """The array that a gradient belongs to."""
    return result.rpartition(" ")[2]
