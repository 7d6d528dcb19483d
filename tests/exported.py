"""Random programs as modules: written as ONNX, read back, and run by onnxruntime, on numbers that the export never saw.

The programs are those of `tests/programs`, without backward passes: their tensors of random numbers become inputs, all
others outputs. A line that is refused by name is left out, and the rest is tried again; what is written must be right.

    python -m tests.exported --seconds 600 --seed 1    # a long search; exit status 1 where an output differs

A difference may still be a tie that a rounding error decides: the printed lines tell.
"""

import re
import sys
import time
import warnings
from argparse import ArgumentParser
from collections import Counter

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as Missing

import minicnn
import minicnn.onnx
from minicnn import nn
from minicnn.onnx import ExportError

from .programs import program_of
from .programs.running import names_of

INPUT = re.compile(r"(t\d+) = T\.from_numpy\(((?:(?!from_numpy).)*?)\)(?:\.requires_grad_\(\))?")
BACKWARD = "backward(", "grad(", ".grad", "requires_grad"


class Program(nn.Module):
    """A random program as a module.

    Attributes:
        lines: its statements.
        names: those of the outputs.
    """

    def __init__(self, source):
        super().__init__()
        self.inputs, self.lines, self.names = {}, [], []
        for line in source.splitlines():
            met = INPUT.fullmatch(line)
            if met:
                self.inputs[met[1]] = met[2]
            elif not any(word in line for word in BACKWARD):
                self.lines.append(line)

    def numbers(self, other):
        """Arrays for the inputs; equal numbers would be ties, so all are real."""
        names = names_of(minicnn, np.float32)
        reals = names["reals"]
        names["reals"] = names["integers"] = lambda *shape, seed=0: reals(*shape, seed=seed + 1000 * other)
        return [np.ascontiguousarray(eval(text, names), np.float32) for text in self.inputs.values()]

    def forward(self, *inputs):
        names = {**names_of(minicnn, np.float32), **dict(zip(self.inputs, inputs, strict=True))}
        for line in self.lines:
            try:
                exec(line, names)
            except (NameError, ValueError, RuntimeError, IndexError, TypeError):  # what it needs was left out
                continue
        made = {name for name, value in names.items() if re.fullmatch(r"t\d+", name) and name not in self.inputs}
        self.names = sorted(
            (one for one in made if isinstance(names[one], minicnn.Tensor)), key=lambda one: int(one[1:])
        )
        return tuple(names[name] for name in self.names)


def tensors(arrays):
    return [minicnn.from_numpy(array.copy()) for array in arrays]


def written(program, arrays, refusals):
    """The file of what can be exported of a program: lines that are refused are left out of it."""
    while True:
        try:
            return minicnn.onnx.export(program, tensors(arrays), dynamic_axes={}).SerializeToString()
        except ExportError as error:
            if "no valid ONNX" in str(error):
                raise
            refusals[re.sub(r"[ (]*\(.*", "", str(error))[:70]] += 1
        lines, first, last = program.lines, 0, len(program.lines)
        while first < last:  # the shortest beginning that is refused
            middle = (first + last) // 2
            program.lines = lines[: middle + 1]
            try:
                minicnn.onnx.export(program, tensors(arrays), dynamic_axes={})
                first = middle + 1
            except ExportError:
                last = middle
        program.lines = lines[:first] + lines[first + 1 :]


def compared(seed, counts, refusals):
    """What differs of the program of a seed, in words, or None."""
    program = Program(program_of(seed).source)
    try:
        given, others = program.numbers(0), program.numbers(1)
        for arrays in (given, others):
            if not program(*tensors(arrays)):
                return None
    except (RuntimeError, ValueError, IndexError, TypeError):  # a program that PyTorch ends with an error too
        return None
    file = written(program, given, refusals)
    names = program.names
    counts["programs"] += 1
    expected = [one.detach().numpy() for one in program(*tensors(others))]
    if program.names != names:  # a line that fails for some numbers alone
        return None
    counts["outputs"] += len(expected)
    read = minicnn.onnx.load(file)(*tensors(others))
    found = {"read back": [one.detach().numpy() for one in (read if isinstance(read, tuple) else (read,))]}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )  # a matrix times a vector goes wrong else
    try:
        session = onnxruntime.InferenceSession(file, options)
        found["onnxruntime"] = session.run(
            None, {one.name: array for one, array in zip(session.get_inputs(), others, strict=True)}
        )
    except (Fail, InvalidArgument, Missing):  # it lacks what the standard has
        counts["not run by onnxruntime"] += 1
    for reader, results in found.items():
        for name, one, other in zip(program.names, expected, results, strict=True):
            if (one.shape, one.dtype) != (other.shape, other.dtype):
                return f"{name}, {reader}: {one.shape} of {one.dtype}, {other.shape} of {other.dtype}"
            largest = float(np.max(np.abs(one[np.isfinite(one)]), initial=1))
            if largest > 1e4:  # rounding errors of what follows are larger than the numbers
                break
            if not np.isfinite(one).any():  # nothing, or the mean of nothing, of which onnxruntime makes 0
                continue
            if not np.allclose(one, other, rtol=1e-3, atol=1e-3 * largest, equal_nan=True):
                return f"program {seed}, {name}, {reader}\n" + "\n".join(program.lines)
    return None


def main():
    parser = ArgumentParser(prog="python -m tests.exported")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    counts, refusals, end, seed = Counter(), Counter(), time.monotonic() + options.seconds, options.seed << 32
    while time.monotonic() < end:
        try:
            difference = compared(seed, counts, refusals)
        except Exception as error:  # of the export's own
            difference = f"program {seed}: {type(error).__name__}: {error}"
        if difference:
            counts["differ"] += 1
            print(difference, "\n", flush=True)
        seed += 1
    print(dict(counts))
    print("refused:", *[f"{count} {reason}" for reason, count in refusals.most_common()], sep="\n")
    return bool(counts["differ"])


if __name__ == "__main__":
    sys.exit(main())
