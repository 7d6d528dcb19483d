"""Chapter 16: the race, one trick at a time."""

import math

import numpy as np

RISING = 0.3  # of the steps
FIRST = 25  # the first rate is the highest through this
LAST = 10_000  # and the last is the first through this


def smoothed(targets, classes, smoothing):
    """What cross-entropy compares the probabilities with, if a part of it is spread over all classes.

    Args:
        targets: the right class of each row, int64 (N,).
        classes: how many there are.
        smoothing: the part that is spread evenly, 0 to 1.

    Returns: (N, classes), each row adding up to 1.
    """
    rows = np.full((len(targets), classes), smoothing / classes)
    rows[np.arange(len(targets)), targets] += 1 - smoothing
    return rows


def between(start, end, part):
    """Half a wave of the cosine from one number to another.

    Args:
        start: the value where part is 0.
        end: the value where part is 1.
        part: how much of the way is behind, 0 to 1.
    """
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


def one_cycle(step, steps, highest):
    """The learning rate of a step: up to the highest, and down to almost nothing.

    Args:
        step: from 0 to steps − 1.
        steps: how many there are; the highest rate is that of step RISING · steps − 1.
        highest: the highest rate.
    """
    top = RISING * steps - 1
    if step <= top:
        return between(highest / FIRST, highest, step / top)
    return between(highest, highest / FIRST / LAST, (step - top) / (steps - 1 - top))


def nesterov(parameter, velocity, gradient, lr, momentum):
    """A step of gradient descent that looks ahead.

    Args:
        parameter: what is learned, an array.
        velocity: the one of the step before, of its shape.
        gradient: of the loss with respect to it.
        lr: the learning rate.
        momentum: how much of the velocity stays.

    Returns: the new parameter and the new velocity.
    """
    velocity = momentum * velocity + gradient
    return parameter - lr * (gradient + momentum * velocity), velocity


def shifted(images, tops, lefts, padding):
    """A window out of each image, in a frame of zeros, as large as the image was.

    Args:
        images: (N, H, W).
        tops: the first row of each window in the framed image, 0 to 2 · padding, int64 (N,).
        lefts: its first column.
        padding: width of the frame.

    Returns: (N, H, W).
    """
    N, H, W = images.shape
    framed = np.pad(images, ((0, 0), (padding, padding), (padding, padding)))
    result = np.zeros_like(images)
    for n in range(N):
        result[n] = framed[n, tops[n] : tops[n] + H, lefts[n] : lefts[n] + W]
    return result
