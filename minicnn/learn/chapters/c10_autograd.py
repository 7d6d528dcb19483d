"""Chapter 10: autograd in sixty lines."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

import minicnn
from minicnn.learn.chapter import Case, Chapter, Mistake
from minicnn.learn.exercise import solved

PROGRAMS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("a + b", (2, 3)),
    ("a * b", (2, 3)),
    ("a.relu()", (2,)),
    ("a.relu()", (-2,)),
    ("a.relu()", (0,)),
    ("a + a", (3,)),
    ("a * a", (3,)),
    ("a * b + b", (2, 3)),
    ("(a + b) * (a + b)", (2, -3)),
    ("(a * b).relu() + a", (2, 3)),
    ("(a * b).relu() + a", (2, -3)),
    ("c + c * b, c = a * a", (3, 2)),
    ("d * c + d, c = a + b, d = c * c", (1, 2)),
    ("(w * x + v).relu() * u + w, v = x * x", (1, -2, 3)),
)
TWICE = (("a * b", (2, 3)), ("a * b + a", (2, 3)), ("c * c, c = a + b", (2, 3)))
"""Programs that call backward once more."""
NAMES = {1: ("a",), 2: ("a", "b"), 3: ("x", "w", "u")}


def run(Value: type, program: str, numbers: Sequence[float], times: int = 1) -> Any:
    """The expression's value, and the gradients of all leaves by name, after so many `backward`."""
    expression, *steps = program.split(", ")
    leaves = dict(zip(NAMES[len(numbers)], (Value(float(number)) for number in numbers), strict=True))
    scope = dict(leaves)
    for step in steps:
        name, _, source = step.partition(" = ")
        scope[name] = eval(source, {}, scope)
    result = eval(expression, {}, scope)
    for _ in range(times):
        result.backward()
    return result.data, {name: leaf.grad for name, leaf in leaves.items()}


def graph(module: ModuleType) -> str:
    """What a small program leaves behind: each value, its slopes, its gradient."""
    a, b = module.Value(2.0), module.Value(3.0)
    c = a * b
    d = c + a
    d.backward()
    names = {id(a): "a", id(b): "b", id(c): "c = a * b", id(d): "d = c + a"}
    lines = [f"{'value':12}{'data':>6}{'grad':>6}   computed from (slope)"]
    for one in reversed(d.order()):
        parents = ", ".join(f"{names[id(p)][0]} ({slope:g})" for p, slope in one.parents) or "–"
        lines.append(f"{names[id(one)]:12}{one.data:6g}{one.grad:6g}   {parents}")
    return "\n".join(lines)


def values() -> dict[str, Any]:
    x = minicnn.tensor(2.0, requires_grad=True)
    (x * 3 + x).backward()
    module = solved(CHAPTER)
    (_, through), _ = (module.Value(2.0) * module.Value(3.0)).parents
    return {"graph": graph(module), "through": f"{through:g}", "tensor": f"{x.grad.item():g}"}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    asked = [(*program, 1) for program in PROGRAMS] + [(*program, 2) for program in TWICE]
    return [Case(_told(*one), _case(*one)) for one in asked]


def _told(program: str, numbers: Sequence[float], times: int) -> str:
    expression, *steps = program.split(", ")
    lines = [f"{name} = Value({float(number)})" for name, number in zip(NAMES[len(numbers)], numbers, strict=True)]
    return "; ".join([*lines, *steps, f"y = {expression}", *["y.backward()"] * times])


def _case(program: str, numbers: Sequence[float], times: int) -> Callable[[ModuleType], Any]:
    def call(module: ModuleType) -> Any:
        data, gradients = run(module.Value, program, numbers, times)
        return {"y.data": data, **{f"{name}.grad": gradient for name, gradient in gradients.items()}}

    return call


CHAPTER = Chapter(
    number=10,
    title="Autograd in sixty lines",
    minutes=40,
    functions=("Value.__add__", "Value.__mul__", "Value.relu", "Value.order", "Value.backward"),
    hints=(
        "A sum's slopes are 1 and 1, a product's the other factor, relu's 1 above 0 and 0 elsewhere: "
        "Value(data, [(parent, slope), …]).",
        "order: visit a value's parents before the value itself, and no value twice (a set of id(value)). backward "
        "goes through the order in reverse, so that all of a value's gradient has arrived before it is handed on.",
        "In backward keep a dictionary from id(value) to its gradient, {id(self): 1.0} at first. For each value, add "
        "the gradient to value.grad, and gradient * slope to each parent's entry.",
    ),
    source=("minicnn.autograd.walk.run_backward",),
    mistakes=(
        Mistake(
            "A parent that is used twice keeps only one of its gradients: they add up.",
            "gradients[id(parent)] = gradients.get(id(parent), 0.0) + gradient * slope",
            "gradients[id(parent)] = gradient * slope",
        ),
        Mistake(
            "The slopes of a product are swapped: the derivative with respect to a factor is the other factor.",
            "[(self, other.data), (other, self.data)]",
            "[(self, self.data), (other, other.data)]",
        ),
        Mistake(
            "Values are visited before all of their gradient has arrived: start from the result, and take a value only "
            "after everything that was computed from it.",
            "for value in reversed(self.order()):",
            "for value in self.order():",
        ),
        Mistake(
            "relu lets the gradient of negative values through; its slope there is 0.",
            "1.0 if self.data > 0 else 0.0",
            "1.0",
        ),
        Mistake(
            "The slope of relu at 0 is 0, as in PyTorch.",
            "1.0 if self.data > 0 else 0.0",
            "1.0 if self.data >= 0 else 0.0",
        ),
        Mistake(
            "The chain rule multiplies: what goes to a parent is the gradient times the slope.",
            "+ gradient * slope",
            "+ slope",
        ),
        Mistake(
            "A value that is used twice is visited twice, so that its gradient is handed on twice: keep a set of "
            "those seen.",
            "                seen.add(id(value))\n",
            "",
        ),
        Mistake(
            "A second backward hands on what the first has left in grad: keep the gradients of one walk apart, in a "
            "dictionary, and add them to grad.",
            "            value.grad += gradient\n",
            "            value.grad += gradient\n            gradient = value.grad\n",
        ),
        Mistake(
            "A second backward sets the result's grad to 1 again and hands on what the first has left in the others: "
            "keep the gradients of one walk apart, in a dictionary, and add them to grad.",
            """        gradients = {id(self): 1.0}
        for value in reversed(self.order()):
            gradient = gradients.get(id(value), 0.0)
            value.grad += gradient
            for parent, slope in value.parents:
                gradients[id(parent)] = gradients.get(id(parent), 0.0) + gradient * slope""",
            """        self.grad = 1.0
        for value in reversed(self.order()):
            for parent, slope in value.parents:
                parent.grad += value.grad * slope""",
        ),
        Mistake(
            "A second backward starts anew; grad keeps the sum of all of them.",
            "value.grad += gradient",
            "value.grad = gradient",
        ),
        Mistake(
            "The slope of a sum with respect to its second term is 1, too.",
            "[(self, 1.0), (other, 1.0)]",
            "[(self, 1.0)]",
        ),
    ),
    values=values,
    cases=cases,
)  # fmt: skip
