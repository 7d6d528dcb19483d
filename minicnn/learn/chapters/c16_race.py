"""Chapter 16: the race."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import nn, optim
from minicnn.learn.chapter import Case, Chapter, Mistake, calling, whole
from minicnn.learn.drawings import matrices
from minicnn.models import MODELS
from minicnn.nn import Parameter
from minicnn.recipes.speedrun import SPEEDRUNS, training_flops
from minicnn.tensor import Tensor

STEPS = 10
SMOOTHING = 0.1


def values() -> dict[str, Any]:
    race = SPEEDRUNS["mnist"]
    flops = training_flops(MODELS[race.model](), race.preset.shape)
    row = np.full((1, 10), SMOOTHING / 10)
    row[0, 3] += 1 - SMOOTHING
    return {
        "smoothed": matrices(target=row), "least": f"{-(row * np.log(row)).sum():.2f}", "rates": rates(),
        "goal": f"{race.goal:.0%}", "flops": f"{flops / 1e6:.1f}", "batch": race.batch_size,
        "layers": sum(isinstance(layer, nn.Conv2d) for layer in MODELS[race.model]().modules()),
    }  # fmt: skip


def rates() -> str:
    """What minicnn's schedule does in ten steps, a bar a step."""
    optimizer = optim.SGD([Parameter(Tensor([0.0]))], lr=1.0)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 1.0, STEPS, cycle_momentum=False)
    lines = []
    for step in range(STEPS):
        rate = optimizer.param_groups[0]["lr"]
        lines.append(f"step {step}  {rate:6.4f}  {'█' * round(40 * rate)}".rstrip())
        if step < STEPS - 1:
            optimizer.step()
            schedule.step()
    return "\n".join(lines)


def cases(generator: np.random.Generator) -> Sequence[Case]:
    found = [
        calling("smoothed", ("targets", generator.integers(0, classes, N)), classes, smoothing)
        for N, classes, smoothing in ((1, 2, 0.5), (1, 4, 0.0), (3, 4, 0.25), (2, 10, 0.1))
    ]
    found += [calling("between", *one) for one in ((1.0, 3.0, 0.0), (1.0, 3.0, 0.5), (4.0, 0.0, 0.25), (2.0, 5.0, 1.0))]
    found += [calling("one_cycle", step, 10, 0.5) for step in (0, 1, 2, 3, 6, 9)]
    found += [calling("one_cycle", step, 469, 0.1) for step in (70, 140, 468)]
    for shape in ((1,), (2, 3)):
        arrays = [(name, whole(generator, *shape) + 5) for name in ("parameter", "velocity", "gradient")]
        found.append(calling("nesterov", *arrays, 0.5, 0.25))
    for N, H, W, padding in ((1, 2, 2, 1), (2, 3, 4, 1), (3, 4, 3, 2)):
        tops, lefts = (("tops", 2 * padding - np.arange(N)), ("lefts", np.arange(N) % (2 * padding + 1)))
        found.append(calling("shifted", ("images", whole(generator, N, H, W) + 5), tops, lefts, padding))
    return found


CHAPTER = Chapter(
    number=16,
    title="The race",
    minutes=30,
    functions=("smoothed", "between", "one_cycle", "nesterov", "shifted"),
    hints=(
        "smoothed: every class gets smoothing / classes, the right one 1 − smoothing more. between: "
        "(1 + cos(π·part)) / 2 goes from 1 to 0.",
        "one_cycle is between twice: from highest / FIRST up to highest in the first top = RISING · steps − 1 steps, "
        "then down to highest / FIRST / LAST in the other steps − 1 − top.",
        "nesterov: the new velocity first, momentum · velocity + gradient; then the step is lr · (gradient + "
        "momentum · new velocity). shifted: np.pad, and then a slice of H rows and W columns of each image.",
    ),
    source=(
        "minicnn.optim.lr_scheduler.one_cycle.OneCycleLR",
        "minicnn.optim.sgd.SGD",
        "minicnn.transforms._geometry.RandomCrop",
        "minicnn.models.speedrun.Stage",
    ),
    mistakes=(
        Mistake(
            "The smoothing is spread over the other classes only; the right one gets its share too.",
            "smoothing / classes)\n    rows[np.arange(len(targets)), targets] += 1",
            "smoothing / (classes - 1))\n    rows[np.arange(len(targets)), targets] = 1",
        ),
        Mistake(
            "A row adds up to more than 1: the right class gets 1 − smoothing besides its share, not 1.",
            "targets] += 1 - smoothing",
            "targets] += 1",
        ),
        Mistake(
            "The wave runs backwards: at part 0 stands the start.",
            "return end + (start - end) *",
            "return start + (end - start) *",
        ),
        Mistake(
            "That is a straight line; the cosine is flat at both ends.",
            "(1 + math.cos(math.pi * part)) / 2",
            "(1 - part)",
        ),
        Mistake(
            "The rate ends at its first value; it goes on falling, to that through LAST.",
            "between(highest, highest / FIRST / LAST,",
            "between(highest, highest / FIRST,",
        ),
        Mistake(
            "The top is half-way; the rise takes RISING of the steps.",
            "top = RISING * steps - 1",
            "top = steps / 2 - 1",
        ),
        Mistake(
            "That is momentum without looking ahead: Nesterov's step adds the gradient once more.",
            "parameter - lr * (gradient + momentum * velocity), velocity",
            "parameter - lr * velocity, velocity",
        ),
        Mistake(
            "The learning rate is in the velocity; here, as in PyTorch, it multiplies only the step.",
            "velocity + gradient\n    return parameter - lr * (gradient + momentum * velocity)",
            "velocity + lr * gradient\n    return parameter - (lr * gradient + momentum * velocity)",
        ),
        Mistake(
            "Rows and columns are swapped: tops are rows.",
            "framed[n, tops[n] : tops[n] + H, lefts[n] : lefts[n] + W]",
            "framed[n, lefts[n] : lefts[n] + H, tops[n] : tops[n] + W]",
        ),
        Mistake(
            "Every image gets the first one's window.",
            "framed[n, tops[n] : tops[n] + H, lefts[n] : lefts[n] + W]",
            "framed[n, tops[0] : tops[0] + H, lefts[0] : lefts[0] + W]",
        ),
    ),
    values=values,
    cases=cases,
)  # fmt: skip
