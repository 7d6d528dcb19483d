"""Chapter 8: softmax and cross-entropy."""

import numpy as np


def log_softmax(x):
    """The logarithms of the probabilities that scores stand for.

    Args:
        x: the scores, (N, C), of any size.

    Returns: (N, C); the exponentials of a row add up to 1.
    """
    shifted = x - x.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def cross_entropy(x, target):
    """How little probability the right classes get.

    Args:
        x: the scores, (N, C).
        target: the right classes, (N,), ints from 0 to C − 1.

    Returns: the mean over the rows of −log(probability of the right class), a number.
    """
    rows = np.arange(len(x))
    return -log_softmax(x)[rows, target].mean()


def cross_entropy_backward(grad_output, x, target):
    """The gradient of `cross_entropy` with respect to the scores.

    Args:
        grad_output: the gradient with respect to the loss, a number.
        x, target: what `cross_entropy` was given.

    Returns: (N, C).
    """
    rows = np.arange(len(x))
    gradient = np.exp(log_softmax(x))
    gradient[rows, target] -= 1
    return gradient * (grad_output / len(x))
