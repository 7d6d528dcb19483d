"""Chapter 11: your own LeNet."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import minicnn
from minicnn import datasets, optim, transforms
from minicnn.learn.chapter import Case, Chapter, Mistake, calling, whole
from minicnn.models.lenet import LeNet
from minicnn.nn import functional as F
from minicnn.summary import summary
from minicnn.utils.data import DataLoader

STEPS, BATCH = 12, 64
CLOSE = 1e-3
"""How far losses may lie apart, relatively, after that many steps in float32."""


def values() -> dict[str, Any]:
    minicnn.manual_seed(0)
    counts = summary(LeNet(), (1, 1, 28, 28))
    rows = [f"{'layer':8}{'output':>18}{'parameters':>12}{'multiply-adds':>15}"]
    for layer in counts.layers:
        shape = "×".join(map(str, layer.output_shape))
        rows.append(f"{layer.name:8}{shape:>18}{layer.parameters:12,}{layer.mult_adds:15,}")
    return {"table": "\n".join(rows), "images": len(datasets.Digits()), "steps": STEPS}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    found = [calling("relu", ("x", whole(generator, *shape))) for shape in ((3,), (2, 3))]
    for N, inputs, outputs in ((1, 2, 1), (2, 3, 4)):
        arrays = ("x", whole(generator, N, inputs)), ("weight", whole(generator, outputs, inputs))
        found.append(calling("linear", *arrays, ("bias", whole(generator, outputs))))
    parameters = _parameters(generator)
    for N in (1, 3):
        x = generator.standard_normal((N, 1, 28, 28))
        found.append(Case(f"lenet(x, p) with x of shape {x.shape}", _call(x, parameters)))
    return found


def _parameters(generator: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        name: generator.standard_normal(tuple(one.shape)) / np.sqrt(max(np.prod(one.shape[1:]), 1))
        for name, one in LeNet().state_dict().items()
    }


def _call(x: np.ndarray, parameters: dict[str, np.ndarray]) -> Callable[[Any], Any]:
    return lambda module: module.lenet(x.copy(), {name: one.copy() for name, one in parameters.items()})


def losses(forward: str | None, backward: str | None) -> list[float]:
    """The losses of LeNet's first steps on the digits; None stands for minicnn's convolution."""
    from minicnn.learn.own import install

    minicnn.manual_seed(0)
    model = LeNet()
    if forward or backward:
        install(model, forward, backward)
    optimizer = optim.Adam(model.parameters(), lr=0.004)
    data = datasets.Digits(train=True, transform=transforms.ToTensor())
    found: list[float] = []
    for images, labels in DataLoader(data, BATCH, shuffle=True):
        if len(found) == STEPS:
            break
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def train_both(path: Path) -> tuple[bool, str]:
    """Whether LeNet's loss is minicnn's where the learner's functions convolve, and both beside each other."""
    folder = path.parent
    forward, backward = f"{folder / 'learn_04.py'}:conv2d", f"{folder / 'learn_06.py'}:conv2d_backward"
    try:
        yours = losses(forward, backward)
    except (ValueError, RuntimeError) as error:
        return False, f"Training with your functions failed: {error}"
    ours = losses(None, None)
    rows = ["step   loss with your convolution   with minicnn's"]
    rows += [f"{k + 1:4}{a:29.6f}{b:17.6f}" for k, (a, b) in enumerate(zip(yours, ours, strict=True))]
    same = bool(np.allclose(yours, ours, rtol=CLOSE))
    end = (
        "\nThe curves lie on each other. Train it to the end:\n"
        "  minicnn train --conv learn_04.py:conv2d --conv-backward learn_06.py:conv2d_backward"
        if same
        else "\nThe losses part: check chapters 4 and 6 again."
    )
    return same, "\n".join([*rows, end])


CHAPTER = Chapter(
    number=11,
    title="Your own LeNet",
    minutes=30,
    functions=("relu", "linear", "lenet"),
    hints=(
        "Layer by layer, as in the table. Each convolution is followed by relu and a 2 × 2 max pool, each linear layer "
        "but the last by relu.",
        "Between the convolutions and the linear layers the maps become rows: x.reshape(len(x), -1), (N, 16·4·4).",
        'conv2d(x, p["conv1.weight"], p["conv1.bias"]), without padding; linear is x @ weight.T + bias.',
    ),
    source=("minicnn.models.lenet.LeNet",),
    mistakes=(
        Mistake(
            "relu makes negative numbers positive; it makes them 0.",
            "return x * (x > 0)",
            "return abs(x)",
        ),
        Mistake(
            "linear leaves the bias out.",
            "return x @ weight.T + bias",
            "return x @ weight.T",
        ),
        Mistake(
            "There is a relu behind the last layer: scores may be negative.",
            'return linear(x, p["fc3.weight"], p["fc3.bias"])',
            'return relu(linear(x, p["fc3.weight"], p["fc3.bias"]))',
        ),
        Mistake(
            "The relu behind fc1 or fc2 is missing: two linear layers in a row are one.",
            'x = relu(linear(x, p["fc2.weight"], p["fc2.bias"]))',
            'x = linear(x, p["fc2.weight"], p["fc2.bias"])',
        ),
        Mistake(
            "The maps become rows in the wrong order: channels first, then rows, then columns, as they lie.",
            "x = x.reshape(len(x), -1)",
            "x = x.transpose(0, 2, 3, 1).reshape(len(x), -1)",
        ),
        Mistake(
            "The relu behind a convolution is missing.",
            'max_pool2d(relu(conv2d(x, p["conv2.weight"], p["conv2.bias"])), 2)',
            'max_pool2d(conv2d(x, p["conv2.weight"], p["conv2.bias"]), 2)',
        ),
        Mistake(
            "That is average pooling behind a convolution; this LeNet takes the maximum.",
            'x = max_pool2d(relu(conv2d(x, p["conv1.weight"], p["conv1.bias"])), 2)',
            'x = relu(conv2d(x, p["conv1.weight"], p["conv1.bias"])).reshape(len(x), 6, 12, 2, 12, 2).mean((3, 5))',
        ),
    ),
    values=values,
    cases=cases,
    last=train_both,
)  # fmt: skip
