"""Chapter 11: your own LeNet."""

from learn_04 import conv2d
from learn_07 import max_pool2d


def relu(x):
    """x where it is positive, 0 elsewhere; an array of x's shape."""
    return x * (x > 0)


def linear(x, weight, bias):
    """A layer that sees everything: x @ weight, transposed, + bias.

    Args:
        x: (N, inputs).
        weight: (outputs, inputs).
        bias: (outputs,).

    Returns: (N, outputs).
    """
    return x @ weight.T + bias


def lenet(x, p):
    """LeNet's scores.

    Args:
        x: images, (N, 1, 28, 28).
        p: the parameters, arrays by name: conv1.weight (6, 1, 5, 5), conv1.bias (6,), conv2.weight (16, 6, 5, 5),
            conv2.bias (16,), and fc1, fc2, fc3 likewise, (120, 256), (84, 120), (10, 84).

    Returns: (N, 10).
    """
    x = max_pool2d(relu(conv2d(x, p["conv1.weight"], p["conv1.bias"])), 2)  # (N, 6, 12, 12)
    x = max_pool2d(relu(conv2d(x, p["conv2.weight"], p["conv2.bias"])), 2)  # (N, 16, 4, 4)
    x = x.reshape(len(x), -1)  # (N, 256)
    x = relu(linear(x, p["fc1.weight"], p["fc1.bias"]))
    x = relu(linear(x, p["fc2.weight"], p["fc2.bias"]))
    return linear(x, p["fc3.weight"], p["fc3.bias"])
