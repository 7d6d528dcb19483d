"""A line search for the strong Wolfe conditions: Nocedal and Wright, "Numerical optimization", 2006, section 3.5.

Along a direction d from a point, it looks for a step t at which the loss has sunk enough and its slope has become
flat enough: f(t) ≤ f(0) + 1e-4 · t · f'(0), and |f'(t)| ≤ 0.9 · |f'(0)|.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9


@dataclass
class Trial:
    """What is known of one step.

    Attributes:
        step: its length t.
        loss: the loss there.
        gradient: the gradient there, (n,).
        slope: the derivative with respect to t, gradient · direction.
    """

    step: float
    loss: float
    gradient: np.ndarray
    slope: float


def cubic_minimum(a: Trial, b: Trial, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through both trials, with their slopes, is least.

    Args:
        bounds: the step must lie between these, by default between the trials.

    Returns: that step; the middle of the bounds where the cubic has no minimum.
    """
    low, high = bounds or (min(a.step, b.step), max(a.step, b.step))
    distance = a.step - b.step
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / distance if distance else math.nan
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    left, right = (a, b) if a.step <= b.step else (b, a)
    d2 = math.sqrt(square)
    curve = right.slope - left.slope + 2 * d2
    if not curve:
        return low if d2 == d1 else high
    step = right.step - (right.step - left.step) * ((right.slope + d2 - d1) / curve)
    return min(max(step, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Trial],
    start: Trial,
    first_step: float,
    longest: float,
    tolerance: float,
    max_trials: int,
) -> tuple[Trial, int]:
    """Look for a step that meets the strong Wolfe conditions.

    Args:
        evaluate: tries a step.
        start: the trial of step 0.
        first_step: what to try first.
        longest: the largest element of the direction, in absolute value.
        tolerance: stop when no element would move by this much between the ends of the bracket.
        max_trials: how many steps to try after the first.

    Returns: the trial that was best, and how many steps were tried.
    """

    def too_high(trial: Trial) -> bool:
        return trial.loss > start.loss + SUFFICIENT_DECREASE * trial.step * start.slope

    def flat(trial: Trial) -> bool:
        return abs(trial.slope) <= -CURVATURE * start.slope

    previous, trial = start, evaluate(first_step)
    count = 0
    bracket: list[Trial] | None = None
    while count < max_trials:
        if too_high(trial) or (count > 1 and trial.loss >= previous.loss):
            bracket = [previous, trial]
            break
        if flat(trial):
            return trial, count + 1
        if trial.slope >= 0:
            bracket = [previous, trial]
            break
        least = trial.step + 0.01 * (trial.step - previous.step)
        step = cubic_minimum(previous, trial, (least, trial.step * 10))
        previous, trial = trial, evaluate(step)
        count += 1
    if bracket is None:
        bracket = [start, trial]
    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    stuck = False
    while count < max_trials:
        first, last = sorted(one.step for one in bracket)
        if (last - first) * longest < tolerance:
            break
        step = cubic_minimum(bracket[0], bracket[1])
        step, stuck = _away_from_ends(step, first, last, stuck)
        trial = evaluate(step)
        count += 1
        if too_high(trial) or trial.loss >= bracket[low].loss:
            bracket[high] = trial
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        done = flat(trial)
        if not done and trial.slope * (bracket[high].step - bracket[low].step) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = trial
        if done:
            break
    return bracket[low], count + 1


def _away_from_ends(step: float, first: float, last: float, stuck: bool) -> tuple[float, bool]:
    """`step`, unless it is close to an end of the bracket for the second time or outside: then a tenth inside.

    Returns: the step, and whether it is close to an end for the first time.
    """
    margin = 0.1 * (last - first)
    if min(last - step, step - first) >= margin:
        return step, False
    if not (stuck or step >= last or step <= first):
        return step, True
    return (last - margin if abs(step - last) < abs(step - first) else first + margin), False
